//! One hub for all: a sidecar and an engram that say the same, and behind each an engram that gets
//! everything at least once and one that gets it at best.

use std::time::Instant;

use prost::Message;
use transport_proto::v1;

use super::oracle::deadly;
use super::shapes::{Packet, as_data};
use crate::client::{Connection, Process};
use crate::engram::{Engram, envelope, label};
use crate::raw::Raw;
use crate::rig::{self, DEADLINE, Hub, config};

const STORY: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc }
    - name: kept
      transportRef: grpc
      streaming: { delivery: { semantics: at_least_once } }
  steps:
    - { name: p, ref: { name: p }, transport: t, needs: [] }
    - { name: d, ref: { name: d }, transport: t, needs: [] }
    - { name: pb, ref: { name: pb }, transport: t, needs: [p] }
    - { name: pk, ref: { name: pk }, transport: kept, needs: [p] }
    - { name: db, ref: { name: db }, transport: t, needs: [d] }
    - { name: dk, ref: { name: dk }, transport: kept, needs: [d] }
";

pub struct World {
    pub hub: Hub,
    sidecar: Process,
    pub engram: Raw,
    pub sinks: Vec<Sink>,
    _connection: Connection,
}

/// An engram that receives.
pub struct Sink {
    pub step: &'static str,
    /// The hub numbers its packets.
    pub numbered: bool,
    pub engram: Engram,
}

impl World {
    pub async fn start() -> Self {
        let hub = Hub::with(config(), STORY);
        let mut sinks = Vec::new();
        for step in ["pb", "pk", "db", "dk"] {
            sinks.push(Sink {
                step,
                numbered: step.ends_with('k'),
                engram: Engram::connect(&hub, step).await,
            });
        }
        let mut connection = Connection::open(hub.grpc).await;
        let sidecar = connection.process("p").await.accepted().await;
        let engram = Raw::connect(&hub, "d").await;
        Self {
            hub,
            sidecar,
            engram,
            sinks,
            _connection: connection,
        }
    }

    /// Has both say a packet of these parts in a row, with metadata `n` = `label`.
    pub fn say(&mut self, label: &str, parts: &[Packet]) {
        let mut parts = parts.to_vec();
        for part in &mut parts {
            part.metadata.insert("n".into(), label.to_owned());
        }
        let packet = parts.iter().flat_map(Message::encode_to_vec);
        let packet: Vec<u8> = packet.collect();
        let mut request = vec![0x0a];
        prost::encoding::encode_varint(packet.len() as u64, &mut request);
        request.extend(packet);
        self.sidecar.send_raw(rig::framed(&request));
        let parts = parts.iter().map(as_data);
        let data: Vec<u8> = parts.flat_map(|part| part.encode_to_vec()).collect();
        self.engram.say(&rig::framed(&data));
    }

    /// Packets that ended at the door, for both who say them, or on their edges, of which each has
    /// two.
    pub fn stopped(&self) -> f64 {
        let refused = self.hub.metric("hub_packets_refused_total", &[]);
        refused + self.hub.metric("hub_packets_dropped_total", &[]) / 2.0
    }

    /// Waits until so many have ended.
    pub async fn wait_for_stopped(&self, many: usize, what: &str) {
        let until = Instant::now() + DEADLINE;
        while self.stopped() != many as f64 {
            let now = self.stopped();
            assert!(Instant::now() < until, "{what}: {now} ended, not {many}");
            tokio::task::yield_now().await;
        }
    }
}

impl Sink {
    /// What came up to the packet `last`; none of it, nor a heartbeat before it, may be deadly.
    pub async fn until(&mut self, last: &str) -> Vec<v1::DataResponse> {
        let mut got = Vec::new();
        loop {
            let message = self.engram.data.any().await;
            let message = message.unwrap_or_else(|ended| panic!("{}: {ended:?}", self.step));
            if let Some(why) = deadly(&message) {
                panic!("{} would end by {:?}: {why}", self.step, label(&message));
            }
            if message.metadata.contains_key("bubu-heartbeat") {
                continue;
            }
            if self.numbered {
                self.engram.control.done(envelope(&message)).await;
            }
            if label(&message) == last {
                return got;
            }
            got.push(message);
        }
    }
}
