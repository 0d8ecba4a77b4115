//! What the hub sends: content, identity, order (spec 2.4 rules 1 to 3).

use super::fact::{Link, Step};
use super::model::{Going, Place, edge_of};
use super::rules::Promise;
use super::{Oracle, Verdict};
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
        }
        self.replayed(Going { link, step, tag }, place, new)
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

    /// A packet on its way to a step, for people.
    pub(super) fn name(&self, step: Step, tag: Tag) -> String {
        let chunk = match tag.chunks {
            0 | 1 => String::new(),
            n => format!(" chunk {}/{n}", tag.chunk),
        };
        format!("{}{chunk} to {}", tag.payload, self.step_name(step))
    }
}
