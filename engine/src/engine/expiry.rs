//! What waits too long: by the age that a Story allows, and with the state of a step that nobody comes
//! back to (spec 2.2, 2.5).

use std::time::Duration;

use super::{Actions, Engine, Limits, Run};
use crate::account::DropReason;
use crate::deliver::{Outbox, Settled};
use crate::ids::{Moment, RunId, StepIndex};

impl Engine {
    /// Drops what has waited too long for a step, and tells when the step is absent.
    pub(super) fn expire(
        &mut self,
        run: RunId,
        step: StepIndex,
        now: Moment,
        actions: &mut Actions,
    ) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let (packets, bytes) = drop_aged(live, step, &self.limits, now, &mut self.settled);
        self.queued_bytes -= bytes;
        if packets > 0 && live.sessions[step.at()].owner.is_none() {
            let (run, step) = (live.name(), live.plan.steps[step.at()].id.clone());
            actions
                .events
                .push(super::Event::Expired { run, step, packets });
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        } else if bytes > 0 {
            self.unblock_budget(now, actions);
        }
    }
}

/// Drops packets past the age that holds for `step` now. Returns how many, and the bytes of those
/// that wait on best_effort edges; the others are in `settled`.
pub(super) fn drop_aged(
    live: &mut Run,
    step: StepIndex,
    limits: &Limits,
    now: Moment,
    settled: &mut Vec<Settled>,
) -> (u64, usize) {
    let Some(session) = live.sessions.get_mut(step.at()) else {
        return (0, 0);
    };
    let absent = session.owner.is_none();
    let away = now.since(session.absent_since);
    if absent && away >= limits.state_ttl {
        session.forget_producers();
    }
    let own = live.plan.steps[step.at()].queue.max_age;
    let before = |age: Duration| {
        let nanos = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        now.as_nanos().checked_sub(nanos).map(Moment::from_nanos)
    };
    match &mut session.outbox {
        Outbox::Lanes(lanes) => {
            let Some(max_age) = own.or(absent.then_some(limits.absent_max_age)) else {
                return (0, 0);
            };
            // Nothing outlives the state of its step (spec 2.2).
            let (age, reason) = if absent && limits.state_ttl <= max_age {
                (limits.state_ttl, DropReason::Evicted)
            } else {
                (max_age, DropReason::Expired)
            };
            let Some(before) = before(age) else {
                return (0, 0);
            };
            let (edges, mut packets, mut bytes) = (&mut live.edges, 0u64, 0usize);
            lanes.drop_older(before, |entry| {
                edges[entry.edge as usize].counts.drop_one(reason);
                packets += 1;
                bytes += entry.len as usize;
            });
            (packets, bytes)
        }
        Outbox::Log(log) => {
            let known = settled.len();
            if let Some(before) = own.and_then(before) {
                log.drop_older(before, DropReason::Expired, settled);
            }
            if let Some(before) = before(limits.state_ttl).filter(|_| away >= limits.state_ttl)
                && absent
            {
                log.drop_older(before, DropReason::Evicted, settled);
            }
            ((settled.len() - known) as u64, 0)
        }
    }
}
