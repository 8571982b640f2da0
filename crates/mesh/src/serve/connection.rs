//! A TCP connection that the server can cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::drain::Drain;

/// A client that has connected must say something within this time.
const FIRST_BYTE: Duration = Duration::from_secs(20);

/// A TCP connection that fails once the server severs it. One on which the client has said
/// nothing yet also fails when the server drains, or after [`FIRST_BYTE`]: HTTP/2 has no
/// way to end a connection that it has not begun.
pub(super) struct Connection {
    stream: TcpStream,
    severed: BoxFuture<'static, ()>,
    /// Ends when the client has been silent for too long; `None` once it has spoken.
    silence: Option<BoxFuture<'static, ()>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, sever: &CancellationToken, drain: &Drain) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the connection is slower than it could be");
        }
        let drain = drain.clone();
        let silence = async move {
            tokio::select! {
                () = drain.begun() => {}
                () = tokio::time::sleep(FIRST_BYTE) => {}
            }
        };
        Self { stream, severed: Box::pin(sever.clone().cancelled_owned()), silence: Some(Box::pin(silence)) }
    }

    /// An error if the connection is cut off; otherwise the task is woken when it is.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let silent_too_long =
            self.silence.as_mut().is_some_and(|silence| silence.as_mut().poll(context).is_ready());
        if silent_too_long || self.severed.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut off by the server"));
        }
        Ok(())
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.silence = None;
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
