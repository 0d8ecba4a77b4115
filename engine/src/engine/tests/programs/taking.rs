use super::*;
use crate::route::{EmitPrograms, PartitionKey, PartitionMode, PartitionPlan, TimestampSource};

#[test]
fn an_edge_whose_condition_is_false_accepts_nothing() {
    let mut rig = rig(vec![
        only_if(r#"{{ eq packet.metadata.n "yes" }}"#),
        EdgePrograms::default(),
    ]);
    let (src, a, b) = (rig.connect("src"), rig.connect("a"), rig.connect("b"));
    rig.send(src, "no", 10, at(1));
    rig.send(src, "yes", 10, at(1));
    assert_eq!(rig.labels(a, at(1)), ["yes"]);
    assert_eq!(rig.labels(b, at(1)), ["no", "yes"]);
    assert_eq!(rig.edge("a").counts.accepted, 1);
}

#[test]
fn what_fails_ends_on_its_edge_only_and_says_why() {
    let mut rig = rig(vec![
        only_if("{{ packet.texst }}"),
        only_if(r#"{{ eq packet.text "hi" }}"#),
    ]);
    let (src, a, b) = (rig.connect("src"), rig.connect("a"), rig.connect("b"));
    rig.send_packet(src, &saying("1", r#"{"text": "hi"}"#), at(1));
    assert!(rig.labels(a, at(1)).is_empty());
    assert_eq!(rig.labels(b, at(1)), ["1"]);
    let edge = rig.edge("a");
    assert_eq!(edge.counts.accepted, 1);
    assert_eq!(edge.counts.dropped(DropReason::Expression), 1);
    rig.engine.report(at(20_000), &mut rig.actions);
    let told = rig.actions.events.iter().find_map(|event| match event {
        Event::Dropped { example, .. } => example.clone(),
        _ => None,
    });
    let told = told.unwrap();
    assert!(
        told.contains("packet.texst") && told.contains("text?"),
        "{told}"
    );
}

#[test]
fn what_is_not_there_yet_is_no_failure() {
    let mut rig = rig(vec![only_if("{{ steps.other.text }}")]);
    let src = rig.connect("src");
    rig.send_packet(src, &saying("1", r#"{"text": "hi"}"#), at(1));
    let edge = rig.edge("a");
    assert_eq!(
        (
            edge.counts.accepted,
            edge.counts.dropped(DropReason::Expression)
        ),
        (0, 0)
    );
}

#[test]
fn deny_beats_allow_and_any_allow_makes_an_allowlist() {
    let rules = |deny: &[&str], allow: &[&str]| EdgePrograms {
        rules: Rules {
            deny: deny.iter().map(|text| condition(text)).collect(),
            allow: allow.iter().map(|text| condition(text)).collect(),
            is_allowlist: true,
        },
        ..EdgePrograms::default()
    };
    let en = r#"{{ eq packet.metadata.n "en" }}"#;
    let mut rig = rig(vec![
        rules(&[], &[en]),
        rules(&[en], &["{{ true }}"]),
        rules(&[], &[]),
    ]);
    let src = rig.connect("src");
    let sinks = ["a", "b", "c"].map(|id| rig.connect(id));
    rig.send(src, "en", 10, at(1));
    rig.send(src, "de", 10, at(1));
    let got = sinks.map(|sink| rig.labels(sink, at(1)));
    assert_eq!(got[0], ["en"]);
    assert_eq!(got[1], ["de"]);
    assert!(got[2].is_empty(), "named by no allow rule");
}

#[test]
fn an_edge_that_is_not_taken_never_holds_its_producer_up() {
    let guarantee = Guarantee::default();
    let full = StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(guarantee),
        ..step("full")
    };
    let mut rig = rig_of(vec![(full, only_if(r#"{{ eq packet.metadata.n "1" }}"#))]);
    let src = rig.connect("src");
    rig.send(src, "1", 10, at(1));
    rig.send(src, "2", 10, at(1));
    assert_eq!(rig.offer(src, &packet("1", 10), at(1)), Taken::Blocked);
    assert_eq!(rig.edge("full").counts.accepted, 1);
}

#[test]
fn the_cap_counts_edges_that_the_packet_takes() {
    let mut steps = vec![StepPlan {
        max_downstreams: 1,
        ..step("src")
    }];
    let mut edges = Vec::new();
    for (at, (id, when)) in (1..).zip([("a", "1"), ("b", "2"), ("c", "2")]) {
        steps.push(step(id));
        let test = format!(r#"{{{{ eq packet.metadata.n "{when}" }}}}"#);
        edges.push(EdgePlan {
            programs: Some(Arc::new(only_if(&test))),
            ..EdgePlan::plain(StepIndex(0), StepIndex(at))
        });
    }
    let mut made = plan(steps, &[]);
    made.edges = edges;
    let mut rig = Rig::new(Limits::default(), made);
    let src = rig.connect("src");
    rig.send(src, "2", 10, at(1));
    assert_eq!(rig.edge("a").counts.accepted, 0);
    assert_eq!(rig.edge("b").queued, 1);
    assert_eq!(rig.edge("c").counts.dropped(DropReason::MaxDownstreams), 1);
    rig.engine.report(at(1), &mut rig.actions);
    let dropped = rig.actions.events.iter().filter_map(|event| match event {
        Event::Dropped { example, .. } => Some(example.clone()),
        _ => None,
    });
    assert_eq!(
        dropped.collect::<Vec<_>>(),
        [None],
        "there is nothing to say of it"
    );
}

#[test]
fn the_chunks_of_a_payload_go_where_its_first_chunk_went() {
    let chunk = |index: u8, label: &str| {
        let mut out = BytesMut::from(&packet(label, 10)[..]);
        let head = b"\x0a\x03own\x22\x01c\x28";
        let envelope = [&head[..], &[index], b"\x30\x02"].concat();
        put_len_field(&mut out, 0x42, &envelope);
        out.freeze()
    };
    let mut rig = rig(vec![only_if(r#"{{ eq packet.metadata.n "1" }}"#)]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &chunk(0, "1"), at(1));
    rig.send_packet(src, &chunk(1, "2"), at(1));
    assert_eq!(rig.labels(a, at(1)), ["1", "2"]);
    rig.send_packet(src, &chunk(0, "2"), at(1));
    rig.send_packet(src, &chunk(1, "1"), at(1));
    assert!(rig.labels(a, at(1)).is_empty(), "a new set is decided anew");
}

#[test]
fn a_packet_says_how_late_it_comes_where_that_is_asked_for() {
    let src = StepPlan {
        emits: Some(Arc::new(EmitPrograms {
            watermark: Some(TimestampSource::parse("metadata.made")),
            ..EmitPrograms::default()
        })),
        ..step("src")
    };
    let limits = Limits {
        started_at_nanos: 1_700_000_000_000_000_000,
        ..Limits::default()
    };
    let mut rig = Rig::new(limits, plan(vec![src, step("a")], &[(0, 1)]));
    let src = rig.connect("src");
    let mut late = BytesMut::from(&packet("1", 10)[..]);
    put_metadata(&mut late, Dialect::Packet, "made", "1700000000000");
    rig.send_packet(src, &late.freeze(), at(3_000));
    rig.send(src, "no time", 10, at(3_000));
    let sessions = rig.engine.snapshot().sessions;
    let lag = &sessions[0].measured.as_ref().unwrap().lag;
    let samples: u64 = lag.buckets().iter().map(|bucket| bucket.count).sum();
    let nanos: u64 = lag.buckets().iter().map(|bucket| bucket.sum_nanos).sum();
    assert_eq!((samples, nanos), (1, 3_000_000_000));
}

#[test]
fn a_time_of_another_age_is_no_lag_and_no_overflow() {
    let src = StepPlan {
        emits: Some(Arc::new(EmitPrograms {
            watermark: Some(TimestampSource::parse("metadata.made")),
            ..EmitPrograms::default()
        })),
        ..step("src")
    };
    let limits = Limits {
        started_at_nanos: 1_700_000_000_000_000_000,
        ..Limits::default()
    };
    let mut rig = Rig::new(limits, plan(vec![src, step("a")], &[(0, 1)]));
    let src = rig.connect("src");
    for made in ["1677-09-22T00:00:00Z", "2262-04-11T00:00:00Z"] {
        let mut odd = BytesMut::from(&packet("1", 10)[..]);
        put_metadata(&mut odd, Dialect::Packet, "made", made);
        rig.send_packet(src, &odd.freeze(), at(1));
    }
    assert_eq!(rig.edge("a").counts.accepted, 2);
}

#[test]
fn packets_of_one_value_share_a_partition_and_its_sequence() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee {
            per_partition: true,
            ..Guarantee::default()
        }),
        ..step("a")
    };
    let spread = EdgePrograms {
        partition: Some(PartitionPlan {
            mode: PartitionMode::Hash,
            key: PartitionKey::parse("payload.user").unwrap(),
            partitions: 0,
            sticky: false,
        }),
        ..EdgePrograms::default()
    };
    let mut rig = rig_of(vec![(kept, spread)]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    for user in ["x", "y", "x"] {
        let payload = format!(r#"{{"user": "{user}"}}"#);
        rig.send_packet(src, &saying(user, &payload), at(1));
    }
    let got = rig.take(a, at(1));
    let placed: Vec<_> = got.iter().map(place).collect();
    assert_eq!(placed[0].0, placed[2].0);
    assert_ne!(placed[0].0, placed[1].0);
    let sequences: Vec<_> = placed.iter().map(|(_, sequence)| *sequence).collect();
    assert_eq!(sequences, [1, 1, 2]);
}

/// Partition and sequence of a packet.
fn place(packet: &Bytes) -> (String, u64) {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let envelope = view.envelope().unwrap();
    (envelope.partition(packet).to_owned(), envelope.sequence())
}

#[test]
fn a_full_edge_that_may_lose_packets_holds_no_other_up() {
    let kept = |id: &str, overflow| StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee {
            overflow,
            ..Guarantee::default()
        }),
        ..step(id)
    };
    let all = || only_if(r#"{{ ne packet.metadata.n "none" }}"#);
    let mut rig = rig_of(vec![
        (kept("a", Overflow::DeadLetter), all()),
        (kept("b", Overflow::Pause), all()),
    ]);
    let (src, b) = (rig.connect("src"), rig.connect("b"));
    rig.send(src, "1", 10, at(1));
    let first = rig.take(b, at(1)).remove(0);
    let (stream, sequence) = guarantee::identity(&first);
    rig.receipt(b, &stream, sequence, at(1));
    rig.send(src, "2", 10, at(1));
    assert_eq!(rig.edge("a").counts.dropped(DropReason::LaneFull), 1);
    assert_eq!(rig.labels(b, at(1)), ["2"]);
}

#[test]
fn what_fails_on_a_kept_edge_is_told_as_a_dead_letter_and_to_its_engram() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("a")
    };
    let mut rig = rig_of(vec![
        (kept, only_if("{{ packet.metadata.nope }}")),
        (step("b"), only_if("{{ packet.metadata.nope }}")),
    ]);
    let src = rig.connect_engram("src");
    let mut said = BytesMut::new();
    put_metadata(&mut said, Dialect::Connector, "n", "1");
    assert_eq!(rig.offer_data(src, &said.freeze(), at(1)), Taken::Yes);
    let letters = rig.actions.events.iter().filter_map(|event| match event {
        Event::DeadLettered { edge, reason, .. } => Some((&*edge.to, *reason)),
        _ => None,
    });
    assert_eq!(letters.collect::<Vec<_>>(), [("a", DropReason::Expression)]);
    let mut told = Vec::new();
    rig.engine.take_directives(src, at(1), &mut told);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(matches!(
        &told[0],
        Directive::Refused {
            reason: "expression",
            ..
        }
    ));
}
