//! Streaming settings: defaults, levels, what implies what (spec 2.1, 2.4, 2.8).

use std::time::Duration;

use hub::story::settings::{
    Credits, DropPolicy, FanInMode, FanOut, FlowMode, LaneKind, Ordering, Overflow, PartitionMode,
    RecordingMode, ReplayMode, RoutingMode, RuleAction, Semantics,
};
use hub::story::{LoadOptions, StreamingSettings, load_str};

use crate::story::{A_TO_B, loads, problems, refused, story, streaming, warnings, with_settings};

/// Settings of the Story's first step.
#[track_caller]
fn settings(yaml: &str) -> StreamingSettings {
    story(yaml).steps[0].settings.as_ref().clone()
}

/// A Transport `g` with these lines in its `spec`, and a Story whose transport `t` builds on it
/// with these further fields.
fn two_levels(transport: &str, story: &str) -> String {
    format!(
        "apiVersion: transport.bubustack.io/v1alpha1\nkind: Transport\nmetadata: {{ name: g }}\n\
         spec:\n{transport}\n---\n{}",
        streaming(&format!(
            "  transports:\n    - name: t\n      transportRef: g\n{story}\n{A_TO_B}"
        ))
    )
}

#[test]
fn the_defaults_are_those_of_the_document() {
    let s = settings(&streaming(A_TO_B));
    assert_eq!(s, StreamingSettings::default());
    assert_eq!(s.backpressure.buffer.max_messages, 1000);
    assert_eq!(s.backpressure.buffer.max_bytes, 10 << 20);
    assert_eq!(s.backpressure.buffer.max_age, None);
    assert_eq!(s.backpressure.buffer.drop_policy, DropPolicy::DropNewest);
    assert_eq!(s.flow_control.mode, FlowMode::Credits);
    let (messages, bytes) = (1000, 10 << 20);
    assert_eq!(s.flow_control.initial_credits, Credits { messages, bytes });
    assert_eq!(s.flow_control.ack_every.messages, 10);
    assert_eq!(
        s.flow_control.ack_every.max_delay,
        Duration::from_millis(250)
    );
    assert_eq!(
        (s.flow_control.pause_pct, s.flow_control.resume_pct),
        (90, 50)
    );
    assert_eq!(s.delivery.semantics, Semantics::BestEffort);
    assert_eq!(
        s.delivery.replay.checkpoint_interval,
        Duration::from_millis(10)
    );
    assert_eq!(
        (s.routing.max_downstreams, s.routing.fan_out),
        (32, FanOut::Sequential)
    );
    assert_eq!(s.fan_in.timeout, Some(Duration::from_secs(30)));
    assert_eq!(s.lifecycle.drain_timeout, Duration::from_secs(30));
    assert_eq!(s.recording.mode, RecordingMode::Off);
}

#[test]
fn levels_merge_field_by_field_and_an_omitted_field_never_overrides() {
    let buffer = |fields: &str| format!("{{ backpressure: {{ buffer: {{ {fields} }} }} }}");
    let yaml = two_levels(
        &format!(
            "  defaultSettings: {}\n  streaming: {}",
            buffer("maxMessages: 1, maxBytes: 1, maxAgeSeconds: 1, dropPolicy: drop_oldest"),
            buffer("maxMessages: 2, maxBytes: 2, maxAgeSeconds: 2"),
        ),
        &format!(
            "      settings: {}\n      streaming: {}",
            buffer("maxMessages: 3, maxBytes: 3"),
            buffer("maxMessages: 4, maxAgeSeconds: null"),
        ),
    );
    let buffer = settings(&yaml).backpressure.buffer;
    assert_eq!(buffer.max_messages, 4);
    assert_eq!(buffer.max_bytes, 3);
    assert_eq!(buffer.max_age, Some(Duration::from_secs(2)));
    assert_eq!(buffer.drop_policy, DropPolicy::DropOldest);
}

#[test]
fn lists_are_replaced_whole() {
    let transport = "  streaming: { lanes: [{ name: a, kind: audio }, { name: v, kind: video }] }";
    let own = "      streaming: { lanes: [{ name: b, kind: binary, maxBytes: 2MiB }] }";
    let lanes = settings(&two_levels(transport, own)).lanes;
    assert_eq!(lanes.len(), 1);
    assert_eq!(
        (lanes[0].kind, lanes[0].max_bytes),
        (LaneKind::Binary, 2 << 20)
    );
    assert_eq!(settings(&two_levels(transport, "")).lanes.len(), 2);
    let none = "      streaming: { lanes: [] }";
    assert_eq!(settings(&two_levels(transport, none)).lanes.len(), 0);
}

#[test]
fn unknown_keys_warn_in_structured_settings_and_never_in_raw_ones() {
    let yaml = two_levels(
        "  defaultSettings: { vendor: 1, fanIn: { colour: red } }\n  streaming: { fanin: {} }",
        "      settings: { lanes: [{ name: a, kind: audio, taste: 1 }] }\n      \
         streaming: { fanIn: { colour: red, quorum: 2 } }",
    );
    assert_eq!(
        warnings(&loads(&yaml)),
        [
            "spec.streaming.fanin: unknown field, ignored; did you mean fanIn?",
            "spec.transports[0].streaming.fanIn.colour: unknown field, ignored",
        ]
    );
}

#[test]
fn a_replay_mode_implies_at_least_once_and_that_implies_an_order() {
    let delivery =
        |text: &str| settings(&with_settings(&format!("{{ delivery: {text} }}"))).delivery;
    for mode in ["memory", "durable"] {
        let d = delivery(&format!(
            "{{ semantics: best_effort, replay: {{ mode: {mode} }} }}"
        ));
        assert_eq!(d.semantics, Semantics::AtLeastOnce);
        assert_eq!(d.ordering, Ordering::PerStream);
    }
    let d = delivery("{ semantics: at_least_once, ordering: per_partition }");
    assert_eq!(d.ordering, Ordering::PerPartition);
    assert_eq!(d.replay.mode, ReplayMode::None);
    let d = delivery("{ semantics: at_least_once, ordering: none }");
    assert_eq!(d.ordering, Ordering::PerStream);
    assert_eq!(
        delivery("{ replay: { mode: none } }").semantics,
        Semantics::BestEffort
    );
    assert_eq!(
        delivery("{ ordering: per_stream }").semantics,
        Semantics::BestEffort
    );
}

#[test]
fn credits_that_are_not_given_are_the_buffers_bounds() {
    let yaml = with_settings(
        "{ backpressure: { buffer: { maxMessages: 7, maxBytes: 1KiB } }, \
         flowControl: { initialCredits: { messages: 5 } } }",
    );
    let credits = settings(&yaml).flow_control.initial_credits;
    assert_eq!(
        credits,
        Credits {
            messages: 5,
            bytes: 1024
        }
    );
}

#[test]
fn producers_never_go_on_at_a_fuller_queue_than_they_paused_at() {
    let flow = |text: &str| with_settings(&format!("{{ flowControl: {text} }}"));
    let low = settings(&flow("{ pauseThreshold: { bufferPct: 40 } }"));
    assert_eq!(
        (low.flow_control.pause_pct, low.flow_control.resume_pct),
        (40, 20)
    );
    let both = flow("{ pauseThreshold: { bufferPct: 40 }, resumeThreshold: { bufferPct: 41 } }");
    let path = "8: spec.transports[0].streaming.flowControl.resumeThreshold.bufferPct";
    refused(&both, path, "at most pauseThreshold.bufferPct, 40, is 41");
}

#[test]
fn zero_means_no_bound_where_the_document_says_so() {
    let yaml = with_settings(
        "{ backpressure: { buffer: { maxAgeSeconds: 0 } }, fanIn: { timeoutSeconds: 0 }, \
         lifecycle: { maxInFlight: 0, drainTimeoutSeconds: 0 }, \
         delivery: { replay: { retentionSeconds: 0, checkpointInterval: 0s } }, \
         lanes: [{ name: a, kind: audio, maxMediaMs: 0 }], partitioning: { partitions: 0 } }",
    );
    let s = settings(&yaml);
    assert_eq!(s.backpressure.buffer.max_age, None);
    assert_eq!(s.fan_in.timeout, None);
    assert_eq!(s.lifecycle.max_in_flight, None);
    assert_eq!(s.lifecycle.drain_timeout, Duration::ZERO);
    assert_eq!(s.delivery.replay.retention, None);
    assert_eq!(s.delivery.replay.checkpoint_interval, Duration::ZERO);
    assert_eq!(s.lanes[0].max_media, None);
    assert_eq!(s.partitioning.partitions, 0);
}

#[test]
fn every_word_of_every_set_is_understood() {
    for (setting, words) in [
        ("backpressure.buffer.dropPolicy", "drop_newest drop_oldest"),
        ("flowControl.mode", "none credits window"),
        ("delivery.ordering", "none per_stream per_partition"),
        ("delivery.semantics", "best_effort at_least_once"),
        ("delivery.replay.mode", "none memory durable"),
        ("delivery.overflow", "pause dead_letter"),
        ("routing.mode", "auto hub p2p"),
        ("routing.fanOut", "sequential parallel"),
        ("fanIn.mode", "all any quorum"),
        ("fanIn.onTimeout", "drop partial"),
        ("partitioning.mode", "none preserve hash"),
        ("lifecycle.strategy", "rolling drain_cutover blue_green"),
        ("observability.tracing.samplePolicy", "rate always never"),
        ("recording.mode", "off metadata payload"),
    ] {
        let mut seen = Vec::new();
        for word in words.split(' ') {
            let open: String = setting.split('.').map(|n| format!("{{ {n}: ")).collect();
            let close = " }".repeat(setting.split('.').count());
            let settings = settings(&with_settings(&format!("{open}{word}{close}")));
            assert!(
                !seen.contains(&settings),
                "{setting}: {word} is like another"
            );
            seen.push(settings);
        }
    }
}

#[test]
fn rules_and_the_rest_arrive_as_written() {
    let yaml = with_settings(
        "{ routing: { mode: p2p, maxDownstreams: 8, rules: [{ name: r, when: '{{ true }}', \
         action: deny, target: { steps: [b] } }, {}] }, \
         fanIn: { mode: quorum, quorum: 2 }, delivery: { overflow: dead_letter, \
         redelivery: { ackWait: 1m30s, maxDeliver: 5 } }, \
         partitioning: { mode: hash, key: metadata.a.b, partitions: 16, sticky: true }, \
         observability: { tracing: { sampleRate: 0.5 } } }",
    );
    let s = settings(&yaml);
    assert_eq!(
        (s.routing.mode, s.routing.max_downstreams),
        (RoutingMode::P2p, 8)
    );
    assert_eq!(s.routing.rules[0].name.as_deref(), Some("r"));
    assert_eq!(s.routing.rules[0].action, RuleAction::Deny);
    assert_eq!(s.routing.rules[0].targets, ["b"]);
    let when = s.routing.rules[0].when.as_ref().unwrap();
    assert_eq!(when.json(), "{{ true }}");
    assert_eq!(
        when.place.path,
        "spec.transports[0].streaming.routing.rules[0].when"
    );
    assert_eq!(
        (s.routing.rules[1].action, s.routing.rules[1].targets.len()),
        (RuleAction::Allow, 0)
    );
    assert_eq!(
        (s.fan_in.mode, s.fan_in.quorum),
        (FanInMode::Quorum, Some(2))
    );
    assert_eq!(s.delivery.overflow, Overflow::DeadLetter);
    assert_eq!(
        s.delivery.redelivery.ack_wait,
        Some(Duration::from_secs(90))
    );
    assert_eq!(s.delivery.redelivery.max_deliver, 5);
    assert_eq!(s.partitioning.mode, PartitionMode::Hash);
    assert_eq!(s.partitioning.key.as_deref(), Some("metadata.a.b"));
    assert!((s.observability.tracing.sample_rate - 0.5).abs() < f64::EPSILON);
}

#[test]
fn the_process_gives_the_buffers_defaults_and_caps_downstreams() {
    let options = LoadOptions {
        buffer_messages: 5,
        buffer_bytes: 6,
        max_downstreams: 7,
        ..LoadOptions::default()
    };
    let yaml = with_settings("{ backpressure: { buffer: { maxBytes: 9 } } }");
    let loaded = load_str("f.yaml", &yaml, &options).unwrap();
    let settings = loaded.snapshot.stories[0].steps[0].settings.clone();
    assert_eq!(settings.backpressure.buffer.max_messages, 5);
    assert_eq!(settings.backpressure.buffer.max_bytes, 9);
    assert_eq!(settings.routing.max_downstreams, 7);
}

#[test]
fn a_problem_of_a_transport_is_told_once_however_many_stories_build_on_it() {
    let yaml = two_levels("  streaming: { fanIn: { quorum: 0 } }", "");
    let second = yaml
        .split_once("---\n")
        .unwrap()
        .1
        .replace("name: s }", "name: s2 }");
    let problems = problems(&format!("{yaml}---\n{second}"));
    assert_eq!(
        problems,
        ["5: spec.streaming.fanIn.quorum: must be 1 to 2147483647, is 0"]
    );
}

#[test]
fn a_step_without_transport_takes_the_only_one() {
    let yaml = with_settings("{ routing: { maxDownstreams: 3 } }");
    assert_eq!(story(&yaml).steps[1].transport.as_deref(), Some("t"));
    assert_eq!(settings(&yaml).routing.max_downstreams, 3);
    assert_eq!(story(&streaming(A_TO_B)).steps[0].transport, None);
}

#[test]
fn of_several_transports_an_engram_must_name_one_and_a_primitive_need_not() {
    let transports = "  transports: [{ name: audio }, { name: video }]\n";
    let steps = "  steps:\n    - { name: a, ref: { name: a }, transport: audio, needs: [] }\n    \
                 - { name: p, type: parallel, needs: [a] }\n";
    loads(&streaming(&format!("{transports}{steps}")));
    let engram = "    - { name: b, ref: { name: b }, needs: [p] }\n";
    let yaml = streaming(&format!("{transports}{steps}{engram}"));
    refused(&yaml, "10: spec.steps[2].transport", "audio, video");
}

#[test]
fn rules_of_a_transport_may_name_steps_of_other_stories() {
    let rules = "routing: { rules: [{ target: { steps: [elsewhere] } }] }";
    loads(&two_levels(&format!("  streaming: {{ {rules} }}"), ""));
    for field in ["settings", "streaming"] {
        let yaml = two_levels("  provider: x", &format!("      {field}: {{ {rules} }}"));
        let path = format!("spec.transports[0].{field}.routing.rules[0].target.steps[0]");
        refused(&yaml, &format!("15: {path}"), "elsewhere");
    }
}

#[test]
fn a_transport_of_the_storys_namespace_is_meant_first() {
    let transport = |namespace: &str, n: u32| {
        format!(
            "apiVersion: transport.bubustack.io/v1alpha1\nkind: Transport\n\
             metadata: {{ name: g, namespace: {namespace} }}\n\
             spec: {{ streaming: {{ routing: {{ maxDownstreams: {n} }} }} }}\n---\n"
        )
    };
    let own = streaming(&format!(
        "  transports: [{{ name: t, transportRef: g }}]\n{A_TO_B}"
    ));
    let own = own.replace("name: s }", "name: s, namespace: mine }");
    let all = [
        transport("a", 1),
        transport("default", 2),
        transport("mine", 3),
    ];
    let of = |count: usize| {
        let yaml = all.iter().take(count).cloned().collect::<String>() + &own;
        settings(&yaml).routing.max_downstreams
    };
    assert_eq!([of(1), of(2), of(3)], [1, 2, 3]);
}

#[test]
fn a_quorum_that_is_never_reached_is_warned_of() {
    let join = "    - { name: c, ref: { name: c }, needs: [a, b] }\n";
    let quorum = |n: u32| {
        let fan_in = format!("{{ fanIn: {{ mode: quorum, quorum: {n} }} }}");
        warnings(&loads(&(with_settings(&fan_in) + join)))
    };
    assert_eq!(quorum(2), [""; 0]);
    let warnings = quorum(3);
    assert!(warnings[0].starts_with("spec.steps[2]: needs 2 steps, so the quorum of 3"));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn more_downstream_steps_than_packets_go_to_are_warned_of() {
    let join = "    - { name: c, ref: { name: c }, needs: [a] }\n";
    let limit = |n: u32| {
        let routing = format!("{{ routing: {{ maxDownstreams: {n} }} }}");
        warnings(&loads(&(with_settings(&routing) + join)))
    };
    assert_eq!(limit(2), [""; 0]);
    assert_eq!(
        limit(1),
        ["spec.steps[0]: feeds 2 steps, but its packets go to 1 (routing.maxDownstreams)"]
    );
}
