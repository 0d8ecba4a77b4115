//! Media: sound, pictures, other bytes.

use std::time::Duration;

use bytes::Bytes;

/// A place in a stream's media, in nanoseconds. The wire carries whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime {
    nanos: i64,
}

impl MediaTime {
    /// From nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// From the milliseconds of the wire. Past 9223372036854 they wrap, as in the Go SDK.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self {
            nanos: (millis as i64).wrapping_mul(1_000_000),
        }
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// Whole milliseconds; 0 for a negative time.
    #[must_use]
    pub const fn millis(self) -> u64 {
        if self.nanos < 0 {
            0
        } else {
            (self.nanos / 1_000_000) as u64
        }
    }
}

impl From<Duration> for MediaTime {
    fn from(duration: Duration) -> Self {
        Self::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioFrame {
    /// Samples, encoded as `codec` says; at most 10 MiB.
    pub pcm: Bytes,
    /// Samples a second: 8000 to 192000.
    pub sample_rate_hz: i32,
    /// 1 to 8.
    pub channels: i32,
    /// `pcm16`, `opus`, ...; at most 32 characters.
    pub codec: String,
    /// Place in the stream.
    pub timestamp: MediaTime,
}

impl AudioFrame {
    /// Little-endian 16-bit samples, channels interleaved.
    #[must_use]
    pub fn pcm16(pcm: impl Into<Bytes>, sample_rate_hz: i32, channels: i32) -> Self {
        Self {
            pcm: pcm.into(),
            sample_rate_hz,
            channels,
            codec: "pcm16".to_owned(),
            timestamp: MediaTime::default(),
        }
    }

    /// Sets the place in the stream.
    #[must_use]
    pub fn at(mut self, timestamp: impl Into<MediaTime>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}

/// A picture, or a piece of an encoded video stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoFrame {
    /// The picture; at most 10 MiB.
    pub payload: Bytes,
    /// `vp8`, `h264`, ...; needed unless `raw`; at most 32 characters.
    pub codec: String,
    /// Pixels, at most 16384; needed where `raw`.
    pub width: u32,
    /// Pixels, at most 16384; needed where `raw`.
    pub height: u32,
    /// Place in the stream.
    pub timestamp: MediaTime,
    /// Whether the picture is uncompressed.
    pub raw: bool,
}

/// Other bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BinaryFrame {
    /// The bytes; at most 10 MiB.
    pub payload: Bytes,
    /// Media type; empty means `application/octet-stream`; at most 255 characters.
    pub mime_type: String,
    /// Place in the stream.
    pub timestamp: MediaTime,
}

impl BinaryFrame {
    /// Bytes of a media type.
    #[must_use]
    pub fn new(payload: impl Into<Bytes>, mime_type: impl Into<String>) -> Self {
        Self {
            payload: payload.into(),
            mime_type: mime_type.into(),
            timestamp: MediaTime::default(),
        }
    }
}
