//! The clients' side of the world: what they send, and when.

use super::{Event, Way, World};
use crate::time::Nanos;
use crate::wire::{HEARTBEAT_KEY, Kind, PacketOut, framed, packet, process_request};

impl World {
    /// Sends what a producer has, as far as its connection takes it.
    pub(super) fn produce(&mut self, client: usize) {
        let link = self.clients[client].link;
        let Some(producer) = self.clients[client].producer.as_ref() else {
            return;
        };
        let mut idle = true;
        let gap = if self.calm {
            Nanos::millis(2)
        } else {
            producer.gap()
        };
        if let Some(link) = link.filter(|&l| self.has_window(l)) {
            let burst = self.random.between(1, 4);
            idle = false;
            for _ in 0..burst {
                let producer = self.clients[client].producer.as_mut();
                let Some(packet) = producer.and_then(|p| p.next_packet()) else {
                    idle = true;
                    break;
                };
                // Now and then a flow stands beside the packet: it is for the hub alone.
                self.send(
                    link,
                    Way::Up,
                    &framed(&process_request(Some(&packet), None)),
                );
            }
        }
        let pause = if idle {
            Nanos::millis(20)
        } else {
            Nanos::micros(200)
        };
        let next = self.soon(gap).after(pause);
        self.agenda.schedule(next, Event::Produce { client });
    }

    /// Gives the receipts that a consumer has to give.
    pub(super) fn give_receipts(&mut self, client: usize) {
        let link = self.clients[client].link;
        let calm = self.calm;
        let mut idle = true;
        let Some(consumer) = self.clients[client].consumer.as_mut() else {
            return;
        };
        let delay = if calm {
            Nanos::millis(2)
        } else {
            consumer.habits().delay
        };
        if let Some(link) = link {
            let out = consumer.speak(calm);
            self.witness.seen().receipts_lost += out.lost;
            idle = out.flow.is_none() && out.control.is_empty();
            if let Some(flow) = out.flow {
                // Receipts travel beside a packet when the client has one to send.
                let producer = self.clients[client].producer.as_mut();
                let packet = producer
                    .filter(|_| self.random.chance(30))
                    .and_then(|p| p.next_packet());
                let message = process_request(packet.as_deref(), Some(&flow));
                self.send(link, Way::Up, &framed(&message));
            }
            for message in out.control {
                self.send(link, Way::Control, &framed(&message));
            }
        }
        let pause = if idle && calm {
            Nanos::millis(20)
        } else {
            Nanos::micros(200)
        };
        let next = self.soon(delay).after(pause);
        self.agenda.schedule(next, Event::Receipt { client });
    }

    /// Sends a heartbeat.
    pub(super) fn beat(&mut self, client: usize) {
        if let Some(link) = self.clients[client].link {
            let metadata = [(HEARTBEAT_KEY, "true".to_owned())];
            let beat = packet(&PacketOut {
                metadata: &metadata,
                kind: Kind::None,
                body: &[],
                envelope: None,
            });
            self.send(link, Way::Up, &framed(&process_request(Some(&beat), None)));
        }
        let next = self.now.after(Nanos::secs(10));
        self.agenda.schedule(next, Event::Beat { client });
    }
}
