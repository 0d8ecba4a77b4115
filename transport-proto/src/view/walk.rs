//! The walk over a packet's top-level fields.

use smallvec::SmallVec;

use super::frame::FrameView;
use super::{
    Broken, Dialect, EnvelopeView, Field, FrameKind, PacketView, Slot, Span, metadata, transports,
};
use crate::limits::{MAX_METADATA_PAIRS, MAX_TRANSPORTS};
use crate::malformed::Malformed;
use crate::violation::Rule;
use crate::wire::Cursor;

/// What the field of each one-byte tag is, by dialect.
const SLOTS: [[Slot; 128]; 2] = [slots(Dialect::Packet), slots(Dialect::Connector)];

const fn slots(dialect: Dialect) -> [Slot; 128] {
    let mut slots = [Slot::Unknown; 128];
    let known = [
        Slot::Metadata,
        Slot::Payload,
        Slot::Inputs,
        Slot::Transports,
        Slot::Audio,
        Slot::Video,
        Slot::Binary,
        Slot::Envelope,
    ];
    let mut i = 0;
    while i < known.len() {
        slots[dialect.tag(known[i]) as usize] = known[i];
        i += 1;
    }
    slots
}

/// Findings of a walk that can be judged only when everything has been merged.
#[derive(Default)]
struct Pending {
    /// Some metadata value is too long; a later entry may replace it.
    long_value: bool,
    transports: u32,
}

/// Walks `packet`, which is the `level`-th message counted from the outermost.
pub(super) fn packet(packet: &[u8], dialect: Dialect, level: u32) -> Result<PacketView, Malformed> {
    if u32::try_from(packet.len()).is_err() {
        return Err(Malformed::Size);
    }
    let slots = match dialect {
        Dialect::Packet => &SLOTS[0],
        Dialect::Connector => &SLOTS[1],
    };
    let mut view = PacketView {
        fields: SmallVec::new(),
        dialect,
        metadata_entries: 0,
        frame: None,
        envelope: None,
        broken: None,
    };
    let mut pending = Pending::default();
    let mut cursor = Cursor::new(packet);
    while !cursor.is_done() {
        let start = cursor.at() as u32;
        let tag = cursor.tag()?;
        let slot = slots.get(tag as usize).copied().unwrap_or(Slot::Unknown);
        if slot == Slot::Unknown {
            cursor.skip(tag)?;
            continue;
        }
        let body = Span::of(&cursor.len_range()?);
        let field = Field {
            start,
            body: body.start,
            end: body.end,
            value: body.end,
            key_len: 0,
            value_len: 0,
            slot,
        };
        take(packet, field, level, (&mut view, &mut pending))?;
    }
    judge(packet, &mut view, &pending);
    Ok(view)
}

#[inline]
fn take(
    packet: &[u8],
    mut field: Field,
    level: u32,
    (view, pending): (&mut PacketView, &mut Pending),
) -> Result<(), Malformed> {
    match field.slot {
        Slot::Metadata => {
            view.metadata_entries += 1;
            metadata::walk(
                packet,
                &mut field,
                (&mut view.broken, &mut pending.long_value),
            )?;
        }
        Slot::Audio => FrameView::merge(packet, &field, FrameKind::Audio, &mut view.frame)?,
        Slot::Video => FrameView::merge(packet, &field, FrameKind::Video, &mut view.frame)?,
        Slot::Binary => FrameView::merge(packet, &field, FrameKind::Binary, &mut view.frame)?,
        Slot::Envelope => EnvelopeView::merge(packet, &field, &mut view.envelope)?,
        Slot::Payload | Slot::Inputs => super::walk_struct(packet, field.body(), level + 1)?,
        Slot::Transports => {
            if let Some(broken) = transports::walk(packet, &field, pending.transports)? {
                view.broken.get_or_insert(broken);
            }
            pending.transports += 1;
        }
        Slot::Unknown => return Ok(()),
    }
    view.fields.push(field);
    Ok(())
}

/// Limits of what has been merged.
#[inline]
fn judge(packet: &[u8], view: &mut PacketView, pending: &Pending) {
    let mut broken = view.broken;
    if pending.long_value || view.metadata_entries as usize > MAX_METADATA_PAIRS {
        broken = broken.or_else(|| metadata::judge(view.entries(), packet));
    }
    if pending.transports as usize > MAX_TRANSPORTS {
        broken = broken.or_else(|| Some(Broken::at("transports", Rule::RepeatedMaxItems)));
    }
    if let Some(frame) = &view.frame {
        broken = broken.or_else(|| frame.judge(packet));
    }
    if let Some(envelope) = &view.envelope {
        broken = broken.or_else(|| envelope.judge(packet));
    }
    view.broken = broken;
}
