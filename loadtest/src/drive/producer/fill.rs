//! Owns what goes into a producer's next batch: what must be sent again, then what is due and has
//! room.

use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::Duration;

use bytes::BytesMut;

use super::{Clocked, Producer};
use crate::drive::stock::Stock;
use crate::drive::worker::Thread;
use crate::packet::Stamp;
use crate::units::{Nanos, Sequence};
use crate::wire::Wire;

/// Bytes that are handed over at once, at most (one message is always admitted).
const MAX_BATCH_BYTES: usize = 256 * 1024;
/// A full window without progress for so long is counted, and where nothing is guaranteed given up:
/// what is under way is lost.
const STALL: Duration = Duration::from_secs(2);

impl<W: Wire> Producer<'_, W> {
    /// Makes a batch of what must be sent again; false when nothing must.
    pub(super) fn fill_again(&mut self) -> bool {
        let Some(keeping) = self.keeping.as_mut().filter(|keeping| !keeping.paused) else {
            return false;
        };
        while self.out.len() < MAX_BATCH_BYTES {
            let Some((sequence, intended)) = keeping.ledger.take_again() else {
                break;
            };
            keeping.resent += 1;
            append(
                self.thread,
                &mut self.stock,
                (sequence, intended),
                &mut self.out,
            );
        }
        self.batch = self.out.split().freeze();
        !self.batch.is_empty()
    }

    /// Makes a batch of what is due; false when nothing is.
    pub(super) fn fill(&mut self, cx: &Context<'_>) -> bool {
        let now = self.thread.shared.clock.now();
        let first = self.next;
        let room = match &self.pace {
            Clocked::Open(_) => u64::MAX,
            Clocked::Closed { time, .. } if now < time.start || now >= time.end => 0,
            Clocked::Closed { window, .. } => {
                let window = *window;
                self.room(cx, window, now)
            }
        };
        let room = self.allowed(room, now);
        let until = self.limit.min(first.saturating_add(room));
        let mut latencies = self.thread.latencies.borrow_mut();
        while self.next < until && self.out.len() < MAX_BATCH_BYTES {
            let intended = match &mut self.pace {
                Clocked::Closed { .. } => now,
                Clocked::Open(schedule) => match schedule.take(now) {
                    Some(intended) => {
                        let late = now.since(intended).as_nanos() as u64;
                        if self.was_blocked {
                            latencies.held_up.saturating_record(late);
                        } else {
                            latencies.send_lag.saturating_record(late);
                        }
                        intended
                    }
                    None => {
                        // The backlog is gone; from here on being late is the generator's own.
                        self.was_blocked = false;
                        break;
                    }
                },
            };
            if let Some(keeping) = &mut self.keeping {
                keeping.ledger.note(intended);
            }
            let message = (Sequence(self.next), intended);
            append(self.thread, &mut self.stock, message, &mut self.out);
            self.next += 1;
        }
        drop(latencies);
        if self.next == first {
            return false;
        }
        self.batch = self.out.split().freeze();
        let progress = &self.thread.shared.producers[self.id.0 as usize];
        progress.sent.store(self.next, Ordering::Relaxed);
        true
    }

    /// Room that is left when the hub has told the producer to wait; notes whether it must.
    fn allowed(&mut self, room: u64, now: Nanos) -> u64 {
        let due = match &self.pace {
            Clocked::Open(schedule) => schedule.peek().is_some_and(|at| at <= now),
            Clocked::Closed { time, .. } => now >= time.start && now < time.end,
        };
        let Some(keeping) = &mut self.keeping else {
            return room;
        };
        let room = if keeping.paused { 0 } else { room };
        if room > 0 {
            keeping.release(now);
        } else if due {
            keeping.hold(now);
            self.was_blocked = true;
        }
        room
    }

    /// Free places in the window; asks to be woken when there are more.
    fn room(&mut self, cx: &Context<'_>, window: u64, now: Nanos) -> u64 {
        let shared = &self.thread.shared;
        let acknowledged = match &self.keeping {
            // An ack wakes whoever reads it.
            Some(keeping) => keeping.ledger.settled(),
            None => {
                let progress = &shared.producers[self.id.0 as usize];
                progress.window.register(cx.waker());
                let received = shared.acknowledged(self.id);
                received.clamp(self.written_off, self.next)
            }
        };
        if acknowledged != self.progress.0 || acknowledged == self.next {
            self.progress = (acknowledged, now);
        } else if now.since(self.progress.1) >= STALL {
            self.thread.outcome.borrow_mut().stalls += 1;
            self.progress = (acknowledged, now);
            if self.keeping.is_none() {
                self.written_off = self.next;
                self.progress = (self.next, now);
            }
        }
        let under_way = self.next - acknowledged.max(self.written_off);
        window.saturating_sub(under_way)
    }

    /// When to look again though nobody wakes us; `None` when all is sent.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        match &self.pace {
            Clocked::Open(schedule) => schedule.peek(),
            Clocked::Closed { time, .. } => {
                let now = self.thread.shared.clock.now();
                if now < time.start {
                    return Some(time.start);
                }
                (now < time.end).then(|| self.progress.1.plus(STALL).min(time.end))
            }
        }
    }
}

/// Appends one message.
fn append<W: Wire>(
    thread: &Thread<W>,
    stock: &mut Stock,
    (sequence, intended): (Sequence, Nanos),
    out: &mut BytesMut,
) {
    // The scenario was checked, so the template can be built.
    if let Ok(template) = stock.of(&thread.wire, sequence) {
        let stamp = Stamp {
            sequence,
            intended,
            unix_ms: thread.shared.clock.unix_ms(intended),
        };
        template.append(stamp, out);
    }
}
