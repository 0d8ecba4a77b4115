//! The hot view and the table-driven judge come to the same verdict on any bytes,
//! and read the same facts out of them.

mod arbitrary;

use arbitrary::packet::{WrongWires, encoded_packet, packet, process};
use arbitrary::{damaged, encode};
use bytes::BytesMut;
use proptest::prelude::*;
use transport_proto::contract::{self, Message};
use transport_proto::merged::{Merged, Value};
use transport_proto::validate::{judge, validate};
use transport_proto::view::{Dialect, FrameKind, PacketBytes, PacketView, parse_process};
use transport_proto::wire::put_len_field;
use transport_proto::{Malformed, Violation};

fn message_of(dialect: Dialect) -> &'static Message {
    match dialect {
        Dialect::Packet => &contract::DATA_PACKET,
        Dialect::Connector => &contract::DATA_REQUEST,
    }
}

/// The path without map keys, as the hot view names it.
fn without_keys(violation: &Violation) -> (String, &'static str, bool) {
    let path = match violation.field.split_once("[\"") {
        Some((map, _)) => map.to_owned(),
        None => violation.field.clone().into_owned(),
    };
    (path, violation.rule.id(), violation.key)
}

fn same_verdict(dialect: Dialect, bytes: &[u8]) -> Result<(), TestCaseError> {
    let table = Merged::decode(message_of(dialect), bytes);
    let hot = PacketView::parse(bytes, dialect);
    match (table, hot) {
        (Err(expected), Err(found)) => prop_assert_eq!(expected, found),
        (Ok(merged), Ok(view)) => {
            let expected: Vec<_> = judge(&merged).iter().map(without_keys).collect();
            match view.violation() {
                None => prop_assert!(expected.is_empty(), "missed {:?}", expected),
                Some(found) => prop_assert!(
                    expected.contains(&without_keys(&found)),
                    "{} is not among {:?}",
                    found,
                    expected
                ),
            }
            same_facts(&merged, &view, bytes)?;
        }
        (table, hot) => prop_assert!(false, "table {:?}, view {:?}", table, hot),
    }
    Ok(())
}

fn text<'a>(merged: &Merged<'a>, name: &str) -> &'a str {
    match merged.get(name) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn number(merged: &Merged<'_>, name: &str) -> u64 {
    match merged.get(name) {
        Some(Value::Uint64(number)) => *number,
        Some(Value::Uint32(number)) => u64::from(*number),
        _ => 0,
    }
}

fn same_facts(merged: &Merged<'_>, view: &PacketView, bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Some(Value::Map(pairs)) = merged.get("metadata") {
        prop_assert_eq!(view.distinct_metadata(bytes), pairs.len());
        for (key, value) in pairs {
            prop_assert_eq!(view.metadata(bytes, key), Some(*value));
        }
        prop_assert_eq!(
            view.is_heartbeat(bytes),
            pairs.get("bubu-heartbeat") == Some(&"true")
        );
    }
    for (name, ranges) in [
        ("payload", view.payload_ranges().collect::<Vec<_>>()),
        ("inputs", view.inputs_ranges().collect()),
    ] {
        let expected = match merged.get(name) {
            Some(Value::Struct(occurrences)) => occurrences.clone(),
            _ => Vec::new(),
        };
        let found: Vec<&[u8]> = ranges.into_iter().map(|range| &bytes[range]).collect();
        prop_assert_eq!(found, expected);
    }
    same_frame(merged, view, bytes)?;
    same_envelope(merged, view, bytes)
}

fn same_frame(merged: &Merged<'_>, view: &PacketView, bytes: &[u8]) -> Result<(), TestCaseError> {
    let frames = [
        ("audio", FrameKind::Audio, "pcm", "codec"),
        ("video", FrameKind::Video, "payload", "codec"),
        ("binary", FrameKind::Binary, "payload", "mime_type"),
    ];
    let mut kind = None;
    for (name, this, media, format) in frames {
        let Some(Value::Message(frame)) = merged.get(name) else {
            continue;
        };
        kind = Some(this);
        let found = view.frame_view().expect("the same frame");
        let media = match frame.get(media) {
            Some(Value::Bytes(bytes)) => bytes,
            _ => &[][..],
        };
        prop_assert_eq!(&bytes[found.media()], media);
        prop_assert_eq!(view.media_len(), media.len());
        let of_view = view.codec(bytes).or(view.mime_type(bytes));
        prop_assert_eq!(of_view.unwrap_or_default(), text(frame, format));
        let timestamp = number(frame, "timestamp_ms");
        prop_assert_eq!(view.timestamp_ms().unwrap_or_default(), timestamp);
    }
    prop_assert_eq!(view.frame(), kind);
    Ok(())
}

fn same_envelope(
    merged: &Merged<'_>,
    view: &PacketView,
    bytes: &[u8],
) -> Result<(), TestCaseError> {
    let Some(Value::Message(expected)) = merged.get("envelope") else {
        prop_assert!(view.envelope().is_none());
        return Ok(());
    };
    let found = view.envelope().expect("the same envelope");
    prop_assert_eq!(found.stream_id(bytes), text(expected, "stream_id"));
    prop_assert_eq!(found.partition(bytes), text(expected, "partition"));
    prop_assert_eq!(found.chunk_id(bytes), text(expected, "chunk_id"));
    prop_assert_eq!(found.sequence(), number(expected, "sequence"));
    for (found, name) in [
        (found.chunk_index(), "chunk_index"),
        (found.chunk_count(), "chunk_count"),
        (found.chunk_bytes(), "chunk_bytes"),
        (found.total_bytes(), "total_bytes"),
    ] {
        prop_assert_eq!(u64::from(found), number(expected, name));
    }
    Ok(())
}

/// Valid, violated or malformed, by the hot path.
fn process_verdict(bytes: &[u8]) -> Result<bool, Malformed> {
    let process = parse_process(bytes)?;
    let packet: &[u8] = match &process.packet {
        PacketBytes::Absent => &[],
        PacketBytes::At(range) => &bytes[range.clone()],
        PacketBytes::Merged(merged) => merged,
    };
    let view = PacketView::parse_in_process(packet, Dialect::Packet)?;
    let of_flow = process.flow.is_some_and(|flow| flow.violation.is_some());
    Ok(view.violation().is_none() && !of_flow)
}

fn same_process_verdict(bytes: &[u8]) -> Result<(), TestCaseError> {
    let table = validate(&contract::PROCESS_REQUEST, bytes);
    let expected = table.map(|violations| violations.is_empty());
    let found = process_verdict(bytes);
    // Here the packet is walked after the flow, there in the order of the wire: which
    // of several faults comes first may differ.
    match (&expected, &found) {
        (Err(_), Err(_)) => {}
        _ => prop_assert_eq!(found, expected),
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_view_judges_packets_as_the_tables_do(
        (dialect, bytes) in encoded_packet(WrongWires::Sometimes)
    ) {
        same_verdict(dialect, &bytes)?;
    }

    #[test]
    fn the_view_judges_damaged_packets_as_the_tables_do(
        (dialect, bytes) in encoded_packet(WrongWires::Sometimes)
            .prop_flat_map(|(dialect, bytes)| (Just(dialect), damaged(bytes)))
    ) {
        same_verdict(dialect, &bytes)?;
    }

    #[test]
    fn process_requests_are_judged_as_the_tables_do(bytes in process()) {
        same_process_verdict(&bytes)?;
    }

    #[test]
    fn damaged_process_requests_are_judged_as_the_tables_do(
        bytes in process().prop_flat_map(damaged)
    ) {
        same_process_verdict(&bytes)?;
    }

    #[test]
    fn a_packet_cut_in_two_is_judged_as_the_tables_do(
        packet in packet(Dialect::Packet, WrongWires::Never).prop_map(|parts| encode(&parts)),
        cut in any::<prop::sample::Index>(),
    ) {
        let (one, two) = packet.split_at(cut.index(packet.len() + 1));
        let mut bytes = BytesMut::new();
        put_len_field(&mut bytes, 0x0a, one);
        put_len_field(&mut bytes, 0x0a, two);
        same_process_verdict(&bytes)?;
    }

    #[test]
    fn a_flow_is_read_as_the_tables_read_it(bytes in process()) {
        let merged = Merged::decode(&contract::PROCESS_REQUEST, &bytes);
        let (Ok(merged), Ok(process)) = (merged, parse_process(&bytes)) else { return Ok(()) };
        let Some(Value::Message(expected)) = merged.get("flow") else {
            prop_assert!(process.flow.is_none());
            return Ok(());
        };
        let flow = process.flow.expect("the same flow");
        prop_assert_eq!(flow.ack, number(expected, "ack"));
        prop_assert_eq!(u64::from(flow.credits_messages), number(expected, "credits_messages"));
        prop_assert_eq!(u64::from(flow.credits_bytes), number(expected, "credits_bytes"));
        if let (Some(Value::Many { items, .. }), None) = (expected.get("partition_acks"), flow.violation) {
            prop_assert_eq!(flow.partition_acks.len(), items.len());
            for (item, (partition, ack)) in items.iter().zip(&flow.partition_acks) {
                let Value::Message(item) = item else { panic!("acks are messages") };
                prop_assert_eq!(&**partition, text(item, "partition"));
                prop_assert_eq!(*ack, number(item, "ack"));
            }
        }
    }
}
