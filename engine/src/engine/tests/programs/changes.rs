use super::*;
use crate::route::{DocumentSchema, EmitPrograms};

#[test]
fn runtime_replaces_the_inputs_and_leaves_the_rest_as_it_came() {
    let mut rig = rig(vec![
        given(
            r#"{"text": "{{ packet.text }}!", "n": "{{ packet.n }}", "who": "{{ inputs.who }}"}"#,
        ),
        EdgePrograms::default(),
    ]);
    let (src, a, b) = (rig.connect("src"), rig.connect("a"), rig.connect("b"));
    let mut sent = BytesMut::from(&saying("1", r#"{"text": "hi", "n": 3}"#)[..]);
    put_inputs(&mut sent, Dialect::Packet, &body(r#"{"old": true}"#));
    rig.send_packet(src, &sent.freeze(), at(1));
    let changed = rig.take(a, at(1)).remove(0);
    assert_eq!(inputs(&changed), r#"{"n":3,"text":"hi!","who":"Ada"}"#);
    assert_eq!(payload(&changed), r#"{"n":3,"text":"hi"}"#);
    assert_eq!(metadata(&changed, "current-step-id").unwrap(), "a");
    let untouched = rig.take(b, at(1)).remove(0);
    assert_eq!(inputs(&untouched), r#"{"old":true}"#);
}

#[test]
fn with_gives_every_packet_the_same_inputs() {
    let once = Inputs {
        body: body(r#"{"prompt": "be brief"}"#),
        json: Bytes::from_static(br#"{"prompt":"be brief"}"#),
    };
    let mut rig = rig(vec![EdgePrograms {
        inputs: InputsPlan::Once(once),
        ..EdgePrograms::default()
    }]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send(src, "media", 5000, at(1));
    let got = rig.take(a, at(1)).remove(0);
    assert_eq!(inputs(&got), r#"{"prompt":"be brief"}"#);
    assert_eq!(frame_text(&got), "x".repeat(5000));
}

#[test]
fn a_transform_replaces_the_payload_for_what_comes_after_it() {
    let mut rig = rig(vec![
        EdgePrograms {
            via: vec![transform(
                "short",
                r#"{"text": "{{ trunc 2 packet.text }}"}"#,
            )],
            condition: Some(condition(r#"{{ eq packet.text "he" }}"#)),
            inputs: InputsPlan::PerPacket(block(
                r#"{"was": "{{ steps.src.text }}", "is": "{{ steps.short.text }}"}"#,
            )),
            ..EdgePrograms::default()
        },
        EdgePrograms::default(),
    ]);
    let (src, a, b) = (rig.connect("src"), rig.connect("a"), rig.connect("b"));
    rig.send_packet(src, &saying("1", r#"{"text": "hello"}"#), at(1));
    let got = rig.take(a, at(1)).remove(0);
    assert_eq!(payload(&got), r#"{"text":"he"}"#);
    assert_eq!(inputs(&got), r#"{"is":"he","was":"hello"}"#);
    assert_eq!(payload(&rig.take(b, at(1))[0]), r#"{"text":"hello"}"#);
}

#[test]
fn a_condition_on_the_way_lets_nothing_through_when_it_is_false() {
    let gate = Primitive {
        id: "gate".into(),
        condition: Some(condition("{{ packet.open }}")),
        does: PrimitivePlan::Pass,
    };
    let mut rig = rig(vec![EdgePrograms {
        via: vec![gate],
        ..EdgePrograms::default()
    }]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &saying("1", r#"{"open": false}"#), at(1));
    rig.send_packet(src, &saying("2", r#"{"open": true}"#), at(1));
    assert_eq!(rig.labels(a, at(1)), ["2"]);
}

#[test]
fn json_frames_are_read_where_there_are_no_structs() {
    let mut rig = rig(vec![given(r#"{"t": "{{ packet.text }}"}"#)]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(
        src,
        &framed("application/json", r#"{"text": "raw"}"#),
        at(1),
    );
    rig.send_packet(
        src,
        &framed("Application/LD+JSON; a=b", r#"{"text": "ld"}"#),
        at(1),
    );
    rig.send_packet(src, &framed("text/plain", r#"{"text": "no"}"#), at(1));
    let got: Vec<_> = rig.take(a, at(1)).iter().map(inputs).collect();
    assert_eq!(got, [r#"{"t":"raw"}"#, r#"{"t":"ld"}"#]);
    assert_eq!(rig.edge("a").counts.dropped(DropReason::Expression), 1);
}

#[test]
fn an_envelope_frame_says_what_the_structs_say() {
    let kind = "application/vnd.bubu.packet+json";
    let text = r#"{"version":"v1","kind":"data","payload":{"text":"hi"},"inputs":{"old":1},"x":2}"#;
    let mut rig = rig(vec![EdgePrograms {
        via: vec![transform("up", r#"{"text": "{{ upper packet.text }}"}"#)],
        ..given(r#"{"t": "{{ packet.text }}"}"#)
    }]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &framed(kind, text), at(1));
    let got = rig.take(a, at(1)).remove(0);
    assert_eq!(inputs(&got), r#"{"t":"HI"}"#);
    assert_eq!(payload(&got), r#"{"text":"HI"}"#);
    let frame: serde_json::Value = serde_json::from_str(&frame_text(&got)).unwrap();
    let wanted = serde_json::json!({
        "version": "v1", "kind": "data", "payload": {"text": "HI"}, "inputs": {"t": "HI"}, "x": 2
    });
    assert_eq!(frame, wanted);
    let view = PacketView::parse(&got, Dialect::Packet).unwrap();
    assert_eq!(view.mime_type(&got), Some(kind));
}

#[test]
fn a_json_frame_beside_a_struct_is_no_payload_and_stays() {
    let mut rig = rig(vec![EdgePrograms {
        via: vec![transform("up", r#"{"text": "{{ upper packet.text }}"}"#)],
        ..EdgePrograms::default()
    }]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    let mut sent = BytesMut::from(&framed("application/json", r#"{"other": 1}"#)[..]);
    put_payload(&mut sent, Dialect::Packet, &body(r#"{"text": "hi"}"#));
    rig.send_packet(src, &sent.freeze(), at(1));
    let got = rig.take(a, at(1)).remove(0);
    assert_eq!(payload(&got), r#"{"text":"HI"}"#);
    assert_eq!(frame_text(&got), r#"{"other": 1}"#);
}

/// Fills in `lang` and refuses objects that have `bad`.
#[derive(Debug)]
pub(super) struct Lang;

impl DocumentSchema for Lang {
    fn apply(&self, document: &mut serde_json::Value) -> Result<bool, String> {
        let object = document.as_object_mut().ok_or("no object")?;
        if object.contains_key("bad") {
            return Err("bad: not allowed".to_owned());
        }
        let fills = !object.contains_key("lang");
        object.entry("lang").or_insert_with(|| "en".into());
        Ok(fills)
    }
}

#[test]
fn inputs_are_held_to_the_targets_schema_and_defaults_filled_in() {
    let mut rig = rig(vec![EdgePrograms {
        schema: Some(Arc::new(Lang)),
        ..given(r#"{"{{ packet.key }}": 1, "k": "{{ packet.key }}", "v": "{{ packet.v }}"}"#)
    }]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &saying("1", r#"{"key": "k", "v": 1}"#), at(1));
    let got = inputs(&rig.take(a, at(1))[0]);
    assert!(got.contains(r#""lang":"en""#), "{got}");
}

#[test]
fn what_breaks_a_schema_ends_on_that_edge_and_media_alone_is_not_judged() {
    let checked = || EdgePrograms {
        schema: Some(Arc::new(Lang)),
        ..EdgePrograms::default()
    };
    let mut rig = rig(vec![checked(), EdgePrograms::default()]);
    let (src, a, b) = (rig.connect("src"), rig.connect("a"), rig.connect("b"));
    let mut bad = BytesMut::from(&saying("bad", "{}")[..]);
    put_inputs(&mut bad, Dialect::Packet, &body(r#"{"bad": 1}"#));
    rig.send_packet(src, &bad.freeze(), at(1));
    rig.send(src, "media", 10, at(1));
    assert_eq!(rig.labels(a, at(1)), ["media"]);
    assert_eq!(rig.labels(b, at(1)), ["bad", "media"]);
    assert_eq!(rig.edge("a").counts.dropped(DropReason::Schema), 1);
}

#[test]
fn what_a_step_gives_is_held_to_its_schema_before_it_takes_any_edge() {
    let emits = EmitPrograms {
        schema: Some(Arc::new(Lang)),
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![src, step("a"), step("b")], &[(0, 1), (0, 2)]),
    );
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &saying("1", r#"{"text": "hi"}"#), at(1));
    rig.send_packet(src, &saying("2", r#"{"bad": "hi"}"#), at(1));
    let got = rig.take(a, at(1));
    assert_eq!(got.len(), 1);
    assert_eq!(payload(&got[0]), r#"{"lang":"en","text":"hi"}"#);
    assert_eq!(rig.edge("a").counts.dropped(DropReason::Schema), 1);
    assert_eq!(rig.edge("b").counts.dropped(DropReason::Schema), 1);
}
