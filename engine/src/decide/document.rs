//! Where the payload and the inputs of a packet are (spec 4.3): in its Structs, in an envelope
//! frame's JSON, or in a raw JSON frame.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use expr::{Map, Payload, Value, json, structs};
use transport_proto::envelope_json::{self, Member};
use transport_proto::names::mime;
use transport_proto::view::PacketView;

/// One document of a packet.
#[derive(Debug, Default)]
pub(super) enum Document<'a> {
    /// The packet has none.
    #[default]
    None,
    /// The contents of a Struct.
    Struct(Cow<'a, [u8]>),
    /// A JSON object.
    Json(Map<'static>),
}

impl<'a> Document<'a> {
    /// The occurrences of a field: concatenated Structs merge.
    fn of_ranges(packet: &'a [u8], mut ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let Some(first) = ranges.next() else {
            return Self::None;
        };
        let body = |range| packet.get(range).unwrap_or_default();
        let mut merged = Cow::Borrowed(body(first));
        for range in ranges {
            merged.to_mut().extend_from_slice(body(range));
        }
        Self::Struct(merged)
    }

    /// A member of an envelope.
    fn of_member(envelope: &[u8], member: Member) -> Self {
        let at = envelope_json::member(envelope, member.name());
        let text = at.and_then(|at| envelope.get(at));
        text.map_or(Self::None, Self::of_text)
    }

    fn of_text(text: &[u8]) -> Self {
        match json::parse(text) {
            Some(Value::Map(map)) => Self::Json(map),
            _ => Self::None,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// As the contents of a Struct.
    fn body(&self) -> Option<Bytes> {
        match self {
            Self::None => None,
            Self::Struct(body) => Some(Bytes::copy_from_slice(body)),
            Self::Json(map) => {
                let mut body = BytesMut::new();
                structs::encode(&Value::Map(map.clone()), &mut body).ok()?;
                Some(body.freeze())
            }
        }
    }

    /// What expressions read it from.
    pub(super) fn source(&self) -> Payload<'_> {
        match self {
            Self::None => Payload::None,
            Self::Struct(body) => Payload::Struct(body),
            Self::Json(map) => Payload::Json(map.clone()),
        }
    }
}

/// What a packet carries as JSON in its binary frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonFrame {
    /// An envelope: kind, metadata, payload, inputs.
    Envelope,
    /// The payload itself, in a packet that has no Struct for it.
    Raw,
}

impl JsonFrame {
    /// The JSON that the packet's frame is, if it is any.
    pub(super) fn of(packet: &[u8], view: &PacketView) -> Option<Self> {
        if view.envelope().is_some_and(|e| e.is_chunk()) {
            // A piece of one is none.
            return None;
        }
        let media_type = view.mime_type(packet)?;
        if media_type == mime::PACKET_JSON {
            return Some(Self::Envelope);
        }
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let ends = |suffix: &str| {
            let at = essence.len().wrapping_sub(suffix.len());
            essence
                .get(at..)
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        };
        let is_json = essence.eq_ignore_ascii_case("application/json") || ends("+json");
        // Beside a Struct it is something of its own.
        (is_json && view.payload_ranges().next().is_none()).then_some(Self::Raw)
    }
}

/// The documents of a packet.
#[derive(Debug, Default)]
pub(super) struct Documents<'a> {
    pub(super) payload: Document<'a>,
    pub(super) inputs: Document<'a>,
}

impl<'a> Documents<'a> {
    /// Finds them. Structs come first; JSON is parsed only where a Struct is missing, and what is
    /// no JSON object has no fields.
    pub(super) fn of(packet: &'a [u8], view: &PacketView) -> Self {
        let mut found = Self {
            payload: Document::of_ranges(packet, view.payload_ranges()),
            inputs: Document::of_ranges(packet, view.inputs_ranges()),
        };
        if !found.payload.is_none() {
            return found;
        }
        let Some(frame) = JsonFrame::of(packet, view) else {
            return found;
        };
        let media = view.frame_view().map(|frame| frame.media());
        let text = media
            .and_then(|media| packet.get(media))
            .unwrap_or_default();
        match frame {
            JsonFrame::Envelope => {
                found.payload = Document::of_member(text, Member::Payload);
                if found.inputs.is_none() {
                    found.inputs = Document::of_member(text, Member::Inputs);
                }
            }
            JsonFrame::Raw => found.payload = Document::of_text(text),
        }
        found
    }
}

/// Whether the packet's frame is an envelope.
pub(super) fn is_envelope(packet: &[u8], view: &PacketView) -> bool {
    JsonFrame::of(packet, view) == Some(JsonFrame::Envelope)
}

/// The payload and the inputs of a packet as programs read them, wherever they stand: the contents
/// of Structs. `view` is the result of walking `packet`.
#[must_use]
pub fn documents(packet: &[u8], view: &PacketView) -> (Option<Bytes>, Option<Bytes>) {
    let found = Documents::of(packet, view);
    (found.payload.body(), found.inputs.body())
}

/// Bytes that [`Documents::of`] may have to look at, at most.
pub(crate) fn weight(packet: &[u8], view: &PacketView) -> usize {
    let payload: usize = view.payload_ranges().map(|range| range.len()).sum();
    let inputs: usize = view.inputs_ranges().map(|range| range.len()).sum();
    let is_read = payload == 0 && JsonFrame::of(packet, view).is_some();
    payload + inputs + if is_read { view.media_len() } else { 0 }
}
