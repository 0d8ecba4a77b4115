//! The hub's own numbers, held against the wire (spec 2.4 rules 4 and 7).

use super::fact::{EdgeNumbers, Step};
use super::rules::{Pace, Promise};
use super::{Oracle, Verdict};

/// Reasons that mean: there was no room.
const NO_ROOM: [&str; 4] = ["lane_full", "lane_oversize", "drop_oldest", "budget"];

impl Oracle {
    /// Judges the numbers of every edge at this instant.
    pub(super) fn counts(&mut self, edges: &[EdgeNumbers]) -> Verdict {
        for step in 0..self.rules.steps.len() {
            self.evict(Step(step));
        }
        for (edge, numbers) in edges.iter().enumerate() {
            if self.life.edges[edge].last != *numbers {
                self.judge_numbers(edge, numbers)?;
                self.note_drops(edge, numbers);
                self.life.edges[edge].last = numbers.clone();
            }
            self.judge_edge(edge, numbers)?;
        }
        for step in 0..self.rules.steps.len() {
            self.judge_bounds(Step(step), edges)?;
        }
        Ok(())
    }

    fn judge_numbers(&self, edge: usize, numbers: &EdgeNumbers) -> Verdict {
        let name = self.rules.edge_name(edge);
        let (n, last) = (numbers, &self.life.edges[edge].last);
        if n.accepted != n.delivered + n.dropped_total() + n.queued + n.in_flight {
            let what = format!("{name}: {n:?}");
            return Err(self.broken("accepted = delivered + dropped + queued + in flight", what));
        }
        let fell = n.accepted < last.accepted
            || n.delivered < last.delivered
            || last
                .dropped
                .iter()
                .any(|(reason, was)| n.reason(reason) < *was);
        if fell {
            let what = format!("{name}: {last:?} became {n:?}");
            return Err(self.broken("a counter never falls", what));
        }
        Ok(())
    }

    fn note_drops(&mut self, edge: usize, numbers: &EdgeNumbers) {
        let kept = self.rules.keeps(self.rules.edges[edge].1);
        let last = &self.life.edges[edge].last;
        let rise = |reasons: &[&str]| {
            reasons
                .iter()
                .map(|r| numbers.reason(r) - last.reason(r))
                .sum::<u64>()
        };
        let all = numbers.dropped_total() - last.dropped_total();
        self.seen.interrupted += rise(&["interrupted"]);
        self.seen.evicted += rise(&["evicted"]);
        if kept {
            self.seen.dead_lettered += all - rise(&["interrupted"]);
        } else {
            self.seen.best_effort_drops += all;
        }
    }

    fn judge_edge(&self, edge: usize, numbers: &EdgeNumbers) -> Verdict {
        let (model, name) = (&self.life.edges[edge], self.rules.edge_name(edge));
        let most = model.accepted + model.accepted_maybe;
        if numbers.accepted + model.open < model.accepted || numbers.accepted > most {
            let what = format!(
                "{name}: {} counted, {} taken from the wire",
                numbers.accepted, model.accepted
            );
            return Err(self.broken("accepted counts what was routed, once", what));
        }
        let most = model.delivered + model.delivered_maybe;
        if numbers.delivered < model.delivered || numbers.delivered > most {
            let what = format!(
                "{name}: {} counted, {}..={most} by the wire",
                numbers.delivered, model.delivered
            );
            return Err(self.broken("delivered counts what was receipted, once", what));
        }
        if numbers.reason("interrupted") > model.interruptible {
            let what = format!(
                "{name}: {} counted, at most {} were of a lower turn and waiting",
                numbers.reason("interrupted"),
                model.interruptible
            );
            return Err(self.broken("an interrupt ends only lower turns", what));
        }
        if model.vanished > numbers.dropped_total() {
            let what = format!(
                "{name}: {} acknowledged without a receipt, {} dropped",
                model.vanished,
                numbers.dropped_total()
            );
            return Err(self.broken("an ack means that every edge has settled", what));
        }
        let promise = self.rules.steps[self.rules.edges[edge].1.0].promise;
        if let Promise::AtLeastOnce {
            dead_letter: false, ..
        } = promise
            && let Some(reason) = NO_ROOM.iter().find(|r| numbers.reason(r) > 0)
        {
            return Err(self.broken(
                "a pausing edge never drops for want of room",
                format!("{name}: {reason}"),
            ));
        }
        Ok(())
    }

    fn judge_bounds(&self, step: Step, edges: &[EdgeNumbers]) -> Verdict {
        let rules = &self.rules.steps[step.0];
        let sum =
            |of: fn(&EdgeNumbers) -> u64| self.rules.to(step).map(|e| of(&edges[e])).sum::<u64>();
        let (queued, in_flight) = (sum(|e| e.queued), sum(|e| e.in_flight));
        let (buffer, grant) = (rules.max_messages.max(1), rules.grant.max(1));
        let window = if rules.pace == Pace::Window {
            grant
        } else {
            buffer
        };
        let window = rules
            .max_in_flight
            .map_or(window, |most| window.min(most.max(1)));
        // Sets that wait for chunks have bounds of their own.
        let open: u64 = self.rules.to(step).map(|e| self.life.edges[e].open).sum();
        let bounds = [
            ("messages in flight", in_flight, window),
            (
                "messages in all",
                queued + in_flight,
                buffer + window + rules.laned_messages + open,
            ),
        ];
        for (bound, is, most) in bounds {
            if is > most {
                let what = format!(
                    "{}: {bound}: {is}, at most {most} (queued {queued}, in flight \
                    {in_flight})",
                    rules.name
                );
                return Err(self.broken("every bound holds", what));
            }
        }
        if self.rules.keeps(step) {
            let holes: u64 = self.life.books[step.0]
                .streams
                .values()
                .map(|s| s.holes)
                .sum();
            let dropped = sum(EdgeNumbers::dropped_total);
            if holes > dropped {
                let what = format!(
                    "{}: {holes} sequences never went out, {dropped} were dropped",
                    rules.name
                );
                return Err(self.broken("sequences are contiguous but for recorded holes", what));
            }
        }
        Ok(())
    }
}
