//! A hub for tests that keeps packets until their receipt, and breaks one promise on request.
//!
//! It reads and writes with the generated types, so it shares no code with the generator but the
//! deframer. Every consumer's first connection ends before sequence [`CONSUMER_BREAKS_AT`] and every
//! producer's before its number [`PRODUCER_BREAKS_AT`], with the last receipts and acks lost, so that
//! every run replays and resends.

mod serve;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use loadtest::scenario::{StepName, Topology};
use loadtest::wire::put_prefix;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use transport_proto::v1::{
    DataPacket, FlowControl, ProcessRequest, ProcessResponse, StreamEnvelope,
};

/// Sequence before which a consumer's first connection ends.
pub(crate) const CONSUMER_BREAKS_AT: u64 = 50;
/// Receipts above this are lost with a consumer's first connection.
pub(crate) const LAST_RECEIPT: u64 = 45;
/// Number before which a producer's first connection ends.
pub(crate) const PRODUCER_BREAKS_AT: u64 = 60;
/// Acks above this are lost with a producer's first connection.
const LAST_ACK: u64 = 55;
/// Packets without a receipt at which producers are told to pause, and to go on.
const PAUSE_AT: usize = 32;
const RESUME_AT: usize = 8;

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    Faithful,
    /// The packet that was due when the connection ended is never sent.
    SkipReplayed,
    /// Replayed packets get new sequences.
    RenumberReplayed,
    /// A replay begins with its newest packet.
    NewestFirst,
    /// Every tenth packet gets the sequence of the one before it.
    ReuseSequence,
    /// Packets have no envelope.
    NoSequence,
    /// A producer is told that what has just come is settled.
    AckEarly,
    /// A producer is told that more is settled than it has sent.
    AckTooFar,
    /// Nothing above number 200 is acknowledged.
    NeverAck,
    /// What a producer sends again is routed again.
    RouteTwice,
}

/// What goes out on a connection; `None` ends it.
type Queue = mpsc::UnboundedSender<Option<Bytes>>;

/// A step's present connection.
#[derive(Default)]
struct Line {
    connection: u64,
    queue: Option<Queue>,
}

impl Line {
    fn send(&self, response: &ProcessResponse) {
        let body = response.encode_to_vec();
        let mut prefix = Vec::new();
        put_prefix(body.len(), &mut prefix);
        let mut bytes = BytesMut::from(&prefix[..]);
        bytes.extend_from_slice(&body);
        if let Some(queue) = &self.queue {
            let _ = queue.send(Some(bytes.freeze()));
        }
    }

    fn end(&mut self) {
        if let Some(queue) = self.queue.take() {
            let _ = queue.send(None);
        }
    }
}

struct Kept {
    sequence: u64,
    packet: DataPacket,
    from: String,
    number: u64,
}

#[derive(Default)]
struct Consumer {
    line: Line,
    last: u64,
    log: Vec<Kept>,
    broke: bool,
}

#[derive(Default)]
struct Producer {
    line: Line,
    accepts_pause: bool,
    highest: u64,
    /// Edges on which a number is not settled.
    open: BTreeMap<u64, usize>,
    told: u64,
    paused: bool,
    broke: bool,
}

struct State {
    twist: Twist,
    edges: HashMap<String, Vec<String>>,
    consumers: HashMap<String, Consumer>,
    producers: HashMap<String, Producer>,
    connections: u64,
}

impl State {
    /// A step connects: what it has not receipted goes out again.
    fn connect(&mut self, step: &str, queue: Queue, accepts_pause: bool) -> u64 {
        self.connections += 1;
        let line = Line {
            connection: self.connections,
            queue: Some(queue),
        };
        if self.edges.contains_key(step) {
            let producer = self.producers.entry(step.to_owned()).or_default();
            producer.line = line;
            producer.accepts_pause = accepts_pause;
            producer.paused = false;
            producer.told = 0;
            self.tell(step);
        } else {
            let consumer = self.consumers.entry(step.to_owned()).or_default();
            consumer.line = line;
            self.replay(step);
        }
        self.connections
    }

    fn replay(&mut self, step: &str) {
        let twist = self.twist;
        let consumer = self.consumers.get_mut(step).unwrap();
        if twist == Twist::NewestFirst && consumer.log.len() > 1 {
            consumer.log.rotate_right(1);
        }
        for kept in &mut consumer.log {
            if twist == Twist::RenumberReplayed {
                consumer.last += 1;
                kept.sequence = consumer.last;
            }
            if twist != Twist::SkipReplayed || kept.sequence != CONSUMER_BREAKS_AT {
                consumer.line.send(&response(step, kept, twist));
            }
        }
        consumer.log.sort_by_key(|kept| kept.sequence);
    }

    fn message(&mut self, step: &str, connection: u64, message: &[u8]) {
        let request = ProcessRequest::decode(message).unwrap();
        if let Some(producer) = self.producers.get(step) {
            if producer.line.connection == connection {
                self.route(step, request.packet.unwrap());
            }
        } else if self.consumers[step].line.connection == connection {
            let flow = request.flow.expect("a consumer sends receipts");
            self.receipt(step, flow.ack);
        }
    }

    fn route(&mut self, from: &str, packet: DataPacket) {
        let number = packet.envelope.as_ref().unwrap().sequence;
        let producer = self.producers.get_mut(from).unwrap();
        if number == PRODUCER_BREAKS_AT && !producer.broke {
            producer.broke = true;
            producer.line.connection = 0;
            return producer.line.end();
        }
        if number <= producer.highest && self.twist != Twist::RouteTwice {
            return;
        }
        assert!(number <= producer.highest + 1, "a number was left out");
        producer.highest = producer.highest.max(number);
        let targets = self.edges[from].clone();
        *producer.open.entry(number).or_default() += targets.len();
        for to in targets {
            self.keep(&to, from, number, packet.clone());
        }
        if matches!(self.twist, Twist::AckEarly | Twist::AckTooFar) {
            self.tell(from);
        }
    }

    fn keep(&mut self, to: &str, from: &str, number: u64, packet: DataPacket) {
        let twist = self.twist;
        let consumer = self.consumers.entry(to.to_owned()).or_default();
        let reuses = twist == Twist::ReuseSequence && number.is_multiple_of(10);
        consumer.last += u64::from(!reuses);
        let kept = Kept {
            sequence: consumer.last,
            packet,
            from: from.to_owned(),
            number,
        };
        if kept.sequence >= CONSUMER_BREAKS_AT && !consumer.broke {
            consumer.broke = true;
            consumer.line.end();
        } else {
            consumer.line.send(&response(to, &kept, twist));
        }
        consumer.log.push(kept);
        if consumer.log.len() >= PAUSE_AT {
            self.signal(to, true);
        }
    }

    fn receipt(&mut self, step: &str, ack: u64) {
        let consumer = self.consumers.get_mut(step).unwrap();
        assert!(ack <= consumer.last, "receipt for what was never sent");
        if !consumer.broke && ack > LAST_RECEIPT {
            return;
        }
        let settled: Vec<Kept> = consumer.log.extract_if(.., |k| k.sequence <= ack).collect();
        if consumer.log.len() <= RESUME_AT {
            self.signal(step, false);
        }
        for kept in settled {
            let producer = self.producers.get_mut(&kept.from).unwrap();
            let open = producer.open.get_mut(&kept.number).unwrap();
            *open -= 1;
            if *open == 0 {
                producer.open.remove(&kept.number);
            }
            self.tell(&kept.from);
        }
    }

    /// Tells a producer up to where everything is settled.
    fn tell(&mut self, step: &str) {
        let twist = self.twist;
        let producer = self.producers.get_mut(step).unwrap();
        let first = producer.open.keys().next();
        let settled = first.map_or(producer.highest, |number| number - 1);
        let ack = match twist {
            Twist::AckEarly => producer.highest,
            Twist::AckTooFar => settled + 1000,
            Twist::NeverAck => settled.min(200),
            _ if producer.highest >= PRODUCER_BREAKS_AT => settled,
            _ => settled.min(LAST_ACK),
        };
        if ack > producer.told {
            producer.told = ack;
            producer.line.send(&flow(ack, 0));
        }
    }

    /// Tells the producers of a step to pause (1) or to go on (2).
    fn signal(&mut self, step: &str, pause: bool) {
        for (name, producer) in &mut self.producers {
            let feeds = self.edges[name].iter().any(|to| to == step);
            if feeds && producer.accepts_pause && producer.paused != pause {
                producer.paused = pause;
                producer.line.send(&flow(0, if pause { 1 } else { 2 }));
            }
        }
    }
}

fn flow(ack: u64, signal: i32) -> ProcessResponse {
    ProcessResponse {
        packet: None,
        flow: Some(FlowControl {
            ack,
            signal,
            ..FlowControl::default()
        }),
    }
}

fn response(to: &str, kept: &Kept, twist: Twist) -> ProcessResponse {
    let envelope = StreamEnvelope {
        stream_id: format!("{to}@1"),
        sequence: kept.sequence,
        ..StreamEnvelope::default()
    };
    let mut packet = kept.packet.clone();
    packet.envelope = (twist != Twist::NoSequence).then_some(envelope);
    ProcessResponse {
        packet: Some(packet),
        flow: None,
    }
}

pub(crate) struct Keeper {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Keeper {
    pub(crate) fn start(topology: &Topology, twist: Twist) -> Keeper {
        let key = |name: &StepName| format!("{}/{}/{}", name.namespace, name.run, name.step);
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        for edge in &topology.edges {
            let from = key(&topology.producers[edge.producer].name);
            let to = key(&topology.consumers[edge.consumer].name);
            edges.entry(from).or_default().push(to);
        }
        let state = Arc::new(Mutex::new(State {
            twist,
            edges,
            consumers: HashMap::new(),
            producers: HashMap::new(),
            connections: 0,
        }));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = serve::serve(listener, state) => {}
                }
            });
        });
        Keeper {
            address: told.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}
