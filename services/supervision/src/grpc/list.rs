//! Pages of lists, read in portions.

use prost::Message;
use xietong_mesh::Error;
use xietong_mesh::page::Paging;
use xietong_mesh::serve::MAX_MESSAGE_BYTES;

/// Items that are read at a time.
const PORTION: u64 = 100;

/// The page that is asked for, encoded, and the token of the next one. `read` gives at most so
/// many items after a key, in the order of the list; `key` says where an item stands in it.
///
/// A page may have a thousand items, and each of them be long: reading ends when what was read
/// is more than a message holds, so that this much and one portion is all that is ever in
/// memory.
pub(super) async fn page<T, M, F>(
    paging: Paging<'_, i64>,
    key: impl Fn(&T) -> i64,
    encode: impl Fn(T) -> Result<M, Error>,
    read: impl Fn(Option<i64>, u64) -> F,
) -> Result<(Vec<M>, String), Error>
where
    M: Message,
    F: Future<Output = Result<Vec<T>, Error>>,
{
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut after = paging.after().copied();
    loop {
        let limit = PORTION.min(paging.limit() - found.len() as u64);
        let portion = read(after, limit).await?;
        let last = (portion.len() as u64) < limit;
        for item in portion {
            let key = key(&item);
            let message = encode(item)?;
            bytes += message.encoded_len();
            after = Some(key);
            found.push((key, message));
        }
        // What is too much is two items at least, unless there is only one: the page, which
        // holds its first item however long it is, ends before the last of them.
        if last || found.len() as u64 == paging.limit() || bytes > MAX_MESSAGE_BYTES {
            return paging.page(found, |(key, _)| *key, |(_, message)| Ok(message));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The numbers on a page of a list of `count` numbers, the largest first, whether there is
    /// another page, and how many were read at a time. Each is a text of so many bytes.
    async fn numbers(count: i64, size: i32, bytes: impl Fn(i64) -> usize) -> (usize, bool, Vec<usize>) {
        let reads = RefCell::new(Vec::new());
        let paging = Paging::new(&["ListNumbers"], size, "").unwrap();
        let read = |after: Option<i64>, limit: u64| {
            let rest = (1..after.unwrap_or(count + 1)).rev();
            let portion: Vec<i64> = rest.take(usize::try_from(limit).unwrap()).collect();
            reads.borrow_mut().push(portion.len());
            std::future::ready(Ok(portion))
        };
        let encode = |number: i64| Ok("0".repeat(bytes(number)) + &number.to_string());
        let (page, next) = page(paging, |number| *number, encode, read).await.unwrap();
        let shown: Vec<i64> = page.iter().map(|number| number.parse().unwrap()).collect();
        assert_eq!(shown, (1..=count).rev().take(page.len()).collect::<Vec<_>>());
        (page.len(), !next.is_empty(), reads.into_inner())
    }

    #[tokio::test]
    async fn a_page_is_read_in_portions_until_it_is_full() {
        for (count, size, shown, another, reads) in [
            (0, 0, 0, false, vec![0]),
            (51, 0, 50, true, vec![51]),
            (100, 150, 100, false, vec![100, 0]),
            (200, 200, 200, false, vec![100, 100, 0]),
            (201, 200, 200, true, vec![100, 100, 1]),
            (1_500, 1_000, 1_000, true, [vec![100; 10], vec![1]].concat()),
        ] {
            assert_eq!(numbers(count, size, |_| 10).await, (shown, another, reads), "{size} of {count}");
        }
    }

    #[tokio::test]
    async fn no_more_is_read_than_a_message_holds_and_a_portion() {
        let (shown, another, reads) = numbers(1_000, 1_000, |_| 30_000).await;
        assert!((100..140).contains(&shown), "{shown}");
        assert_eq!((another, reads), (true, vec![100, 100]));
        let first_is_too_long = |number| if number == 250 { MAX_MESSAGE_BYTES } else { 0 };
        assert_eq!(numbers(250, 1_000, first_is_too_long).await, (1, true, vec![100]));
    }
}
