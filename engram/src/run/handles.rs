//! What an engram holds while it works: what comes in, what goes out, where it runs.

use std::fmt;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;

use super::SendError;
use super::shared::{Phase, Shared};
use crate::control::ControlDirective;
use crate::identity::ExecutionContext;
use crate::message::StreamMessage;
use crate::session::{Delivery, Stats, Token};
use crate::wire::{EncodeError, encode_buffer};

/// Largest message that any peer accepts (spec 2.8); the number that is added is counted.
const MAX_BYTES: usize = 10 * 1024 * 1024 - 16;

/// Where an engram runs, and whether it is to stop.
#[derive(Clone)]
pub struct Context {
    execution: Arc<ExecutionContext>,
    shared: Arc<Shared>,
}

impl Context {
    pub(super) fn new(execution: Arc<ExecutionContext>, shared: Arc<Shared>) -> Self {
        Self { execution, shared }
    }

    /// Waits until the engram is asked to stop. Engrams that read their input need not
    /// ask: it ends then.
    pub async fn stopping(&self) {
        self.shared.reached(Phase::Stopping).await;
    }
}

impl Deref for Context {
    type Target = ExecutionContext;

    fn deref(&self) -> &ExecutionContext {
        &self.execution
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.execution.fmt(f)
    }
}

/// Messages for the engram, in their order.
pub struct Inbound(pub(super) Arc<Shared>);

impl Inbound {
    /// The next message; `None` when the engram is to stop.
    pub async fn next(&mut self) -> Option<InboundMessage> {
        loop {
            if self.0.phase() >= Phase::Stopping {
                return None;
            }
            if let Some(message) = self.take() {
                return Some(message);
            }
            self.0.arrived.notified().await;
        }
    }

    /// The next message that is there already.
    pub fn try_next(&mut self) -> Option<InboundMessage> {
        if self.0.phase() >= Phase::Stopping {
            return None;
        }
        self.take()
    }

    fn take(&self) -> Option<InboundMessage> {
        let Delivery { token, message, .. } = self.0.session().next_delivery()?;
        // There may be room for the hub to send more.
        self.0.work.notify_one();
        Some(InboundMessage {
            message,
            handle: Some((token, self.0.clone())),
        })
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inbound")
    }
}

/// A message that the hub waits for, until [`done`](Self::done). Dropped before that, it
/// is not receipted and may come again.
pub struct InboundMessage {
    message: StreamMessage,
    /// `None` once it is done.
    handle: Option<(Token, Arc<Shared>)>,
}

impl InboundMessage {
    /// Says that the message was processed. The receipt is sent reliably: with this
    /// connection or a later one. What was sent because of it is kept by this process
    /// alone; where that is not enough, see [`done_once_settled`](Self::done_once_settled).
    pub fn done(mut self) {
        self.complete();
    }

    /// Says that the message was processed as soon as everything sent by now is settled
    /// ([`Outbound::send`]). With it, a process that is killed loses nothing: either what
    /// it made of a message has arrived, or the message comes again.
    pub fn done_once_settled(mut self) {
        if let Some((token, shared)) = self.handle.take() {
            shared.session().done_once_settled(token);
            shared.work.notify_one();
        }
    }

    fn complete(&mut self) {
        if let Some((token, shared)) = self.handle.take() {
            shared.session().done(token);
            shared.work.notify_one();
        }
    }

    /// The message to be sent on: without the hub's numbers.
    #[must_use]
    pub fn forward(&self) -> StreamMessage {
        StreamMessage {
            envelope: None,
            ..self.message.clone()
        }
    }
}

impl Deref for InboundMessage {
    type Target = StreamMessage;

    fn deref(&self) -> &StreamMessage {
        &self.message
    }
}

impl Drop for InboundMessage {
    fn drop(&mut self) {
        if let Some((token, shared)) = self.handle.take() {
            shared.session().released(token);
        }
    }
}

impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

/// The way to the hub. Clones share it.
#[derive(Clone)]
pub struct Outbound(pub(super) Arc<Shared>);

impl Outbound {
    /// Sends a message: it is numbered and kept until the hub says that it is settled,
    /// whatever happens to the connection. Waits while too much is not settled
    /// ([`Bounds`](crate::Bounds)).
    ///
    /// # Errors
    /// [`SendError::Message`] where it breaks a rule, [`SendError::Closed`] where the run
    /// is over.
    pub async fn send(&self, message: &StreamMessage) -> Result<(), SendError> {
        let mut bytes = self.encode(message)?;
        loop {
            let mut room = pin!(self.0.room.notified());
            room.as_mut().enable();
            match self.push(bytes)? {
                None => return Ok(()),
                Some(back) => bytes = back,
            }
            room.await;
        }
    }

    /// Sends a message if there is room for it now.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::Full`].
    pub fn try_send(&self, message: &StreamMessage) -> Result<(), SendError> {
        match self.push(self.encode(message)?)? {
            None => Ok(()),
            Some(_) => Err(SendError::Full),
        }
    }

    fn encode(&self, message: &StreamMessage) -> Result<BytesMut, SendError> {
        let dialect = self.0.session().dialect();
        let bytes = encode_buffer(message, dialect)?;
        if bytes.len() > MAX_BYTES {
            let bytes = bytes.len();
            return Err(EncodeError::TooLarge { bytes }.into());
        }
        Ok(bytes)
    }

    /// Gives the bytes back where there is no room.
    fn push(&self, bytes: BytesMut) -> Result<Option<BytesMut>, SendError> {
        if self.0.phase() == Phase::Closed {
            return Err(SendError::Closed);
        }
        let outcome = self.0.session().push(bytes);
        self.0.work.notify_one();
        Ok(outcome.err())
    }

    /// Waits until the hub says that everything sent so far is settled: delivered to
    /// whoever must not miss it.
    ///
    /// # Errors
    /// [`SendError::Closed`] where the run ends before.
    pub async fn flush(&self) -> Result<(), SendError> {
        loop {
            let mut room = pin!(self.0.room.notified());
            room.as_mut().enable();
            if self.0.session().is_settled() {
                return Ok(());
            }
            if self.0.phase() == Phase::Closed {
                return Err(SendError::Closed);
            }
            room.await;
        }
    }

    /// Barge-in (spec 2.5): what belongs to turns below `turn` is dropped on its way
    /// through the run. Lost where there is no connection.
    pub fn interrupt(&self, turn: u64) {
        self.tell(ControlDirective::new("interrupt").with("turn", turn.to_string()));
    }

    /// Sends a directive to the hub. Lost where there is no connection.
    pub fn tell(&self, directive: ControlDirective) {
        self.0.session().tell(directive);
        self.0.work.notify_one();
    }

    /// What there was so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.session().stats()
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}
