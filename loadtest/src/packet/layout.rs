//! Owns reading a run of messages that differ in their payload only, which is nearly all of them.
//!
//! Everything around the payload (field tags, metadata, timestamp, envelope) is the same from one
//! message to the next until a millisecond passes. Equal bytes parse the same, so comparing them
//! with the last message's replaces walking them; at the first difference the walk decides. Of a
//! numbered packet the sequence differs too: where it stands right after its stream id, other
//! digits of the same length in its place parse the same but for their value.

use super::read::{Frame, FrameKind, Identity, ReadError, open_identified, open_message};

/// Tag of `StreamEnvelope.sequence`.
const SEQUENCE_TAG: u8 = 0x10;

/// What stood around the payload of the last message that was walked.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Kind of the frame; `None` before the first message.
    kind: Option<FrameKind>,
    before: Vec<u8>,
    payload_len: usize,
    after: Vec<u8>,
    /// Where the identity stands in `after`; `None` when that is not known.
    identity: Option<Place>,
}

/// A stream id and the sequence right after it.
#[derive(Clone, Copy, Debug)]
struct Place {
    stream: (usize, usize),
    /// Where the sequence's varint begins and ends.
    sequence: (usize, usize),
}

impl Layout {
    /// What [`open_message`] says of the message.
    ///
    /// # Errors
    /// As for [`open_message`].
    pub fn open<'a>(&mut self, message: &'a [u8]) -> Result<Option<Frame<'a>>, ReadError> {
        if let Some(frame) = self.same(message) {
            return Ok(Some(frame));
        }
        let frame = open_message(message)?;
        if let Some(frame) = &frame {
            self.remember(message, frame);
        }
        Ok(frame)
    }

    /// What [`open_identified`] says of the message.
    ///
    /// # Errors
    /// As for [`open_identified`].
    pub fn open_identified<'a>(
        &mut self,
        message: &'a [u8],
    ) -> Result<Option<(Frame<'a>, Identity<'a>)>, ReadError> {
        if let Some(found) = self.same_but_sequence(message) {
            return Ok(Some(found));
        }
        let opened = open_identified(message)?;
        if let Some((frame, identity)) = &opened {
            self.remember(message, frame);
            self.identity = self.place(message, frame, identity);
        }
        Ok(opened)
    }

    fn same_but_sequence<'a>(&self, message: &'a [u8]) -> Option<(Frame<'a>, Identity<'a>)> {
        let (kind, place) = (self.kind?, self.identity?);
        let (begin, end) = place.sequence;
        let rest = message.strip_prefix(&self.before[..])?;
        let (payload, after) = rest.split_at_checked(self.payload_len)?;
        let same = after.len() == self.after.len()
            && after.get(..begin)? == self.after.get(..begin)?
            && after.get(end..)? == self.after.get(end..)?;
        let sequence = same.then(|| varint(after.get(begin..end)?)).flatten()?;
        let stream = after.get(place.stream.0..place.stream.1)?;
        let frame = Frame {
            kind,
            payload,
            structured: None,
        };
        Some((frame, Identity { stream, sequence }))
    }

    /// Where the identity of a message that was just remembered stands.
    fn place(&self, message: &[u8], frame: &Frame<'_>, identity: &Identity<'_>) -> Option<Place> {
        self.kind?;
        let at = |part: &[u8]| part.as_ptr() as usize - message.as_ptr() as usize;
        // Both are parts of the message; an envelope before the payload is not looked for.
        let first = at(frame.payload) + frame.payload.len();
        let begin = (!identity.stream.is_empty())
            .then(|| at(identity.stream).checked_sub(first))
            .flatten()?;
        let stream = (begin, begin + identity.stream.len());
        let digits = self.after.get(stream.1..)?.strip_prefix(&[SEQUENCE_TAG])?;
        let len = digits.iter().position(|byte| *byte < 0x80)? + 1;
        let sequence = (stream.1 + 1, stream.1 + 1 + len);
        let value = varint(self.after.get(sequence.0..sequence.1)?)?;
        (value == identity.sequence).then_some(Place { stream, sequence })
    }

    fn same<'a>(&self, message: &'a [u8]) -> Option<Frame<'a>> {
        let kind = self.kind?;
        let rest = message.strip_prefix(&self.before[..])?;
        let (payload, after) = rest.split_at_checked(self.payload_len)?;
        (after == self.after).then_some(Frame {
            kind,
            payload,
            structured: None,
        })
    }

    fn remember(&mut self, message: &[u8], frame: &Frame<'_>) {
        self.kind = None;
        // A Struct changes with every message; so there is nothing to compare.
        if frame.structured.is_some() || frame.payload.is_empty() {
            return;
        }
        // The payload is a part of the message, so its address tells where it begins.
        let at = frame.payload.as_ptr() as usize - message.as_ptr() as usize;
        let (Some(before), Some(after)) =
            (message.get(..at), message.get(at + frame.payload.len()..))
        else {
            return;
        };
        self.before.clear();
        self.before.extend_from_slice(before);
        self.after.clear();
        self.after.extend_from_slice(after);
        self.payload_len = frame.payload.len();
        self.kind = Some(frame.kind);
    }
}

/// The value of a varint that is exactly these bytes.
fn varint(bytes: &[u8]) -> Option<u64> {
    let (last, more) = bytes.split_last()?;
    let whole = *last < 0x80 && more.iter().all(|byte| *byte >= 0x80) && more.len() < 9;
    let value = bytes.iter().enumerate().fold(0, |value, (place, byte)| {
        value | u64::from(byte & 0x7F) << (7 * place)
    });
    whole.then_some(value)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::super::encode::{put_bytes, put_number};
    use super::super::{Kind, Stamp, Template};
    use super::*;
    use crate::units::{Nanos, Nonce, ProducerId, Sequence};

    fn message(kind: Kind, size: usize, number: u64) -> Vec<u8> {
        let template = Template::new(kind, size, ProducerId(1), Nonce(1)).unwrap();
        let stamp = Stamp {
            sequence: Sequence(number),
            intended: Nanos(number),
            unix_ms: 1_800_000_000_000 + number / 3,
        };
        let mut out = BytesMut::new();
        template.append(stamp, &mut out);
        out.to_vec()
    }

    #[test]
    fn messages_that_differ_in_their_payload_are_not_walked_again() {
        let mut layout = Layout::default();
        layout.open(&message(Kind::Audio, 80, 0)).unwrap();
        assert!(layout.same(&message(Kind::Audio, 80, 1)).is_some());
        assert!(
            layout.same(&message(Kind::Audio, 80, 3)).is_none(),
            "next millisecond"
        );
        assert!(layout.same(&message(Kind::Audio, 81, 1)).is_none());
        assert!(layout.same(&message(Kind::Video, 80, 1)).is_none());
    }

    /// The message as a hub forwards it: with an identity at its end.
    fn identified(kind: Kind, size: usize, number: u64, sequence: u64) -> Vec<u8> {
        let mut bytes = message(kind, size, number);
        let mut envelope = Vec::new();
        put_bytes(&mut envelope, 1, b"default/load/load-c0@k3");
        put_number(&mut envelope, 2, sequence);
        let from = bytes.iter().skip(1).position(|b| *b < 0x80).unwrap() + 2;
        let mut packet = bytes.split_off(from);
        put_bytes(&mut packet, 8, &envelope);
        let mut out = Vec::new();
        put_bytes(&mut out, 1, &packet);
        out
    }

    #[test]
    fn messages_that_differ_in_payload_and_sequence_are_not_walked_again() {
        let mut layout = Layout::default();
        let first = identified(Kind::Audio, 80, 0, 200);
        layout.open_identified(&first).unwrap();
        let second = identified(Kind::Audio, 80, 1, 201);
        let (_, identity) = layout.same_but_sequence(&second).unwrap();
        assert_eq!(identity.sequence, 201);
        assert_eq!(identity.stream, b"default/load/load-c0@k3");
        let longer = identified(Kind::Audio, 80, 1, 20_000);
        assert!(layout.same_but_sequence(&longer).is_none());
    }

    proptest! {
        #[test]
        fn it_says_of_identities_what_the_walk_says(
            steps in proptest::collection::vec(
                (0usize..4, 1u64..300, any::<prop::sample::Index>(), any::<u8>()), 1..60),
        ) {
            let kinds = [Kind::Audio, Kind::Video, Kind::Binary, Kind::Json];
            let mut layout = Layout::default();
            for (number, (kind, sequence, at, flip)) in steps.into_iter().enumerate() {
                let mut bytes = identified(kinds[kind], 200, number as u64, sequence);
                let at = at.index(bytes.len());
                if number % 2 == 1 {
                    bytes[at] ^= flip;
                }
                prop_assert_eq!(layout.open_identified(&bytes), open_identified(&bytes));
            }
        }

        #[test]
        fn it_always_says_what_the_walk_says(
            steps in proptest::collection::vec(
                (0usize..4, 200usize..203, any::<prop::sample::Index>(), any::<u8>()), 1..60),
        ) {
            let kinds = [Kind::Audio, Kind::Video, Kind::Binary, Kind::Json];
            let mut layout = Layout::default();
            for (number, (kind, size, at, flip)) in steps.into_iter().enumerate() {
                let mut bytes = message(kinds[kind], size, number as u64);
                let at = at.index(bytes.len());
                // Every other message is damaged somewhere.
                if number % 2 == 1 {
                    bytes[at] ^= flip;
                }
                prop_assert_eq!(layout.open(&bytes), open_message(&bytes));
            }
        }
    }
}
