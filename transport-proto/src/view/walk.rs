//! The walk over a packet's top-level fields.

use std::ops::Range;

use super::frame::FrameView;
use super::{Broken, Dialect, EnvelopeView, Field, PacketView, Slot, Span, metadata, transports};
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

/// Walks `packet`, the `level`-th message counted from the outermost, into a view that
/// is empty.
pub(super) fn packet(packet: &[u8], level: u32, view: &mut PacketView) -> Result<(), Malformed> {
    if u32::try_from(packet.len()).is_err() {
        return Err(Malformed::Size);
    }
    let slots = match view.dialect {
        Dialect::Packet => &SLOTS[0],
        Dialect::Connector => &SLOTS[1],
    };
    let of_entry = view.dialect.tag(Slot::Metadata);
    let mut pending = Pending::default();
    let mut cursor = Cursor::new(packet);
    while !cursor.is_done() {
        if packet.get(cursor.at()) == Some(&of_entry) {
            let after = metadata::plain_row(
                packet,
                cursor.at(),
                of_entry,
                (&mut view.fields, &mut view.keys),
            );
            cursor = Cursor::within(packet, after..packet.len());
            if cursor.is_done() {
                break;
            }
        }
        let start = cursor.at() as u32;
        let tag = cursor.tag()?;
        let slot = slots.get(tag as usize).copied().unwrap_or(Slot::Unknown);
        if slot == Slot::Unknown {
            cursor.skip(tag)?;
            continue;
        }
        let body = cursor.len_bytes()?;
        let end = cursor.at();
        let range = end - body.len()..end;
        let field = if slot == Slot::Metadata {
            let entry = metadata::any(start, packet, range)?;
            view.broken = view.broken.or(entry.broken);
            view.keys.add(entry.field.key_len);
            view.keys.entries += 1;
            pending.long_value |= entry.has_long_value;
            entry.field
        } else {
            let field = Field::new(start, Span::of(&range), slot);
            take((packet, range), (slot, level), (view, &mut pending))?;
            field
        };
        view.fields.push(field);
    }
    judge(packet, view, &pending);
    Ok(())
}

/// What the field of a tag of one byte is.
pub(super) fn slot_of(dialect: Dialect, tag: u8) -> Slot {
    let slots = match dialect {
        Dialect::Packet => &SLOTS[0],
        Dialect::Connector => &SLOTS[1],
    };
    slots
        .get(usize::from(tag))
        .copied()
        .unwrap_or(Slot::Unknown)
}

/// Whether the field of a tag is a frame.
pub(crate) fn is_frame_tag(dialect: Dialect, tag: u32) -> bool {
    let slot = u8::try_from(tag).map_or(Slot::Unknown, |tag| slot_of(dialect, tag));
    matches!(slot, Slot::Audio | Slot::Video | Slot::Binary)
}

/// Walks a frame whose tag stands apart into a view that is empty.
pub(super) fn apart(tag: u8, rest: &[u8], view: &mut PacketView) -> Result<(), Malformed> {
    let slot = slot_of(view.dialect, tag);
    let mut cursor = Cursor::new(rest);
    let range = cursor.len_range()?;
    if !is_frame_tag(view.dialect, tag.into()) || !cursor.is_done() {
        return Err(Malformed::Wire { offset: 0 });
    }
    let mut pending = Pending::default();
    take((rest, range), (slot, 1), (view, &mut pending))?;
    judge(rest, view, &pending);
    Ok(())
}

/// Walks what is in a field other than metadata.
#[inline]
fn take(
    (packet, body): (&[u8], Range<usize>),
    (slot, level): (Slot, u32),
    (view, pending): (&mut PacketView, &mut Pending),
) -> Result<(), Malformed> {
    match slot {
        Slot::Audio => FrameView::merge_audio(packet, body, &mut view.frame),
        Slot::Video => FrameView::merge_video(packet, body, &mut view.frame),
        Slot::Binary => FrameView::merge_binary(packet, body, &mut view.frame),
        Slot::Envelope => EnvelopeView::merge(packet, body, &mut view.envelope),
        Slot::Payload | Slot::Inputs => super::walk_struct(packet, body, level + 1),
        Slot::Transports => {
            let broken = transports::walk(packet, body, pending.transports)?;
            view.broken = view.broken.or(broken);
            pending.transports += 1;
            Ok(())
        }
        Slot::Metadata | Slot::Unknown => Ok(()),
    }
}

/// Limits of what has been merged. Nearly always there is nothing to note.
#[inline]
fn judge(packet: &[u8], view: &mut PacketView, pending: &Pending) {
    let of_map = pending.long_value || view.fields.len() > MAX_METADATA_PAIRS;
    let of_list = pending.transports as usize > MAX_TRANSPORTS;
    let of_frame = view
        .frame
        .as_ref()
        .is_some_and(|frame| !frame.is_sound(packet));
    let of_envelope = view
        .envelope
        .as_ref()
        .is_some_and(|envelope| !envelope.is_plain());
    if of_map | of_list | of_frame | of_envelope {
        judge_all(packet, view, of_map, of_list);
    }
}

#[inline(never)]
fn judge_all(packet: &[u8], view: &mut PacketView, of_map: bool, of_list: bool) {
    let mut broken = view.broken;
    if of_map {
        broken = broken.or_else(|| metadata::judge(view.entries(), packet));
    }
    if of_list {
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
