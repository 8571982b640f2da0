//! A page of a list that is in memory.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_mesh::Error;
use xietong_mesh::page::Paging;

/// What a list was asked for.
pub(super) struct Query<'a> {
    pub(super) method: &'static str,
    /// What narrows the list; a page token belongs to it.
    pub(super) filter: &'a str,
    pub(super) page_size: i32,
    pub(super) page_token: &'a str,
}

/// One page, encoded, and the token of the next; empty on the last page. Items come in order
/// of the key that `key` gives each, which no two share.
pub(super) fn page<'r, T: 'r, K, M>(
    query: &Query<'_>,
    items: impl Iterator<Item = &'r T>,
    key: impl Fn(&T) -> K,
    encode: impl Fn(&T) -> M,
) -> Result<(Vec<M>, String), Error>
where
    K: Ord + Serialize + DeserializeOwned,
    M: Message,
{
    let parts = [query.method, query.filter];
    let paging = Paging::<K>::new(&parts, query.page_size, query.page_token)?;
    let mut rest: Vec<&T> =
        items.filter(|item| paging.after().is_none_or(|after| key(item) > *after)).collect();
    rest.sort_by_cached_key(|item| key(item));
    paging.page(rest, |item| key(item), |item| Ok(encode(item)))
}
