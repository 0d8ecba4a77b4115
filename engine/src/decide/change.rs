//! What an edge changes in a packet: fields that are cut out, and those that stand in for them.

use bytes::{Bytes, BytesMut};
use expr::json::{self, Style};
use expr::{Value, structs};
use smallvec::SmallVec;
use transport_proto::envelope_json::{self, Member};
use transport_proto::splice::{Cut, Kept, put_binary_frame, put_inputs, put_payload};
use transport_proto::view::{Dialect, PacketView};

use super::document::JsonFrame;
use crate::route::Inputs;

/// Which fields of a packet an edge takes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    pub(crate) inputs: bool,
    pub(crate) payload: bool,
    pub(crate) frame: bool,
}

/// What an edge changes in a packet. Nothing, mostly.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub(crate) cuts: Cuts,
    /// What stands in for what is cut out, encoded.
    pub(crate) fields: Bytes,
    /// The partition that the packet gets.
    pub(crate) partition: Option<Box<str>>,
}

/// New documents of a packet.
pub(super) struct Changed<'a> {
    /// The contents of a Struct.
    pub(super) payload: Option<&'a Bytes>,
    pub(super) inputs: Option<&'a Inputs>,
}

impl Change {
    /// Whether the packet goes on as it came.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.cuts == Cuts::default() && self.partition.is_none()
    }

    /// Whether the packet gets new inputs.
    #[must_use]
    pub fn replaces_inputs(&self) -> bool {
        self.cuts.inputs
    }

    /// Whether the packet gets a new payload.
    #[must_use]
    pub fn replaces_payload(&self) -> bool {
        self.cuts.payload
    }

    /// Whether the packet's JSON frame is written anew, to say the same as its Structs.
    #[must_use]
    pub fn replaces_frame(&self) -> bool {
        self.cuts.frame
    }

    /// The partition that the packet gets; `None` keeps the one that it has.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        self.partition.as_deref()
    }

    /// The packet with this change, without what the hub writes for each target (routing metadata,
    /// envelope and with it the partition). `view` is what was decided on: the result of walking
    /// `packet`.
    #[must_use]
    pub fn applied(&self, packet: &[u8], view: &PacketView) -> BytesMut {
        let cut = Cut {
            inputs: self.cuts.inputs,
            payload: self.cuts.payload,
            frame: self.cuts.frame,
            ..Cut::default()
        };
        let kept = Kept::of(packet, view, &cut);
        let mut out = BytesMut::with_capacity(kept.len() + self.fields.len());
        kept.copy_to(packet, &mut out);
        out.extend_from_slice(&self.fields);
        out
    }

    /// Replaces documents of a packet: Structs, and what its frame says of them, so that both
    /// always agree (spec 2.3).
    ///
    /// # Errors
    /// When its frame is no envelope though it says so.
    pub(super) fn of(
        (packet, view): (&[u8], &PacketView),
        changed: &Changed<'_>,
    ) -> Result<Self, String> {
        let mut change = Self::default();
        if changed.payload.is_none() && changed.inputs.is_none() {
            return Ok(change);
        }
        let mut fields = BytesMut::new();
        let frame = JsonFrame::of(packet, view);
        if let Some(payload) = changed.payload {
            change.cuts.payload = true;
            if frame != Some(JsonFrame::Raw) {
                put_payload(&mut fields, Dialect::Packet, payload);
            }
        }
        if let Some(inputs) = changed.inputs {
            change.cuts.inputs = true;
            put_inputs(&mut fields, Dialect::Packet, &inputs.body);
        }
        if let Some(frame) = frame
            && let Some(text) = rewritten(frame, (packet, view), changed)?
        {
            change.cuts.frame = true;
            put_binary_frame(&mut fields, Dialect::Packet, (packet, view), &text);
        }
        change.fields = fields.freeze();
        Ok(change)
    }
}

/// The JSON of a frame with the new documents in it; `None` where it does not speak of them.
fn rewritten(
    frame: JsonFrame,
    (packet, view): (&[u8], &PacketView),
    changed: &Changed<'_>,
) -> Result<Option<Vec<u8>>, String> {
    let payload = changed.payload.map(|body| json_of(body)).transpose()?;
    if frame == JsonFrame::Raw {
        return Ok(payload);
    }
    let media = view.frame_view().map(|frame| frame.media());
    let text = media
        .and_then(|media| packet.get(media))
        .unwrap_or_default();
    let inputs = changed.inputs.map(|inputs| &*inputs.json);
    let payload = payload.as_deref().map(|json| (Member::Payload, Some(json)));
    let inputs = inputs.map(|json| (Member::Inputs, Some(json)));
    let changes: SmallVec<[_; 2]> = payload.into_iter().chain(inputs).collect();
    envelope_json::replace(text, &changes)
        .map(Some)
        .map_err(|error| format!("envelope: {error}"))
}

/// A Struct as JSON.
pub(crate) fn json_of(body: &[u8]) -> Result<Vec<u8>, String> {
    let style = Style {
        indented: false,
        html_safe: false,
    };
    let mut text = Vec::new();
    json::write(&Value::Map(structs::decode(body)), style, &mut text)
        .map_err(|fault| fault.to_string())?;
    Ok(text)
}
