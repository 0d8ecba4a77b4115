//! A consumer: what it got, and the receipts and credits that it gives (spec 2.4 rule 2, 2.5).

use std::collections::{BTreeMap, BTreeSet};

use crate::draw::{ConsumerHabits, Style};
use crate::random::Random;
use crate::time::Nanos;
use crate::wire::{DELIVERED, FlowOut, Packet, control_request};

/// Stream, partition and sequence.
pub(crate) type Identity = (String, String, u64);

/// What a consumer has to say.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Beside packets.
    pub flow: Option<FlowOut>,
    /// ControlRequests.
    pub control: Vec<Vec<u8>>,
    /// Receipts that it kept to itself for ever.
    pub lost: u64,
}

/// One life of a consuming client.
#[derive(Debug)]
pub(crate) struct Consumer {
    habits: ConsumerHabits,
    random: Random,
    /// Everything it has taken care of, with what it weighed.
    done: BTreeMap<Identity, usize>,
    /// Chunks that came of a set.
    partial: BTreeMap<Identity, BTreeSet<u64>>,
    /// To be receipted.
    pending: Vec<Identity>,
    /// Highest sequence taken care of on this connection, by partition.
    reached: BTreeMap<String, u64>,
    /// Taken care of, but a set before it is not whole.
    ahead: BTreeMap<String, BTreeSet<u64>>,
    /// The same of the connection before.
    before: BTreeMap<String, u64>,
    /// Whether `reached` has been told.
    fresh: bool,
    owed_messages: u32,
    owed_bytes: u32,
    per_partition: bool,
}

impl Consumer {
    pub(crate) fn new(habits: ConsumerHabits, per_partition: bool, random: Random) -> Self {
        Self {
            habits,
            random,
            done: BTreeMap::new(),
            partial: BTreeMap::new(),
            pending: Vec::new(),
            reached: BTreeMap::new(),
            ahead: BTreeMap::new(),
            before: BTreeMap::new(),
            fresh: false,
            owed_messages: 0,
            owed_bytes: 0,
            per_partition,
        }
    }

    pub(crate) fn habits(&self) -> &ConsumerHabits {
        &self.habits
    }

    /// A new connection: credits begin anew; cumulative receipts name what came on it.
    pub(crate) fn connected(&mut self) {
        self.before = std::mem::take(&mut self.reached);
        self.ahead.clear();
        self.owed_messages = 0;
        self.owed_bytes = 0;
        self.fresh = false;
    }

    /// What it says before anything came: its last word of the connection before.
    pub(crate) fn early(&mut self) -> Option<FlowOut> {
        if !self.habits.early || self.habits.style != Style::Cumulative || self.before.is_empty() {
            return None;
        }
        Some(flow_of(&self.before))
    }

    /// A packet came. Whether it completes a payload not seen before.
    pub(crate) fn got(&mut self, packet: &Packet, weight: usize, _now: Nanos) -> bool {
        self.owed_messages += 1;
        self.owed_bytes += weight as u32;
        let envelope = &packet.envelope;
        if envelope.sequence == 0 {
            return envelope.chunk_count < 2 || envelope.chunk_index + 1 == envelope.chunk_count;
        }
        let identity = (
            envelope.stream_id.clone(),
            envelope.partition.clone(),
            envelope.sequence,
        );
        if envelope.chunk_count > 1 && !self.done.contains_key(&identity) {
            let chunks = self.partial.entry(identity.clone()).or_default();
            chunks.insert(envelope.chunk_index);
            if (chunks.len() as u64) < envelope.chunk_count {
                return false;
            }
            self.partial.remove(&identity);
        }
        self.reach(&identity);
        self.pending.push(identity.clone());
        self.done.insert(identity, weight).is_none()
    }

    /// A cumulative receipt passes no set of which chunks are missing.
    fn reach(&mut self, (stream, partition, sequence): &Identity) {
        let key = if self.per_partition {
            partition.clone()
        } else {
            String::new()
        };
        let waits: Vec<u64> = self
            .partial
            .keys()
            .filter(|p| p.0 == *stream && (!self.per_partition || p.1 == *partition))
            .map(|p| p.2)
            .collect();
        let ahead = self.ahead.entry(key.clone()).or_default();
        ahead.insert(*sequence);
        let may = |s: &u64| waits.iter().all(|w| w > s);
        if let Some(&most) = ahead.iter().rev().find(|s| may(s)) {
            ahead.retain(|&s| s > most);
            let reached = self.reached.entry(key).or_default();
            *reached = most.max(*reached);
            self.fresh = true;
        }
    }

    /// What it has to say now. `calm`: nothing is withheld any more.
    pub(crate) fn speak(&mut self, calm: bool) -> Outgoing {
        let mut out = Outgoing::default();
        if !calm && self.random.chance(self.habits.silent) {
            return out;
        }
        let mut flow = FlowOut::default();
        if self.habits.style == Style::Cumulative && self.fresh {
            flow = flow_of(&self.reached);
            self.fresh = false;
        }
        if self.habits.credits {
            flow.credits_messages = std::mem::take(&mut self.owed_messages);
            flow.credits_bytes = std::mem::take(&mut self.owed_bytes);
        }
        if flow.ack > 0 || flow.credits_messages > 0 || !flow.partition_acks.is_empty() {
            out.flow = Some(flow);
        }
        if self.habits.style == Style::Singles {
            self.singles(calm, &mut out);
        }
        out
    }

    /// Nothing goes wrong any more: every receipt that may have been lost is given again.
    pub(crate) fn repeat_all(&mut self) {
        self.pending = self.done.keys().cloned().collect();
        self.fresh = !self.reached.is_empty();
    }

    fn singles(&mut self, calm: bool, out: &mut Outgoing) {
        let mut pending = std::mem::take(&mut self.pending);
        if self.habits.shuffles {
            for i in (1..pending.len()).rev() {
                pending.swap(i, self.random.index(i + 1));
            }
        }
        for identity in pending {
            if !calm && self.random.chance(self.habits.loses) {
                out.lost += 1;
                continue;
            }
            let times = if self.random.chance(self.habits.twice) {
                2
            } else {
                1
            };
            for _ in 0..times {
                out.control.push(self.receipt(&identity));
            }
            if self.random.chance(self.habits.foreign) {
                let foreign = self.foreign(&identity);
                out.control.push(self.receipt(&foreign));
            }
        }
    }

    /// A receipt for something that is not this consumer's, or not there.
    fn foreign(&mut self, (stream, partition, sequence): &Identity) -> Identity {
        let mut out = (stream.clone(), partition.clone(), sequence + 1);
        match self.random.between(0, 2) {
            // Another step of this run; another epoch of this step.
            0 => {
                let epoch = stream.split('@').nth(1).unwrap_or_default();
                out.0 = format!("ns/r/somebody@{epoch}");
            }
            1 => {
                let name = stream.split('@').next().unwrap_or_default();
                out.0 = format!("{name}@0");
            }
            _ => out.2 = sequence + 100_000,
        }
        out
    }

    fn receipt(&self, identity: &Identity) -> Vec<u8> {
        let (stream, partition, sequence) = identity;
        let weight = self.done.get(identity).copied().unwrap_or_default();
        let metadata = [
            ("stream_id", stream.clone()),
            ("partition", partition.clone()),
            ("sequence", sequence.to_string()),
            ("size_bytes", weight.to_string()),
        ];
        control_request(DELIVERED, &metadata)
    }
}

fn flow_of(reached: &BTreeMap<String, u64>) -> FlowOut {
    let (mut ack, mut partition_acks) = (0, Vec::new());
    for (partition, &sequence) in reached {
        match &**partition {
            "" => ack = sequence,
            name => partition_acks.push((name.to_owned(), sequence)),
        }
    }
    FlowOut {
        ack,
        partition_acks,
        ..FlowOut::default()
    }
}
