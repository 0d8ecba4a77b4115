//! Texts that claim to be expressions, of both dialects (spec 4).
//!
//! Whatever they say: they compile or are refused with a place, and what compiles evaluates within
//! its bounds, to the same each time, reading nothing but what it says that it reads.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::OnceLock;

use bytes::BytesMut;
use expr::{
    Block, CompileError, Condition, Dialect, Fault, Limits, Mode, PacketFields, Payload, Reads,
    StepFields, Surroundings, Text, Value, Variables, json, structs,
};
use prost::Message;
use transport_proto::v1;
use transport_proto::view::{Dialect as Numbering, PacketView};

/// A text, or a value as JSON, of the template dialect.
pub fn template(data: &[u8]) {
    everywhere(data, &[Dialect::Template]);
}

/// The same in the dialects that may take it as CEL.
pub fn cel(data: &[u8]) {
    everywhere(data, &[Dialect::Cel, Dialect::TemplateOrCel]);
}

fn everywhere(data: &[u8], dialects: &[Dialect]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for &dialect in dialects {
        condition(text, dialect);
        for mode in [Mode::Runtime, Mode::With] {
            let field = Value::map([(Text::Borrowed(b"v"), Value::owned(text))].into());
            block(&field, mode, dialect);
            if let Some(value @ (Value::Map(_) | Value::List(_))) = json::parse(data) {
                block(&value, mode, dialect);
            }
        }
    }
}

fn condition(text: &str, dialect: Dialect) {
    match Condition::compile(text, dialect, Limits::default()) {
        Err(errors) => refused(&errors),
        Ok(condition) => judge(condition.reads(), |variables, around| {
            condition.evaluate(variables, around).map(Value::Bool)
        }),
    }
}

fn block(value: &Value<'_>, mode: Mode, dialect: Dialect) {
    match Block::compile(value, (mode, dialect), Limits::default()) {
        Err(errors) => refused(&errors),
        Ok(block) => judge(block.reads(), |variables, around| {
            block.evaluate(variables, around).map(Value::into_owned)
        }),
    }
}

fn refused(errors: &[CompileError]) {
    assert!(!errors.is_empty(), "refused for nothing");
    for error in errors {
        assert!(!error.message.is_empty(), "refused without a word");
        assert!(error.column >= 1, "{error}");
    }
}

/// Evaluates over everything twice, and once over what is read.
fn judge(
    reads: &Reads,
    evaluate: impl Fn(&Variables<'_>, &Surroundings) -> Result<Value<'static>, Fault>,
) {
    let around = Surroundings {
        now_nanos: 1_715_000_000_000_000_000,
        seed: 7,
    };
    let scene = Scene::get();
    let told = |reads| written(scene.over(reads, |variables| evaluate(variables, &around)));
    let (all, again, masked) = (told(None), told(None), told(Some(reads)));
    assert_eq!(all, again, "the same twice");
    match (&all, &masked) {
        (Ok(all), Ok(masked)) => assert_eq!(all, masked, "only what it says is read"),
        // What may have been meant is looked for among what is there.
        (Err(all), Err(masked)) => assert_eq!(discriminant(all), discriminant(masked)),
        (all, masked) => panic!("only what it says is read: {all:?}, {masked:?}"),
    }
}

/// The value as JSON; its texts are within the limit.
fn written(value: Result<Value<'static>, Fault>) -> Result<String, Fault> {
    let value = value?;
    bounded(&value, 0);
    let style = json::Style {
        indented: false,
        html_safe: false,
    };
    let mut out = Vec::new();
    json::write(&value, style, &mut out)?;
    let limits = Limits::default();
    assert!(out.len() as u64 <= limits.memory_bytes, "{} B", out.len());
    // What is no UTF-8 reaches nothing but JSON's own replacement.
    Ok(String::from_utf8(out).expect("JSON is UTF-8"))
}

fn bounded(value: &Value<'_>, depth: usize) {
    assert!(depth < 4096, "nested as deep as that");
    match value {
        Value::Text(text) => {
            assert!(text.bytes().len() <= Limits::default().output_bytes);
            assert!(std::str::from_utf8(text.bytes()).is_ok(), "a text is UTF-8");
        }
        Value::List(list) => list.values().iter().for_each(|v| bounded(v, depth + 1)),
        Value::Map(map) => map.tree().values().for_each(|v| bounded(v, depth + 1)),
        _ => {}
    }
}

/// What all expressions are evaluated over.
struct Scene {
    packet: Vec<u8>,
    view: PacketView,
    payload: BytesMut,
    inputs: BytesMut,
    steps: Vec<(String, BytesMut)>,
}

const INPUTS: &str = r#"{"model": "small", "langs": ["de", "en"], "greeting": "Hi", "limit": 2,
    "flags": {"debug": true, "beta": false}, "none": null, "x": {"y": {"z": [1, [2, {"w": 3}]]}}}"#;
const PAYLOAD: &str = r#"{"text": "Hello, world", "none": null, "items": ["a", "b", "c"], "v": "1",
    "obj": {"a": 1, "b": "two", "c": {"d": "deep", "e": [10, 20, {"f": "leaf"}]}}, "t": true,
    "lang": "de", "big": 12345678901234567890, "count": 3, "neg": -7, "n": 3, "s": "3", "f": false,
    "m": {"b": 1, "a": 2, "C": 3, "10": 4, "9": 5, "\u00e4": 6, "_": 7, "": 8}, "z": 0, "e": "",
    "l": [1], "l2": [1], "o": {"a": 1}, "o2": {"a": 1}, "ok": true, "final": true, "one": 1,
    "confidence": 0.91, "speaker": "caller", "seq": 12, "users": [{"name": "Ana", "age": 31},
    {"name": "Bo", "age": 27}], "uni": "Gr\u00fc\u00dfe \u4e16\u754c \ud83c\udf89", "pi": 3.14159,
    "nums": [3, 1, 2], "version": "1.2.3-rc.1+5", "when": "2024-05-06T07:08:09Z", "\u00fc": "wide",
    "json": "{\"a\": [1, 2.5e3]}", "path": "/a/../b.tar.gz", "b64": "aGVsbG8=", "huge": 1e300,
    "words": "the quick brown_fox jumpsOver", "lines": "one\ntwo\r\nthree", "noobj": {},
    "nolist": [], "deep": [[[[[[[[[[1]]]]]]]]]], "ref": {"$bubuStorageRef": "runs/r1/p.json"}}"#;
const STEPS: &str = r#"{"stt": {"text": "guten tag", "language": "de", "nil": null,
    "alts": ["guten tag", "guten Tag!"]}, "a": {"v": true}, "my-step": {"x": 1},
    "b": {"blob": {"$bubuStorageRef": "runs/r1/out.json"}, "plain": "p"},
    "c": {"output": {"$bubuStorageRef": "runs/r1/out.json"}},
    "llm": {"reply": "Sure!", "usage": {"tokens": 128, "cost": 0.0025}}}"#;

impl Scene {
    fn get() -> &'static Self {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let pairs = [("lang", "de"), ("participant.id", "p-1"), ("final", "true")];
        let audio = v1::AudioFrame {
            pcm: vec![0; 320].into(),
            sample_rate_hz: 16_000,
            channels: 1,
            codec: "pcm16".to_owned(),
            timestamp_ms: 160,
        };
        let packet = v1::DataPacket {
            metadata: pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            frame: Some(v1::data_packet::Frame::Audio(audio)),
            ..v1::DataPacket::default()
        }
        .encode_to_vec();
        let steps = json::parse(STEPS.as_bytes()).expect("JSON");
        let steps = steps.as_map().expect("an object").tree();
        let name = |id: &Text<'_>| String::from_utf8_lossy(id.bytes()).into_owned();
        Self {
            view: PacketView::parse(&packet, Numbering::Packet).expect("a packet"),
            packet,
            payload: body(&json::parse(PAYLOAD.as_bytes()).expect("JSON")),
            inputs: body(&json::parse(INPUTS.as_bytes()).expect("JSON")),
            steps: steps.iter().map(|(id, v)| (name(id), body(v))).collect(),
        }
    }

    /// Lends the variables: all, or those that `reads` speaks of, as the hub does.
    fn over<T>(&self, reads: Option<&Reads>, evaluate: impl FnOnce(&Variables<'_>) -> T) -> T {
        let is_read = |asks: fn(&Reads) -> bool| reads.is_none_or(asks);
        let payload = if is_read(Reads::reads_payload) {
            Payload::Struct(&self.payload)
        } else {
            Payload::None
        };
        let inputs: &[u8] = if is_read(|reads| reads.reads_root("inputs")) {
            &self.inputs
        } else {
            b""
        };
        let named: Option<BTreeSet<&str>> = reads.and_then(Reads::steps);
        let steps = self.steps.iter().map(|(id, body)| {
            let fields = StepFields::new(&Payload::Struct(body), &Payload::None);
            (id.as_str(), fields)
        });
        let steps = steps.filter(|(id, _)| named.as_ref().is_none_or(|named| named.contains(id)));
        let packet = PacketFields::new(&self.view, &self.packet, &payload);
        evaluate(&Variables::new(
            structs::decode(inputs),
            packet,
            steps.collect(),
        ))
    }
}

fn body(value: &Value<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    structs::encode(value, &mut out).expect("an object");
    out
}
