//! What the generator sends is what the contract says: the generated types are the oracle.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

use bytes::BytesMut;
use loadtest::packet::{
    HEADER_LEN, Header, Kind, Stamp, Template, number_len, open_flow, open_identified,
    open_message, put_receipt,
};
use loadtest::units::{Nanos, Nonce, ProducerId, Sequence};
use prost::Message;
use transport_proto::v1::{
    DataPacket, FlowControl, ProcessRequest, StreamEnvelope, data_packet::Frame,
};

const SENT_AT: u64 = 1_800_000_000_123;

fn message(template: &Template) -> Vec<u8> {
    let stamp = Stamp {
        sequence: Sequence(41),
        intended: Nanos(5_000),
        unix_ms: SENT_AT,
    };
    let mut out = BytesMut::new();
    template.append(stamp, &mut out);
    out.to_vec()
}

fn packet(kind: Kind, size: usize) -> DataPacket {
    let template = Template::new(kind, size, ProducerId(2), Nonce(1)).unwrap();
    let request = ProcessRequest::decode(message(&template).as_slice()).unwrap();
    request.packet.unwrap()
}

#[test]
fn audio_is_twenty_milliseconds_of_wideband_speech_by_its_fields() {
    let packet = packet(Kind::Audio, 640);
    let Some(Frame::Audio(frame)) = packet.frame else {
        panic!("no audio frame");
    };
    assert_eq!(frame.pcm.len(), 640);
    assert_eq!((frame.sample_rate_hz, frame.channels), (16_000, 1));
    assert_eq!(frame.timestamp_ms, SENT_AT);
    assert_eq!(packet.metadata["type"], "speech.audio.v1");
    assert!(
        packet.envelope.is_none(),
        "a plain producer numbers nothing"
    );
}

#[test]
fn a_numbered_message_differs_in_its_envelope_alone_whatever_the_length_of_its_number() {
    for number in [1, 127, 128, 16_383, 16_384, 1 << 35, u64::MAX] {
        for kind in [Kind::Audio, Kind::Video, Kind::Binary, Kind::Json] {
            let sequence = Sequence(number - 1);
            let stamp = Stamp {
                sequence,
                intended: Nanos(5_000),
                unix_ms: SENT_AT,
            };
            let decoded = |number_len| {
                let of = (ProducerId(2), Nonce(1));
                let template = Template::numbered(kind, 300, of, number_len).unwrap();
                let mut out = BytesMut::new();
                template.append(stamp, &mut out);
                let framed = template.framed(b"<", b">");
                let mut again = BytesMut::new();
                framed.append(stamp, &mut again);
                assert_eq!(again[1..again.len() - 1], out[..], "{kind:?} {number}");
                let request = ProcessRequest::decode(&out[..]).unwrap();
                assert_eq!(request.encoded_len(), out.len(), "nothing is padded");
                request
            };
            let mut numbered = decoded(Some(number_len(sequence)));
            let envelope = numbered.packet.as_mut().unwrap().envelope.take().unwrap();
            let expected = StreamEnvelope {
                sequence: number,
                ..StreamEnvelope::default()
            };
            assert_eq!(envelope, expected, "{kind:?}");
            assert_eq!(numbered, decoded(None), "{kind:?} {number}");
        }
    }
}

#[test]
fn a_receipt_is_the_contracts() {
    for ack in [1, 300, u64::MAX] {
        let mut message = Vec::new();
        put_receipt(&mut message, ack);
        let request = ProcessRequest::decode(&message[..]).unwrap();
        assert_eq!(request.packet, None);
        let flow = request.flow.unwrap();
        assert_eq!((flow.ack, flow.signal), (ack, 0));
    }
}

#[test]
fn what_a_hub_says_of_identity_and_flow_is_read() {
    let template = Template::new(Kind::Audio, 80, ProducerId(2), Nonce(1)).unwrap();
    let mut request = ProcessRequest::decode(message(&template).as_slice()).unwrap();
    request.packet.as_mut().unwrap().envelope = Some(StreamEnvelope {
        stream_id: "ns/r/c@k3".into(),
        sequence: 300,
        ..StreamEnvelope::default()
    });
    for (signal, paused) in [(0, None), (1, Some(true)), (2, Some(false))] {
        request.flow = Some(FlowControl {
            ack: 70_000,
            signal,
            ..FlowControl::default()
        });
        let bytes = request.encode_to_vec();
        let (frame, identity) = open_identified(&bytes).unwrap().unwrap();
        assert_eq!(frame.payload.len(), 80);
        assert_eq!(
            (identity.stream, identity.sequence),
            (&b"ns/r/c@k3"[..], 300)
        );
        let flow = open_flow(&bytes).unwrap();
        assert_eq!((flow.ack, flow.paused), (70_000, paused));
    }
}

#[test]
fn video_frames_read_as_vp8_key_and_delta_frames() {
    let key = Template::new(Kind::Video, 5000, ProducerId(2), Nonce(1)).unwrap();
    for (template, delta) in [(key.clone(), 0), (key.delta(), 1)] {
        let request = ProcessRequest::decode(message(&template).as_slice()).unwrap();
        let Some(Frame::Video(frame)) = request.packet.unwrap().frame else {
            panic!("no video frame");
        };
        assert_eq!(frame.payload[0] & 1, delta, "frame type bit of VP8");
        assert_eq!(frame.payload[3..6], [0x9D, 0x01, 0x2A], "start code of VP8");
        assert_eq!((frame.codec.as_str(), frame.timestamp_ms), ("vp8", SENT_AT));
        assert_eq!(Header::verify(&frame.payload).unwrap().delta, delta == 1);
    }
}

#[test]
fn a_structured_packet_says_the_same_in_its_frame_and_its_struct() {
    let packet = packet(Kind::Json, 500);
    let Some(Frame::Binary(frame)) = packet.frame else {
        panic!("no binary frame");
    };
    assert_eq!(frame.mime_type, "application/vnd.bubu.packet+json");
    assert_eq!((frame.payload.len(), frame.timestamp_ms), (500, SENT_AT));
    let envelope: serde_json::Value = serde_json::from_slice(&frame.payload).unwrap();
    assert_eq!(envelope["kind"], "data");
    let load = envelope["payload"]["load"].as_str().unwrap();
    assert_eq!(load.len(), HEADER_LEN * 2);
    let fields = packet.payload.unwrap().fields;
    for key in ["load", "text"] {
        let Some(prost_types::value::Kind::StringValue(text)) = &fields[key].kind else {
            panic!("{key} is no text");
        };
        assert_eq!(Some(text.as_str()), envelope["payload"][key].as_str());
    }
}

#[test]
fn what_a_hub_encodes_anew_is_still_found_and_verified() {
    for kind in [Kind::Audio, Kind::Video, Kind::Binary, Kind::Json] {
        let template = Template::new(kind, 700, ProducerId(2), Nonce(1)).unwrap();
        let mut request = ProcessRequest::decode(message(&template).as_slice()).unwrap();
        let packet = request.packet.as_mut().unwrap();
        for i in 0..20 {
            packet.metadata.insert(format!("key-{i}"), "value".into());
        }
        packet.envelope = Some(StreamEnvelope::default());
        let encoded = request.encode_to_vec();
        let frame = open_message(&encoded).unwrap().unwrap();
        let header = Header::verify(frame.payload).unwrap();
        assert_eq!(header.sequence, Sequence(41), "{kind:?}");
    }
}

#[test]
fn patching_a_framed_template_leaves_the_framing_alone() {
    let plain = Template::new(Kind::Json, 300, ProducerId(2), Nonce(1)).unwrap();
    let framed = plain.clone().framed(b"<<<", b">>");
    let mut expected = b"<<<".to_vec();
    expected.extend(message(&plain));
    expected.extend(b">>");
    assert_eq!(message(&framed), expected);
}

#[test]
fn producers_do_not_send_the_same_noise() {
    let of = |producer| {
        message(&Template::new(Kind::Binary, 640, ProducerId(producer), Nonce(1)).unwrap())
    };
    let (a, b) = (of(1), of(2));
    let same = a.iter().zip(&b).filter(|(a, b)| a == b).count();
    assert!(
        same < a.len() / 4,
        "{same} of {} bytes are the same",
        a.len()
    );
}

#[test]
fn the_story_of_every_shape_loads_without_a_warning_and_has_the_shapes_edges() {
    use loadtest::scenario::{Semantics, Shape, Topology, story_yaml};
    let plain = Shape::ALL.map(Shape::scenario);
    let guaranteed = plain.clone().map(|mut scenario| {
        scenario.semantics = Semantics::AtLeastOnce;
        scenario
    });
    for scenario in plain.into_iter().chain(guaranteed) {
        let shape = &scenario.name;
        let topology = Topology::of(&scenario);
        let yaml = story_yaml(&scenario, &topology);
        let loaded = hub::story::load_str("load.yaml", &yaml, &Default::default()).unwrap();
        assert!(
            loaded.warnings.is_empty(),
            "{shape:?}: {:?}",
            loaded.warnings
        );
        let stories = loaded.snapshot.stories.iter();
        let edges: usize = stories.map(|story| story.edges.len()).sum();
        assert_eq!(edges, topology.edges.len(), "{shape:?}");
    }
}
