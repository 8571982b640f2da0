//! An answer's body that can be ended from here, with an error that its client understands.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use xietong_mesh::Error;

/// Passes frames on until `end` is ready, then sends its error as trailers.
pub(crate) struct Cut {
    inner: Body,
    end: Pin<Box<dyn Future<Output = Error> + Send>>,
    ended: bool,
}

impl Cut {
    /// Cuts a body off when `end` is ready.
    pub(crate) fn new(inner: Body, end: impl Future<Output = Error> + Send + 'static) -> Self {
        Cut { inner, end: Box::pin(end), ended: false }
    }
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(error) = self.end.as_mut().poll(context) {
            self.ended = true;
            let mut trailers = HeaderMap::new();
            return Poll::Ready(Some(
                Status::from(error).add_header(&mut trailers).map(|()| Frame::trailers(trailers)),
            ));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
