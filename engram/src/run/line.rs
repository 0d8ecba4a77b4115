//! One connection: what the session sends and is told on it, and its clocks.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use transport_proto::names::metadata::{HEARTBEAT, HEARTBEAT_TRUE};
use transport_proto::view::Dialect;

use super::drive::{Drive, unix_millis};
use super::shared::Phase;
use crate::control::{ControlDirective, default_reply};
use crate::link::{Connection, ControlIn, ControlOut, Ended};
use crate::session::{Backoff, Number, Told};

/// How long the hub may take to end its side after the engram has ended its own.
const GOODBYE: Duration = Duration::from_secs(2);
/// A hub that drains and has sent no packet for so long has none left for the engram.
const DRAINED: Duration = Duration::from_millis(250);
/// Messages that wait for an engram over Process, where acks come on the same stream as
/// packets and reading must go on: the hub's own grant bounds it long before (spec 2.5).
const MAX_WAITING: usize = 8192;
/// Bytes that wait for an engram, whatever the contract.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// How one connection was left.
pub(super) enum Left {
    /// Everything is settled: the run is over.
    Finished,
    /// It ended.
    Ended(Ended),
}

/// What a connection waits for.
enum Step {
    Heard(Option<ControlIn>),
    Packet(Option<Bytes>),
    Beat,
    /// Something may be sent.
    Again,
}

/// A connection that is being served.
pub(super) struct Line<'a> {
    drive: &'a Drive,
    connection: Connection,
    started: Instant,
    /// When a packet was last sent: no sign of life is needed then.
    last_packet: Instant,
    /// When the last sign of life was sent on the control channel.
    last_beat: Instant,
    last_heard: Instant,
}

impl<'a> Line<'a> {
    pub(super) fn new(drive: &'a Drive, connection: Connection) -> Self {
        let now = Instant::now();
        drive.shared.session().connected(connection.handshakes);
        Self {
            drive,
            connection,
            started: now,
            last_packet: now,
            last_beat: now,
            last_heard: now,
        }
    }

    pub(super) async fn serve(mut self, backoff: &mut Backoff) -> Left {
        let over = self.drive.shared.drained(self.drive.drain);
        let mut over = std::pin::pin!(over);
        if !self.connection.handshakes {
            backoff.became_ready();
        }
        loop {
            if let Some(left) = self.send_what_fits() {
                return left;
            }
            if self.is_finished() {
                return self.say_goodbye().await;
            }
            let (has_packet, has_told) = {
                let session = self.drive.shared.session();
                (session.has_packet(), session.has_told())
            };
            let (reads, next_beat) = (self.reads(), self.next_beat());
            let connection = &mut self.connection;
            let step = tokio::select! {
                biased;
                event = connection.control_in.recv() => Step::Heard(event),
                packet = connection.packets_in.recv(), if reads => Step::Packet(packet),
                // Both only tell that there is room: what is sent is chosen above.
                _ = connection.packets_out.reserve(), if has_packet => Step::Again,
                _ = connection.control_out.reserve(), if has_told => Step::Again,
                () = self.drive.shared.work.notified() => Step::Again,
                () = sleep_until(next_beat) => Step::Beat,
                () = &mut over => {
                    tracing::warn!("the run ends before everything sent was settled");
                    return Left::Finished;
                }
            };
            let ended = match step {
                Step::Heard(event) => self.heard(event, backoff),
                Step::Beat => self.beat(),
                Step::Packet(Some(packet)) => {
                    self.arrived(&packet);
                    None
                }
                Step::Packet(None) | Step::Again => None,
            };
            if let Some(ended) = ended {
                self.take_rest();
                return Left::Ended(ended);
            }
        }
    }

    /// Whether more packets may be read: there is room for them.
    fn reads(&self) -> bool {
        let session = self.drive.shared.session();
        let (messages, bytes) = session.waiting();
        let open =
            !self.connection.packets_in.is_closed() || !self.connection.packets_in.is_empty();
        let most = match session.dialect() {
            Dialect::Connector => self.drive.tunables.channel_buffer,
            Dialect::Packet => MAX_WAITING,
        };
        open && messages < most && bytes < MAX_WAITING_BYTES
    }

    /// Hands over all that the connection takes at once.
    fn send_what_fits(&mut self) -> Option<Left> {
        let gone = || Some(Left::Ended(Ended::unavailable("the connection is closed")));
        let mut session = self.drive.shared.session();
        while session.has_told() {
            match self.connection.control_out.try_reserve() {
                Ok(permit) => permit.send(match session.next_told()? {
                    Told::Receipt(receipt) => ControlOut::Receipt(receipt),
                    Told::Ack(ack) => ControlOut::Ack(ack),
                    Told::Directive(directive) => ControlOut::Directive(directive),
                }),
                Err(mpsc::error::TrySendError::Full(())) => break,
                Err(mpsc::error::TrySendError::Closed(())) => return gone(),
            }
        }
        while session.has_packet() {
            match self.connection.packets_out.try_reserve() {
                Ok(permit) => {
                    self.last_packet = Instant::now();
                    permit.send(session.next_packet()?);
                }
                Err(mpsc::error::TrySendError::Full(())) => break,
                Err(mpsc::error::TrySendError::Closed(())) => return gone(),
            }
        }
        None
    }

    /// Whether the engram has stopped and nothing is left to deliver.
    fn is_finished(&self) -> bool {
        let shared = &self.drive.shared;
        let session = shared.session();
        shared.phase() >= Phase::Finishing && session.is_settled() && !session.has_told()
    }

    /// Ends the engram's side and waits a little for the hub to end its own, so that the
    /// last receipts arrive.
    async fn say_goodbye(self) -> Left {
        let Connection {
            packets_out,
            control_out,
            mut packets_in,
            mut control_in,
            ..
        } = self.connection;
        drop((packets_out, control_out));
        let ended = async {
            loop {
                tokio::select! {
                    event = control_in.recv() => {
                        if matches!(event, None | Some(ControlIn::Ended(_))) {
                            return;
                        }
                    }
                    Some(_) = packets_in.recv() => {}
                }
            }
        };
        let _ = timeout(GOODBYE, ended).await;
        Left::Finished
    }

    fn arrived(&mut self, packet: &Bytes) {
        self.last_heard = Instant::now();
        let now = self.started.elapsed();
        let mut session = self.drive.shared.session();
        if let Err(error) = session.arrived(packet, now) {
            tracing::warn!(%error, "a packet cannot be shown to the engram");
        }
        drop(session);
        self.drive.shared.arrived.notify_one();
    }

    /// Takes what had arrived before the connection ended.
    fn take_rest(&mut self) {
        while let Ok(packet) = self.connection.packets_in.try_recv() {
            self.arrived(&packet);
        }
    }

    /// Takes what the hub says beside packets; gives how the connection ended.
    fn heard(&mut self, event: Option<ControlIn>, backoff: &mut Backoff) -> Option<Ended> {
        self.last_heard = Instant::now();
        match event {
            None => Some(Ended::unavailable("the connection is closed")),
            Some(ControlIn::Ended(ended)) => Some(ended),
            Some(ControlIn::Flow { ack, pause }) => {
                let mut session = self.drive.shared.session();
                let made_room = session.settled(Number(ack));
                if let Some(paused) = pause {
                    session.pause(paused);
                }
                drop(session);
                if made_room {
                    self.drive.shared.room.notify_waiters();
                }
                None
            }
            Some(ControlIn::Directive(directive)) => self.directed(directive, backoff),
        }
    }

    fn directed(&mut self, directive: ControlDirective, backoff: &mut Backoff) -> Option<Ended> {
        let mut session = self.drive.shared.session();
        match session.directed(&directive) {
            Ok(true) => backoff.became_ready(),
            Ok(false) => {}
            Err(error) => return Some(Ended::unavailable(error.to_string())),
        }
        if directive.is("error") {
            tracing::warn!(facts = ?directive.metadata, "the hub reports an error");
        }
        let untaken = match &self.drive.handler {
            Some(handler) => match handler.try_send(directive) {
                Ok(()) => None,
                Err(error) => Some(error.into_inner()),
            },
            None => Some(directive),
        };
        if let Some(reply) = untaken.as_ref().and_then(default_reply) {
            session.tell(reply);
        }
        None
    }

    /// When a sign of life, the handshake or the hub's silence is due.
    fn next_beat(&self) -> Instant {
        let tunables = &self.drive.tunables;
        let mut next = self.last_packet + tunables.data_heartbeat;
        if self.connection.handshakes {
            next = next.min(self.last_beat + tunables.control_heartbeat);
            if !self.drive.shared.session().is_ready() {
                next = next.min(self.started + tunables.message_timeout);
            }
        }
        if !tunables.hang_timeout.is_zero() {
            next = next.min(self.last_heard + tunables.hang_timeout);
        }
        if self.drive.shared.session().is_stuck_in_drain() {
            next = next.min(self.last_heard + DRAINED);
        }
        next
    }

    fn beat(&mut self) -> Option<Ended> {
        let now = Instant::now();
        let tunables = &self.drive.tunables;
        let is_ready = self.drive.shared.session().is_ready();
        if !is_ready && now >= self.started + tunables.message_timeout {
            let text = format!(
                "control startup handshake timed out: timeout={:?}",
                tunables.message_timeout
            );
            return Some(Ended::unavailable(text));
        }
        if !tunables.hang_timeout.is_zero() && now >= self.last_heard + tunables.hang_timeout {
            return Some(Ended::unavailable("nothing was heard of the hub"));
        }
        let stuck = self.drive.shared.session().is_stuck_in_drain();
        if stuck && now >= self.last_heard + DRAINED {
            return Some(Ended::unavailable("the hub drains"));
        }
        if now >= self.last_packet + tunables.data_heartbeat {
            self.last_packet = now;
            if is_ready {
                // A full queue is a sign of life itself.
                let beat = heartbeat(self.drive.shared.session().dialect());
                let _ = self.connection.packets_out.try_send(beat);
            }
        }
        if self.connection.handshakes && now >= self.last_beat + tunables.control_heartbeat {
            self.last_beat = now;
            let ts = unix_millis().to_string();
            let beat = ControlDirective::new("heartbeat").with("ts", ts);
            self.drive.shared.session().tell(beat);
        }
        None
    }
}

/// A packet without a frame that says: alive (spec 2.6).
fn heartbeat(dialect: Dialect) -> Bytes {
    use bytes::BytesMut;
    use transport_proto::wire::put_len_field;
    let mut entry = BytesMut::new();
    put_len_field(&mut entry, 0x0a, HEARTBEAT.as_bytes());
    put_len_field(&mut entry, 0x12, HEARTBEAT_TRUE.as_bytes());
    let mut packet = BytesMut::new();
    let tag = match dialect {
        Dialect::Connector => 0x22,
        Dialect::Packet => 0x0a,
    };
    put_len_field(&mut packet, tag, &entry);
    packet.freeze()
}
