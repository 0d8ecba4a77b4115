//! Packets as engrams send them, of a given size of media.

#![allow(dead_code, reason = "each bench uses its own part of it")]

use bytes::Bytes;
use prost::Message;
use transport_proto::v1::{AudioFrame, DataPacket, StreamEnvelope, data_packet::Frame};

/// Bytes of media in the benched packets.
pub(crate) const MEDIA_SIZES: [usize; 3] = [80, 640, 64 * 1024];

/// An audio packet of a voice story: 5 metadata entries, a frame, an envelope.
pub(crate) fn audio(media: usize) -> Vec<u8> {
    audio_packet(media).encode_to_vec()
}

/// The same, decoded.
pub(crate) fn audio_packet(media: usize) -> DataPacket {
    let metadata = [
        ("storyrun-name", "support-call-7f3a"),
        ("storyrun-namespace", "voice"),
        ("current-step-id", "transcribe"),
        ("type", "speech.audio.v1"),
        ("participant.id", "caller-1"),
    ];
    DataPacket {
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        frame: Some(Frame::Audio(AudioFrame {
            pcm: Bytes::from(vec![0x5a; media]),
            sample_rate_hz: 48_000,
            channels: 1,
            codec: "pcm16".to_owned(),
            timestamp_ms: 1_234_560,
        })),
        envelope: Some(StreamEnvelope {
            stream_id: "voice/support-call-7f3a/listen@k3x9".to_owned(),
            sequence: 61_728,
            ..StreamEnvelope::default()
        }),
        ..DataPacket::default()
    }
}
