//! Bytes that nobody meant well: nothing panics, nothing runs away.

mod arbitrary;

use arbitrary::packet::{WrongWires, dialect, encoded_packet};
use bytes::BytesMut;
use proptest::prelude::*;
use transport_proto::contract::{self, MESSAGES};
use transport_proto::limits::MAX_NESTED_MESSAGES;
use transport_proto::splice::{Cut, Kept, put_envelope};
use transport_proto::validate::validate;
use transport_proto::view::{Dialect, PacketView, parse_process};
use transport_proto::{Malformed, Rule};

/// Asks a view everything there is to ask, with bytes that need not be its own.
fn ask_everything(view: &PacketView, bytes: &[u8]) {
    let _ = view.violation().map(|violation| violation.to_string());
    let _ = (view.frame(), view.timestamp_ms(), view.media_len());
    let _ = (view.codec(bytes), view.mime_type(bytes));
    let _ = (view.metadata(bytes, "a"), view.is_heartbeat(bytes));
    let _ = (view.distinct_metadata(bytes), view.metadata_entries());
    let _ = view.metadata_pairs(bytes).count();
    let _ = (view.payload_ranges().count(), view.inputs_ranges().count());
    if let Some(envelope) = view.envelope() {
        let _ = (envelope.stream_id(bytes), envelope.partition(bytes));
        let _ = envelope.chunk_id(bytes);
    }
    let cut = Cut {
        metadata_keys: &["a", "type"],
        envelope: true,
        inputs: true,
        payload: true,
        frame: true,
    };
    for cut in [Cut::default(), cut] {
        let kept = Kept::of(bytes, view, &cut);
        for to in [Dialect::Packet, Dialect::Connector] {
            let mut out = BytesMut::new();
            kept.copy_renumbered(bytes, view, to, &mut out);
            put_envelope(&mut out, to, bytes, view, "s", 1);
        }
    }
}

/// Lists and values inside one another, `levels` of them, as the payload of a
/// `DataPacket`.
fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let wrap = |tag: u8, bytes: &mut Vec<u8>| {
        let mut out = BytesMut::new();
        transport_proto::wire::put_len_field(&mut out, tag, bytes);
        *bytes = out.to_vec();
    };
    // From the innermost outwards; the outermost is the list of a value.
    for level in (0..levels).rev() {
        wrap(if level % 2 == 0 { 0x32 } else { 0x0a }, &mut bytes);
    }
    // The value and its entry in a Struct, and the Struct as a payload.
    wrap(0x12, &mut bytes);
    wrap(0x0a, &mut bytes);
    wrap(0x12, &mut bytes);
    bytes
}

proptest! {
    #[test]
    fn no_bytes_make_a_walk_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        dialect in dialect(),
    ) {
        if let Ok(view) = PacketView::parse(&bytes, dialect) {
            ask_everything(&view, &bytes);
        }
        let _ = parse_process(&bytes);
        for message in MESSAGES {
            let _ = validate(message, &bytes);
        }
    }

    #[test]
    fn a_view_asked_about_other_bytes_answers_nonsense_but_does_not_panic(
        (dialect, bytes) in encoded_packet(WrongWires::Sometimes),
        others in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let view = PacketView::parse(&bytes, dialect).expect("a packet");
        ask_everything(&view, &bytes);
        ask_everything(&view, &others);
        ask_everything(&view, bytes.get(..bytes.len() / 2).unwrap_or_default());
    }
}

#[test]
fn structs_are_walked_to_the_depth_that_receivers_decode_and_no_deeper() {
    // DataPacket, Struct and the outermost value are three messages.
    let deepest = MAX_NESTED_MESSAGES as usize - 3;
    let at = nested(deepest);
    let over = nested(deepest + 1);
    assert!(PacketView::parse(&at, Dialect::Packet).is_ok());
    assert!(validate(&contract::DATA_PACKET, &at).is_ok());
    let too_deep = |result| matches!(result, Err(Malformed::Depth { .. }));
    assert!(too_deep(
        PacketView::parse(&over, Dialect::Packet).map(drop)
    ));
    assert!(too_deep(validate(&contract::DATA_PACKET, &over).map(drop)));
    assert!(too_deep(
        PacketView::parse_in_process(&at, Dialect::Packet).map(drop)
    ));
}

#[test]
fn a_million_entries_of_one_key_are_one_pair() {
    let mut bytes = [0x0a, 0x03, 0x0a, 0x01, b'k'].repeat(1_000_000);
    let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
    assert_eq!(view.violation(), None);
    assert_eq!(view.metadata_entries(), 1_000_000);
    assert_eq!(view.distinct_metadata(&bytes), 1);

    for key in 0..100_u8 {
        bytes.extend([0x0a, 0x04, 0x0a, 0x02, b'a' + key / 10, b'0' + key % 10]);
    }
    let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
    let broken = view.violation().expect("101 pairs");
    assert_eq!(broken.rule, Rule::MapMaxPairs);
}

#[test]
fn text_beyond_ascii_after_half_a_million_plain_entries_does_not_walk_them_again() {
    // Were the row of plain entries walked anew for each entry, this would not end.
    let mut bytes = [0x0a, 0x06, 0x0a, 0x01, b'k', 0x12, 0x01, b'v'].repeat(500_000);
    bytes.extend([0x0a, 0x07, 0x0a, 0x02, 0xc3, 0xa9, 0x12, 0x01, b'v']);
    let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
    assert_eq!(view.violation(), None);
    assert_eq!(view.metadata_entries(), 500_001);
    assert_eq!(view.metadata(&bytes, "é"), Some("v"));
    assert_eq!(view.metadata(&bytes, "k"), Some("v"));
}

#[test]
fn a_view_that_walks_again_knows_nothing_of_the_packet_before() {
    let first = [
        0x2a, 0x00, 0x42, 0x03, 0x0a, 0x01, b's', 0x0a, 0x03, 0x0a, 0x01, b'k',
    ];
    let mut view = PacketView::new(Dialect::Packet);
    view.walk(&first).expect("a packet");
    assert!(view.violation().is_some() && view.envelope().is_some());
    view.walk(&[]).expect("an empty packet");
    assert_eq!((view.violation(), view.frame()), (None, None));
    assert!(view.envelope().is_none() && view.metadata_entries() == 0);
    assert!(view.walk(&[0x0a]).is_err());
}

#[test]
fn a_million_transports_are_one_violation() {
    let bytes = [0x22, 0x00].repeat(1_000_000);
    let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
    let broken = view.violation().expect("too many");
    assert_eq!(broken.rule, Rule::RepeatedMaxItems);
    let listed = validate(&contract::DATA_PACKET, &bytes).expect("a packet");
    assert_eq!(listed, [broken]);
}
