//! Receipts, credits and interrupts: what consumers say about what they got.

use transport_proto::view::Flow;

use super::{Actions, Engine};
use crate::ids::{ConnId, Moment};
use crate::route::Lane;

/// One packet that a consumer has taken care of (`downstream.delivered`, spec 2.4 rule 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The envelope's `stream_id`, epoch included.
    pub stream_id: &'a str,
    /// The envelope's partition; empty where it has none.
    pub partition: &'a str,
    /// The envelope's sequence.
    pub sequence: u64,
}

impl Engine {
    /// Takes in what stands beside a packet: cumulative receipts and returned credits.
    pub fn flow(&mut self, conn: ConnId, flow: &Flow, now: Moment, actions: &mut Actions) {
        let _ = (conn, flow, now, actions);
    }

    /// Takes in a receipt for one sequence. Receipts for another stream or an unknown sequence are
    /// counted and ignored.
    pub fn receipt(
        &mut self,
        conn: ConnId,
        receipt: Receipt<'_>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let _ = (conn, receipt, now, actions);
    }

    /// Barge-in: ends everything of turns below `turn` that waits in a queue of `conn`'s run, on
    /// one lane or on all (spec 2.5).
    pub fn interrupt(
        &mut self,
        conn: ConnId,
        turn: u64,
        lane: Option<Lane>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let _ = (conn, turn, lane, now, actions);
    }

    /// When [`Engine::tick`] has something to do that cannot wait for the next regular one.
    pub fn next_deadline(&self) -> Option<Moment> {
        None
    }
}
