//! What the demo's engrams say to each other, as messages of streams (spec 1, 3).
//!
//! Owns the metadata keys and their meaning. Never sends anything.
//!
//! | packet | metadata `type` | what else |
//! | --- | --- | --- |
//! | audio | `speech.audio.v1` | the frame; metadata `demo.frame`, `demo.sent_ns` |
//! | audio after detection | `speech.vad.active` | the same, and `demo.segment` |
//! | segment ended | `speech.vad.inactive` | payload: number, first and last frame |
//! | end of stream | `demo.end` | payload: how many frames the sender has sent |

use super::labels::SegmentNumber;
use super::progress::Stamp;
use super::recording::FrameNumber;
use engram::{AudioFrame, StreamMessage};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::str::FromStr;

const TYPE: &str = "type";
const SOUND: &str = "speech.audio.v1";
const SPEECH: &str = "speech.vad.active";
const SILENCE: &str = "speech.vad.inactive";
const ENDED: &str = "demo.end";
const FRAME: &str = "demo.frame";
const SENT: &str = "demo.sent_ns";
const SEGMENT: &str = "demo.segment";

/// One frame of the recording under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Audio {
    pub(super) number: FrameNumber,
    /// Set once a detector has found it to be part of one.
    pub(super) segment: Option<SegmentNumber>,
    /// When the engram upstream sent it.
    pub(super) sent: Stamp,
    pub(super) media: AudioFrame,
}

/// A stretch of speech that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) number: SegmentNumber,
    pub(super) first: FrameNumber,
    pub(super) last: FrameNumber,
}

/// How many frames were sent before the end.
#[derive(Serialize, Deserialize)]
struct End {
    frames: u32,
}

/// A packet of the demo.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Packet {
    Audio(Audio),
    SegmentEnd(Segment),
    End { frames: u32 },
}

/// A packet that none of the demo's engrams has sent, or that was changed on the way.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a packet arrived that no engram of the demo sends: {0}")]
pub(super) struct Foreign(String);

impl From<Packet> for StreamMessage {
    fn from(packet: Packet) -> Self {
        let typed = |name| Self::data().with_metadata(TYPE, name);
        match packet {
            Packet::Audio(audio) => {
                let message = match audio.segment {
                    None => typed(SOUND),
                    Some(segment) => typed(SPEECH).with_metadata(SEGMENT, segment.to_string()),
                };
                message
                    .with_metadata(FRAME, audio.number.0.to_string())
                    .with_metadata(SENT, audio.sent.0.to_string())
                    .with_audio(audio.media)
            }
            Packet::SegmentEnd(segment) => typed(SILENCE).with_payload(json!(segment).to_string()),
            Packet::End { frames } => typed(ENDED).with_payload(json!(End { frames }).to_string()),
        }
    }
}

impl TryFrom<&StreamMessage> for Packet {
    type Error = Foreign;

    fn try_from(message: &StreamMessage) -> Result<Self, Foreign> {
        let unread = |error: serde_json::Error| Foreign(format!("its payload: {error}"));
        let name = message.metadata.get(TYPE).map(String::as_str);
        match (name, &message.audio) {
            (Some(SOUND | SPEECH), Some(media)) => Ok(Self::Audio(Audio {
                number: FrameNumber(number(message, FRAME)?),
                segment: match name {
                    Some(SPEECH) => Some(SegmentNumber(number(message, SEGMENT)?)),
                    _ => None,
                },
                sent: Stamp(number(message, SENT)?),
                media: media.clone(),
            })),
            (Some(SILENCE), None) => message.payload_as().map(Self::SegmentEnd).map_err(unread),
            (Some(ENDED), None) => {
                let End { frames } = message.payload_as().map_err(unread)?;
                Ok(Self::End { frames })
            }
            _ => Err(Foreign(format!("its metadata {TYPE} is {name:?}"))),
        }
    }
}

fn number<N: FromStr>(message: &StreamMessage, key: &str) -> Result<N, Foreign> {
    let value = message.metadata.get(key);
    value
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Foreign(format!("metadata {key} is {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_is_read_as_it_was_written() {
        let audio = Audio {
            number: FrameNumber(7),
            segment: None,
            sent: Stamp(123_456_789),
            media: AudioFrame::pcm16(vec![1, 2], 16_000, 1),
        };
        for packet in [
            Packet::Audio(audio.clone()),
            Packet::Audio(Audio {
                segment: Some(SegmentNumber(3)),
                ..audio
            }),
            Packet::SegmentEnd(Segment {
                number: SegmentNumber(3),
                first: FrameNumber(4),
                last: FrameNumber(9),
            }),
            Packet::End { frames: 12 },
        ] {
            let message = StreamMessage::from(packet.clone());
            assert_eq!(message.validate(), Ok(()));
            assert_eq!(Packet::try_from(&message), Ok(packet));
        }
    }

    #[track_caller]
    fn assert_foreign(message: &StreamMessage, why: &str) {
        let refused = Packet::try_from(message).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }

    #[test]
    fn a_packet_without_its_number_is_foreign() {
        let sound = AudioFrame::pcm16(vec![1, 2], 16_000, 1);
        let nameless = StreamMessage::data().with_audio(sound);
        assert_foreign(&nameless, "metadata type is None");
        let typed = nameless.with_metadata(TYPE, SOUND);
        assert_foreign(&typed, "metadata demo.frame is None");
    }

    #[test]
    fn a_packet_whose_payload_is_another_is_foreign() {
        let end = StreamMessage::data().with_metadata(TYPE, ENDED);
        assert_foreign(&end.with_payload("{\"frames\":-1}"), "its payload");
    }
}
