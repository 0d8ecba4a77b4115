//! Registration, fencing and disconnects (spec 2.2).

use std::sync::Arc;

use super::{Actions, Conn, Contract, Engine, next_heartbeat};
use crate::deliver::{Assemblies, FenceVerdict, Outbox};
use crate::ids::{ConnId, Generation, Moment, RunId, StepIndex};
use crate::mutant::{self, Mutant};

/// Who a client says it is.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `storyrun-namespace`.
    pub namespace: &'a str,
    /// `storyrun-name`.
    pub run: &'a str,
    /// `current-step-id`.
    pub step: &'a str,
    /// `connector-generation`.
    pub generation: Generation,
    /// `hub-producer-epoch`: the client numbers its own packets from 1 (spec 2.4 rule 5).
    pub producer_epoch: Option<&'a str>,
    /// `hub-accept`.
    pub accepts: Accepts,
}

/// What a client acts on (`hub-accept`, spec 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepts {
    /// `pause`: PAUSE and RESUME signals.
    pub pause: bool,
    /// `control`: packets that carry control.
    pub control: bool,
}

/// Why a registration is refused. The gRPC code of each is that of spec 2.2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// UNAVAILABLE: the hub is shutting down; a retry reaches another or the next one.
    #[error("the hub is draining")]
    Draining,
    /// UNAVAILABLE: the run may still come; the client may retry.
    #[error("run {namespace}/{run} is not known here (yet); known: {known}")]
    UnknownRun {
        /// Namespace asked for.
        namespace: String,
        /// Run asked for.
        run: String,
        /// Some of the runs that are known, for people.
        known: String,
    },
    /// UNAVAILABLE: the step may come with a newer Story; the client may retry.
    #[error("step {step} is not known in run {run} (yet); known: {known}")]
    UnknownStep {
        /// Run asked for.
        run: String,
        /// Step asked for.
        step: String,
        /// The steps that are known, for people.
        known: String,
    },
    /// FAILED_PRECONDITION: the run is over; a retry never helps.
    #[error("run {namespace}/{run} has ended")]
    RunEnded {
        /// Namespace asked for.
        namespace: String,
        /// Run asked for.
        run: String,
    },
    /// FAILED_PRECONDITION: nobody can register as this step; a retry never helps.
    #[error("step {step} of run {run} is a primitive: the hub applies it itself")]
    Primitive {
        /// Run asked for.
        run: String,
        /// Step asked for.
        step: String,
    },
    /// RESOURCE_EXHAUSTED: the stream cap is reached; a retry may help.
    #[error("the hub serves {limit} streams already (limits.max_streams)")]
    StreamCap {
        /// The cap.
        limit: usize,
    },
    /// PERMISSION_DENIED: a newer incarnation of this engram has been seen.
    #[error("superseded by generation {0}")]
    Superseded(Generation),
    /// UNAVAILABLE: two live peers evict each other; the newcomer must wait.
    #[error("step {step} of run {run} was taken over 3 times in 10 s: two clients claim it")]
    Duel {
        /// Run asked for.
        run: String,
        /// Step asked for.
        step: String,
        /// The connection that stays.
        owner: ConnId,
    },
}

/// How many names an error lists.
const NAMES_SHOWN: usize = 8;

impl Engine {
    /// Registers a stream as a step. What waits for the step is sent to the new connection first.
    ///
    /// # Errors
    /// [`Refusal`], checked in the order of spec 2.2.
    pub fn register(
        &mut self,
        who: Registration<'_>,
        now: Moment,
        actions: &mut Actions,
    ) -> Result<ConnId, Refusal> {
        self.register_on(Contract::Process, who, now, actions)
    }

    /// The same for a client that speaks `contract`. Its packets are walked by the dialect of that,
    /// and are sent to it so; what waits is the same, whoever comes for it.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_on(
        &mut self,
        contract: Contract,
        who: Registration<'_>,
        now: Moment,
        actions: &mut Actions,
    ) -> Result<ConnId, Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        let (run, step) = self.resolve(who, now)?;
        let present = self.session(run, step).and_then(|s| s.owner);
        if present.is_none() && self.streams >= self.limits.max_streams {
            return Err(Refusal::StreamCap {
                limit: self.limits.max_streams,
            });
        }
        let fence = self.session_mut(run, step).map(|s| &mut s.fence);
        let verdict = fence.map(|f| f.admit(who.generation, present.is_some(), now));
        match (verdict, present) {
            (Some(FenceVerdict::Superseded(by)), _) => return Err(Refusal::Superseded(by)),
            (Some(FenceVerdict::Duel), Some(owner)) => {
                let (run, step) = (who.run.to_owned(), who.step.to_owned());
                return Err(Refusal::Duel { run, step, owner });
            }
            _ => {}
        }
        if let Some(old) = present {
            self.release(old, now, actions);
            actions.superseded.push((old, who.generation));
        }
        let conn = self.occupy(run, step, now, actions);
        self.introduce(conn, (contract, who), now, actions);
        Ok(conn)
    }

    /// Whether somebody is connected as the step that `who` names.
    pub fn is_connected(&self, who: &Registration<'_>) -> bool {
        let key = (Arc::from(who.namespace), Arc::from(who.run));
        let live = self.by_name.get(&key);
        let live = live.and_then(|run| self.runs.get(run.0 as usize));
        live.is_some_and(|live| {
            let steps = live.plan.steps.iter().zip(&live.sessions);
            let mut own = steps.filter(|(step, _)| *step.id == *who.step);
            own.any(|(_, session)| session.owner.is_some())
        })
    }

    /// Takes note that a connection is gone. Its step keeps what waits for it. A connection that
    /// was superseded changes nothing.
    pub fn disconnect(&mut self, conn: ConnId, now: Moment, actions: &mut Actions) {
        self.release(conn, now, actions);
    }

    /// What a new connection says of itself, and what it is to know at once.
    fn introduce(
        &mut self,
        conn: ConnId,
        (contract, who): (Contract, Registration<'_>),
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
        session.accepts = who.accepts;
        session.contract = contract;
        session.assemblies = Assemblies::default();
        if let Outbox::Log(log) = &mut session.outbox {
            log.speak(contract);
        }
        session.speaks_as(who.producer_epoch);
        if !mutant::is(Mutant::CreditsLeakOnReconnect) {
            session.credit.reset();
        }
        live.signal_newcomer(step, now, actions);
        if !live.sessions[step.at()].is_idle(now) {
            actions.wake.push(conn);
        }
        let completes = live.becomes_ready();
        if completes {
            actions.events.push(super::Event::RunReady(live.name()));
        }
        self.tell_hooks((run, step), completes, now, actions);
    }

    fn occupy(
        &mut self,
        run: RunId,
        step: StepIndex,
        now: Moment,
        actions: &mut Actions,
    ) -> ConnId {
        let conn = match self.free.pop() {
            Some(slot) => ConnId::new(slot, self.conns[slot as usize].serial),
            None => {
                let slot = u32::try_from(self.conns.len()).unwrap_or(u32::MAX);
                self.conns.push(Conn {
                    serial: 0,
                    step: None,
                });
                ConnId::new(slot, 0)
            }
        };
        self.conns[conn.slot()].step = Some((run, step));
        self.streams += 1;
        let interval = self.limits.heartbeat_interval;
        self.expire(run, step, now, actions);
        if let Some(session) = self.session_mut(run, step) {
            session.owner = Some(conn);
            session.is_missed = false;
            session.next_heartbeat = next_heartbeat(conn, interval, now);
        }
        conn
    }

    fn release(&mut self, conn: ConnId, now: Moment, actions: &mut Actions) {
        let Some((run, step)) = self.owner(conn) else {
            return;
        };
        let entry = &mut self.conns[conn.slot()];
        entry.step = None;
        entry.serial = entry.serial.wrapping_add(1);
        self.free.push(conn.slot() as u32);
        self.streams -= 1;
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let session = &mut live.sessions[step.at()];
        session.owner = None;
        session.absent_since = now;
        session.is_missed = true;
        session.clear_connection();
        if let Outbox::Log(log) = &mut session.outbox {
            log.rewind(&live.floors, &mut self.settled);
            if !self.settled.is_empty() {
                self.close_accounts(run, now, actions);
            }
        }
    }

    fn resolve(&self, who: Registration<'_>, now: Moment) -> Result<(RunId, StepIndex), Refusal> {
        let key = (Arc::from(who.namespace), Arc::from(who.run));
        let found = self
            .by_name
            .get(&key)
            .map(|&run| (run, &self.runs[run.0 as usize]));
        if found.is_some_and(|(_, live)| live.has_ended(now)) {
            return Err(Refusal::RunEnded {
                namespace: who.namespace.to_owned(),
                run: who.run.to_owned(),
            });
        }
        let Some((run, live)) = found.filter(|(_, live)| !live.is_ending()) else {
            let known = self.by_name.keys().map(|(ns, name)| format!("{ns}/{name}"));
            return Err(Refusal::UnknownRun {
                namespace: who.namespace.to_owned(),
                run: who.run.to_owned(),
                known: listed(known),
            });
        };
        let steps = &live.plan.steps;
        let Some(at) = steps.iter().position(|s| *s.id == *who.step) else {
            return Err(Refusal::UnknownStep {
                run: who.run.to_owned(),
                step: who.step.to_owned(),
                known: listed(steps.iter().map(|s| s.id.to_string())),
            });
        };
        let step = StepIndex(at as u16);
        if !live.is_engram(step) {
            let (run, step) = (who.run.to_owned(), who.step.to_owned());
            return Err(Refusal::Primitive { run, step });
        }
        Ok((run, step))
    }

    fn session(&self, run: RunId, step: StepIndex) -> Option<&crate::deliver::Session> {
        self.runs.get(run.0 as usize)?.sessions.get(step.at())
    }

    fn session_mut(&mut self, run: RunId, step: StepIndex) -> Option<&mut crate::deliver::Session> {
        self.runs
            .get_mut(run.0 as usize)?
            .sessions
            .get_mut(step.at())
    }
}

pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.take(NAMES_SHOWN + 1).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    if names.len() > NAMES_SHOWN {
        names[NAMES_SHOWN] = "...".to_owned();
    }
    names.join(", ")
}
