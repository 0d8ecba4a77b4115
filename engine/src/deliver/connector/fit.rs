//! What ends the session of an engram on the connector contract though the contract allows it
//! (spec 3): such a packet must not reach one.

use std::ops::Range;

use serde_json::Value;
use transport_proto::envelope_json::{self, Outline};
use transport_proto::limits::MAX_TRANSPORTS;
use transport_proto::names::metadata as names;
use transport_proto::view::{FrameKind, FrameView, PacketView, is_sayable};

use super::facts::{is_envelope, is_envelope_type, media};

/// Largest payload that an engram puts together, in bytes (spec 2.8).
pub(super) const MAX_REASSEMBLED: u32 = 10 << 20;
/// Highest media time that does not wrap around, in milliseconds.
const MAX_TIMESTAMP_MS: u64 = 9_223_372_036_854;

/// What is wrong with a packet, or with this piece of it.
pub(super) fn judge(packet: &[u8], view: &PacketView) -> Option<&'static str> {
    let mut keys = view.metadata_pairs(packet).map(|(key, _)| key);
    if keys.any(|key| key.trim() != key) {
        return Some("white space around a metadata key");
    }
    let kind = view.metadata(packet, names::ENVELOPE_KIND);
    if kind.is_some_and(|kind| !is_kind(kind)) {
        return Some(ODD_KIND);
    }
    frame(packet, view.frame_view()?)
        .or_else(|| chunk(view))
        .or_else(|| documents(packet, view))
}

const ODD_KIND: &str = "a kind with other characters than letters, digits, dots, dashes";
const UNSAYABLE: &str = "a Struct with what JSON cannot say";

/// A chunk that says another size than it has, or than all of them can have.
fn chunk(view: &PacketView) -> Option<&'static str> {
    let envelope = view.envelope().filter(|envelope| envelope.is_chunk())?;
    let len = u32::try_from(view.media_len()).unwrap_or(u32::MAX);
    let (of_chunk, of_all) = (envelope.chunk_bytes(), envelope.total_bytes());
    // Each of the others has a byte at least.
    let least = len.saturating_add(envelope.chunk_count() - 1);
    let is_whole = envelope.chunk_count() == 1;
    if of_chunk != 0 && of_chunk != len
        || of_all != 0 && (of_all < least || is_whole && of_all != len)
    {
        return Some("a chunk of another size than it says");
    }
    (of_all > MAX_REASSEMBLED).then_some("chunks of a payload that is too large")
}

/// The Structs of a packet that its engram reads, and its envelope: an engram believes the frame
/// first, and reads of the Structs what the frame does not say.
fn documents(packet: &[u8], view: &PacketView) -> Option<&'static str> {
    let mut outline = Outline::default();
    let is_raw = view.frame() == Some(FrameKind::Binary);
    let is_structured = is_envelope(packet, view);
    if is_structured {
        let text = media(packet, view);
        outline = match envelope_json::outline(text) {
            Ok(outline) => outline,
            Err(why) => return Some(why),
        };
        if let Some(why) = members(text, &outline) {
            return Some(why);
        }
    }
    let unsayable = |body| !is_sayable(packet, body);
    // What the pieces of an envelope say nobody knows here.
    let media_type = view.mime_type(packet).unwrap_or_default();
    let reads_payload = if is_structured || is_envelope_type(media_type) {
        outline.payload.is_none()
    } else {
        !is_raw
    };
    let broken = reads_payload && view.payload_ranges().any(unsayable)
        || outline.inputs.is_none() && view.inputs_ranges().any(unsayable);
    broken.then_some(UNSAYABLE)
}

/// What is wrong with members of an envelope.
fn members(text: &[u8], outline: &Outline) -> Option<&'static str> {
    let at = |range: &Option<Range<usize>>| text.get(range.clone()?);
    if let Some(kind) = at(&outline.kind) {
        // Text that is none has odd characters where it is read.
        let kind = serde_json::from_slice::<String>(kind);
        if !kind.is_ok_and(|kind| is_kind(&kind)) {
            return Some(ODD_KIND);
        }
    }
    let transports = at(&outline.transports)?;
    (!are_transports(transports)).then_some("no transports, or too many, in its JSON envelope")
}

fn are_transports(text: &[u8]) -> bool {
    const LONGEST: usize = 64 * 1024;
    if text.len() > LONGEST {
        return false;
    }
    let list = serde_json::from_slice::<Vec<Value>>(text).unwrap_or_default();
    list.len() <= MAX_TRANSPORTS && list.iter().all(is_transport)
}

fn is_transport(value: &Value) -> bool {
    let is_text = |value: &Value| value.is_string() || value.is_null();
    let fits = |key: &str, value: &Value| match &*key.to_lowercase() {
        "name" | "kind" | "mode" => is_text(value),
        "typedconfig" => match value {
            Value::Object(config) => config.iter().all(|(key, value)| {
                let key = key.to_lowercase();
                is_text(value) || key != "transportref" && key != "modereason"
            }),
            other => other.is_null(),
        },
        _ => true,
    };
    match value {
        Value::Object(members) => members.iter().all(|(key, value)| fits(key, value)),
        other => other.is_null(),
    }
}

fn frame(packet: &[u8], frame: &FrameView) -> Option<&'static str> {
    if frame.media().is_empty() {
        return Some("a frame without bytes");
    }
    if frame.timestamp_ms().is_some_and(|at| at > MAX_TIMESTAMP_MS) {
        return Some("a frame's time that wraps around");
    }
    let codec = frame.codec(packet);
    if codec.is_some_and(|codec| codec.trim() != codec) {
        return Some("white space around a codec");
    }
    match frame.kind() {
        FrameKind::Video if frame.is_raw() => {
            let (width, height) = frame.picture().unwrap_or_default();
            (width == 0 || height == 0).then_some("a raw picture without width or height")
        }
        FrameKind::Video if codec.is_none() => Some("encoded video without a codec"),
        FrameKind::Binary => {
            let media_type = frame.mime_type(packet)?;
            (!is_media_type(media_type)).then_some("a malformed media type")
        }
        FrameKind::Video | FrameKind::Audio => None,
    }
}

fn is_kind(kind: &str) -> bool {
    kind.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether it is `type/subtype` and parameters, each of tokens, values quoted or not (RFC 2045).
fn is_media_type(text: &str) -> bool {
    if text.trim() != text {
        return false;
    }
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim();
    let is_essence = match essence.split_once('/') {
        Some((kind, subtype)) => is_token(kind) && is_token(subtype),
        None => is_token(essence),
    };
    is_essence && are_parameters(parameters)
}

fn are_parameters(mut rest: &str) -> bool {
    let mut seen = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return true;
        }
        let Some((name, after)) = rest.split_once('=') else {
            return false;
        };
        let name = name.trim().to_ascii_lowercase();
        if !is_token(&name) || seen.contains(&name) {
            return false;
        }
        seen.push(name);
        let Some(after) = after_value(after.trim_start()) else {
            return false;
        };
        rest = match after.trim_start() {
            "" => "",
            more => match more.strip_prefix(';') {
                Some(more) => more,
                None => return false,
            },
        };
    }
}

/// What follows a parameter's value; `None` where there is no value.
fn after_value(text: &str) -> Option<&str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !c.is_ascii() || !is_token_byte(c as u8));
        let end = end.unwrap_or(text.len());
        return (end > 0).then(|| text.get(end..))?;
    };
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return quoted.get(at + 1..),
            '\r' | '\n' => return None,
            _ => {}
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?="#.contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::is_media_type;

    #[test]
    fn media_types_are_told_from_what_only_looks_like_one() {
        for good in [
            "audio/pcm",
            "application/vnd.a+json",
            "text/plain; charset=utf-8",
            "a/b;c=\"d; \\\"e\"; f=g",
            "a/b;",
        ] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in [
            "",
            " a/b",
            "a/b ",
            "a/",
            "/b",
            "a/b/c",
            "a b",
            "a/b; c",
            "a/b; c=1; c=2",
        ] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
