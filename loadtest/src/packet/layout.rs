//! Owns reading a run of messages that differ in their payload only, which is nearly all of them.
//!
//! Everything around the payload (field tags, metadata, timestamp, envelope) is the same from one
//! message to the next until a millisecond passes. Equal bytes parse the same, so comparing them
//! with the last message's replaces walking them; at the first difference the walk decides.

use super::read::{Frame, FrameKind, ReadError, open_message};

/// What stood around the payload of the last message that was walked.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Kind of the frame; `None` before the first message.
    kind: Option<FrameKind>,
    before: Vec<u8>,
    payload_len: usize,
    after: Vec<u8>,
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

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

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

    proptest! {
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
