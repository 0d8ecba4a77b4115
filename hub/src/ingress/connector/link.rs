//! Which Data stream belongs to which Control stream: those of one connection (spec 3, "Identity").
//!
//! Owns the Data streams that came before their Control. Bounded in number and in time.

use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use engine::Moment;
use h2::{RecvStream, SendStream};
use tokio::task::JoinHandle;

use crate::egress::Chunk;
use crate::ingress::Status;
use crate::ingress::deframe::Deframer;
use crate::ingress::peers::Seat;
use crate::plane::{Stream, Wakers};

/// How long a stream waits for the one that belongs to it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most Data streams of one connection that wait.
const MOST_PARKED: usize = 4;

/// A Data stream of which nobody has said yet whose it is. It is not read meanwhile.
pub(in crate::ingress) struct Parked {
    pub(in crate::ingress) body: RecvStream,
    /// Boxed, as few wait and none is read.
    pub(in crate::ingress) deframer: Box<Deframer>,
    pub(in crate::ingress) send: SendStream<Chunk>,
    pub(in crate::ingress) seat: Seat,
    pub(in crate::ingress) since: Moment,
}

/// The session that the last Control of a connection opened.
pub(in crate::ingress) struct Session {
    pub(in crate::ingress) stream: Rc<Stream>,
    /// Where its Data will be served, until it is.
    pub(in crate::ingress) place: Option<usize>,
    pub(in crate::ingress) wakers: Wakers,
    pub(in crate::ingress) since: Moment,
}

/// What a connection knows of its connector streams.
#[derive(Default)]
pub(in crate::ingress) struct Link {
    /// The binding that it speaks for; there is never another one.
    binding: Option<Box<str>>,
    session: Option<Session>,
    parked: Vec<Parked>,
    overdue: Option<Overdue>,
}

/// Calls once a stream has waited long enough; not when it is dropped before.
pub(in crate::ingress) struct Overdue(JoinHandle<()>);

impl Overdue {
    pub(in crate::ingress) fn after_patience(call: Waker) -> Self {
        Self(tokio::task::spawn_local(async move {
            tokio::time::sleep(PATIENCE).await;
            call.wake();
        }))
    }
}

impl Drop for Overdue {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Takes note of the binding that a Control names.
    ///
    /// # Errors
    /// UNAVAILABLE when the connection speaks for another one: over one of its own it may work.
    pub(in crate::ingress) fn bind(&mut self, binding: &str) -> Result<(), Status> {
        match &self.binding {
            Some(known) if **known != *binding => Err(Status::unavailable(format!(
                "this connection speaks for binding {known} already: use another one"
            ))),
            Some(_) => Ok(()),
            None => {
                self.binding = Some(binding.into());
                Ok(())
            }
        }
    }

    /// The session of a Control that has just come. The one before it, if there is one, is over;
    /// the place that was kept for its Data is handed out.
    pub(in crate::ingress) fn open(&mut self, session: Session) -> Option<usize> {
        self.session.replace(session)?.place
    }

    /// The Control of `stream` is over. The place that was kept for its Data is handed out.
    pub(in crate::ingress) fn close(&mut self, stream: &Rc<Stream>) -> Option<usize> {
        let is_own = |session: &mut Session| Rc::ptr_eq(&session.stream, stream);
        self.session.take_if(is_own)?.place
    }

    /// A session that waits for its Data, and the Data that waits for it, if both are there.
    pub(in crate::ingress) fn pair(&mut self) -> Option<(&mut Session, Parked)> {
        self.parked.retain_mut(|parked| !parked.is_gone());
        let session = self.session.as_mut()?;
        if session.place.is_none() || session.stream.is_ending() || self.parked.is_empty() {
            return None;
        }
        Some((session, self.parked.remove(0)))
    }

    /// Has a Data stream wait for its Control.
    ///
    /// # Errors
    /// The stream, when too many wait.
    pub(in crate::ingress) fn park(&mut self, parked: Parked) -> Result<(), Parked> {
        self.parked.retain_mut(|parked| !parked.is_gone());
        if self.parked.len() >= MOST_PARKED {
            return Err(parked);
        }
        self.parked.push(parked);
        Ok(())
    }

    /// Everything that waits: its Control has been refused.
    pub(in crate::ingress) fn take_parked(&mut self) -> Vec<Parked> {
        std::mem::take(&mut self.parked)
    }

    /// Whether anything waits for its other half.
    pub(in crate::ingress) fn waits(&self) -> bool {
        !self.parked.is_empty() || self.lone().is_some()
    }

    /// Has the connection called when the time of what waits is over, if anything does.
    pub(in crate::ingress) fn watch(&mut self, call: impl FnOnce() -> Waker) {
        if !self.waits() {
            self.overdue = None;
        } else if self.overdue.is_none() {
            self.overdue = Some(Overdue::after_patience(call()));
        }
    }

    /// Ends what has waited too long at `now`, and hands out the Data streams among it.
    pub(in crate::ingress) fn give_up(&mut self, now: Moment) -> Vec<Parked> {
        self.overdue = None;
        let is_late = |since: Moment| now.since(since) >= PATIENCE;
        if let Some(lone) = self.lone().filter(|lone| is_late(lone.since)) {
            lone.stream.end(Status::unavailable(format!(
                "no Data stream came on this connection within {PATIENCE:?}"
            )));
        }
        let (late, early) = std::mem::take(&mut self.parked)
            .into_iter()
            .partition(|parked| is_late(parked.since));
        self.parked = early;
        late
    }

    /// The session, while it has no Data.
    fn lone(&self) -> Option<&Session> {
        let session = self.session.as_ref();
        session.filter(|session| session.place.is_some() && !session.stream.is_ending())
    }
}

impl Parked {
    /// Whether the client has given it up.
    fn is_gone(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.send.poll_reset(&mut cx).is_ready()
    }

    /// Ends it; what the client still says is handed out, to be thrown away.
    pub(in crate::ingress) fn end(mut self, status: &Status) -> RecvStream {
        // A client that has gone meanwhile wants no status.
        let _ = self.send.send_trailers(status.trailers());
        self.body
    }

    /// The status of one for which no Control came.
    pub(in crate::ingress) fn late() -> Status {
        Status::unavailable(format!(
            "no Control stream named a binding on this connection within {PATIENCE:?}"
        ))
    }
}
