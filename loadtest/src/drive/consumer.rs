//! Owns a receiving stream: deframes, checks every message, and accounts for it.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::shared::{Window, bump};
use super::worker::Thread;
use crate::packet::{Frame, HEADER_LEN, Header, HeaderError, JSON_HEADER_AT, Layout, struct_text};
use crate::scenario::{ConsumerPlan, StepName};
use crate::units::{EdgeId, Nanos, ProducerId};
use crate::verify::{EdgeTracker, Example, Fault, Seen};
use crate::wire::{Deframe, Peer, Role, Sink, Source, StreamError, Wire};

/// Receives one consumer's messages until the run is over.
pub(super) async fn run<W: Wire>(thread: Rc<Thread<W>>, index: usize) {
    let plan = &thread.shared.topology.consumers[index];
    let producers = &thread.shared.topology.producers;
    let peer = Peer {
        name: plan.name.clone(),
        role: Role::Consumer,
        upstream: plan
            .inputs
            .iter()
            .map(|(producer, _)| producers[producer.0 as usize].name.clone())
            .collect(),
    };
    let Some((mut sink, mut source)) = thread.open(&peer).await else {
        return;
    };
    let Some(window) = thread.traffic().await else {
        return;
    };
    let mut consumer = Consumer::new(&thread, index, window);
    let mut waves = thread.shared.wave.clone();
    loop {
        let ended = tokio::select! {
            biased;
            () = thread.close() => Ended::Closed,
            () = thread.cut(&mut waves, producers.len() + index) => Ended::Cut,
            error = consumer.receive(&mut source) => Ended::Failed(error),
        };
        match ended {
            Ended::Closed => break,
            Ended::Failed(error) if !thread.broke(&peer.name.step, &error) => {
                consumer.give_up();
                thread.close().await;
                break;
            }
            Ended::Cut | Ended::Failed(_) => {}
        }
        source.sever();
        consumer.write_off();
        let Some(halves) = thread.reopen(&peer).await else {
            break;
        };
        (sink, source) = halves;
    }
    sink.finish();
    consumer.report();
}

enum Ended {
    Closed,
    Cut,
    Failed(StreamError),
}

struct Input {
    producer: ProducerId,
    edge: EdgeId,
    tracker: EdgeTracker,
    /// Something arrived in the present chunk.
    touched: bool,
}

struct Consumer<'t, W> {
    thread: &'t Thread<W>,
    name: &'t StepName,
    inputs: Vec<Input>,
    window: Window,
    /// Messages a second that this consumer reads, where it is slow on purpose.
    slow: Option<f64>,
    layout: Layout,
    /// Messages of any kind so far.
    seen: u64,
    /// Messages and payload bytes that counted in the present chunk.
    chunk: (u64, u64),
}

impl<'t, W: Wire> Consumer<'t, W> {
    fn new(thread: &'t Thread<W>, index: usize, window: Window) -> Consumer<'t, W> {
        let plan: &ConsumerPlan = &thread.shared.topology.consumers[index];
        let options = &thread.shared.options;
        let input = |&(producer, edge): &(ProducerId, EdgeId)| Input {
            producer,
            edge,
            tracker: EdgeTracker::default(),
            touched: false,
        };
        let slow = index < options.slow_consumers;
        let consumer = Consumer {
            thread,
            name: &plan.name,
            inputs: plan.inputs.iter().map(input).collect(),
            window,
            slow: slow.then_some(options.slow_rate),
            layout: Layout::default(),
            seen: 0,
            chunk: (0, 0),
        };
        if slow {
            // Nobody's window waits for a consumer that is slow on purpose.
            consumer.give_up();
        }
        consumer
    }

    /// Receives until the stream is over; why it is.
    async fn receive(&mut self, source: &mut W::Source) -> StreamError {
        let mut deframe = self.thread.wire.deframe();
        loop {
            let chunk = match poll_fn(|cx| source.poll_chunk(cx)).await {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return error,
                None => return StreamError::new("the hub ended the stream"),
            };
            let now = self.thread.shared.clock.now();
            let before = self.seen;
            let pushed = deframe.push(chunk, |message| self.take(message, now));
            self.account(now);
            if let Err(error) = pushed {
                return error;
            }
            if let Some(rate) = self.slow {
                let owed = (self.seen - before) as f64 / rate;
                let pause = Duration::try_from_secs_f64(owed).unwrap_or(Duration::MAX);
                // Once nothing more is sent, what has piled up is read and accounted for.
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.thread.drain() => {}
                }
            }
        }
    }

    fn take(&mut self, message: &[u8], now: Nanos) {
        self.seen += 1;
        let frame = match self.layout.open(message) {
            Ok(Some(frame)) => frame,
            // Heartbeats and hooks carry no frame.
            Ok(None) => return,
            Err(error) => return self.corrupted(now, message.len(), &error.to_string()),
        };
        let header = match checked(&frame) {
            Ok(header) => header,
            Err(error) => return self.corrupted(now, message.len(), &error),
        };
        if header.nonce != self.thread.shared.nonce {
            self.thread.outcome.borrow_mut().foreign += 1;
            return;
        }
        let found = self
            .inputs
            .iter_mut()
            .find(|i| i.producer == header.producer);
        let Some(input) = found else {
            return self.fault(
                Fault::Misrouted,
                &header,
                now,
                "of a producer that this step does not need",
            );
        };
        input.touched = true;
        let position = input.tracker.position();
        match input.tracker.see(header.sequence) {
            Seen::InOrder => {}
            Seen::Late => {
                let detail = format!("came after {}", position - 1);
                self.fault(Fault::Reordered, &header, now, &detail);
            }
            Seen::Duplicate => {
                return self.fault(Fault::Duplicated, &header, now, "came again");
            }
        }
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

    /// Publishes what the chunk brought.
    fn account(&mut self, now: Nanos) {
        let counters = &self.thread.shared.threads[self.thread.index];
        bump(&counters.delivered, self.chunk.0);
        bump(&counters.media_bytes, self.chunk.1);
        counters.last_arrival.store(now.0, Ordering::Relaxed);
        self.chunk = (0, 0);
        for input in self.inputs.iter_mut().filter(|input| input.touched) {
            input.touched = false;
            let (position, received) = (input.tracker.position(), input.tracker.received());
            let shared = &self.thread.shared;
            shared.advance(input.edge, input.producer, position, received);
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
            to: path(self.name),
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
            to: path(self.name),
            sequence: None,
            at_seconds: Some(thread.seconds(now)),
            detail: format!("message of {len} bytes: {reason}"),
        });
    }

    /// Nobody's window waits for this consumer any more.
    fn give_up(&self) {
        for input in &self.inputs {
            self.thread.shared.give_up(input.edge, input.producer);
        }
    }

    /// What was under way to this step is lost with its connection.
    fn write_off(&self) {
        let edges = self.inputs.iter().map(|input| input.edge);
        self.thread.outcome.borrow_mut().cut_edges.extend(edges);
        for input in &self.inputs {
            self.thread.shared.write_off(input.edge, input.producer);
        }
    }

    fn report(self) {
        let mut outcome = self.thread.outcome.borrow_mut();
        let inputs = self.inputs.into_iter();
        outcome
            .trackers
            .extend(inputs.map(|input| (input.edge, input.tracker)));
    }
}

/// `run/step`, as reports name an end of an edge.
pub(super) fn path(name: &StepName) -> String {
    format!("{}/{}", name.run, name.step)
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
