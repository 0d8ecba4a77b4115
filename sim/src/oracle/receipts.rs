//! What a receipt releases (spec 2.4 rule 2).

use super::fact::{Link, Step};
use super::intake::lane_of;
use super::model::{Place, edge_of};
use super::rules::Promise;
use super::{Oracle, Verdict};
use crate::wire::{self, DELIVERED, INTERRUPT};

impl Oracle {
    /// The hub took in the flow of a ProcessRequest.
    pub(super) fn flow(&mut self, link: Link, message: &[u8]) -> Verdict {
        let Some(flow) = wire::process(message).and_then(|p| p.flow) else {
            return Ok(());
        };
        let Some(step) = self.life.owned_by(link) else {
            self.seen.stale += 1;
            return Ok(());
        };
        self.return_credits(link, step, flow.credits_messages);
        match self.rules.steps[step.0].promise {
            Promise::BestEffort => {}
            Promise::AtLeastOnce {
                per_partition: false,
                ..
            } => {
                self.cumulative(link, step, "", flow.ack);
            }
            Promise::AtLeastOnce {
                per_partition: true,
                ..
            } => {
                self.cumulative(link, step, "", flow.ack);
                for (partition, ack) in &flow.partition_acks {
                    self.cumulative(link, step, partition, *ack);
                }
            }
        }
        Ok(())
    }

    /// Counts up to what was sent whole on this connection; what this epoch never sent is a
    /// receipt of another one.
    fn cumulative(&mut self, link: Link, step: Step, partition: &str, ack: u64) {
        let stream = self.life.books[step.0].streams.get(partition);
        let sent = self.life.peers.get(&link).map(|p| &p.sent);
        let (Some(stream), Some(sent), true) = (stream, sent, ack > 0) else {
            self.seen.early_acks += u64::from(ack > 0);
            return;
        };
        self.seen.early_acks += u64::from(sent.is_empty());
        let mut through = Vec::new();
        for (&sequence, &payload) in stream.items.range(..=ack) {
            let place = (partition.to_owned(), sequence);
            let fate = edge_of(&self.rules, payload, step)
                .and_then(|edge| self.life.edges[edge].fates.get(&payload));
            match (fate, sent.get(&place)) {
                (Some(fate), _) if fate.receipted => {}
                (_, Some(on)) if on.whole => through.push(place),
                // It went out on an earlier connection, and was dropped before this one.
                (Some(fate), _) if fate.loose() => {}
                _ => break,
            }
        }
        let known = ack <= stream.highest;
        let mut released = false;
        for place in through.iter().filter(|_| known) {
            released |= self.release(step, place);
        }
        self.seen.receipts_ignored += u64::from(!released);
    }

    /// The hub took in a ControlRequest.
    pub(super) fn control(&mut self, link: Link, message: &[u8]) -> Verdict {
        let Some(control) = wire::control(message) else {
            return Ok(());
        };
        let number = |key| control.metadata(key).and_then(|v| v.parse().ok());
        match &*control.action {
            INTERRUPT => {
                let lane = control.metadata("lane").and_then(lane_of);
                if let Some(turn) = number("turn") {
                    self.interrupt(link, turn, lane);
                }
            }
            DELIVERED => {
                let text = |key| control.metadata(key).unwrap_or_default().to_owned();
                let sequence = number("sequence").unwrap_or_default();
                self.single(link, &text("stream_id"), &text("partition"), sequence);
            }
            _ => {}
        }
        Ok(())
    }

    /// Releases one sequence of the step's own stream.
    fn single(&mut self, link: Link, stream_id: &str, partition: &str, sequence: u64) {
        let Some(step) = self.life.owned_by(link) else {
            self.seen.stale += 1;
            return;
        };
        let rules = &self.rules;
        let epoch = self.life.epoch.as_deref().unwrap_or_default();
        let own = format!(
            "{}/{}/{}@{epoch}",
            rules.namespace,
            rules.run,
            self.step_name(step)
        );
        if own != stream_id {
            self.seen.foreign += 1;
            return;
        }
        let partition = match rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                per_partition: true,
                ..
            } => partition,
            _ => "",
        };
        let released = self.release(step, &(partition.to_owned(), sequence));
        self.seen.receipts_ignored += u64::from(!released);
    }

    /// Notes the receipt of a place. Whether it released something.
    fn release(&mut self, step: Step, place: &Place) -> bool {
        let stream = self.life.books[step.0].streams.get(&place.0);
        let Some(&payload) = stream.and_then(|s| s.items.get(&place.1)) else {
            return false;
        };
        let Some(edge) = edge_of(&self.rules, payload, step) else {
            return false;
        };
        let model = &mut self.life.edges[edge];
        let Some(fate) = model.fates.get_mut(&payload).filter(|f| !f.receipted) else {
            return false;
        };
        if fate.loose() {
            model.delivered_maybe += 1;
        } else {
            model.delivered += 1;
        }
        fate.receipted = true;
        self.seen.receipted += 1;
        if let Some(peer) = self.life.seats[step.0]
            .owner
            .and_then(|o| self.life.peers.get_mut(&o))
        {
            peer.due.remove(place);
        }
        true
    }
}
