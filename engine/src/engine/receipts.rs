//! Receipts and credits: what consumers say about what they got (spec 2.4 rule 2, 2.5).

use transport_proto::view::Flow;

use super::{Actions, Engine};
use crate::deliver::{Ack, Outbox};
use crate::ids::{ConnId, Moment};
use crate::mutant::{self, Mutant};

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
    /// Takes in what stands beside a packet: cumulative receipts and returned credits. From a
    /// connection that has lost its step it changes nothing.
    pub fn flow(&mut self, conn: ConnId, flow: &Flow, now: Moment, actions: &mut Actions) {
        let Some((run, step)) = self.owner(conn) else {
            return;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let session = &mut live.sessions[step.at()];
        if let Outbox::Log(log) = &mut session.outbox {
            let stream = (flow.ack > 0).then_some(("", flow.ack));
            let partitions = flow
                .partition_acks
                .iter()
                .map(|(name, ack)| (&**name, *ack));
            for (partition, ack) in stream.into_iter().chain(partitions) {
                if ack > 0 && log.ack(partition, ack, &mut self.settled) == Ack::Unknown {
                    session.ignored.unknown += 1;
                }
            }
        }
        session
            .credit
            .give(flow.credits_messages, flow.credits_bytes);
        if !session.is_idle(now) {
            actions.wake.push(conn);
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        }
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
        let Some((run, step)) = self.owner(conn) else {
            return;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let session = &mut live.sessions[step.at()];
        if !is_own(receipt.stream_id, &live.streams[step.at()]) {
            session.ignored.foreign += 1;
            return;
        }
        let Outbox::Log(log) = &mut session.outbox else {
            session.ignored.unknown += 1;
            return;
        };
        let ack = log.receipt(receipt.partition, receipt.sequence, &mut self.settled);
        session.ignored.unknown += u64::from(ack == Ack::Unknown);
        if !session.is_idle(now) {
            actions.wake.push(conn);
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        }
    }

    /// When [`Engine::tick`] has something to do that should not wait for the next regular one.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadline
    }
}

/// Whether a receipt names the stream that is being sent.
fn is_own(named: &str, own: &str) -> bool {
    let name = |id: &str| id.rsplit_once('@').map_or(id, |(name, _)| name).to_owned();
    let epoch = |id: &str| id.rsplit_once('@').map(|(_, epoch)| epoch.to_owned());
    named == own
        || mutant::is(Mutant::ReleaseOnForeignReceipt) && epoch(named) == epoch(own)
        || mutant::is(Mutant::LateAckOfOldEpoch) && name(named) == name(own)
}
