//! The hub's side of the world: bytes in, bytes out, time, crash and restart.

use super::{Event, Way, World};
use crate::hub::Hub;
use crate::oracle::{Broken, Fact, Link};
use crate::time::Nanos;

impl World {
    pub(super) fn hub_up(&mut self) -> Result<(), Broken> {
        self.hubs += 1;
        let epoch = self.epoch();
        let hub = Hub::start(&self.script, &epoch);
        self.hub = Some(hub.map_err(|e| self.broken("the Story can be attached", &e))?);
        self.tell(Fact::HubStarted)
    }

    /// The epoch of the process that starts now: its time in milliseconds, which never repeats.
    fn epoch(&self) -> String {
        if self.reuse_epoch {
            return "k000000n1".to_owned();
        }
        format!("k{:06}n{}", self.now.0 / 1_000_000, self.hubs)
    }

    pub(super) fn crash(&mut self, away: Nanos) {
        if self.hub.take().is_none() {
            return;
        }
        self.deadline = None;
        self.witness
            .note(self.now, || "the hub is killed".to_owned());
        for link in 0..self.links.len() {
            let wire = &mut self.links[link];
            if std::mem::replace(&mut wire.dead, true) {
                continue;
            }
            wire.pipes.cut(&mut self.random);
            let link = Link(link as u32);
            let soon = self.soon(Nanos::millis(100));
            self.agenda.schedule(soon, Event::ClientNotices { link });
        }
        self.agenda.schedule(self.now.after(away), Event::HubUp);
    }

    pub(super) fn arrive(&mut self, link: Link, way: Way) -> Result<(), Broken> {
        let wire = &mut self.links[link.0 as usize];
        match (way, self.hub.as_mut()) {
            (Way::Down, _) => {
                let bytes = wire.pipes.down.arrived(self.now);
                let client = wire.client;
                if !bytes.is_empty() && self.clients[client].link == Some(link) {
                    self.clients[client].read(&bytes, self.now);
                }
                self.write_soon(link);
                return Ok(());
            }
            _ if !wire.accepted => return Ok(()),
            (Way::Up, Some(hub)) if !hub.is_blocked(link) => {
                let bytes = wire.pipes.up.arrived(self.now);
                hub.data(link, &bytes, self.now, &mut self.witness)?;
            }
            (Way::Control, Some(hub)) => {
                let bytes = wire.pipes.control.arrived(self.now);
                hub.control(link, &bytes, self.now, &mut self.witness)?;
            }
            _ => return Ok(()),
        }
        self.after_hub()
    }

    pub(super) fn hub_notices(&mut self, link: Link) -> Result<(), Broken> {
        if let Some(hub) = self.hub.as_mut() {
            hub.gone(link, self.now, &mut self.witness)?;
            self.after_hub()?;
        }
        Ok(())
    }

    fn write_soon(&mut self, link: Link) {
        let wire = &mut self.links[link.0 as usize];
        if !std::mem::replace(&mut wire.writing, true) {
            self.agenda.schedule(self.now, Event::HubWrite { link });
        }
    }

    pub(super) fn hub_write(&mut self, link: Link) -> Result<(), Broken> {
        self.links[link.0 as usize].writing = false;
        loop {
            let wire = &self.links[link.0 as usize];
            let consumer = self.clients[wire.client].consumer.as_ref();
            let window = consumer.map_or(4_000, |c| c.habits().window);
            let Some(hub) = self
                .hub
                .as_mut()
                .filter(|_| wire.pipes.down.unread() < window)
            else {
                return Ok(());
            };
            let bytes = hub.write(link, self.script.budget, self.now, &mut self.witness)?;
            if bytes.is_empty() {
                return Ok(());
            }
            self.send(link, Way::Down, &bytes);
            self.after_hub()?;
        }
    }

    pub(super) fn tick(&mut self) -> Result<(), Broken> {
        if let Some(hub) = self.hub.as_mut() {
            hub.tick(self.now, &mut self.witness)?;
            self.after_hub()?;
        }
        Ok(())
    }

    /// The tick that the engine asked for: it must ask for a later one next.
    pub(super) fn due(&mut self) -> Result<(), Broken> {
        if self.deadline.is_some_and(|d| d <= self.now) {
            self.deadline = None;
            let before = self.hub.as_ref().and_then(Hub::next_deadline);
            self.tick()?;
            let after = self.hub.as_ref().and_then(Hub::next_deadline);
            let same = before.is_some() && before == after && before.is_some_and(|d| d <= self.now);
            self.stuck = if same { self.stuck + 1 } else { 0 };
            if self.stuck > 20 {
                return Err(self.broken("a tick does what is due", "the deadline stays"));
            }
        }
        Ok(())
    }

    /// Carries out what the hub asked of the world.
    pub(super) fn after_hub(&mut self) -> Result<(), Broken> {
        let Some(hub) = self.hub.as_mut() else {
            return Ok(());
        };
        let effects = std::mem::take(&mut hub.effects);
        let deadline = hub.next_deadline();
        for link in effects.write {
            self.write_soon(link);
        }
        for link in effects.superseded {
            // A stream that was superseded ends with ABORTED; meanwhile its bytes still come.
            let late = if self.script.late_on_superseded {
                40
            } else {
                0
            };
            let soon = self.soon(Nanos::millis(late));
            self.agenda.schedule(soon, Event::HubNotices { link });
            let later = soon.after(Nanos::millis(5));
            self.agenda.schedule(later, Event::ClientNotices { link });
        }
        // What a paused stream left unread may be read again.
        self.reread()?;
        if let Some(at) = deadline
            && self.deadline.is_none_or(|known| at < known)
        {
            let at = at.max(self.now);
            self.deadline = Some(at);
            self.agenda.schedule(at, Event::Deadline);
        }
        Ok(())
    }

    fn reread(&mut self) -> Result<(), Broken> {
        for client in 0..self.clients.len() {
            let Some(link) = self.clients[client].link else {
                continue;
            };
            let wire = &self.links[link.0 as usize];
            let blocked = self.hub.as_ref().is_some_and(|h| h.is_blocked(link));
            if wire.accepted && !blocked && wire.pipes.up.has_arrived(self.now) {
                self.agenda
                    .schedule(self.now, Event::Arrive { link, way: Way::Up });
            }
        }
        Ok(())
    }
}
