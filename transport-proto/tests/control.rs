//! What a client says on Control, read as the generated types read it.
#![allow(missing_docs, reason = "tests")]

use bytes::BytesMut;
use proptest::prelude::*;
use prost::Message as _;
use transport_proto::splice::put_envelope_frame;
use transport_proto::v1;
use transport_proto::view::{Dialect, PacketView, TransportView, parse_control};

fn request() -> impl Strategy<Value = v1::ControlRequest> {
    let metadata = proptest::collection::btree_map("[a-z_.]{0,12}", "\\PC{0,20}", 0..10);
    let flow = proptest::option::of((any::<u64>(), any::<u32>(), 0..3i32));
    (any::<i32>(), metadata, flow, "[a-z.]{0,20}").prop_map(|(action, metadata, flow, custom)| {
        v1::ControlRequest {
            action,
            metadata,
            flow: flow.map(|(ack, credits, signal)| v1::FlowControl {
                ack,
                credits_messages: credits,
                signal,
                ..v1::FlowControl::default()
            }),
            custom_action: custom,
        }
    })
}

proptest! {
    #[test]
    fn a_request_says_what_was_said(requests in proptest::collection::vec(request(), 1..4)) {
        // Concatenated messages merge.
        let bytes: Vec<u8> = requests.iter().flat_map(|r| r.encode_to_vec()).collect();
        let merged = v1::ControlRequest::decode(&bytes[..]).expect("a request");
        let read = parse_control(&bytes).expect("a request");
        prop_assert_eq!(read.action, merged.action);
        prop_assert_eq!(read.custom_action, &merged.custom_action);
        for (key, value) in &merged.metadata {
            prop_assert_eq!(read.metadata(key), Some(&**value));
        }
        prop_assert_eq!(read.metadata("NOT THERE"), None);
        let flow = read.flow.map(|f| (f.ack, f.credits_messages, f.signal));
        let expected = merged.flow.map(|f| (f.ack, f.credits_messages, f.signal));
        prop_assert_eq!(flow, expected);
    }

    #[test]
    fn hostile_bytes_are_read_as_the_generated_types_read_them(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let read = parse_control(&bytes).is_ok();
        let decoded = v1::ControlRequest::decode(&bytes[..]).is_ok();
        // What a generated type refuses because of a wire type is an unknown field here.
        prop_assert!(read || !decoded);
    }
}

#[test]
fn an_envelope_frame_is_a_binary_frame_of_its_media_type() {
    for dialect in [Dialect::Packet, Dialect::Connector] {
        let mut out = BytesMut::new();
        put_envelope_frame(&mut out, dialect, br#"{"a":1}"#);
        let view = PacketView::parse(&out, dialect).expect("a packet");
        let media_type = view.mime_type(&out);
        assert_eq!(media_type, Some("application/vnd.bubu.packet+json"));
        let media = view.frame_view().expect("a frame").media();
        assert_eq!(&out[media], br#"{"a":1}"#);
    }
}

#[test]
fn a_transport_says_what_its_descriptor_says() {
    let packet = v1::DataPacket {
        transports: vec![
            v1::TransportDescriptor {
                name: "n".into(),
                kind: "k".into(),
                mode: "m".into(),
                typed_config: Some(v1::TransportConfig {
                    transport_ref: "r".into(),
                    mode_reason: "w".into(),
                }),
            },
            v1::TransportDescriptor::default(),
        ],
        ..v1::DataPacket::default()
    };
    let bytes = packet.encode_to_vec();
    let view = PacketView::parse(&bytes, Dialect::Packet).expect("a packet");
    let all: Vec<_> = view
        .transports_ranges()
        .map(|at| TransportView::of(&bytes, at))
        .collect();
    let first = TransportView {
        name: "n",
        kind: "k",
        mode: "m",
        transport_ref: "r",
        mode_reason: "w",
    };
    assert_eq!(all, [first, TransportView::default()]);
}
