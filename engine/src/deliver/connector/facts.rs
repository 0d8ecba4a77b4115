//! What decides how a packet is translated.

use std::borrow::Cow;

use transport_proto::envelope_json;
use transport_proto::names::{metadata as names, mime};
use transport_proto::view::{FrameKind, PacketView};

use super::Unfit;

/// What kind of message an engram takes a packet for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `heartbeat` or `noop`: says nothing.
    Quiet,
    Error,
    Other,
}

/// Facts of one packet, gathered from each of its pieces in turn; the last one counts.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) frame: Option<FrameKind>,
    /// Its frame is a JSON envelope, whole.
    pub(super) is_structured: bool,
    pub(super) is_heartbeat: bool,
    /// Its metadata calls it a hook by the key `kind`.
    calls_itself_hook: bool,
    pub(super) has_join_key: bool,
    pub(super) message_id: Option<Box<str>>,
    /// `bubu.envelope.kind`.
    named_kind: Option<Box<str>>,
    /// A Struct stands in another piece than the frame, or the frame in several: what is read of it
    /// cannot be told piece by piece.
    is_scattered: bool,
    /// It is a piece of a payload, be it the only one.
    pub(super) is_chunk: bool,
    /// What would end the session of the engram that got it.
    pub(super) unfit: Option<&'static str>,
}

impl Facts {
    pub(super) fn gather(&mut self, packet: &[u8], view: &PacketView) {
        let named = |key| view.metadata(packet, key);
        if let Some(frame) = view.frame() {
            self.is_scattered |= self.frame.is_some();
            self.frame = Some(frame);
            self.is_structured = is_envelope(packet, view);
        }
        let has_struct = view.payload_ranges().chain(view.inputs_ranges()).next();
        self.is_scattered |= has_struct.is_some() && view.frame().is_none();
        self.is_chunk |= view.envelope().is_some_and(|envelope| envelope.is_chunk());
        self.is_heartbeat |= view.is_heartbeat(packet);
        if let Some(kind) = named(names::KIND) {
            self.calls_itself_hook = kind == "hook";
        }
        if let Some(key) = named(names::JOIN_KEY) {
            self.has_join_key = !key.trim().is_empty();
        }
        if let Some(id) = named(names::ENVELOPE_MESSAGE_ID) {
            self.message_id = Some(id.into());
        }
        if let Some(kind) = named(names::ENVELOPE_KIND) {
            // An empty one names none.
            self.named_kind = (!kind.is_empty()).then(|| kind.into());
        }
    }

    /// Whether it is a lifecycle hook.
    pub(super) fn is_hook(&self) -> bool {
        let named = self.named_kind.as_deref();
        self.calls_itself_hook || named.is_some_and(|kind| kind.eq_ignore_ascii_case("hook"))
    }

    /// Whether nothing of it is to be rebuilt: a frame that stays as it is.
    pub(super) fn is_plain(&self) -> bool {
        let kind = self.named_kind.as_deref();
        let is_ordinary = kind.is_some_and(|kind| of_name(kind) == Kind::Other);
        self.frame.is_some() && (is_ordinary || kind.is_none() && !self.is_structured)
    }

    /// Whether these facts, gathered from several pieces, are those of the whole.
    pub(super) fn can_be_told_in_pieces(&self) -> bool {
        let is_simple = self.is_plain() && !self.is_heartbeat && self.unfit.is_none();
        is_simple && !self.is_scattered && !self.is_chunk
    }

    /// The kind of a packet in one piece: metadata says it, or else its envelope.
    pub(super) fn kind(&self, (packet, view): (&[u8], &PacketView)) -> Result<Kind, Unfit> {
        if let Some(kind) = &self.named_kind {
            return Ok(of_name(kind));
        }
        if !self.is_structured {
            return Ok(Kind::Other);
        }
        let text = media(packet, view);
        let outline = envelope_json::outline(text).map_err(Unfit::invalid)?;
        let kind = outline.kind.and_then(|at| text.get(at));
        let kind: Option<Cow<'_, str>> = kind.and_then(|kind| serde_json::from_slice(kind).ok());
        Ok(kind.map_or(Kind::Other, |kind| of_name(&kind)))
    }
}

fn of_name(kind: &str) -> Kind {
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    if is("heartbeat") || is("noop") {
        Kind::Quiet
    } else if is("error") {
        Kind::Error
    } else {
        Kind::Other
    }
}

/// The bytes in a packet's frame.
pub(super) fn media<'a>(packet: &'a [u8], view: &PacketView) -> &'a [u8] {
    let media = view.frame_view().map(|frame| frame.media());
    media.and_then(|at| packet.get(at)).unwrap_or_default()
}

/// Whether the frame is a whole JSON envelope, and not a piece of one.
pub(super) fn is_envelope(packet: &[u8], view: &PacketView) -> bool {
    let is_piece = view
        .envelope()
        .is_some_and(|e| e.is_chunk() && e.chunk_count() > 1);
    view.mime_type(packet).is_some_and(is_envelope_type) && !is_piece
}

/// Whether it is the media type of envelopes.
pub(super) fn is_envelope_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(mime::PACKET_JSON)
}
