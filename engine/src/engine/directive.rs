//! What the hub says to clients of the connector contract beside their packets: on its control
//! channel, which the shell serves (spec 3).

use std::time::Duration;

use transport_proto::Malformed;
use transport_proto::view::PacketView;

use super::{Actions, Engine, Interrupt};
use crate::account::RefuseReason;
use crate::deliver::Session;
use crate::ids::{ConnId, Moment, RunId, StepIndex};

/// Which contract a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contract {
    /// `HubService.Process`: what is not a packet travels among the packets.
    #[default]
    Process,
    /// `TransportConnectorService`: Data for packets, Control for the rest.
    Connector,
}

/// Something that a client is told on its control channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// A barge-in: what is in the engram's own queue only it can drop (spec 2.5).
    Interrupt(Interrupt),
    /// A consumer asks for a key frame.
    KeyFrame,
    /// The hub goes: connect elsewhere (spec 2.7).
    Draining,
    /// What the client should know of its own packets (spec 2.4 rule 5, 2.5).
    Flow {
        /// The number up to which everything is settled.
        ack: Option<u64>,
        /// Whether to hold back.
        pause: Option<bool>,
    },
    /// One of its packets was dropped.
    Refused {
        /// The word of the metrics.
        reason: &'static str,
        /// For people.
        why: Box<str>,
    },
}

/// Most directives that wait for a client; what comes on top is skipped, but for the last word that
/// there is.
const MOST: usize = 64;
/// Most refusals that a client is told of in [`PERIOD`] (spec 11).
const REFUSALS: u32 = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// Directives that wait for the client that owns a step.
#[derive(Debug, Default)]
pub(crate) struct Directives {
    waiting: std::collections::VecDeque<Directive>,
    /// Since when refusals are counted, and how many there were.
    refusals: (Moment, u32),
}

impl Directives {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Queues a directive. Returns whether it was taken.
    pub(crate) fn push(&mut self, directive: Directive) -> bool {
        let takes = self.waiting.len() < MOST || directive == Directive::Draining;
        if takes {
            self.waiting.push_back(directive);
        }
        takes
    }

    /// Has the client told of a packet of its that was dropped, unless it has been told often.
    fn refuse(&mut self, reason: &'static str, why: Box<str>, now: Moment) {
        if now.since(self.refusals.0) >= PERIOD {
            self.refusals = (now, 0);
        }
        if self.refusals.1 < REFUSALS {
            self.refusals.1 += 1;
            self.push(Directive::Refused { reason, why });
        }
    }
}

impl Session {
    /// Has the owner told, on its control channel, that a packet of its was dropped.
    #[cold]
    pub(crate) fn report(
        &mut self,
        reason: &'static str,
        why: impl FnOnce() -> Box<str>,
        now: Moment,
    ) {
        if self.contract == Contract::Connector {
            self.directives.refuse(reason, why(), now);
        }
    }
}

impl Engine {
    /// Has a producer told that a packet of its was refused, and which rule it breaks.
    #[cold]
    pub(super) fn tell_refusal(
        &mut self,
        (run, step): (RunId, StepIndex),
        (reason, view): (RefuseReason, &PacketView),
        now: Moment,
    ) {
        let why = || match view.violation() {
            Some(violation) => violation.to_string().into(),
            None => "only binary frames are chunked, and in no more pieces than 65536".into(),
        };
        if let Some(live) = self.runs.get_mut(run.0 as usize) {
            live.sessions[step.at()].report(reason.as_str(), why, now);
        }
    }

    /// Counts bytes of `conn` that are no packet, and has it told (spec 3: nothing that an engram
    /// says ends its session).
    pub fn refuse_malformed(&mut self, conn: ConnId, why: &Malformed, now: Moment) {
        self.refused.refuse_one(RefuseReason::Invalid);
        if let Some((run, step)) = self.owner(conn)
            && let Some(live) = self.runs.get_mut(run.0 as usize)
        {
            let reason = RefuseReason::Invalid.as_str();
            live.sessions[step.at()].report(reason, || why.to_string().into(), now);
        }
    }

    /// Whether `conn`, a client on the connector contract, is to be told anything.
    pub fn has_directives(&self, conn: ConnId, now: Moment) -> bool {
        let session = self.owner(conn).and_then(|(run, step)| {
            let run = self.runs.get(run.0 as usize)?;
            run.sessions.get(step.at())
        });
        session.is_some_and(|session| session.has_directives(now))
    }

    /// Moves what `conn`, a client on the connector contract, is to be told into `out`.
    pub fn take_directives(&mut self, conn: ConnId, now: Moment, out: &mut Vec<Directive>) {
        let Some((run, step)) = self.owner(conn) else {
            return;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let session = &mut live.sessions[step.at()];
        if session.contract != Contract::Connector {
            return;
        }
        if let Some((ack, pause)) = session.take_flow(now) {
            out.push(Directive::Flow { ack, pause });
        }
        out.extend(session.directives.waiting.drain(..));
    }

    /// Asks the producers that feed `conn`'s step for a key frame.
    pub fn ask_for_key_frame(&mut self, conn: ConnId, now: Moment, actions: &mut Actions) {
        if let Some((run, step)) = self.owner(conn)
            && let Some(live) = self.runs.get_mut(run.0 as usize)
        {
            live.ask_for_key_frame(step, now, actions);
        }
    }
}
