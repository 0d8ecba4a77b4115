//! What is told of a sample and what the engine decides on it never disagree.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::{Map, Value as Json, json};

use super::sample::Sample;
use super::trace::{Case, Outcome};
use crate::app::run_plan;
use crate::config::Config;
use crate::story::{LoadOptions, Run, load, load_str};

/// Everything that an edge may ask, on ways from one step.
const EVERYTHING: &str = include_str!("../../../fuzz/stories/decide.yaml");

fn runs() -> Vec<Run> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("conformance/stories/loads");
    let options = LoadOptions::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the Stories of the conformance runner")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let mut all: Vec<Run> = files
        .iter()
        .flat_map(|file| {
            load(std::slice::from_ref(file), &options)
                .expect("it loads")
                .snapshot
                .runs
                .clone()
        })
        .collect();
    all.extend(
        load_str("everything", EVERYTHING, &options)
            .expect("it loads")
            .snapshot
            .runs
            .clone(),
    );
    all.retain(|run| run.story.routed);
    assert!(all.len() > 6, "there are Stories");
    all
}

/// How each way from a step ends, and whether the questions alone would have it end so.
fn ends(run: &Run, step: usize, sample: &Json) -> Vec<(Outcome, Outcome)> {
    let sample = Sample::read(&sample.to_string()).expect("a sample");
    let inputs = run.evaluated_inputs().expect("inputs that fit");
    let plan = run_plan(&Config::default(), run).expect("a plan");
    let case = Case {
        story: &run.story,
        run: &inputs,
        sample: &sample,
        surroundings: expr::Surroundings {
            now_nanos: 1_715_000_000_000_000_000,
            seed: 7,
        },
    };
    let fate = case.decide(&plan, step);
    let is_stop = |to: usize| !run.story.steps[to].is_engram();
    let stops = fate.ways.iter().filter(|way| is_stop(way.way.to));
    let reached = stops.clone().any(|way| way.traced == Outcome::Taken);
    assert_eq!(fate.stops, reached, "{sample:?}");
    let ways = fate.ways.into_iter();
    ways.map(|way| (way.outcome, way.traced)).collect()
}

/// Values that conditions, rules, schemas and partitions of these Stories tell apart.
fn value() -> impl Strategy<Value = Json> {
    let texts = [
        "",
        "hi",
        "de",
        "en",
        "hello there",
        "speech.vad",
        "a text of more than forty characters, to break it",
    ];
    prop_oneof![
        proptest::sample::select(texts.to_vec()).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        (-3_i32..5).prop_map(Json::from),
        Just(Json::Null),
        Just(json!({ "id": 7 })),
        Just(json!({ "id": "x", "text": "deep" })),
        Just(json!(["a", "b"])),
    ]
}

fn object() -> impl Strategy<Value = Json> {
    let names = [
        "text", "n", "ok", "user", "items", "rude", "bye", "lang", "prompt", "room", "key",
    ];
    let fields =
        proptest::collection::btree_map(proptest::sample::select(names.to_vec()), value(), 0..7);
    fields.prop_map(|fields| {
        fields
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect::<Map<_, _>>()
            .into()
    })
}

fn sample() -> impl Strategy<Value = Json> {
    let keys = ["lang", "type", "participant.id", "bubu.join.key", "kind"];
    let texts = ["de", "en", "speech.vad", "1", ""];
    let metadata = proptest::collection::btree_map(
        proptest::sample::select(keys.to_vec()),
        proptest::sample::select(texts.to_vec()),
        0..5,
    );
    let may = |strategy| proptest::option::weighted(0.8, strategy);
    let steps = proptest::collection::btree_map(
        proptest::sample::select(vec![
            "a", "b", "left", "right", "one", "two", "audio", "video",
        ]),
        object(),
        0..4,
    );
    let kinds = [
        "application/vnd.bubu.packet+json",
        "application/json",
        "text/plain",
    ];
    let frame = proptest::option::weighted(
        0.3,
        (proptest::sample::select(kinds.to_vec()), object(), object()),
    );
    (
        metadata,
        may(object().boxed()),
        may(object().boxed()),
        steps,
        frame,
    )
        .prop_map(|(metadata, payload, inputs, steps, frame)| {
            let mut sample = json!({ "metadata": metadata, "steps": steps });
            if let Some(payload) = payload {
                sample["payload"] = payload;
            }
            if let Some(inputs) = inputs {
                sample["inputs"] = inputs;
            }
            if let Some((kind, payload, inputs)) = frame {
                let envelope = json!({ "payload": payload, "inputs": inputs });
                sample["binary"] = json!({ "mime_type": kind, "payload": envelope });
            }
            sample
        })
}

#[test]
fn the_questions_and_the_decision_agree_on_every_way_of_every_story() {
    let runs = runs();
    let sources: Vec<(&Run, usize)> = runs
        .iter()
        .flat_map(|run| (0..run.story.steps.len()).map(move |step| (run, step)))
        .filter(|(run, step)| run.story.ways.all().any(|way| way.from == *step))
        .collect();
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let mut runner = TestRunner::new(Runs {
        cases: 300,
        failure_persistence: None,
        ..Runs::default()
    });
    let agreed = runner.run(&sample(), |sample| {
        for (run, step) in &sources {
            for (outcome, traced) in ends(run, *step, &sample) {
                let is_cap = matches!(
                    outcome,
                    Outcome::Dropped(engine::DropReason::MaxDownstreams, _)
                );
                seen.borrow_mut().insert(word(&outcome));
                prop_assert!(
                    is_cap || outcome.agrees(&traced),
                    "{} step {step}: {outcome:?}, but asked: {traced:?}",
                    run.name
                );
            }
        }
        Ok(())
    });
    agreed.unwrap_or_else(|broken| panic!("{broken}"));
    let all = [
        "expression",
        "max_downstreams",
        "not taken",
        "schema",
        "taken",
        "waits",
    ];
    assert_eq!(Vec::from_iter(seen.into_inner()), all, "every end was seen");
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Taken => "taken",
        Outcome::NotTaken(_) => "not taken",
        Outcome::Waits(_) => "waits",
        Outcome::Dropped(reason, _) => reason.as_str(),
    }
}
