//! What the hub sends: identity, order, replay, redelivery (spec 2.4 rules 1 to 3 and 8).

use super::fact::{Link, Step};
use super::model::{Place, SentOn, edge_of};
use super::rules::Promise;
use super::{Oracle, Verdict};
use crate::time::Nanos;
use crate::wire::{self, CONTROL_KEY, FNV_START, Packet, Tag, fnv};

impl Oracle {
    /// The hub handed a message to a socket.
    pub(super) fn sent(&mut self, link: Link, message: &[u8]) -> Verdict {
        let Some(process) = wire::process(message) else {
            return Err(self.broken("the hub sends messages of the contract", "undecodable"));
        };
        let Some(step) = self.life.owned_by(link) else {
            let what = format!("link {} was sent something after it lost its step", link.0);
            return Err(self.broken("a superseded connection changes nothing", what));
        };
        if let Some(flow) = &process.flow {
            self.told(link, step, flow)?;
        }
        match &process.packet {
            Some(packet) if packet.metadata(CONTROL_KEY).is_some() => self.directed(link, step),
            Some(packet) if !packet.is_heartbeat() => self.sent_packet(link, step, packet),
            _ => Ok(()),
        }
    }

    /// A directive: only for those who act on control.
    fn directed(&mut self, link: Link, step: Step) -> Verdict {
        self.seen.directives += 1;
        if self.life.peers.get(&link).is_some_and(|p| p.control) {
            return Ok(());
        }
        let what = format!("{} on link {}", self.step_name(step), link.0);
        Err(self.broken("control goes to those who act on it", what))
    }

    fn sent_packet(&mut self, link: Link, step: Step, packet: &Packet) -> Verdict {
        let Some(tag) = packet.tag() else {
            return Err(self.broken("what goes out came in", "a packet without a tag"));
        };
        self.seen.sent += 1;
        self.judge_content(step, packet, tag)?;
        self.judge_stream_id(step, packet)?;
        self.spend_credit(link, step)?;
        let kept = self.rules.keeps(step);
        if kept != (packet.envelope.sequence > 0) {
            let what = format!(
                "{} got sequence {}",
                self.name(step, tag),
                packet.envelope.sequence
            );
            return Err(self.broken("only at_least_once packets have a sequence", what));
        }
        if kept {
            self.sent_kept(link, step, packet, tag)
        } else {
            self.sent_once(step, tag)
        }
    }

    /// It is, byte for byte, what a producer upstream of the step sent in this life.
    fn judge_content(&mut self, step: Step, packet: &Packet, tag: Tag) -> Verdict {
        let invariant = "what goes out came in";
        let Some(edge) = edge_of(&self.rules, tag.payload, step) else {
            let what = format!("{} does not come from upstream", self.name(step, tag));
            return Err(self.broken(invariant, what));
        };
        let taken = self.life.taken.get(&tag.payload);
        let Some(body) = taken.and_then(|t| t.bodies.get(&tag.chunk)) else {
            let what = format!(
                "{} was never taken in this hub's life",
                self.name(step, tag)
            );
            return Err(self.broken(invariant, what));
        };
        if *body != fnv(FNV_START, &packet.body) {
            let what = format!("{} has another payload", self.name(step, tag));
            return Err(self.broken(invariant, what));
        }
        if packet.metadata("current-step-id") != Some(self.step_name(step)) {
            let what = format!("{} is stamped for another step", self.name(step, tag));
            return Err(self.broken(invariant, what));
        }
        if self.fate(edge, tag.payload).cancelled {
            let what = format!("{} is of an interrupted turn", self.name(step, tag));
            return Err(self.broken("nothing of an interrupted turn goes out", what));
        }
        Ok(())
    }

    /// One epoch per hub life, and never that of an earlier one.
    fn judge_stream_id(&mut self, step: Step, packet: &Packet) -> Verdict {
        let rules = &self.rules;
        let name = format!(
            "{}/{}/{}@",
            rules.namespace,
            rules.run,
            self.step_name(step)
        );
        let id = &packet.envelope.stream_id;
        let Some(epoch) = id.strip_prefix(&name) else {
            return Err(self.broken("a stream id names its step", id.clone()));
        };
        let life = self.life.number;
        let seen = *self.epochs.entry(epoch.to_owned()).or_insert(life);
        let present = self.life.epoch.get_or_insert_with(|| epoch.to_owned());
        if seen != life || present != epoch {
            let what = format!("{id} belongs to hub life {seen}, this is life {life}");
            return Err(self.broken("every start of a hub opens a new epoch", what));
        }
        Ok(())
    }

    /// best_effort: once, in the order of its lane.
    fn sent_once(&mut self, step: Step, tag: Tag) -> Verdict {
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let model = &mut self.life.edges[edge];
        model.delivered += 1;
        let fate = model.fates.entry(tag.payload).or_default();
        fate.deliveries += 1;
        let bit = 1u64 << tag.chunk;
        if fate.chunks_out & bit != 0 {
            let what = format!("{} went out twice", self.name(step, tag));
            return Err(self.broken("a best_effort packet goes out once", what));
        }
        fate.chunks_out |= bit;
        let kind = self.life.taken.get(&tag.payload).map(|t| t.kind);
        let lane = format!("{:?}", kind.unwrap_or_default());
        let stream = self.life.books[step.0].streams.entry(lane).or_default();
        let key = (tag.payload.step, tag.payload.life);
        let last = stream.order.insert(key, tag.payload.number);
        if last.is_some_and(|last| last > tag.payload.number) {
            let what = format!("{} came after number {last:?}", self.name(step, tag));
            return Err(self.broken("order holds per stream", what));
        }
        Ok(())
    }

    /// at_least_once: by its identity.
    fn sent_kept(&mut self, link: Link, step: Step, packet: &Packet, tag: Tag) -> Verdict {
        let envelope = &packet.envelope;
        let place: Place = match self.rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                per_partition: true,
                ..
            } => (envelope.partition.clone(), envelope.sequence),
            _ => (String::new(), envelope.sequence),
        };
        self.judge_identity(step, packet, tag, &place)?;
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let fate = self.fate(edge, tag.payload);
        if fate.receipted {
            let what = format!("{} at {}", self.name(step, tag), place.1);
            return Err(self.broken("nothing whose receipt was taken in is sent again", what));
        }
        if fate.acked {
            let what = format!(
                "{} at {} was acknowledged to its producer",
                self.name(step, tag),
                place.1
            );
            return Err(self.broken("an ack means that every edge has settled", what));
        }
        let new = fate.place.is_none();
        if new {
            self.judge_order(step, tag, &place)?;
            self.judge_nothing_due(link, step, tag)?;
        }
        self.deliver(link, step, tag, place, new)
    }

    fn judge_identity(&mut self, step: Step, packet: &Packet, tag: Tag, place: &Place) -> Verdict {
        let envelope = &packet.envelope;
        let identity = (
            envelope.stream_id.clone(),
            envelope.partition.clone(),
            envelope.sequence,
        );
        let named = *self.identities.entry(identity).or_insert(tag.payload);
        if named != tag.payload {
            let what = format!(
                "{} sequence {} names {named} and {}",
                envelope.stream_id, envelope.sequence, tag.payload
            );
            return Err(self.broken("one identity never names two payloads", what));
        }
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let known = self.fate(edge, tag.payload).place.clone();
        let late = self.life.taken.get(&tag.payload).is_some_and(|t| t.late);
        if let Some(known) = known.filter(|known| known != place && !late) {
            let what = format!(
                "{} went out at {known:?} and at {place:?} of one hub life",
                self.name(step, tag)
            );
            return Err(self.broken("a packet is routed once within a hub life", what));
        }
        Ok(())
    }

    /// New sequences only grow, and packets of one producer keep their order.
    fn judge_order(&mut self, step: Step, tag: Tag, place: &Place) -> Verdict {
        let stream = self.life.books[step.0]
            .streams
            .entry(place.0.clone())
            .or_default();
        let highest = stream.highest;
        if place.1 <= highest {
            let name = self.name(step, tag);
            let what = format!("{name} is new at {} after {highest}", place.1);
            return Err(self.broken("sequences of new packets only grow", what));
        }
        self.seen.holes += place.1 - highest - 1;
        stream.holes += place.1 - stream.highest - 1;
        stream.highest = place.1;
        stream.items.insert(place.1, tag.payload);
        let key = (tag.payload.step, tag.payload.life);
        let last = stream.order.insert(key, tag.payload.number);
        if last.is_some_and(|last| last > tag.payload.number) {
            let what = format!("{} came after number {last:?}", self.name(step, tag));
            return Err(self.broken("order holds per stream and partition", what));
        }
        if self.earlier.contains(&(step.0, tag.payload)) {
            self.seen.twice_after_crash += 1;
        }
        Ok(())
    }

    /// Everything unreceipted comes again before anything new.
    fn judge_nothing_due(&self, link: Link, step: Step, tag: Tag) -> Verdict {
        match self.first_due(link, step, None) {
            Some(place) => {
                let what = format!(
                    "{} is new, yet {place:?} waits to be sent again",
                    self.name(step, tag)
                );
                Err(self.broken(
                    "everything unreceipted is replayed before anything new",
                    what,
                ))
            }
            None => Ok(()),
        }
    }

    /// The first place that must be sent again on `link`, below `below` in its partition.
    fn first_due(&self, link: Link, step: Step, below: Option<&Place>) -> Option<Place> {
        let due = self.life.peers.get(&link)?.due.iter();
        let mut certain = due.filter(|place| {
            below.is_none_or(|b| b.0 == place.0 && place.1 < b.1)
                && self.pending_at(step, place).is_some_and(|loose| !loose)
        });
        certain.next().cloned()
    }

    /// Whether the packet at a place may have been dropped; `None` when it is receipted.
    fn pending_at(&self, step: Step, place: &Place) -> Option<bool> {
        let payload = *self.life.books[step.0]
            .streams
            .get(&place.0)?
            .items
            .get(&place.1)?;
        let edge = edge_of(&self.rules, payload, step)?;
        let fate = self.life.edges[edge].fates.get(&payload)?;
        (!fate.receipted).then(|| fate.loose())
    }

    /// Notes that a chunk (or the whole) of a packet went out on `link`.
    fn deliver(&mut self, link: Link, step: Step, tag: Tag, place: Place, new: bool) -> Verdict {
        let (now, bit) = (self.now, 1u64 << tag.chunk);
        let all = (1u64 << tag.chunks) - 1;
        let known = self
            .life
            .peers
            .get(&link)
            .and_then(|p| p.sent.get(&place))
            .cloned();
        let chunks = match &known {
            None => {
                self.judge_replay(link, step, tag, &place, new)?;
                bit
            }
            Some(on) if on.chunks & bit == 0 => on.chunks | bit,
            Some(on) => {
                let last = on.at.get(&tag.chunk).copied().unwrap_or_default();
                self.judge_redelivery(step, tag, &place, last)?;
                bit
            }
        };
        let first = known.as_ref().is_none_or(|on| on.chunks & bit != 0);
        let ever = bit | known.as_ref().map_or(0, |on| on.ever);
        let whole = ever == all;
        if let Some(peer) = self.life.peers.get_mut(&link) {
            peer.due.remove(&place);
            let mut at = known.map(|on| on.at).unwrap_or_default();
            at.insert(tag.chunk, now);
            peer.sent.insert(
                place.clone(),
                SentOn {
                    chunks,
                    at,
                    ever,
                    whole,
                },
            );
        }
        if chunks == all && tag.chunks > 1 {
            self.seen.chunk_sets += 1;
        }
        self.count_delivery(step, tag, place, (first, whole));
        Ok(())
    }

    fn count_delivery(&mut self, step: Step, tag: Tag, place: Place, (first, whole): (bool, bool)) {
        let limit = self.most_deliveries(step);
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let fate = self.fate(edge, tag.payload);
        fate.place = Some(place);
        fate.interrupted_maybe = false;
        fate.deliveries += u64::from(first);
        fate.exhausted = fate.deliveries >= limit;
        fate.partial = !whole;
    }

    fn most_deliveries(&self, step: Step) -> u64 {
        match self.rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                redelivery: Some((_, most)),
                ..
            } if most > 0 => most,
            _ => u64::MAX,
        }
    }

    /// A packet that goes out again on a new connection comes in its place.
    fn judge_replay(
        &mut self,
        link: Link,
        step: Step,
        tag: Tag,
        place: &Place,
        new: bool,
    ) -> Verdict {
        if let Some(skipped) = self.first_due(link, step, Some(place)) {
            let what = format!(
                "{} at {place:?} overtakes {skipped:?}",
                self.name(step, tag)
            );
            return Err(self.broken("nothing is skipped in a replay", what));
        }
        let peer = self.life.peers.get(&link);
        let last = peer.and_then(|p| p.sent.keys().rev().find(|sent| sent.0 == place.0));
        if let Some(last) = last.filter(|last| last.1 > place.1) {
            let what = format!("{} at {place:?} comes after {last:?}", self.name(step, tag));
            return Err(self.broken("a replay keeps the order", what));
        }
        self.seen.replayed += u64::from(!new);
        Ok(())
    }

    /// A packet goes out twice on one connection only when its receipt took too long.
    fn judge_redelivery(&mut self, step: Step, tag: Tag, place: &Place, last: Nanos) -> Verdict {
        let wait = match self.rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                redelivery: Some((wait, _)),
                ..
            } => Some(wait),
            _ => None,
        };
        if wait.is_none_or(|wait| self.now.since(last) < wait) {
            let what = format!(
                "{} at {place:?} went out at {last} already",
                self.name(step, tag)
            );
            return Err(self.broken("a connection gets a packet again only after ackWait", what));
        }
        self.seen.redelivered += 1;
        // A new connection gets everything unreceipted; redelivery on the same one has an end.
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let deliveries = self.fate(edge, tag.payload).deliveries;
        if deliveries >= self.most_deliveries(step) {
            let what = format!("{} was delivered {deliveries} times", self.name(step, tag));
            return Err(self.broken("nothing is redelivered past maxDeliver", what));
        }
        Ok(())
    }

    /// A packet on its way to a step, for people.
    pub(super) fn name(&self, step: Step, tag: Tag) -> String {
        let chunk = match tag.chunks {
            0 | 1 => String::new(),
            n => format!(" chunk {}/{n}", tag.chunk),
        };
        format!("{}{chunk} to {}", tag.payload, self.step_name(step))
    }
}
