//! Walking packet after packet. One that is laid out like the packet before it is not walked again
//! (spec 6): the frames of a voice differ in their media, their time and their number, and in
//! nothing else.
//!
//! Owns what the last packet looked like. What it says of a packet is what a walk of its own would
//! say; a packet that only nearly looks like the last one is walked.

use std::ops::Range;

use super::{Dialect, PacketView};
use crate::malformed::Malformed;
use crate::splice::{Cut, Kept};

/// Most bytes of a packet, its media apart, that are held against those of the next one.
const MOST_BYTES: usize = 1024;
/// Most packets in a row that are not remembered, where those before them came in vain.
const LONGEST_REST: u32 = 63;

/// Walks the packets of one thread, whatever their streams.
#[derive(Debug)]
pub struct Walker {
    view: PacketView,
    cut: Cut<'static>,
    kept: Kept,
    last: Last,
    /// Packets that were remembered since one was recognised.
    in_vain: u32,
    /// Packets that are not remembered before the next one is.
    rest: u32,
}

/// The last packet that was remembered.
#[derive(Debug, Default)]
struct Last {
    /// Its length in bytes; 0 while there is none.
    len: usize,
    /// What stands before its media.
    head: Vec<u8>,
    /// What stands behind.
    tail: Vec<u8>,
    /// The bits of the tail that say something of its layout: of the bytes of a number only whether
    /// another one follows.
    mask: Vec<u8>,
    /// The varint of the frame's `timestamp_ms`, as offsets into the tail; empty where it has none.
    time: Range<usize>,
    /// The varint of the envelope's `sequence`, likewise.
    number: Range<usize>,
}

impl Walker {
    /// A walker over packets of which `cut` is taken out.
    #[must_use]
    pub fn new(dialect: Dialect, cut: Cut<'static>) -> Self {
        Self {
            view: PacketView::new(dialect),
            cut,
            kept: Kept::default(),
            last: Last::default(),
            in_vain: 0,
            rest: 0,
        }
    }

    /// Walks a packet that stands, or will stand, inside a `ProcessRequest` or
    /// `ProcessResponse`; what it looks like is then in [`view`](Self::view) and
    /// [`kept`](Self::kept).
    ///
    /// # Errors
    /// As [`PacketView::parse_in_process`]; the view is then that of no packet.
    #[inline]
    pub fn walk_in_process(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        if self.recognises(packet) {
            (self.in_vain, self.rest) = (0, 0);
            return Ok(());
        }
        self.walk_anew(packet)
    }

    /// What the last packet looks like.
    #[inline]
    #[must_use]
    pub fn view(&self) -> &PacketView {
        &self.view
    }

    /// What stays of the last packet.
    #[inline]
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether `packet` is laid out like the last one. Its time and number are then in the view.
    #[inline]
    fn recognises(&mut self, packet: &[u8]) -> bool {
        let last = &self.last;
        if packet.len() != last.len || packet.is_empty() {
            return false;
        }
        let media_end = packet.len() - last.tail.len();
        let (Some(head), Some(tail)) = (packet.get(..last.head.len()), packet.get(media_end..))
        else {
            return false;
        };
        if !is_same(tail, &last.tail, &last.mask) || head != last.head {
            return false;
        }
        let time = (!last.time.is_empty()).then(|| varint(tail, &last.time));
        let number = (!last.number.is_empty()).then(|| varint(tail, &last.number));
        self.view.renumber(time, number);
        true
    }

    #[inline(never)]
    fn walk_anew(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        self.last.len = 0;
        self.view.walk_in_process(packet)?;
        self.kept = Kept::of(packet, &self.view, &self.cut);
        if self.rest > 0 {
            self.rest -= 1;
        } else {
            self.remember(packet);
        }
        Ok(())
    }

    fn remember(&mut self, packet: &[u8]) {
        self.rest = (1 << self.in_vain.min(LONGEST_REST.count_ones())) - 1;
        self.in_vain = self.in_vain.saturating_add(1);
        let media = self.view.frame_view().map_or(0..0, |frame| frame.media());
        if !self.view.is_sound() || packet.len() - media.len() > MOST_BYTES {
            return;
        }
        let (Some(head), Some(tail)) = (packet.get(..media.start), packet.get(media.end..)) else {
            return;
        };
        let last = &mut self.last;
        last.len = packet.len();
        last.head.clear();
        last.head.extend_from_slice(head);
        last.tail.clear();
        last.tail.extend_from_slice(tail);
        last.mask.clear();
        last.mask.resize(tail.len(), 0xff);
        let (time, number) = self.view.places_of_numbers(packet);
        // A number before the media, where no encoder writes it, is held against the next packet.
        let mut place = |at: Option<Range<usize>>| {
            let at = at.filter(|at| media.end <= at.start && at.len() <= WORD)?;
            let at = at.start - media.end..at.end - media.end;
            last.mask.get_mut(at.clone())?.fill(0x80);
            Some(at)
        };
        last.time = place(time).unwrap_or_default();
        last.number = place(number).unwrap_or_default();
    }
}

/// Bytes that are looked at together.
const WORD: usize = size_of::<u64>();

/// Whether two texts of the same length are the same under a mask.
#[inline]
fn is_same(one: &[u8], other: &[u8], mask: &[u8]) -> bool {
    let last = (one.last_chunk(), other.last_chunk(), mask.last_chunk());
    let (Some(one_last), Some(other_last), Some(mask_last)) = last else {
        let mut bytes = one.iter().zip(other).zip(mask);
        return bytes.all(|((one, other), mask)| (one ^ other) & mask == 0);
    };
    let mut all = differences(one_last, other_last, mask_last);
    let words = one.as_chunks().0.iter().zip(other.as_chunks().0);
    for ((one, other), mask) in words.zip(mask.as_chunks().0) {
        all |= differences(one, other, mask);
    }
    all == 0
}

#[inline]
fn differences(one: &[u8; WORD], other: &[u8; WORD], mask: &[u8; WORD]) -> u64 {
    let [one, other, mask] = [one, other, mask].map(|word| u64::from_ne_bytes(*word));
    (one ^ other) & mask
}

/// The varint that fills `range`: at most eight bytes, and shown to be one by the mask.
#[inline]
fn varint(bytes: &[u8], range: &Range<usize>) -> u64 {
    let bytes = bytes.get(range.clone()).unwrap_or_default();
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

#[cfg(test)]
mod tests;
