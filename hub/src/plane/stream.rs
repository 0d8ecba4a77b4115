//! One registered client's stream, as the plane and its connection both see it.
//!
//! Owns how the stream ends and whether it is read; never touches the engine or a socket.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::Waker;

use engine::{ConnId, Moment};

use crate::events::StepName;
use crate::ingress::Status;

/// How a stream's connection is asked to look after it.
#[derive(Clone)]
pub(crate) struct Wakers {
    /// To send what waits.
    pub(crate) write: Waker,
    /// To read on.
    pub(crate) read: Waker,
    /// To say something on its control channel, where it has one.
    pub(crate) control: Option<Waker>,
}

/// One registered client's stream, shared by the plane and the connection that reads and writes it.
pub(crate) struct Stream {
    pub(crate) conn: ConnId,
    /// Who it is, for people.
    pub(crate) name: Arc<StepName>,
    /// Where it connects from.
    pub(crate) peer: Arc<str>,
    pub(super) wakers: Wakers,
    /// Its packets find no room: it is not read until they do.
    pub(super) held_up: Cell<bool>,
    /// How the stream ends, once that is decided.
    pub(super) end: RefCell<Option<Status>>,
    /// When the last bytes of a message that is not complete came.
    pub(super) partial_since: Cell<Option<Moment>>,
    /// Whether a packet outside the contract has been reported in the log yet.
    pub(crate) violation_reported: Cell<bool>,
    /// Directions that the client has closed for now.
    pub(super) closed: Cell<Gates>,
    /// Whether its packets have a stream now. Only on the connector contract they may not.
    pub(super) carried: Cell<bool>,
    /// It has taken the step over from another client, and its own has not been told that it has
    /// all that waited.
    pub(super) takes_over: Cell<bool>,
}

/// The directions of a stream of packets; `true` is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates {
    /// From the client.
    pub(crate) upstream: bool,
    /// To the client.
    pub(crate) downstream: bool,
}

impl Stream {
    /// Decides how the stream ends. The first decision stands.
    pub(crate) fn end(&self, status: Status) {
        let mut end = self.end.borrow_mut();
        if end.is_none() {
            *end = Some(status);
        }
        drop(end);
        self.wake();
        self.tell();
    }

    /// How the stream is to end, once that is decided.
    pub(crate) fn ending(&self) -> Option<Status> {
        self.end.borrow().clone()
    }

    /// Whether it is decided how the stream ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Notes after each read whether half a message is waiting for its other half.
    pub(crate) fn note_partial(&self, partial: bool, now: Moment) {
        self.partial_since.set(partial.then_some(now));
    }

    /// Its packets find no room: leaves it unread until they do.
    pub(crate) fn hold_up(&self) {
        self.held_up.set(true);
    }

    /// Whether it is to be left unread.
    pub(crate) fn is_held_up(&self) -> bool {
        self.held_up.get() || self.closed.get().upstream
    }

    /// Whether nothing is to be sent to the client for now.
    pub(crate) fn is_shut(&self) -> bool {
        self.closed.get().downstream
    }

    /// Whether it speaks the connector contract.
    pub(crate) fn has_control(&self) -> bool {
        self.wakers.control.is_some()
    }

    /// The client opens or closes some directions.
    pub(crate) fn set_gates(&self, which: Gates, open: bool) {
        let mut closed = self.closed.get();
        if which.upstream {
            closed.upstream = !open;
        }
        if which.downstream {
            closed.downstream = !open;
        }
        self.closed.set(closed);
        if open {
            self.wakers.read.wake_by_ref();
            self.wakers.write.wake_by_ref();
        }
    }

    /// Its packets have a stream from now on, or none any more.
    pub(crate) fn set_carried(&self, carried: bool) {
        self.carried.set(carried);
        if !carried {
            self.tell();
        }
    }

    /// Whether its packets have a stream.
    pub(crate) fn is_carried(&self) -> bool {
        self.carried.get()
    }

    /// Whether it is taking its step over.
    pub(crate) fn is_taking_over(&self) -> bool {
        self.takes_over.get()
    }

    /// It has taken its step over.
    pub(crate) fn has_taken_over(&self) {
        self.takes_over.set(false);
    }

    /// Has its control channel looked after.
    pub(crate) fn tell(&self) {
        if let Some(control) = &self.wakers.control {
            control.wake_by_ref();
        }
    }

    pub(super) fn go_on(&self) {
        self.held_up.set(false);
        self.wakers.read.wake_by_ref();
    }

    pub(super) fn wake(&self) {
        self.wakers.write.wake_by_ref();
    }
}
