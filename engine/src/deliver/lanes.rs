//! What waits for a best_effort step: one queue, or one for each lane (spec 2.5).
//!
//! Owns the order between lanes: a full video lane never delays audio.

use smallvec::SmallVec;

use super::queue::{Entry, Queue};
use super::spool::Pieces;
use crate::ids::Moment;
use crate::route::{Lane, LanePlan, QueueBounds};

/// The queues of one step, the most urgent first.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// One for everything, or one for each [`Lane`].
    queues: SmallVec<[Queue; 1]>,
}

impl Lanes {
    pub(crate) fn new(bounds: &QueueBounds, lanes: &[LanePlan]) -> Self {
        if lanes.is_empty() {
            let queues = std::iter::once(Queue::new(bounds.clone())).collect();
            return Self { queues };
        }
        let queue = |lane: Lane| {
            let plan = lanes.iter().find(|plan| plan.lane == lane);
            let queue = match plan {
                Some(plan) => Queue::new(plan.bounds.clone()).with_max_media(plan.max_media),
                None => Queue::new(bounds.clone()),
            };
            if lane == Lane::Video {
                queue.keyed()
            } else {
                queue
            }
        };
        Self {
            queues: Lane::ALL.into_iter().map(queue).collect(),
        }
    }

    /// Whether video frames wait in a queue that asks where decoding can begin.
    pub(crate) fn is_keyed(&self) -> bool {
        self.queues.iter().any(Queue::is_keyed)
    }

    /// The queue that packets of `lane` wait in.
    #[inline]
    pub(crate) fn of(&mut self, lane: Lane) -> &mut Queue {
        let at = if self.queues.len() == 1 {
            0
        } else {
            lane as usize
        };
        &mut self.queues[at]
    }

    /// Moves whole packets of up to `budget` bytes out, the most urgent lane first, at least one
    /// when there is one that `admits` lets pass. Returns the bytes moved.
    pub(crate) fn take(
        &mut self,
        budget: usize,
        out: &mut Pieces,
        mut admits: impl FnMut(&Entry) -> bool,
    ) -> usize {
        let mut moved = 0;
        for queue in &mut self.queues {
            let left = budget.saturating_sub(moved);
            moved += queue.take(left, moved == 0, out, &mut admits);
        }
        moved
    }

    /// Drops the oldest packet of the most urgent lane that has one.
    pub(crate) fn drop_front(&mut self) -> Option<Entry> {
        self.queues.iter_mut().find_map(Queue::drop_front)
    }

    pub(crate) fn drop_older(&mut self, moment: Moment, mut dropped: impl FnMut(Entry)) {
        for queue in &mut self.queues {
            queue.drop_older(moment, &mut dropped);
        }
    }

    /// Drops what waits on a lane and belongs to a turn below that lane's `floors`.
    pub(crate) fn drop_turns(
        &mut self,
        floors: &[u64; Lane::COUNT],
        mut dropped: impl FnMut(Entry),
    ) {
        for queue in &mut self.queues {
            queue.drop_turns(floors, &mut dropped);
        }
    }

    pub(crate) fn rest(&mut self) {
        self.queues.iter_mut().for_each(Queue::rest);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.queues.iter().flat_map(Queue::entries)
    }

    /// Whether any packet that is next in its lane passes.
    pub(crate) fn may_send(&self, admits: impl Fn(&Entry) -> bool) -> bool {
        self.queues.iter().any(|q| q.front().is_some_and(&admits))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.iter().all(Queue::is_empty)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.queues.iter().map(Queue::bytes).sum()
    }
}
