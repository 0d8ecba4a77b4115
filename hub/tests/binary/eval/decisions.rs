//! What is decided for a sample packet, and how it is told.

use std::fs;

use serde_json::{Value, json};

use super::{A, Case};

#[test]
fn every_decision_stands_on_a_line_and_the_inputs_behind_them() {
    let case = Case::new(
        "",
        &[
            A,
            "name: p, type: condition, needs: [a], if: '{{ packet.ok }}'",
            "name: b, ref: { name: b }, needs: [p], if: '{{ eq packet.metadata.lang \"en\" }}', \
             runtime: { text: '{{ upper packet.text }}', n: 1 }",
        ],
    );
    let sample = r#"{"metadata": {"lang": "en"}, "payload": {"ok": true, "text": "hi"}}"#;
    let ended = case.eval(sample, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "packet of a in run default/s\n\
         a -> b (through p)\n  \
         if of p: true  {{ packet.ok }}\n  \
         if of b: true  {{ eq packet.metadata.lang \"en\" }}\n  \
         inputs from runtime: {\"n\":1,\"text\":\"HI\"}\n  \
         taken\n"
    );
}

#[test]
fn what_is_false_says_so_and_nothing_behind_it_is_asked() {
    let case = Case::new(
        "",
        &[
            A,
            "name: p, type: condition, needs: [a], if: '{{ packet.ok }}'",
            "name: b, ref: { name: b }, needs: [p], if: '{{ packet.nowhere }}'",
        ],
    );
    let way = case.way(r#"{"payload": {"ok": false}}"#);
    assert_eq!(way["outcome"], "notTaken");
    assert_eq!(way["why"], "if of p is false");
    assert_eq!(way["decisions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_failure_names_expression_place_and_what_was_meant_and_fails() {
    let case = Case::new(
        "",
        &[
            A,
            "name: b, ref: { name: b }, needs: [a], runtime: { t: ['{{ packet.texst }}'] }",
        ],
    );
    let ended = case.eval(r#"{"payload": {"text": "hi"}}"#, &[]);
    assert_eq!(ended.code, Some(1));
    let story = case.path("story.yaml");
    let says = format!(
        "  fails: runtime of b: packet.texst: no such key; did you mean text? \
         ({story}:8: spec.steps[1].runtime.t[0])\n"
    );
    assert!(ended.stdout.contains(&says), "{}", ended.stdout);
}

#[test]
fn a_step_that_is_not_there_yet_is_no_failure() {
    let step = "name: b, ref: { name: b }, needs: [a], if: '{{ steps.b.text }}'";
    let case = Case::new("", &[A, step]);
    let ended = case.eval("{}", &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("not taken: if of b: steps.b"),
        "{}",
        ended.stdout
    );
}

fn joining() -> Case {
    let steps = [
        A,
        "name: x, ref: { name: x }, needs: []",
        "name: b, ref: { name: b }, needs: [a, x], runtime: { t: '{{ steps.x.text }}' }",
    ];
    Case::new("", &steps)
}

#[test]
fn a_packet_waits_at_a_join_for_branches_that_the_sample_does_not_give() {
    let case = joining();
    let sample = r#"{"metadata": {"bubu.join.key": "1"}}"#;
    let ended = case.eval(sample, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    for says in ["  joins: x\n", "  waits: it waits for 1 more of x"] {
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
    }
    assert_eq!(case.way(sample)["outcome"], "waits");
    let joined = r#"{"metadata": {"bubu.join.key": "1"}, "steps": {"x": {"text": "from x"}}}"#;
    let way = case.way(joined);
    assert_eq!(way["outcome"], "taken");
    assert_eq!(way["inputs"], json!({ "t": "from x" }));
}

#[test]
fn a_packet_without_an_id_joins_nothing_and_says_so() {
    let ended = joining().eval(r#"{"steps": {"x": {"text": "from x"}}}"#, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    for says in [
        "  joins: x (metadata has no bubu.join.key",
        "  not taken: runtime of b: steps.x",
    ] {
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
    }
}

/// `a` gives what has `text` and a default for `lang`; `b` takes at most five characters of `text`
/// and has a default for `n`.
fn schemas() -> Case {
    let spec = "  inputsSchema: {}\n";
    let steps = [
        "name: a, ref: { name: giver }, needs: []",
        "name: b, ref: { name: taker }, needs: [a], runtime: { text: '{{ packet.text }}', \
         lang: '{{ packet.lang }}' }",
    ];
    let case = Case::new(spec, &steps);
    let mut more = String::new();
    for (name, schema) in [
        (
            "giver",
            "outputSchema: { required: [text], properties: { lang: { default: en } } }",
        ),
        (
            "taker",
            "inputSchema: { properties: { text: { maxLength: 5 }, n: { default: 1 } } }",
        ),
    ] {
        more += &format!(
            "---\napiVersion: bubustack.io/v1alpha1\nkind: Engram\nmetadata: {{ name: {name} }}\n\
             spec: {{ templateRef: {{ name: {name} }} }}\n---\n\
             apiVersion: catalog.bubustack.io/v1alpha1\nkind: EngramTemplate\n\
             metadata: {{ name: {name} }}\nspec: {{ version: 1.0.0, {schema} }}\n"
        );
    }
    let story = fs::read_to_string(case.path("story.yaml")).expect("the Story");
    fs::write(case.path("story.yaml"), story + &more).expect("a Story");
    case
}

#[test]
fn schemas_are_shown_without_quotes_and_the_defaults_that_they_fill_in_arrive() {
    let case = schemas();
    let sample = r#"{"payload": {"text": "hi"}}"#;
    let way = case.way(sample);
    assert_eq!(way["outcome"], "taken");
    assert_eq!(way["payload"], json!({ "text": "hi", "lang": "en" }));
    let inputs = json!({ "text": "hi", "lang": "en", "n": 1 });
    assert_eq!(way["inputs"], inputs);
    let ended = case.eval(sample, &[]);
    for says in [
        "  outputSchema of a: fits, its defaults filled in\n",
        "  inputSchema of b: fits, its defaults filled in\n",
    ] {
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
    }
}

#[test]
fn what_breaks_a_schema_is_dropped_as_that_and_says_what_it_breaks() {
    let case = schemas();
    for (payload, says) in [
        (
            r#"{"text": "too long"}"#,
            "dropped as schema: inputSchema of b: text: ",
        ),
        (r#"{"say": "hi"}"#, "dropped as schema: outputSchema of a: "),
    ] {
        let sample = format!(r#"{{"payload": {payload}}}"#);
        let ended = case.eval(&sample, &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
        let way = case.way(&sample);
        assert_eq!(
            (&way["outcome"], &way["reason"]),
            (&json!("dropped"), &json!("schema"))
        );
    }
}

#[test]
fn the_partition_that_a_packet_gets_is_shown() {
    let spec = "  transports: [{ name: t, streaming: { partitioning: { mode: preserve, \
                key: payload.user.id, sticky: true } } }]\n";
    let case = Case::new(
        spec,
        &[A, "name: b, ref: { name: b }, transport: t, needs: [a]"],
    );
    let user = r#""payload": {"user": {"id": "u7"}}"#;
    assert_eq!(case.way(&format!("{{{user}}}"))["partition"], "u7");
    let kept = format!(r#"{{{user}, "envelope": {{"partition": "p1"}}}}"#);
    assert_eq!(case.way(&kept)["partition"], Value::Null);
    let ended = case.eval(&format!("{{{user}}}"), &[]);
    assert!(
        ended.stdout.contains("  partition: u7\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn rules_are_told_by_name_and_decide() {
    let rules = "  transports: [{ name: t, streaming: { routing: { rules: [\
                 { name: spoken, when: '{{ packet.spoken }}', action: allow }, \
                 { name: rude, when: '{{ packet.rude }}', action: deny, target: { steps: [b] } }\
                 ] } } }]\n";
    let case = Case::new(rules, &[A, "name: b, ref: { name: b }, needs: [a]"]);
    let why = |spoken: bool, rude: bool| {
        let sample = json!({ "payload": { "spoken": spoken, "rude": rude } });
        case.way(&sample.to_string())["why"].clone()
    };
    assert_eq!(why(true, false), Value::Null);
    assert_eq!(why(false, false), "no allow rule is true");
    assert_eq!(why(true, true), "deny rule rude is true");
}

#[test]
fn a_transform_shows_the_payload_that_it_makes() {
    let case = Case::new(
        "",
        &[
            A,
            "name: t, type: transform, needs: [a], with: { expr: '{{ packet.inner }}' }",
            "name: b, ref: { name: b }, needs: [t], \
             runtime: { now: '{{ packet.x }}', before: '{{ steps.a.y }}', at: '{{ steps.t.x }}' }",
        ],
    );
    let way = case.way(r#"{"payload": {"inner": {"x": 1}, "y": 2}}"#);
    assert_eq!(way["payload"], json!({ "x": 1 }));
    assert_eq!(way["inputs"], json!({ "now": 1, "before": 2, "at": 1 }));
    let ended = case.eval(r#"{"payload": {"inner": "text"}}"#, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stdout.contains("fails: transform of t: "),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_way_to_a_stop_says_that_the_run_ends() {
    let case = Case::new(
        "",
        &[A, "name: x, type: stop, needs: [a], if: '{{ packet.bye }}'"],
    );
    let ended = case.eval(r#"{"payload": {"bye": true}}"#, &[]);
    assert!(
        ended.stdout.ends_with("  taken: the run ends\n"),
        "{}",
        ended.stdout
    );
    let stops = |bye: bool| {
        let sample = json!({ "payload": { "bye": bye } }).to_string();
        let outcome = case.way(&sample)["outcome"].clone();
        let all = case.eval(&sample, &["--output", "json"]);
        let all: Value = serde_json::from_str(&all.stdout).expect("JSON");
        (outcome, all["stops"].clone())
    };
    assert_eq!(stops(true), (json!("taken"), json!(true)));
    assert_eq!(stops(false), (json!("notTaken"), json!(false)));
}

#[test]
fn heartbeats_and_control_messages_are_told_apart() {
    let case = Case::new("", &[A, "name: b, ref: { name: b }, needs: [a]"]);
    for (metadata, says) in [
        (r#"{"bubu-heartbeat": "true"}"#, "note: this is a heartbeat"),
        (r#"{"hub-control": "x"}"#, "note: this is a control message"),
    ] {
        let ended = case.eval(&format!(r#"{{"metadata": {metadata}}}"#), &[]);
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
    }
}

#[test]
fn media_is_seen_by_its_facts() {
    let runtime = "runtime: { rate: '{{ packet.audio.sample_rate_hz }}', \
                   size: '{{ packet.audio.size }}' }";
    let case = Case::new(
        "",
        &[
            A,
            &format!("name: b, ref: {{ name: b }}, needs: [a], {runtime}"),
        ],
    );
    let sample =
        r#"{"audio": {"sample_rate_hz": 8000, "channels": 1, "codec": "pcm16", "size": 160}}"#;
    assert_eq!(
        case.way(sample)["inputs"],
        json!({ "rate": 8000, "size": 160 })
    );
    let ended = case.eval(r#"{"audio": {"sample_rate_hz": 8000, "size": 160}}"#, &[]);
    assert!(
        ended.stdout.contains("note: the hub drops such a packet"),
        "{}",
        ended.stdout
    );
}

#[test]
fn with_is_evaluated_over_the_inputs_that_are_given() {
    let schema = "  inputsSchema: { properties: { lang: { default: en } } }\n";
    let step = "name: b, ref: { name: b }, needs: [a], \
                with: { who: '{{ inputs.name }}', lang: '{{ inputs.lang }}' }";
    let case = Case::new(schema, &[A, step]);
    fs::write(case.path("inputs.json"), r#"{"name": "Ana"}"#).unwrap();
    let inputs = case.path("inputs.json");
    let ended = case.eval("{}", &["--inputs", &inputs]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let says =
        r#"inputs from with, the same for every packet of the run: {"lang":"en","who":"Ana"}"#;
    assert!(ended.stdout.contains(says), "{}", ended.stdout);
    let ended = case.eval("{}", &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("spec.steps[1].with.who: run default/s"),
        "{}",
        ended.stderr
    );
}

#[test]
fn more_targets_than_a_packet_goes_to_are_left_out() {
    let spec = "  transports: [{ name: t, streaming: { routing: { maxDownstreams: 1 } } }]\n";
    let case = Case::new(
        spec,
        &[
            A,
            "name: b, ref: { name: b }, needs: [a]",
            "name: c, ref: { name: c }, needs: [a]",
        ],
    );
    let ended = case.eval("{}", &[]);
    let lines: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|l| l.contains("taken") || l.contains("dropped"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], "  taken");
    assert!(
        lines[1].starts_with("  dropped as max_downstreams: "),
        "{lines:?}"
    );
}
