//! Pages of lists: how long one is, and the opaque token that leads to the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;

const DEFAULT_SIZE: u64 = 50;
const LARGEST_SIZE: u64 = 1_000;
/// Longer than any token ever given out.
const LONGEST_TOKEN: usize = 4_096;

/// How many items a page has at most: 50 unless asked for, never more than 1000.
///
/// # Errors
/// INVALID_ARGUMENT when the size asked for is negative.
pub fn page_size(requested: i32) -> Result<u64, Error> {
    match u64::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(LARGEST_SIZE)),
        Err(_) => Err(Error::invalid("page_size", "must not be negative", "每页条数不能为负数")),
    }
}

/// Where a page ended: the key of its last item, bound to the query that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageToken<K> {
    key: K,
    query: String,
}

impl<K: Serialize + DeserializeOwned> PageToken<K> {
    /// The token of the page after the item with key `last`. `query` is everything that
    /// makes the list what it is: the method, then each filter and the order.
    ///
    /// # Errors
    /// INTERNAL when the key cannot be written as JSON.
    pub fn encode(query: &[&str], last: K) -> Result<String, Error> {
        let token = PageToken { key: last, query: digest(query) };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).map_err(Error::internal)?))
    }

    /// The key of the last item before the page that `token` leads to; `None` for the
    /// first page, which has the empty token.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is no token, or one of another query.
    pub fn decode(query: &[&str], token: &str) -> Result<Option<K>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let read = (token.len() <= LONGEST_TOKEN)
            .then(|| URL_SAFE_NO_PAD.decode(token).ok())
            .flatten()
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
    use super::{PageToken, page_size};

    #[test]
    fn a_size_is_defaulted_capped_and_never_negative() {
        assert_eq!(page_size(0), Ok(50));
        assert_eq!(page_size(7), Ok(7));
        assert_eq!(page_size(i32::MAX), Ok(1_000));
        assert!(page_size(-1).is_err());
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
        for token in ["x", "===", "bm9uc2Vuc2U", &"A".repeat(5_000)] {
            assert!(PageToken::<(i64, String)>::decode(&["ListUnits"], token).is_err(), "{token}");
        }
    }
}
