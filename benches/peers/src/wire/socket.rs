//! Owns moving bytes through a plain TCP socket for the load generator.

use std::cell::RefCell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use loadtest::wire::{OpenError, Peer, Sink, Source, StreamError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes read at once, at most.
const READ: usize = 256 * 1024;
/// Least room in the buffer before a read.
const LEAST_ROOM: usize = 64 * 1024;

/// Writing half; gone once severed.
type Writer = Rc<RefCell<Option<OwnedWriteHalf>>>;

/// Sends on a plain socket.
#[derive(Debug)]
pub struct TcpSink(Writer);

impl Sink for TcpSink {
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Bytes,
    ) -> Poll<Result<(), StreamError>> {
        let mut writer = self.0.borrow_mut();
        let Some(writer) = writer.as_mut() else {
            return Poll::Ready(Err(StreamError::new("the connection was cut")));
        };
        while !batch.is_empty() {
            match ready!(Pin::new(&mut *writer).poll_write(cx, batch)) {
                Ok(written) => batch.advance(written),
                Err(error) => return Poll::Ready(Err(failed(&error))),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self) {
        // Dropping the writing half says that nothing more will be sent.
        self.0.take();
    }

    fn sever(&mut self) {
        self.0.take();
    }
}

/// Receives on a plain socket.
#[derive(Debug)]
pub struct TcpSource {
    reader: OwnedReadHalf,
    /// Kept open for as long as the stream is read, unless the sink was finished.
    writer: Writer,
    buffer: BytesMut,
}

impl Source for TcpSource {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        if self.buffer.capacity() < LEAST_ROOM {
            self.buffer.reserve(READ);
        }
        // Reading into the buffer keeps no state between polls.
        let read = pin!(self.reader.read_buf(&mut self.buffer));
        Poll::Ready(match ready!(read.poll(cx)) {
            Ok(0) => None,
            Ok(_) => Some(Ok(self.buffer.split().freeze())),
            Err(error) => Some(Err(failed(&error))),
        })
    }

    fn sever(&mut self) {
        self.writer.take();
    }
}

fn failed(error: &io::Error) -> StreamError {
    StreamError::new(error.to_string())
}

/// A socket that is being registered on.
pub(super) struct Opening<'a> {
    address: &'a str,
    peer: &'a Peer,
    socket: BufReader<TcpStream>,
}

impl<'a> Opening<'a> {
    /// Dials.
    pub(super) async fn dial(address: &'a str, peer: &'a Peer) -> Result<Opening<'a>, OpenError> {
        let dial = async {
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            Ok(socket)
        };
        let socket = dial
            .await
            .map_err(|error: io::Error| OpenError::Unreachable {
                address: address.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Opening {
            address,
            peer,
            socket: BufReader::new(socket),
        })
    }

    /// Sends `text` as it is.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), OpenError> {
        let written = self.socket.get_mut().write_all(text.as_bytes()).await;
        written.map_err(|error| self.broken(&error.to_string()))
    }

    /// Reads lines until one begins with `wanted`; any line that begins with `-` is a refusal.
    pub(super) async fn hear(&mut self, wanted: &str) -> Result<(), OpenError> {
        loop {
            let mut line = String::new();
            let read = self.socket.read_line(&mut line).await;
            match read {
                Ok(0) => return Err(self.broken("it hung up")),
                Ok(_) if line.starts_with(wanted) => return Ok(()),
                Ok(_) if line.starts_with('-') => return Err(self.broken(line.trim_end())),
                Ok(_) => {}
                Err(error) => return Err(self.broken(&error.to_string())),
            }
        }
    }

    /// The registered stream.
    pub(super) fn done(self) -> (TcpSink, TcpSource) {
        let already = BytesMut::from(self.socket.buffer());
        let (reader, writer) = self.socket.into_inner().into_split();
        let writer = Rc::new(RefCell::new(Some(writer)));
        let source = TcpSource {
            reader,
            writer: Rc::clone(&writer),
            buffer: already,
        };
        (TcpSink(writer), source)
    }

    fn broken(&self, reason: &str) -> OpenError {
        OpenError::Broken {
            address: self.address.to_owned(),
            step: self.peer.name.step.clone(),
            reason: reason.to_owned(),
        }
    }
}
