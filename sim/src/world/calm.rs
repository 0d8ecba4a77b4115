//! The end of trouble: everybody reconnects and gives receipts, and pending must reach 0.

use super::{Event, HEARTBEAT_TIMEOUT, World};
use crate::oracle::{Broken, CHUNK_TIMEOUT, Fact};
use crate::time::Nanos;

impl World {
    pub(super) fn calm(&mut self) -> Result<(), Broken> {
        self.calm = true;
        self.repeat_receipts();
        self.agenda
            .schedule(self.now.after(Nanos::millis(50)), Event::Look);
        self.tell(Fact::Calm)
    }

    fn repeat_receipts(&mut self) {
        for client in &mut self.clients {
            if let Some(consumer) = client.consumer.as_mut() {
                consumer.repeat_all();
            }
        }
    }

    /// Whether the world is over: everything is done, or its time is.
    pub(super) fn look(&mut self) -> Result<bool, Broken> {
        let waiting: Vec<String> = self.clients.iter().filter_map(|c| c.waiting()).collect();
        let away = self.clients.iter().filter(|c| c.link.is_none()).count();
        let mut waiting = waiting.join(", ");
        if away > 0 || self.hub.is_none() {
            waiting.push_str(&format!(" ({away} clients are not connected)"));
        }
        let pending = self.hub.as_ref().map_or(1, |h| h.pending());
        let twice = Nanos(2 * HEARTBEAT_TIMEOUT.0);
        let recovery = if self.script.abandons_sets {
            twice.after(CHUNK_TIMEOUT)
        } else {
            twice
        };
        let over = self.now.since(self.script.calm_at) > recovery;
        if over || (pending == 0 && waiting.is_empty()) {
            self.tell(Fact::End { waiting: &waiting })?;
            return Ok(true);
        }
        let since = self.now.since(self.script.calm_at);
        if since > Nanos::secs(1) && self.looks.is_multiple_of(20) {
            self.repeat_receipts();
        }
        self.looks += 1;
        self.agenda
            .schedule(self.now.after(Nanos::millis(50)), Event::Look);
        Ok(false)
    }
}
