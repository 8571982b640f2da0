//! Reading requests off a connection and answering them as the script has it.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Behaviour, ReceivedRequest, Shared};

/// Serves until it is aborted, and its connections with it.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.send_modify(|connections| *connections += 1);
        let number = *shared.connections.borrow();
        let (shared, tls) = (shared.clone(), tls.clone());
        connections.spawn(async move {
            // That the other end goes away is what some of the tests are about.
            let _ = match tls {
                None => serve(stream, number, &shared).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, number, &shared).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn serve<Stream>(stream: Stream, number: usize, shared: &Shared) -> io::Result<()>
where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, number).await? {
        let behaviour = shared.record(request);
        if answer(stream.get_mut(), behaviour).await?.is_break() {
            break;
        }
    }
    stream.get_mut().shutdown().await
}

/// The next request, or `None` at the end of the connection.
async fn read<Stream>(
    stream: &mut BufReader<Stream>,
    connection: usize,
) -> io::Result<Option<ReceivedRequest>>
where
    Stream: AsyncRead + Unpin,
{
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let arrived = Instant::now();
    Ok(Some(ReceivedRequest { method, path, headers, body, connection, arrived, taken: false }))
}

/// Whether the connection goes on.
async fn answer<Stream>(stream: &mut Stream, behaviour: Behaviour) -> io::Result<ControlFlow<()>>
where
    Stream: AsyncWrite + Unpin,
{
    let long = |status| format!("HTTP/1.1 {status} As Told\r\ncontent-length: 1000000\r\n\r\n");
    match behaviour {
        Behaviour::Answer { status, headers, body } => {
            whole(stream, status, &headers, &body).await?;
            return Ok(ControlFlow::Continue(()));
        }
        Behaviour::AnswerAfter { wait, status } => {
            tokio::time::sleep(wait).await;
            whole(stream, status, &[], &[]).await?;
            return Ok(ControlFlow::Continue(()));
        }
        Behaviour::Hang => std::future::pending::<()>().await,
        Behaviour::Close => {}
        Behaviour::CloseMidBody { status } => write(stream, (long(status) + "half of it").as_bytes()).await?,
        Behaviour::DripBody { status, every } => {
            write(stream, long(status).as_bytes()).await?;
            drip(stream, every).await?;
        }
        Behaviour::DripHead { every } => {
            write(stream, b"HTTP/1.1 200 As Told\r\nx-slow: ").await?;
            drip(stream, every).await?;
        }
        Behaviour::EndlessHead => {
            write(stream, b"HTTP/1.1 200 As Told\r\n").await?;
            for number in 0_u64.. {
                write(stream, format!("x-{number}: {}\r\n", "y".repeat(1_000)).as_bytes()).await?;
            }
        }
        Behaviour::EndlessBody { status } => {
            let head = format!("HTTP/1.1 {status} As Told\r\ncontent-length: {}\r\n\r\n", u64::MAX / 2);
            write(stream, head.as_bytes()).await?;
            let block = [b'z'; 16 * 1_024];
            loop {
                write(stream, &block).await?;
            }
        }
        Behaviour::Nonsense => write(stream, b"220 mail.example ESMTP\r\n").await?,
    }
    Ok(ControlFlow::Break(()))
}

async fn whole<Stream>(
    stream: &mut Stream,
    status: u16,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> io::Result<()>
where
    Stream: AsyncWrite + Unpin,
{
    let mut head = format!("HTTP/1.1 {status} As Told\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // These have no body, and no length of one (RFC 9110, 8.6).
    if status >= 200 && status != 204 && status != 304 {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    write(stream, &[head.as_bytes(), body].concat()).await
}

async fn drip<Stream: AsyncWrite + Unpin>(stream: &mut Stream, every: Duration) -> io::Result<()> {
    loop {
        write(stream, b"z").await?;
        tokio::time::sleep(every).await;
    }
}

async fn write<Stream: AsyncWrite + Unpin>(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
