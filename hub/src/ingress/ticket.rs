//! Places in a line of those who wait.
//!
//! Owns who waits, in the order in which they asked, and how they are called. Who is let through,
//! and when, is up to the owner of the line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

/// Who waits. Who is gone has left no trace.
#[derive(Default)]
pub(super) struct Waiting(VecDeque<Weak<Place>>);

/// A place in the line.
#[derive(Default)]
pub(super) struct Ticket(Option<Rc<Place>>);

struct Place {
    called: Cell<bool>,
    waker: RefCell<Waker>,
}

impl Waiting {
    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the owner of `ticket` at the end of the line.
    pub(super) fn join(&mut self, ticket: &mut Ticket, waker: &Waker) {
        let place = Rc::new(Place {
            called: Cell::new(false),
            waker: RefCell::new(waker.clone()),
        });
        self.0.push_back(Rc::downgrade(&place));
        ticket.0 = Some(place);
    }

    /// Calls the first of those who are still there. Returns whether there was one.
    pub(super) fn call(&mut self) -> bool {
        while let Some(first) = self.0.pop_front() {
            if let Some(place) = first.upgrade() {
                place.called.set(true);
                place.waker.borrow().wake_by_ref();
                return true;
            }
        }
        false
    }
}

impl Ticket {
    /// Whether its owner has been called; it waits for it with `cx`. `None` without a place, as is
    /// who has been called from then on.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Option<Poll<()>> {
        let place = self.0.as_ref()?;
        if place.called.get() {
            self.0 = None;
            return Some(Poll::Ready(()));
        }
        place.waker.borrow_mut().clone_from(cx.waker());
        Some(Poll::Pending)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::calls::tests::Count;
    use super::*;

    fn crowd(waiting: &mut Waiting, many: usize) -> Vec<Ticket> {
        let one = |_| {
            let mut ticket = Ticket::default();
            waiting.join(&mut ticket, Waker::noop());
            ticket
        };
        (0..many).map(one).collect()
    }

    #[test]
    fn they_are_called_in_the_order_in_which_they_came() {
        let cx = Context::from_waker(Waker::noop());
        let mut waiting = Waiting::default();
        let mut crowd = crowd(&mut waiting, 3);
        for called in 0..3 {
            assert!(waiting.call());
            assert_eq!(crowd[called].poll(&cx), Some(Poll::Ready(())));
            assert_eq!(crowd[called].poll(&cx), None, "its place is gone");
            let rest = &mut crowd[called + 1..];
            assert!(rest.iter_mut().all(|t| t.poll(&cx) == Some(Poll::Pending)));
        }
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_place_that_was_given_up_holds_nobody_up() {
        let cx = Context::from_waker(Waker::noop());
        let mut waiting = Waiting::default();
        let mut crowd = crowd(&mut waiting, 5);
        crowd.drain(..3);
        assert!(waiting.call());
        assert_eq!(crowd[0].poll(&cx), Some(Poll::Ready(())));
        crowd.clear();
        assert!(!waiting.call(), "nobody is there any more");
    }

    #[test]
    fn who_is_called_is_woken_where_it_waited_last() {
        let (joined, polled) = (Arc::<Count>::default(), Arc::<Count>::default());
        let (mut waiting, mut ticket) = (Waiting::default(), Ticket::default());
        waiting.join(&mut ticket, &Waker::from(joined.clone()));
        let waker = Waker::from(polled.clone());
        assert_eq!(
            ticket.poll(&Context::from_waker(&waker)),
            Some(Poll::Pending)
        );
        assert!(waiting.call());
        assert_eq!((joined.woken(), polled.woken()), (0, 1));
    }

    #[test]
    fn who_has_not_been_polled_since_it_joined_is_woken_as_well() {
        let count = Arc::<Count>::default();
        let (mut waiting, mut ticket) = (Waiting::default(), Ticket::default());
        waiting.join(&mut ticket, &Waker::from(count.clone()));
        assert!(waiting.call());
        assert_eq!(count.woken(), 1);
    }
}
