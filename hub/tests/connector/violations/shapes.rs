//! The packets that rules are broken on: every shape that the contract knows, small and large (large
//! fields leave the hub as slices of what came in, small ones copied).

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::json;
use transport_proto::v1::{self, data_packet::Frame};

use super::oracle::ENVELOPE;
use crate::engram::owned;

pub type Packet = v1::DataPacket;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Audio,
    Video,
    Raw,
    Binary,
    /// A structured packet as the SDK sends it.
    Envelope,
    /// The same of which only the frame says what it is.
    Alone,
    /// A structured packet that has only Structs.
    Bare,
    Error,
    Hook,
    Noop,
}

use Shape::{Alone, Audio, Bare, Binary, Envelope, Error, Hook, Noop, Raw, Video};

pub const ALL: &[Shape] = &[
    Audio, Video, Raw, Binary, Envelope, Alone, Bare, Error, Hook, Noop,
];
/// Those that an engram sees.
pub const SAYING: &[Shape] = &[
    Audio, Video, Raw, Binary, Envelope, Alone, Bare, Error, Hook,
];
pub const MEDIA: &[Shape] = &[Audio, Video, Raw, Binary];
pub const PICTURES: &[Shape] = &[Video, Raw];
pub const CODED: &[Shape] = &[Audio, Video, Raw];
/// Those whose frame is a JSON envelope.
pub const STRUCTURED: &[Shape] = &[Envelope, Alone, Error];
pub const FRAMED: &[Shape] = &[Audio, Video, Raw, Binary, Envelope, Alone, Error];
/// Those that say no kind in their metadata, or an ordinary one.
pub const PLAIN: &[Shape] = &[Audio, Video, Raw, Binary, Envelope, Alone, Bare];
/// Those of which the Structs are read.
pub const READ: &[Shape] = &[Audio, Video, Raw, Bare];

impl Shape {
    /// A packet of this shape, in order; `size` is that of its largest field, in bytes.
    pub fn packet(self, size: usize) -> Packet {
        let mut packet = Packet::default();
        match self {
            Audio => packet.frame = Some(Frame::Audio(audio(size))),
            Video => packet.frame = Some(Frame::Video(video(size))),
            Raw => {
                packet.frame = Some(Frame::Video(v1::VideoFrame {
                    codec: String::new(),
                    raw: true,
                    ..video(size)
                }));
            }
            Binary => packet.frame = Some(Frame::Binary(binary(&vec![b'x'; size], "a/b"))),
            Envelope => {
                packet.metadata = owned(&[("bubu.envelope.kind", "data")]);
                packet.payload = Some(object("text", &"x".repeat(size)));
                packet.frame = Some(enveloped(
                    json!({"kind": "data", "payload": {"a": "x".repeat(size)}}),
                ));
            }
            Alone => {
                packet.frame = Some(enveloped(json!({"payload": {"a": "x".repeat(size)}})));
            }
            Bare => packet.payload = Some(object("text", &"x".repeat(size))),
            Error => {
                packet.metadata = owned(&[("bubu.envelope.kind", "error")]);
                packet.payload = Some(object("message", &"x".repeat(size)));
                let payload = json!({"message": "x".repeat(size)});
                packet.frame = Some(enveloped(json!({"kind": "error", "payload": payload})));
            }
            Hook => {
                packet.metadata = owned(&[("kind", "hook"), ("type", "steprun.ready")]);
                packet.payload = Some(object("kind", &"h".repeat(size)));
            }
            Noop => {
                packet.metadata = owned(&[("bubu.envelope.kind", "noop")]);
                packet.payload = Some(object("a", &"x".repeat(size)));
                packet.frame = Some(enveloped(json!({"kind": "noop"})));
            }
        }
        if matches!(self, Audio | Video | Raw) {
            packet.payload = Some(object("said", "payload"));
            packet.inputs = Some(object("said", "inputs"));
        }
        packet
    }
}

fn audio(size: usize) -> v1::AudioFrame {
    v1::AudioFrame {
        pcm: vec![7; size].into(),
        sample_rate_hz: 16_000,
        channels: 1,
        codec: "pcm16".into(),
        timestamp_ms: 40,
    }
}

fn video(size: usize) -> v1::VideoFrame {
    v1::VideoFrame {
        payload: vec![9; size].into(),
        codec: "vp8".into(),
        width: 640,
        height: 480,
        timestamp_ms: 40,
        raw: false,
    }
}

pub fn binary(payload: &[u8], media_type: &str) -> v1::BinaryFrame {
    v1::BinaryFrame {
        payload: payload.to_vec().into(),
        mime_type: media_type.into(),
        timestamp_ms: 40,
    }
}

fn enveloped(json: serde_json::Value) -> Frame {
    Frame::Binary(binary(json.to_string().as_bytes(), ENVELOPE))
}

/// An object with one text in it.
pub fn object(key: &str, value: &str) -> Struct {
    holding(key, Some(Kind::StringValue(value.to_owned())))
}

pub fn holding(key: &str, kind: Option<Kind>) -> Struct {
    Struct {
        fields: [(key.to_owned(), Value { kind })].into(),
    }
}

/// The same packet as clients of the connector contract send it.
pub fn as_data(packet: &Packet) -> v1::DataRequest {
    use v1::data_request::Frame as Of;
    let packet = packet.clone();
    v1::DataRequest {
        metadata: packet.metadata,
        payload: packet.payload,
        inputs: packet.inputs,
        transports: packet.transports,
        envelope: packet.envelope,
        frame: packet.frame.map(|frame| match frame {
            Frame::Audio(audio) => Of::Audio(audio),
            Frame::Video(video) => Of::Video(video),
            Frame::Binary(binary) => Of::Binary(binary),
        }),
    }
}

/// Has `edit` done to what `packet` has of it.
pub fn on_audio(packet: &mut Packet, edit: impl FnOnce(&mut v1::AudioFrame)) {
    if let Some(Frame::Audio(audio)) = &mut packet.frame {
        edit(audio);
    }
}

pub fn on_video(packet: &mut Packet, edit: impl FnOnce(&mut v1::VideoFrame)) {
    if let Some(Frame::Video(video)) = &mut packet.frame {
        edit(video);
    }
}

pub fn on_binary(packet: &mut Packet, edit: impl FnOnce(&mut v1::BinaryFrame)) {
    if let Some(Frame::Binary(binary)) = &mut packet.frame {
        edit(binary);
    }
}

pub fn on_envelope(packet: &mut Packet, edit: impl FnOnce(&mut v1::StreamEnvelope)) {
    edit(packet.envelope.get_or_insert_default());
}

/// Gives the frame, whichever it is, a time.
pub fn set_time(packet: &mut Packet, at: u64) {
    on_audio(packet, |audio| audio.timestamp_ms = at);
    on_video(packet, |video| video.timestamp_ms = at);
    on_binary(packet, |binary| binary.timestamp_ms = at);
}

pub fn set_codec(packet: &mut Packet, codec: &str) {
    on_audio(packet, |audio| audio.codec = codec.into());
    on_video(packet, |video| video.codec = codec.into());
}

pub fn clear_media(packet: &mut Packet) {
    on_audio(packet, |audio| audio.pcm.clear());
    on_video(packet, |video| video.payload.clear());
    on_binary(packet, |binary| binary.payload.clear());
}
