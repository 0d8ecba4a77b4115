//! The task of a hub in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use transport_proto::view::Dialect;

use crate::control::ControlDirective;
use crate::link::{Connection, ControlIn, ControlOut, Ended};
use crate::message::StreamMessage;
use crate::wire::decode_sent;

/// Packets under way each way.
const IN_HAND: usize = 16;

/// What tests ask for.
pub(super) enum Command {
    /// A packet, and its sequence where it waits for a receipt.
    Send(Bytes, Option<u64>),
    Direct(ControlDirective),
    End(Ended),
    Pause(bool),
    HoldAcks(bool),
}

/// The hub's end of a connection.
#[derive(Debug)]
pub(super) struct End {
    handshakes: bool,
    packets_out: mpsc::Receiver<Bytes>,
    control_out: mpsc::Receiver<ControlOut>,
    packets_in: mpsc::Sender<Bytes>,
    control_in: mpsc::UnboundedSender<ControlIn>,
}

impl End {
    /// Both ends of a connection.
    pub(super) fn pair(handshakes: bool) -> (Connection, Self) {
        let (packets_out, packets_from) = mpsc::channel(IN_HAND);
        let (control_out, control_from) = mpsc::channel(IN_HAND);
        let (packets_to, packets_in) = mpsc::channel(IN_HAND);
        let (control_to, mut told) = mpsc::unbounded_channel();
        let (control, control_in) = mpsc::channel(IN_HAND);
        tokio::spawn(async move {
            while let Some(event) = told.recv().await {
                if control.send(event).await.is_err() {
                    return;
                }
            }
        });
        let connection = Connection {
            handshakes,
            packets_out,
            control_out,
            packets_in,
            control_in,
        };
        let end = Self {
            handshakes,
            packets_out: packets_from,
            control_out: control_from,
            packets_in: packets_to,
            control_in: control_to,
        };
        (connection, end)
    }

    fn tell(&self, event: ControlIn) {
        // An engram that has gone is noticed by its queues.
        let _ = self.control_in.send(event);
    }
}

/// Where an actor puts what it learns.
type Outlets = (
    mpsc::UnboundedSender<StreamMessage>,
    mpsc::UnboundedSender<ControlDirective>,
    watch::Sender<BTreeSet<u64>>,
);

pub(super) struct Actor {
    dialect: Dialect,
    received: mpsc::UnboundedSender<StreamMessage>,
    directives: mpsc::UnboundedSender<ControlDirective>,
    receipts: watch::Sender<BTreeSet<u64>>,
    connection: Option<End>,
    /// Sent and not receipted, by sequence.
    kept: BTreeMap<u64, Bytes>,
    /// Sequence after the last that this connection was sent.
    next: u64,
    /// Highest number of the engram's that was taken; never decreases.
    taken: u64,
    acks_held: bool,
}

/// What an actor waits for.
enum Step {
    Command(Option<Command>),
    Connected(Option<End>),
    Packet(Option<Bytes>),
    Told(Option<ControlOut>),
    Room,
}

impl Actor {
    pub(super) fn new(dialect: Dialect, (received, directives, receipts): Outlets) -> Self {
        Self {
            dialect,
            received,
            directives,
            receipts,
            connection: None,
            kept: BTreeMap::new(),
            next: 1,
            taken: 0,
            acks_held: false,
        }
    }

    /// Runs until the tests let go of the hub.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut connections: mpsc::UnboundedReceiver<End>,
    ) {
        loop {
            let waits = self.kept.range(self.next..).next().is_some();
            let step = match &mut self.connection {
                Some(end) => tokio::select! {
                    biased;
                    told = end.control_out.recv() => Step::Told(told),
                    packet = end.packets_out.recv() => Step::Packet(packet),
                    command = commands.recv() => Step::Command(command),
                    connected = connections.recv() => Step::Connected(connected),
                    _ = end.packets_in.reserve(), if waits => Step::Room,
                },
                None => tokio::select! {
                    command = commands.recv() => Step::Command(command),
                    connected = connections.recv() => Step::Connected(connected),
                },
            };
            match step {
                Step::Command(Some(command)) => self.command(command),
                Step::Connected(Some(end)) => self.connected(end),
                Step::Command(None) | Step::Connected(None) => return,
                Step::Packet(Some(packet)) => self.took(&packet),
                Step::Told(Some(told)) => self.told(told),
                // The engram has ended its side.
                Step::Packet(None) | Step::Told(None) => self.goodbye(),
                Step::Room => {}
            }
            self.pump();
        }
    }

    fn goodbye(&mut self) {
        let Some(mut end) = self.connection.take() else {
            return;
        };
        while let Ok(told) = end.control_out.try_recv() {
            self.told(told);
        }
        while let Ok(packet) = end.packets_out.try_recv() {
            self.took(&packet);
        }
        end.tell(ControlIn::Ended(Ended {
            code: 0,
            message: String::new(),
        }));
    }

    fn connected(&mut self, end: End) {
        if end.handshakes {
            let ready = ControlDirective::new("connector.ready");
            let ready = ready.with("startup.capabilities", "none");
            end.tell(ControlIn::Directive(ready));
        }
        self.next = 1;
        self.connection = Some(end);
        self.acknowledge();
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Send(packet, sequence) => self.send(packet, sequence),
            Command::HoldAcks(held) => {
                self.acks_held = held;
                self.acknowledge();
            }
            Command::Direct(directive) => self.tell(ControlIn::Directive(directive)),
            Command::Pause(paused) => self.tell(ControlIn::Flow {
                ack: 0,
                pause: Some(paused),
            }),
            Command::End(ended) => {
                self.tell(ControlIn::Ended(ended));
                self.connection = None;
            }
        }
    }

    fn send(&mut self, packet: Bytes, sequence: Option<u64>) {
        match (sequence, &self.connection) {
            (Some(sequence), _) => {
                self.kept.insert(sequence, packet);
            }
            (None, Some(end)) => {
                let _ = end.packets_in.try_send(packet);
            }
            (None, None) => {}
        }
    }

    /// Sends what waits and fits.
    fn pump(&mut self) {
        let Some(end) = &self.connection else { return };
        for (sequence, packet) in self.kept.range(self.next..) {
            if end.packets_in.try_send(packet.clone()).is_err() {
                return;
            }
            self.next = sequence + 1;
        }
    }

    fn took(&mut self, packet: &Bytes) {
        let Some((number, message)) = decode_sent(packet, self.dialect) else {
            return;
        };
        if number > self.taken {
            self.taken = number;
            let _ = self.received.send(message);
        }
        self.acknowledge();
    }

    fn acknowledge(&mut self) {
        if !self.acks_held && self.taken > 0 {
            self.tell(ControlIn::Flow {
                ack: self.taken,
                pause: None,
            });
        }
    }

    fn told(&mut self, told: ControlOut) {
        match told {
            ControlOut::Receipt(receipt) => self.receipted(receipt.sequence..=receipt.sequence),
            ControlOut::Ack(ack) if ack.ack > 0 => self.receipted(1..=ack.ack),
            ControlOut::Ack(_) => {}
            ControlOut::Directive(directive) => {
                let _ = self.directives.send(directive);
            }
        }
    }

    fn receipted(&mut self, sequences: std::ops::RangeInclusive<u64>) {
        let known: Vec<u64> = self.kept.range(sequences).map(|(at, _)| *at).collect();
        for sequence in &known {
            self.kept.remove(sequence);
        }
        self.receipts.send_modify(|receipts| receipts.extend(known));
    }

    fn tell(&self, event: ControlIn) {
        if let Some(end) = &self.connection {
            end.tell(event);
        }
    }
}
