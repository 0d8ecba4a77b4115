//! What the hub takes in: packets, resends, chunk sets, turns.

use super::fact::{Link, Step};
use super::model::{Fate, Taken};
use super::{CHUNK_TIMEOUT, Oracle, Verdict};
use crate::wire::{self, CONTROL_KEY, FNV_START, Kind, Packet, Payload, Tag, fnv};

impl Oracle {
    /// The hub took a packet: works out on which edges it must count.
    pub(super) fn took(&mut self, link: Link, message: &[u8]) -> Verdict {
        let Some(packet) = wire::process(message).and_then(|p| p.packet) else {
            return Ok(());
        };
        let Some(step) = self.life.owned_by(link) else {
            // A superseded connection changes nothing: so nothing is noted here either.
            self.seen.stale += 1;
            return Ok(());
        };
        if let (Some("interrupt"), Some(turn)) = (packet.metadata(CONTROL_KEY), packet.turn()) {
            let lane = packet.metadata("lane").and_then(lane_of);
            self.interrupt(link, turn, lane);
            return Ok(());
        }
        let Some(tag) = packet.tag() else {
            return Ok(());
        };
        if self.is_resend(link, step, &packet, tag) {
            self.seen.resends += 1;
            return Ok(());
        }
        self.route(step, &packet, tag);
        Ok(())
    }

    /// A packet that finds no room must come from the owner of its step.
    pub(super) fn blocked(&mut self, link: Link) -> Verdict {
        self.seen.blocked += 1;
        if self.life.owned_by(link).is_none() {
            let what = format!("link {} does not own its step, yet waits for room", link.0);
            return Err(self.broken("a superseded connection changes nothing", what));
        }
        Ok(())
    }

    /// Whether this number and chunk came before in this life; notes it.
    fn is_resend(&mut self, link: Link, step: Step, packet: &Packet, tag: Tag) -> bool {
        let epoch = self.life.peers.get(&link).and_then(|p| p.epoch.clone());
        let Some(epoch) = epoch else {
            return false;
        };
        let known = self.life.taken.get(&tag.payload);
        if known.is_some_and(|t| t.bodies.contains_key(&tag.chunk)) {
            return true;
        }
        let numbers = self.life.numbered.entry((step.0, epoch)).or_default();
        numbers.insert(packet.envelope.sequence, tag.payload);
        false
    }

    fn route(&mut self, step: Step, packet: &Packet, tag: Tag) {
        let turn = packet.turn().unwrap_or(self.life.current_turn[step.0]);
        let refused = turn < self.life.barrier.get(&packet.kind).copied().unwrap_or(0);
        let opens = !refused && self.rules.cancel_previous;
        if opens && turn > self.life.barrier.values().copied().max().unwrap_or(0) {
            self.cancel_below(turn, None);
        }
        let now = self.now;
        let taken = self.life.taken.entry(tag.payload).or_insert(Taken {
            kind: packet.kind,
            turn,
            chunks: tag.chunks,
            bodies: Default::default(),
            routed: 0,
            last: now,
            late: false,
        });
        taken.late |= now.since(taken.last) >= CHUNK_TIMEOUT;
        let late = taken.late;
        taken.last = now;
        taken.bodies.insert(tag.chunk, fnv(FNV_START, &packet.body));
        if refused {
            // At the door: no edge accepts it, so it is settled at once.
            self.seen.refused_turns += 1;
            return;
        }
        let first = taken.routed == 0;
        taken.routed += 1;
        let (opens, closes) = (first && taken.chunks > 1, taken.whole() && taken.chunks > 1);
        let current = &mut self.life.current_turn[step.0];
        *current = turn.max(*current);
        self.seen.routed += 1;
        for edge in self.rules.from(step) {
            let kept = self.rules.keeps(self.rules.edges[edge].1);
            let model = &mut self.life.edges[edge];
            // A chunk set counts as one packet where it has one sequence, as its parts elsewhere.
            // A chunk of a set that was given up: nobody says whether it still counts.
            let stray = late && !first;
            model.accepted += u64::from((first || !kept) && !stray);
            if kept {
                model.open = (model.open + u64::from(opens)).saturating_sub(u64::from(closes));
            }
            model.accepted_maybe += u64::from(stray);
            model.fates.entry(tag.payload).or_default();
        }
    }

    /// A barge-in of the owner of a step.
    pub(super) fn interrupt(&mut self, link: Link, turn: u64, lane: Option<Kind>) {
        if self.life.owned_by(link).is_none() {
            self.seen.stale += 1;
            return;
        }
        self.seen.interrupts += 1;
        self.cancel_below(turn, lane);
    }

    /// Whatever is of a lower turn and waits must not be seen again.
    fn cancel_below(&mut self, turn: u64, lane: Option<Kind>) {
        for kind in [Kind::None, Kind::Audio, Kind::Video, Kind::Binary] {
            if lane.is_none_or(|l| l == kind) {
                let barrier = self.life.barrier.entry(kind).or_default();
                *barrier = turn.max(*barrier);
            }
        }
        for current in &mut self.life.current_turn {
            *current = turn.max(*current);
        }
        for edge in 0..self.life.edges.len() {
            let to = self.rules.edges[edge].1;
            let kept = self.rules.keeps(to);
            let owner = self.life.seats[to.0].owner;
            let sent = owner.and_then(|o| self.life.peers.get(&o)).map(|p| &p.sent);
            let model = &mut self.life.edges[edge];
            for (payload, fate) in &mut model.fates {
                let Some(taken) = self.life.taken.get(payload) else {
                    continue;
                };
                if taken.turn >= turn || lane.is_some_and(|l| l != taken.kind) || fate.receipted {
                    continue;
                }
                let parts = if kept { 1 } else { taken.bodies.len() as u64 };
                match &fate.place {
                    None if !fate.cancelled => {
                        fate.cancelled = true;
                        model.interruptible += parts;
                    }
                    // Waiting to be sent again, or partly sent: may end, may go on.
                    Some(place) if !fate.interrupted_maybe => {
                        let out = sent.and_then(|s| s.get(place)).is_some_and(|s| s.whole);
                        fate.interrupted_maybe = !out;
                        model.interruptible += u64::from(!out);
                    }
                    _ => {}
                }
            }
        }
    }

    /// What became of a payload on an edge.
    pub(super) fn fate(&mut self, edge: usize, payload: Payload) -> &mut Fate {
        self.life.edges[edge].fates.entry(payload).or_default()
    }
}

/// The frames of a lane, by the lane's name; `None` for a name that is none.
pub(super) fn lane_of(name: &str) -> Option<Kind> {
    match name {
        "audio" => Some(Kind::Audio),
        "video" => Some(Kind::Video),
        "binary" => Some(Kind::Binary),
        "payload" => Some(Kind::None),
        _ => None,
    }
}
