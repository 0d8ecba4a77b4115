//! Expressions over a packet's bytes, what compiling a Story of fifty steps costs, and the same by
//! minijinja and the `cel` crate alone (targets: spec 4.4).

use std::hint::black_box;

use benches::expressions::{
    BLOCK, BLOCK_IN_CEL, LANGUAGE_IS_GERMAN, LANGUAGE_IS_GERMAN_IN_CEL, METADATA, MIXED, ONE_PATH,
    PAYLOAD, STEPS, Sample, block, condition, story, written,
};
use benches::{MEASURED, WARM_UP};
use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use engine::StepIndex;
use engine::decide::{Question, StepPrograms};
use expr::{Dialect, Surroundings};
use hub::story::{LoadOptions, load_str};
use transport_proto::view::{Dialect as Numbering, PacketView};

const PREDICATE: &str = r#"packet.metadata.lang == "de""#;
/// The block's fields as minijinja writes them.
const JINJA: [(&str, &str); 3] = [
    ("prompt", "{{ packet.text }}"),
    ("who", r#"{{ packet.metadata["participant.id"] }}"#),
    ("ssml", MIXED),
];
/// The block's fields as CEL writes them.
const CEL: [&str; 3] = [
    "packet.text",
    r#"packet.metadata["participant.id"]"#,
    r#""<speak>" + packet.text + " (" + packet.metadata.lang + ", " + string(packet.confidence) + ")</speak>""#,
];

fn evaluate(criterion: &mut Criterion) {
    let sample = Sample::default();
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
            bencher.iter(|| black_box(&sample).ask(&condition, &surroundings));
        });
    }
    for (name, fields, dialect) in [
        (
            "runtime block of three fields, to bytes",
            BLOCK,
            Dialect::Template,
        ),
        (
            "CEL runtime block of three fields, to bytes",
            BLOCK_IN_CEL,
            Dialect::Cel,
        ),
    ] {
        let block = block(&written(&fields), dialect);
        group.bench_function(name, |bencher| {
            let mut out = BytesMut::new();
            bencher.iter(|| black_box(&sample).evaluate(&block, &surroundings, &mut out));
        });
    }
    group.finish();
}

/// All that the hub does for a packet whose only edge has a condition and the block.
fn decide(criterion: &mut Criterion) {
    let loaded = load_str("story.yaml", &story(), &LoadOptions::default()).expect("it loads");
    let run = &loaded.snapshot.runs[0];
    let plan = hub::app::run_plan(&hub::config::Config::default(), run).expect("a plan");
    let programs = StepPrograms::of(&plan, StepIndex(0)).expect("programs");
    let packet = Sample::default().whole();
    let view = PacketView::parse(&packet, Numbering::Packet).expect("a packet");
    criterion.bench_function(
        "expressions/decide an edge with if and runtime",
        |bencher| {
            bencher.iter(|| {
                programs.decide(&Question {
                    packet: black_box(&packet),
                    view: &view,
                    meetings: &[],
                    surroundings: &Surroundings::default(),
                })
            });
        },
    );
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expressions");
    let block_of = written(&BLOCK);
    group.bench_function("compile the programs of fifty steps", |bencher| {
        bencher.iter(|| {
            let compiled = (0..STEPS).map(|_| {
                let condition = condition(LANGUAGE_IS_GERMAN, Dialect::Template);
                let block = block(black_box(&block_of), Dialect::Template);
                condition.reads().paths().count() + block.reads().paths().count()
            });
            compiled.sum::<usize>()
        });
    });
    let yaml = story();
    group.bench_function("load a Story of fifty steps from its YAML", |bencher| {
        let options = LoadOptions::default();
        bencher.iter(|| load_str("story.yaml", black_box(&yaml), &options).expect("it loads"));
    });
    group.finish();
}

/// minijinja over values that are decoded already: what a hub would pay on top of decoding.
fn jinja(criterion: &mut Criterion) {
    let mut fields: serde_json::Value = serde_json::from_str(PAYLOAD).expect("JSON");
    fields["metadata"] = METADATA
        .iter()
        .map(|(key, value)| ((*key).to_owned(), serde_json::Value::from(*value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let context = minijinja::context! { packet => minijinja::Value::from_serialize(&fields) };
    let compiled = || {
        let mut jinja = minijinja::Environment::new();
        let when = [("when", LANGUAGE_IS_GERMAN_IN_CEL)];
        for (name, text) in when.into_iter().chain(JINJA) {
            jinja.add_template(name, text).expect("a template");
        }
        jinja
    };
    let jinja = compiled();
    let template = |name| jinja.get_template(name).expect("a template");
    let mut group = criterion.benchmark_group("expressions-peers");
    let when = template("when");
    group.bench_function("minijinja predicate", |bencher| {
        bencher.iter(|| when.render(black_box(&context)).expect("text"));
    });
    let block = JINJA.map(|(name, _)| template(name));
    group.bench_function("minijinja block of three fields", |bencher| {
        bencher.iter(|| {
            let context = black_box(&context);
            let texts = block.iter().map(|one| one.render(context).expect("text"));
            texts.map(|text| text.len()).sum::<usize>()
        });
    });
    group.bench_function("minijinja compile of fifty steps", |bencher| {
        bencher.iter(|| {
            (0..STEPS)
                .map(|_| compiled().templates().count())
                .sum::<usize>()
        });
    });
    group.finish();
}

/// The `cel` crate over values that are decoded already.
fn cel(criterion: &mut Criterion) {
    let metadata: std::collections::HashMap<&str, cel::Value> = METADATA
        .iter()
        .map(|(key, value)| (*key, cel::Value::from(*value)))
        .collect();
    let packet = std::collections::HashMap::from([
        (
            "text",
            cel::Value::from("Guten Tag, ich hätte gern einen Termin."),
        ),
        ("confidence", cel::Value::from(0.91)),
        ("metadata", cel::Value::from(metadata)),
    ]);
    let mut context = cel::Context::default();
    context.add_variable_from_value("packet", packet);
    let program = |source: &str| cel::Program::compile(source).expect("a program");
    let mut group = criterion.benchmark_group("expressions-peers");
    let when = program(PREDICATE);
    group.bench_function("cel predicate", |bencher| {
        bencher.iter(|| when.execute(black_box(&context)).expect("a value"));
    });
    let block = CEL.map(program);
    group.bench_function("cel block of three fields", |bencher| {
        bencher.iter(|| {
            let context = black_box(&context);
            block
                .each_ref()
                .map(|one| one.execute(context).expect("a value"))
        });
    });
    group.bench_function("cel compile of fifty steps", |bencher| {
        bencher.iter(|| {
            (0..STEPS)
                .map(|_| [program(PREDICATE)].len() + CEL.map(program).len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = evaluate, decide, compile, jinja, cel
}
criterion_main!(benches);
