//! Values of the wrong type, outside their range or their set of words: each is refused with
//! its path, and none brings the loader down.

use crate::story::{A_TO_B, loads, problems, refused, streaming, with_settings};

/// A value of the wrong type for every kind of field.
const WRONG: &[(&str, &[&str])] = &[
    ("mapping", &["3", "text", "[a]", "true"]),
    ("list", &["3", "text", "{ a: 1 }", "true"]),
    ("text", &["3", "1.5", "true", "[a]", "{ a: 1 }"]),
    ("boolean", &["3", "yes", "'true'", "[true]", "{ a: 1 }"]),
    (
        "count",
        &[
            "1.5",
            "-1",
            "'3'",
            "many",
            "99999999999",
            "[1]",
            "{ a: 1 }",
            "true",
        ],
    ),
    (
        "bytes",
        &[
            "1.5",
            "-1",
            "3MB",
            "many",
            "99999999999999",
            "[1]",
            "{ a: 1 }",
        ],
    ),
    (
        "percent",
        &["-1", "100.1", "'3'", "[1]", "{ a: 1 }", "true"],
    ),
    (
        "duration",
        &[
            "5", "1.5", "-1s", "5 s", "soon", "9999h", "[1s]", "{ a: 1 }", "true",
        ],
    ),
    ("word", &["3", "true", "neverheard", "[none]", "{ a: 1 }"]),
];

/// Every streaming setting and its kind (spec 2.8).
const SETTINGS: &[(&str, &str)] = &[
    ("backpressure", "mapping"),
    ("backpressure.buffer", "mapping"),
    ("backpressure.buffer.maxMessages", "count"),
    ("backpressure.buffer.maxBytes", "bytes"),
    ("backpressure.buffer.maxAgeSeconds", "count"),
    ("backpressure.buffer.dropPolicy", "word"),
    ("flowControl", "mapping"),
    ("flowControl.mode", "word"),
    ("flowControl.initialCredits", "mapping"),
    ("flowControl.initialCredits.messages", "count"),
    ("flowControl.initialCredits.bytes", "bytes"),
    ("flowControl.ackEvery", "mapping"),
    ("flowControl.ackEvery.messages", "count"),
    ("flowControl.ackEvery.bytes", "bytes"),
    ("flowControl.ackEvery.maxDelay", "duration"),
    ("flowControl.pauseThreshold", "mapping"),
    ("flowControl.pauseThreshold.bufferPct", "count"),
    ("flowControl.resumeThreshold.bufferPct", "count"),
    ("delivery", "mapping"),
    ("delivery.ordering", "word"),
    ("delivery.semantics", "word"),
    ("delivery.replay", "mapping"),
    ("delivery.replay.mode", "word"),
    ("delivery.replay.retentionSeconds", "count"),
    ("delivery.replay.checkpointInterval", "duration"),
    ("delivery.redelivery", "mapping"),
    ("delivery.redelivery.ackWait", "duration"),
    ("delivery.redelivery.maxDeliver", "count"),
    ("delivery.overflow", "word"),
    ("routing", "mapping"),
    ("routing.mode", "word"),
    ("routing.fanOut", "word"),
    ("routing.maxDownstreams", "count"),
    ("routing.rules", "list"),
    ("lanes", "list"),
    ("fanIn", "mapping"),
    ("fanIn.mode", "word"),
    ("fanIn.quorum", "count"),
    ("fanIn.timeoutSeconds", "count"),
    ("fanIn.maxEntries", "count"),
    ("fanIn.onTimeout", "word"),
    ("partitioning", "mapping"),
    ("partitioning.mode", "word"),
    ("partitioning.key", "text"),
    ("partitioning.partitions", "count"),
    ("partitioning.sticky", "boolean"),
    ("lifecycle", "mapping"),
    ("lifecycle.strategy", "word"),
    ("lifecycle.drainTimeoutSeconds", "count"),
    ("lifecycle.maxInFlight", "count"),
    ("observability", "mapping"),
    ("observability.metrics", "mapping"),
    ("observability.metrics.enabled", "boolean"),
    ("observability.tracing", "mapping"),
    ("observability.tracing.enabled", "boolean"),
    ("observability.tracing.sampleRate", "percent"),
    ("observability.tracing.samplePolicy", "word"),
    ("observability.watermark", "mapping"),
    ("observability.watermark.enabled", "boolean"),
    ("observability.watermark.timestampSource", "text"),
    ("recording", "mapping"),
    ("recording.mode", "word"),
    ("recording.sampleRate", "percent"),
    ("recording.retentionSeconds", "count"),
    ("recording.redactFields", "list"),
];

fn wrong(kind: &str) -> &'static [&'static str] {
    WRONG.iter().find(|(known, _)| *known == kind).unwrap().1
}

/// `a.b` and a value to `{ a: { b: value } }`.
fn nested(path: &str, value: &str) -> String {
    let open: String = path.split('.').map(|name| format!("{{ {name}: ")).collect();
    format!("{open}{value}{}", " }".repeat(path.split('.').count()))
}

#[test]
fn every_setting_refuses_values_of_another_type_or_range() {
    for (setting, kind) in SETTINGS {
        for value in wrong(kind) {
            let yaml = with_settings(&nested(setting, value));
            refused(
                &yaml,
                &format!("8: spec.transports[0].streaming.{setting}"),
                "",
            );
        }
    }
}

#[test]
fn every_setting_may_be_null() {
    for (setting, _) in SETTINGS {
        loads(&with_settings(&nested(setting, "null")));
    }
}

#[test]
fn the_same_holds_for_raw_settings_and_for_transports() {
    for (setting, kind) in SETTINGS {
        let value = wrong(kind)[0];
        let raw = with_settings(&nested(setting, value)).replace("streaming: {", "settings: {");
        refused(
            &raw,
            &format!("8: spec.transports[0].settings.{setting}"),
            "",
        );
        for field in ["streaming", "defaultSettings"] {
            let transport = format!(
                "apiVersion: transport.bubustack.io/v1alpha1\nkind: Transport\n\
                 metadata: {{ name: g }}\nspec:\n  {field}: {}\n---\n{}",
                nested(setting, value),
                streaming(&format!(
                    "  transports: [{{ name: t, transportRef: g }}]\n{A_TO_B}"
                ))
            );
            refused(&transport, &format!("5: spec.{field}.{setting}"), "");
        }
    }
}

#[test]
fn items_of_lists_are_refused_with_their_index() {
    for (settings, path) in [
        ("{ lanes: [3] }", "lanes[0]"),
        ("{ lanes: [{ kind: audio }] }", "lanes[0].name"),
        ("{ lanes: [{ name: a }] }", "lanes[0].kind"),
        ("{ lanes: [{ name: a, kind: smell }] }", "lanes[0].kind"),
        ("{ lanes: [{ name: '', kind: audio }] }", "lanes[0].name"),
        (
            "{ lanes: [{ name: a, kind: audio, maxMessages: 0 }] }",
            "lanes[0].maxMessages",
        ),
        (
            "{ lanes: [{ name: a, kind: audio, maxMediaMs: -1 }] }",
            "lanes[0].maxMediaMs",
        ),
        (
            "{ lanes: [{ name: a, kind: audio, direction: up }] }",
            "lanes[0].direction",
        ),
        (
            "{ lanes: [{ name: a, kind: audio }, { name: a, kind: video }] }",
            "lanes[1].name",
        ),
        ("{ routing: { rules: [x] } }", "routing.rules[0]"),
        (
            "{ routing: { rules: [{ action: maybe }] } }",
            "routing.rules[0].action",
        ),
        (
            "{ routing: { rules: [{ name: 3 }] } }",
            "routing.rules[0].name",
        ),
        (
            "{ routing: { rules: [{ target: a }] } }",
            "routing.rules[0].target",
        ),
        (
            "{ routing: { rules: [{ target: { steps: a } }] } }",
            "routing.rules[0].target.steps",
        ),
        (
            "{ routing: { rules: [{ target: { steps: [3] } }] } }",
            "routing.rules[0].target.steps[0]",
        ),
        (
            "{ recording: { redactFields: [a, 3] } }",
            "recording.redactFields[1]",
        ),
    ] {
        let start = format!("8: spec.transports[0].streaming.{path}");
        refused(&with_settings(settings), &start, "");
    }
}

#[test]
fn fields_of_a_step_refuse_values_of_another_type() {
    for (field, value, path) in [
        ("name", "3", "name"),
        ("name", "[a]", "name"),
        ("name", "''", "name"),
        ("id", "{ a: 1 }", "id"),
        ("id", "A", "id"),
        ("needs", "a", "needs"),
        ("needs", "{ a: 1 }", "needs"),
        ("needs", "[3]", "needs[0]"),
        ("needs", "[[a]]", "needs[0]"),
        ("needs", "[null]", "needs[0]"),
        ("type", "3", "type"),
        ("ref", "a", "ref"),
        ("ref", "{}", "ref.name"),
        ("ref", "{ name: 3 }", "ref.name"),
        ("ref", "{ name: '  ' }", "ref.name"),
        ("ref", "{ name: a, namespace: N }", "ref.namespace"),
        ("transport", "3", "transport"),
        ("transport", "nope", "transport"),
        ("execution", "3", "execution"),
        ("execution", "{ timeout: 3 }", "execution.timeout"),
        ("execution", "{ timeout: 3 sec }", "execution.timeout"),
        ("execution", "{ retry: 3 }", "execution.retry"),
        (
            "execution",
            "{ retry: { maxRetries: -1 } }",
            "execution.retry.maxRetries",
        ),
        (
            "execution",
            "{ retry: { delay: soon } }",
            "execution.retry.delay",
        ),
        (
            "execution",
            "{ retry: { backoff: never } }",
            "execution.retry.backoff",
        ),
        ("secrets", "3", "secrets"),
        ("secrets", "{ a: 3 }", "secrets.a"),
        ("allowFailure", "1", "allowFailure"),
    ] {
        let mut fields = vec![("name", "b"), ("ref", "{ name: b }"), ("needs", "[a]")];
        fields.retain(|(name, _)| *name != field && !(field == "type" && *name == "ref"));
        fields.push((field, value));
        let fields: Vec<String> = fields.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        let yaml = streaming(&format!(
            "  steps:\n    - {{ name: a, ref: {{ name: a }}, needs: [] }}\n    - {{ {} }}\n",
            fields.join(", ")
        ));
        refused(&yaml, &format!("8: spec.steps[1].{path}"), "");
    }
}

#[test]
fn fields_of_a_story_refuse_values_of_another_type() {
    for (lines, start) in [
        (format!("  transports: t\n{A_TO_B}"), "6: spec.transports"),
        (
            format!("  transports: [t]\n{A_TO_B}"),
            "6: spec.transports[0]",
        ),
        (
            format!("  transports: [{{}}]\n{A_TO_B}"),
            "6: spec.transports[0].name",
        ),
        (
            format!("  transports: [{{ name: T }}]\n{A_TO_B}"),
            "6: spec.transports[0].name",
        ),
        (
            format!("  transports: [{{ name: t }}, {{ name: t }}]\n{A_TO_B}")
                .replace("needs", "transport: t, needs"),
            "6: spec.transports[1].name",
        ),
        (
            format!("  transports: [{{ name: t, transportRef: 3 }}]\n{A_TO_B}"),
            "6: spec.transports[0].transportRef",
        ),
        (format!("  concurrency: 3\n{A_TO_B}"), "6: spec.concurrency"),
        (
            format!("  concurrency: {{ mode: all }}\n{A_TO_B}"),
            "6: spec.concurrency.mode",
        ),
        (
            format!("  inputsSchema: 3\n{A_TO_B}"),
            "6: spec.inputsSchema",
        ),
        ("  steps: a\n".to_owned(), "6: spec.steps"),
        ("  steps: {}\n".to_owned(), "6: spec.steps"),
        ("  steps: []\n".to_owned(), "6: spec.steps"),
        ("  steps: [a]\n".to_owned(), "6: spec.steps[0]"),
        ("  steps: null\n".to_owned(), "5: spec.steps"),
        (String::new(), "5: spec.steps"),
    ] {
        refused(&streaming(&lines), start, "");
    }
    let yaml = streaming(A_TO_B).replace("pattern: streaming", "pattern: stream");
    refused(&yaml, "5: spec.pattern", "did you mean streaming?");
}

#[test]
fn all_problems_of_a_file_are_told_at_once_in_order_of_lines() {
    let yaml = streaming(
        "  transports:\n    - { name: t, streaming: { fanIn: { quorum: 0 } } }\n  steps:\n    \
         - { name: A, ref: { name: a }, needs: [] }\n    - { name: b, needs: [x] }\n    \
         - { name: c, type: slep, needs: [A], transport: u }\n",
    );
    let starts: Vec<String> = problems(&yaml)
        .iter()
        .map(|p| p.split(": ").take(2).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        starts,
        [
            "7: spec.transports[0].streaming.fanIn.quorum",
            "9: spec.steps[0].name",
            "10: spec.steps[1]",
            "10: spec.steps[1].needs[0]",
            "11: spec.steps[2].type",
            "11: spec.steps[2].transport",
        ]
    );
}

#[test]
fn long_and_strange_values_are_shortened_and_quoted_in_messages() {
    let yaml = with_settings(&format!("{{ lanes: '{}' }}", "x".repeat(5000)));
    assert!(problems(&yaml)[0].len() < 200);
    let yaml = with_settings("{ lanes: \"a\\e[31m\\n\" }");
    assert!(problems(&yaml)[0].contains("\\u{1b}[31m\\n"));
}
