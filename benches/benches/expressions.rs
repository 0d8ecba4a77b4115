//! Expressions over a packet's bytes, and what compiling a Story of fifty steps costs
//! (targets: spec 4.4).

use std::hint::black_box;

use benches::{MEASURED, WARM_UP};
use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use expr::{
    Block, Condition, Dialect, Limits, Mode, PacketFields, Payload, Surroundings, Value, Variables,
    json, structs,
};
use prost::Message;
use transport_proto::v1::DataPacket;
use transport_proto::view::{Dialect as Numbering, PacketView};

const LANGUAGE_IS_GERMAN: &str = r#"{{ eq packet.metadata.lang "de" }}"#;
const LANGUAGE_IS_GERMAN_IN_CEL: &str = r#"{{ packet.metadata.lang == "de" }}"#;
const ONE_PATH: &str = "{{ packet.metadata.final }}";
const BLOCK: &str = r#"{
    "prompt": "{{ packet.text }}",
    "who": "{{ index packet.metadata \"participant.id\" }}",
    "ssml": "<speak>{{ packet.text }} ({{ packet.metadata.lang }}, {{ packet.confidence }})</speak>"
}"#;
const PAYLOAD: &str = r#"{"text": "Guten Tag, ich hätte gern einen Termin.", "confidence": 0.91,
    "final": true, "speaker": "caller", "seq": 12}"#;

fn packet() -> Vec<u8> {
    let pairs = [
        ("storyrun-name", "support-call-7f3a"),
        ("participant.id", "caller-1"),
        ("kind", "speech.transcript.v1"),
        ("lang", "de"),
        ("final", "true"),
    ];
    DataPacket {
        metadata: pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        ..DataPacket::default()
    }
    .encode_to_vec()
}

fn condition(source: &str, dialect: Dialect) -> Condition {
    Condition::compile(source, dialect, Limits::default()).expect("a condition")
}

fn expressions(criterion: &mut Criterion) {
    let bytes = packet();
    let view = PacketView::parse(&bytes, Numbering::Packet).expect("a packet");
    let payload = json::parse(PAYLOAD.as_bytes()).expect("JSON");
    let mut body = BytesMut::new();
    structs::encode(&payload, &mut body).expect("an object");
    let surroundings = Surroundings::default();
    let mut group = criterion.benchmark_group("expressions");
    for (name, source, dialect) in [
        ("one path over metadata", ONE_PATH, Dialect::Template),
        (
            "predicate over metadata",
            LANGUAGE_IS_GERMAN,
            Dialect::Template,
        ),
        (
            "CEL predicate over metadata",
            LANGUAGE_IS_GERMAN_IN_CEL,
            Dialect::Cel,
        ),
    ] {
        let condition = condition(source, dialect);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let packet = PacketFields::new(&view, black_box(&bytes), &Payload::None);
                let variables = Variables::new(structs::decode(b""), packet, Vec::new());
                condition.evaluate(&variables, &surroundings)
            });
        });
    }
    let source = json::parse(BLOCK.as_bytes()).expect("JSON");
    let block = Block::compile(
        &source,
        (Mode::Runtime, Dialect::Template),
        Limits::default(),
    )
    .expect("a block");
    group.bench_function("runtime block of three fields, to bytes", |bencher| {
        let mut out = BytesMut::new();
        bencher.iter(|| {
            let payload = Payload::Struct(black_box(&body));
            let packet = PacketFields::new(&view, &bytes, &payload);
            let variables = Variables::new(structs::decode(b""), packet, Vec::new());
            out.clear();
            let value = block.evaluate(&variables, &surroundings).expect("a value");
            structs::encode(&value, &mut out).expect("an object");
        });
    });
    group.bench_function("compile the programs of fifty steps", |bencher| {
        bencher.iter(|| compile_fifty(black_box(&source)));
    });
    group.finish();
}

fn compile_fifty(block: &Value<'_>) -> usize {
    (0..50)
        .map(|_| {
            let condition = condition(LANGUAGE_IS_GERMAN, Dialect::Template);
            let to = (Mode::Runtime, Dialect::Template);
            let block = Block::compile(block, to, Limits::default()).expect("a block");
            condition.reads().paths().count() + block.reads().paths().count()
        })
        .sum()
}

/// The same block by minijinja and the predicate by the `cel` crate alone, over values that
/// are decoded already: what a hub would pay on top of decoding.
fn peers(criterion: &mut Criterion) {
    let metadata = [("lang", "de"), ("participant.id", "caller-1")];
    let metadata: std::collections::BTreeMap<_, _> = metadata.into_iter().collect();
    let payload: serde_json::Value = serde_json::from_str(PAYLOAD).expect("JSON");
    let mut group = criterion.benchmark_group("expressions-peers");
    let mut jinja = minijinja::Environment::new();
    jinja
        .add_template("when", r#"{{ packet.metadata.lang == "de" }}"#)
        .expect("a template");
    let ssml =
        "<speak>{{ packet.text }} ({{ packet.metadata.lang }}, {{ packet.confidence }})</speak>";
    jinja.add_template("ssml", ssml).expect("a template");
    let mut fields = payload;
    fields["metadata"] = serde_json::to_value(&metadata).expect("JSON");
    let context = minijinja::context! { packet => minijinja::Value::from_serialize(&fields) };
    for (name, template) in [
        ("minijinja predicate", "when"),
        ("minijinja mixed text", "ssml"),
    ] {
        let template = jinja.get_template(template).expect("a template");
        group.bench_function(name, |bencher| {
            bencher.iter(|| template.render(black_box(&context)).expect("text"));
        });
    }
    let program = cel::Program::compile(r#"packet.metadata.lang == "de""#).expect("a program");
    let mut context = cel::Context::default();
    let packet = std::collections::HashMap::from([(
        "metadata",
        std::collections::HashMap::from([("lang", "de")]),
    )]);
    context.add_variable_from_value("packet", packet);
    group.bench_function("cel predicate", |bencher| {
        bencher.iter(|| program.execute(black_box(&context)).expect("a value"));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = expressions, peers
}
criterion_main!(benches);
