//! `HubService.Process` (spec 2.2): one stream, registered by name. For engrams without
//! a binding, and for hubs that serve no connectors.
//!
//! It has no control channel: of directives, `interrupt` and `keyframe` travel as
//! frameless packets (spec 2.5); others have no way.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use prost::Message;
use tokio::sync::mpsc;
use tonic::Streaming;
use tonic::metadata::MetadataMap;
use transport_proto::names::metadata::{HUB_CONTROL, TURN};
use transport_proto::names::request;
use transport_proto::v1::{
    DataPacket, FlowControl, FlowControlSignal, PartitionAck, ProcessRequest,
};
use transport_proto::view::{Dialect, PacketBytes, PacketView, parse_process};
use transport_proto::wire::put_varint;

use super::connector::{ACCEPT, pause};
use super::{
    Connection, ControlIn, ControlOut, CumulativeAck, Ended, Hello, IN_HAND, Transport, dial,
};
use crate::control::ControlDirective;

const PROCESS: &str = "/transport.v1.HubService/Process";

/// As what an engram registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `host:port` of the hub.
    pub endpoint: String,
    /// Namespace of the run.
    pub namespace: String,
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// From 1; a higher one takes the step over from a lower.
    pub generation: u32,
}

/// Registers with a hub.
#[derive(Clone, Debug)]
pub struct Process {
    registration: Registration,
    dial_timeout: Duration,
}

impl Process {
    /// A transport that registers so.
    #[must_use]
    pub fn new(registration: Registration, dial_timeout: Duration) -> Self {
        Self {
            registration,
            dial_timeout,
        }
    }

    fn metadata(&self, hello: &Hello) -> Result<MetadataMap, Ended> {
        let Registration {
            namespace,
            run,
            step,
            generation,
            ..
        } = &self.registration;
        let mut metadata = MetadataMap::new();
        for (key, value) in [
            (request::PROTOCOL, request::PROTOCOL_VERSION),
            (request::STORYRUN_NAME, run),
            (request::STORYRUN_NAMESPACE, namespace),
            (request::CURRENT_STEP_ID, step),
            (request::CONNECTOR_GENERATION, &generation.to_string()),
            (request::STARTUP_CAPABILITIES, "none"),
            (request::PRODUCER_EPOCH, &hello.producer_epoch),
            (request::ACCEPT, ACCEPT),
        ] {
            dial::put(&mut metadata, key, value)?;
        }
        Ok(metadata)
    }
}

impl Transport for Process {
    fn dialect(&self) -> Dialect {
        Dialect::Packet
    }

    async fn connect(&mut self, hello: &Hello) -> Result<Connection, Ended> {
        let metadata = self.metadata(hello)?;
        let channel = dial::dial(&self.registration.endpoint, self.dial_timeout).await?;
        let (packets_out, packets) = mpsc::channel(IN_HAND);
        let (control_out, told) = mpsc::channel(IN_HAND);
        let messages = messages(packets, told);
        let answers = dial::open(&channel, PROCESS, metadata, messages).await?;
        let (packets_to, packets_in) = mpsc::channel(IN_HAND);
        let (control_to, control_in) = mpsc::channel(IN_HAND);
        tokio::spawn(read(answers, packets_to, control_to));
        Ok(Connection {
            handshakes: false,
            packets_out,
            control_out,
            packets_in,
            control_in,
        })
    }
}

/// Both queues as one stream of messages, acks first; it ends with the packets.
fn messages(
    packets: mpsc::Receiver<Bytes>,
    told: mpsc::Receiver<ControlOut>,
) -> impl futures_util::Stream<Item = Bytes> + Send + 'static {
    stream::unfold((packets, told), |(mut packets, mut told)| async move {
        let message = tokio::select! {
            biased;
            Some(told) = told.recv() => told_message(&told),
            packet = packets.recv() => around(&packet?),
        };
        Some((message, (packets, told)))
    })
    .filter(|message| std::future::ready(!message.is_empty()))
}

/// A `ProcessRequest` that has only a packet.
fn around(packet: &Bytes) -> Bytes {
    let mut message = BytesMut::with_capacity(packet.len() + 6);
    message.put_u8(0x0a);
    put_varint(&mut message, packet.len() as u64);
    message.extend_from_slice(packet);
    message.freeze()
}

/// What goes beside packets; empty for what has no way.
fn told_message(told: &ControlOut) -> Bytes {
    let request = match told {
        ControlOut::Ack(ack) => ProcessRequest {
            packet: None,
            flow: Some(flow(ack)),
        },
        ControlOut::Directive(directive) => match control_packet(directive) {
            Some(packet) => ProcessRequest {
                packet: Some(packet),
                flow: None,
            },
            None => return Bytes::new(),
        },
        ControlOut::Receipt(_) => return Bytes::new(),
    };
    request.encode_to_vec().into()
}

fn flow(ack: &CumulativeAck) -> FlowControl {
    let partition_ack = |(partition, ack): &(String, u64)| PartitionAck {
        partition: partition.clone(),
        ack: *ack,
    };
    FlowControl {
        ack: ack.ack,
        credits_messages: ack.credit_messages,
        credits_bytes: ack.credit_bytes,
        partition_acks: ack.partitions.iter().map(partition_ack).collect(),
        ..FlowControl::default()
    }
}

/// The packet that carries a directive (spec 2.5).
fn control_packet(directive: &ControlDirective) -> Option<DataPacket> {
    if !(directive.is("interrupt") || directive.is("keyframe")) {
        return None;
    }
    let mut metadata = directive.metadata.clone();
    if let Some(turn) = metadata.remove("turn") {
        metadata.insert(TURN.to_owned(), turn);
    }
    metadata.insert(HUB_CONTROL.to_owned(), directive.kind.to_ascii_lowercase());
    Some(DataPacket {
        metadata,
        ..DataPacket::default()
    })
}

/// The directive that a packet carries.
fn directive_of(packet: &Bytes) -> Option<ControlDirective> {
    let view = PacketView::parse_in_process(packet, Dialect::Packet).ok()?;
    if view.frame().is_some() {
        return None;
    }
    let kind = match view.metadata(packet, HUB_CONTROL)? {
        // Told on Control under this name.
        "draining" => "handoff.draining",
        other => other,
    };
    let mut directive = ControlDirective::new(kind);
    for (key, value) in view.metadata_pairs(packet) {
        directive = match key {
            HUB_CONTROL => directive,
            TURN => directive.with("turn", value),
            other => directive.with(other, value),
        };
    }
    Some(directive)
}

/// Reads the stream until it ends, or nobody wants it any more.
async fn read(
    mut stream: Streaming<Bytes>,
    packets: mpsc::Sender<Bytes>,
    control: mpsc::Sender<ControlIn>,
) {
    let ended = loop {
        let message = tokio::select! {
            message = stream.message() => message,
            () = control.closed() => return,
        };
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => {
                break Ended {
                    code: 0,
                    message: String::new(),
                };
            }
            Err(status) => break status.into(),
        };
        let Ok(process) = parse_process(&message) else {
            break Ended::unavailable("the hub sent no ProcessResponse");
        };
        if let Some(flow) = &process.flow {
            let signal = FlowControlSignal::try_from(flow.signal).unwrap_or_default();
            let event = ControlIn::Flow {
                ack: flow.ack,
                pause: pause(signal),
            };
            if control.send(event).await.is_err() {
                return;
            }
        }
        let packet = match process.packet {
            PacketBytes::Absent => continue,
            PacketBytes::At(range) => message.slice(range),
            PacketBytes::Merged(merged) => merged,
        };
        let sent = match directive_of(&packet) {
            Some(directive) => control.send(ControlIn::Directive(directive)).await.is_ok(),
            None => packets.send(packet).await.is_ok(),
        };
        if !sent {
            return;
        }
    };
    // Nobody listens any more: then nobody cares how it ended.
    let _ = control.send(ControlIn::Ended(ended)).await;
}
