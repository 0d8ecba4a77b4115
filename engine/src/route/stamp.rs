//! What the hub writes onto every packet of one edge, encoded once.

use bytes::{Bytes, BytesMut};
use transport_proto::names::metadata as names;
use transport_proto::splice::{Identity, put_envelope, put_metadata, put_partitioned_envelope};
use transport_proto::view::{Dialect, PacketView};

/// Longest `stream_id` that a receiver accepts (spec 1), in characters.
const MAX_STREAM_ID: usize = 128;

/// Metadata keys that the hub writes; a packet's own values for them are cut out (spec 2.3).
pub(crate) const ROUTING_KEYS: [&str; 3] = [
    names::STORYRUN_NAME,
    names::STORYRUN_NAMESPACE,
    names::CURRENT_STEP_ID,
];

/// The stamp of one edge: routing metadata of the target and the best_effort envelope.
pub(crate) struct Stamp {
    stream_id: Box<str>,
    /// Metadata entries only: the start of `tail`.
    metadata_len: usize,
    /// Metadata entries, then an envelope with the stream id and an explicit sequence 0.
    tail: Bytes,
    /// The same with the last sequence that was asked for.
    numbered: BytesMut,
    /// Bytes that this sequence takes.
    sequence_len: usize,
}

impl Stamp {
    /// The stamp for packets that go to `step` of run `namespace`/`run`.
    pub(crate) fn new(namespace: &str, run: &str, step: &str, epoch: &str) -> Self {
        let stream_id = stream_id(namespace, run, step, epoch);
        let mut tail = BytesMut::with_capacity(256);
        for (key, value) in ROUTING_KEYS.into_iter().zip([run, namespace, step]) {
            put_metadata(&mut tail, Dialect::Packet, key, value);
        }
        let metadata_len = tail.len();
        if let Ok(empty) = PacketView::parse(&[], Dialect::Packet) {
            put_envelope(&mut tail, Dialect::Packet, &[], &empty, &stream_id, 0);
        }
        Self {
            stream_id: stream_id.into(),
            metadata_len,
            tail: tail.freeze(),
            numbered: BytesMut::new(),
            sequence_len: 0,
        }
    }

    /// The stream that packets of this edge belong to.
    pub(crate) fn stream_id(&self) -> &str {
        &self.stream_id
    }

    /// The tail for a packet that gets `sequence`.
    pub(crate) fn numbered_tail(&mut self, sequence: u64) -> &[u8] {
        // The sequence stands last; only its bytes change as long as it takes as many as before.
        let bits = u64::BITS - (sequence | 1).leading_zeros();
        let len = bits.div_ceil(7) as usize;
        if len != self.sequence_len {
            self.sequence_len = len;
            self.numbered.clear();
            self.numbered
                .extend_from_slice(&self.tail[..self.metadata_len]);
            if let Ok(empty) = PacketView::parse(&[], Dialect::Packet) {
                let out = &mut self.numbered;
                put_envelope(out, Dialect::Packet, &[], &empty, &self.stream_id, sequence);
            }
            return &self.numbered;
        }
        let at = self.numbered.len() - len;
        let mut rest = sequence;
        for (nth, byte) in self.numbered[at..].iter_mut().enumerate() {
            *byte = (rest as u8 & 0x7f) | if nth + 1 < len { 0x80 } else { 0 };
            rest >>= 7;
        }
        &self.numbered
    }

    /// The tail for a packet whose own envelope has nothing worth keeping.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// The tail for a packet whose envelope carries more (a partition, chunk fields, fields that
    /// this hub does not know): all of that stays, identity and sequence are written anew.
    pub(crate) fn tail_with_envelope(
        &self,
        packet: &[u8],
        view: &PacketView,
        sequence: u64,
    ) -> BytesMut {
        let mut tail = BytesMut::with_capacity(self.tail.len() + 128);
        tail.extend_from_slice(&self.tail[..self.metadata_len]);
        put_envelope(
            &mut tail,
            Dialect::Packet,
            packet,
            view,
            &self.stream_id,
            sequence,
        );
        tail
    }

    /// The tail for a packet that an edge changes: `fields` stand in for what was cut out of it, and
    /// it may get another partition.
    pub(crate) fn tail_with(
        &self,
        (packet, view): (&[u8], &PacketView),
        sequence: u64,
        (fields, partition): (&[u8], Option<&str>),
    ) -> BytesMut {
        let mut tail = if let Some(partition) = partition {
            let mut tail = BytesMut::with_capacity(self.tail.len() + 128 + fields.len());
            tail.extend_from_slice(&self.tail[..self.metadata_len]);
            let identity = Identity {
                stream_id: &self.stream_id,
                sequence,
                partition,
            };
            put_partitioned_envelope(&mut tail, Dialect::Packet, (packet, view), &identity);
            tail
        } else {
            self.tail_with_envelope(packet, view, sequence)
        };
        tail.extend_from_slice(fields);
        tail
    }
}

/// `<namespace>/<run>/<step>@<epoch>`; past 128 characters the name part becomes a hash, so that
/// no receiver refuses it (spec 2.4 rule 1).
pub(crate) fn stream_id(namespace: &str, run: &str, step: &str, epoch: &str) -> String {
    let name = format!("{namespace}/{run}/{step}");
    let id = format!("{name}@{epoch}");
    if id.chars().count() <= MAX_STREAM_ID {
        return id;
    }
    format!("{:032x}@{epoch}", fnv1a_128(name.as_bytes()))
}

/// FNV-1a, 128 bits (IETF draft-eastlake-fnv): stable between processes and versions.
fn fnv1a_128(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, &b| {
        (hash ^ u128::from(b)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_id_names_namespace_run_step_and_epoch() {
        assert_eq!(stream_id("calls", "r1", "stt", "k3"), "calls/r1/stt@k3");
    }

    #[test]
    fn a_numbered_tail_says_what_an_envelope_written_anew_would_say() {
        let mut stamp = Stamp::new("ns", "r", "s", "e1");
        let empty = PacketView::parse(&[], Dialect::Packet).unwrap();
        let around = [1, 2, 126, 127, 128, 129, 16_383, 16_384, 2_097_151, 1 << 35];
        for sequence in around.into_iter().chain([u64::MAX, 3, 500]) {
            let anew = stamp.tail_with_envelope(&[], &empty, sequence);
            assert_eq!(stamp.numbered_tail(sequence), anew, "{sequence}");
        }
    }

    #[test]
    fn a_long_name_becomes_a_hash_that_keeps_ids_apart() {
        let long = "n".repeat(200);
        let (a, b) = (
            stream_id("ns", &long, "a", "k3"),
            stream_id("ns", &long, "b", "k3"),
        );
        assert!(a.len() <= MAX_STREAM_ID && a.ends_with("@k3"));
        assert_ne!(a, b);
        assert_eq!(a, stream_id("ns", &long, "a", "k3"));
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a_128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a_128(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
