//! A hub in memory, as tests hold it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use prost::Message;
use tokio::sync::{Notify, mpsc, watch};
use transport_proto::view::Dialect;
use transport_proto::wire::put_len_field;

use super::actor::{Actor, Command, End};
use crate::control::ControlDirective;
use crate::identity::ExecutionContext;
use crate::link::{Connection, Ended, Hello, Transport};
use crate::message::{StreamEnvelope, StreamMessage};
use crate::run::Runtime;
use crate::start::{Retries, Tunables};
use crate::wire::encode;

/// The stream that everything is sent on.
const STREAM: &str = "test/run/step@1";

/// A hub for one engram. It numbers what it sends and sends it again until it is
/// receipted, drops what it had from the engram already, and says what is settled.
/// Needs a tokio runtime; ends when it is dropped.
pub struct MemoryHub {
    commands: mpsc::UnboundedSender<Command>,
    connections: mpsc::UnboundedSender<End>,
    received: mpsc::UnboundedReceiver<StreamMessage>,
    directives: mpsc::UnboundedReceiver<ControlDirective>,
    receipts: watch::Receiver<BTreeSet<u64>>,
    stop: Arc<Notify>,
    dialect: Dialect,
    sequence: u64,
}

impl MemoryHub {
    /// A hub that speaks the connector contract.
    #[must_use]
    pub fn start() -> Self {
        Self::of(Dialect::Connector)
    }

    /// A hub that speaks `HubService.Process`.
    #[must_use]
    pub fn start_process() -> Self {
        Self::of(Dialect::Packet)
    }

    fn of(dialect: Dialect) -> Self {
        let (commands, commanded) = mpsc::unbounded_channel();
        let (connections, connected) = mpsc::unbounded_channel();
        let (messages, received) = mpsc::unbounded_channel();
        let (told, directives) = mpsc::unbounded_channel();
        let (receipts_to, receipts) = watch::channel(BTreeSet::new());
        let actor = Actor::new(dialect, (messages, told, receipts_to));
        tokio::spawn(actor.run(commanded, connected));
        Self {
            commands,
            connections,
            received,
            directives,
            receipts,
            stop: Arc::new(Notify::new()),
            dialect,
            sequence: 0,
        }
    }

    /// What an engram runs on to reach this hub: at once again when it is cut off, until
    /// [`stop`](Self::stop).
    #[must_use]
    pub fn runtime(&self) -> Runtime<MemoryTransport> {
        let context = ExecutionContext {
            tunables: Tunables {
                retries: Retries::Unlimited,
                backoff_base: Duration::from_millis(1),
                backoff_max: Duration::from_millis(1),
                ..Tunables::default()
            },
            ..ExecutionContext::default()
        };
        let stop = self.stop.clone();
        Runtime::over(self.transport(), context).until(async move { stop.notified().await })
    }

    /// The way to this hub alone.
    #[must_use]
    pub fn transport(&self) -> MemoryTransport {
        MemoryTransport {
            connections: self.connections.clone(),
            dialect: self.dialect,
        }
    }

    /// Asks the engram that runs on [`runtime`](Self::runtime) to stop.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Sends a message that waits for its receipt; gives its sequence.
    ///
    /// # Panics
    /// Where the message cannot be sent: a fault of the test.
    pub fn send(&mut self, message: &StreamMessage) -> u64 {
        self.sequence += 1;
        let packet = self.packet(message, self.sequence);
        self.command(Command::Send(packet, Some(self.sequence)));
        self.sequence
    }

    /// Sends a message that nobody waits for; it is lost where there is no connection.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub fn send_best_effort(&self, message: &StreamMessage) {
        self.command(Command::Send(self.packet(message, 0), None));
    }

    fn packet(&self, message: &StreamMessage, sequence: u64) -> Bytes {
        let packet = encode(message, self.dialect).expect("tests send messages that can be sent");
        let envelope = StreamEnvelope {
            stream_id: STREAM.to_owned(),
            sequence,
            ..StreamEnvelope::default()
        };
        // Appended, it merges with the message's own (spec 1).
        let mut packet = BytesMut::from(packet);
        put_len_field(&mut packet, 0x42, &envelope.encode_to_vec());
        packet.freeze()
    }

    /// The next message of the engram; each comes once. `None` when the hub has ended.
    pub async fn next(&mut self) -> Option<StreamMessage> {
        self.received.recv().await
    }

    /// The next message that is there already.
    pub fn try_next(&mut self) -> Option<StreamMessage> {
        self.received.try_recv().ok()
    }

    /// Waits for the receipt of what was sent as `sequence`.
    pub async fn receipted(&mut self, sequence: u64) {
        let is_there = |receipts: &BTreeSet<u64>| receipts.contains(&sequence);
        // The hub lives as long as we do.
        let _ = self.receipts.wait_for(is_there).await;
    }

    /// Sequences receipted so far.
    #[must_use]
    pub fn receipts(&self) -> BTreeSet<u64> {
        self.receipts.borrow().clone()
    }

    /// Sends a directive.
    pub fn direct(&self, directive: ControlDirective) {
        self.command(Command::Direct(directive));
    }

    /// The next directive of the engram: answers, signs of life, its own.
    pub async fn next_directive(&mut self) -> Option<ControlDirective> {
        self.directives.recv().await
    }

    /// Ends the connection with UNAVAILABLE; the engram may come back.
    pub fn cut(&self) {
        self.end(Ended::unavailable("cut by the test"));
    }

    /// Ends the connection so.
    pub fn end(&self, ended: Ended) {
        self.command(Command::End(ended));
    }

    /// Asks the engram to send no more packets, or lets it.
    pub fn pause(&self, paused: bool) {
        self.command(Command::Pause(paused));
    }

    /// Says nothing of what is settled, until it is let again.
    pub fn hold_acks(&self, held: bool) {
        self.command(Command::HoldAcks(held));
    }

    fn command(&self, command: Command) {
        // It lives as long as we do.
        let _ = self.commands.send(command);
    }
}

/// The way to a [`MemoryHub`].
#[derive(Clone, Debug)]
pub struct MemoryTransport {
    connections: mpsc::UnboundedSender<End>,
    dialect: Dialect,
}

impl Transport for MemoryTransport {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    async fn connect(&mut self, _: &Hello) -> Result<Connection, Ended> {
        let (connection, end) = End::pair(self.dialect == Dialect::Connector);
        let connected = self.connections.send(end);
        connected.map_err(|_| Ended::for_good("the hub has ended"))?;
        Ok(connection)
    }
}
