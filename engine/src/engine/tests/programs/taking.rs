use super::*;

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
