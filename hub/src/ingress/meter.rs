//! What a peer makes HTTP/2 do, counted frame by frame as the bytes come in.
//!
//! Flow control bounds the data that a peer may send, but nothing in HTTP/2 bounds the frames that
//! carry none: PING, SETTINGS, RST_STREAM, headers, empty DATA cost work and are free to send.
//! Owns the place in the frame that is passing by, and never holds a byte back: who is over the
//! limit is for the connection to end.

use engine::Moment;

use crate::plane::Clock;

/// Length of a frame header (RFC 9113, 4.1).
const HEADER: usize = 9;
/// Payloads that are worth room of their own, in bytes.
const LONG: usize = 4 << 10;
const DATA: u8 = 0;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
/// DATA of fewer bytes than this is tiny: the smallest message worth sending has more.
const TINY: u32 = 16;

/// What a frame without data costs, in tenths of one.
const WHOLE: u64 = 10;
/// A tiny DATA frame costs the hub about that much less.
const TENTH: u64 = 1;

/// Counts the frames of one connection that are free to send.
pub(super) struct Meter {
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    have: u8,
    /// Bytes of the payload that are still to come.
    skip: u32,
    /// Bytes of the payload in all.
    len: u32,
    /// The same of the longest frame until now.
    longest: u32,
    /// What the frames since `since` cost.
    spent: u64,
    since: Moment,
    most: u64,
    /// Since when a frame other than DATA has been on its way.
    stuck_since: Option<Moment>,
    clock: Clock,
}

impl Meter {
    /// A meter that allows `per_second` frames.
    pub(super) fn new(clock: Clock, per_second: u64) -> Self {
        let since = clock.now();
        Self {
            header: [0; HEADER],
            have: 0,
            skip: 0,
            len: 0,
            longest: 0,
            spent: 0,
            since,
            most: per_second.saturating_mul(WHOLE),
            // The first frame is due.
            stuck_since: Some(since),
            clock,
        }
    }

    /// Takes note of `bytes` that came. `false` when the peer has sent too many frames within a
    /// second.
    pub(super) fn note(&mut self, mut bytes: &[u8]) -> bool {
        let mut whole = false;
        while !bytes.is_empty() {
            let skipped = (self.skip as usize).min(bytes.len());
            self.skip -= skipped as u32;
            whole |= skipped > 0 && self.skip == 0;
            bytes = &bytes[skipped..];
            let have = usize::from(self.have);
            let now = (HEADER - have).min(bytes.len());
            self.header[have..have + now].copy_from_slice(&bytes[..now]);
            self.have += now as u8;
            bytes = &bytes[now..];
            if have + now == HEADER {
                self.have = 0;
                self.frame();
                whole |= self.skip == 0;
            }
        }
        let between = self.have == 0 && self.skip == 0;
        if between || (self.have == 0 && self.header[3] == DATA) {
            self.stuck_since = None;
        } else if whole || self.stuck_since.is_none() {
            self.stuck_since = Some(self.clock.now());
        }
        self.spent <= self.most || self.afresh(self.clock.now())
    }

    /// Bytes that are still to come of the frame that came last, and how many it has without its
    /// header.
    pub(super) fn rest(&self) -> (u64, u64) {
        (self.skip.into(), self.len.into())
    }

    /// Bytes of the longest frame that has begun until now, its header apart.
    pub(super) fn longest(&self) -> u32 {
        self.longest
    }

    /// How many of `bytes`, the next ones, are to be handed to a reader with `room` for so many: all
    /// that it has room for, up to the payload of a long frame that does not fit, which is to come
    /// after its header has been seen.
    pub(super) fn whole(&self, bytes: &[u8], room: usize) -> usize {
        let most = room.min(bytes.len());
        let (mut at, mut have) = (self.skip as usize, usize::from(self.have));
        loop {
            let header = at + HEADER - have;
            let Some(len) = self.len_at(bytes, (at, have)) else {
                return most;
            };
            if header + len > room && len >= LONG {
                return header.min(most);
            }
            at = header + len;
            if at >= most {
                return most;
            }
            have = 0;
        }
    }

    /// Length of the payload of the frame whose header begins at `at`, less the bytes of it that
    /// have come.
    fn len_at(&self, bytes: &[u8], (at, have): (usize, usize)) -> Option<usize> {
        let mut header = [0; 3];
        for (nth, byte) in header.iter_mut().enumerate() {
            *byte = match nth.checked_sub(have) {
                None => *self.header.get(nth)?,
                Some(nth) => *bytes.get(at + nth)?,
            };
        }
        // The whole header, so that the reader knows as much.
        bytes.get(at + HEADER - have - 1)?;
        let [a, b, c] = header;
        Some(u32::from_be_bytes([0, a, b, c]) as usize)
    }

    /// Since when a frame other than DATA has begun, or been due, and not ended. Such frames are
    /// short; DATA may be long and slow.
    pub(super) fn stuck_since(&self) -> Option<Moment> {
        self.stuck_since
    }

    fn frame(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        let len = u32::from_be_bytes([0, a, b, c]);
        (self.skip, self.len) = (len, len);
        self.longest = self.longest.max(len);
        self.spent += match kind {
            DATA if len >= TINY => 0,
            DATA if len > 0 => TENTH,
            // Such a frame ends its stream: there are no more of them than streams.
            DATA if flags & END_STREAM != 0 => 0,
            // Readers send one for every read.
            WINDOW_UPDATE => TENTH,
            _ => WHOLE,
        };
    }

    /// Begins a new second `now`, unless the old one is not over.
    #[cold]
    fn afresh(&mut self, now: Moment) -> bool {
        if now.since(self.since) < std::time::Duration::from_secs(1) {
            return false;
        }
        self.since = now;
        self.spent = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::plane::Clock;

    const PING: u8 = 6;
    const PADDED: u8 = 8;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let len = (payload.len() as u32).to_be_bytes();
        let mut out = vec![len[1], len[2], len[3], kind, flags, 0, 0, 0, 1];
        out.extend(payload);
        out
    }

    fn spent(bytes: &[u8]) -> u64 {
        let mut meter = Meter::new(Clock::start(), u64::MAX);
        assert!(meter.note(bytes));
        meter.spent
    }

    #[test]
    fn frames_without_data_cost_and_data_is_free() {
        assert_eq!(spent(&frame(PING, 0, &[0; 8])), 10);
        assert_eq!(spent(&frame(DATA, 0, &[])), 10);
        assert_eq!(spent(&frame(DATA, PADDED, &[])), 10);
        assert_eq!(spent(&frame(DATA, END_STREAM, &[])), 0);
        assert_eq!(spent(&frame(DATA, 0, &[0; 15])), 1);
        assert_eq!(spent(&frame(DATA, 0, &[0; 16])), 0);
    }

    #[test]
    fn window_updates_cost_little_since_readers_send_one_for_every_read() {
        assert_eq!(spent(&frame(WINDOW_UPDATE, 0, &[0; 4])), 1);
    }

    #[test]
    fn after_a_second_the_count_begins_anew() {
        let mut meter = Meter::new(Clock::started(Duration::from_secs(5)), 3);
        let ping = frame(PING, 0, &[0; 8]);
        meter.since = Moment::default();
        for n in 0..=3 {
            assert!(meter.note(&ping), "the second of {n} pings is over");
        }
        for _ in 0..3 {
            assert!(meter.note(&ping));
        }
        assert!(!meter.note(&ping), "this second is not over");
    }

    #[test]
    fn a_second_is_not_over_a_nanosecond_before_its_end() {
        let mut meter = Meter::new(Clock::start(), 3);
        meter.since = Moment::from_nanos(5);
        assert!(!meter.afresh(Moment::from_nanos(1_000_000_004)));
        assert!(meter.afresh(Moment::from_nanos(1_000_000_005)));
        assert!(!meter.afresh(Moment::from_nanos(2_000_000_004)));
    }

    #[test]
    fn more_than_the_limit_within_a_second_is_too_much() {
        let mut meter = Meter::new(Clock::start(), 3);
        let ping = frame(PING, 0, &[0; 8]);
        for _ in 0..3 {
            assert!(meter.note(&ping));
        }
        assert!(!meter.note(&ping));
    }

    #[test]
    fn a_connection_is_stuck_before_its_first_frame_and_inside_one_that_is_no_data() {
        let mut meter = Meter::new(Clock::start(), u64::MAX);
        assert!(meter.stuck_since().is_some());
        meter.note(&frame(PING, 0, &[0; 8]));
        assert!(meter.stuck_since().is_none());
        let (headers, data) = (frame(1, 0, &[0; 20]), frame(DATA, 0, &[0; 20]));
        meter.note(&headers[..3]);
        let since = meter.stuck_since();
        assert!(since.is_some());
        for byte in &headers[3..28] {
            meter.note(&[*byte]);
            assert_eq!(meter.stuck_since(), since, "a byte more is no progress");
        }
        meter.note(&headers[28..]);
        assert!(meter.stuck_since().is_none());
        meter.note(&data[..15]);
        assert!(meter.stuck_since().is_none());
    }

    #[test]
    fn the_end_of_a_frame_is_progress_though_another_has_begun() {
        let headers = frame(1, 0, &[0; 20]);
        let empty = frame(4, 0, &[]);
        for first in [&headers, &empty] {
            let mut meter = Meter::new(Clock::started(Duration::from_secs(5)), u64::MAX);
            meter.note(&first[..8]);
            meter.stuck_since = Some(Moment::default());
            meter.note(&[&first[8..], &headers[..3]].concat());
            let since = meter.stuck_since().expect("the second frame has begun");
            assert!(since > Moment::default());
        }
    }

    #[test]
    fn a_header_after_data_may_be_stuck_and_that_of_data_as_well() {
        for header in [[0, 0, 20, 1], [0, 0, 20, DATA]] {
            for len in 1..=4 {
                let mut meter = Meter::new(Clock::start(), u64::MAX);
                meter.note(&frame(DATA, 0, &[0; 20]));
                meter.note(&header[..len]);
                assert!(meter.stuck_since().is_some(), "{header:?} {len}");
            }
        }
    }

    /// What `whole` is to say, by a meter that sees one byte after the other.
    fn whole_by_bytes(before: &[u8], bytes: &[u8], room: usize) -> usize {
        let mut meter = Meter::new(Clock::start(), u64::MAX);
        meter.note(before);
        for (nth, byte) in bytes.iter().enumerate().take(room) {
            let was_header = meter.skip == 0;
            meter.note(&[*byte]);
            if was_header
                && meter.have == 0
                && meter.len as usize >= LONG
                && nth + 1 + meter.skip as usize > room
            {
                return nth + 1;
            }
        }
        room.min(bytes.len())
    }

    proptest! {
        /// Wherever the bytes are cut, the same frames are counted.
        #[test]
        fn frames_are_found_however_the_bytes_are_cut(
            frames in proptest::collection::vec((0u8..12, 0u8..2, 0usize..40), 0..30),
            cuts in proptest::collection::vec(1usize..30, 1..20),
        ) {
            let bytes: Vec<u8> = frames
                .iter()
                .flat_map(|(kind, flags, len)| frame(*kind, *flags, &vec![0xff; *len]))
                .collect();
            let expected: u64 = frames
                .iter()
                .map(|(kind, flags, len)| spent(&frame(*kind, *flags, &vec![0xff; *len])))
                .sum();
            let mut meter = Meter::new(Clock::start(), u64::MAX);
            let (mut at, mut cuts) = (0, cuts.iter().cycle());
            while at < bytes.len() {
                let end = (at + cuts.next().copied().unwrap_or(1)).min(bytes.len());
                prop_assert!(meter.note(&bytes[at..end]));
                at = end;
            }
            prop_assert_eq!(meter.spent, expected);
        }

        /// A long frame that does not fit is let alone until its header has been read.
        #[test]
        fn as_much_is_handed_out_as_there_is_use_for(
            lens in proptest::collection::vec(
                prop_oneof![0..30usize, LONG - 2..LONG + 3, Just(4 * LONG)], 1..8),
            (before, room) in (prop_oneof![0..60usize, 0..9000usize], 1..20_000usize),
            known in 0..30_000usize,
        ) {
            let bytes: Vec<u8> = lens.iter().flat_map(|len| frame(DATA, 0, &vec![0; *len])).collect();
            let (before, bytes) = bytes.split_at(before.min(bytes.len()));
            let bytes = &bytes[..known.min(bytes.len())];
            let mut meter = Meter::new(Clock::start(), u64::MAX);
            meter.note(before);
            let whole = meter.whole(bytes, room);
            prop_assert_eq!(whole, whole_by_bytes(before, bytes, room));
            prop_assert!(whole > 0 || bytes.is_empty());
        }
    }
}
