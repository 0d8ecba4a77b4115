//! Bytes in: cut into messages, walked, offered to the engine.

use bytes::Bytes;
use engine::{Inbound, Interrupt, Receipt, Taken};
use transport_proto::splice::{Parted, Parting};
use transport_proto::view::{Dialect, PacketBytes, PacketView, parse_process};

use super::{Hub, moment};
use crate::oracle::{Broken, Fact, Link};
use crate::time::Nanos;
use crate::wire::{self, Control, DELIVERED, INTERRUPT};
use crate::world::Witness;

impl Hub {
    /// Whether the hub has stopped reading a stream.
    pub(crate) fn is_blocked(&self, link: Link) -> bool {
        self.streams.get(&link).is_some_and(|s| s.blocked)
    }

    /// Takes in bytes of a Process stream.
    pub(crate) fn data(
        &mut self,
        link: Link,
        bytes: &[u8],
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<(), Broken> {
        let Some(stream) = self.streams.get_mut(&link) else {
            return Ok(());
        };
        stream.data.feed(bytes);
        while let Some(message) = stream.data.next_message() {
            stream.held.push_back(message);
        }
        self.drain_held(link, now, witness)
    }

    /// Takes in bytes of a Control stream.
    pub(crate) fn control(
        &mut self,
        link: Link,
        bytes: &[u8],
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<(), Broken> {
        let Some(stream) = self.streams.get_mut(&link) else {
            return Ok(());
        };
        stream.control.feed(bytes);
        loop {
            let Some(stream) = self.streams.get_mut(&link) else {
                return Ok(());
            };
            let Some(message) = stream.control.next_message() else {
                return Ok(());
            };
            let conn = stream.conn;
            witness.tell(
                now,
                Fact::Control {
                    link,
                    message: &message,
                },
            )?;
            if let Some(control) = wire::control(&message) {
                self.act(conn, &control, now);
            }
            self.carry_out(now, witness)?;
        }
    }

    fn act(&mut self, conn: engine::ConnId, control: &Control, now: Nanos) {
        let text = |key| control.metadata(key).unwrap_or_default();
        let number = |key| text(key).parse::<u64>().ok();
        match &*control.action {
            DELIVERED => {
                let receipt = Receipt {
                    stream_id: text("stream_id"),
                    partition: text("partition"),
                    sequence: number("sequence").unwrap_or_default(),
                };
                self.engine
                    .receipt(conn, receipt, moment(now), &mut self.actions);
            }
            INTERRUPT => {
                let lane = engine::route::Lane::ALL
                    .into_iter()
                    .find(|l| l.as_str() == text("lane"));
                if let Some(turn) = number("turn") {
                    let interrupt = Interrupt { turn, lane };
                    self.engine
                        .interrupt(conn, interrupt, moment(now), &mut self.actions);
                }
            }
            _ => {}
        }
    }

    /// A blocked stream may be read again.
    pub(super) fn resume(
        &mut self,
        link: Link,
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<(), Broken> {
        if let Some(stream) = self.streams.get_mut(&link) {
            stream.blocked = false;
        }
        // Its held messages are offered one round later, so that nothing nests.
        self.drain_held_once(link, now, witness)
    }

    fn drain_held(&mut self, link: Link, now: Nanos, witness: &mut Witness) -> Result<(), Broken> {
        self.drain_held_once(link, now, witness)?;
        self.carry_out(now, witness)
    }

    /// Offers held messages until one is blocked.
    fn drain_held_once(
        &mut self,
        link: Link,
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<(), Broken> {
        loop {
            let Some(stream) = self.streams.get_mut(&link).filter(|s| !s.blocked) else {
                return Ok(());
            };
            let Some(message) = stream.held.pop_front() else {
                return Ok(());
            };
            let flow_done = std::mem::take(&mut stream.flow_done);
            let conn = stream.conn;
            let source = Bytes::from(message);
            let Ok(process) = parse_process(&source) else {
                return Err(Broken {
                    at: now,
                    invariant: "what clients send is of the contract",
                    what: format!("link {} sent something else", link.0),
                });
            };
            if let Some(flow) = process.flow.as_ref().filter(|_| !flow_done) {
                witness.tell(
                    now,
                    Fact::Flow {
                        link,
                        message: &source,
                    },
                )?;
                self.engine.flow(conn, flow, moment(now), &mut self.actions);
                self.show(now, witness)?;
            }
            let PacketBytes::At(range) = process.packet else {
                continue;
            };
            if self.offer(link, &source, range.start..range.end, now) == Taken::Yes {
                witness.tell(
                    now,
                    Fact::Took {
                        link,
                        message: &source,
                    },
                )?;
                self.show(now, witness)?;
                continue;
            }
            witness.tell(now, Fact::Blocked { link })?;
            self.show(now, witness)?;
            if let Some(stream) = self.streams.get_mut(&link) {
                stream.blocked = true;
                stream.flow_done = true;
                stream.held.push_front(source.to_vec());
            }
        }
    }

    fn offer(
        &mut self,
        link: Link,
        source: &Bytes,
        at: std::ops::Range<usize>,
        now: Nanos,
    ) -> Taken {
        let Some(stream) = self.streams.get(&link) else {
            return Taken::Yes;
        };
        let parted = in_pieces(source);
        let (source, at, pinned) = match &parted {
            Some(parted) => (
                parted.skeleton(),
                0..parted.skeleton().len(),
                parted.packet_len(),
            ),
            None => (source, at, source.len()),
        };
        let packet = &source[at.clone()];
        let Ok(view) = PacketView::parse_in_process(packet, Dialect::Packet) else {
            return Taken::Yes;
        };
        let inbound = Inbound {
            source,
            start: at.start,
            packet,
            view: &view,
            kept: None,
            parted: parted.as_ref(),
            pinned,
        };
        self.engine
            .packet(stream.conn, inbound, moment(now), &mut self.actions)
    }
}

/// The packet of a message with its media in two pieces, as of about every second one that has any:
/// which ones is a matter of their bytes, so that a world is the same each time.
fn in_pieces(message: &Bytes) -> Option<Parted> {
    let last = message.last().filter(|byte| byte.count_ones() % 2 == 0)?;
    let parting = Parting::find(message, message.len(), Dialect::Packet)?;
    let media = parting.media();
    let mut rest = message.slice(media.clone());
    let first = rest.split_to(usize::from(*last) % (rest.len() + 1));
    let pieces = [first, rest].into_iter().collect();
    parting.part(&message[..media.start], pieces, &message[media.end..])
}
