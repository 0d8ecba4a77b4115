//! Owns cutting a byte stream into gRPC messages: one flag byte, four bytes of length, content.
//!
//! Messages that lie whole in a chunk are handed out where they lie; only one that spans chunks is
//! copied.

use bytes::{Buf, Bytes, BytesMut};

use super::{Deframe, StreamError};

const PREFIX: usize = 5;
/// Longest message that is believed: the contract's 10 MiB and room for a hub's additions.
const MAX_MESSAGE_BYTES: usize = 11 * 1024 * 1024;

/// Deframer of gRPC length-prefixed messages.
#[derive(Debug, Default)]
pub struct LengthPrefixed {
    /// Beginning of a message whose end has not come yet, prefix included.
    partial: BytesMut,
}

impl Deframe for LengthPrefixed {
    fn push(&mut self, mut chunk: Bytes, mut each: impl FnMut(&[u8])) -> Result<(), StreamError> {
        if !self.partial.is_empty() && !self.complete(&mut chunk, &mut each)? {
            return Ok(());
        }
        while let Some(len) = message_len(&chunk)? {
            let Some(message) = chunk.get(PREFIX..PREFIX + len) else {
                break;
            };
            each(message);
            chunk.advance(PREFIX + len);
        }
        if let Some(len) = message_len(&chunk)? {
            self.partial.reserve(PREFIX + len);
        }
        self.partial.extend_from_slice(&chunk);
        Ok(())
    }
}

impl LengthPrefixed {
    /// Fills the message begun earlier; true when it is whole and was handed out.
    fn complete(
        &mut self,
        chunk: &mut Bytes,
        each: &mut impl FnMut(&[u8]),
    ) -> Result<bool, StreamError> {
        take(&mut self.partial, chunk, PREFIX);
        let Some(len) = message_len(&self.partial)? else {
            return Ok(false);
        };
        take(&mut self.partial, chunk, PREFIX + len);
        if self.partial.len() < PREFIX + len {
            return Ok(false);
        }
        each(&self.partial[PREFIX..]);
        self.partial.clear();
        Ok(true)
    }
}

/// Moves bytes from `chunk` until `partial` holds `want`.
fn take(partial: &mut BytesMut, chunk: &mut Bytes, want: usize) {
    let missing = want.saturating_sub(partial.len()).min(chunk.len());
    partial.extend_from_slice(&chunk.split_to(missing));
}

/// Length of the message that begins here, once its prefix is whole.
fn message_len(bytes: &[u8]) -> Result<Option<usize>, StreamError> {
    let Some(&[flag, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    if flag != 0 || len > MAX_MESSAGE_BYTES {
        return Err(StreamError::new(format!(
            "no uncompressed gRPC message of at most {MAX_MESSAGE_BYTES} bytes (flag {flag}, length {len})"
        )));
    }
    Ok(Some(len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::put_prefix;

    fn stream(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            put_prefix(message.len(), &mut bytes);
            bytes.extend_from_slice(message);
        }
        bytes
    }

    proptest! {
        #[test]
        fn messages_come_out_whole_however_the_stream_is_cut(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12),
            cuts in proptest::collection::vec(1usize..30, 1..40),
        ) {
            let bytes = Bytes::from(stream(&messages));
            let mut deframe = LengthPrefixed::default();
            let mut got = Vec::new();
            let mut rest = bytes;
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let chunk = rest.split_to((*cut).min(rest.len()));
                deframe.push(chunk, |message| got.push(message.to_vec())).unwrap();
            }
            prop_assert_eq!(got, messages);
        }
    }

    #[test]
    fn a_compressed_or_absurd_message_ends_the_stream() {
        for bytes in [&[1, 0, 0, 0, 1, 9][..], &[0, 255, 0, 0, 0][..]] {
            let mut deframe = LengthPrefixed::default();
            let chunk = Bytes::copy_from_slice(bytes);
            assert!(deframe.push(chunk, |_| ()).is_err());
        }
    }
}
