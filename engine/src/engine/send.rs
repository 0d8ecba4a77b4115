//! Bytes out to a socket.

use super::expiry::drop_aged;
use super::{Actions, Contract, Edge, Engine};
use crate::deliver::{Outbox, Pieces};
use crate::ids::{ConnId, Moment, RunId, StepIndex};

impl Engine {
    /// Bytes that wait to be sent to `conn`, heartbeats left out.
    pub fn waiting(&self, conn: ConnId) -> usize {
        let session = self.owner(conn).and_then(|(run, step)| {
            self.runs
                .get(run.0 as usize)
                .and_then(|r| r.sessions.get(step.at()))
        });
        session.map_or(0, |s| match &s.outbox {
            Outbox::Lanes(lanes) => lanes.bytes(),
            Outbox::Log(log) => log.queued_bytes(),
        })
    }

    /// Moves what may be sent to `conn` into `out`, whole messages up to about `budget` bytes:
    /// heartbeats, acks and signals before all, then packets, oldest first. Returns the bytes
    /// moved; 0 when nothing may be sent.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, how much, when, and where the bytes and the consequences go"
    )]
    pub fn take(
        &mut self,
        conn: ConnId,
        budget: usize,
        now: Moment,
        out: &mut Pieces,
        actions: &mut Actions,
    ) -> usize {
        let Some((run, step)) = self.owner(conn) else {
            return 0;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return 0;
        };
        let held = self.queued_bytes;
        if live.plan.steps[step.at()].queue.max_age.is_some() {
            let (_, bytes) = drop_aged(live, step, &self.limits, now, &mut self.settled);
            self.queued_bytes -= bytes;
        }
        if live.sessions[step.at()].contract == Contract::Connector {
            let left = self.take_translated((run, step), budget, now, out);
            self.queued_bytes -= left.freed;
            self.follow_up((run, step), (held, left.moved), now, actions);
            return left.moved;
        }
        let session = &mut live.sessions[step.at()];
        let edges = &mut live.edges;
        let control = session.take_control(now, out);
        let credit = &mut session.credit;
        let media = match &mut session.outbox {
            Outbox::Lanes(lanes) => {
                // What neighbours have in common, edge and time, is counted once for all of them.
                let (mut alike, mut count, mut all) = ((0, now), 0, 0);
                let holds_back = credit.holds_back();
                let moved = lanes.take(budget, out, |entry| {
                    if holds_back {
                        if !credit.admits(entry.len as usize) {
                            return false;
                        }
                        credit.spend(entry.len as usize);
                    }
                    if (entry.edge, entry.at) != alike {
                        delivered(edges, alike, count, now);
                        (alike, all, count) = ((entry.edge, entry.at), all + count, 0);
                    }
                    count += 1;
                    true
                });
                delivered(edges, alike, count, now);
                if !holds_back {
                    credit.spend_all(all + count, moved);
                }
                self.queued_bytes -= moved;
                moved
            }
            Outbox::Log(log) => log.take(budget, (credit, now), out, |sent| {
                let edge = &mut edges[sent.edge as usize];
                if sent.again {
                    edge.counts.replayed += 1;
                } else {
                    edge.forward.record(now.since(sent.at), 1);
                }
            }),
        };
        self.follow_up((run, step), (held, media), now, actions);
        control + media
    }

    /// What follows when `moved` bytes of packets have left and less waits than `held`.
    fn follow_up(
        &mut self,
        (run, step): (RunId, StepIndex),
        (held, moved): (usize, usize),
        now: Moment,
        actions: &mut Actions,
    ) {
        if let Some(live) = self.runs.get_mut(run.0 as usize)
            && let Outbox::Log(log) = &mut live.sessions[step.at()].outbox
        {
            let wait = log.guarantee().redelivery.filter(|_| moved > 0);
            if let Some(redelivery) = wait {
                let due = now.after(redelivery.ack_wait);
                self.deadline = Some(self.deadline.map_or(due, |d| d.min(due)));
            }
            if log.resumes() {
                live.resume_upstream(step, now, actions);
            }
        }
        if self.queued_bytes < held {
            self.unblock_budget(now, actions);
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        }
    }
}

/// Counts packets that came by one edge at one time as handed to the socket.
#[inline]
fn delivered(edges: &mut [Edge], (edge, at): (u32, Moment), count: u64, now: Moment) {
    if count > 0 {
        let edge = &mut edges[edge as usize];
        edge.counts.delivered += count;
        edge.forward.record(now.since(at), count);
    }
}
