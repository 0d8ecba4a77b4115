//! The bytes of a `DataResponse` or `DataPacket` to a message (spec 3).

mod packet;

use std::time::Duration;

use bytes::Bytes;
use transport_proto::json::StructError;
use transport_proto::names::metadata::{HEARTBEAT, HEARTBEAT_TRUE};
use transport_proto::packet_json::PacketJsonError;
use transport_proto::view::{Dialect, EnvelopeView, FrameKind, PacketView};
use transport_proto::{Malformed, Violation};

use super::chunks::{Assembly, Chunk, Reassembler};
use crate::message::{InvalidMessage, Kind, StreamMessage};
use packet::Packet;

/// Why bytes are no message for an engram: a fault of whoever sent them. The hub keeps
/// such packets from engrams.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// No message of the contract.
    #[error("transport publish request invalid: {0}")]
    Malformed(#[from] Malformed),
    /// A limit of the contract is broken (spec 1).
    #[error("transport publish request invalid: validation error: {0}")]
    Limit(Violation),
    /// The envelope in the frame cannot be read.
    #[error("envelope decode failed: {0}")]
    Envelope(#[from] PacketJsonError),
    /// The payload's Struct cannot be said in JSON.
    #[error("payload marshal failed: {0}")]
    Payload(StructError),
    /// The inputs' Struct cannot be said in JSON.
    #[error("inputs marshal failed: {0}")]
    Inputs(StructError),
    /// It breaks a rule of messages.
    #[error("decoded stream message invalid: {0}")]
    Invalid(#[from] InvalidMessage),
    /// It is a chunk that fits nowhere.
    #[error(transparent)]
    Chunk(#[from] super::ChunkError),
}

/// Why a packet is not shown to the engram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// It has no frame.
    Frameless,
    /// A sign of life.
    Heartbeat,
    /// Nothing, by its kind.
    Noop,
    /// Nothing at all.
    Empty,
}

/// What two copies of a packet have in common (spec 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The hub numbered it.
    Sequence {
        /// Without surrounding white space, never empty.
        stream_id: String,
        /// Without surrounding white space.
        partition: String,
        /// From 1.
        sequence: u64,
    },
    /// Only its producer named it.
    MessageId(String),
}

/// What tells the hub that a packet was processed (spec 2.4 rule 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of the envelope.
    pub stream_id: String,
    /// Of the envelope.
    pub partition: String,
    /// Of the envelope, from 1.
    pub sequence: u64,
    /// Encoded bytes of what was received.
    pub size_bytes: usize,
}

/// A packet as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// What the engram would be shown; empty for a frameless packet.
    pub message: StreamMessage,
    /// Set where it is not to be shown.
    pub drop: Option<Drop>,
    /// What its copies are known by.
    pub identity: Option<Identity>,
    /// Set where the hub waits for a receipt.
    pub receipt: Option<Receipt>,
    /// Encoded bytes.
    pub size_bytes: usize,
}

/// Decodes a packet.
///
/// # Errors
/// [`DecodeError`] where it is none, or must not be shown to an engram.
pub fn decode(bytes: &Bytes, dialect: Dialect) -> Result<Arrival, DecodeError> {
    arrival(bytes, &PacketView::parse(bytes, dialect)?, None)
}

/// The packet of these bytes; `whole` replaces the frame's, of which they are a chunk.
fn arrival(bytes: &Bytes, view: &PacketView, whole: Option<Bytes>) -> Result<Arrival, DecodeError> {
    let size_bytes = whole.as_ref().map_or(bytes.len(), Bytes::len);
    let packet = Packet { bytes, view, whole };
    let receipt = packet.receipt(size_bytes);
    let mut arrival = Arrival {
        message: StreamMessage::default(),
        drop: None,
        identity: packet.identity(receipt.as_ref()),
        receipt,
        size_bytes,
    };
    let Some(frame) = view.frame_view() else {
        arrival.drop = Some(Drop::Frameless);
        return Ok(arrival);
    };
    if let Some(violation) = view.violation() {
        return Err(DecodeError::Limit(violation));
    }
    arrival.message = packet.message(frame)?;
    arrival.message.validate()?;
    arrival.drop = drop_reason(&arrival.message);
    Ok(arrival)
}

/// The receipt of a packet that may not be shown; `None` where the hub waits for none.
pub(crate) fn receipt(bytes: &Bytes, dialect: Dialect) -> Option<Receipt> {
    let view = PacketView::parse(bytes, dialect).ok()?;
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    packet.receipt(bytes.len())
}

/// Decodes a packet that may be a chunk: `None` while others of its payload are missing.
///
/// # Errors
/// As [`decode`], and where a chunk fits nowhere.
pub(crate) fn decode_chunked(
    bytes: &Bytes,
    dialect: Dialect,
    chunks: &mut Reassembler<Bytes>,
    now: Duration,
) -> Result<Option<Arrival>, DecodeError> {
    let view = PacketView::parse(bytes, dialect)?;
    if !view.envelope().is_some_and(EnvelopeView::is_chunk) {
        return arrival(bytes, &view, None).map(Some);
    }
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    let binary = view
        .frame_view()
        .filter(|frame| frame.kind() == FrameKind::Binary);
    let chunk = Chunk {
        envelope: packet.envelope().unwrap_or_default(),
        payload: binary.map(|frame| bytes.slice(frame.media())),
    };
    match chunks.push(&chunk, bytes.clone(), now)? {
        None | Some(Assembly::Waits) => Ok(None),
        Some(Assembly::Complete(first, whole)) => {
            let view = PacketView::parse(&first, dialect)?;
            arrival(&first, &view, Some(whole)).map(Some)
        }
    }
}

/// What an engram sent, as a hub reads it: its number and the message without it. `None`
/// for signs of life and what cannot be read. Not judged: the SDK refuses the error
/// messages that it sends itself.
#[cfg(feature = "testkit")]
pub(crate) fn decode_sent(bytes: &Bytes, dialect: Dialect) -> Option<(u64, StreamMessage)> {
    let view = PacketView::parse(bytes, dialect).ok()?;
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    let number = view.envelope()?.sequence();
    let mut message = packet.message(view.frame_view()?).ok()?;
    message.envelope = None;
    Some((number, message))
}

fn drop_reason(message: &StreamMessage) -> Option<Drop> {
    let beats = message.metadata.get(HEARTBEAT);
    if message.kind.is(&Kind::HEARTBEAT)
        || beats.is_some_and(|value| value.eq_ignore_ascii_case(HEARTBEAT_TRUE))
    {
        Some(Drop::Heartbeat)
    } else if message.kind.is(&Kind::NOOP) {
        Some(Drop::Noop)
    } else {
        message.is_empty().then_some(Drop::Empty)
    }
}
