//! What happens because time passes: heartbeats, expiry, giving memory back, draining.

use super::{Actions, Engine, next_heartbeat};
use crate::account::DropReason;
use crate::ids::{Moment, RunId, StepIndex};

impl Engine {
    /// Does what is due at `now`. The shell calls it a few times per heartbeat interval.
    pub fn tick(&mut self, now: Moment, actions: &mut Actions) {
        for run in 0..self.runs.len() as u32 {
            for step in 0..self.runs[run as usize].sessions.len() as u16 {
                let (run, step) = (RunId(run), StepIndex(step));
                self.expire(run, step, now, actions);
                self.beat(run, step, now, actions);
            }
        }
    }

    fn beat(&mut self, run: RunId, step: StepIndex, now: Moment, actions: &mut Actions) {
        let interval = self.limits.heartbeat_interval;
        let session = &mut self.runs[run.0 as usize].sessions[step.at()];
        let Some(owner) = session.owner else {
            return session.rest();
        };
        if now < session.next_heartbeat {
            return;
        }
        session.next_heartbeat = next_heartbeat(owner, interval, now);
        session.rest();
        let idle = session.is_idle();
        if session.push_control(&self.heartbeat) {
            self.heartbeats.sent += 1;
            if idle {
                actions.wake.push(owner);
            }
        }
    }

    /// Ends what still waits when the hub stops, so that the accounts close: everything queued is
    /// dropped as `shutdown`. Returns how many packets that were.
    pub fn abandon(&mut self) -> u64 {
        let mut abandoned = 0;
        for run in &mut self.runs {
            for session in &mut run.sessions {
                while let Some(entry) = session.queue.drop_front() {
                    run.edges[entry.edge as usize]
                        .counts
                        .drop_one(DropReason::Shutdown);
                    self.queued_bytes -= entry.len as usize;
                    abandoned += 1;
                }
            }
        }
        abandoned
    }
}
