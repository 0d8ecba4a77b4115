//! A spliced packet decodes to what decoding, editing and encoding the original
//! would give. The generated types are the oracle.

mod arbitrary;

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::packet::{WrongWires, dialect, encoded_packet, json_object, key};
use bytes::BytesMut;
use proptest::prelude::*;
use prost::Message as _;
use prost_types::Struct;
use transport_proto::contract;
use transport_proto::merged::{Merged, Value};
use transport_proto::splice::{
    Cut, Kept, envelope_len, inputs_len, metadata_len, payload_len, process_head_len, put_envelope,
    put_inputs, put_metadata, put_payload, put_process_head,
};
use transport_proto::v1;
use transport_proto::view::{Dialect, PacketView};

/// Decodes a packet of either dialect into the types of one.
fn decode(dialect: Dialect, bytes: &[u8]) -> v1::DataPacket {
    match dialect {
        Dialect::Packet => v1::DataPacket::decode(bytes).expect("a packet"),
        Dialect::Connector => {
            let data = v1::DataResponse::decode(bytes).expect("a packet");
            v1::DataPacket {
                metadata: data.metadata,
                payload: data.payload,
                inputs: data.inputs,
                transports: data.transports,
                envelope: data.envelope,
                frame: data.frame.map(frame),
            }
        }
    }
}

fn frame(frame: v1::data_response::Frame) -> v1::data_packet::Frame {
    match frame {
        v1::data_response::Frame::Audio(audio) => v1::data_packet::Frame::Audio(audio),
        v1::data_response::Frame::Video(video) => v1::data_packet::Frame::Video(video),
        v1::data_response::Frame::Binary(binary) => v1::data_packet::Frame::Binary(binary),
    }
}

/// What is taken out of a packet and what is appended.
#[derive(Clone, Debug)]
struct Edit {
    keys: Vec<String>,
    envelope: bool,
    inputs: bool,
    payload: bool,
    frame: bool,
    metadata: Vec<(String, String)>,
    new_inputs: Option<Struct>,
    new_payload: Option<Struct>,
    stamp: Option<(String, u64)>,
}

fn edit() -> impl Strategy<Value = Edit> {
    let cuts = (prop::collection::vec(key(), 0..4), any::<[bool; 4]>());
    let sequence = prop_oneof![Just(0), 1..1000_u64, any::<u64>()];
    let tail = (
        prop::collection::vec((key(), "[ -~é]{0,12}"), 0..4),
        prop::option::of(json_object()),
        prop::option::of(json_object()),
        prop::option::of(("[a-z/@]{0,40}", sequence)),
    );
    (cuts, tail).prop_map(
        |(
            (keys, [envelope, inputs, payload, frame]),
            (metadata, new_inputs, new_payload, stamp),
        )| {
            Edit {
                keys,
                envelope,
                inputs,
                payload,
                frame,
                metadata,
                new_inputs,
                new_payload,
                stamp,
            }
        },
    )
}

impl Edit {
    fn keys(&self) -> Vec<&str> {
        self.keys.iter().map(String::as_str).collect()
    }

    fn cut<'a>(&self, metadata_keys: &'a [&'a str]) -> Cut<'a> {
        Cut {
            metadata_keys,
            envelope: self.envelope,
            inputs: self.inputs,
            payload: self.payload,
            frame: self.frame,
        }
    }

    /// Splices, and holds every length that was told beforehand to what was written.
    fn splice(&self, packet: &[u8], view: &PacketView, to: Dialect) -> BytesMut {
        let keys = self.keys();
        let kept = Kept::of(packet, view, &self.cut(&keys));
        let mut out = BytesMut::new();
        let mut told = kept.len();
        kept.copy_renumbered(packet, view, to, &mut out);
        for (key, value) in &self.metadata {
            told += metadata_len(key, value);
            put_metadata(&mut out, to, key, value);
        }
        if let Some(inputs) = &self.new_inputs {
            told += inputs_len(inputs.encoded_len());
            put_inputs(&mut out, to, &inputs.encode_to_vec());
        }
        if let Some(payload) = &self.new_payload {
            told += payload_len(payload.encoded_len());
            put_payload(&mut out, to, &payload.encode_to_vec());
        }
        if let Some((stream_id, sequence)) = &self.stamp {
            told += envelope_len(packet, view, stream_id, *sequence);
            put_envelope(&mut out, to, packet, view, stream_id, *sequence);
        }
        assert_eq!(out.len(), told);
        out
    }

    /// The same edit on the decoded packet.
    fn apply(&self, packet: &mut v1::DataPacket) {
        let original = packet.envelope.clone();
        packet.metadata.retain(|key, _| !self.keys.contains(key));
        packet.metadata.extend(self.metadata.iter().cloned());
        if self.envelope {
            packet.envelope = None;
        }
        if self.frame {
            packet.frame = None;
        }
        replace(&mut packet.inputs, self.inputs, self.new_inputs.as_ref());
        replace(&mut packet.payload, self.payload, self.new_payload.as_ref());
        if let Some((stream_id, sequence)) = &self.stamp {
            packet.envelope = Some(v1::StreamEnvelope {
                stream_id: stream_id.clone(),
                sequence: *sequence,
                ..original.unwrap_or_default()
            });
        }
    }
}

/// What is not cut merges: fields of the new Struct replace those of the old one.
fn replace(place: &mut Option<Struct>, cut: bool, new: Option<&Struct>) {
    if cut {
        *place = None;
    }
    if let Some(new) = new {
        let fields = &mut place.get_or_insert_default().fields;
        fields.extend(new.fields.clone());
    }
}

/// Unknown fields at the top of a message, byte for byte.
fn unknown(dialect: Dialect, bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let message = match dialect {
        Dialect::Packet => &contract::DATA_PACKET,
        Dialect::Connector => &contract::DATA_REQUEST,
    };
    Merged::decode(message, bytes).expect("a packet").unknown
}

/// Unknown fields of the envelope, byte for byte.
fn unknown_of_envelope(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let merged = Merged::decode(&contract::DATA_PACKET, bytes).expect("a packet");
    let Some(Value::Message(envelope)) = merged.get("envelope") else {
        return Vec::new();
    };
    let unknown = envelope.unknown.iter();
    unknown.map(|(tag, value)| (*tag, value.to_vec())).collect()
}

proptest! {
    #[test]
    fn a_splice_is_what_decoding_editing_and_encoding_gives(
        (from, packet) in encoded_packet(WrongWires::Never),
        to in dialect(),
        edit in edit(),
    ) {
        let view = PacketView::parse(&packet, from).expect("a packet");
        let spliced = edit.splice(&packet, &view, to);
        let mut expected = decode(from, &packet);
        edit.apply(&mut expected);
        prop_assert_eq!(decode(to, &spliced), expected);
    }

    #[test]
    fn renumbering_gives_the_same_content_in_as_many_bytes_and_back_again(
        (from, packet) in encoded_packet(WrongWires::Never),
    ) {
        let to = other(from);
        let view = PacketView::parse(&packet, from).expect("a packet");
        let whole = Kept::of(&packet, &view, &Cut::default());
        let mut there = BytesMut::new();
        whole.copy_renumbered(&packet, &view, to, &mut there);
        prop_assert_eq!(there.len(), packet.len());
        prop_assert_eq!(decode(to, &there), decode(from, &packet));

        let view = PacketView::parse(&there, to).expect("a packet");
        let whole = Kept::of(&there, &view, &Cut::default());
        let mut back = BytesMut::new();
        whole.copy_renumbered(&there, &view, from, &mut back);
        prop_assert_eq!(back, packet);
    }

    #[test]
    fn fields_handed_out_one_by_one_are_those_that_are_copied(
        (from, packet) in encoded_packet(WrongWires::Sometimes),
        to in dialect(),
        edit in edit(),
    ) {
        let view = PacketView::parse(&packet, from).expect("a packet");
        let keys = edit.keys();
        let kept = Kept::of(&packet, &view, &edit.cut(&keys));
        let mut copied = BytesMut::new();
        kept.copy_renumbered(&packet, &view, to, &mut copied);
        let mut handed = BytesMut::new();
        kept.each_renumbered(&packet, &view, to, |tag, range| {
            handed.extend(tag);
            handed.extend_from_slice(&packet[range]);
        });
        prop_assert_eq!(handed, copied);
    }

    #[test]
    fn unknown_fields_survive_byte_for_byte(
        (from, packet) in encoded_packet(WrongWires::Sometimes),
        to in dialect(),
        edit in edit(),
    ) {
        let view = PacketView::parse(&packet, from).expect("a packet");
        let spliced = edit.splice(&packet, &view, to);
        prop_assert_eq!(unknown(to, &spliced), unknown(from, &packet));
    }

    #[test]
    fn unknown_fields_of_an_envelope_survive_its_new_identity(
        (from, packet) in encoded_packet(WrongWires::Sometimes),
        sequence in any::<u64>(),
    ) {
        let view = PacketView::parse(&packet, from).expect("a packet");
        let cut = Cut { envelope: true, ..Cut::default() };
        let kept = Kept::of(&packet, &view, &cut);
        let mut out = BytesMut::new();
        kept.copy_renumbered(&packet, &view, Dialect::Packet, &mut out);
        put_envelope(&mut out, Dialect::Packet, &packet, &view, "s", sequence);

        let mut before = BytesMut::new();
        Kept::of(&packet, &view, &Cut::default())
            .copy_renumbered(&packet, &view, Dialect::Packet, &mut before);
        prop_assert_eq!(unknown_of_envelope(&out), unknown_of_envelope(&before));
        let again = PacketView::parse(&out, Dialect::Packet).expect("a packet");
        prop_assert_eq!(again.envelope_has_more(), view.envelope_has_more());
        let envelope = again.envelope().expect("the new envelope");
        prop_assert_eq!((envelope.stream_id(&out), envelope.sequence()), ("s", sequence));
    }

    #[test]
    fn what_is_kept_and_what_is_cut_add_up(
        (from, packet) in encoded_packet(WrongWires::Sometimes),
        edit in edit(),
    ) {
        let view = PacketView::parse(&packet, from).expect("a packet");
        let keys = edit.keys();
        let kept = Kept::of(&packet, &view, &edit.cut(&keys));
        let ascending = kept.ranges().is_sorted_by(|before, after| before.end < after.start);
        prop_assert!(ascending, "{:?}", kept.ranges());
        prop_assert_eq!(kept.len(), kept.ranges().iter().map(|range| range.len()).sum::<usize>());
        prop_assert_eq!(kept.is_empty(), kept.ranges().is_empty());

        let cut: BTreeSet<&str> = keys.iter().copied().collect();
        let pairs: BTreeMap<&str, &str> = view.metadata_pairs(&packet).collect();
        let taken = pairs.keys().filter(|key| cut.contains(*key)).count();
        prop_assert_eq!(edit.cut(&keys).pairs_in(&packet, &view), taken);
        prop_assert_eq!(view.distinct_metadata(&packet), pairs.len());
    }

    #[test]
    fn a_process_head_frames_a_packet_of_any_length(
        packet in prop::collection::vec(any::<u8>(), 0..20_000),
    ) {
        let mut out = BytesMut::new();
        put_process_head(&mut out, packet.len());
        prop_assert_eq!(out.len(), process_head_len(packet.len()));
        out.extend_from_slice(&packet);
        let (head, message) = out.split_at(5);
        prop_assert_eq!(head[0], 0);
        let told = u32::from_be_bytes(head[1..].try_into().expect("four bytes"));
        prop_assert_eq!(told as usize, message.len());
        let process = transport_proto::view::parse_process(message).expect("a process message");
        let transport_proto::view::PacketBytes::At(range) = process.packet else {
            panic!("a packet");
        };
        prop_assert_eq!(&message[range], &packet[..]);
    }
}

fn other(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::Packet => Dialect::Connector,
        Dialect::Connector => Dialect::Packet,
    }
}
