//! Owns a minimal client of NATS core: `CONNECT`, `PUB`, `SUB`, `MSG` as text (the client protocol
//! of docs.nats.io), one connection per stream.
//!
//! A producer publishes on a subject of its own, its consumers subscribe to it. The server's `PING`s
//! are not answered: it is configured to send so few that it never misses the answers.

use bytes::{Buf, Bytes, BytesMut};
use loadtest::scenario::StepName;
use loadtest::wire::{Deframe, OpenError, Peer, Role, StreamError, Wire};

use super::socket::{Opening, TcpSink, TcpSource};

/// What the client says it is: no echo, no `+OK` after each line.
const CONNECT: &str = concat!(
    r#"CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":1,"#,
    r#""lang":"rust","version":"1","name":"bench"}"#,
    "\r\n"
);
/// Longest line that is believed.
const MAX_LINE: usize = 4096;

/// Transport to a `nats-server`.
#[derive(Debug)]
pub struct NatsWire {
    address: String,
}

impl NatsWire {
    /// A transport to `address` (`host:port`).
    pub fn new(address: &str) -> NatsWire {
        NatsWire {
            address: address.to_owned(),
        }
    }
}

impl Wire for NatsWire {
    type Sink = TcpSink;
    type Source = TcpSource;
    type Deframe = NatsMessages;

    async fn open(&self, peer: &Peer) -> Result<(TcpSink, TcpSource), OpenError> {
        let mut opening = Opening::dial(&self.address, peer).await?;
        opening.hear("INFO ").await?;
        let mut hello = CONNECT.to_owned();
        for (number, upstream) in (1..).zip(&peer.upstream) {
            hello += &format!("SUB {} {number}\r\n", subject(upstream));
        }
        hello += "PING\r\n";
        opening.say(&hello).await?;
        opening.hear("PONG").await?;
        Ok(opening.done())
    }

    fn framing(&self, peer: &Peer, len: usize) -> (Vec<u8>, Vec<u8>) {
        debug_assert_eq!(peer.role, Role::Producer);
        let prefix = format!("PUB {} {len}\r\n", subject(&peer.name));
        (prefix.into_bytes(), b"\r\n".to_vec())
    }

    fn deframe(&self) -> NatsMessages {
        NatsMessages::default()
    }
}

/// What a producer publishes on.
fn subject(name: &StepName) -> String {
    format!("{}.{}.{}", name.namespace, name.run, name.step)
}

/// Cuts what a server sends into messages.
#[derive(Debug, Default)]
pub struct NatsMessages {
    /// Beginning of a line or message whose end has not come yet.
    partial: BytesMut,
    /// Bytes that must be there before looking again makes sense.
    wanted: usize,
}

impl Deframe for NatsMessages {
    fn push(&mut self, mut chunk: Bytes, mut each: impl FnMut(&[u8])) -> Result<(), StreamError> {
        while !self.partial.is_empty() && !chunk.is_empty() {
            let missing = self.wanted.saturating_sub(self.partial.len()).max(1);
            let part = chunk.split_to(missing.min(chunk.len()));
            self.partial.extend_from_slice(&part);
            match next(&self.partial)? {
                Next::Message { start, end } => {
                    each(&self.partial[start..end]);
                    self.partial.clear();
                }
                Next::Other { .. } => self.partial.clear(),
                Next::Partial { wanted } => self.wanted = wanted,
            }
        }
        while !chunk.is_empty() {
            match next(&chunk)? {
                Next::Message { start, end } => {
                    each(&chunk[start..end]);
                    chunk.advance(end + 2);
                }
                Next::Other { end } => chunk.advance(end),
                Next::Partial { wanted } => {
                    self.wanted = wanted;
                    self.partial.reserve(wanted);
                    self.partial.extend_from_slice(&chunk);
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// A whole message; its content, followed by two bytes.
    Message { start: usize, end: usize },
    /// A line that is no message.
    Other { end: usize },
    /// Neither yet: so many bytes are needed to know more.
    Partial { wanted: usize },
}

fn next(bytes: &[u8]) -> Result<Next, StreamError> {
    let head = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(line_len) = memchr::memchr(b'\n', head) else {
        if bytes.len() >= MAX_LINE {
            return Err(StreamError::new("a line without an end"));
        }
        return Ok(Next::Partial {
            wanted: bytes.len() + 1,
        });
    };
    let line = &bytes[..line_len];
    let start = line_len + 1;
    let Some(arguments) = line.strip_prefix(b"MSG ") else {
        if line.starts_with(b"-ERR") {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            return Err(StreamError::new(text));
        }
        return Ok(Next::Other { end: start });
    };
    let end = start + content_len(arguments)?;
    let wanted = end + 2;
    if bytes.len() < wanted {
        return Ok(Next::Partial { wanted });
    }
    Ok(Next::Message { start, end })
}

/// The last number of `subject sid [reply] length\r`.
fn content_len(arguments: &[u8]) -> Result<usize, StreamError> {
    let trimmed = arguments.strip_suffix(b"\r").unwrap_or(arguments);
    let last = trimmed.iter().rposition(|b| *b == b' ');
    let digits = last.and_then(|at| trimmed.get(at + 1..)).unwrap_or(&[]);
    let number = digits.iter().try_fold(0usize, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    number
        .filter(|len| !digits.is_empty() && *len <= 64 << 20)
        .ok_or_else(|| StreamError::new("a MSG line without a length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"PING\r\nMSG a.b 1 5\r\nhello\r\n+OK\r\nMSG a.b 1 reply 4\r\n\r\n\r\n\r\nMSG s 9 0\r\n\r\nPONG\r\n";

    fn messages(chunks: impl Iterator<Item = Bytes>) -> Vec<Vec<u8>> {
        let mut deframe = NatsMessages::default();
        let mut got = Vec::new();
        for chunk in chunks {
            deframe
                .push(chunk, |message| got.push(message.to_vec()))
                .unwrap();
        }
        got
    }

    #[test]
    fn messages_come_out_whole_however_the_stream_is_cut() {
        let expected: [&[u8]; 3] = [b"hello", b"\r\n\r\n", b""];
        for size in 1..=STREAM.len() {
            let chunks = STREAM.chunks(size).map(Bytes::copy_from_slice);
            assert_eq!(messages(chunks), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn what_the_server_refuses_ends_the_stream() {
        let error = NatsMessages::default()
            .push(Bytes::from_static(b"-ERR 'Maximum Payload'\r\n"), |_| ())
            .unwrap_err();
        assert!(error.to_string().contains("Maximum Payload"));
        for bad in [
            &b"MSG a 1 x\r\n"[..],
            b"MSG a 1 \r\n",
            b"MSG 99999999999999999999\r\n",
        ] {
            let chunk = Bytes::copy_from_slice(bad);
            assert!(NatsMessages::default().push(chunk, |_| ()).is_err());
        }
    }
}
