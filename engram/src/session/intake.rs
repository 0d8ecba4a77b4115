//! What was received: waiting for the engram, being worked on, completed.
//!
//! Owns dedupe and the queue that an interrupt reaches (spec 2.5). Never drops anything
//! else.

use std::collections::{HashMap, HashSet, VecDeque};

use transport_proto::names::metadata::TURN;

use super::dedupe::Completed;
use crate::message::StreamMessage;
use crate::wire::{Arrival, Identity, Receipt};

/// The media type that a structured packet's payload is shown with.
const JSON: &str = "application/json";

/// Names a message that the engram works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token(u64);

/// What a packet took of the hub's grant when it was sent, until it is returned
/// (spec 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Credit {
    /// Which connection brought it: no other hears of it.
    pub(super) connection: u64,
    /// As the hub counts them.
    pub(super) bytes: usize,
}

/// A message for the engram.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) token: Token,
    pub(crate) message: StreamMessage,
    pub(super) credit: Credit,
}

/// A packet that an interrupt took out of the queue.
pub(super) struct Interrupted {
    pub(super) receipt: Option<Receipt>,
    pub(super) credit: Credit,
}

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It waits for the engram.
    Waits,
    /// A copy of one that waits or is being worked on.
    Pending,
    /// A copy of one that was completed: it is receipted again.
    Completed(Option<Receipt>),
    /// Of a turn that is over.
    Interrupted(Option<Receipt>),
}

struct Waiting {
    token: Token,
    arrival: Arrival,
    credit: Credit,
    /// `bubu.turn`; the current turn where the packet names none.
    turn: u64,
}

impl Waiting {
    /// Whether it is in a lane (spec 2.5), which its frame tells; `None` is any. Structured
    /// packets have been given a frame of JSON.
    fn is_in(&self, lane: Option<&str>) -> bool {
        let message = &self.arrival.message;
        let own = if message.audio.is_some() {
            "audio"
        } else if message.video.is_some() {
            "video"
        } else if message
            .binary
            .as_ref()
            .is_some_and(|frame| frame.mime_type != JSON)
        {
            "binary"
        } else {
            "payload"
        };
        lane.is_none_or(|lane| lane == own)
    }
}

/// What a message that is being worked on was.
struct Working {
    identity: Option<Identity>,
    receipt: Option<Receipt>,
}

#[derive(Default)]
pub(super) struct Intake {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    working: HashMap<Token, Working>,
    /// Sequenced packets that wait or are being worked on.
    pending: HashSet<Identity>,
    completed: Completed,
    /// Tokens given out; never decreases.
    tokens: u64,
    /// The turn that the run is in; never decreases.
    turn: u64,
}

impl Intake {
    pub(super) fn take(&mut self, arrival: Arrival, credit: Credit) -> Taken {
        if let Some(identity) = &arrival.identity {
            if self.completed.contains(identity) {
                return Taken::Completed(arrival.receipt);
            }
            if self.pending.contains(identity) {
                return Taken::Pending;
            }
        }
        let turn = turn(&arrival.message).unwrap_or(self.turn);
        if turn < self.turn {
            return Taken::Interrupted(arrival.receipt);
        }
        match &arrival.identity {
            Some(identity @ Identity::Sequence { .. }) => {
                self.pending.insert(identity.clone());
            }
            // Nobody waits for these to be completed: shown once is enough.
            Some(identity) => self.completed.insert(identity.clone()),
            None => {}
        }
        self.tokens += 1;
        self.waiting_bytes += arrival.size_bytes;
        self.waiting.push_back(Waiting {
            token: Token(self.tokens),
            arrival,
            credit,
            turn,
        });
        Taken::Waits
    }

    /// The oldest waiting message: from now on it is being worked on.
    pub(super) fn next(&mut self) -> Option<Delivery> {
        let Waiting {
            token,
            arrival,
            credit,
            ..
        } = self.waiting.pop_front()?;
        self.waiting_bytes -= arrival.size_bytes;
        self.working.insert(
            token,
            Working {
                identity: arrival.identity,
                receipt: arrival.receipt,
            },
        );
        Some(Delivery {
            token,
            message: arrival.message,
            credit,
        })
    }

    /// The engram is done; gives the receipt where the hub waits for one.
    pub(super) fn complete(&mut self, token: Token) -> Option<Receipt> {
        let working = self.working.remove(&token)?;
        if let Some(identity) = working.identity {
            self.pending.remove(&identity);
            self.completed.insert(identity);
        }
        working.receipt
    }

    /// The engram is not done and will not be: a copy is shown again.
    pub(super) fn release(&mut self, token: Token) {
        let working = self.working.remove(&token);
        if let Some(identity) = working.and_then(|working| working.identity) {
            self.pending.remove(&identity);
        }
    }

    /// Opens a turn: what waits of lower ones, in one lane or in all, is completed unseen.
    pub(super) fn interrupt(&mut self, turn: u64, lane: Option<&str>) -> Vec<Interrupted> {
        self.turn = self.turn.max(turn);
        let (dropped, kept): (VecDeque<_>, VecDeque<_>) = self
            .waiting
            .drain(..)
            .partition(|waiting| waiting.turn < self.turn && waiting.is_in(lane));
        self.waiting = kept;
        let mut interrupted = Vec::new();
        for Waiting {
            arrival, credit, ..
        } in dropped
        {
            self.waiting_bytes -= arrival.size_bytes;
            if let Some(identity) = arrival.identity {
                self.pending.remove(&identity);
                self.completed.insert(identity);
            }
            interrupted.push(Interrupted {
                receipt: arrival.receipt,
                credit,
            });
        }
        interrupted
    }

    /// Messages that were shown and are not completed.
    pub(super) fn working(&self) -> usize {
        self.working.len()
    }

    /// Messages that wait, and their bytes.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }
}

fn turn(message: &StreamMessage) -> Option<u64> {
    message.metadata.get(TURN)?.trim().parse().ok()
}
