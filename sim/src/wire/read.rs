//! Decoding what the hub sends, and what it was sent.

use super::{HEARTBEAT_KEY, TAG_KEY, TURN_KEY, Tag};

/// Which frame a packet carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// None: the payload lane.
    #[default]
    None,
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// Binary.
    Binary,
}

/// A `StreamEnvelope`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Stream.
    pub stream_id: String,
    /// Sequence.
    pub sequence: u64,
    /// Partition, may be empty.
    pub partition: String,
    /// Chunk set.
    pub chunk_id: String,
    /// Place in the set.
    pub chunk_index: u64,
    /// Size of the set; 0 without chunks.
    pub chunk_count: u64,
}

/// A `DataPacket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Pairs of metadata, the last of a key counts.
    pub metadata: Vec<(String, String)>,
    /// The frame's kind.
    pub kind: Kind,
    /// The frame's payload.
    pub body: Vec<u8>,
    /// The envelope.
    pub envelope: Envelope,
}

/// A `FlowControl`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Cumulative receipt.
    pub ack: u64,
    /// Messages returned.
    pub credits_messages: u64,
    /// Bytes returned.
    pub credits_bytes: u64,
    /// Cumulative receipts by partition.
    pub partition_acks: Vec<(String, u64)>,
    /// 1 pause, 2 resume.
    pub signal: u64,
}

/// A `ProcessRequest` or `ProcessResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// The packet.
    pub packet: Option<Packet>,
    /// What stands beside it.
    pub flow: Option<Flow>,
}

/// A `ControlRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Custom action.
    pub action: String,
    /// Metadata.
    pub metadata: Vec<(String, String)>,
}

impl Packet {
    /// The last value of a metadata key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        last(&self.metadata, key)
    }

    /// Whether it is a heartbeat.
    pub fn is_heartbeat(&self) -> bool {
        self.metadata(HEARTBEAT_KEY) == Some("true")
    }

    /// Whose payload it is.
    pub fn tag(&self) -> Option<Tag> {
        Tag::parse(self.metadata(TAG_KEY)?)
    }

    /// The turn that it names.
    pub fn turn(&self) -> Option<u64> {
        self.metadata(TURN_KEY)?.parse().ok()
    }
}

impl Control {
    /// The last value of a metadata key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        last(&self.metadata, key)
    }
}

fn last<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let pair = pairs.iter().rev().find(|(k, _)| k == key)?;
    Some(&pair.1)
}

/// Reads a `ProcessRequest` or `ProcessResponse`; `None` when these bytes are none.
pub fn process(message: &[u8]) -> Option<Process> {
    let mut out = Process::default();
    for_each(message, |field, value| match (field, value) {
        (1, Value::Bytes(b)) => read_packet(b, out.packet.get_or_insert_with(Packet::default)),
        (2, Value::Bytes(b)) => read_flow(b, out.flow.get_or_insert_with(Flow::default)),
        _ => Some(()),
    })?;
    Some(out)
}

/// Reads a `ControlRequest`.
pub fn control(message: &[u8]) -> Option<Control> {
    let mut out = Control::default();
    for_each(message, |field, value| {
        match (field, value) {
            (2, Value::Bytes(b)) => out.metadata.push(pair(b)?),
            (4, Value::Bytes(b)) => out.action = text(b)?,
            _ => {}
        }
        Some(())
    })?;
    Some(out)
}

fn read_packet(bytes: &[u8], out: &mut Packet) -> Option<()> {
    for_each(bytes, |field, value| {
        match (field, value) {
            (1, Value::Bytes(b)) => out.metadata.push(pair(b)?),
            (5..=7, Value::Bytes(b)) => {
                out.kind = [Kind::Audio, Kind::Video, Kind::Binary][field as usize - 5];
                for_each(b, |field, value| {
                    if let (1, Value::Bytes(body)) = (field, value) {
                        out.body = body.to_vec();
                    }
                    Some(())
                })?;
            }
            (8, Value::Bytes(b)) => read_envelope(b, &mut out.envelope)?,
            _ => {}
        }
        Some(())
    })
}

fn read_envelope(bytes: &[u8], out: &mut Envelope) -> Option<()> {
    for_each(bytes, |field, value| {
        match (field, value) {
            (1, Value::Bytes(b)) => out.stream_id = text(b)?,
            (2, Value::Number(n)) => out.sequence = n,
            (3, Value::Bytes(b)) => out.partition = text(b)?,
            (4, Value::Bytes(b)) => out.chunk_id = text(b)?,
            (5, Value::Number(n)) => out.chunk_index = n,
            (6, Value::Number(n)) => out.chunk_count = n,
            _ => {}
        }
        Some(())
    })
}

fn read_flow(bytes: &[u8], out: &mut Flow) -> Option<()> {
    for_each(bytes, |field, value| {
        match (field, value) {
            (1, Value::Number(n)) => out.ack = n,
            (2, Value::Number(n)) => out.credits_messages = n,
            (3, Value::Number(n)) => out.credits_bytes = n,
            (6, Value::Bytes(b)) => {
                let (mut partition, mut ack) = (String::new(), 0);
                for_each(b, |field, value| {
                    match (field, value) {
                        (1, Value::Bytes(b)) => partition = text(b)?,
                        (2, Value::Number(n)) => ack = n,
                        _ => {}
                    }
                    Some(())
                })?;
                out.partition_acks.push((partition, ack));
            }
            (7, Value::Number(n)) => out.signal = n,
            _ => {}
        }
        Some(())
    })
}

fn pair(bytes: &[u8]) -> Option<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    for_each(bytes, |field, part| {
        match (field, part) {
            (1, Value::Bytes(b)) => key = text(b)?,
            (2, Value::Bytes(b)) => value = text(b)?,
            _ => {}
        }
        Some(())
    })?;
    Some((key, value))
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn for_each<'a>(
    mut bytes: &'a [u8],
    mut each: impl FnMut(u64, Value<'a>) -> Option<()>,
) -> Option<()> {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            2 => {
                let len = usize::try_from(varint(&mut bytes)?).ok()?;
                let (body, rest) = bytes.split_at_checked(len)?;
                bytes = rest;
                Value::Bytes(body)
            }
            _ => return None,
        };
        each(tag >> 3, value)?;
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{EnvelopeOut, FlowOut, PacketOut, control_request, packet, process_request};
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let metadata = [
            ("tag", "1.2.3.0.2".to_owned()),
            ("bubu.turn", "4".to_owned()),
        ];
        let envelope = EnvelopeOut {
            stream_id: "own",
            sequence: 300,
            partition: "a",
            chunk_id: "c",
            chunk_index: 1,
            chunk_count: 2,
        };
        let out = PacketOut {
            metadata: &metadata,
            kind: Kind::Binary,
            body: &[7; 200],
            envelope: Some(envelope),
        };
        let flow = FlowOut {
            ack: 9,
            credits_messages: 1,
            credits_bytes: 70_000,
            partition_acks: vec![("a".to_owned(), 5)],
        };
        let read = process(&process_request(Some(&packet(&out)), Some(&flow))).unwrap();
        let got = read.packet.unwrap();
        assert_eq!(
            (got.kind, got.body.len(), got.turn()),
            (Kind::Binary, 200, Some(4))
        );
        assert_eq!(got.tag().map(|t| t.payload.number), Some(3));
        assert_eq!((got.envelope.sequence, got.envelope.chunk_count), (300, 2));
        let flow = read.flow.unwrap();
        assert_eq!((flow.ack, flow.credits_bytes), (9, 70_000));
        assert_eq!(flow.partition_acks, [("a".to_owned(), 5)]);
    }

    #[test]
    fn a_control_request_reads_back() {
        let read = control(&control_request("interrupt", &[("turn", "3".to_owned())])).unwrap();
        assert_eq!(
            (&*read.action, read.metadata("turn")),
            ("interrupt", Some("3"))
        );
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        assert_eq!(process(&[0x0a, 9, 1]), None);
    }
}
