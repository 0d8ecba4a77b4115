//! Connections: dialled, accepted, cut, noticed.

use super::{Event, Way, World};
use crate::hub::Newcomer;
use crate::net::{Pipe, Pipes, Speed};
use crate::oracle::{Broken, Link};
use crate::time::Nanos;

/// One connection.
pub(crate) struct Wire {
    pub client: usize,
    pub who: Newcomer,
    pub pipes: Pipes,
    /// Nothing gets through any more.
    pub dead: bool,
    /// The hub has let it in.
    pub accepted: bool,
    /// A write is on the agenda.
    pub writing: bool,
}

impl Wire {
    fn pipe(&mut self, way: Way) -> &mut Pipe {
        match way {
            Way::Up => &mut self.pipes.up,
            Way::Control => &mut self.pipes.control,
            Way::Down => &mut self.pipes.down,
        }
    }
}

/// Most bytes that a client leaves unread in the network before it waits.
const UP_WINDOW: usize = 4_000;

impl World {
    pub(super) fn dial_soon(&mut self, client: usize) {
        if !self.clients[client].dialing {
            self.clients[client].dialing = true;
            let soon = self.soon(Nanos::millis(30));
            self.agenda.schedule(soon, Event::Dial { client });
        }
    }

    pub(super) fn dial(&mut self, client: usize) -> Result<(), Broken> {
        self.clients[client].dialing = false;
        let generation = self.clients[client].generation;
        let link = self.open(client, generation);
        self.clients[client].connected(link);
        let early = self.clients[client]
            .consumer
            .as_mut()
            .and_then(|c| c.early());
        if let Some(flow) = early {
            let message = crate::wire::process_request(None, Some(&flow));
            self.send(link, Way::Up, &crate::wire::framed(&message));
        }
        Ok(())
    }

    /// Opens a connection for a client, as whatever generation it claims.
    pub(super) fn open(&mut self, client: usize, generation: i32) -> Link {
        let link = Link(self.links.len() as u32);
        let who = Newcomer {
            link,
            step: self.clients[client].step,
            generation,
            epoch: self.clients[client].epoch(),
            pause: self.clients[client].pauses(),
            control: self.clients[client].acts_on_control(),
        };
        self.witness
            .note(self.now, || format!("link {} dialled: {who:?}", link.0));
        self.links.push(Wire {
            client,
            who,
            pipes: Pipes::default(),
            dead: false,
            accepted: false,
            writing: false,
        });
        let soon = self.soon(Nanos::millis(2));
        self.agenda.schedule(soon, Event::Accept { link });
        link
    }

    pub(super) fn accept(&mut self, link: Link) -> Result<(), Broken> {
        let wire = &mut self.links[link.0 as usize];
        let refused = match self.hub.as_mut() {
            _ if wire.dead => return Ok(()),
            None => true,
            Some(hub) => hub.accept(&wire.who, self.now, &mut self.witness)?.is_err(),
        };
        if refused {
            let wire = &mut self.links[link.0 as usize];
            wire.dead = true;
            wire.pipes.cut(&mut self.random);
            let soon = self.soon(Nanos::millis(200));
            self.agenda.schedule(soon, Event::ClientNotices { link });
            return Ok(());
        }
        self.links[link.0 as usize].accepted = true;
        self.after_hub()?;
        for way in [Way::Control, Way::Up] {
            self.arrive(link, way)?;
        }
        Ok(())
    }

    /// Sends bytes; they arrive later, in pieces, or never.
    pub(super) fn send(&mut self, link: Link, way: Way, bytes: &[u8]) {
        let calm = self.calm;
        let wire = &mut self.links[link.0 as usize];
        let habits = self.clients[wire.client]
            .consumer
            .as_ref()
            .map(|c| c.habits());
        let spacing = match way {
            Way::Down if !calm => habits.map_or(Nanos(0), |h| h.slow),
            _ => Nanos(0),
        };
        let speed = Speed {
            least: Nanos::micros(100),
            most: if calm {
                Nanos::millis(1)
            } else {
                Nanos::millis(8)
            },
            spacing,
        };
        let arrivals = wire
            .pipe(way)
            .send(self.now, bytes, speed, &mut self.random);
        for at in arrivals {
            self.agenda.schedule(at, Event::Arrive { link, way });
        }
    }

    /// Whether a client may write more to its stream.
    pub(super) fn has_window(&self, link: Link) -> bool {
        self.links[link.0 as usize].pipes.up.unread() < UP_WINDOW
    }

    /// Breaks a connection. `silent`: neither side is told.
    pub(super) fn cut(&mut self, link: Link, silent: bool) {
        let wire = &mut self.links[link.0 as usize];
        if wire.dead {
            return;
        }
        wire.dead = true;
        wire.pipes.cut(&mut self.random);
        let timeout = super::HEARTBEAT_TIMEOUT;
        let (hub, client) = if silent {
            (
                timeout,
                Nanos(self.random.between(timeout.0 / 10, timeout.0)),
            )
        } else {
            let (hub, client) = (self.random.between(0, 60), self.random.between(0, 60));
            (Nanos::millis(hub), Nanos::millis(client))
        };
        self.witness.note(self.now, || {
            format!("link {} cut (silent {silent})", link.0)
        });
        self.agenda
            .schedule(self.now.after(hub), Event::HubNotices { link });
        self.agenda
            .schedule(self.now.after(client), Event::ClientNotices { link });
    }

    /// The client finds out that a connection is of no use any more.
    pub(super) fn client_notices(&mut self, link: Link) {
        let client = self.links[link.0 as usize].client;
        if self.clients[client].link == Some(link) {
            self.clients[client].link = None;
            self.dial_soon(client);
        }
    }
}
