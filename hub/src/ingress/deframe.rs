//! Cutting gRPC messages out of DATA chunks.
//!
//! A message that lies within one chunk is handed out where it stands. One that spans chunks is
//! copied together, except for large media, which is left in the chunks that it came in
//! (`gather.rs`). Never trusts a length from the wire: memory grows with what has arrived (spec 7).

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use transport_proto::splice::Parted;
use transport_proto::view::Dialect;

use super::Status;
use gather::{Gathering, LEAST, LOOK};

/// gRPC message prefix: one flag byte and a length of four bytes, big endian.
const PREFIX: usize = 5;
/// Most memory set aside for a message of which little has arrived: a payload of 64 KiB, and what
/// goes with it.
const FIRST_RESERVE: usize = 80 * 1024;

/// What a client is told of a fault of the hub's own.
const LOST: &str = "the pieces of a message did not make one: this is a fault of the hub";

/// One message.
pub(crate) enum Message<'a> {
    /// It, where it stands.
    Whole {
        /// The buffer that holds it.
        source: &'a Bytes,
        /// The message in `source`, without its prefix.
        range: Range<usize>,
        /// Bytes that a slice of `source` keeps alive.
        pinned: usize,
    },
    /// Its packet; there is nothing else in it.
    Parted(&'a Parted),
}

/// What is to be done after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next message.
    Go,
    /// This one was not taken: it comes first again when the stream goes on.
    Hold,
}

/// The state of one stream's framing.
#[derive(Debug)]
pub(crate) struct Deframer {
    /// A message, prefix included, of which the end has not come yet.
    partial: BytesMut,
    /// Such a message whose media is left in pieces.
    gathering: Option<Box<Gathering>>,
    /// The numbering of packets whose media may be left in pieces.
    dialect: Option<Dialect>,
    /// Bytes of the largest buffer that a chunk may stand in.
    buffer: usize,
    /// What was not taken.
    held: Option<Held>,
    /// What came since, side by side: tiny frames must not cost more than their bytes.
    later: BytesMut,
    max_message: usize,
    /// The client has named an encoding other than identity.
    is_encoded: bool,
}

/// A message that was not taken, and what came with it.
#[derive(Debug)]
struct Held {
    message: Complete,
    rest: Bytes,
}

/// A message that has come.
#[derive(Debug)]
enum Complete {
    Whole {
        /// The message, prefix included.
        bytes: Bytes,
        /// Bytes that it keeps alive.
        pinned: usize,
    },
    Parted(Box<Parted>),
}

impl Complete {
    fn message(&self) -> Message<'_> {
        match self {
            Self::Whole { bytes, pinned } => Message::Whole {
                source: bytes,
                range: PREFIX..bytes.len(),
                pinned: *pinned,
            },
            Self::Parted(parted) => Message::Parted(parted),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Whole { bytes, .. } => bytes.len(),
            Self::Parted(parted) => PREFIX + parted.packet_len(),
        }
    }
}

impl Deframer {
    /// A deframer that refuses messages of more than `max_message` bytes.
    pub(crate) fn new(max_message: usize) -> Self {
        Self {
            partial: BytesMut::new(),
            gathering: None,
            dialect: None,
            buffer: 0,
            held: None,
            later: BytesMut::new(),
            max_message,
            is_encoded: false,
        }
    }

    /// The same for the stream that `headers` opened: whose fault a compressed message is depends on
    /// what they say.
    pub(crate) fn of_request(headers: &HeaderMap, max_message: usize) -> Self {
        let encoding = headers.get("grpc-encoding");
        Self {
            is_encoded: encoding.is_some_and(|encoding| encoding != "identity"),
            ..Self::new(max_message)
        }
    }

    /// Leaves large media of packets, numbered in this way, in the chunks that it comes in.
    pub(crate) fn parting(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Chunks may stand in buffers of so many bytes from now on, whatever their own length.
    pub(crate) fn stand_in(&mut self, bytes: usize) {
        self.buffer = bytes;
    }

    /// How a stream of which this was everything ends: half a message is none.
    pub(crate) fn ended(&self) -> Status {
        if !self.has_partial() {
            return Status::ok();
        }
        let of_media = self.gathering.as_ref();
        let came = of_media.map_or(self.partial.len(), |gathering| PREFIX + gathering.arrived());
        Status::invalid_argument(format!(
            "the stream ended in the middle of a message ({came} bytes of it came)"
        ))
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn has_partial(&self) -> bool {
        !self.partial.is_empty() || self.gathering.is_some()
    }

    /// Whether anything is held back.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some() || !self.later.is_empty()
    }

    /// Bytes that are held back.
    pub(crate) fn held_len(&self) -> usize {
        let held = self.held.as_ref();
        held.map_or(0, |held| held.message.len() + held.rest.len()) + self.later.len()
    }

    /// Keeps `chunk` until the stream goes on, after what is held back already.
    pub(crate) fn put_by(&mut self, chunk: &[u8]) {
        self.later.extend_from_slice(chunk);
    }

    /// Hands what was held back to `each` again, and what came after it, until it is held back
    /// again.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub(crate) fn go_on(
        &mut self,
        mut each: impl FnMut(Message<'_>) -> Result<Next, Status>,
    ) -> Result<(), Status> {
        let Some(held) = self.held.take() else {
            return self.feed_later(each);
        };
        if each(held.message.message())? == Next::Hold {
            self.held = Some(held);
            return Ok(());
        }
        self.feed(held.rest, &mut each)?;
        if self.held.is_none() {
            self.feed_later(each)?;
        }
        Ok(())
    }

    fn feed_later(
        &mut self,
        each: impl FnMut(Message<'_>) -> Result<Next, Status>,
    ) -> Result<(), Status> {
        let later = std::mem::take(&mut self.later).freeze();
        self.feed(later, each)
    }

    /// Hands every message that `chunk` completes to `each`, in order. When one is held back, it
    /// waits here with all that came after it; nothing may be fed until it has been taken.
    ///
    /// # Errors
    /// The status that ends the stream: a message over the limit, a compressed one, or what `each`
    /// returned.
    pub(crate) fn feed(
        &mut self,
        mut chunk: Bytes,
        mut each: impl FnMut(Message<'_>) -> Result<Next, Status>,
    ) -> Result<(), Status> {
        let pinned = self.buffer.max(chunk.len());
        if self.has_partial() {
            let Some(message) = self.complete(&mut chunk, pinned)? else {
                return Ok(());
            };
            if each(message.message())? == Next::Hold {
                let rest = chunk;
                self.held = Some(Held { message, rest });
                return Ok(());
            }
        }
        let mut at = 0;
        while let Some(len) = self.message_len(&chunk[at..])? {
            let range = at + PREFIX..at + PREFIX + len;
            if range.end > chunk.len() {
                break;
            }
            let end = range.end;
            let message = Message::Whole {
                source: &chunk,
                range,
                pinned,
            };
            if each(message)? == Next::Hold {
                let bytes = chunk.slice(at..end);
                self.held = Some(Held {
                    message: Complete::Whole { bytes, pinned },
                    rest: chunk.slice(end..),
                });
                return Ok(());
            }
            at = end;
        }
        if at < chunk.len() {
            chunk.advance(at);
            self.keep(chunk, pinned);
        }
        Ok(())
    }

    /// Adds to the begun message from a chunk of which a slice keeps `pinned` bytes alive; the whole
    /// message once it is complete.
    fn complete(&mut self, chunk: &mut Bytes, pinned: usize) -> Result<Option<Complete>, Status> {
        if self.gathering.is_some() {
            return self.gather(chunk, pinned);
        }
        if self.partial.len() < PREFIX {
            let missing = (PREFIX - self.partial.len()).min(chunk.len());
            self.partial.extend_from_slice(&chunk[..missing]);
            chunk.advance(missing);
        }
        let Some(len) = self.message_len(&self.partial)? else {
            return Ok(None);
        };
        if self.is_to_be_judged(len) {
            let more = (PREFIX + LOOK - self.partial.len()).min(chunk.len());
            self.partial.extend_from_slice(&chunk.split_to(more));
            if self.partial.len() < PREFIX + LOOK {
                return Ok(None);
            }
            let begun = std::mem::take(&mut self.partial).freeze();
            self.begin(begun, len, pinned);
            if self.gathering.is_some() {
                return self.gather(chunk, pinned);
            }
        }
        let missing = PREFIX + len - self.partial.len();
        let now = missing.min(chunk.len());
        self.reserve(missing, now);
        self.partial.extend_from_slice(&chunk[..now]);
        chunk.advance(now);
        if now < missing {
            return Ok(None);
        }
        let bytes = self.partial.split().freeze();
        let pinned = bytes.len();
        Ok(Some(Complete::Whole { bytes, pinned }))
    }

    /// Adds to the begun message whose media is left in pieces.
    fn gather(&mut self, chunk: &mut Bytes, pinned: usize) -> Result<Option<Complete>, Status> {
        if !self
            .gathering
            .as_mut()
            .is_some_and(|g| g.add(chunk, pinned))
        {
            return Ok(None);
        }
        let parted = self.gathering.take().and_then(|g| g.finish());
        let parted = parted.ok_or_else(|| Status::new(tonic::Code::Internal, LOST))?;
        Ok(Some(Complete::Parted(Box::new(parted))))
    }

    /// Keeps the start of a message that does not end in its chunk.
    fn keep(&mut self, rest: Bytes, pinned: usize) {
        match self.message_len(&rest) {
            Ok(Some(len)) if rest.len() >= PREFIX + LOOK || !self.may_part(len) => {
                self.begin(rest, len, pinned);
            }
            _ => self.partial.extend_from_slice(&rest),
        }
    }

    /// Begins a message of `len` bytes with what is here of it, prefix included.
    fn begin(&mut self, mut start: Bytes, len: usize, pinned: usize) {
        let message = start.get(PREFIX..).unwrap_or_default();
        let dialect = self.dialect;
        let gathering = dialect.and_then(|dialect| Gathering::begin(message, len, dialect));
        let Some(mut gathering) = gathering else {
            self.reserve(PREFIX + len, start.len());
            return self.partial.extend_from_slice(&start);
        };
        start.advance(PREFIX + gathering.media_at());
        gathering.add(&mut start, pinned);
        self.gathering = Some(Box::new(gathering));
    }

    /// Whether media of a message of `len` bytes may be left in pieces.
    fn may_part(&self, len: usize) -> bool {
        self.dialect.is_some() && len >= LEAST
    }

    /// Whether too little of a message had come to tell where its media begins.
    fn is_to_be_judged(&self, len: usize) -> bool {
        self.may_part(len) && self.partial.len() < PREFIX + LOOK
    }

    /// Makes room for `now` bytes that are here, and for those still `missing` as far as what has
    /// arrived vouches for them.
    fn reserve(&mut self, missing: usize, now: usize) {
        let arrived = self.partial.len() + now;
        self.partial
            .reserve(missing.min((arrived * 2).max(FIRST_RESERVE)).max(now));
    }

    /// Length of the message that starts at `bytes`, once its prefix is there.
    fn message_len(&self, bytes: &[u8]) -> Result<Option<usize>, Status> {
        let Some(&[flag, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if len > self.max_message {
            return Err(Status::resource_exhausted(format!(
                "a message of {len} bytes is larger than the {} bytes that the hub accepts \
                 (limits.max_message_bytes)",
                self.max_message
            )));
        }
        match flag {
            0 => Ok(Some(len)),
            1 if self.is_encoded => Err(Status::new(
                tonic::Code::Unimplemented,
                "compressed messages are not served: send them with identity encoding",
            )),
            // gRPC, "Compression": nobody could know how to read it.
            1 => Err(Status::new(
                tonic::Code::Internal,
                "a message is compressed, and grpc-encoding does not say how",
            )),
            _ => Err(Status::invalid_argument(format!(
                "a gRPC message begins with flag 0 or 1, not {flag}: these bytes are no message"
            ))),
        }
    }
}

mod gather;
#[cfg(test)]
mod tests;
