//! What is left when the world ends (spec 7, liveness).

use super::rules::Promise;
use super::{Oracle, Verdict};

impl Oracle {
    /// Nothing is pending, and whatever did not arrive has a counted reason that fits it.
    pub(super) fn end(&mut self, waiting: &str) -> Verdict {
        for (edge, model) in self.life.edges.iter().enumerate() {
            let pending = model.last.queued + model.last.in_flight;
            if pending > 0 {
                let what = format!(
                    "{}: {} queued, {} in flight; {waiting}",
                    self.rules.edge_name(edge),
                    model.last.queued,
                    model.last.in_flight
                );
                return Err(self.broken("when faults stop, pending reaches 0", what));
            }
        }
        if !waiting.is_empty() {
            return Err(self.broken("when faults stop, everybody gets done", waiting));
        }
        for edge in 0..self.life.edges.len() {
            self.judge_lost(edge)?;
        }
        Ok(())
    }

    fn judge_lost(&self, edge: usize) -> Verdict {
        let to = self.rules.edges[edge].1;
        let Promise::AtLeastOnce { dead_letter, .. } = self.rules.steps[to.0].promise else {
            return Ok(());
        };
        let model = &self.life.edges[edge];
        let lost = model.fates.iter().filter(|(_, f)| !f.receipted);
        let mut count = 0;
        for (payload, fate) in lost {
            count += 1;
            let taken = self.life.taken.get(payload);
            let stopped = fate.cancelled || fate.interrupted_maybe;
            let partial = taken.is_none_or(|t| t.chunks > 1);
            let may = (stopped && model.last.reason("interrupted") > 0)
                || (dead_letter && (fate.place.is_none() || fate.partial))
                || (fate.exhausted && model.last.reason("dead_letter") > 0)
                || (fate.evicted_maybe && model.last.reason("evicted") > 0)
                || (partial && model.last.reason("chunk_timeout") > 0);
            if !may {
                let what = format!(
                    "{payload} on {} was taken, is not receipted, and nothing \
                    explains it; dropped: {:?}",
                    self.rules.edge_name(edge),
                    model.last.dropped
                );
                return Err(self.broken("nothing is lost without a counted reason", what));
            }
        }
        let dropped = model.last.dropped_total();
        let certain = dropped.saturating_sub(model.delivered_maybe);
        if count < certain || count > dropped {
            let what = format!(
                "{}: {count} did not arrive, {dropped} counted as dropped",
                self.rules.edge_name(edge)
            );
            return Err(self.broken("every drop is counted once", what));
        }
        Ok(())
    }
}
