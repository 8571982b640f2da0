//! A page of a list that is in memory.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_mesh::Error;
use xietong_mesh::page::{PageToken, page_size};

/// What a list was asked for.
pub(super) struct Query<'a> {
    pub(super) method: &'static str,
    pub(super) q: &'a str,
    pub(super) page_size: i32,
    pub(super) page_token: &'a str,
}

/// Items of one page, and the token of the next; empty on the last page. Items come in order
/// of the key that `key` gives each, which no two share.
pub(super) fn page<'r, T, K>(
    query: &Query<'_>,
    items: impl Iterator<Item = &'r T>,
    key: impl Fn(&T) -> K,
) -> Result<(Vec<&'r T>, String), Error>
where
    K: Ord + Serialize + DeserializeOwned,
{
    let size = usize::try_from(page_size(query.page_size)?).unwrap_or(usize::MAX);
    let parts = [query.method, query.q];
    let after: Option<K> = PageToken::decode(&parts, query.page_token)?;
    let mut rest: Vec<(K, &T)> = items
        .map(|item| (key(item), item))
        .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
        .collect();
    rest.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = rest.len() > size;
    rest.truncate(size);
    let next = match rest.last() {
        Some((_, last)) if more => PageToken::encode(&parts, key(last))?,
        Some(_) | None => String::new(),
    };
    Ok((rest.into_iter().map(|(_, item)| item).collect(), next))
}
