//! The frame: audio, video or binary.

use std::ops::Range;

use super::{Broken, Span};
use crate::limits::{
    MAX_CHANNELS, MAX_CODEC_CHARS, MAX_MEDIA_BYTES, MAX_MIME_TYPE_CHARS, MAX_PICTURE_SIDE,
    MAX_SAMPLE_RATE_HZ, MIN_CHANNELS, MIN_SAMPLE_RATE_HZ,
};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::Rule;
use crate::wire::Cursor;

/// Tag of `timestamp_ms` in an audio or video frame.
const AUDIO_OR_VIDEO_TIME: u32 = 0x28;
/// Tag of `timestamp_ms` in a binary frame.
const BINARY_TIME: u32 = 0x18;

/// Which of the three frames a packet has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum FrameKind {
    /// `AudioFrame`.
    Audio,
    /// `VideoFrame`.
    Video,
    /// `BinaryFrame`.
    Binary,
}

impl FrameKind {
    /// Tag of the frame's `timestamp_ms`.
    pub(super) fn time_tag(self) -> u32 {
        match self {
            Self::Audio | Self::Video => AUDIO_OR_VIDEO_TIME,
            Self::Binary => BINARY_TIME,
        }
    }
}

/// The merged fields of a frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameView {
    kind: FrameKind,
    /// Video: whether the picture is uncompressed.
    raw: bool,
    /// `pcm` or `payload`.
    media: Span,
    /// `codec` or `mime_type`.
    format: Span,
    /// Audio: sample rate; video: width.
    first: u32,
    /// Audio: channels; video: height.
    second: u32,
    timestamp_ms: u64,
}

impl FrameView {
    fn empty(kind: FrameKind) -> Self {
        Self {
            kind,
            raw: false,
            media: Span::default(),
            format: Span::default(),
            first: 0,
            second: 0,
            timestamp_ms: 0,
        }
    }

    /// What an occurrence merges into: a frame of the same kind, else an empty one in its
    /// place (the frame is a oneof).
    #[inline]
    fn of_kind(kind: FrameKind, frame: &mut Option<Self>) -> &mut Self {
        if frame.as_ref().is_some_and(|before| before.kind != kind) {
            *frame = None;
        }
        frame.get_or_insert_with(|| Self::empty(kind))
    }

    /// Merges an occurrence of `audio`.
    #[inline(never)]
    pub(super) fn merge_audio(
        packet: &[u8],
        body: Range<usize>,
        frame: &mut Option<Self>,
    ) -> Result<(), Malformed> {
        let merged = Self::of_kind(FrameKind::Audio, frame);
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            match cursor.tag()? {
                0x0a => merged.media = Span::of(&cursor.len_range()?),
                0x10 => merged.first = cursor.varint32()?,
                0x18 => merged.second = cursor.varint32()?,
                0x22 => merged.format = text_span(&mut cursor)?,
                AUDIO_OR_VIDEO_TIME => merged.timestamp_ms = cursor.varint()?,
                unknown => cursor.skip(unknown)?,
            }
        }
        Ok(())
    }

    /// Merges an occurrence of `video`.
    #[inline(never)]
    pub(super) fn merge_video(
        packet: &[u8],
        body: Range<usize>,
        frame: &mut Option<Self>,
    ) -> Result<(), Malformed> {
        let merged = Self::of_kind(FrameKind::Video, frame);
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            match cursor.tag()? {
                0x0a => merged.media = Span::of(&cursor.len_range()?),
                0x12 => merged.format = text_span(&mut cursor)?,
                0x18 => merged.first = cursor.varint32()?,
                0x20 => merged.second = cursor.varint32()?,
                AUDIO_OR_VIDEO_TIME => merged.timestamp_ms = cursor.varint()?,
                0x30 => merged.raw = cursor.varint()? != 0,
                unknown => cursor.skip(unknown)?,
            }
        }
        Ok(())
    }

    /// Merges an occurrence of `binary`.
    #[inline(never)]
    pub(super) fn merge_binary(
        packet: &[u8],
        body: Range<usize>,
        frame: &mut Option<Self>,
    ) -> Result<(), Malformed> {
        let merged = Self::of_kind(FrameKind::Binary, frame);
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            match cursor.tag()? {
                0x0a => merged.media = Span::of(&cursor.len_range()?),
                0x12 => merged.format = text_span(&mut cursor)?,
                BINARY_TIME => merged.timestamp_ms = cursor.varint()?,
                unknown => cursor.skip(unknown)?,
            }
        }
        Ok(())
    }

    /// Whether the merged frame keeps every limit.
    #[inline]
    pub(super) fn is_sound(&self, packet: &[u8]) -> bool {
        self.media.len() <= MAX_MEDIA_BYTES
            && match self.kind {
                FrameKind::Audio => {
                    rate_is_sound(self.first)
                        && channels_are_sound(self.second)
                        && self.format_is_at_most(packet, MAX_CODEC_CHARS)
                }
                FrameKind::Video => {
                    self.first <= MAX_PICTURE_SIDE
                        && self.second <= MAX_PICTURE_SIDE
                        && self.format_is_at_most(packet, MAX_CODEC_CHARS)
                }
                FrameKind::Binary => self.format_is_at_most(packet, MAX_MIME_TYPE_CHARS),
            }
    }

    /// First broken rule of the merged frame.
    pub(super) fn judge(&self, packet: &[u8]) -> Option<Broken> {
        if self.is_sound(packet) {
            None
        } else {
            Some(self.broken())
        }
    }

    /// Names the rule that a frame which is not sound breaks.
    #[cold]
    fn broken(&self) -> Broken {
        let (media, format) = match self.kind {
            FrameKind::Audio => ("audio.pcm", "audio.codec"),
            FrameKind::Video => ("video.payload", "video.codec"),
            FrameKind::Binary => ("binary.payload", "binary.mime_type"),
        };
        if self.media.len() > MAX_MEDIA_BYTES {
            return Broken::at(media, Rule::BytesMaxLen);
        }
        match self.kind {
            FrameKind::Audio if !rate_is_sound(self.first) => {
                Broken::at("audio.sample_rate_hz", Rule::Int32GteLte)
            }
            FrameKind::Audio if !channels_are_sound(self.second) => {
                Broken::at("audio.channels", Rule::Int32GteLte)
            }
            FrameKind::Video if self.first > MAX_PICTURE_SIDE => {
                Broken::at("video.width", Rule::Uint32Lte)
            }
            FrameKind::Video if self.second > MAX_PICTURE_SIDE => {
                Broken::at("video.height", Rule::Uint32Lte)
            }
            _ => Broken::at(format, Rule::StringMaxLen),
        }
    }

    #[inline]
    fn format_is_at_most(&self, packet: &[u8], max: usize) -> bool {
        self.format.len() <= max || !text::longer_than(self.format.bytes(packet), max)
    }

    /// Which frame it is.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> FrameKind {
        self.kind
    }

    /// Where `pcm` or `payload` is in the packet.
    #[inline]
    #[must_use]
    pub fn media(&self) -> Range<usize> {
        self.media.range()
    }

    /// Media time in milliseconds; `None` for 0 or unset.
    #[inline]
    #[must_use]
    pub fn timestamp_ms(&self) -> Option<u64> {
        (self.timestamp_ms != 0).then_some(self.timestamp_ms)
    }

    #[inline]
    pub(super) fn set_timestamp(&mut self, timestamp_ms: u64) {
        self.timestamp_ms = timestamp_ms;
    }

    /// Codec of audio or video; `None` where empty.
    #[must_use]
    pub fn codec<'a>(&self, packet: &'a [u8]) -> Option<&'a str> {
        (self.kind != FrameKind::Binary && self.format.len() > 0).then(|| self.format.text(packet))
    }

    /// MIME type of a binary frame; `None` where empty.
    #[must_use]
    pub fn mime_type<'a>(&self, packet: &'a [u8]) -> Option<&'a str> {
        (self.kind == FrameKind::Binary && self.format.len() > 0).then(|| self.format.text(packet))
    }

    /// Samples a second of audio.
    #[must_use]
    pub fn sample_rate_hz(&self) -> Option<i32> {
        (self.kind == FrameKind::Audio).then_some(self.first as i32)
    }

    /// Channels of audio.
    #[must_use]
    pub fn channels(&self) -> Option<i32> {
        (self.kind == FrameKind::Audio).then_some(self.second as i32)
    }

    /// Width and height of video, in pixels.
    #[must_use]
    pub fn picture(&self) -> Option<(u32, u32)> {
        (self.kind == FrameKind::Video).then_some((self.first, self.second))
    }

    /// Whether a video frame is an uncompressed picture.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw
    }
}

#[inline]
fn rate_is_sound(rate: u32) -> bool {
    (MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&(rate as i32))
}

#[inline]
fn channels_are_sound(channels: u32) -> bool {
    (MIN_CHANNELS..=MAX_CHANNELS).contains(&(channels as i32))
}

/// The next text of a message, checked to be UTF-8.
#[inline(always)] // a call would force the cursor of the caller into memory
pub(super) fn text_span(cursor: &mut Cursor<'_>) -> Result<Span, Malformed> {
    let bytes = cursor.len_bytes()?;
    let range = cursor.at() - bytes.len()..cursor.at();
    text::check(bytes, range.start)?;
    Ok(Span::of(&range))
}
