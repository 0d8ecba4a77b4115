//! The JSON envelope of a packet that has none, and that of an error (spec 3).

use bytes::{Bytes, BytesMut};
use expr::{json, structs};
use transport_proto::envelope_json::{self, Member};
use transport_proto::names::metadata as names;
use transport_proto::splice::{put_binary_frame, put_envelope_frame};
use transport_proto::view::{Dialect, PacketView, TransportView};

use super::facts::{Facts, media};
use super::{Edit, Unfit};
use crate::decide::json_of;

/// Keys of metadata that are members of the envelope instead.
const MEMBERS: [&str; 3] = [
    names::ENVELOPE_KIND,
    names::ENVELOPE_MESSAGE_ID,
    names::ENVELOPE_TIMESTAMP_MS,
];

/// An envelope that says what a packet without a frame says; whether it names the message id, and
/// whether it carries the payload.
pub(super) fn built(
    (packet, view): (&[u8], &PacketView),
    facts: &Facts,
    (with_id, with_payload): (bool, bool),
) -> Result<Vec<u8>, Unfit> {
    let named = |key| view.metadata(packet, key);
    let mut out = br#"{"version":"v1","kind":"#.to_vec();
    let kind = named(names::ENVELOPE_KIND).or_else(|| facts.is_hook().then_some("hook"));
    put_text(&mut out, kind.unwrap_or("data"));
    if let Some(id) = named(names::ENVELOPE_MESSAGE_ID).filter(|id| with_id && !id.is_empty()) {
        put_text(member(&mut out, "messageId"), id);
    }
    let time = named(names::ENVELOPE_TIMESTAMP_MS).and_then(|at| at.parse::<i64>().ok());
    if let Some(time) = time.filter(|time| *time >= 0) {
        member(&mut out, "timestampMs").extend_from_slice(time.to_string().as_bytes());
    }
    put_map(&mut out, (packet, view));
    if with_payload && let Some(payload) = merged(packet, view.payload_ranges()) {
        member(&mut out, "payload").extend_from_slice(&json(&payload)?);
    }
    if let Some(inputs) = merged(packet, view.inputs_ranges()) {
        member(&mut out, "inputs").extend_from_slice(&json(&inputs)?);
    }
    put_transports(&mut out, (packet, view));
    out.push(b'}');
    Ok(out)
}

/// What an error becomes: an envelope without its payload, which only the Struct carries. Receivers
/// refuse the envelope that they send themselves.
pub(super) fn put_error(
    at: (&[u8], &PacketView),
    facts: &Facts,
    edit: &mut Edit,
) -> Result<(), Unfit> {
    let (packet, view) = at;
    if facts.frame.is_some() && !facts.is_structured {
        return Err(Unfit::invalid("an error carries no media frame"));
    }
    if facts.is_chunk {
        // Its size is said beside it.
        return Err(Unfit::invalid("an error in chunks"));
    }
    let has_struct = view.payload_ranges().next().is_some();
    if !facts.is_structured {
        if !has_struct {
            return Err(Unfit::invalid("an error without a payload"));
        }
        let json = built(at, facts, (!edit.message_id, false))?;
        put_envelope_frame(&mut edit.tail, Dialect::Connector, &json);
        return Ok(());
    }
    let text = media(packet, view);
    if !has_struct {
        let payload = envelope_json::member(text, Member::Payload.name());
        let value = payload
            .and_then(|at| text.get(at))
            .and_then(json::parse)
            .ok_or(Unfit::invalid("an error without a payload"))?;
        let mut body = BytesMut::new();
        structs::encode(&value, &mut body)
            .map_err(|_| Unfit::invalid("the payload of an error is no object"))?;
        edit.put_payload(&body);
    }
    let without = envelope_json::replace(text, &[(Member::Payload, None)])
        .map_err(|_| Unfit::invalid("its frame is no JSON envelope"))?;
    edit.frame = true;
    put_binary_frame(&mut edit.tail, Dialect::Connector, at, &without);
    Ok(())
}

fn member<'o>(out: &'o mut Vec<u8>, name: &str) -> &'o mut Vec<u8> {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    // Text is always JSON, and a Vec takes all bytes.
    let _ = serde_json::to_writer(out, text);
}

fn put_map(out: &mut Vec<u8>, (packet, view): (&[u8], &PacketView)) {
    let mut pairs = std::collections::BTreeMap::new();
    let pass = |key: &str| !MEMBERS.contains(&key);
    pairs.extend(view.metadata_pairs(packet).filter(|(key, _)| pass(key)));
    if !pairs.is_empty() {
        let _ = serde_json::to_writer(member(out, "metadata"), &pairs);
    }
}

fn put_transports(out: &mut Vec<u8>, (packet, view): (&[u8], &PacketView)) {
    let mut first = true;
    for body in view.transports_ranges() {
        if std::mem::take(&mut first) {
            member(out, "transports").push(b'[');
        } else {
            out.push(b',');
        }
        let transport = TransportView::of(packet, body);
        out.extend_from_slice(b"{\"name\":");
        put_text(out, transport.name);
        put_text(member(out, "kind"), transport.kind);
        put_text(member(out, "mode"), transport.mode);
        let (reference, reason) = (transport.transport_ref, transport.mode_reason);
        if !reference.is_empty() || !reason.is_empty() {
            member(out, "typedConfig").extend_from_slice(b"{\"transportRef\":");
            put_text(out, reference);
            put_text(member(out, "modeReason"), reason);
            out.push(b'}');
        }
        out.push(b'}');
    }
    if !first {
        out.push(b']');
    }
}

/// The occurrences of a Struct in a row, which is what merging means.
fn merged(
    packet: &[u8],
    mut ranges: impl Iterator<Item = std::ops::Range<usize>>,
) -> Option<Bytes> {
    let body = |range| packet.get(range).unwrap_or_default();
    let mut merged = BytesMut::from(body(ranges.next()?));
    for range in ranges {
        merged.extend_from_slice(body(range));
    }
    Some(merged.freeze())
}

fn json(body: &[u8]) -> Result<Vec<u8>, Unfit> {
    json_of(body).map_err(|_| Unfit::invalid("a Struct with a number that JSON cannot say"))
}
