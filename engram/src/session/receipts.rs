//! Receipts: what the hub is told about what was completed. None is ever dropped; one
//! that dies with a connection is told again when the hub sends the packet again.

use std::collections::{BTreeMap, VecDeque};

use transport_proto::view::Dialect;

use crate::control::ControlDirective;
use crate::wire::Receipt;

/// What goes to the hub beside packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// One packet was completed (connector contract).
    Receipt(Receipt),
    /// All packets up to a number were completed, or credits come back (Process).
    Ack(CumulativeAck),
    /// Anything else.
    Directive(ControlDirective),
}

/// The content of a `FlowControl`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CumulativeAck {
    /// Of packets without partition; 0 for none.
    pub ack: u64,
    /// By partition.
    pub partitions: Vec<(String, u64)>,
    /// Packets that the engram took, or that it will not be shown, since.
    pub credit_messages: u32,
    /// Their bytes as the hub counts them, prefixes included.
    pub credit_bytes: u32,
}

pub(super) enum Receipts {
    /// One by one, in any order.
    Single(VecDeque<Receipt>),
    /// The highest number up to which all are completed.
    Cumulative(Cumulative),
}

#[derive(Default)]
pub(super) struct Cumulative {
    lines: BTreeMap<String, Line>,
    credit_messages: u32,
    credit_bytes: u32,
}

/// What one partition was sent on this connection, in order.
#[derive(Default)]
struct Line {
    open: VecDeque<Entry>,
    /// The last completed one before which all are; to be told. On one stream it never
    /// goes back.
    due: Option<Due>,
}

struct Due {
    stream_id: String,
    sequence: u64,
}

struct Entry {
    stream_id: String,
    sequence: u64,
    done: bool,
}

/// Most partitions in one message (spec 1).
const MAX_PARTITIONS: usize = 256;

impl Receipts {
    pub(super) fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Connector => Self::Single(VecDeque::new()),
            Dialect::Packet => Self::Cumulative(Cumulative::default()),
        }
    }

    /// A new connection. Acks that name no stream mean nothing to it; single receipts do.
    pub(super) fn restart(&mut self) {
        if let Self::Cumulative(cumulative) = self {
            *cumulative = Cumulative {
                // Says that credits are in use: from then on the hub never sends more than
                // its grant ahead of the engram (spec 2.5).
                credit_messages: 1,
                credit_bytes: 1,
                ..Cumulative::default()
            };
        }
    }

    /// A packet that waits for a receipt arrived on this connection.
    pub(super) fn arrived(&mut self, receipt: &Receipt) {
        if let Self::Cumulative(cumulative) = self {
            let line = cumulative
                .lines
                .entry(receipt.partition.clone())
                .or_default();
            // In their order, so a known one is not past the last.
            let is_known = line.open.back().is_some_and(|last| {
                last.stream_id == receipt.stream_id && last.sequence >= receipt.sequence
            });
            if !is_known {
                line.open.push_back(Entry {
                    stream_id: receipt.stream_id.clone(),
                    sequence: receipt.sequence,
                    done: false,
                });
            }
        }
    }

    /// A packet was completed.
    pub(super) fn complete(&mut self, receipt: Receipt) {
        match self {
            Self::Single(queue) => queue.push_back(receipt),
            Self::Cumulative(cumulative) => {
                if let Some(line) = cumulative.lines.get_mut(&receipt.partition) {
                    line.complete(&receipt);
                }
            }
        }
    }

    /// A packet that the hub charged so many bytes for waits no more.
    pub(super) fn give_back(&mut self, bytes: usize) {
        if let Self::Cumulative(cumulative) = self {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            cumulative.credit_messages = cumulative.credit_messages.saturating_add(1);
            cumulative.credit_bytes = cumulative.credit_bytes.saturating_add(bytes);
        }
    }

    pub(super) fn has_next(&self) -> bool {
        match self {
            Self::Single(queue) => !queue.is_empty(),
            Self::Cumulative(cumulative) => {
                cumulative.credit_messages > 0
                    || cumulative.lines.values().any(|line| line.due.is_some())
            }
        }
    }

    pub(super) fn next(&mut self) -> Option<Told> {
        if !self.has_next() {
            return None;
        }
        match self {
            Self::Single(queue) => queue.pop_front().map(Told::Receipt),
            Self::Cumulative(cumulative) => Some(Told::Ack(cumulative.flush())),
        }
    }

    /// Partitions of which something is remembered.
    #[cfg(test)]
    pub(super) fn partitions(&self) -> usize {
        match self {
            Self::Single(_) => 0,
            Self::Cumulative(cumulative) => cumulative.lines.len(),
        }
    }
}

impl Line {
    fn complete(&mut self, receipt: &Receipt) {
        let done = self.open.iter_mut().find(|entry| {
            entry.sequence == receipt.sequence && entry.stream_id == receipt.stream_id
        });
        if let Some(entry) = done {
            entry.done = true;
        }
        while self.open.front().is_some_and(|entry| entry.done)
            && let Some(entry) = self.open.pop_front()
        {
            // One that the hub sent again comes after those that follow it.
            let is_past =
                |due: &Due| due.stream_id == entry.stream_id && due.sequence > entry.sequence;
            if !self.due.as_ref().is_some_and(is_past) {
                self.due = Some(Due {
                    stream_id: entry.stream_id,
                    sequence: entry.sequence,
                });
            }
        }
    }
}

impl Cumulative {
    fn flush(&mut self) -> CumulativeAck {
        let mut told = CumulativeAck {
            credit_messages: std::mem::take(&mut self.credit_messages),
            credit_bytes: std::mem::take(&mut self.credit_bytes),
            ..CumulativeAck::default()
        };
        for (partition, line) in &mut self.lines {
            if partition.is_empty() {
                told.ack = line.due.take().map_or(0, |due| due.sequence);
            } else if told.partitions.len() < MAX_PARTITIONS
                && let Some(due) = line.due.take()
            {
                told.partitions.push((partition.clone(), due.sequence));
            }
        }
        self.lines
            .retain(|_, line| !line.open.is_empty() || line.due.is_some());
        told
    }
}
