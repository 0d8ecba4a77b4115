//! What happens because time passes: heartbeats, expiry, late receipts, giving memory back.

use std::time::Duration;

use super::{Actions, Engine, next_heartbeat};
use crate::deliver::Outbox;
use crate::ids::{Moment, RunId, StepIndex};

/// How long a chunk set waits for its next chunk (spec 2.3).
const CHUNK_PATIENCE: Duration = Duration::from_secs(120);

impl Engine {
    /// Does what is due at `now`. The shell calls it a few times per heartbeat interval, and at
    /// [`Engine::next_deadline`].
    pub fn tick(&mut self, now: Moment, actions: &mut Actions) {
        self.deadline = None;
        for run in 0..self.runs.len() as u32 {
            for step in 0..self.runs[run as usize].sessions.len() as u16 {
                let (run, step) = (RunId(run), StepIndex(step));
                self.expire(run, step, now, actions);
                self.look_for_late(run, step, now, actions);
                self.look_for_stragglers(run, step, now, actions);
                self.tell_producer(run, step, now, actions);
                self.beat(run, step, now, actions);
            }
            self.look_at_end(RunId(run), now, actions);
        }
    }

    /// Asks for a tick that cannot wait for the next regular one.
    pub(super) fn ask_for_tick(&mut self, due: Moment) {
        self.deadline = Some(self.deadline.map_or(due, |d| d.min(due)));
    }

    /// Sends again what was not receipted in time, and gives up chunk sets.
    fn look_for_late(&mut self, run: RunId, step: StepIndex, now: Moment, actions: &mut Actions) {
        let session = &mut self.runs[run.0 as usize].sessions[step.at()];
        let idle = session.is_idle(now);
        if session.stalled.is_none() {
            let read = (now, session.read_since);
            session.decided.forget_stale(CHUNK_PATIENCE, read);
        }
        let Outbox::Log(log) = &mut session.outbox else {
            return;
        };
        log.drop_stale_sets(CHUNK_PATIENCE, now, &mut self.settled);
        // The clock stands still while this client's own packets, and its receipts with them, are
        // not read (spec 2.4 rule 8), and begins anew when they are.
        if session.owner.is_some() && session.stalled.is_none() {
            log.find_late((now, session.read_since), &mut self.settled);
        }
        if let Some(due) = log.late_at(session.read_since).filter(|due| *due > now) {
            self.deadline = Some(self.deadline.map_or(due, |d| d.min(due)));
        }
        if let Some(owner) = session.owner
            && idle
            && !session.is_idle(now)
        {
            actions.wake.push(owner);
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        }
    }

    /// Wakes a producer that must be told by now what is settled.
    fn tell_producer(&mut self, run: RunId, step: StepIndex, now: Moment, actions: &mut Actions) {
        let session = &mut self.runs[run.0 as usize].sessions[step.at()];
        for producer in session.producers() {
            producer.give_up_chunks(CHUNK_PATIENCE, now);
        }
        match session.ack_deadline() {
            Some(due) if due > now => self.ask_for_tick(due),
            // Waking twice costs nothing; what was owed before now is owed still.
            Some(_) => actions.wake.extend(session.owner),
            None => {}
        }
    }

    fn beat(&mut self, run: RunId, step: StepIndex, now: Moment, actions: &mut Actions) {
        let interval = self.limits.heartbeat_interval;
        let session = &mut self.runs[run.0 as usize].sessions[step.at()];
        let Some(owner) = session.owner else {
            return session.rest();
        };
        if now >= session.next_heartbeat {
            session.next_heartbeat = next_heartbeat(owner, interval, now);
            session.rest();
            self.heartbeats.sent += u64::from(session.push_control(&self.heartbeat));
        }
        // Waking somebody twice costs little; somebody who was not woken would wait for ever.
        if !session.is_idle(now) {
            actions.wake.push(owner);
        }
    }
}
