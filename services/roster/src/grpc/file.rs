//! Files as streams of `google.api.HttpBody`.

use std::pin::Pin;

use futures_util::{Stream, stream};
use tonic::Status;
use xietong_proto::google::api::HttpBody;

/// Bytes of one piece, well below the largest message.
const PIECE: usize = 256 * 1024;

/// A file, piece by piece.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

/// A text as a file; an empty one is one empty piece, which says what it would have been.
pub(super) fn pieces(content_type: &'static str, text: String) -> Pieces {
    let bytes = text.into_bytes();
    let mut chunks: Vec<Vec<u8>> = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
    if chunks.is_empty() {
        chunks.push(Vec::new());
    }
    let piece =
        move |data| Ok(HttpBody { content_type: content_type.to_owned(), data, extensions: Vec::new() });
    Box::pin(stream::iter(chunks.into_iter().map(piece)))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::{PIECE, pieces};

    #[tokio::test]
    async fn a_long_text_comes_in_pieces_that_make_it_up() {
        for length in [0, 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let text: String =
                "名".chars().cycle().take(length / 3).chain("a".repeat(length % 3).chars()).collect();
            let found: Vec<_> = pieces("text/csv", text.clone()).map(Result::unwrap).collect().await;
            assert_eq!(found.len(), text.len().div_ceil(PIECE).max(1));
            assert!(found.iter().all(|piece| piece.data.len() <= PIECE && piece.content_type == "text/csv"));
            let whole: Vec<u8> = found.into_iter().flat_map(|piece| piece.data).collect();
            assert_eq!(whole, text.as_bytes());
        }
    }
}
