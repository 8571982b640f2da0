//! Clients that no library would be: they write HTTP by the byte, and read what they choose.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Kinds of HTTP/2 frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// Flags of HTTP/2 frames.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The only stream of a connection.
const STREAM: u32 = 1;

/// `SETTINGS_INITIAL_WINDOW_SIZE`, set to nothing: not one byte of an answer may be sent.
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// So many bytes are announced. Nobody gets that far.
const ANNOUNCED: u32 = 1_000_000;

/// A client with an open stream that takes nothing of it, not even that it must end.
pub(super) struct Deaf(#[expect(dead_code, reason = "its connection is open as long as it lives")] TcpStream);

impl Deaf {
    /// Calls a server-streaming method of gRPC with an empty request, and reads up to the
    /// head of its answer.
    pub(super) async fn open(address: &str, path: &str, headers: &[(&str, &str)]) -> Deaf {
        let mut stream = connect(address, &NO_WINDOW).await;
        stream.write_all(&head(path, headers)).await.unwrap();
        // A message that is not compressed and has no bytes.
        stream.write_all(&frame(DATA, END_STREAM, STREAM, &[0; 5])).await.unwrap();
        let flags = read_until(&mut stream, HEADERS).await;
        assert_eq!(flags & END_STREAM, 0, "{path} opens a stream");
        Deaf(stream)
    }
}

/// A client that says what it has to say a byte at a time.
pub(super) struct Slow {
    stream: TcpStream,
    byte: Vec<u8>,
}

impl Slow {
    /// Begins the body of a POST of HTTP/1.1. The server has asked for it.
    pub(super) async fn rest(address: &str, path: &str, authorization: &str) -> Slow {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\nexpect: 100-continue\r\n\
             content-type: application/json\r\ncontent-length: {ANNOUNCED}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut interim).await.unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&interim));
        Slow { stream, byte: b" ".to_vec() }
    }

    /// Begins the message of a call of gRPC. The server has got to know of it.
    pub(super) async fn grpc(address: &str, path: &str, headers: &[(&str, &str)]) -> Slow {
        let mut stream = connect(address, &[]).await;
        stream.write_all(&head(path, headers)).await.unwrap();
        let [a, b, c, d] = ANNOUNCED.to_be_bytes();
        stream.write_all(&frame(DATA, 0, STREAM, &[0, a, b, c, d])).await.unwrap();
        // Frames are taken in order, so its answer shows that the others were taken.
        stream.write_all(&frame(PING, 0, 0, &[0; 8])).await.unwrap();
        assert_eq!(read_until(&mut stream, PING).await, ACK);
        Slow { stream, byte: frame(DATA, 0, STREAM, &[0]) }
    }

    /// Says one byte more.
    ///
    /// # Errors
    /// When the server has hung up.
    pub(super) async fn say_more(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.byte).await
    }
}

/// A connection of HTTP/2 with settings of the client's own.
async fn connect(address: &str, settings: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
    stream
}

/// The head of a gRPC call.
fn head(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let fixed = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "test"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let mut block = Vec::new();
    for (name, value) in fixed.iter().chain(headers) {
        // A literal without indexing (RFC 7541, section 6.2.2), in plain letters.
        block.push(0);
        for text in [name, value] {
            put_length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    frame(HEADERS, END_HEADERS, STREAM, &block)
}

/// An integer of seven bits, and as many more as it takes (RFC 7541, section 5.1).
fn put_length(block: &mut Vec<u8>, length: usize) {
    const PREFIX: usize = 0x7f;
    let Some(mut rest) = length.checked_sub(PREFIX) else {
        block.push(u8::try_from(length).unwrap());
        return;
    };
    block.push(0x7f);
    while rest > PREFIX {
        block.push(0x80 | u8::try_from(rest & PREFIX).unwrap());
        rest >>= 7;
    }
    block.push(u8::try_from(rest).unwrap());
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads frames up to the first of a kind, and gives its flags.
async fn read_until(stream: &mut TcpStream, kind: u8) -> u8 {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let [a, b, c, found, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if found == kind {
            return flags;
        }
    }
}
