//! What was sent: numbered from 1, and kept until the hub says that it is settled
//! (spec 2.4 rule 5).

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use transport_proto::wire::{put_varint, varint_len};

/// A message's number under this process's producer epoch, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(pub(crate) u64);

/// How much may be kept until it is settled. One message of any size always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages.
    pub messages: usize,
    /// Encoded bytes.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        // More than a hub's grant to one step (1000, spec 2.8): an engram that answers each
        // message can finish what it was sent while a draining hub settles nothing new.
        Self {
            messages: 4096,
            bytes: 64 * 1024 * 1024,
        }
    }
}

pub(super) struct Output {
    bounds: Bounds,
    kept: VecDeque<Bytes>,
    kept_bytes: usize,
    /// Number of the first that is kept; all below it are settled.
    first: u64,
    /// How many of the kept ones were handed to this connection.
    handed: usize,
    /// Highest number ever handed to a connection; never decreases.
    highest: u64,
    paused: bool,
}

impl Output {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            kept: VecDeque::new(),
            kept_bytes: 0,
            first: 1,
            handed: 0,
            highest: 0,
            paused: false,
        }
    }

    /// Numbers a message and keeps it; gives it back where there is no room.
    pub(super) fn push(&mut self, mut message: BytesMut) -> Result<Number, BytesMut> {
        let full = self.kept.len() >= self.bounds.messages
            || self.kept_bytes + message.len() > self.bounds.bytes;
        if full && !self.kept.is_empty() {
            return Err(message);
        }
        let number = self.first + self.kept.len() as u64;
        put_number(&mut message, number);
        self.kept_bytes += message.len();
        self.kept.push_back(message.freeze());
        Ok(Number(number))
    }

    /// The next for this connection, and whether an earlier one had it already.
    pub(super) fn next(&mut self) -> Option<(Bytes, bool)> {
        if self.paused {
            return None;
        }
        let message = self.kept.get(self.handed)?.clone();
        let number = self.first + self.handed as u64;
        let again = number <= self.highest;
        self.handed += 1;
        self.highest = self.highest.max(number);
        Some((message, again))
    }

    pub(super) fn has_next(&self) -> bool {
        !self.paused && self.handed < self.kept.len()
    }

    /// Lets go of everything up to `number`; tells how many that were. What was never
    /// handed to a connection cannot be settled: such a number counts up to there.
    pub(super) fn settle(&mut self, number: Number) -> u64 {
        let before = self.first;
        let upto = number.0.min(self.highest);
        while self.first <= upto {
            let Some(message) = self.kept.pop_front() else {
                break;
            };
            self.kept_bytes -= message.len();
            self.first += 1;
            self.handed = self.handed.saturating_sub(1);
        }
        self.first - before
    }

    /// A new connection: everything kept is to be sent, in its order.
    pub(super) fn restart(&mut self) {
        self.handed = 0;
        self.paused = false;
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// The number given out last; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.first + self.kept.len() as u64 - 1
    }

    /// Whether everything up to `number` is settled.
    pub(super) fn is_settled(&self, number: u64) -> bool {
        number < self.first
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Appends an envelope that has only a sequence: merged with the message's own, it
/// replaces that one's number (spec 1). Its tag is the same in both numberings.
fn put_number(message: &mut BytesMut, number: u64) {
    message.put_u8(0x42);
    put_varint(message, 1 + varint_len(number) as u64);
    message.put_u8(0x10);
    put_varint(message, number);
}
