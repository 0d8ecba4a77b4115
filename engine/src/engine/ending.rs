//! The end of a run, and of the hub (spec 2.7): nothing more is taken in, what waits still goes, and
//! what cannot go is counted.

use std::time::Duration;

use super::numbered::Origins;
use super::{Actions, Contract, Engine, Event, Run};
use crate::account::DropReason;
use crate::deliver::{Outbox, Settled};
use crate::ids::{Moment, RunId};

/// How long the streams of a run that ends may take what waits for them.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a run that has ended is known as one that has.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// A run that ends, or has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    since: Moment,
    is_over: bool,
}

impl Run {
    /// Whether nothing more is taken in.
    #[inline]
    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether whoever asks for it is told that it has ended.
    pub(super) fn has_ended(&self, now: Moment) -> bool {
        let ending = self.ending.as_ref();
        ending.is_some_and(|ending| now.since(ending.since) < REMEMBERED)
    }

    fn is_flushed(&self, now: Moment) -> bool {
        self.sessions.iter().all(|session| {
            session.owner.is_none()
                || session.is_idle(now)
                    && match &session.outbox {
                        Outbox::Lanes(lanes) => lanes.is_empty(),
                        Outbox::Log(log) => log.is_empty(),
                    }
        })
    }

    /// Ends all that waits, so that the accounts close. No producer hears of it.
    fn abandon(&mut self, settled: &mut Vec<Settled>, mut freed: impl FnMut(usize, usize)) -> u64 {
        let mut abandoned = 0;
        let mut drop_one = |counts: &mut crate::account::EdgeCounts| {
            counts.drop_one(DropReason::Shutdown);
            abandoned += 1;
        };
        self.drop_joining(settled);
        for settled in settled.drain(..) {
            drop_one(&mut self.edges[settled.edge as usize].counts);
        }
        for session in &mut self.sessions {
            session.decided.clear();
            session.decided.forget_sets();
            match &mut session.outbox {
                Outbox::Lanes(lanes) => {
                    while let Some(entry) = lanes.drop_front() {
                        drop_one(&mut self.edges[entry.edge as usize].counts);
                        freed(entry.len as usize, 0);
                    }
                }
                Outbox::Log(log) => {
                    log.drop_all(DropReason::Shutdown, settled);
                    for settled in settled.drain(..) {
                        drop_one(&mut self.edges[settled.edge as usize].counts);
                        freed(settled.bytes, settled.staged);
                    }
                }
            }
        }
        self.origins = Origins::default();
        abandoned
    }
}

impl Engine {
    /// Ends a run: no packet of it is taken in any more; its streams are named in
    /// [`Actions::over`] once they have got what waits for them, or their time is up.
    pub fn end_run(&mut self, run: RunId, now: Moment, actions: &mut Actions) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        if live.ending.is_some() {
            return;
        }
        live.ending = Some(Ending {
            since: now,
            is_over: false,
        });
        // What cannot be joined any more would only wait for its time.
        live.drop_joining(&mut self.settled);
        self.close_accounts(run, now, actions);
        self.look_at_end(run, now, actions);
    }

    /// Whether everything that waits for connected streams is gone, so that a run that ends may end.
    pub(super) fn look_at_end(&mut self, run: RunId, now: Moment, actions: &mut Actions) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let Some(ending) = live.ending.filter(|ending| !ending.is_over) else {
            return;
        };
        // There is no later at which what is settled could be told.
        for session in &mut live.sessions {
            if session.hurry_ack(now) {
                actions.wake.extend(session.owner);
            }
        }
        if !live.is_flushed(now) && now.since(ending.since) < PATIENCE {
            return self.ask_for_tick(now.after(LOOK_EVERY));
        }
        live.ending = Some(Ending {
            is_over: true,
            ..ending
        });
        let owners = live.sessions.iter().filter_map(|session| session.owner);
        actions.over.extend(owners);
        actions.events.push(Event::RunEnded(live.name()));
        let (queued, staged) = (&mut self.queued_bytes, &mut self.staged_bytes);
        live.abandon(&mut self.settled, |bytes, chunks| {
            *queued -= bytes;
            *staged -= chunks;
        });
        self.waiting_bytes = self.joining_bytes();
        self.unblock_budget(now, actions);
    }

    /// Ends what still waits when the hub stops, so that the accounts close: everything is dropped
    /// as `shutdown`. No producer hears of it: what was not settled before may be sent again to
    /// the next hub. Returns how many packets that were.
    pub fn abandon(&mut self) -> u64 {
        let (queued, staged) = (&mut self.queued_bytes, &mut self.staged_bytes);
        let mut abandoned = 0;
        for run in &mut self.runs {
            abandoned += run.abandon(&mut self.settled, |bytes, chunks| {
                *queued -= bytes;
                *staged -= chunks;
            });
        }
        self.waiting_bytes = 0;
        abandoned
    }

    /// Whether nothing waits for any connected stream, neither to be sent nor for its receipt.
    pub fn is_flushed(&self, now: Moment) -> bool {
        self.runs.iter().all(|run| run.is_flushed(now))
    }

    /// Whether an engram is connected whose receipts may overtake what it made of the packets, and
    /// which does not send that again: on the connector contract receipts go by Control and output
    /// by Data (spec 3, "Ending").
    #[must_use]
    pub fn may_trail(&self) -> bool {
        let sessions = self.runs.iter().flat_map(|run| {
            let steps = run.sessions.iter().zip(&run.upstream).zip(&run.downstream);
            steps.filter_map(|((session, up), down)| {
                (!up.is_empty() && !down.is_empty()).then_some(session)
            })
        });
        sessions
            .filter(|session| session.owner.is_some() && session.producer().is_none())
            .any(|session| session.contract == Contract::Connector)
    }
}
