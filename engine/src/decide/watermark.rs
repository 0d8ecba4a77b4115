//! The event time of a packet (spec 2.3, watermark): when what it speaks of happened.

use transport_proto::names::metadata as names;
use transport_proto::view::{FrameKind, PacketView};

use crate::route::TimestampSource;

/// Numbers above this count milliseconds, those above [`SECONDS`] count seconds, smaller ones
/// milliseconds again: media time, from zero.
const MILLIS: f64 = 1e12;
const SECONDS: f64 = 1e9;

/// Event time in nanoseconds since 1970; `None` where the packet has none, or one that counts from
/// the start of a medium and so tells no lag.
pub(crate) fn event_time(
    source: &TimestampSource,
    (packet, view): (&[u8], &PacketView),
) -> Option<i64> {
    let said = |key: &str| parsed(view.metadata(packet, key)?);
    let of_frame = |kind: Option<FrameKind>| {
        let frame = view.frame_view()?;
        let fits = kind.is_none_or(|kind| kind == frame.kind());
        absolute(frame.timestamp_ms().filter(|_| fits)? as f64)
    };
    match source {
        TimestampSource::Metadata(key) => said(key),
        TimestampSource::Frame(kind) => of_frame(Some(*kind)),
        TimestampSource::Usual => said(names::ENVELOPE_TIMESTAMP_MS).or_else(|| of_frame(None)),
    }
}

fn parsed(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) => absolute(number),
        Err(_) => chrono::DateTime::parse_from_rfc3339(text)
            .ok()?
            .timestamp_nanos_opt(),
    }
}

fn absolute(number: f64) -> Option<i64> {
    let nanos = match number {
        n if n > MILLIS => n * 1e6,
        n if n > SECONDS => n * 1e9,
        _ => return None,
    };
    // A clock that saturated says nothing.
    (nanos < i64::MAX as f64 / 2.0).then_some(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_seconds_or_milliseconds_by_their_size_and_texts_are_rfc_3339() {
        assert_eq!(parsed("1700000000"), Some(1_700_000_000_000_000_000));
        assert_eq!(parsed(" 1700000000000 "), Some(1_700_000_000_000_000_000));
        let text = "2023-11-14T23:13:20+01:00";
        assert_eq!(parsed(text), Some(1_700_000_000_000_000_000));
        assert_eq!(parsed("160"), None, "media time");
        assert_eq!(parsed("soon"), None);
        assert_eq!(parsed("NaN"), None);
    }
}
