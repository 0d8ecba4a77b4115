//! One data-plane thread: the engine, its streams, and carrying out what the engine says.
//!
//! Owns the [`Engine`] and one [`Stream`] per registered client. Lives on one thread (nothing here
//! is `Send`), so no lock is taken on the data path. Never waits: the async parts around it do.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{
    Actions, ConnId, Engine, Event, Inbound, Moment, Pieces, Refusal, Registration, Taken,
};
use transport_proto::view::{Dialect, Flow, PacketView};
use transport_proto::{Malformed, Violation};

use crate::ingress::Status;

/// How a stream's connection is asked to look after it.
#[derive(Clone)]
pub(crate) struct Wakers {
    /// To send what waits.
    pub(crate) write: Waker,
    /// To read on.
    pub(crate) read: Waker,
}

/// One registered client's stream, shared by the plane and the connection that reads and writes it.
pub(crate) struct Stream {
    pub(crate) conn: ConnId,
    /// Who it is, for people: `namespace/run/step`.
    pub(crate) name: Arc<str>,
    /// Where it connects from.
    pub(crate) peer: Arc<str>,
    wakers: Wakers,
    /// Its packets find no room: it is not read until they do.
    held_up: Cell<bool>,
    /// How the stream ends, once that is decided.
    end: RefCell<Option<Status>>,
    /// When the last bytes of a message that is not complete came.
    partial_since: Cell<Option<Moment>>,
    /// Whether a packet outside the contract has been reported in the log yet.
    pub(crate) violation_reported: Cell<bool>,
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
        self.held_up.get()
    }

    fn go_on(&self) {
        self.held_up.set(false);
        self.wakers.read.wake_by_ref();
    }

    fn wake(&self) {
        self.wakers.write.wake_by_ref();
    }
}

struct Inner {
    engine: Engine,
    actions: Actions,
    /// What the packet under way looks like; one view serves all packets.
    view: PacketView,
    /// By [`ConnId::slot`].
    streams: Vec<Option<Rc<Stream>>>,
    clock: Clock,
    alarm: Alarm,
    /// The earliest tick that was asked for and has not come.
    asked: Option<Moment>,
}

/// Asks for a tick before the next regular one.
pub(crate) struct Alarm(mpsc::Sender<Instant>);

impl Alarm {
    /// An alarm that tells `ticks` when a tick is wanted.
    pub(crate) fn new(ticks: mpsc::Sender<Instant>) -> Self {
        Self(ticks)
    }

    fn ask(&self, at: Instant) {
        // Without a clock there are no more ticks at all: the hub is stopping.
        let _ = self.0.send(at);
    }
}

/// The clock of a data plane's engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    fn at(self, moment: Moment) -> Instant {
        self.origin + Duration::from_nanos(moment.as_nanos())
    }

    /// Time since the plane was made.
    pub(crate) fn now(self) -> Moment {
        let nanos = self.origin.elapsed().as_nanos();
        Moment::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The engine and its streams on one thread.
pub(crate) struct DataPlane {
    inner: RefCell<Inner>,
    clock: Clock,
}

impl DataPlane {
    pub(crate) fn new(engine: Engine, alarm: Alarm) -> Self {
        let clock = Clock::start();
        let inner = Inner {
            engine,
            actions: Actions::default(),
            view: PacketView::new(Dialect::Packet),
            streams: Vec::new(),
            clock,
            alarm,
            asked: None,
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
    /// or it may be read on.
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
        let conn = inner.engine.register(who, self.now(), &mut inner.actions)?;
        // The newcomer may get the slot of the one it replaces: end that one first.
        inner.end_superseded();
        let stream = Rc::new(Stream {
            conn,
            name: format!("{}/{}/{}", who.namespace, who.run, who.step).into(),
            peer: peer.clone(),
            wakers: wakers.clone(),
            held_up: Cell::new(false),
            end: RefCell::new(None),
            partial_since: Cell::new(None),
            violation_reported: Cell::new(false),
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
            view: &mut inner.view,
            conn,
            now,
        };
        let result = feed(&mut router);
        inner.carry_out();
        result
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
        inner
            .engine
            .disconnect(stream.conn, self.clock.now(), &mut inner.actions);
        let slot = inner.streams.get_mut(stream.conn.slot());
        if let Some(slot) = slot.filter(|s| s.as_ref().is_some_and(|s| s.conn == stream.conn)) {
            *slot = None;
            tracing::info!(stream = %stream.name, peer = %stream.peer, "stream closed");
        }
        inner.carry_out();
    }

    /// Does what is due: heartbeats, expiry, streams stuck in half a message.
    pub(crate) fn tick(&self, stalled_after: Duration) {
        let now = self.now();
        let inner = &mut *self.inner.borrow_mut();
        inner.asked = inner.asked.filter(|asked| *asked > now);
        inner.engine.tick(now, &mut inner.actions);
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

    /// The peer that owns a connection, for people.
    pub(crate) fn peer_of(&self, conn: ConnId) -> Option<Arc<str>> {
        let inner = self.inner.borrow();
        inner
            .streams
            .get(conn.slot())?
            .as_ref()
            .map(|s| s.peer.clone())
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
            }
        }
        for conn in self.actions.resume.drain(..) {
            if let Some(Some(stream)) = self.streams.get(conn.slot()) {
                stream.go_on();
            }
        }
        self.end_superseded();
        for event in self.actions.events.drain(..) {
            report(&event);
        }
        self.set_alarm();
    }

    /// Asks for a tick at the engine's next deadline, unless one before that is asked for.
    fn set_alarm(&mut self) {
        let Some(due) = self.engine.next_deadline() else {
            return;
        };
        if self.asked.is_none_or(|asked| due < asked) {
            self.asked = Some(due);
            self.alarm.ask(self.clock.at(due));
        }
    }

    fn end_superseded(&mut self) {
        for (conn, by) in self.actions.superseded.drain(..) {
            let slot = self.streams.get_mut(conn.slot());
            let Some(slot) = slot.filter(|s| s.as_ref().is_some_and(|s| s.conn == conn)) else {
                continue;
            };
            if let Some(stream) = slot.take() {
                tracing::info!(stream = %stream.name, peer = %stream.peer, generation = %by,
                    "stream superseded");
                stream.end(Status::aborted(format!("superseded by generation {by}")));
            }
        }
    }
}

fn report(event: &Event) {
    match event {
        Event::Expired {
            story,
            run,
            step,
            packets,
        } => {
            tracing::info!(%story, %run, %step, packets, "packets expired for an absent step");
        }
        Event::DeadLettered {
            story,
            run,
            from,
            to,
            reason,
            stream_id,
            sequence,
        } => {
            tracing::warn!(%story, %run, %from, %to, reason = reason.as_str(), %stream_id, sequence,
                "a packet was dead-lettered");
        }
    }
}

/// Takes the packets of one read, one by one.
pub(crate) struct Router<'a> {
    engine: &'a mut Engine,
    actions: &'a mut Actions,
    view: &'a mut PacketView,
    conn: ConnId,
    now: Moment,
}

impl Router<'_> {
    /// Routes the packet at `at` in `source`, a slice of which keeps `pinned` bytes alive, unless
    /// there is no room for it. One that breaks the contract is dropped and counted, and
    /// [`violation`](Self::violation) tells what it breaks.
    ///
    /// # Errors
    /// When these bytes are no packet at all.
    pub(crate) fn packet(
        &mut self,
        source: &Bytes,
        at: Range<usize>,
        pinned: usize,
    ) -> Result<Taken, Malformed> {
        let packet = &source[at.clone()];
        self.view.walk_in_process(packet)?;
        let inbound = Inbound {
            source,
            start: at.start,
            packet,
            view: self.view,
            pinned,
        };
        let taken = self
            .engine
            .packet(self.conn, inbound, self.now, self.actions);
        Ok(taken)
    }

    /// Takes in receipts and credits.
    pub(crate) fn flow(&mut self, flow: &Flow) {
        self.engine.flow(self.conn, flow, self.now, self.actions);
    }

    /// The rule that the last packet breaks.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.view.violation()
    }
}
