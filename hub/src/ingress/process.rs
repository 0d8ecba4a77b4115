//! One Process stream: read what the client sends, cut it into messages, route them; and have what
//! waits for the client sent.
//!
//! Bytes are read as fast as they come and go straight into bounded queues; a slow consumer
//! elsewhere never delays the reading (spec 2.3).

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::RecvStream;
use transport_proto::Malformed;
use transport_proto::view::{PacketBytes, parse_process, sole_packet};

use super::Status;
use super::deframe::{Deframer, Message};
use super::keep_alive::Heard;
use crate::egress::{Flow, Writer};
use crate::plane::{DataPlane, Router, Stream};

/// A registered client's stream. Dropping it is how the engine learns that the client is gone.
pub(super) struct Process {
    pub(super) plane: Rc<DataPlane>,
    pub(super) stream: Rc<Stream>,
    pub(super) heard: Heard,
    pub(super) deframer: Deframer,
    /// What the client sends.
    pub(super) body: RecvStream,
    pub(super) writer: Writer,
    /// Calls for [`Process::read`].
    pub(super) read_waker: Waker,
    /// Calls for [`Process::write`].
    pub(super) write_waker: Waker,
}

impl Process {
    /// Routes what has come, until the client ends or breaks the contract; then decides how the
    /// stream ends.
    pub(super) fn read(&mut self) -> Flow {
        while !self.stream.is_ending() {
            let chunk = match self.poll_data() {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(chunk))) => chunk,
                Poll::Ready(Some(Err(error))) => {
                    // The connection or stream is gone: nobody will read a status.
                    tracing::debug!(stream = %self.stream.name, %error, "stream broke");
                    return Flow::Over;
                }
                Poll::Ready(None) => {
                    self.stream.end(ended(&self.deframer));
                    break;
                }
            };
            if let Err(status) = self.ingest(chunk) {
                tracing::warn!(stream = %self.stream.name, peer = %self.stream.peer,
                    code = ?status.code(), reason = status.message(), "stream ended by the hub");
                self.stream.end(status);
            }
        }
        Flow::Open
    }

    fn poll_data(&mut self) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let mut cx = Context::from_waker(&self.read_waker);
        let polled = self.body.poll_data(&mut cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            // Fails only for a stream that is gone, which the next poll notices.
            let _ = self.body.flow_control().release_capacity(chunk.len());
        }
        polled
    }

    /// Sends what waits, as far as HTTP/2 has room.
    pub(super) fn write(&mut self) -> Flow {
        let mut cx = Context::from_waker(&self.write_waker);
        self.writer.write(&self.plane, &self.stream, &mut cx)
    }

    fn ingest(&mut self, chunk: Bytes) -> Result<(), Status> {
        let now = self.plane.now();
        self.heard.at(now);
        let (stream, deframer) = (&self.stream, &mut self.deframer);
        let pinned = chunk.len();
        let result = self.plane.route(stream.conn, now, |router| {
            deframer.feed(chunk, |message| {
                take_message(stream, router, &message, pinned)
            })
        });
        stream.note_partial(deframer.has_partial(), now);
        result
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.plane.disconnect(&self.stream);
    }
}

/// The client has said all it wants to say.
fn ended(deframer: &Deframer) -> Status {
    if deframer.has_partial() {
        return Status::invalid_argument(format!(
            "the stream ended in the middle of a message ({} bytes of it came)",
            deframer.partial_len()
        ));
    }
    Status::ok()
}

fn take_message(
    stream: &Stream,
    router: &mut Router<'_>,
    message: &Message<'_>,
    pinned: usize,
) -> Result<(), Status> {
    let bytes = &message.source[message.range.clone()];
    let found = match sole_packet(bytes) {
        Some(range) => PacketBytes::At(range),
        None => parse_process(bytes).map_err(|e| malformed(&e))?.packet,
    };
    let routed = match found {
        PacketBytes::Absent => return Ok(()),
        PacketBytes::At(range) => {
            let start = message.range.start;
            let at = start + range.start..start + range.end;
            router.packet(message.source, at, pinned)
        }
        PacketBytes::Merged(packet) => router.packet(&packet, 0..packet.len(), packet.len()),
    };
    match routed {
        Ok(true) => Ok(()),
        Ok(false) => {
            report(stream, router);
            Ok(())
        }
        Err(error) => Err(malformed(&error)),
    }
}

/// Names the first packet outside the contract in the log.
#[cold]
fn report(stream: &Stream, router: &Router<'_>) {
    if let Some(violation) = router.violation()
        && !stream.violation_reported.replace(true)
    {
        tracing::warn!(stream = %stream.name, peer = %stream.peer, %violation,
            "a packet outside the contract was dropped; further ones are only counted");
    }
}

#[cold]
fn malformed(error: &Malformed) -> Status {
    Status::invalid_argument(format!("these bytes are no ProcessRequest: {error}"))
}
