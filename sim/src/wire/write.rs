//! Encoding what clients send.

use super::read::Kind;

/// A `DataPacket` to be sent.
#[derive(Clone, Debug)]
pub struct PacketOut<'a> {
    /// Pairs of metadata.
    pub metadata: &'a [(&'a str, String)],
    /// Which frame carries the payload.
    pub kind: Kind,
    /// The payload.
    pub body: &'a [u8],
    /// The envelope, if there is one.
    pub envelope: Option<EnvelopeOut<'a>>,
}

/// A `StreamEnvelope` to be sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeOut<'a> {
    /// The client's own name for its stream; chunks need one.
    pub stream_id: &'a str,
    /// The client's own number.
    pub sequence: u64,
    /// Partition.
    pub partition: &'a str,
    /// Names the chunk set.
    pub chunk_id: &'a str,
    /// Chunk's place.
    pub chunk_index: u32,
    /// Chunks of the set; 0 without chunks.
    pub chunk_count: u32,
}

/// A `FlowControl` to be sent.
#[derive(Clone, Debug, Default)]
pub struct FlowOut {
    /// Cumulative receipt of the stream.
    pub ack: u64,
    /// Messages returned.
    pub credits_messages: u32,
    /// Bytes returned.
    pub credits_bytes: u32,
    /// Cumulative receipts by partition.
    pub partition_acks: Vec<(String, u64)>,
}

/// `message` with its gRPC prefix.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 5);
    out.push(0);
    out.extend_from_slice(&(message.len() as u32).to_be_bytes());
    out.extend_from_slice(message);
    out
}

/// A `ProcessRequest`.
pub fn process_request(packet: Option<&[u8]>, flow: Option<&FlowOut>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(packet) = packet {
        put_bytes(&mut out, 1, packet);
    }
    if let Some(flow) = flow {
        let mut body = Vec::new();
        put_number(&mut body, 1, flow.ack);
        put_number(&mut body, 2, u64::from(flow.credits_messages));
        put_number(&mut body, 3, u64::from(flow.credits_bytes));
        for (partition, ack) in &flow.partition_acks {
            let mut entry = Vec::new();
            put_text(&mut entry, 1, partition);
            put_number(&mut entry, 2, *ack);
            put_bytes(&mut body, 6, &entry);
        }
        put_bytes(&mut out, 2, &body);
    }
    out
}

/// A `DataPacket`.
pub fn packet(packet: &PacketOut<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(packet.body.len() + 96);
    put_metadata(&mut out, 1, packet.metadata);
    let mut frame = Vec::with_capacity(packet.body.len() + 32);
    put_bytes(&mut frame, 1, packet.body);
    let number = match packet.kind {
        Kind::None => None,
        Kind::Audio => {
            put_number(&mut frame, 2, 16_000);
            put_number(&mut frame, 3, 1);
            Some(5)
        }
        Kind::Video => {
            put_text(&mut frame, 2, "h264");
            Some(6)
        }
        Kind::Binary => {
            put_text(&mut frame, 2, "application/octet-stream");
            Some(7)
        }
    };
    if let Some(number) = number {
        put_bytes(&mut out, number, &frame);
    }
    if let Some(envelope) = packet.envelope {
        let mut body = Vec::new();
        put_text(&mut body, 1, envelope.stream_id);
        put_number(&mut body, 2, envelope.sequence);
        put_text(&mut body, 3, envelope.partition);
        put_text(&mut body, 4, envelope.chunk_id);
        put_number(&mut body, 5, u64::from(envelope.chunk_index));
        put_number(&mut body, 6, u64::from(envelope.chunk_count));
        put_bytes(&mut out, 8, &body);
    }
    out
}

/// A `ControlRequest` with a custom action.
pub fn control_request(action: &str, metadata: &[(&str, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    put_metadata(&mut out, 2, metadata);
    put_text(&mut out, 4, action);
    out
}

fn put_metadata(out: &mut Vec<u8>, number: u32, metadata: &[(&str, String)]) {
    for (key, value) in metadata {
        let mut entry = Vec::with_capacity(key.len() + value.len() + 4);
        put_text(&mut entry, 1, key);
        put_text(&mut entry, 2, value);
        put_bytes(out, number, &entry);
    }
}

fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Leaves 0 out, as proto3 encoders do.
fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number << 3));
        put_varint(out, value);
    }
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, number, text.as_bytes());
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
