//! A producer that numbers its packets and sends again what was not acked, and a consumer that
//! writes down what it gets, both of which reconnect for as long as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use prost::Message;
use tokio::sync::watch;
use tokio::time::timeout;
use transport_proto::v1;

use crate::client::{Connection, Process};
pub use crate::rig::AT_LEAST_ONCE;
use crate::rig::{self, Hub, label};

/// Packets that a producer has under way.
const WINDOW: u64 = 32;
/// The consumer receipts every so many.
const RECEIPT_EVERY: u64 = 7;
/// Or when nothing has come for so long.
const RECEIPT_AFTER: Duration = Duration::from_millis(20);

/// A hub that notices soon who is gone.
pub fn hub() -> Hub {
    let mut config = rig::config();
    config.heartbeat.interval = Duration::from_millis(100);
    config.heartbeat.timeout = Duration::from_millis(400);
    Hub::with(config, AT_LEAST_ONCE)
}

/// Where the hub is to be found, which may change.
pub type Address = watch::Receiver<SocketAddr>;

/// How many packets there are to be, which may change.
pub type Total = watch::Receiver<u64>;

/// A total that stays.
pub fn all(total: u64) -> Total {
    watch::channel(total).1
}

/// An address that stays.
pub fn fixed(addr: SocketAddr) -> Address {
    watch::channel(addr).1
}

async fn registered(address: &Address, changes: &[(&str, &str)]) -> Process {
    loop {
        let addr = *address.borrow();
        if let Some(mut connection) = Connection::try_open(addr).await
            && let Some(process) = connection.try_process(changes).await
        {
            return process;
        }
        tokio::task::yield_now().await;
    }
}

/// Sends packets 1 to `total`, each until the hub has acked it, and tells `acked` how far that is.
pub async fn produce(address: Address, total: Total, acked: watch::Sender<u64>) {
    let metadata = [("hub-producer-epoch", "e7"), ("current-step-id", "src")];
    while *acked.borrow() < *total.borrow() {
        let mut process = registered(&address, &metadata).await;
        let mut next = *acked.borrow() + 1;
        loop {
            while next <= (*total.borrow()).min(*acked.borrow() + WINDOW) {
                if process
                    .send
                    .send_data(numbered(next).into(), false)
                    .is_err()
                {
                    break;
                }
                next += 1;
            }
            match process.try_flow().await {
                Ok(flow) if flow.ack > *acked.borrow() => acked.send_replace(flow.ack),
                Ok(_) => continue,
                Err(_) => break,
            };
            if *acked.borrow() >= *total.borrow() {
                break;
            }
        }
    }
}

fn numbered(number: u64) -> Vec<u8> {
    let mut packet = rig::packet(&number.to_string(), 10);
    packet.envelope = Some(v1::StreamEnvelope {
        sequence: number,
        ..v1::StreamEnvelope::default()
    });
    let request = v1::ProcessRequest {
        packet: Some(packet),
        flow: None,
    };
    rig::framed(&request.encode_to_vec())
}

/// What a consumer has got.
#[derive(Debug, Default)]
pub struct Got {
    /// By identity, the producer's number.
    by_identity: BTreeMap<(String, u64), u64>,
    numbers: BTreeSet<u64>,
    /// The numbers in the order in which they came first.
    pub first: Vec<u64>,
    /// Packets that came more than once under one identity.
    pub again: u64,
    /// Numbers that came under more than one identity.
    pub renamed: u64,
}

impl Got {
    fn note(&mut self, packet: &v1::DataPacket) {
        let number: u64 = label(packet).parse().expect("a number");
        let envelope = packet.envelope.as_ref().expect("an envelope");
        let identity = (envelope.stream_id.clone(), envelope.sequence);
        match self.by_identity.insert(identity.clone(), number) {
            Some(before) => {
                assert_eq!(before, number, "{identity:?} names two packets");
                self.again += 1;
            }
            None if !self.numbers.insert(number) => self.renamed += 1,
            None => self.first.push(number),
        }
    }

    /// Everything came, in order.
    pub fn assert_complete(&self, total: u64) {
        assert_eq!(self.first, (1..=total).collect::<Vec<_>>());
    }
}

/// Takes in packets until `total` different ones have come, telling `seen` how many have.
pub async fn consume(address: Address, total: Total, seen: watch::Sender<u64>) -> Got {
    let mut got = Got::default();
    while (got.first.len() as u64) < *total.borrow() {
        let mut process = registered(&address, &[("current-step-id", "a")]).await;
        let (mut taken, mut owed) = (0, 0);
        while (got.first.len() as u64) < *total.borrow() {
            let packet = match timeout(RECEIPT_AFTER, process.try_next()).await {
                Ok(Ok(packet)) => packet,
                Ok(Err(_)) => break,
                Err(_elapsed) => {
                    process.try_ack(owed);
                    continue;
                }
            };
            if packet.metadata.contains_key("bubu-heartbeat") {
                continue;
            }
            got.note(&packet);
            taken += 1;
            seen.send_replace(got.first.len() as u64);
            owed = packet.envelope.map_or(0, |e| e.sequence);
            if taken % RECEIPT_EVERY == 0 {
                process.try_ack(owed);
            }
        }
        process.try_ack(owed);
    }
    got
}
