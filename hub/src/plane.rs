//! One data-plane thread: the engine, its streams, and carrying out what the engine says.
//!
//! Owns the [`Engine`] and one [`Stream`] per registered client. Lives on one thread (nothing here
//! is `Send`), so no lock is taken on the data path. Never waits: the async parts around it do.

mod clock;
mod connector;
mod decider;
mod router;
mod stream;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::{
    Actions, CUT, ConnId, Contract, Engine, Moment, Pieces, Refusal, Registration, Snapshot,
};
use transport_proto::view::{Dialect, Walker};

use crate::events::{Event, Reporter, StepName, detail};
use crate::ingress::Status;

use clock::end_of_slice;
pub(crate) use clock::{Alarm, Clock};
pub(crate) use decider::{Decider, Decision};
pub(crate) use router::Router;
pub(crate) use stream::{Gates, Stream, Wakers};

/// Least time between two looks at what the engine counts for people, such as drops.
const REPORT_EVERY: Duration = Duration::from_millis(500);
/// Further ahead than anything is kept quiet: the last report tells everything.
const AT_LAST: Duration = Duration::from_secs(3600);

struct Inner {
    engine: Engine,
    actions: Actions,
    /// Walks all packets, one after the other.
    walker: Walker,
    /// The same for packets that come by the connector contract.
    connector_walker: Walker,
    /// By [`ConnId::slot`].
    streams: Vec<Option<Rc<Stream>>>,
    clock: Clock,
    alarm: Alarm,
    decider: Decider,
    /// The earliest tick that was asked for and has not come.
    asked: Option<Moment>,
    reporter: Reporter,
    /// When the engine is asked again what it has counted.
    report_at: Moment,
}

/// The engine's figures, and who is connected.
pub(crate) struct Seen {
    pub(crate) figures: Snapshot,
    /// Where the owner of each of `figures.sessions` connects from.
    pub(crate) peers: Vec<Option<Arc<str>>>,
}

/// The engine and its streams on one thread.
pub(crate) struct DataPlane {
    inner: RefCell<Inner>,
    clock: Clock,
}

impl DataPlane {
    pub(crate) fn new(engine: Engine, alarm: Alarm, decider: Decider, reporter: Reporter) -> Self {
        let clock = Clock::start();
        let inner = Inner {
            engine,
            actions: Actions::default(),
            walker: Walker::new(Dialect::Packet, CUT),
            connector_walker: Walker::new(Dialect::Connector, CUT),
            streams: Vec::new(),
            clock,
            alarm,
            decider,
            asked: None,
            reporter,
            report_at: Moment::default(),
        };
        Self {
            inner: RefCell::new(inner),
            clock,
        }
    }

    /// The engine's clock.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Time since this plane was made.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Registers a client; `wakers` are called when something waits for it, its stream is to end,
    /// or it may be read on. One with a control channel speaks the connector contract.
    ///
    /// # Errors
    /// The engine's [`Refusal`].
    pub(crate) fn register(
        &self,
        who: Registration<'_>,
        peer: &Arc<str>,
        wakers: &Wakers,
    ) -> Result<Rc<Stream>, Refusal> {
        let inner = &mut *self.inner.borrow_mut();
        let now = self.now();
        let contract = match &wakers.control {
            Some(_) => Contract::Connector,
            None => Contract::Process,
        };
        let registered = inner
            .engine
            .register_on(contract, who, now, &mut inner.actions);
        let conn = registered.inspect_err(|refusal| inner.refused(&who, peer, refusal, now))?;
        // The newcomer may get the slot of the one it replaces: end that one first.
        let takes_over = inner.end_superseded(peer, now);
        let name = Arc::new(StepName::of(&who));
        let event = Event::StepConnected {
            step: name.clone(),
            peer: peer.clone(),
            generation: who.generation,
        };
        inner.reporter.tell(event, now);
        let stream = Rc::new(Stream {
            conn,
            name,
            peer: peer.clone(),
            wakers: wakers.clone(),
            held_up: Cell::new(false),
            end: RefCell::new(None),
            partial_since: Cell::new(None),
            violation_reported: Cell::new(false),
            closed: Cell::default(),
            carried: Cell::new(false),
            takes_over: Cell::new(takes_over),
        });
        if inner.streams.len() <= conn.slot() {
            inner.streams.resize(conn.slot() + 1, None);
        }
        inner.streams[conn.slot()] = Some(stream.clone());
        inner.carry_out();
        Ok(stream)
    }

    /// Routes packets that came in `now`: `feed` is called once with what takes them one by one;
    /// whom that concerns is woken once at the end.
    pub(crate) fn route<R>(
        &self,
        conn: ConnId,
        now: Moment,
        feed: impl FnOnce(&mut Router<'_>) -> R,
    ) -> R {
        let inner = &mut *self.inner.borrow_mut();
        let mut router = Router {
            engine: &mut inner.engine,
            actions: &mut inner.actions,
            walker: &mut inner.walker,
            conn,
            now,
        };
        let result = feed(&mut router);
        inner.carry_out();
        result
    }

    /// Takes in what was decided elsewhere: the packet may be routed now.
    pub(crate) fn decided(&self, (ticket, decided): Decision) {
        let inner = &mut *self.inner.borrow_mut();
        inner.engine.decided(ticket, decided, &mut inner.actions);
        inner.carry_out();
    }

    /// Bytes that wait for `stream`.
    pub(crate) fn waiting(&self, stream: &Stream) -> usize {
        self.inner.borrow().engine.waiting(stream.conn)
    }

    /// Moves what waits for `stream` into `out`.
    pub(crate) fn take(&self, stream: &Stream, budget: usize, out: &mut Pieces) -> usize {
        let inner = &mut *self.inner.borrow_mut();
        let now = self.clock.now();
        let moved = inner
            .engine
            .take(stream.conn, budget, now, out, &mut inner.actions);
        inner.carry_out();
        moved
    }

    /// The client is gone, or its stream has ended.
    pub(crate) fn disconnect(&self, stream: &Stream) {
        let inner = &mut *self.inner.borrow_mut();
        let now = self.clock.now();
        inner
            .engine
            .disconnect(stream.conn, now, &mut inner.actions);
        let slot = inner.streams.get_mut(stream.conn.slot());
        if let Some(slot) = slot.filter(|s| s.as_ref().is_some_and(|s| s.conn == stream.conn)) {
            *slot = None;
            tracing::info!(stream = %stream.name, peer = %stream.peer, "stream closed");
            let (step, peer) = (stream.name.clone(), stream.peer.clone());
            let event = Event::StepDisconnected { step, peer };
            inner.reporter.tell(event, now);
        }
        inner.carry_out();
    }

    /// Does what is due: heartbeats, expiry, streams stuck in half a message.
    pub(crate) fn tick(&self, stalled_after: Duration) {
        let now = self.now();
        let inner = &mut *self.inner.borrow_mut();
        inner.asked = inner.asked.filter(|asked| *asked > now);
        inner.engine.set_clock(inner.clock.unix_nanos(), now);
        inner.engine.tick(now, &mut inner.actions);
        if now >= inner.report_at {
            inner.report_at = now.after(REPORT_EVERY);
            inner.engine.report(now, &mut inner.actions);
        }
        inner.reporter.account(now);
        for stream in inner.streams.iter().flatten() {
            let since = stream.partial_since.get();
            if since.is_some_and(|since| now.since(since) >= stalled_after) {
                stream.end(Status::unavailable(format!(
                    "half a message came and then nothing more for {stalled_after:?}"
                )));
            }
        }
        inner.carry_out();
    }

    /// Copies what there is to see.
    pub(crate) fn look(&self) -> Seen {
        let inner = self.inner.borrow();
        let figures = inner.engine.snapshot();
        let owners = figures.sessions.iter().map(|session| session.owner);
        let peers = owners.map(|owner| inner.peer_of(owner?)).collect();
        Seen { figures, peers }
    }

    /// Tells an event of the hub itself.
    pub(crate) fn tell(&self, event: Event) {
        let now = self.now();
        self.inner.borrow_mut().reporter.tell(event, now);
    }

    /// Tells everything that has been counted and not told yet: there is no later.
    pub(crate) fn conclude(&self) {
        let inner = &mut *self.inner.borrow_mut();
        let at_last = self.now().after(AT_LAST);
        loop {
            inner.engine.report(at_last, &mut inner.actions);
            if inner.actions.events.is_empty() {
                break;
            }
            inner.carry_out();
        }
        inner.reporter.account_now();
    }

    /// Takes no more packets in, and tells clients that act on it.
    pub(crate) fn drain(&self) {
        let inner = &mut *self.inner.borrow_mut();
        inner.engine.drain(self.clock.now(), &mut inner.actions);
        inner.carry_out();
    }

    /// Ends every stream with `status`, after what waits for it.
    pub(crate) fn end_all(&self, status: &Status) {
        for stream in self.inner.borrow().streams.iter().flatten() {
            stream.end(status.clone());
        }
    }

    /// Reads or changes the engine off the data path.
    pub(crate) fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> R {
        work(&mut self.inner.borrow_mut().engine)
    }
}

impl Inner {
    fn carry_out(&mut self) {
        for conn in self.actions.wake.drain(..) {
            if let Some(Some(stream)) = self.streams.get(conn.slot()) {
                stream.wake();
                if stream.has_control() && self.engine.has_directives(conn, self.clock.now()) {
                    stream.tell();
                }
            }
        }
        for conn in self.actions.resume.drain(..) {
            if let Some(Some(stream)) = self.streams.get(conn.slot()) {
                stream.go_on();
            }
        }
        for conn in self.actions.over.drain(..) {
            if let Some(Some(stream)) = self.streams.get(conn.slot()) {
                stream.end(Status::ok());
            }
        }
        for job in self.actions.jobs.drain(..) {
            self.decider.ask(job);
        }
        if !self.actions.events.is_empty() {
            self.tell_events();
        }
        self.set_alarm();
    }

    #[cold]
    fn tell_events(&mut self) {
        let now = self.clock.now();
        for event in self.actions.events.drain(..) {
            self.reporter.engine(event, now);
        }
    }

    fn peer_of(&self, conn: ConnId) -> Option<Arc<str>> {
        let stream = self.streams.get(conn.slot())?.as_ref()?;
        Some(stream.peer.clone())
    }

    /// Tells of a refusal that somebody may want to look into.
    fn refused(
        &mut self,
        who: &Registration<'_>,
        newcomer: &Arc<str>,
        refusal: &Refusal,
        now: Moment,
    ) {
        let step = StepName::of(who);
        let event = match refusal {
            Refusal::Duel { owner, .. } => {
                let present = self.peer_of(*owner).unwrap_or_else(|| "?".into());
                tracing::warn!(%step, %newcomer, %present, "two clients claim one step");
                Event::StepDuel {
                    step,
                    present,
                    newcomer: newcomer.clone(),
                }
            }
            Refusal::UnknownRun { .. } | Refusal::UnknownStep { .. } => Event::StepUnknown {
                step,
                peer: newcomer.clone(),
                detail: detail(&refusal.to_string()),
            },
            _ => return,
        };
        self.reporter.tell(event, now);
    }

    /// Asks for a tick soon after the engine's next deadline, unless an earlier one is asked for.
    fn set_alarm(&mut self) {
        let Some(due) = self.engine.next_deadline().map(end_of_slice) else {
            return;
        };
        if self.asked.is_none_or(|asked| due < asked) {
            self.asked = Some(due);
            self.alarm.ask(self.clock.at(due));
        }
    }

    /// Whether there was one.
    fn end_superseded(&mut self, newcomer: &Arc<str>, now: Moment) -> bool {
        let mut any = false;
        for (conn, by) in self.actions.superseded.drain(..) {
            let slot = self.streams.get_mut(conn.slot());
            let Some(slot) = slot.filter(|s| s.as_ref().is_some_and(|s| s.conn == conn)) else {
                continue;
            };
            if let Some(stream) = slot.take() {
                any = true;
                tracing::info!(stream = %stream.name, peer = %stream.peer, generation = %by,
                    "stream superseded");
                stream.end(Status::aborted(format!("superseded by generation {by}")));
                let event = Event::StepSuperseded {
                    step: stream.name.clone(),
                    peer: stream.peer.clone(),
                    newcomer: newcomer.clone(),
                    generation: by,
                };
                self.reporter.tell(event, now);
            }
        }
        any
    }
}

#[cfg(test)]
mod tests;
