//! Owns which payload each identity (stream and sequence) has carried to one consumer.
//!
//! A hub gives every packet of an at_least_once stream a sequence of its own and may send it again
//! under that sequence, never another packet. What a hub may still replay is bounded by what it may
//! hold without a receipt, so that many identities are remembered and no more.

use std::collections::VecDeque;

use super::EdgeTracker;
use super::edge::Seen;
use crate::units::Sequence;

/// A place in a stream that nothing has come for.
const NOTHING: u64 = u64::MAX;
/// Bits of a payload's number; the rest says whose it is.
const NUMBER_BITS: u32 = 48;

/// One producer's message, as an identity carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Which of the consumer's producers sent it.
    pub input: usize,
    /// Its number.
    pub number: Sequence,
}

impl Payload {
    fn packed(self) -> u64 {
        (self.input as u64) << NUMBER_BITS | self.number.0 & ((1 << NUMBER_BITS) - 1)
    }
}

/// What the identity of an arrival was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Nothing has come under it.
    New,
    /// The same payload.
    Same,
    /// Another payload: two messages share one identity.
    Other,
    /// It is older than what is remembered.
    Forgotten,
    /// There is none: the hub did not number the packet.
    Missing,
}

/// How an arrival stands in the order of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// After everything that this connection has brought.
    Next,
    /// After this sequence, which is not lower, or after a later stream.
    Behind(u64),
}

/// Everything that one consumer remembers of identities.
#[derive(Clone, Debug)]
pub struct Identities {
    streams: Vec<Stream>,
    /// How many sequences of a stream are remembered.
    keep: usize,
    /// The stream and the highest sequence that the present connection has brought.
    connection: Option<(usize, u64)>,
}

#[derive(Clone, Debug)]
struct Stream {
    id: Box<[u8]>,
    /// Sequence of the first place.
    first: u64,
    places: VecDeque<u64>,
    /// Payloads that came under this stream id, by input: a hub without disk that was killed sends
    /// some of them again under another.
    inputs: Vec<EdgeTracker>,
}

impl Identities {
    /// Remembers `keep` sequences of each stream.
    pub fn new(keep: usize) -> Identities {
        Identities {
            streams: Vec::new(),
            keep: keep.max(1),
            connection: None,
        }
    }

    /// A new connection: the hub may begin again with anything that has no receipt.
    pub fn reconnected(&mut self) {
        self.connection = None;
    }

    /// The receipt that this connection has earned: the highest sequence it has brought.
    pub fn earned(&self) -> Option<u64> {
        self.connection.map(|(_, highest)| highest)
    }

    /// Notes an arrival: what its identity was before, and how it stands in its connection.
    pub fn see(&mut self, id: &[u8], sequence: u64, payload: Payload) -> (Carried, Order) {
        if id.is_empty() || sequence == 0 {
            return (Carried::Missing, Order::Next);
        }
        let at = self.stream(id);
        let order = match self.connection {
            Some((stream, highest)) if at < stream || at == stream && sequence <= highest => {
                Order::Behind(highest)
            }
            _ => {
                self.connection = Some((at, sequence));
                Order::Next
            }
        };
        (self.streams[at].carry(sequence, payload, self.keep), order)
    }

    /// Whether this payload came under this stream before; notes that it has.
    pub fn came_under(&mut self, id: &[u8], payload: Payload) -> bool {
        let at = self.stream(id);
        let inputs = &mut self.streams[at].inputs;
        while inputs.len() <= payload.input {
            inputs.push(EdgeTracker::default());
        }
        inputs[payload.input].see(payload.number) == Seen::Duplicate
    }

    /// The place of a stream among those seen; nearly always the last.
    fn stream(&mut self, id: &[u8]) -> usize {
        let known = self.streams.iter().rposition(|stream| *stream.id == *id);
        known.unwrap_or_else(|| {
            self.streams.push(Stream {
                id: id.into(),
                first: 1,
                places: VecDeque::new(),
                inputs: Vec::new(),
            });
            self.streams.len() - 1
        })
    }
}

impl Stream {
    fn carry(&mut self, sequence: u64, payload: Payload, keep: usize) -> Carried {
        let Some(place) = sequence.checked_sub(self.first) else {
            return Carried::Forgotten;
        };
        let beyond = place.saturating_sub(self.places.len() as u64);
        if beyond >= keep as u64 {
            // A jump past everything that is remembered.
            self.places.clear();
            self.first = sequence;
        }
        let place = (sequence - self.first) as usize;
        while self.places.len() <= place {
            self.places.push_back(NOTHING);
        }
        let packed = payload.packed();
        let before = std::mem::replace(&mut self.places[place], packed);
        while self.places.len() > keep {
            self.places.pop_front();
            self.first += 1;
        }
        match before {
            NOTHING => Carried::New,
            same if same == packed => Carried::Same,
            _ => Carried::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(number: u64) -> Payload {
        Payload {
            input: 0,
            number: Sequence(number),
        }
    }

    fn carried(identities: &mut Identities, sequence: u64, number: u64) -> Carried {
        identities.see(b"ns/r/c@1", sequence, payload(number)).0
    }

    #[test]
    fn an_identity_may_bring_its_payload_again_and_no_other() {
        let mut identities = Identities::new(8);
        assert_eq!(carried(&mut identities, 1, 0), Carried::New);
        assert_eq!(carried(&mut identities, 2, 1), Carried::New);
        assert_eq!(carried(&mut identities, 1, 0), Carried::Same);
        assert_eq!(carried(&mut identities, 2, 7), Carried::Other);
        let other = Payload {
            input: 1,
            number: Sequence(0),
        };
        assert_eq!(identities.see(b"ns/r/c@1", 1, other).0, Carried::Other);
    }

    #[test]
    fn a_packet_without_a_number_has_no_identity() {
        let mut identities = Identities::new(8);
        assert_eq!(carried(&mut identities, 0, 0), Carried::Missing);
        assert_eq!(identities.see(b"", 3, payload(0)).0, Carried::Missing);
        assert_eq!(identities.earned(), None);
    }

    #[test]
    fn a_hole_is_filled_late_and_memory_stays_bounded() {
        let mut identities = Identities::new(4);
        carried(&mut identities, 1, 0);
        carried(&mut identities, 3, 2);
        assert_eq!(carried(&mut identities, 2, 1), Carried::New);
        for sequence in 4..100 {
            carried(&mut identities, sequence, sequence - 1);
        }
        assert_eq!(carried(&mut identities, 1, 0), Carried::Forgotten);
        assert_eq!(carried(&mut identities, 1 << 40, 9), Carried::New);
        assert!(identities.streams[0].places.len() <= 4);
    }

    #[test]
    fn within_a_connection_sequences_only_grow_and_a_new_one_begins_anew() {
        let mut identities = Identities::new(8);
        let order = |identities: &mut Identities, sequence| {
            identities.see(b"s@1", sequence, payload(sequence)).1
        };
        assert_eq!(order(&mut identities, 5), Order::Next);
        assert_eq!(order(&mut identities, 7), Order::Next);
        assert_eq!(order(&mut identities, 6), Order::Behind(7));
        assert_eq!(identities.earned(), Some(7));
        identities.reconnected();
        assert_eq!(identities.earned(), None);
        assert_eq!(order(&mut identities, 6), Order::Next);
    }

    #[test]
    fn an_older_stream_after_a_newer_one_is_out_of_order() {
        let mut identities = Identities::new(8);
        identities.see(b"s@1", 4, payload(0));
        assert_eq!(identities.see(b"s@2", 1, payload(1)).1, Order::Next);
        assert_eq!(identities.earned(), Some(1));
        assert_eq!(identities.see(b"s@1", 5, payload(2)).1, Order::Behind(1));
    }

    #[test]
    fn a_payload_is_told_by_stream() {
        let mut identities = Identities::new(8);
        assert!(!identities.came_under(b"s@1", payload(3)));
        assert!(!identities.came_under(b"s@2", payload(3)));
        assert!(identities.came_under(b"s@2", payload(3)));
    }
}
