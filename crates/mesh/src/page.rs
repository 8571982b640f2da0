//! Pages of lists: how long one is, and the opaque token that leads to the next.
//!
//! A handler asks its store for [`Paging::limit`] items after [`Paging::after`] and lets
//! [`Paging::page`] cut what it got and encode it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::serve::MAX_MESSAGE_BYTES;

const DEFAULT_SIZE: u64 = 50;
const LARGEST_SIZE: u64 = 1_000;
/// Longer than any token ever given out.
const LONGEST_TOKEN: usize = 4_096;

/// NUL as JSON writes it.
const NUL: &[u8] = b"\\u0000";
/// A page ends early rather than not reach its reader: bytes of its items, with room for the
/// rest of the message.
const LARGEST_PAGE: usize = MAX_MESSAGE_BYTES - 64 * 1024;

/// What page of a list is asked for. `K` is where an item stands in the list: no two share it.
#[derive(Debug)]
pub struct Paging<'q, K> {
    query: &'q [&'q str],
    size: u64,
    after: Option<K>,
}

impl<'q, K: Serialize + DeserializeOwned> Paging<'q, K> {
    /// Reads `page_size` and `page_token` of a request: 50 items unless asked for otherwise,
    /// never more than 1000. `query` is everything that makes the list what it is: the
    /// method, then each filter and the order. A token of another query is refused.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when the size is negative, or the token is none of this query.
    pub fn new(query: &'q [&'q str], page_size: i32, page_token: &str) -> Result<Self, Error> {
        let size = size_of_page(page_size)?;
        Ok(Paging { query, size, after: PageToken::decode(query, page_token)? })
    }

    /// Where the page before ended; `None` for the first page.
    pub fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// How many items to look for: one more than the page holds tells whether there is
    /// another.
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// The page, encoded, and the token of the next one, which is empty on the last page.
    /// `found` are at most [`Paging::limit`] items after [`Paging::after`], in order.
    ///
    /// # Errors
    /// When an item cannot be encoded.
    pub fn page<T, M: Message>(
        self,
        found: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> K,
        mut encode: impl FnMut(T) -> Result<M, Error>,
    ) -> Result<(Vec<M>, String), Error> {
        let (mut page, mut bytes, mut last) = (Vec::new(), 0, None);
        for item in found {
            let key = key(&item);
            let message = encode(item)?;
            bytes += message.encoded_len();
            if let Some(last) = last.take_if(|_| page.len() as u64 == self.size || bytes > LARGEST_PAGE) {
                return Ok((page, PageToken::encode(self.query, last)?));
            }
            page.push(message);
            last = Some(key);
        }
        Ok((page, String::new()))
    }
}

/// How many items a page has at most.
fn size_of_page(requested: i32) -> Result<u64, Error> {
    match u64::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(LARGEST_SIZE)),
        Err(_) => Err(Error::invalid("page_size", "must not be negative", "每页条数不能为负数")),
    }
}

/// Where a page ended: the key of its last item, bound to the query that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PageToken<K> {
    key: K,
    query: String,
}

impl<K: Serialize + DeserializeOwned> PageToken<K> {
    /// The token of the page after the item with key `last`. `query` is everything that
    /// makes the list what it is: the method, then each filter and the order.
    ///
    /// # Errors
    /// INTERNAL when the key cannot be written as JSON.
    fn encode(query: &[&str], last: K) -> Result<String, Error> {
        let token = PageToken { key: last, query: digest(query) };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).map_err(Error::internal)?))
    }

    /// The key of the last item before the page that `token` leads to; `None` for the
    /// first page, which has the empty token.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is no token, or one of another query.
    fn decode(query: &[&str], token: &str) -> Result<Option<K>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let read = (token.len() <= LONGEST_TOKEN)
            .then(|| URL_SAFE_NO_PAD.decode(token).ok())
            .flatten()
            // A key goes into a statement, and PostgreSQL takes no NUL in a text.
            .filter(|json| !json.windows(NUL.len()).any(|part| part == NUL))
            .and_then(|json| serde_json::from_slice::<PageToken<K>>(&json).ok())
            .filter(|read| read.query == digest(query));
        match read {
            Some(read) => Ok(Some(read.key)),
            None => Err(Error::invalid(
                "page_token",
                "is not a token of this query",
                "翻页标记无效，请从第一页重新查询",
            )),
        }
    }
}

/// Each part goes in with its length before it, so that no two queries share a digest.
fn digest(query: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in query {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    URL_SAFE_NO_PAD.encode(&hasher.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{LARGEST_PAGE, PageToken, Paging, size_of_page};

    #[test]
    fn a_size_is_defaulted_capped_and_never_negative() {
        assert_eq!(size_of_page(0), Ok(50));
        assert_eq!(size_of_page(7), Ok(7));
        assert_eq!(size_of_page(i32::MAX), Ok(1_000));
        assert!(size_of_page(-1).is_err());
    }

    #[test]
    fn a_token_leads_on_in_its_own_query_only() {
        let token = PageToken::encode(&["ListUnits", "水"], "units/water".to_owned()).unwrap();
        let decode = |query: &[&str], token: &str| PageToken::<String>::decode(query, token);
        assert_eq!(decode(&["ListUnits", "水"], &token), Ok(Some("units/water".to_owned())));
        assert!(decode(&["ListUnits", "火"], &token).is_err());
        assert!(decode(&["ListUnits水", ""], &token).is_err());
        assert_eq!(decode(&["ListUnits"], ""), Ok(None));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let forged = r#"{"key":"a\u0000","query":""#;
        let genuine = PageToken::encode(&["ListUnits"], "a".to_owned()).unwrap();
        let genuine = String::from_utf8(URL_SAFE_NO_PAD.decode(genuine).unwrap()).unwrap();
        let forged = genuine.replace(r#"{"key":"a","query":""#, forged);
        assert_ne!(forged, genuine);
        assert!(PageToken::<String>::decode(&["ListUnits"], &URL_SAFE_NO_PAD.encode(forged)).is_err());
        for token in ["x", "===", "bm9uc2Vuc2U", &"A".repeat(5_000)] {
            assert!(PageToken::<(i64, String)>::decode(&["ListUnits"], token).is_err(), "{token}");
        }
    }

    /// Every page of a list of numbers, each as a text.
    fn pages(items: &[u32], size: i32, text: impl Fn(u32) -> String) -> Vec<Vec<String>> {
        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let paging = Paging::<u32>::new(&["ListNumbers"], size, &token).unwrap();
            let after = paging.after().copied();
            let limit = usize::try_from(paging.limit()).unwrap();
            let found =
                items.iter().copied().filter(|item| after.is_none_or(|after| *item > after)).take(limit);
            let (page, next) = paging.page(found, |item| *item, |item| Ok(text(item))).unwrap();
            pages.push(page);
            if next.is_empty() {
                return pages;
            }
            token = next;
        }
    }

    #[test]
    fn pages_hold_every_item_once_and_the_last_one_says_so() {
        let text = |item: u32| item.to_string();
        assert_eq!(pages(&[], 2, text), [Vec::<String>::new()]);
        assert_eq!(pages(&[1, 2], 2, text), [vec!["1", "2"]]);
        assert_eq!(pages(&[1, 2, 3], 2, text), [vec!["1", "2"], vec!["3"]]);
    }

    #[test]
    fn a_page_that_would_not_fit_into_a_message_ends_early_but_never_before_its_first_item() {
        let half = |_| "x".repeat(LARGEST_PAGE / 2 - 8);
        assert_eq!(pages(&[1, 2, 3], 10, half).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        let too_much = |_| "x".repeat(LARGEST_PAGE + 1);
        assert_eq!(pages(&[1, 2], 10, too_much).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    }
}
