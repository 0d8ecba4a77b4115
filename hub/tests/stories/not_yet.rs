//! What is accepted but makes `hub run` refuse a Story, or is left out, until it is built.

use crate::story::{A_TO_B, loads, refused, story, streaming, with_settings};

/// Paths of what a hub must refuse.
fn unsupported(yaml: &str) -> Vec<String> {
    let story = story(yaml);
    let found = story.unsupported().iter();
    found.map(|u| u.place.path.clone()).collect()
}

/// Paths of the notes.
fn notes(yaml: &str) -> Vec<String> {
    let loaded = loads(yaml);
    let notes = loaded.notes.iter();
    notes.map(|note| note.place.path.clone()).collect()
}

#[test]
fn a_plain_story_asks_for_nothing_that_is_not_built() {
    for yaml in [
        streaming(A_TO_B),
        with_settings("{ backpressure: { buffer: { maxMessages: 5, dropPolicy: drop_oldest } } }"),
        with_settings("{ delivery: { semantics: best_effort, replay: { mode: none } } }"),
        with_settings("{ routing: { fanOut: parallel, maxDownstreams: 4, rules: [] } }"),
        with_settings("{ partitioning: { mode: none }, lanes: [] }"),
        with_settings("{ delivery: { semantics: at_least_once, overflow: dead_letter } }"),
        with_settings("{ delivery: { replay: { mode: memory } }, lifecycle: { maxInFlight: 5 } }"),
        with_settings("{ lanes: [{ name: a, kind: audio }], flowControl: { mode: window } }"),
        streaming(A_TO_B).replace("needs: [a]", "needs: [a], with: { a: [1, text] }, if: ' '"),
    ] {
        assert_eq!(unsupported(&yaml), [""; 0], "{yaml}");
        assert_eq!(notes(&yaml), [""; 0], "{yaml}");
    }
}

#[test]
fn a_setting_that_is_not_built_is_named_where_it_stands() {
    let yaml = with_settings("{ delivery: { replay: { mode: durable } } }");
    let path = "spec.transports[0].streaming.delivery.replay.mode";
    assert_eq!(unsupported(&yaml), [path]);
    assert_eq!(notes(&yaml), [path]);
    let text = story(&yaml).unsupported()[0].to_string();
    assert!(text.starts_with(&format!("f.yaml:8: {path}: ")), "{text}");
    assert!(text.ends_with("is not built yet"), "{text}");
}

#[test]
fn primitives_and_turns_are_named_where_they_stand() {
    for (primitive, with) in [
        ("sleep", "{ duration: 1s }"),
        ("executeStory", "{ storyRef: { name: s } }"),
    ] {
        let yaml = streaming(&format!(
            "{A_TO_B}    - {{ name: p, type: {primitive}, needs: [b], with: {with} }}\n"
        ));
        assert_eq!(unsupported(&yaml), ["spec.steps[2].type"]);
    }
    let yaml = streaming(&format!("  concurrency: {{ mode: serial }}\n{A_TO_B}"));
    assert_eq!(unsupported(&yaml), ["spec.concurrency"]);
    let yaml = streaming(&format!(
        "  concurrency: {{ mode: cancelPrevious, scope: participant }}\n{A_TO_B}"
    ));
    assert_eq!(unsupported(&yaml), ["spec.concurrency"]);
    for mode in ["parallel", "cancelPrevious"] {
        let yaml = streaming(&format!("  concurrency: {{ mode: {mode} }}\n{A_TO_B}"));
        assert_eq!(unsupported(&yaml), [""; 0], "{mode}");
    }
}

#[test]
fn expressions_rules_and_primitives_are_built() {
    let yaml = with_settings("{ routing: { rules: [{ when: '{{ packet.a }}' }] } }")
        + "    - { name: c, type: condition, needs: [b], if: '{{ packet.a }}' }\n    \
           - { name: p, type: parallel, needs: [c] }\n    \
           - { name: t, type: transform, needs: [p], with: { expr: '{{ packet.a }}' } }\n    \
           - { name: e, ref: { name: e }, needs: [t], runtime: { a: '{{ packet.a }}' } }\n    \
           - { name: x, type: stop, needs: [e] }\n";
    assert_eq!(unsupported(&yaml), [""; 0]);
    assert_eq!(notes(&yaml), [""; 0]);
}

#[test]
fn settings_of_a_target_matter_only_where_packets_go_to() {
    let yaml = streaming(
        "  transports:\n    - { name: t, streaming: { delivery: { replay: { mode: durable } } } }\n    \
         - { name: u }\n  steps:\n    \
         - { name: a, ref: { name: a }, transport: t, needs: [] }\n    \
         - { name: b, ref: { name: b }, transport: u, needs: [a] }\n",
    );
    assert_eq!(unsupported(&yaml), [""; 0]);
    let turned = yaml
        .replace("transport: t", "transport: x")
        .replace("transport: u", "transport: t");
    let turned = turned.replace("transport: x", "transport: u");
    assert_eq!(unsupported(&turned).len(), 1);
}

#[test]
fn joins_partitions_and_schemas_are_built() {
    let join = "    - { name: c, ref: { name: c }, needs: [a, b] }\n";
    for settings in [
        "{ fanIn: { mode: quorum, quorum: 1, onTimeout: partial } }",
        "{ partitioning: { mode: hash, key: metadata.user } }",
        "{ observability: { watermark: { enabled: true } } }",
    ] {
        let yaml = with_settings(settings) + join;
        assert_eq!(unsupported(&yaml), [""; 0]);
        assert_eq!(notes(&yaml), [""; 0]);
    }
    let yaml = with_template("inputSchema: {}\n  outputSchema: { type: object }");
    assert_eq!(unsupported(&yaml), [""; 0]);
    assert_eq!(notes(&yaml), [""; 0]);
}

/// Engram a feeds b; its template has these schemas.
fn with_template(schemas: &str) -> String {
    streaming(A_TO_B)
        + "---\napiVersion: bubustack.io/v1alpha1\nkind: Engram\nmetadata: { name: a }\n\
           spec: { templateRef: { name: t } }\n---\n\
           apiVersion: catalog.bubustack.io/v1alpha1\nkind: EngramTemplate\n\
           metadata: { name: t }\nspec:\n  "
        + schemas
        + "\n"
}

#[test]
fn a_schema_that_is_none_is_refused_where_it_stands() {
    refused(
        &with_template("outputSchema: { type: strnig }"),
        "19: spec.outputSchema",
        "strnig",
    );
    // Nothing comes to a, so what it would be given does not matter.
    loads(&with_template("inputSchema: { type: strnig }"));
}

#[test]
fn a_partition_key_that_is_none_is_refused_where_it_stands() {
    refused(
        &with_settings("{ partitioning: { mode: hash, key: envelope.sequence } }"),
        "8: spec.transports[0].streaming.partitioning.key",
        "envelope",
    );
}

#[test]
fn what_is_left_out_is_noted_and_refuses_nothing() {
    let settings = "{ lifecycle: { strategy: blue_green }, \
                    observability: { metrics: { enabled: false } } }";
    let yaml = with_settings(settings);
    assert_eq!(unsupported(&yaml), [""; 0]);
    assert_eq!(notes(&yaml).len(), 2);
}

#[test]
fn a_story_that_is_not_routed_may_ask_for_anything() {
    let yaml = with_settings("{ delivery: { replay: { mode: durable } } }")
        .replace("pattern: streaming", "pattern: batch");
    assert_eq!(unsupported(&yaml), [""; 0]);
    assert_eq!(notes(&yaml).len(), 1);
}
