//! What ends the session of an engram on the public SDK, as the contract's limits (spec 1) and the
//! section on Data from hub to engram (spec 3) say it.
//!
//! Written from those pages alone: calls nothing of what the hub judges packets with.

use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use transport_proto::v1::{self, data_response::Frame};

use super::json::{Json, Object};

const MIB: usize = 1 << 20;
const LATEST_MS: u64 = 9_223_372_036_854;
pub const ENVELOPE: &str = "application/vnd.bubu.packet+json";

/// Why an engram's session would end with `message`; `None` where it would not.
pub fn deadly(message: &v1::DataResponse) -> Option<String> {
    // One without a frame is a heartbeat, whatever else is in it.
    message.frame.as_ref()?;
    if message.encoded_len() > 10 * MIB {
        return Some(format!("{} bytes in all", message.encoded_len()));
    }
    let rules = [limits(message), frame(message), chunk(message)];
    if let Some(broken) = rules.into_iter().flatten().next() {
        return Some(broken);
    }
    // What a piece of a payload says, nobody reads before all of them are there.
    if message.envelope.as_ref().is_some_and(|e| e.chunk_count > 1) {
        return None;
    }
    documents(message)
}

fn says(holds: bool, what: &str) -> Option<String> {
    (!holds).then(|| what.to_owned())
}

fn first<const N: usize>(rules: [(bool, &str); N]) -> Option<String> {
    rules
        .into_iter()
        .find_map(|(holds, what)| says(holds, what))
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most
}

fn limits(message: &v1::DataResponse) -> Option<String> {
    let metadata = &message.metadata;
    let e = message.envelope.clone().unwrap_or_default();
    let key = |key: &String| !key.is_empty() && fits(key, 128) && key.trim() == key;
    let config = |t: &v1::TransportDescriptor| {
        let config = t.typed_config.clone().unwrap_or_default();
        fits(&config.transport_ref, 253) && fits(&config.mode_reason, 512)
    };
    let named = |t: &v1::TransportDescriptor| {
        fits(&t.name, 128) && fits(&t.kind, 128) && fits(&t.mode, 128)
    };
    let all = &message.transports;
    first([
        (metadata.len() <= 100, "more than 100 metadata pairs"),
        (metadata.keys().all(key), "a metadata key"),
        (metadata.values().all(|v| fits(v, 1024)), "a metadata value"),
        (all.len() <= 10, "more than 10 transports"),
        (all.iter().all(named), "a transport's name, kind or mode"),
        (all.iter().all(config), "a transport's configuration"),
        (fits(&e.stream_id, 128), "a stream id"),
        (fits(&e.partition, 128), "a partition"),
        (fits(&e.chunk_id, 128), "a chunk id"),
        (e.chunk_count <= 256, "a chunk count"),
        (e.chunk_bytes as usize <= 10 * MIB, "the bytes of a chunk"),
        (
            e.total_bytes as usize <= 64 * MIB,
            "the bytes of all chunks",
        ),
    ])
}

fn frame(message: &v1::DataResponse) -> Option<String> {
    let codec = |codec: &str| fits(codec, 32) && codec.trim() == codec;
    match message.frame.as_ref()? {
        Frame::Audio(audio) => first([
            (!audio.pcm.is_empty(), "audio without pcm"),
            (audio.pcm.len() <= 10 * MIB, "too much pcm"),
            ((8000..=192_000).contains(&audio.sample_rate_hz), "a rate"),
            ((1..=8).contains(&audio.channels), "channels"),
            (codec(&audio.codec), "an audio codec"),
            (audio.timestamp_ms <= LATEST_MS, "the time of audio"),
        ]),
        Frame::Video(video) => first([
            (!video.payload.is_empty(), "video without payload"),
            (video.payload.len() <= 10 * MIB, "too much video"),
            (video.width <= 16384 && video.height <= 16384, "a size"),
            (codec(&video.codec), "a video codec"),
            (video.raw || !video.codec.is_empty(), "encoded, no codec"),
            (!video.raw || video.width * video.height > 0, "raw, no size"),
            (video.timestamp_ms <= LATEST_MS, "the time of video"),
        ]),
        Frame::Binary(binary) => first([
            (!binary.payload.is_empty(), "a frame without payload"),
            (binary.payload.len() <= 10 * MIB, "too much payload"),
            (fits(&binary.mime_type, 255), "a long media type"),
            (is_media_type(&binary.mime_type), "a malformed media type"),
            (binary.timestamp_ms <= LATEST_MS, "the time of a frame"),
        ]),
    }
}

fn chunk(message: &v1::DataResponse) -> Option<String> {
    let e = message.envelope.clone().unwrap_or_default();
    if e.chunk_count == 0 {
        let unset = e.chunk_id.is_empty() && e.chunk_index == 0;
        let unset = unset && e.chunk_bytes == 0 && e.total_bytes == 0;
        return says(unset, "chunk fields without a count");
    }
    let Some(Frame::Binary(binary)) = &message.frame else {
        return Some("a chunk that is no binary frame".to_owned());
    };
    let len = binary.payload.len();
    let said = |said: u32| said == 0 || said as usize == len;
    first([
        (!e.chunk_id.is_empty(), "a chunk without id"),
        (!e.stream_id.is_empty(), "a chunk without stream"),
        (e.chunk_index < e.chunk_count, "a chunk's index"),
        (said(e.chunk_bytes), "a chunk of another size"),
        (e.chunk_count > 1 || said(e.total_bytes), "another total"),
        (e.total_bytes as usize <= 10 * MIB, "chunks past 10 MiB"),
    ])
}

/// Kind, envelope and Structs.
fn documents(message: &v1::DataResponse) -> Option<String> {
    let named = message.metadata.get("bubu.envelope.kind");
    let mut kind = named.map_or("", |kind| kind.trim()).to_owned();
    let mut says_payload = false;
    let mut says_inputs = false;
    let mut is_structured = false;
    let frame = message.frame.as_ref()?;
    let is_binary = matches!(frame, Frame::Binary(_));
    if let Frame::Binary(binary) = frame
        && essence(&binary.mime_type) == ENVELOPE
    {
        is_structured = true;
        let Some(object) = Object::read(&binary.payload) else {
            return Some("an envelope that is no object".to_owned());
        };
        if let Some(broken) = members(&object) {
            return Some(broken);
        }
        if let Some(Json::Text(own)) = object.get("kind")
            && kind.is_empty()
        {
            kind = own.trim().to_owned();
        }
        says_payload = object.has("payload");
        says_inputs = object.has("inputs");
    }
    let is_kind_char = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !kind.chars().all(is_kind_char) {
        return Some(format!("kind {kind:?}"));
    }
    let reads_payload = !is_binary || is_structured && !says_payload;
    let unread = |body: &Option<Struct>, is_read: bool| {
        !is_read
            || body
                .as_ref()
                .is_none_or(|body| body.fields.values().all(is_sayable))
    };
    let kind = kind.to_lowercase();
    let has_payload = says_payload || message.payload.is_some();
    let is_error = kind == "error";
    first([
        (
            !matches!(&*kind, "heartbeat" | "noop"),
            "a noop with content",
        ),
        (!is_error || has_payload, "an error without payload"),
        (!is_error || is_structured, "an error with a media frame"),
        (!is_error || !says_payload, "an error whose frame has it"),
        (unread(&message.payload, reads_payload), "a payload Struct"),
        (unread(&message.inputs, !says_inputs), "an inputs Struct"),
    ])
}

fn members(object: &Object) -> Option<String> {
    let is_text = |name: &str| matches!(object.get(name), None | Some(Json::Text(_)));
    let time = match object.get("timestampms") {
        None => true,
        Some(Json::Whole(time)) => u64::try_from(*time).is_ok_and(|time| time <= LATEST_MS),
        Some(_) => false,
    };
    let metadata = match object.get("metadata") {
        None => true,
        Some(Json::Object(pairs)) => pairs.all(|v| matches!(v, Json::Text(_) | Json::Null)),
        Some(_) => false,
    };
    let transports = match object.get("transports") {
        None => true,
        Some(Json::List(all)) => all.len() <= 10 && all.iter().all(is_transport),
        Some(_) => false,
    };
    first([
        (is_text("kind"), "a kind that is no text"),
        (is_text("version"), "a version that is no text"),
        (is_text("messageid"), "a message id that is no text"),
        (time, "an envelope's time"),
        (metadata, "an envelope's metadata"),
        (transports, "an envelope's transports"),
    ])
}

fn is_transport(value: &Json) -> bool {
    let Json::Object(object) = value else {
        return *value == Json::Null;
    };
    let is_text = |of: &Object, name: &str| matches!(of.get(name), None | Some(Json::Text(_)));
    let config = match object.get("typedconfig") {
        None => true,
        Some(Json::Object(config)) => {
            is_text(config, "transportref") && is_text(config, "modereason")
        }
        Some(_) => false,
    };
    config
        && ["name", "kind", "mode"]
            .iter()
            .all(|name| is_text(object, name))
}

fn is_sayable(value: &Value) -> bool {
    match &value.kind {
        None => false,
        Some(Kind::NumberValue(number)) => number.is_finite(),
        Some(Kind::StructValue(body)) => body.fields.values().all(is_sayable),
        Some(Kind::ListValue(list)) => list.values.iter().all(is_sayable),
        Some(_) => true,
    }
}

pub fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_lowercase()
}

/// RFC 2045: a token, or two with a slash between, and parameters of different names.
fn is_media_type(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return true;
    }
    let token = |text: &str| {
        let special = |c: char| "()<>@,;:\\\"/[]?=".contains(c);
        let fits = |c: char| c.is_ascii_graphic() && !special(c);
        !text.is_empty() && text.chars().all(fits)
    };
    let mut parts = text.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    let whole = match essence.split_once('/') {
        Some((kind, subtype)) => token(kind) && token(subtype),
        None => token(essence),
    };
    let mut names = Vec::new();
    let mut parts: Vec<&str> = parts.map(str::trim).collect();
    parts.pop_if(|last| last.is_empty());
    whole
        && parts.into_iter().all(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return false;
            };
            let (name, value) = (name.trim().to_lowercase(), value.trim());
            let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
            let fits = token(&name) && (quoted || token(value)) && !names.contains(&name);
            names.push(name);
            fits
        })
}
