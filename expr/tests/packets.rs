//! Variables read from the bytes of a packet.

use bytes::BytesMut;
use expr::{
    Block, Dialect, Fault, Limits, Mode, PacketFields, Payload, StepFields, Surroundings, Value,
    Variables, json, structs,
};
use transport_proto::view::{Dialect as Numbering, PacketView};
use transport_proto::wire::put_len_field;

fn entry(key: &str, value: &str) -> Vec<u8> {
    let mut out = BytesMut::new();
    put_len_field(&mut out, 0x0a, key.as_bytes());
    put_len_field(&mut out, 0x12, value.as_bytes());
    out.to_vec()
}

/// A packet with metadata and a payload.
fn packet(pairs: &[(&str, &str)], payload: &str) -> (Vec<u8>, Vec<u8>) {
    let mut out = BytesMut::new();
    for (key, value) in pairs {
        put_len_field(&mut out, 0x0a, &entry(key, value));
    }
    let mut body = BytesMut::new();
    let value = json::parse(payload.as_bytes()).expect("JSON");
    structs::encode(&value, &mut body).expect("a Struct");
    put_len_field(&mut out, 0x12, &body);
    (out.to_vec(), body.to_vec())
}

fn evaluate(source: &str, pairs: &[(&str, &str)], payload: &str) -> Value<'static> {
    let (bytes, body) = packet(pairs, payload);
    let view = PacketView::parse(&bytes, Numbering::Packet).expect("a packet");
    let given = Payload::Struct(&body);
    let step = StepFields::new(&given, &Payload::None);
    let packet = PacketFields::new(&view, &bytes, &given);
    let variables = Variables::new(structs::decode(b""), packet, vec![("asr", step)]);
    let source = Value::owned(source);
    let to = (Mode::Runtime, Dialect::Template);
    Block::compile(&source, to, Limits::default())
        .expect("a block")
        .evaluate(&variables, &Surroundings::default())
        .expect("a value")
        .into_owned()
}

#[test]
fn fields_metadata_and_steps_come_from_the_bytes() {
    let pairs = [("lang", "en"), ("lang", "de")];
    let payload = r#"{"n": 2, "deep": {"list": [1, {"x": null}, "t"]}, "metadata": {"own": 1}}"#;
    for (source, wanted) in [
        ("{{ packet.n }}", "2"),
        ("{{ packet.deep.list }}", r#"[1, {"x": null}, "t"]"#),
        ("{{ packet.metadata }}", r#"{"lang": "de"}"#),
        ("{{ packet.metadata.lang }}", "\"de\""),
        ("{{ steps.asr.n }}", "2"),
        (
            "{{ toJson packet.deep }}",
            r#""{\"list\":[1,{\"x\":null},\"t\"]}""#,
        ),
        (
            "{{ range $k, $v := packet.deep }}{{ $k }}{{ len $v }}{{ end }}",
            "\"list3\"",
        ),
    ] {
        let wanted = json::parse(wanted.as_bytes()).expect("JSON");
        assert_eq!(evaluate(source, &pairs, payload), wanted, "{source}");
    }
}

#[test]
fn a_step_read_from_bytes_is_searched_for_references() {
    for (payload, wanted) in [
        (r#"{"n": 2, "x": [{"y": "z"}]}"#, true),
        (r#"{"n": 2, "x": [{"$bubuStorageRef": "k"}]}"#, false),
        (r#"{"n": 2, "x": ["$bubuStorageRef"]}"#, true),
    ] {
        let (bytes, body) = packet(&[], payload);
        let view = PacketView::parse(&bytes, Numbering::Packet).expect("a packet");
        let step = StepFields::new(&Payload::None, &Payload::Struct(&body));
        let packet = PacketFields::new(&view, &bytes, &Payload::None);
        let variables = Variables::new(structs::decode(b""), packet, vec![("asr", step)]);
        let to = (Mode::Runtime, Dialect::Template);
        let source = Value::owned("<{{ steps.asr.n }}>");
        let block = Block::compile(&source, to, Limits::default()).expect("a block");
        let found = block.evaluate(&variables, &Surroundings::default());
        match found {
            Ok(value) => assert!(wanted && value == Value::owned("<2>"), "{payload}"),
            Err(fault) => assert!(
                !wanted && matches!(fault, Fault::Offloaded(_)),
                "{payload}: {fault}"
            ),
        }
    }
}

#[test]
fn a_value_is_the_same_after_encoding_and_decoding() {
    let text = r#"{"a": [1, 2.5, -0.0, null, true, "ü"], "b": {"c": {}, "d": []}, "": ""}"#;
    let value = json::parse(text.as_bytes()).expect("JSON");
    let mut body = BytesMut::new();
    structs::encode(&value, &mut body).expect("a Struct");
    assert_eq!(Value::Map(structs::decode(&body)), value);
}

#[test]
fn a_text_that_is_no_utf8_is_not_encoded() {
    let tree = [(expr::Text::Borrowed(b"k"), Value::owned(vec![0xff]))].into();
    let mut body = BytesMut::new();
    assert!(structs::encode(&Value::map(tree), &mut body).is_err());
}
