use super::*;

/// A payload of more than 64 KiB.
fn large(label: &str) -> Bytes {
    let text = format!(r#"{{"text": "hi", "rest": "{}"}}"#, "x".repeat(70_000));
    saying(label, &text)
}

fn reading() -> Rig {
    rig(vec![given(r#"{"t": "{{ packet.text }}"}"#)])
}

#[test]
fn a_large_packet_is_decided_elsewhere_and_comes_before_what_follows_it() {
    let mut rig = reading();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    assert_eq!(rig.actions.jobs.len(), 1, "decided once");
    let job = rig.actions.jobs.remove(0);
    let ticket = job.ticket();
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    assert_eq!(rig.actions.resume.to_vec(), [src]);
    rig.send_packet(src, &large("1"), at(2));
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(2));
    let got = rig.take(a, at(2));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(inputs(&got[0]), r#"{"t":"hi"}"#);
    assert_eq!(inputs(&got[1]), r#"{"t":"ho"}"#);
}

#[test]
fn a_large_packet_of_which_only_metadata_is_read_stays_here() {
    let mut rig = rig(vec![only_if(r#"{{ eq packet.metadata.n "1" }}"#)]);
    let src = rig.connect("src");
    rig.send_packet(src, &large("1"), at(1));
    assert_eq!(rig.edge("a").queued, 1);
}

#[test]
fn a_decision_for_a_connection_that_is_gone_changes_nothing() {
    let mut rig = reading();
    let src = rig.connect("src");
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    let job = rig.actions.jobs.remove(0);
    rig.disconnect(src);
    let src = rig.connect("src");
    let ticket = job.ticket();
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(2));
    let a = rig.connect("a");
    assert_eq!(inputs(&rig.take(a, at(2))[0]), r#"{"t":"ho"}"#);
}

#[test]
fn a_packet_that_waits_for_room_is_decided_once() {
    let kept = StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("a")
    };
    let mut rig = rig_of(vec![(kept, given(r#"{"at": "{{ now | unixEpoch }}"}"#))]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send(src, "1", 10, at(0));
    assert_eq!(rig.offer(src, &packet("2", 10), at(5_000)), Taken::Blocked);
    let first = rig.take(a, at(5_000)).remove(0);
    assert_eq!(inputs(&first), r#"{"at":"0"}"#);
    let (stream, _) = guarantee::identity(&first);
    rig.receipt(a, &stream, 1, at(9_000));
    rig.send(src, "2", 10, at(9_000));
    assert_eq!(inputs(&rig.take(a, at(9_000))[0]), r#"{"at":"5"}"#);
}

#[test]
fn a_decision_on_a_packet_that_an_interrupt_ended_is_for_no_other() {
    let mut rig = reading();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    let job = rig.actions.jobs.remove(0);
    let ticket = job.ticket();
    let turn_of = |turn: &str, packet: Bytes| {
        let mut out = BytesMut::from(&packet[..]);
        put_metadata(&mut out, Dialect::Packet, "bubu.turn", turn);
        out.freeze()
    };
    rig.interrupt(a, None, at(2));
    // It is of the first turn by name, and offered before its decision is there, or after.
    rig.send_packet(src, &turn_of("1", large("1")), at(2));
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(3));
    let got = rig.take(a, at(3));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["2"]);
    assert_eq!(inputs(&got[0]), r#"{"t":"ho"}"#);
}

#[test]
fn a_large_envelope_that_gets_other_inputs_is_rewritten_elsewhere() {
    let once = Inputs {
        body: body(r#"{"p": 1}"#),
        json: Bytes::from_static(br#"{"p":1}"#),
    };
    let mut rig = rig(vec![EdgePrograms {
        inputs: InputsPlan::Once(once),
        ..EdgePrograms::default()
    }]);
    let src = rig.connect("src");
    let kind = "application/vnd.bubu.packet+json";
    let text = format!(r#"{{"payload":{{"x":"{}"}}}}"#, "x".repeat(70_000));
    assert_eq!(rig.offer(src, &framed(kind, &text), at(1)), Taken::Blocked);
    assert_eq!(rig.actions.jobs.len(), 1);
    let media = framed("application/octet-stream", &text);
    let other = rig.connect("a");
    assert!(rig.take(other, at(1)).is_empty());
    rig.disconnect(src);
    let src = rig.connect("src");
    assert_eq!(rig.offer(src, &media, at(1)), Taken::Yes);
}
