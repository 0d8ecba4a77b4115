//! A producer: numbers its packets or not, resends from the last ack or not (spec 2.4 rule 5).

use std::collections::VecDeque;

use crate::draw::ProducerHabits;
use crate::random::Random;
use crate::wire::{EnvelopeOut, Flow, Kind, PacketOut, Payload, TAG_KEY, TURN_KEY, Tag, packet};

/// A payload that was made, as packets.
#[derive(Clone, Debug)]
struct Made {
    number: u32,
    packets: Vec<Vec<u8>>,
}

/// One life of a producing client.
#[derive(Debug)]
pub(crate) struct Producer {
    step: u8,
    life: u16,
    habits: ProducerHabits,
    random: Random,
    /// Payloads still to be made.
    left: u32,
    /// Number of the next payload.
    next: u32,
    /// Made, and not acknowledged (numbering) or not sent (others); oldest first.
    held: VecDeque<Made>,
    /// Which of `held` is to be sent next, and which of its packets.
    cursor: (usize, usize),
    paused: bool,
    turn: u64,
}

impl Producer {
    pub(crate) fn new(step: u8, life: u16, habits: ProducerHabits, random: Random) -> Self {
        Self {
            step,
            life,
            left: habits.total,
            habits,
            random,
            next: 1,
            held: VecDeque::new(),
            cursor: (0, 0),
            paused: false,
            turn: 0,
        }
    }

    pub(crate) fn numbers(&self) -> bool {
        self.habits.numbers
    }

    pub(crate) fn pauses(&self) -> bool {
        self.habits.pauses
    }

    pub(crate) fn acts_on_control(&self) -> bool {
        self.habits.control
    }

    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    pub(crate) fn set_left(&mut self, left: u32) {
        self.left = left;
    }

    pub(crate) fn gap(&self) -> crate::time::Nanos {
        self.habits.gap
    }

    /// Payloads that it makes from now on belong to `turn`.
    pub(crate) fn open_turn(&mut self, turn: u64) {
        self.turn = turn.max(self.turn);
    }

    /// A new connection: everything unacknowledged goes out again; who does not number gives up
    /// what was half sent.
    pub(crate) fn connected(&mut self) {
        self.paused = false;
        if !self.habits.numbers && self.cursor.1 > 0 {
            self.held.pop_front();
        }
        self.cursor = (0, 0);
    }

    /// The next packet to send, unless there is none or it was told to wait.
    pub(crate) fn next_packet(&mut self) -> Option<Vec<u8>> {
        if self.paused {
            return None;
        }
        if self.cursor.0 == self.held.len() {
            if self.left == 0 || self.held.len() >= self.habits.window {
                return None;
            }
            let made = self.make();
            self.held.push_back(made);
        }
        let made = self.held.get(self.cursor.0)?;
        let packet = made.packets.get(self.cursor.1)?.clone();
        self.cursor.1 += 1;
        if self.cursor.1 == made.packets.len() {
            self.cursor = (self.cursor.0 + 1, 0);
            if !self.habits.numbers {
                self.held.pop_front();
                self.cursor = (0, 0);
            }
        }
        Some(packet)
    }

    /// The hub said something.
    pub(crate) fn told(&mut self, flow: &Flow) {
        match flow.signal {
            1 => self.paused = true,
            2 => self.paused = false,
            _ => {}
        }
        while self
            .held
            .front()
            .is_some_and(|m| u64::from(m.number) <= flow.ack)
            && self.numbers()
        {
            self.held.pop_front();
            self.cursor = match self.cursor {
                (0, _) => (0, 0),
                (n, chunk) => (n - 1, chunk),
            };
        }
    }

    /// What it still has to do, in words.
    pub(crate) fn waiting(&self) -> Option<String> {
        if self.left > 0 {
            return Some(format!(
                "{} payloads to make, paused {}",
                self.left, self.paused
            ));
        }
        let first = self.held.front()?;
        Some(format!(
            "for number {} of {} to be settled",
            first.number,
            self.next - 1
        ))
    }

    fn make(&mut self) -> Made {
        self.left -= 1;
        let number = self.next;
        self.next += 1;
        let payload = Payload {
            step: self.step,
            life: self.life,
            number,
        };
        let habits = &self.habits;
        let chunks = if self.random.chance(habits.chunked) {
            self.random.between(2, 4) as u8
        } else {
            1
        };
        let kind = if chunks > 1 {
            Kind::Binary
        } else {
            self.random.pick(&habits.kinds)
        };
        let partition = match habits.partitions {
            0 => String::new(),
            n => format!("part{}", self.random.between(1, n)),
        };
        let packets = (0..chunks)
            .map(|chunk| {
                let tag = Tag {
                    payload,
                    chunk,
                    chunks,
                };
                self.encode(tag, kind, &partition)
            })
            .collect();
        Made { number, packets }
    }

    fn encode(&mut self, tag: Tag, kind: Kind, partition: &str) -> Vec<u8> {
        let size = if self.random.chance(1) {
            self.habits.huge
        } else {
            self.habits.size
        };
        let size = self.random.between(0, size) as usize;
        let body: Vec<u8> = (0..size).map(|_| self.random.word() as u8).collect();
        let mut metadata = vec![(TAG_KEY, tag.to_string())];
        if self.habits.turns {
            metadata.push((TURN_KEY, self.turn.to_string()));
        }
        let chunked = tag.chunks > 1;
        let chunk_id = format!("set{}", tag.payload);
        // Numbers of a client that declared none mean nothing (spec 2.4 rule 5).
        let sequence = if self.habits.numbers {
            tag.payload.number
        } else {
            7
        };
        let envelope = EnvelopeOut {
            stream_id: if chunked { "own" } else { "" },
            sequence: u64::from(sequence),
            partition,
            chunk_id: if chunked { &chunk_id } else { "" },
            chunk_index: u32::from(tag.chunk),
            chunk_count: if chunked { u32::from(tag.chunks) } else { 0 },
        };
        let needed = self.habits.numbers || chunked || !partition.is_empty();
        packet(&PacketOut {
            metadata: &metadata,
            kind,
            body: if kind == Kind::None { &[] } else { &body },
            envelope: (needed || tag.payload.number.is_multiple_of(2)).then_some(envelope),
        })
    }
}
