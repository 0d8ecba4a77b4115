//! One stream of packets, Process or Data: read what the client sends, cut it into messages, route them; and have what
//! waits for the client sent.
//!
//! Bytes are read as fast as they come and go straight into bounded queues; a slow consumer
//! elsewhere never delays the reading (spec 2.3). The one exception is an at_least_once edge that
//! has no room: then the client gets no more window until it has (spec 2.4 rule 4). What its window
//! still allows is taken out of HTTP/2 and put by all the same: HTTP/2 ends a connection in which
//! too many small frames stand unread, whoever sent them (spec 7).

use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use engine::{Engine, Taken};
use h2::RecvStream;
use transport_proto::view::{PacketBytes, parse_process, sole_packet};
use transport_proto::{Malformed, Violation};

use super::Status;
use super::connection::{CONNECTION_WINDOW, STREAM_WINDOW};
use super::deframe::{Deframer, Message, Next};
use super::inlet::Inlet;
use super::keep_alive::Heard;
use super::peers::Seat;
use crate::egress::{Flow, Writer};
use crate::plane::{DataPlane, Router, Stream, Wakers};

/// Most bytes of one connection that are put by: its window, less what its other streams need.
const MOST_PUT_BY: usize = (CONNECTION_WINDOW - 2 * STREAM_WINDOW) as usize;

/// A registered client's stream. Dropping it is how the engine learns that the client is gone.
pub(super) struct Process {
    pub(super) plane: Rc<DataPlane>,
    pub(super) stream: Rc<Stream>,
    pub(super) heard: Heard,
    pub(super) deframer: Deframer,
    /// What the client sends, until it has ended.
    pub(super) body: Option<RecvStream>,
    pub(super) writer: Writer,
    /// Bytes that came and for which the client has not got its window back.
    pub(super) unreleased: usize,
    /// What the connection counts.
    pub(super) inlet: Rc<Inlet>,
    /// Its place among the streams of its peer.
    pub(super) _seat: Seat,
    /// Calls for [`Process::read`] and [`Process::write`].
    pub(super) wakers: Wakers,
}

impl Process {
    /// Routes what has come, until the client ends or breaks the contract; then decides how the
    /// stream ends.
    pub(super) fn read(&mut self) -> Flow {
        if self.deframer.holds() && !self.stream.is_held_up() {
            self.take_in(None);
            self.release();
        }
        while !self.stream.is_ending() {
            let Some(body) = &mut self.body else {
                return self.finish();
            };
            let mut cx = Context::from_waker(&self.wakers.read);
            match body.poll_data(&mut cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(chunk))) => self.came(chunk),
                Poll::Ready(Some(Err(error))) => {
                    // The connection or stream is gone: nobody will read a status.
                    tracing::debug!(stream = %self.stream.name, %error, "stream broke");
                    self.body = None;
                    return Flow::Over;
                }
                Poll::Ready(None) => self.body = None,
            }
        }
        Flow::Open
    }

    fn came(&mut self, chunk: Bytes) {
        self.unreleased += chunk.len();
        self.inlet.put_by(chunk.len());
        if self.deframer.holds() || self.stream.is_held_up() {
            self.heard.now();
            self.deframer.put_by(&chunk);
            if self.inlet.put_by.get() > MOST_PUT_BY {
                self.stream.end(Status::resource_exhausted(
                    "too many streams of this connection wait for slow consumers: \
                     use more connections",
                ));
            }
        } else {
            self.take_in(Some(chunk));
            self.release();
        }
    }

    /// Routes `chunk`, or what was held back when its packets found no room.
    fn take_in(&mut self, chunk: Option<Bytes>) {
        if let Err(status) = self.ingest(chunk) {
            tracing::warn!(stream = %self.stream.name, peer = %self.stream.peer,
                code = ?status.code(), reason = status.message(), "stream ended by the hub");
            self.end(status);
        }
    }

    fn end(&self, status: Status) {
        self.stream.end(if self.stream.has_control() {
            status.for_engrams()
        } else {
            status
        });
    }

    /// Gives the client its window back for all that is not held back.
    fn release(&mut self) {
        let done = self.unreleased.saturating_sub(self.deframer.held_len());
        if done > 0 {
            self.unreleased -= done;
            self.inlet.taken(done);
            if let Some(body) = &mut self.body {
                // Fails only for a stream that is gone, which the next poll notices.
                let _ = body.flow_control().release_capacity(done);
            }
        }
    }

    /// What the client may still say once its stream is over, with its window back: it is the
    /// connection's.
    pub(super) fn unheard(mut self) -> Option<RecvStream> {
        let mut body = self.body.take()?;
        let _ = body.flow_control().release_capacity(self.unreleased);
        Some(body)
    }

    /// Sends what waits, as far as HTTP/2 has room.
    pub(super) fn write(&mut self) -> Flow {
        let mut cx = Context::from_waker(&self.wakers.write);
        let flow = self.writer.write(&self.plane, &self.stream, &mut cx);
        if self.stream.is_taking_over() {
            self.stream.tell();
        }
        // What was just sent may be the last that a client waited for that has said all.
        if flow == Flow::Open && self.body.is_none() && !self.stream.is_ending() {
            return self.finish();
        }
        flow
    }

    /// The client has said all it wants to say. Ends the stream once that is heard, and the client
    /// has heard what has become of what it numbered (spec 2.4 rule 5).
    fn finish(&mut self) -> Flow {
        if self.deframer.holds() {
            return Flow::Open;
        }
        let status = self.deframer.ended();
        let owes_acks = |engine: &mut Engine| engine.owes_acks(self.stream.conn);
        if status.code() == tonic::Code::Ok && self.plane.with_engine(owes_acks) {
            let mut cx = Context::from_waker(&self.wakers.write);
            if self.writer.is_gone(&mut cx) {
                return Flow::Over;
            }
            return Flow::Open;
        }
        self.end(status);
        Flow::Open
    }

    fn ingest(&mut self, chunk: Option<Bytes>) -> Result<(), Status> {
        let now = self.plane.now();
        if chunk.is_some() {
            self.heard.at(now);
        }
        let (stream, deframer, inlet) = (&self.stream, &mut self.deframer, &self.inlet);
        deframer.stand_in(inlet.longest_frame());
        let is_data = stream.has_control();
        let feed = |router: &mut Router<'_>| {
            let take = |message: Message<'_>| {
                inlet.message();
                if is_data {
                    take_data(stream, router, message)
                } else {
                    take_message(stream, router, message)
                }
            };
            match chunk {
                Some(chunk) => deframer.feed(chunk, take),
                None => deframer.go_on(take),
            }
        };
        let result = if is_data {
            self.plane.route_connector(stream, now, feed)
        } else {
            self.plane.route(stream.conn, now, feed)
        };
        stream.note_partial(self.deframer.has_partial(), now);
        result
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.inlet.taken(self.unreleased);
        self.plane.disconnect(&self.stream);
        if self.stream.has_control() {
            // The streams of a session end together.
            self.stream
                .end(Status::unavailable("the session's Data stream is gone"));
            self.stream.set_carried(false);
        }
    }
}

fn take_message(
    stream: &Stream,
    router: &mut Router<'_>,
    message: Message<'_>,
) -> Result<Next, Status> {
    let (source, range, pinned) = match message {
        Message::Whole {
            source,
            range,
            pinned,
        } => (source, range, pinned),
        Message::Parted(parted) => {
            let taken = router.parted(parted).map_err(|e| malformed(&e))?;
            return Ok(next(stream, router, taken));
        }
    };
    let (bytes, start) = (&source[range.clone()], range.start);
    let at = |range: Range<usize>| start + range.start..start + range.end;
    if let Some(range) = sole_packet(bytes) {
        return take_packet(stream, router, (source, at(range)), pinned);
    }
    let process = parse_process(bytes).map_err(|e| malformed(&e))?;
    let next = match process.packet {
        PacketBytes::Absent => Next::Go,
        PacketBytes::At(range) => take_packet(stream, router, (source, at(range)), pinned)?,
        PacketBytes::Merged(packet) => {
            let all = 0..packet.len();
            take_packet(stream, router, (&packet, all), packet.len())?
        }
    };
    // With a packet that was not taken its flow comes again, and credits must count once.
    if let (Next::Go, Some(flow)) = (next, &process.flow) {
        match &flow.violation {
            None => router.flow(flow),
            Some(violation) => report(stream, violation),
        }
    }
    Ok(next)
}

/// Takes a `DataRequest`: a packet, and nothing beside it. One that is no packet ends nothing: an
/// engram sends it again and again when its session ends (spec 3).
fn take_data(
    stream: &Stream,
    router: &mut Router<'_>,
    message: Message<'_>,
) -> Result<Next, Status> {
    let taken = match message {
        Message::Whole {
            source,
            range,
            pinned,
        } => router.packet(source, range, pinned),
        Message::Parted(parted) => router.parted(parted),
    };
    let taken = router.or_drop(taken);
    Ok(next(stream, router, taken))
}

fn take_packet(
    stream: &Stream,
    router: &mut Router<'_>,
    (source, at): (&Bytes, Range<usize>),
    pinned: usize,
) -> Result<Next, Status> {
    let taken = router.packet(source, at, pinned);
    let taken = taken.map_err(|e| malformed(&e))?;
    Ok(next(stream, router, taken))
}

/// What is to be done after a packet.
fn next(stream: &Stream, router: &Router<'_>, taken: Taken) -> Next {
    if taken == Taken::Blocked {
        stream.hold_up();
        return Next::Hold;
    }
    if let Some(violation) = router.violation() {
        report(stream, &violation);
    }
    Next::Go
}

/// Names the first thing outside the contract in the log.
#[cold]
fn report(stream: &Stream, violation: &Violation) {
    if !stream.violation_reported.replace(true) {
        tracing::warn!(stream = %stream.name, peer = %stream.peer, %violation,
            "what breaks the contract was dropped; further such packets are only counted");
    }
}

#[cold]
fn malformed(error: &Malformed) -> Status {
    Status::invalid_argument(format!("these bytes are no ProcessRequest: {error}"))
}
