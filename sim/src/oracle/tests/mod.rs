//! Hand-made histories: each breaks one invariant, and the judge must say which.

mod accounts;
mod ending;
mod producers;
mod receipts;
mod replay;
mod sending;

use super::*;
use crate::wire::{
    DELIVERED, EnvelopeOut, FlowOut, INTERRUPT, Kind, PacketOut, TAG_KEY, TURN_KEY, Tag,
    control_request, packet, process_request,
};

pub(super) const SRC: Step = Step(0);
pub(super) const SINK: Step = Step(1);
/// The producer's connection.
pub(super) const P: Link = Link(0);
/// The consumer's connection.
pub(super) const C: Link = Link(1);

pub(super) const KEPT: Promise = Promise::AtLeastOnce {
    dead_letter: false,
    per_partition: false,
    redelivery: None,
};

/// A packet of the source: its number, its chunk, its turn.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub number: u32,
    pub chunk: (u8, u8),
    pub turn: Option<u64>,
}

pub(super) fn item(number: u32) -> Item {
    Item {
        number,
        chunk: (0, 1),
        turn: None,
    }
}

impl Item {
    pub(super) fn chunk(self, index: u8, count: u8) -> Self {
        let chunk = (index, count);
        Self { chunk, ..self }
    }

    pub(super) fn turn(self, turn: u64) -> Self {
        let turn = Some(turn);
        Self { turn, ..self }
    }

    fn message(self, step: &str, envelope: EnvelopeOut<'_>) -> Vec<u8> {
        let payload = Payload {
            step: 0,
            life: 0,
            number: self.number,
        };
        let (chunk, chunks) = self.chunk;
        let tag = Tag {
            payload,
            chunk,
            chunks,
        };
        let mut metadata = vec![
            (TAG_KEY, tag.to_string()),
            ("current-step-id", step.to_owned()),
        ];
        metadata.extend(self.turn.map(|turn| (TURN_KEY, turn.to_string())));
        let body = [self.number as u8, chunk];
        let out = PacketOut {
            metadata: &metadata,
            kind: Kind::Binary,
            body: &body,
            envelope: Some(envelope),
        };
        process_request(Some(&packet(&out)), None)
    }
}

/// One source, one sink, and what is told of them.
pub(super) struct History {
    pub oracle: Oracle,
    pub at: Nanos,
    pub stream: &'static str,
}

pub(super) fn rules(promise: Promise) -> Rules {
    let step = |name: &str, promise| StepRules {
        name: name.to_owned(),
        promise,
        max_messages: 5,
        laned_messages: 0,
        pace: Pace::Credits,
        grant: 3,
        max_in_flight: None,
    };
    Rules {
        namespace: "ns".to_owned(),
        run: "r".to_owned(),
        steps: vec![step("src", Promise::BestEffort), step("sink", promise)],
        edges: vec![(SRC, SINK)],
        state_ttl: Nanos::secs(600),
        cancel_previous: false,
    }
}

impl History {
    /// A hub runs, the source (which numbers) and the sink are connected.
    pub(super) fn new(promise: Promise) -> Self {
        Self::of(rules(promise))
    }

    pub(super) fn of(rules: Rules) -> Self {
        let mut history = Self {
            oracle: Oracle::new(rules),
            at: Nanos::millis(1),
            stream: "ns/r/sink@e1",
        };
        history.tell(Fact::HubStarted).unwrap();
        history.join(P, SRC, 1).unwrap();
        history.join(C, SINK, 1).unwrap();
        history
    }

    pub(super) fn tell(&mut self, fact: Fact<'_>) -> Verdict {
        self.oracle.observe(self.at, fact)
    }

    pub(super) fn join(&mut self, link: Link, step: Step, generation: i32) -> Verdict {
        self.tell(Fact::Registered {
            link,
            step,
            generation,
            epoch: (step == SRC).then_some("p"),
            pause: true,
            control: false,
        })
    }

    pub(super) fn took(&mut self, item: Item) -> Verdict {
        let envelope = EnvelopeOut {
            sequence: u64::from(item.number),
            ..EnvelopeOut::default()
        };
        let message = item.message("src", envelope);
        let message = &message[..];
        self.tell(Fact::Took { link: P, message })
    }

    /// The hub takes numbers 1 to `last`.
    pub(super) fn took_all(&mut self, last: u32) {
        for number in 1..=last {
            self.took(item(number)).unwrap();
        }
    }

    pub(super) fn sent(&mut self, link: Link, item: Item, sequence: u64) -> Verdict {
        let envelope = EnvelopeOut {
            stream_id: self.stream,
            sequence,
            ..EnvelopeOut::default()
        };
        let message = item.message("sink", envelope);
        self.tell(Fact::Sent {
            link,
            message: &message,
        })
    }

    /// Takes and sends numbers 1 to `last` as sequences 1 to `last`.
    pub(super) fn through(&mut self, last: u32) {
        self.took_all(last);
        for number in 1..=last {
            self.sent(C, item(number), u64::from(number)).unwrap();
        }
    }

    pub(super) fn flow(&mut self, link: Link, flow: &FlowOut) -> Verdict {
        let message = process_request(None, Some(flow));
        self.tell(Fact::Flow {
            link,
            message: &message,
        })
    }

    pub(super) fn ack(&mut self, link: Link, ack: u64) {
        let flow = FlowOut {
            ack,
            ..FlowOut::default()
        };
        self.flow(link, &flow).unwrap();
    }

    pub(super) fn receipt(&mut self, link: Link, stream: &str, sequence: u64) {
        let metadata = [
            ("stream_id", stream.to_owned()),
            ("sequence", sequence.to_string()),
        ];
        let message = control_request(DELIVERED, &metadata);
        self.tell(Fact::Control {
            link,
            message: &message,
        })
        .unwrap();
    }

    pub(super) fn interrupt(&mut self, turn: u64) {
        let message = control_request(INTERRUPT, &[("turn", turn.to_string())]);
        self.tell(Fact::Control {
            link: C,
            message: &message,
        })
        .unwrap();
    }

    /// The hub tells the source what is settled.
    pub(super) fn told(&mut self, ack: u64) -> Verdict {
        let flow = FlowOut {
            ack,
            ..FlowOut::default()
        };
        let message = process_request(None, Some(&flow));
        self.tell(Fact::Sent {
            link: P,
            message: &message,
        })
    }

    /// The hub's numbers: accepted, delivered, dropped for a reason, queued, in flight.
    pub(super) fn counts(
        &mut self,
        (accepted, delivered): (u64, u64),
        dropped: (&'static str, u64),
        (queued, in_flight): (u64, u64),
    ) -> Verdict {
        let numbers = EdgeNumbers {
            accepted,
            delivered,
            dropped: vec![dropped],
            queued,
            in_flight,
        };
        self.tell(Fact::Counts { edges: &[numbers] })
    }
}

/// Asserts that `verdict` names `invariant`.
#[track_caller]
pub(super) fn breaks(verdict: Verdict, invariant: &str) {
    match verdict {
        Ok(()) => panic!("nothing was noticed; expected: {invariant}"),
        Err(broken) => assert_eq!(broken.invariant, invariant, "{broken}"),
    }
}
