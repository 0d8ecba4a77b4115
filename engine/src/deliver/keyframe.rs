//! Whether decoding can begin at a video frame.
//!
//! Looks at the first bytes of a frame only where a video lane asks. What is not known to depend
//! on earlier frames (raw pictures, unknown codecs) counts as a key frame.

use transport_proto::view::{FrameKind, PacketView};

/// H.264 NAL unit types (ITU-T H.264, table 7-1).
const H264_IDR: u8 = 5;
/// H.265 NAL unit types of intra random access points (ITU-T H.265, table 7-1).
const H265_IRAP: std::ops::RangeInclusive<u8> = 16..=23;
/// AV1 OBU type of a sequence header (AV1 specification 5.3.2); encoders put it before key frames.
const AV1_SEQUENCE_HEADER: u8 = 1;

/// Whether a decoder can begin at this packet's frame.
pub(crate) fn starts_decoding(view: &PacketView, packet: &[u8]) -> bool {
    let Some(frame) = view.frame_view().filter(|f| f.kind() == FrameKind::Video) else {
        return true;
    };
    if frame.is_raw() {
        return true;
    }
    let bytes = packet.get(frame.media()).unwrap_or_default();
    let codec = frame.codec(packet).unwrap_or_default();
    let is = |name: &str| codec.eq_ignore_ascii_case(name);
    if is("vp8") {
        // RFC 6386, 9.1: the lowest bit of the frame tag is 0 in a key frame.
        bytes.first().is_none_or(|b| b & 1 == 0)
    } else if is("vp9") {
        vp9(bytes)
    } else if is("h264") || is("avc") {
        nal_units(bytes).any(|unit| unit.first().is_some_and(|b| b & 0x1f == H264_IDR))
    } else if is("h265") || is("hevc") {
        nal_units(bytes).any(|unit| {
            unit.first()
                .is_some_and(|b| H265_IRAP.contains(&(b >> 1 & 0x3f)))
        })
    } else if is("av1") {
        av1(bytes)
    } else {
        true
    }
}

/// VP9 uncompressed header: marker `10`, profile, (reserved in profile 3), show_existing_frame,
/// frame_type (VP9 bitstream specification 6.2).
fn vp9(bytes: &[u8]) -> bool {
    let Some(&first) = bytes.first() else {
        return true;
    };
    let shift = if first >> 4 & 0b11 == 0b11 { 1 } else { 2 };
    let shows_existing = first >> (shift + 1) & 1 == 1;
    !shows_existing && first >> shift & 1 == 0
}

/// The first OBUs of a temporal unit, up to a sequence header.
fn av1(mut bytes: &[u8]) -> bool {
    while let Some((&header, rest)) = bytes.split_first() {
        if header >> 3 & 0xf == AV1_SEQUENCE_HEADER {
            return true;
        }
        let rest = rest.get(usize::from(header >> 2 & 1)..).unwrap_or_default();
        if header >> 1 & 1 == 0 {
            return false;
        }
        let (len, used) = leb128(rest);
        bytes = rest.get(used.saturating_add(len)..).unwrap_or_default();
    }
    false
}

/// A number of up to eight bytes, and how many it took.
fn leb128(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (usize::try_from(value).unwrap_or(usize::MAX), at + 1);
        }
    }
    (usize::MAX, 8)
}

/// NAL units of an access unit, after start codes (Annex B) or four-byte lengths.
fn nal_units(bytes: &[u8]) -> Box<dyn Iterator<Item = &[u8]> + '_> {
    if bytes.starts_with(&[0, 0, 1]) || bytes.starts_with(&[0, 0, 0, 1]) {
        let starts = bytes.windows(3).enumerate();
        let starts = starts.filter(|(_, window)| *window == [0, 0, 1]);
        return Box::new(starts.filter_map(|(at, _)| bytes.get(at + 3..)));
    }
    let mut rest = bytes;
    Box::new(std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let len = u32::from_be_bytes(*len) as usize;
        let unit = after.get(..len.min(after.len()))?;
        rest = after.get(len..).unwrap_or_default();
        Some(unit)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annex_b_and_length_prefixed_units_are_found() {
        let annex_b = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65, 7];
        let heads: Vec<u8> = nal_units(&annex_b).map(|u| u[0] & 0x1f).collect();
        assert_eq!(heads, [7, H264_IDR]);
        let prefixed = [0, 0, 0, 2, 0x61, 1, 0, 0, 0, 1, 0x65];
        let heads: Vec<u8> = nal_units(&prefixed).map(|u| u[0] & 0x1f).collect();
        assert_eq!(heads, [1, H264_IDR]);
        assert_eq!(nal_units(&[0, 0, 0, 99, 5]).count(), 1, "a cut unit ends");
    }

    #[test]
    fn vp9_key_frames_are_told_from_inter_and_repeated_ones() {
        assert!(vp9(&[0b1000_0000]));
        assert!(!vp9(&[0b1000_0100]), "inter");
        assert!(!vp9(&[0b1000_1000]), "shows an existing frame");
        assert!(vp9(&[0b1011_0000]), "profile 3 has one bit more");
        assert!(!vp9(&[0b1011_0010]));
    }

    #[test]
    fn an_av1_sequence_header_is_found_behind_a_temporal_delimiter() {
        assert!(av1(&[0x12, 0, 0x0a, 1, 7]));
        assert!(!av1(&[0x12, 0, 0x32, 1, 7]));
        assert!(!av1(&[0x12, 0xff]), "a cut length ends the search");
    }
}
