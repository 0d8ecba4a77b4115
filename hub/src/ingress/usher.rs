//! Has connections that have been quiet stand back, so that thousands of them that have something
//! at once, as when a network comes back or a site is cut off, leave the thread to those that
//! stream.
//!
//! Owns who stands back, in the order in which they asked. Nobody is held up while there are few,
//! and the thread never rests while anybody waits.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::Moment;
use tokio::sync::Notify;

use super::ticket::{Ticket, Waiting};

/// A connection that had nothing to do for so long is quiet: five frames of speech.
const QUIET: Duration = Duration::from_millis(100);
/// How many quiet ones have a turn between two looks at what has come for the others: a turn costs
/// about ten microseconds.
const AT_ONCE: usize = 8;

/// Lets quiet connections have their turns a few at a time.
#[derive(Default)]
pub(crate) struct Usher {
    line: RefCell<Line>,
    /// One has been let through.
    wanted: Notify,
}

#[derive(Default)]
struct Line {
    waiting: Waiting,
    /// Who had a turn since the others were looked at: as many as may, while anybody waits.
    passed: usize,
}

/// How a connection stands with the usher.
pub(super) struct Manners {
    ticket: Ticket,
    /// Its last turn.
    last: Moment,
}

impl Manners {
    /// Those of a connection that has just come.
    pub(super) fn new(now: Moment) -> Self {
        Self {
            ticket: Ticket::default(),
            last: now,
        }
    }

    /// Its last turn.
    #[cfg(test)]
    pub(super) fn last(&self) -> Moment {
        self.last
    }
}

impl Usher {
    /// Ready when a connection may have a turn `now`; otherwise `cx` is woken.
    pub(super) fn poll_turn(
        &self,
        manners: &mut Manners,
        now: Moment,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let quiet = now.since(manners.last) >= QUIET;
        let may = match manners.ticket.poll(cx) {
            Some(called) => called.is_ready(),
            None => !quiet || self.passes(&mut manners.ticket, cx),
        };
        if !may {
            return Poll::Pending;
        }
        manners.last = now;
        Poll::Ready(())
    }

    fn passes(&self, ticket: &mut Ticket, cx: &Context<'_>) -> bool {
        let mut line = self.line.borrow_mut();
        if line.passed == 0 {
            self.wanted.notify_one();
        }
        let passes = line.passed < AT_ONCE;
        if passes {
            line.passed += 1;
        } else {
            line.waiting.join(ticket, cx.waker());
        }
        passes
    }

    /// Calls those who wait, for as long as it is polled.
    pub(crate) async fn usher(self: Rc<Self>) {
        loop {
            self.wanted.notified().await;
            self.clear().await;
        }
    }

    /// Calls those who wait until a look at the others has brought nobody.
    async fn clear(&self) {
        loop {
            // Until the sockets and the other tasks have been looked at.
            tokio::task::yield_now().await;
            let mut line = self.line.borrow_mut();
            line.passed = 0;
            while line.passed < AT_ONCE && line.waiting.call() {
                line.passed += 1;
            }
            if line.passed == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::Waker;

    use tokio::task::LocalSet;

    use super::super::calls::tests::Count;
    use super::*;

    const NOW: Moment = Moment::from_nanos(1_000_000_000);

    fn quiet() -> Manners {
        Manners::new(Moment::from_nanos(900_000_000))
    }

    fn streaming() -> Manners {
        Manners::new(Moment::from_nanos(900_000_001))
    }

    fn passes(usher: &Usher, manners: &mut Manners) -> bool {
        let cx = Context::from_waker(Waker::noop());
        usher.poll_turn(manners, NOW, &cx).is_ready()
    }

    /// So many quiet ones that ask; those that pass at once are left out.
    fn crowd(usher: &Usher, many: usize) -> Vec<Manners> {
        let mut crowd: Vec<_> = (0..many).map(|_| quiet()).collect();
        crowd.retain_mut(|one| !passes(usher, one));
        crowd
    }

    #[test]
    fn a_few_quiet_ones_pass_at_once_and_the_rest_stand_back() {
        let usher = Usher::default();
        assert_eq!(crowd(&usher, 100).len(), 92);
    }

    #[test]
    fn eight_of_those_who_wait_pass_between_two_looks_at_the_others() {
        let usher = Usher::default();
        let mut waiting = crowd(&usher, 28);
        let (mut clear, mut passed) = (pin!(usher.clear()), Vec::new());
        let mut cx = Context::from_waker(Waker::noop());
        while clear.as_mut().poll(&mut cx).is_pending() {
            let before = waiting.len();
            waiting.retain_mut(|one| !passes(&usher, one));
            passed.push(before - waiting.len());
        }
        assert_eq!(passed, [0, 8, 8, 4]);
        assert_eq!(crowd(&usher, 100).len(), 92, "they are forgotten");
    }

    #[test]
    fn nobody_overtakes_those_who_wait() {
        let usher = Usher::default();
        let mut waiting = crowd(&usher, 28);
        let mut clear = pin!(usher.clear());
        let mut cx = Context::from_waker(Waker::noop());
        for wait in [20, 12] {
            assert!(clear.as_mut().poll(&mut cx).is_pending());
            waiting.retain_mut(|one| !passes(&usher, one));
            assert_eq!(waiting.len(), wait);
            assert_eq!(crowd(&usher, 10).len(), 10);
        }
    }

    #[test]
    fn the_usher_rests_until_somebody_asks() {
        let usher = Rc::new(Usher::default());
        let mut ushering = pin!(usher.clone().usher());
        let count = Arc::<Count>::default();
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        assert!(ushering.as_mut().poll(&mut cx).is_pending());
        assert_eq!(count.woken(), 0);
        drop(crowd(&usher, 9));
        // Once to begin, and for two looks at the others: the first finds nobody who waits.
        for woken in [1, 2, 2] {
            assert_eq!(count.woken(), woken);
            assert!(ushering.as_mut().poll(&mut cx).is_pending());
        }
    }

    #[test]
    fn who_streams_passes_however_many_wait() {
        let usher = Usher::default();
        let waiting = crowd(&usher, 100);
        let mut one = streaming();
        assert!((0..1000).all(|_| passes(&usher, &mut one)));
        drop(waiting);
    }

    #[test]
    fn who_had_a_turn_is_quiet_no_more() {
        let usher = Usher::default();
        let mut one = quiet();
        assert!(passes(&usher, &mut one));
        let _waiting = crowd(&usher, 100);
        assert!(passes(&usher, &mut one));
    }

    #[tokio::test]
    async fn those_who_wait_have_their_turns_in_order_and_nobody_is_forgotten() {
        let usher = Rc::new(Usher::default());
        let seen = Rc::new(RefCell::new(Vec::new()));
        let tasks = LocalSet::new();
        tasks.spawn_local(usher.clone().usher());
        for round in 0..3 {
            let crowd: Vec<_> = (0..100)
                .map(|one| {
                    let (usher, seen) = (usher.clone(), seen.clone());
                    tasks.spawn_local(async move {
                        let mut manners = quiet();
                        let mut turn = poll_fn(|cx| usher.poll_turn(&mut manners, NOW, cx));
                        if one % 7 == 6 && one > AT_ONCE {
                            // Gone while it waits.
                            let cx = &mut Context::from_waker(Waker::noop());
                            assert!(Pin::new(&mut turn).poll(cx).is_pending());
                            return;
                        }
                        turn.await;
                        seen.borrow_mut().push(one);
                    })
                })
                .collect();
            tasks
                .run_until(async {
                    for one in crowd {
                        one.await.expect("it has its turn");
                    }
                })
                .await;
            let seen = std::mem::take(&mut *seen.borrow_mut());
            let wanted: Vec<_> = (0..100)
                .filter(|one| one % 7 != 6 || *one <= AT_ONCE)
                .collect();
            assert_eq!(seen, wanted, "round {round}");
        }
    }
}
