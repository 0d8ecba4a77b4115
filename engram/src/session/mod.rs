//! What an engram and its hub owe each other, whatever connection they have (spec 2.4, 3).
//!
//! Owns, for the life of the process: the numbers of what was sent and its bytes until
//! the hub says that all is settled ([`Output`]); what was received and is being worked
//! on, what was completed ([`Intake`]); the receipts ([`Receipts`]). Time and bytes go
//! in, bytes and receipts come out; it never opens a connection, keeps a timer or waits.
//!
//! | connection | what is sent |
//! | --- | --- |
//! | none | nothing; messages are numbered and kept, what was received can be completed |
//! | awaiting the handshake | answers on the control channel |
//! | ready | everything kept, in its order, then what comes; receipts |
//! | paused by the hub | receipts and signs of life |

mod backoff;
mod control;
mod dedupe;
mod intake;
mod output;
mod receipts;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use transport_proto::view::Dialect;
use transport_proto::wire::varint_len;

pub(crate) use backoff::{Backoff, Jitter};
pub(crate) use intake::{Delivery, Token};
pub use output::Bounds;
pub(crate) use output::Number;
pub use receipts::CumulativeAck;
pub(crate) use receipts::Told;

use crate::control::{ControlDirective, Handshake, HandshakeError};
use crate::wire::{Arrival, DecodeError, Reassembler, Receipt, decode_chunked, receipt};
use intake::{Credit, Intake, Interrupted, Taken};
use output::Output;
use receipts::Receipts;

/// What there was so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections on which the hub became ready.
    pub connections: u64,
    /// Messages numbered.
    pub sent: u64,
    /// Messages handed to a connection again.
    pub resent: u64,
    /// Messages that the hub says are settled.
    pub settled: u64,
    /// Messages shown to the engram.
    pub received: u64,
    /// Packets that came again and were not shown again.
    pub duplicates: u64,
    /// Packets that could not be shown: receipted, so that they do not come for ever.
    pub unreadable: u64,
    /// Packets that an interrupt took out of the queue (spec 2.5).
    pub interrupted: u64,
}

/// One side of the conversation with the hub.
pub(crate) struct Session {
    dialect: Dialect,
    output: Output,
    intake: Intake,
    chunks: Reassembler<Bytes>,
    receipts: Receipts,
    handshake: Option<Handshake>,
    connected: bool,
    /// Connections so far; never decreases.
    connection: u64,
    /// Messages that are done once everything up to a number is settled, in its order.
    deferred: VecDeque<(u64, Token)>,
    /// The hub has said that it is about to stop (spec 2.7).
    draining: bool,
    /// Directives to be sent on this connection.
    directives: VecDeque<ControlDirective>,
    stats: Stats,
}

impl Session {
    pub(crate) fn new(dialect: Dialect, bounds: Bounds) -> Self {
        Self {
            dialect,
            output: Output::new(bounds),
            intake: Intake::default(),
            chunks: Reassembler::default(),
            receipts: Receipts::of(dialect),
            handshake: None,
            connected: false,
            connection: 0,
            deferred: VecDeque::new(),
            draining: false,
            directives: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// A connection was made. `handshakes`: the hub speaks first (connector contract).
    pub(crate) fn connected(&mut self, handshakes: bool) {
        self.connected = true;
        self.connection += 1;
        self.handshake = handshakes.then(Handshake::default);
        self.chunks = Reassembler::default();
        self.draining = false;
        self.output.restart();
        self.receipts.restart();
        if !handshakes {
            self.stats.connections += 1;
        }
    }

    /// The connection is gone.
    pub(crate) fn disconnected(&mut self) {
        self.connected = false;
        self.directives.clear();
    }

    /// Whether packets may be sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.connected && self.handshake.is_none_or(Handshake::is_ready)
    }

    /// Takes a directive of the hub for what the session itself acts on: the handshake and
    /// interrupts. Tells whether the hub became ready by it.
    pub(crate) fn directed(
        &mut self,
        directive: &ControlDirective,
    ) -> Result<bool, HandshakeError> {
        if let Some((turn, lane)) = control::interrupt(directive) {
            for Interrupted { receipt, credit } in self.intake.interrupt(turn, lane) {
                self.stats.interrupted += 1;
                self.give_back(credit);
                if let Some(receipt) = receipt {
                    self.receipts.complete(receipt);
                }
            }
        }
        self.draining |= directive.is("handoff.draining");
        let was_ready = self.is_ready();
        let Some(handshake) = &mut self.handshake else {
            return Ok(false);
        };
        let is_ready = handshake.take(directive)?;
        let became_ready = is_ready && !was_ready;
        self.stats.connections += u64::from(became_ready);
        Ok(became_ready)
    }

    /// Numbers and keeps an encoded message; gives it back where there is no room.
    pub(crate) fn push(&mut self, message: BytesMut) -> Result<Number, BytesMut> {
        let number = self.output.push(message)?;
        self.stats.sent += 1;
        Ok(number)
    }

    /// The next packet for the connection.
    pub(crate) fn next_packet(&mut self) -> Option<Bytes> {
        if !self.is_ready() {
            return None;
        }
        let (packet, again) = self.output.next()?;
        self.stats.resent += u64::from(again);
        Some(packet)
    }

    /// Whether [`next_packet`](Self::next_packet) would give one.
    pub(crate) fn has_packet(&self) -> bool {
        self.is_ready() && self.output.has_next()
    }

    /// The hub says that everything up to `number` is settled. Tells whether room was made.
    pub(crate) fn settled(&mut self, number: Number) -> bool {
        let settled = self.output.settle(number);
        self.stats.settled += settled;
        while let Some((number, token)) = self.deferred.front().copied()
            && self.output.is_settled(number)
        {
            self.deferred.pop_front();
            self.done(token);
        }
        settled > 0
    }

    /// The hub asks for a pause, or for no more of it.
    pub(crate) fn pause(&mut self, paused: bool) {
        self.output.pause(paused);
    }

    /// Whether the hub is about to stop and nothing can be done here any more: it takes no
    /// more packets, so what was sent to it is settled by none but the next hub, and what
    /// waits for that is all that is left of what it sent. Staying would hold its drain up
    /// to the deadline.
    pub(crate) fn is_stuck_in_drain(&self) -> bool {
        self.draining
            && !self.output.is_empty()
            && self.intake.waiting().0 == 0
            && self.intake.working() == self.deferred.len()
            && !self.has_told()
    }

    /// Whether everything that was sent is settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.output.is_empty()
    }

    /// A packet arrived.
    ///
    /// # Errors
    /// Where it cannot be shown; it is receipted, so that it does not come for ever.
    pub(crate) fn arrived(&mut self, packet: &Bytes, now: Duration) -> Result<(), DecodeError> {
        let credit = Credit {
            connection: self.connection,
            bytes: charged(packet.len()),
        };
        match decode_chunked(packet, self.dialect, &mut self.chunks, now) {
            Ok(Some(arrival)) => self.take_whole(arrival, credit),
            Ok(None) => {
                self.give_back(credit);
                // What comes after it is not all until it is whole.
                if let Some(receipt) = receipt(packet, self.dialect) {
                    self.receipts.arrived(&receipt);
                }
            }
            Err(error) => {
                self.stats.unreadable += 1;
                self.give_back(credit);
                self.refuse(receipt(packet, self.dialect));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Completes what is not shown to the engram.
    fn refuse(&mut self, receipt: Option<Receipt>) {
        if let Some(receipt) = receipt {
            self.receipts.arrived(&receipt);
            self.receipts.complete(receipt);
        }
    }

    /// Returns what a packet took of the hub's grant, if the hub still counts it.
    fn give_back(&mut self, credit: Credit) {
        if credit.connection == self.connection {
            self.receipts.give_back(credit.bytes);
        }
    }

    fn take_whole(&mut self, arrival: Arrival, credit: Credit) {
        if arrival.drop.is_some() {
            self.give_back(credit);
            return self.refuse(arrival.receipt);
        }
        if let Some(receipt) = &arrival.receipt {
            self.receipts.arrived(receipt);
        }
        let taken = self.intake.take(arrival, credit);
        if taken != Taken::Waits {
            self.give_back(credit);
        }
        match taken {
            Taken::Waits => {}
            Taken::Pending => self.stats.duplicates += 1,
            Taken::Completed(receipt) => {
                self.stats.duplicates += 1;
                self.refuse(receipt);
            }
            Taken::Interrupted(receipt) => {
                self.stats.interrupted += 1;
                self.refuse(receipt);
            }
        }
    }

    /// The next message for the engram.
    pub(crate) fn next_delivery(&mut self) -> Option<Delivery> {
        let delivery = self.intake.next()?;
        self.stats.received += 1;
        self.give_back(delivery.credit);
        Some(delivery)
    }

    /// The engram is done with a message.
    pub(crate) fn done(&mut self, token: Token) {
        if let Some(receipt) = self.intake.complete(token) {
            self.receipts.complete(receipt);
        }
    }

    /// The engram is done with a message as soon as all that was sent by now is settled.
    pub(crate) fn done_once_settled(&mut self, token: Token) {
        let last = self.output.last();
        if self.output.is_settled(last) {
            self.done(token);
        } else {
            self.deferred.push_back((last, token));
        }
    }

    /// The engram let a message go without being done with it: it may come again.
    pub(crate) fn released(&mut self, token: Token) {
        self.intake.release(token);
    }

    /// Messages that wait for the engram, and their bytes.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        self.intake.waiting()
    }

    /// Something to tell the hub beside packets: receipts, credits, directives.
    pub(crate) fn next_told(&mut self) -> Option<Told> {
        if !self.connected {
            return None;
        }
        if let Some(directive) = self.directives.pop_front() {
            return Some(Told::Directive(directive));
        }
        if self.is_ready() {
            self.receipts.next()
        } else {
            None
        }
    }

    /// Whether [`next_told`](Self::next_told) would give something.
    pub(crate) fn has_told(&self) -> bool {
        self.connected
            && (!self.directives.is_empty() || (self.is_ready() && self.receipts.has_next()))
    }

    /// Queues a directive for the hub; it is lost with the connection.
    pub(crate) fn tell(&mut self, directive: ControlDirective) {
        /// Answers to a hub that directs faster than it reads.
        const MOST: usize = 1024;
        if self.connected && self.directives.len() < MOST {
            self.directives.push_back(directive);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// What the hub charges for a packet: the whole gRPC message, with its prefix of 5 bytes and
/// the field around the packet.
fn charged(packet_bytes: usize) -> usize {
    5 + 1 + varint_len(packet_bytes as u64) + packet_bytes
}
