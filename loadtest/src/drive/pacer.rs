//! Owns precise waiting: one kernel timer per thread, because the runtime's own timers tick in
//! milliseconds, ten times the latency that is measured.
//!
//! Wakes at most once per [`SLICE`]: at rates above that, messages go out in small batches, late by
//! less than the slice, and the lateness is in the figures like any other.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use crate::units::{Clock, Nanos};

/// Deadlines closer together than this are served by one wake-up.
const SLICE: Duration = Duration::from_micros(20);

/// Wakes tasks of one thread at given times.
#[derive(Clone, Debug)]
pub(super) struct Pacer(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    timer: AsyncFd<OwnedFd>,
    waiting: RefCell<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Earliest deadline first; the number finds the waker.
    deadlines: BinaryHeap<Reverse<(Nanos, usize)>>,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
    /// What the kernel timer is set to.
    armed: Option<Nanos>,
}

impl Pacer {
    /// A pacer on the current runtime; [`Pacer::drive`] must run beside the tasks that wait.
    ///
    /// # Errors
    /// When the system gives no timer.
    pub(super) fn new(clock: Clock) -> io::Result<Pacer> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // The descriptor is owned and never replaced, which is what the successor (an unsafe
        // function) asks its caller to promise.
        #[expect(deprecated)]
        let timer = AsyncFd::new(timer)?;
        Ok(Pacer(Rc::new(Inner {
            clock,
            timer,
            waiting: RefCell::default(),
        })))
    }

    /// Waits until `deadline`.
    pub(super) fn until(&self, deadline: Nanos) -> Until {
        Until {
            pacer: Rc::clone(&self.0),
            deadline,
            registered: false,
        }
    }

    /// Serves the timer for as long as it is polled.
    ///
    /// # Errors
    /// When the timer fails.
    pub(super) async fn drive(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.timer.readable().await?;
            // The expiry is never read off the descriptor: setting the timer anew forgets it.
            ready.clear_ready();
            self.0.serve()?;
        }
    }
}

impl Inner {
    /// Wakes whoever is due and sets the timer for the next.
    fn serve(&self) -> io::Result<()> {
        let due = self.clock.now().plus(SLICE / 2);
        let mut waiting = self.waiting.borrow_mut();
        waiting.armed = None;
        while let Some(&Reverse((deadline, slot))) = waiting.deadlines.peek() {
            if deadline > due {
                break;
            }
            waiting.deadlines.pop();
            waiting.free.push(slot);
            if let Some(waker) = waiting.wakers[slot].take() {
                waker.wake();
            }
        }
        self.arm(&mut waiting)
    }

    /// Sets the timer for the earliest deadline, at least a slice from now.
    fn arm(&self, waiting: &mut Waiting) -> io::Result<()> {
        let Some(&Reverse((deadline, _))) = waiting.deadlines.peek() else {
            return Ok(());
        };
        if waiting.armed.is_some_and(|armed| armed <= deadline) {
            return Ok(());
        }
        waiting.armed = Some(deadline);
        let span = deadline.since(self.clock.now()).max(SLICE / 2);
        let setting = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: span.as_secs() as i64,
                tv_nsec: i64::from(span.subsec_nanos()),
            },
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &setting)?;
        Ok(())
    }
}

/// See [`Pacer::until`].
#[derive(Debug)]
pub(super) struct Until {
    pacer: Rc<Inner>,
    deadline: Nanos,
    registered: bool,
}

impl Future for Until {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pacer.clock.now().plus(SLICE / 2) >= self.deadline {
            return Poll::Ready(Ok(()));
        }
        if self.registered {
            // Woken by something else the task waits for; the registered waker is still there.
            return Poll::Pending;
        }
        let mut waiting = self.pacer.waiting.borrow_mut();
        let slot = waiting.free.pop().unwrap_or_else(|| {
            waiting.wakers.push(None);
            waiting.wakers.len() - 1
        });
        waiting.wakers[slot] = Some(cx.waker().clone());
        waiting.deadlines.push(Reverse((self.deadline, slot)));
        if let Err(error) = self.pacer.arm(&mut waiting) {
            return Poll::Ready(Err(error));
        }
        drop(waiting);
        self.registered = true;
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiters_are_woken_in_order_of_their_deadlines() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        let order = local.block_on(&runtime, async {
            let clock = Clock::start();
            let pacer = Pacer::new(clock).unwrap();
            let order = Rc::new(RefCell::new(Vec::new()));
            let mut waits = tokio::task::JoinSet::new();
            for ms in [30u64, 10, 20] {
                let (pacer, order) = (pacer.clone(), Rc::clone(&order));
                waits.spawn_local(async move {
                    let deadline = Nanos(ms * 1_000_000);
                    pacer.until(deadline).await.unwrap();
                    assert!(clock.now().plus(SLICE) >= deadline);
                    order.borrow_mut().push(ms);
                });
            }
            tokio::select! {
                _ = waits.join_all() => {}
                result = pacer.drive() => result.unwrap(),
            }
            order.take()
        });
        assert_eq!(order, [10, 20, 30]);
    }
}
