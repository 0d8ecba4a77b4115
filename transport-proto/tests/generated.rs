//! The generated types, the tables and the view describe one contract.

mod arbitrary;

use arbitrary::packet::{WrongWires, encoded_packet};
use arbitrary::{damaged, packet};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use transport_proto::contract::{self, Count, Field, Kind};
use transport_proto::v1;
use transport_proto::view::{Dialect, PacketView};
use transport_proto::wire::{Cursor, LEN};

fn messages() -> Vec<DescriptorProto> {
    let set = FileDescriptorSet::decode(v1::FILE_DESCRIPTOR_SET).expect("descriptors");
    let ours = set
        .file
        .into_iter()
        .filter(|file| file.package() == "transport.v1");
    ours.flat_map(|file| file.message_type).collect()
}

/// The type as the `.proto` file spells it, packages left out.
fn type_of_table(field: &Field) -> String {
    match &field.kind {
        Kind::Text { .. } => "string".to_owned(),
        Kind::Bytes { .. } => "bytes".to_owned(),
        Kind::Int32 { .. } => "int32".to_owned(),
        Kind::Uint32 { .. } => "uint32".to_owned(),
        Kind::Uint64 => "uint64".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Enum { name } => (*name).to_owned(),
        Kind::Message(message) => message.name.to_owned(),
        Kind::Struct => "google.protobuf.Struct".to_owned(),
        Kind::Map(_) => "map<string, string>".to_owned(),
    }
}

fn type_of_descriptor(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let name = field.type_name().trim_start_matches('.');
    let name = name.trim_start_matches("transport.v1.");
    let entry = message
        .nested_type
        .iter()
        .find(|nested| name.ends_with(nested.name()));
    if let Some(entry) = entry {
        let types: Vec<Type> = entry
            .field
            .iter()
            .map(FieldDescriptorProto::r#type)
            .collect();
        assert_eq!(types, [Type::String, Type::String], "{name}");
        return "map<string, string>".to_owned();
    }
    match field.r#type() {
        Type::Message | Type::Enum => name.to_owned(),
        plain => plain
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
    }
}

#[test]
fn every_message_of_the_proto_files_has_its_table_and_the_other_way_round() {
    let mut of_files: Vec<String> = messages()
        .into_iter()
        .map(|message| message.name().to_owned())
        .collect();
    let mut of_tables: Vec<&str> = contract::MESSAGES
        .iter()
        .map(|message| message.name)
        .collect();
    of_files.sort();
    of_tables.sort_unstable();
    assert_eq!(of_files, of_tables);
}

#[test]
fn fields_have_the_same_names_numbers_and_types_in_files_and_tables() {
    for descriptor in messages() {
        let table = contract::message(descriptor.name()).expect("a table");
        let mut of_file: Vec<_> = descriptor
            .field
            .iter()
            .map(|field| {
                let kind = type_of_descriptor(&descriptor, field);
                let many = field.label() == Label::Repeated && !kind.starts_with("map");
                let one_of = field.oneof_index.is_some();
                (field.number() as u32, field.name(), kind, many, one_of)
            })
            .collect();
        of_file.sort_unstable();
        let of_table: Vec<_> = table
            .fields
            .iter()
            .map(|field| {
                let many = matches!(field.count, Count::Many { .. });
                let one_of = field.count == Count::OneOf;
                (field.number, field.name, type_of_table(field), many, one_of)
            })
            .collect();
        assert_eq!(of_file, of_table, "{}", descriptor.name());
    }
}

#[test]
fn numbers_and_names_of_older_versions_stay_reserved() {
    let reserved = |message: &str| {
        let descriptor = messages()
            .into_iter()
            .find(|descriptor| descriptor.name() == message)
            .expect("a message");
        let numbers: Vec<i32> = descriptor
            .reserved_range
            .iter()
            .flat_map(|range| range.start()..range.end())
            .collect();
        (numbers, descriptor.reserved_name)
    };
    let config = vec!["config".to_owned()];
    assert_eq!(reserved("TransportDescriptor"), (vec![4], config));
    assert_eq!(reserved("FlowControl"), (vec![4, 5], Vec::new()));
}

/// Whether the generated types decode these bytes.
fn decodes(dialect: Dialect, bytes: &[u8]) -> bool {
    match dialect {
        Dialect::Packet => v1::DataPacket::decode(bytes).is_ok(),
        Dialect::Connector => v1::DataRequest::decode(bytes).is_ok(),
    }
}

/// Whether the generated types decode these bytes, and find no Struct in them (whose maps
/// they may have read as in [`has_odd_metadata`]).
fn decodes_without_structs(dialect: Dialect, bytes: &[u8]) -> bool {
    match dialect {
        Dialect::Packet => v1::DataPacket::decode(bytes)
            .is_ok_and(|packet| packet.payload.is_none() && packet.inputs.is_none()),
        Dialect::Connector => v1::DataRequest::decode(bytes)
            .is_ok_and(|packet| packet.payload.is_none() && packet.inputs.is_none()),
    }
}

/// Whether a metadata field comes with another wire type than a map's. The generated
/// types read such a field as if it had the right one; receivers of the contract take it
/// for an unknown field.
fn has_odd_metadata(dialect: Dialect, bytes: &[u8]) -> bool {
    let number = match dialect {
        Dialect::Packet => 1,
        Dialect::Connector => 4,
    };
    let mut cursor = Cursor::new(bytes);
    while let Ok(tag) = cursor.tag() {
        if tag >> 3 == number && tag & 7 != LEN {
            return true;
        }
        if cursor.skip(tag).is_err() {
            break;
        }
    }
    false
}

proptest! {
    #[test]
    fn what_the_generated_types_decode_the_view_walks(
        (dialect, bytes) in encoded_packet(WrongWires::Sometimes)
            .prop_flat_map(|(dialect, bytes)| (Just(dialect), damaged(bytes)))
    ) {
        if decodes_without_structs(dialect, &bytes) && !has_odd_metadata(dialect, &bytes) {
            prop_assert!(PacketView::parse(&bytes, dialect).is_ok());
        }
    }

    #[test]
    fn packets_whose_fields_have_their_own_wire_types_decode_and_walk_alike(
        (dialect, bytes) in encoded_packet(WrongWires::Never)
    ) {
        prop_assert!(decodes(dialect, &bytes));
        prop_assert!(PacketView::parse(&bytes, dialect).is_ok());
    }

    #[test]
    fn the_view_reads_what_the_generated_types_read(
        parts in packet::packet(Dialect::Packet, WrongWires::Never)
    ) {
        let bytes = arbitrary::encode(&parts);
        let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
        let packet = v1::DataPacket::decode(&bytes[..]).expect("a packet");
        for (key, value) in &packet.metadata {
            prop_assert_eq!(view.metadata(&bytes, key), Some(value.as_str()));
        }
        prop_assert_eq!(view.distinct_metadata(&bytes), packet.metadata.len());
        let envelope = packet.envelope.unwrap_or_default();
        let found = view.envelope().copied().unwrap_or_default();
        prop_assert_eq!(found.stream_id(&bytes), envelope.stream_id);
        prop_assert_eq!(found.sequence(), envelope.sequence);
        prop_assert_eq!(found.chunk_count(), envelope.chunk_count);
        if let Some(v1::data_packet::Frame::Audio(audio)) = packet.frame {
            let frame = view.frame_view().expect("a frame");
            prop_assert_eq!(frame.sample_rate_hz(), Some(audio.sample_rate_hz));
            prop_assert_eq!(frame.channels(), Some(audio.channels));
            prop_assert_eq!(frame.timestamp_ms().unwrap_or_default(), audio.timestamp_ms);
            prop_assert_eq!(&bytes[frame.media()], &audio.pcm[..]);
        }
    }
}
