//! Whatever a packet is, an engram gets what it can read, or nothing; and the accounts balance.

use proptest::prelude::*;

use super::connector::data_message;
use super::*;
use crate::engine::Contract;
use crate::route::{Guarantee, Semantics};

/// A part of a packet: one or more encoded fields.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        Just("bubu.envelope.message_id"),
        Just("bubu.envelope.kind"),
        Just("bubu.envelope.timestamp_ms"),
        Just("bubu.join.key"),
        Just("kind"),
        Just("current-step-id"),
        Just(" odd "),
        Just("n"),
    ];
    let value = prop_oneof![
        Just("error".to_owned()),
        Just("noop".to_owned()),
        Just("hook".to_owned()),
        Just("data".to_owned()),
        Just(" m ".to_owned()),
        "[a-z]{0,8}",
        (0usize..6000).prop_map(|n| "v".repeat(n.min(1024))),
    ];
    let pair = (key, value).prop_map(|(key, value)| {
        let mut out = BytesMut::new();
        put_metadata(&mut out, Dialect::Packet, key, &value);
        out.to_vec()
    });
    let json = prop_oneof![
        Just(r#"{"kind":"error","payload":{"a":1}}"#.to_owned()),
        Just(r#"{"kind":"noop"}"#.to_owned()),
        Just(r#"{"payload":[1,2],"inputs":{}}"#.to_owned()),
        Just("{".to_owned()),
        (0usize..9000).prop_map(|n| format!(r#"{{"payload":{{"a":"{}"}}}}"#, "x".repeat(n))),
    ];
    let media_type = prop_oneof![
        Just("application/vnd.bubu.packet+json"),
        Just("application/json"),
        Just("no type at all"),
        Just(""),
    ];
    let binary = (json, media_type).prop_map(|(json, media_type)| {
        let mut frame = BytesMut::new();
        put_len_field(&mut frame, 0x0a, json.as_bytes());
        put_len_field(&mut frame, 0x12, media_type.as_bytes());
        field(0x3a, &frame)
    });
    let audio = (0usize..9000).prop_map(|n| {
        let mut frame = BytesMut::new();
        put_len_field(&mut frame, 0x0a, &vec![7; n]);
        // 16,000 Hz, one channel.
        frame.extend_from_slice(&[0x10, 0x80, 0x7d, 0x18, 1]);
        field(0x2a, &frame)
    });
    let object = prop_oneof![
        // {"a": null}, {"a": <nothing>}, {}
        Just(vec![0x0a, 7, 0x0a, 1, b'a', 0x12, 2, 0x08, 0]),
        Just(vec![0x0a, 5, 0x0a, 1, b'a', 0x12, 0]),
        Just(vec![]),
    ];
    let object = (object, any::<bool>()).prop_map(|(body, is_payload)| {
        let tag = if is_payload { 0x12 } else { 0x1a };
        field(tag, &body)
    });
    let chunk = Just(field(0x42, b"\x0a\x01s\x22\x01c\x30\x01"));
    let unknown = Just(vec![0x7a, 2, 1, 2]);
    prop_oneof![4 => pair, 2 => binary, 2 => audio, 2 => object, 1 => chunk, 1 => unknown]
}

fn field(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    put_len_field(&mut out, tag, body);
    out.to_vec()
}

/// The same packet as it is numbered on the connector contract.
fn renumbered(packet: &Bytes) -> Bytes {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let cut = transport_proto::splice::Cut::default();
    let kept = transport_proto::splice::Kept::of(packet, &view, &cut);
    let mut out = BytesMut::new();
    kept.copy_renumbered(packet, &view, Dialect::Connector, &mut out);
    out.freeze()
}

proptest! {
    #[test]
    fn an_engram_gets_what_it_can_read_or_nothing(
        packets in proptest::collection::vec(proptest::collection::vec(part(), 0..7), 1..6),
        from_engram in any::<bool>(),
        guaranteed in any::<bool>(),
    ) {
        let mut sink = step("sink");
        if guaranteed {
            sink.semantics = Semantics::AtLeastOnce(Guarantee::default());
        }
        let mut rig = Rig::new(Limits::default(), plan(vec![step("src"), sink], &[(0, 1)]));
        let contract = if from_engram { Contract::Connector } else { Contract::Process };
        let src = rig.connect_on(contract, "src", None);
        let sink = rig.connect_engram("sink");
        for parts in &packets {
            let packet = Bytes::from(parts.concat());
            let taken = if from_engram {
                rig.offer_data(src, &renumbered(&packet), at(0))
            } else {
                rig.offer(src, &packet, at(0))
            };
            prop_assert_eq!(taken, Taken::Yes);
        }
        let got = rig.responses(sink, at(0));
        for message in &got {
            let view = PacketView::parse(message, Dialect::Connector).unwrap();
            prop_assert!(view.is_sound(), "{:?}", view.violation());
            let named = |key| view.metadata(message, key);
            prop_assert_eq!(named("current-step-id"), Some("sink"));
            let kind = named("bubu.envelope.kind").unwrap_or("data");
            let is_quiet = kind == "noop" || view.frame().is_none();
            if is_quiet {
                prop_assert!(view.frame().is_none());
            } else {
                prop_assert!(view.media_len() > 0);
                if kind == "error" {
                    prop_assert!(view.payload_ranges().next().is_some());
                }
            }
            if !guaranteed && kind != "hook" && named("kind") != Some("hook") {
                prop_assert_eq!(named("bubu.envelope.message_id"), None);
            }
        }
        let edge = rig.edge("sink");
        let gone = edge.counts.dropped_total();
        prop_assert_eq!(edge.counts.accepted, got.len() as u64 + gone);
    }
}

#[test]
fn of_a_key_that_is_there_twice_the_last_counts_on_either_side_of_large_media() {
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![step("src"), step("sink")], &[(0, 1)]),
    );
    let (src, sink) = (rig.connect_engram("src"), rig.connect_engram("sink"));
    let said = |key: &str, (before, after): (&str, &str)| {
        let mut message = BytesMut::new();
        put_metadata(&mut message, Dialect::Connector, key, before);
        message.extend_from_slice(&data_message("large", 9000));
        put_metadata(&mut message, Dialect::Connector, key, after);
        put_metadata(
            &mut message,
            Dialect::Connector,
            "bubu.envelope.message_id",
            "m",
        );
        message.freeze()
    };
    let kept = |rig: &mut Rig, message: Bytes, key: &str| {
        assert_eq!(rig.offer_data(src, &message, at(0)), Taken::Yes);
        let got = rig.responses(sink, at(1)).remove(0);
        let view = PacketView::parse(&got, Dialect::Connector).unwrap();
        view.metadata(&got, key).map(str::to_owned)
    };
    let id = "bubu.envelope.message_id";
    assert_eq!(
        kept(&mut rig, said("kind", ("data", "hook")), id).as_deref(),
        Some("m")
    );
    assert_eq!(kept(&mut rig, said("kind", ("hook", "data")), id), None);
    let kind = "bubu.envelope.kind";
    assert_eq!(kept(&mut rig, said(kind, ("hook", "data")), id), None);
    let join = "bubu.join.key";
    assert_eq!(
        kept(&mut rig, said(join, ("key", " ")), join).as_deref(),
        Some("m")
    );
    assert_eq!(
        kept(&mut rig, said(join, (" ", "key")), join).as_deref(),
        Some("key")
    );
}
