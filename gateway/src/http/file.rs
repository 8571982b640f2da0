//! Files: a server stream of `google.api.HttpBody` as the plain body of an HTTP answer.

use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use prost::bytes::Bytes;
use prost_reflect::DynamicMessage;
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::google::api::HttpBody;

/// What a file is sent as whose service does not say.
const UNKNOWN: &str = "application/octet-stream";

/// The response that carries a file. What goes wrong before its first piece is an error like
/// any other. Later the status is sent: the connection then breaks off, so that nobody takes a
/// part for the whole.
///
/// # Errors
/// The service's, before the first piece.
pub(crate) async fn response<M, E>(mut pieces: M, end: E) -> Result<Response, Error>
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin + Send + 'static,
    E: Future<Output = Error> + Send + 'static,
{
    let first = match pieces.next().await {
        Some(piece) => Some(read(piece)?),
        None => None,
    };
    let content_type = first.as_ref().map_or(UNKNOWN, |piece| &piece.content_type);
    let content_type = HeaderValue::from_str(content_type).map_err(Error::internal)?;
    let first = first.map(|piece| Ok(Bytes::from(piece.data)));
    let sending = Sending { pieces, end: Box::pin(end) };
    let body = stream::iter(first).chain(stream::unfold(Some(sending), next));
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// A file of which pieces are still to come.
struct Sending<M, E> {
    pieces: M,
    end: Pin<Box<E>>,
}

/// The next piece. After an error there is none.
async fn next<M, E>(sending: Option<Sending<M, E>>) -> Option<(Result<Bytes, Error>, Option<Sending<M, E>>)>
where
    M: Stream<Item = Result<DynamicMessage, Status>> + Unpin,
    E: Future<Output = Error>,
{
    let mut sending = sending?;
    let piece = tokio::select! {
        biased;
        error = &mut sending.end => Err(error),
        piece = sending.pieces.next() => read(piece?),
    };
    match piece {
        Ok(piece) => Some((Ok(Bytes::from(piece.data)), Some(sending))),
        Err(error) => {
            tracing::warn!(%error, "a file broke off");
            Some((Err(error), None))
        }
    }
}

fn read(piece: Result<DynamicMessage, Status>) -> Result<HttpBody, Error> {
    let piece = piece.map_err(|status| Error::from_status(&status))?;
    piece.transcode_to().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use axum::body::to_bytes;
    use futures_util::stream;
    use prost_reflect::{DescriptorPool, DynamicMessage};
    use tonic::Status;
    use xietong_mesh::{Code, Error};
    use xietong_proto::google::api::HttpBody;

    use super::response;

    fn piece(data: &str) -> Result<DynamicMessage, Status> {
        let pool = DescriptorPool::decode(xietong_proto::DESCRIPTORS).unwrap();
        let mut message = DynamicMessage::new(pool.get_message_by_name(crate::transcode::FILE).unwrap());
        let piece = HttpBody {
            content_type: "text/csv; charset=utf-8".into(),
            data: data.as_bytes().to_vec(),
            extensions: vec![],
        };
        message.transcode_from(&piece).unwrap();
        Ok(message)
    }

    #[tokio::test]
    async fn the_pieces_are_the_body() {
        let pieces = stream::iter([piece("名称\n"), piece("市水利局\n")]);
        let response = response(pieces, pending()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), "名称\n市水利局\n");
    }

    #[tokio::test]
    async fn a_refusal_before_the_first_piece_is_an_error() {
        let refused = Error::invalid("unit", "is unknown", "不存在");
        let error = response(stream::iter([Err(refused.into())]), pending()).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_never_looks_whole() {
        let pieces = stream::iter([piece("名称\n"), Err(Status::unavailable("gone")), piece("市水利局\n")]);
        let broken = response(pieces, pending()).await.unwrap();
        assert!(to_bytes(broken.into_body(), 100).await.is_err());
        let ended = response(
            stream::iter([piece("名称\n"), piece("")]),
            ready(Error::unauthenticated("TOKEN_EXPIRED", "expired")),
        )
        .await;
        assert!(to_bytes(ended.unwrap().into_body(), 100).await.is_err(), "the caller's token ran out");
    }

    #[tokio::test]
    async fn a_file_of_nothing_is_empty() {
        let response = response(stream::empty(), pending()).await.unwrap();
        assert_eq!(to_bytes(response.into_body(), 100).await.unwrap().len(), 0);
    }
}
