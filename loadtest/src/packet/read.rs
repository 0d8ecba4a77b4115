//! Owns finding the frame in a message that comes back, whatever hub encoded it.
//!
//! Accepts any field order and unknown fields; the last frame wins, as protobuf says. Never
//! allocates and never trusts a length.

use thiserror::Error;

/// Which frame a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// `DataPacket.audio`.
    Audio,
    /// `DataPacket.video`.
    Video,
    /// `DataPacket.binary`.
    Binary,
}

/// The parts of a received packet that are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Kind of frame.
    pub kind: FrameKind,
    /// The frame's payload bytes.
    pub payload: &'a [u8],
    /// Encoded `DataPacket.payload` (a Struct), where there is one.
    pub structured: Option<&'a [u8]>,
}

/// Why bytes are no `ProcessResponse`.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("message is no ProcessResponse: broken at byte {offset}")]
pub struct ReadError {
    /// Where in the innermost message walking stopped.
    pub offset: usize,
}

/// Which packet of which stream a message says it is (`StreamEnvelope`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// `stream_id`; empty when there is none.
    pub stream: &'a [u8],
    /// `sequence`; 0 when there is none.
    pub sequence: u64,
}

/// What a hub says to a producer beside packets (`FlowControl`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// `ack`: everything up to this number is settled; 0 says nothing.
    pub ack: u64,
    /// `signal` 1 (pause) or 2 (resume).
    pub paused: Option<bool>,
}

/// Finds the frame of a message; `None` when it carries none (a heartbeat, a hook, flow control).
///
/// # Errors
/// [`ReadError`] when the bytes are not protobuf.
pub fn open_message(message: &[u8]) -> Result<Option<Frame<'_>>, ReadError> {
    packet_of(message)?.map_or(Ok(None), open_packet)
}

/// The frame and the identity of a message; `None` when it carries no frame.
///
/// # Errors
/// [`ReadError`] when the bytes are not protobuf.
pub fn open_identified(message: &[u8]) -> Result<Option<(Frame<'_>, Identity<'_>)>, ReadError> {
    let Some(packet) = packet_of(message)? else {
        return Ok(None);
    };
    let Some(frame) = open_packet(packet)? else {
        return Ok(None);
    };
    let mut identity = Identity::default();
    let mut fields = Fields::of(packet);
    while let Some(field) = fields.next()? {
        let Some(envelope) = field.content.filter(|_| field.number == 8) else {
            continue;
        };
        let mut parts = Fields::of(envelope);
        while let Some(part) = parts.next()? {
            match part.number {
                1 => identity.stream = part.content.unwrap_or_default(),
                2 => identity.sequence = part.value,
                _ => {}
            }
        }
    }
    Ok(Some((frame, identity)))
}

/// The flow control of a message; all zero when it has none.
///
/// # Errors
/// [`ReadError`] when the bytes are not protobuf.
pub fn open_flow(message: &[u8]) -> Result<Flow, ReadError> {
    let mut flow = Flow::default();
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        let Some(content) = field.content.filter(|_| field.number == 2) else {
            continue;
        };
        let mut parts = Fields::of(content);
        while let Some(part) = parts.next()? {
            match (part.number, part.value) {
                (1, ack) => flow.ack = ack,
                (7, signal @ (1 | 2)) => flow.paused = Some(signal == 1),
                _ => {}
            }
        }
    }
    Ok(flow)
}

fn packet_of(message: &[u8]) -> Result<Option<&[u8]>, ReadError> {
    let mut packet = None;
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            packet = field.content.or(packet);
        }
    }
    Ok(packet)
}

/// The text member `key` of an encoded `google.protobuf.Struct`; the last one, where there are more.
pub fn struct_text<'a>(structured: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    let mut members = Fields::of(structured);
    while let Some(member) = members.next().ok()? {
        let Some(entry) = member.content.filter(|_| member.number == 1) else {
            continue;
        };
        let (name, value) = (last(entry, 1)?, last(entry, 2)?);
        if name == key {
            found = last(value, 3);
        }
    }
    found
}

/// Content of the last length-delimited field of that number.
fn last(message: &[u8], number: u64) -> Option<&[u8]> {
    let mut found = None;
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next().ok()? {
        if field.number == number {
            found = field.content;
        }
    }
    found
}

fn open_packet(packet: &[u8]) -> Result<Option<Frame<'_>>, ReadError> {
    let mut frame = None;
    let mut structured = None;
    let mut fields = Fields::of(packet);
    while let Some(field) = fields.next()? {
        let kind = match field.number {
            2 => {
                structured = field.content.or(structured);
                continue;
            }
            5 => FrameKind::Audio,
            6 => FrameKind::Video,
            7 => FrameKind::Binary,
            _ => continue,
        };
        frame = field.content.map(|content| (kind, content)).or(frame);
    }
    let Some((kind, content)) = frame else {
        return Ok(None);
    };
    let mut payload: &[u8] = &[];
    let mut fields = Fields::of(content);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            payload = field.content.unwrap_or(payload);
        }
    }
    Ok(Some(Frame {
        kind,
        payload,
        structured,
    }))
}

struct Field<'a> {
    number: u64,
    /// Content of a length-delimited field; `None` for numbers.
    content: Option<&'a [u8]>,
    /// Value of a varint field; 0 for others.
    value: u64,
}

struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, at: 0 }
    }

    fn next(&mut self) -> Result<Option<Field<'a>>, ReadError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let mut value = 0;
        let content = match key & 7 {
            0 => {
                value = self.varint()?;
                None
            }
            1 => self.take(8).map(|_| None)?,
            2 => {
                let len = self.varint()?;
                Some(self.take(usize::try_from(len).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return Err(ReadError { offset: self.at }),
        };
        Ok(Some(Field {
            number: key >> 3,
            content,
            value,
        }))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ReadError> {
        let end = self
            .at
            .checked_add(len)
            .ok_or(ReadError { offset: self.at })?;
        let content = self
            .bytes
            .get(self.at..end)
            .ok_or(ReadError { offset: self.at })?;
        self.at = end;
        Ok(content)
    }

    fn varint(&mut self) -> Result<u64, ReadError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self
                .bytes
                .get(self.at)
                .ok_or(ReadError { offset: self.at })?;
            self.at += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ReadError { offset: self.at })
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::super::{Header, Kind, Stamp, Template};
    use super::*;
    use crate::units::{Nanos, Nonce, ProducerId, Sequence};

    fn sent(kind: Kind, size: usize) -> Vec<u8> {
        let template = Template::new(kind, size, ProducerId(4), Nonce(9)).unwrap();
        let mut out = BytesMut::new();
        template.append(
            Stamp {
                sequence: Sequence(77),
                intended: Nanos(1_000),
                unix_ms: 1_800_000_000_000,
            },
            &mut out,
        );
        out.to_vec()
    }

    #[test]
    fn every_kind_of_message_is_found_and_verified() {
        for (kind, expected) in [
            (Kind::Audio, FrameKind::Audio),
            (Kind::Video, FrameKind::Video),
            (Kind::Binary, FrameKind::Binary),
            (Kind::Json, FrameKind::Binary),
        ] {
            let message = sent(kind, 640);
            let frame = open_message(&message).unwrap().unwrap();
            assert_eq!(frame.kind, expected);
            assert_eq!(frame.payload.len(), 640);
            assert_eq!(frame.structured.is_some(), kind == Kind::Json);
            if let Some(structured) = frame.structured {
                assert_eq!(struct_text(structured, b"load").unwrap().len(), 80);
                assert_eq!(struct_text(structured, b"nothing"), None);
            }
            let header = Header::verify(frame.payload).unwrap();
            assert_eq!(header.sequence, Sequence(77));
            assert_eq!(header.producer, ProducerId(4));
        }
    }

    #[test]
    fn a_message_without_a_frame_is_no_fault() {
        assert_eq!(open_message(&[]), Ok(None));
        assert_eq!(open_message(&[0x0A, 0x00]), Ok(None));
        assert_eq!(open_message(&[0x12, 0x02, 0x08, 0x05]), Ok(None));
    }

    #[test]
    fn a_message_cut_anywhere_is_an_error_or_has_no_whole_frame() {
        let message = sent(Kind::Audio, 80);
        for len in 1..message.len() {
            assert!(open_message(&message[..len]).is_err(), "cut at {len}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some(frame)) = open_message(&bytes) {
                let _ = Header::verify(frame.payload);
            }
            let _ = struct_text(&bytes, b"load");
            let _ = open_identified(&bytes);
            let _ = open_flow(&bytes);
        }
    }
}
