//! Who is told everything: the judge, the digest, and the trace.

use crate::draw::Script;
use crate::oracle::{Broken, Fact, Oracle, Seen};
use crate::time::Nanos;
use crate::wire::{self, FNV_START, fnv};

/// Passes facts on to the judge and writes them down.
pub(crate) struct Witness {
    oracle: Oracle,
    digest: u64,
    trace: Option<Vec<String>>,
}

impl Witness {
    pub(crate) fn new(script: &Script, trace: bool) -> Self {
        Self {
            oracle: Oracle::new(script.rules()),
            digest: FNV_START,
            trace: trace.then(|| script.describe()),
        }
    }

    /// Tells a fact.
    ///
    /// # Errors
    /// What the judge says.
    pub(crate) fn tell(&mut self, now: Nanos, fact: Fact<'_>) -> Result<(), Broken> {
        self.digest = fnv(self.digest, &now.0.to_le_bytes());
        self.digest = fold(self.digest, &fact);
        if let Some(trace) = self.trace.as_mut() {
            trace.extend(line(&fact).map(|line| format!("{now} {line}")));
        }
        self.oracle.observe(now, fact)
    }

    /// Notes something that the judge need not know.
    pub(crate) fn note(&mut self, now: Nanos, what: impl FnOnce() -> String) {
        if let Some(trace) = self.trace.as_mut() {
            trace.push(format!("{now} {}", what()));
        }
    }

    pub(crate) fn seen(&mut self) -> &mut Seen {
        &mut self.oracle.seen
    }

    pub(crate) fn into_parts(self) -> (Seen, u64, Vec<String>) {
        (
            self.oracle.seen,
            self.digest,
            self.trace.unwrap_or_default(),
        )
    }
}

fn fold(digest: u64, fact: &Fact<'_>) -> u64 {
    let (kind, link, bytes): (u8, u32, &[u8]) = match fact {
        Fact::HubStarted => (1, 0, &[]),
        Fact::Registered { link, step, .. } => (2, link.0, &[step.0 as u8]),
        Fact::Refused { step, why, .. } => (3, step.0 as u32, &[*why as u8]),
        Fact::Left { link } => (4, link.0, &[]),
        Fact::Took { link, message } => (5, link.0, message),
        Fact::Blocked { link } => (6, link.0, &[]),
        Fact::Flow { link, message } => (7, link.0, message),
        Fact::Control { link, message } => (8, link.0, message),
        Fact::Sent { link, message } => (9, link.0, message),
        Fact::Counts { edges } => {
            let numbers = edges.iter().flat_map(|e| {
                [
                    e.accepted,
                    e.delivered,
                    e.dropped_total(),
                    e.queued,
                    e.in_flight,
                ]
            });
            return numbers.fold(digest, |d, n| (d ^ n).wrapping_mul(0x0000_0100_0000_01b3));
        }
        Fact::Calm => (11, 0, &[]),
        Fact::End { waiting } => (12, 0, waiting.as_bytes()),
    };
    fnv(fnv(fnv(digest, &[kind]), &link.to_le_bytes()), bytes)
}

/// A fact in words; none for what would only be noise.
fn line(fact: &Fact<'_>) -> Option<String> {
    Some(match fact {
        Fact::Took { link, message } => format!("link {} hub took {}", link.0, describe(message)),
        Fact::Flow { link, message } => format!("link {} hub heard {}", link.0, describe(message)),
        Fact::Sent { link, message } => format!("link {} hub sent {}", link.0, describe(message)),
        Fact::Control { link, message } => {
            let control = wire::control(message).unwrap_or_default();
            format!(
                "link {} hub heard {} {:?}",
                link.0, control.action, control.metadata
            )
        }
        Fact::Counts { edges } => {
            let edges = edges.iter().map(|e| {
                format!(
                    "[acc {} del {} drop {:?} q {} fl {}]",
                    e.accepted, e.delivered, e.dropped, e.queued, e.in_flight
                )
            });
            format!("  counts {}", edges.collect::<String>())
        }
        other => format!("{other:?}"),
    })
}

fn describe(message: &[u8]) -> String {
    let Some(process) = wire::process(message) else {
        return "undecodable bytes".to_owned();
    };
    let mut words = Vec::new();
    if let Some(packet) = &process.packet {
        let tag = packet.tag();
        let tag = tag.map(|t| format!("{} chunk {}/{}", t.payload, t.chunk, t.chunks));
        let envelope = &packet.envelope;
        words.push(format!(
            "{} {:?} {} bytes, stream {:?} sequence {} partition {:?} turn {:?}",
            tag.unwrap_or_else(|| "heartbeat".to_owned()),
            packet.kind,
            packet.body.len(),
            envelope.stream_id,
            envelope.sequence,
            envelope.partition,
            packet.turn()
        ));
    }
    if let Some(flow) = &process.flow {
        words.push(format!(
            "ack {} partitions {:?} credits {} / {} bytes, signal {}",
            flow.ack, flow.partition_acks, flow.credits_messages, flow.credits_bytes, flow.signal
        ));
    }
    words.join("; ")
}
