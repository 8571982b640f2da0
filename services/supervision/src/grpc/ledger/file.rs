//! Files as streams of `google.api.HttpBody`, written while they are sent.

use std::io;
use std::pin::Pin;

use futures_util::Stream;
use tokio::sync::mpsc::Sender;
use tonic::Status;
use xietong_proto::google::api::HttpBody;

/// Bytes of one piece, well below the largest message.
const PIECE: usize = 256 * 1024;

/// A file, piece by piece.
pub(in crate::grpc) type Pieces = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

/// A piece of a file.
pub(super) fn piece(content_type: &str, data: Vec<u8>) -> HttpBody {
    HttpBody { content_type: content_type.to_owned(), data, extensions: Vec::new() }
}

/// Writes to whoever reads the pieces, at the pace at which they are read; from a thread that
/// may wait. Nobody reading any more is an error.
pub(in crate::grpc) struct Outlet {
    content_type: &'static str,
    to: Sender<Result<HttpBody, Status>>,
    buffer: Vec<u8>,
}

impl Outlet {
    /// A file of a type.
    pub(in crate::grpc) fn new(content_type: &'static str, to: Sender<Result<HttpBody, Status>>) -> Self {
        Outlet { content_type, to, buffer: Vec::new() }
    }

    fn send(&mut self) -> io::Result<()> {
        let data = std::mem::take(&mut self.buffer);
        self.to
            .blocking_send(Ok(piece(self.content_type, data)))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl io::Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() { Ok(()) } else { self.send() }
    }
}

/// A file that is there whole.
pub(in crate::grpc) fn whole(content_type: &'static str, bytes: &[u8]) -> Pieces {
    let pieces: Vec<_> = bytes.chunks(PIECE).map(|data| Ok(piece(content_type, data.to_vec()))).collect();
    Box::pin(futures_util::stream::iter(pieces))
}
