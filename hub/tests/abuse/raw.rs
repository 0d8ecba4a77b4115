//! HTTP/2 by hand, for what no library would say.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

/// Flag of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 4;

/// A frame (RFC 9113, 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    let mut out = vec![len[1], len[2], len[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// A header as HPACK's plainest form: a literal that is not indexed. Up to 126 bytes each.
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![0, name.len() as u8];
    out.extend(name.as_bytes());
    out.push(value.len() as u8);
    out.extend(value.as_bytes());
    out
}

/// The header block of a Process request as `step` of `default/story`.
pub fn process_headers(step: &str) -> Vec<u8> {
    [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/transport.v1.HubService/Process"),
        (":authority", "hub"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("bubu-transport-protocol", "1.0.0"),
        ("storyrun-name", "story"),
        ("storyrun-namespace", "default"),
        ("current-step-id", step),
        ("connector-generation", "1"),
    ]
    .iter()
    .flat_map(|(name, value)| literal(name, value))
    .collect()
}

/// A Process request on stream `stream`.
pub fn process(step: &str, stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &process_headers(step))
}

/// What the hub did to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// GOAWAY with this error code.
    GoAway(u32),
    /// Closed, or reset, without a word that got through.
    Closed,
}

/// A socket that has said its preface and empty settings.
pub async fn greeted(addr: SocketAddr) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(addr).await?;
    socket.set_nodelay(true)?;
    socket.write_all(PREFACE).await?;
    socket.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    Ok(socket)
}

/// Reads until the hub ends the connection.
pub async fn fate(mut socket: impl tokio::io::AsyncRead + Unpin) -> Fate {
    let mut header = [0; 9];
    let mut payload = Vec::new();
    loop {
        if socket.read_exact(&mut header).await.is_err() {
            return Fate::Closed;
        }
        let [a, b, c, kind, ..] = header;
        payload.resize(u32::from_be_bytes([0, a, b, c]) as usize, 0);
        if socket.read_exact(&mut payload).await.is_err() {
            return Fate::Closed;
        }
        if kind == GOAWAY && payload.len() >= 8 {
            let code = [payload[4], payload[5], payload[6], payload[7]];
            return Fate::GoAway(u32::from_be_bytes(code));
        }
    }
}

/// Reads until there is an answer to stream `stream`; `false` when the connection ends before.
pub async fn answered(socket: &mut TcpStream, stream: u32) -> bool {
    let mut header = [0; 9];
    let mut payload = Vec::new();
    loop {
        if socket.read_exact(&mut header).await.is_err() {
            return false;
        }
        let [a, b, c, kind, _, d, e, f, g] = header;
        payload.resize(u32::from_be_bytes([0, a, b, c]) as usize, 0);
        if socket.read_exact(&mut payload).await.is_err() || kind == GOAWAY {
            return false;
        }
        let answer = kind == HEADERS || kind == RST_STREAM;
        if answer && u32::from_be_bytes([d, e, f, g]) == stream {
            return true;
        }
    }
}

/// Says `first`, and then what `more` makes of 0, 1, 2 and so on for as long as it may.
pub async fn flood(
    addr: SocketAddr,
    first: Vec<u8>,
    mut more: impl FnMut(u32) -> Vec<u8>,
) -> io::Result<Fate> {
    let mut socket = greeted(addr).await?;
    socket.write_all(&first).await?;
    let (read, mut write) = socket.into_split();
    let pour = async {
        let (mut n, mut many) = (0, Vec::new());
        loop {
            many.clear();
            while many.len() < 16 << 10 {
                many.extend(more(n));
                n = n.wrapping_add(1);
            }
            if write.write_all(&many).await.is_err() {
                // Whatever was said about it is to be read.
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        fate = fate(read) => Ok(fate),
        () = pour => unreachable!("it pours until the hub has enough"),
    }
}
