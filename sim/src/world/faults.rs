//! Things that go wrong.

use super::{Event, Way, World};
use crate::draw::Fault;
use crate::oracle::Broken;
use crate::time::Nanos;
use crate::wire::{
    CONTROL_KEY, INTERRUPT, Kind, PacketOut, TURN_KEY, control_request, framed, packet,
    process_request,
};

impl World {
    pub(super) fn fault(&mut self, fault: Fault) -> Result<(), Broken> {
        self.witness.note(self.now, || format!("fault: {fault:?}"));
        match fault {
            Fault::Cut { client } => {
                if let Some(link) = self.clients[client].link {
                    self.witness.seen().cuts += 1;
                    self.cut(link, false);
                }
            }
            Fault::HalfOpen { client } => {
                if let Some(link) = self.clients[client].link {
                    self.witness.seen().half_open += 1;
                    self.cut(link, true);
                }
            }
            Fault::Crash { away } => self.crash(away),
            Fault::Duplicate { client } => self.dial(client)?,
            Fault::Handoff { client, fresh } => {
                self.clients[client].generation += 1;
                if fresh {
                    self.restart(client);
                }
                self.dial(client)?;
            }
            Fault::Older { client } => {
                let generation = self.clients[client].generation - 1;
                self.open(client, generation);
            }
            Fault::Restart { client } => {
                if let Some(link) = self.clients[client].link {
                    self.cut(link, false);
                }
                self.restart(client);
                self.clients[client].link = None;
                self.dial_soon(client);
            }
            Fault::Away { client, span } => {
                if let Some(link) = self.clients[client].link.take() {
                    self.cut(link, false);
                }
                if !std::mem::replace(&mut self.clients[client].dialing, true) {
                    let back = self.now.after(span);
                    self.agenda.schedule(back, Event::Dial { client });
                }
            }
            Fault::Interrupt { client, lane } => self.barge_in(client, lane),
        }
        Ok(())
    }

    fn restart(&mut self, client: usize) {
        self.witness.seen().producer_restarts += 1;
        self.clients[client].reborn();
    }

    fn barge_in(&mut self, client: usize, lane: Option<Kind>) {
        let Some(link) = self.clients[client].link else {
            return;
        };
        self.turn += 1;
        let turn = self.turn;
        let lane = lane.map(|lane| {
            if lane == Kind::Audio {
                "audio"
            } else {
                "binary"
            }
        });
        let lane = lane.map(|name| ("lane", name.to_owned()));
        if self.random.chance(50) {
            let metadata: Vec<_> = [("turn", turn.to_string())]
                .into_iter()
                .chain(lane)
                .collect();
            self.send(
                link,
                Way::Control,
                &framed(&control_request(INTERRUPT, &metadata)),
            );
        } else {
            let control = [
                (CONTROL_KEY, INTERRUPT.to_owned()),
                (TURN_KEY, turn.to_string()),
            ];
            let metadata: Vec<_> = control.into_iter().chain(lane).collect();
            let packet = packet(&PacketOut {
                metadata: &metadata,
                kind: Kind::None,
                body: &[],
                envelope: None,
            });
            self.send(
                link,
                Way::Up,
                &framed(&process_request(Some(&packet), None)),
            );
        }
        for client in 0..self.clients.len() {
            let soon = self.soon(Nanos::millis(60));
            self.agenda.schedule(soon, Event::Turn { client, turn });
        }
    }
}
