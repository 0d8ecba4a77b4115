//! Owns judging one message of a consumer: sound, of this run, meant for this step, in order, for
//! the first time, and under an identity of its own.

use super::{Consumer, path};
use crate::drive::shared::bump;
use crate::packet::{
    Frame, HEADER_LEN, Header, HeaderError, Identity, JSON_HEADER_AT, struct_text,
};
use crate::units::Nanos;
use crate::verify::{Carried, Example, Fault, Order, Payload, Seen};
use crate::wire::Wire;

impl<W: Wire> Consumer<'_, W> {
    /// Takes a message in.
    pub(super) fn take(&mut self, message: &[u8], now: Nanos) {
        self.seen += 1;
        let opened = match &self.keeping {
            None => {
                let frame = self.layout.open(message);
                frame.map(|frame| frame.map(|frame| (frame, Identity::default())))
            }
            Some(_) => self.layout.open_identified(message),
        };
        let (frame, identity) = match opened {
            Ok(Some(opened)) => opened,
            // Heartbeats and hooks carry no frame.
            Ok(None) => return,
            Err(error) => return self.corrupted(now, message.len(), &error.to_string()),
        };
        let header = match checked(&frame) {
            Ok(header) => header,
            Err(error) => return self.corrupted(now, message.len(), &error),
        };
        if let Some(dialled) = self.redialled.take() {
            let took = now.since(dialled).as_nanos() as u64;
            let mut outcome = self.thread.outcome.borrow_mut();
            outcome.guarantee.first_packets.push(took);
        }
        if header.nonce != self.thread.shared.nonce {
            self.thread.outcome.borrow_mut().foreign += 1;
            return;
        }
        let found = self
            .inputs
            .iter()
            .position(|i| i.producer == header.producer);
        let Some(input) = found else {
            let detail = "of a producer that this step does not need";
            return self.fault(Fault::Misrouted, &header, now, detail);
        };
        if self.note(input, &header, identity, now) {
            self.count(&frame, &header, now);
        }
    }

    /// Judges the arrival of a sound message; whether it came for the first time.
    fn note(&mut self, at: usize, header: &Header, identity: Identity<'_>, now: Nanos) -> bool {
        let input = &mut self.inputs[at];
        input.touched = true;
        let position = input.tracker.position();
        let seen = input.tracker.see(header.sequence);
        if seen == Seen::Late {
            let detail = format!("came after {}", position - 1);
            self.fault(Fault::Reordered, header, now, &detail);
        }
        let again = seen == Seen::Duplicate;
        if self.keeping.is_some() {
            self.identify(at, header, identity, (again, now));
        } else if again {
            self.fault(Fault::Duplicated, header, now, "came again");
        }
        !again
    }

    /// Judges the identity under which a message came (spec 2.4).
    fn identify(
        &mut self,
        input: usize,
        header: &Header,
        identity: Identity<'_>,
        (again, now): (bool, Nanos),
    ) {
        let restarts = self.thread.shared.options.reconnect;
        let Some(keeping) = &mut self.keeping else {
            return;
        };
        let payload = Payload {
            input,
            number: header.sequence,
        };
        let Identity { stream, sequence } = identity;
        let (carried, order) = keeping.identities.see(stream, sequence, payload);
        if self.slow.is_some() {
            keeping.unread.push_back(sequence);
        }
        let same_life = !restarts || keeping.identities.came_under(stream, payload);
        let named = || format!("{} {sequence}", String::from_utf8_lossy(stream));
        let finding = match (carried, again) {
            (Carried::Missing, _) => Some((Fault::Misnumbered, "has no sequence".to_owned())),
            (Carried::Other, _) | (Carried::Forgotten, false) => {
                let detail = format!("came as {}, which brought another message", named());
                Some((Fault::Misnumbered, detail))
            }
            (Carried::New, true) if same_life => {
                let detail = format!("came again as {}", named());
                Some((Fault::Duplicated, detail))
            }
            (Carried::New, true) => {
                keeping.rerouted += 1;
                None
            }
            (Carried::Same | Carried::Forgotten, _) => {
                keeping.redelivered += 1;
                None
            }
            (Carried::New, false) => None,
        };
        let behind = match order {
            Order::Behind(last) => {
                let detail = format!("came as {} after {last} on one connection", named());
                Some((Fault::Reordered, detail))
            }
            Order::Next => None,
        };
        for (fault, detail) in finding.into_iter().chain(behind) {
            self.fault(fault, header, now, &detail);
        }
    }

    /// Counts a message that came for the first time.
    fn count(&mut self, frame: &Frame<'_>, header: &Header, now: Nanos) {
        self.chunk.0 += 1;
        self.chunk.1 += frame.payload.len() as u64;
        if self.slow.is_some() {
            return;
        }
        let latency = now.since(header.intended).as_nanos() as u64;
        let mut latencies = self.thread.latencies.borrow_mut();
        if header.intended >= self.window.measure_from {
            latencies.delivery.saturating_record(latency);
        } else {
            latencies.warmup.saturating_record(latency);
        }
    }

    fn fault(&self, fault: Fault, header: &Header, now: Nanos, detail: &str) {
        let thread = self.thread;
        let producers = &thread.shared.topology.producers;
        let mut outcome = thread.outcome.borrow_mut();
        bump(&thread.shared.threads[thread.index].faults, 1);
        outcome.faults.note(fault, || Example {
            from: producers
                .get(header.producer.0 as usize)
                .map(|plan| path(&plan.name))
                .unwrap_or_default(),
            to: path(&self.peer.name),
            sequence: Some(header.sequence.0),
            at_seconds: Some(thread.seconds(now)),
            detail: detail.to_owned(),
        });
    }

    fn corrupted(&self, now: Nanos, len: usize, reason: &str) {
        let thread = self.thread;
        let mut outcome = thread.outcome.borrow_mut();
        bump(&thread.shared.threads[thread.index].faults, 1);
        outcome.faults.note(Fault::Corrupted, || Example {
            from: String::new(),
            to: path(&self.peer.name),
            sequence: None,
            at_seconds: Some(thread.seconds(now)),
            detail: format!("message of {len} bytes: {reason}"),
        });
    }
}

/// The header of a frame whose every copy is sound.
fn checked(frame: &Frame<'_>) -> Result<Header, String> {
    let header = Header::verify(frame.payload).map_err(|e: HeaderError| e.to_string())?;
    if frame.payload.first() == Some(&b'{') {
        let text = frame
            .payload
            .get(JSON_HEADER_AT..JSON_HEADER_AT + HEADER_LEN * 2);
        let structured = frame
            .structured
            .ok_or("the Struct beside the JSON is gone")?;
        if text.is_none() || text != struct_text(structured, b"load") {
            return Err("the Struct does not say what the JSON says".to_owned());
        }
    }
    Ok(header)
}
