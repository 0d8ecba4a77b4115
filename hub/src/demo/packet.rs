//! What the demo's engrams say to each other, as packets of the contract (spec 1).
//!
//! Owns the metadata keys and their meaning. Never sends anything.
//!
//! | packet | frame | metadata |
//! | --- | --- | --- |
//! | audio | the AudioFrame | `type`, `demo.frame`, `demo.sent_ns`; after detection `demo.segment` |
//! | segment ended | none | `type`, `demo.segment`, `demo.first`, `demo.last` |
//! | end of stream | none | `demo.end`: how many frames the sender has sent |

use super::labels::SegmentNumber;
use super::progress::Stamp;
use super::recording::FrameNumber;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use transport_proto::v1::data_packet::Frame;
use transport_proto::v1::{AudioFrame, DataPacket, ProcessRequest};

const TYPE: &str = "type";
const FRAME: &str = "demo.frame";
const SENT: &str = "demo.sent_ns";
const SEGMENT: &str = "demo.segment";
const FIRST: &str = "demo.first";
const LAST: &str = "demo.last";
const END: &str = "demo.end";
/// Spec 2.6: a packet that only says that its sender is alive.
const HEARTBEAT: &str = "bubu-heartbeat";

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: SegmentNumber,
    pub(super) first: FrameNumber,
    pub(super) last: FrameNumber,
}

/// A packet of the demo.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Packet {
    Audio(Audio),
    SegmentEnd(Segment),
    End { frames: u32 },
    Heartbeat,
}

/// A packet that none of the demo's engrams has sent, or that was changed on the way.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a packet arrived that no engram of the demo sends: {0}")]
pub(super) struct Foreign(String);

type Metadata = BTreeMap<String, String>;

impl From<Packet> for ProcessRequest {
    fn from(packet: Packet) -> Self {
        let mut metadata = Metadata::new();
        let mut put = |key: &str, value: &dyn Display| {
            metadata.insert(key.to_owned(), value.to_string());
        };
        let frame = match packet {
            Packet::Audio(audio) => {
                put(FRAME, &audio.number.0);
                put(SENT, &audio.sent.0);
                match audio.segment {
                    None => put(TYPE, &"speech.audio.v1"),
                    Some(segment) => {
                        put(TYPE, &"speech.vad.active");
                        put(SEGMENT, &segment);
                    }
                }
                Some(Frame::Audio(audio.media))
            }
            Packet::SegmentEnd(segment) => {
                put(TYPE, &"speech.vad.inactive");
                put(SEGMENT, &segment.number);
                put(FIRST, &segment.first.0);
                put(LAST, &segment.last.0);
                None
            }
            Packet::End { frames } => {
                put(END, &frames);
                None
            }
            Packet::Heartbeat => {
                put(HEARTBEAT, &true);
                None
            }
        };
        Self {
            packet: Some(DataPacket {
                metadata,
                frame,
                ..DataPacket::default()
            }),
            flow: None,
        }
    }
}

impl TryFrom<DataPacket> for Packet {
    type Error = Foreign;

    fn try_from(packet: DataPacket) -> Result<Self, Foreign> {
        let metadata = packet.metadata;
        if metadata.get(HEARTBEAT).is_some_and(|value| value == "true") {
            return Ok(Self::Heartbeat);
        }
        match packet.frame {
            Some(Frame::Audio(media)) => Ok(Self::Audio(Audio {
                number: FrameNumber(number(&metadata, FRAME)?),
                segment: metadata
                    .contains_key(SEGMENT)
                    .then(|| number(&metadata, SEGMENT).map(SegmentNumber))
                    .transpose()?,
                sent: Stamp(number(&metadata, SENT)?),
                media,
            })),
            Some(_) => Err(Foreign("its frame is not audio".to_owned())),
            None if metadata.contains_key(END) => Ok(Self::End {
                frames: number(&metadata, END)?,
            }),
            None => Ok(Self::SegmentEnd(Segment {
                number: SegmentNumber(number(&metadata, SEGMENT)?),
                first: FrameNumber(number(&metadata, FIRST)?),
                last: FrameNumber(number(&metadata, LAST)?),
            })),
        }
    }
}

fn number<N: FromStr>(metadata: &Metadata, key: &str) -> Result<N, Foreign> {
    let value = metadata.get(key);
    value
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Foreign(format!("metadata {key} is {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through_the_wire(packet: Packet) -> Result<Packet, Foreign> {
        ProcessRequest::from(packet).packet.unwrap().try_into()
    }

    #[test]
    fn every_packet_is_read_as_it_was_written() {
        let audio = Audio {
            number: FrameNumber(7),
            segment: None,
            sent: Stamp(123_456_789),
            media: AudioFrame {
                pcm: vec![1, 2].into(),
                timestamp_ms: 140,
                ..AudioFrame::default()
            },
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
            Packet::Heartbeat,
        ] {
            assert_eq!(through_the_wire(packet.clone()), Ok(packet));
        }
    }

    #[test]
    fn a_packet_without_its_number_is_foreign() {
        let nameless = DataPacket {
            frame: Some(Frame::Audio(AudioFrame::default())),
            ..DataPacket::default()
        };
        let refused = Packet::try_from(nameless).unwrap_err();
        assert!(refused.to_string().contains("demo.frame"), "{refused}");
    }
}
