//! Barge-in and other control that travels beside the packets (spec 2.5).

use transport_proto::names::metadata as names;

use super::packet::Inbound;
use super::{Actions, Contract, Directive, Engine, Run};
use crate::account::DropReason;
use crate::deliver::{Outbox, frameless};
use crate::ids::{ConnId, Moment, RunId, StepIndex};
use crate::mutant::{self, Mutant};
use crate::route::Lane;

/// The value of `hub-control` that asks for a barge-in.
const INTERRUPT: &str = "interrupt";
/// The value of `hub-control` that asks producers for a key frame.
const KEYFRAME: &str = "keyframe";
/// The value of `hub-control` that tells clients to go elsewhere.
const DRAINING: &str = "draining";
/// Metadata of a control packet: the lane that it is about.
const LANE: &str = "lane";

/// A barge-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// The turn that begins: what belongs to a lower one ends.
    pub turn: u64,
    /// The lane that it is about; `None` is all of them.
    pub lane: Option<Lane>,
}

impl Engine {
    /// Barge-in: ends everything of lower turns that waits in a queue of `conn`'s run, on
    /// one lane or on all, refuses what still comes of them, and makes its turn the current one of
    /// every stream of the run. Newer turns are left alone.
    pub fn interrupt(
        &mut self,
        conn: ConnId,
        interrupt: Interrupt,
        now: Moment,
        actions: &mut Actions,
    ) {
        if let Some((run, _)) = self.owner(conn) {
            self.interrupt_run(run, interrupt, now, actions);
        }
    }

    /// Puts an end to taking packets in: what sources send from now on is refused as `shutdown`;
    /// what engrams make of packets that are on their way is taken until all is flushed. Clients
    /// that act on control are told, so that they can connect elsewhere while what waits for them
    /// is still sent (spec 2.7).
    pub fn drain(&mut self, now: Moment, actions: &mut Actions) {
        self.draining = true;
        let (message, told) = (
            frameless(&[(names::HUB_CONTROL, DRAINING)]),
            Directive::Draining,
        );
        for live in &mut self.runs {
            for step in 0..live.sessions.len() {
                live.direct(StepIndex(step as u16), (&message, &told), now, actions);
            }
        }
    }

    pub(super) fn interrupt_run(
        &mut self,
        run: RunId,
        interrupt: Interrupt,
        now: Moment,
        actions: &mut Actions,
    ) {
        let Interrupt { turn, lane } = interrupt;
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        for each in Lane::ALL {
            if lane.is_none_or(|lane| lane == each) {
                let floor = &mut live.floors[each as usize];
                *floor = (*floor).max(turn);
            }
        }
        let mut floors = live.floors;
        if mutant::is(Mutant::InterruptDropsNewerTurn) {
            floors = floors.map(|floor| floor + 1);
        }
        let mut freed = 0;
        for session in &mut live.sessions {
            session.turn = session.turn.max(turn);
            let edges = &mut live.edges;
            match &mut session.outbox {
                Outbox::Lanes(lanes) => lanes.drop_turns(&floors, |entry| {
                    freed += entry.len as usize;
                    let counts = &mut edges[entry.edge as usize].counts;
                    counts.drop_one(DropReason::Interrupted);
                    if mutant::is(Mutant::CountDropTwice) {
                        counts.drop_one(DropReason::Interrupted);
                    }
                }),
                Outbox::Log(log) => log.drop_turns(&floors, &mut self.settled),
            }
        }
        self.queued_bytes -= freed;
        live.drop_joining_turns(&floors, (&mut self.waiting_bytes, &mut self.settled));
        live.direct_interrupt(interrupt, now, actions);
        // What was too large to go may have made way for what is not.
        for session in &live.sessions {
            if !session.is_idle(now) {
                actions.wake.extend(session.owner);
            }
        }
        self.close_accounts(run, now, actions);
    }

    /// A frameless packet that carries control, from a client that has no control channel.
    pub(super) fn control(
        &mut self,
        (run, step): (RunId, StepIndex),
        inbound: Inbound<'_>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let named = |key| inbound.view.metadata(inbound.packet, key);
        let turn = named(names::TURN).and_then(|turn| turn.parse().ok());
        match (named(names::HUB_CONTROL), turn) {
            (Some(INTERRUPT), Some(turn)) => {
                let lane = named(LANE).and_then(|name| {
                    let mut lanes = Lane::ALL.into_iter();
                    lanes.find(|lane| lane.as_str() == name)
                });
                self.interrupt_run(run, Interrupt { turn, lane }, now, actions);
            }
            (Some(KEYFRAME), _) => {
                if let Some(live) = self.runs.get_mut(run.0 as usize) {
                    live.ask_for_key_frame(step, now, actions);
                }
            }
            _ => self
                .refused
                .refuse_one(crate::account::RefuseReason::Invalid),
        }
    }
}

impl Run {
    /// Tells every client that acts on control which turn is the current one.
    fn direct_interrupt(&mut self, what: Interrupt, now: Moment, actions: &mut Actions) {
        let turn = what.turn.to_string();
        let mut metadata = vec![(names::HUB_CONTROL, INTERRUPT), (names::TURN, &*turn)];
        metadata.extend(what.lane.map(|lane| (LANE, lane.as_str())));
        let (message, told) = (frameless(&metadata), Directive::Interrupt(what));
        for step in 0..self.sessions.len() {
            self.direct(StepIndex(step as u16), (&message, &told), now, actions);
        }
    }

    /// Asks the producers that feed `step` for a key frame.
    pub(super) fn ask_for_key_frame(
        &mut self,
        step: StepIndex,
        now: Moment,
        actions: &mut Actions,
    ) {
        let message = frameless(&[(names::HUB_CONTROL, KEYFRAME)]);
        for nth in 0..self.upstream[step.at()].len() {
            let from = self.upstream[step.at()][nth];
            self.direct(from, (&message, &Directive::KeyFrame), now, actions);
        }
    }

    /// Tells the owner of `step`: among its packets if it acts on that, on its control channel if
    /// it has one (where what nobody acts on does no harm).
    fn direct(
        &mut self,
        step: StepIndex,
        (message, directive): (&[u8], &Directive),
        now: Moment,
        actions: &mut Actions,
    ) {
        let session = &mut self.sessions[step.at()];
        let Some(owner) = session.owner else { return };
        let idle = session.is_idle(now);
        let taken = match session.contract {
            Contract::Connector => session.directives.push(directive.clone()),
            Contract::Process => session.accepts.control && session.push_control(message),
        };
        if taken && idle {
            actions.wake.push(owner);
        }
    }

    /// The highest turn that an interrupt has opened.
    pub(super) fn highest_floor(&self) -> u64 {
        self.floors.iter().copied().max().unwrap_or(0)
    }
}
