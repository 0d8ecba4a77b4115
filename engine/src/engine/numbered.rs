//! Packets that their producer numbers (spec 2.4 rule 5): known ones are not routed again, and the
//! producer hears up to where everything is settled.

use smallvec::SmallVec;
use transport_proto::view::PacketView;

use super::packet::chunk_of;
use super::{Actions, Engine, Run};
use crate::deliver::{ChunkPlace, Origin};
use crate::ids::{Moment, RunId, StepIndex};

/// A packet that carries its producer's own number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    pub(super) origin: Origin,
    pub(super) chunk: Option<ChunkPlace>,
}

impl Numbered {
    /// The number of a packet whose sender declared that it numbers, if it has one.
    pub(super) fn of(live: &Run, step: StepIndex, view: &PacketView) -> Option<Self> {
        let producer = live.sessions[step.at()].producer()?.id();
        let number = view.envelope()?.sequence();
        (number > 0).then(|| Self {
            origin: Origin {
                step: step.0,
                producer,
                number,
            },
            chunk: chunk_of(view),
        })
    }
}

/// Lists of packets that were joined into one: what becomes of that one, each of their producers
/// hears.
#[derive(Debug, Default)]
pub(super) struct Origins {
    lists: Vec<SmallVec<[Origin; 4]>>,
    free: Vec<u32>,
}

impl Origins {
    /// Keeps a list until it is taken. Returns its place.
    pub(super) fn put(&mut self, list: SmallVec<[Origin; 4]>) -> u32 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.lists.push(SmallVec::new());
            (self.lists.len() - 1) as u32
        });
        self.lists[at as usize] = list;
        at
    }

    /// The list at a place, which is free from now on.
    pub(super) fn take(&mut self, at: u32) -> SmallVec<[Origin; 4]> {
        self.free.push(at);
        std::mem::take(&mut self.lists[at as usize])
    }

    /// How many lists are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lists.len() - self.free.len()
    }
}

impl Run {
    pub(super) fn has_routed(&self, n: Numbered) -> bool {
        let session = &self.sessions[usize::from(n.origin.step)];
        let producer = session.producer();
        producer.is_some_and(|p| p.has_routed(n.origin.number, n.chunk))
    }
}

impl Engine {
    /// Takes note of a numbered packet that is routed or counted, and lets its producer know when
    /// that is due.
    pub(super) fn note(
        &mut self,
        (run, step): (RunId, StepIndex),
        (numbered, outstanding, bytes): (Option<Numbered>, u32, u64),
        now: Moment,
        actions: &mut Actions,
    ) {
        let Some(n) = numbered else { return };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let session = &mut live.sessions[step.at()];
        if let Some(producer) = session.producer_at(n.origin.producer) {
            producer.note(n.origin.number, n.chunk, (outstanding, bytes), now);
            if producer.has_news() {
                self.look_after(run, step, now, actions);
            }
        }
    }

    /// Wakes a producer that should be told now what is settled, or sees to it that it is in time.
    pub(super) fn look_after(
        &mut self,
        run: RunId,
        step: StepIndex,
        now: Moment,
        actions: &mut Actions,
    ) {
        let Some(live) = self.runs.get(run.0 as usize) else {
            return;
        };
        let session = &live.sessions[step.at()];
        if session.owes_ack(now) {
            actions.wake.extend(session.owner);
        } else if let Some(due) = session.ack_deadline() {
            self.ask_for_tick(due);
        }
    }
}
