//! One Process stream: read what the client sends, cut it into messages, route them.
//!
//! Bytes are read as fast as they come and go straight into bounded queues; a slow consumer
//! elsewhere never delays the reading (spec 2.3).

use std::rc::Rc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use transport_proto::Malformed;
use transport_proto::view::{PacketBytes, parse_process, sole_packet};

use super::Status;
use super::deframe::{Deframer, Message};
use crate::plane::{DataPlane, Router, Stream};

/// Reads a client's messages until it ends or breaks the contract, then ends the stream.
pub(crate) async fn read(
    plane: Rc<DataPlane>,
    stream: Rc<Stream>,
    mut body: Incoming,
    max_message: usize,
) {
    let mut deframer = Deframer::new(max_message);
    let status = loop {
        let chunk = match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => chunk,
                Err(_trailers) => continue,
            },
            Some(Err(error)) => {
                // The connection or stream is gone: nobody will read a status.
                tracing::debug!(stream = %stream.name, %error, "stream broke");
                break Status::new(tonic::Code::Cancelled, error.to_string());
            }
            None => break ended(&deframer),
        };
        if let Err(status) = ingest(&plane, &stream, &mut deframer, chunk) {
            tracing::warn!(stream = %stream.name, peer = %stream.peer, code = ?status.code(),
                reason = status.message(), "stream ended by the hub");
            break status;
        }
    };
    stream.end(status);
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

fn ingest(
    plane: &DataPlane,
    stream: &Stream,
    deframer: &mut Deframer,
    chunk: Bytes,
) -> Result<(), Status> {
    let pinned = chunk.len();
    let result = plane.route(stream.conn, |router| {
        deframer.feed(chunk, |message| {
            take_message(stream, router, &message, pinned)
        })
    });
    stream.note_partial(deframer.has_partial(), plane.now());
    result
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
