//! Turns, interrupts and control beside the packets (spec 2.5).

use super::guarantee::{identity, kept};
use super::*;
use crate::RefuseReason;
use crate::route::{Guarantee, Lane, LanePlan};

/// `tts` feeds a best_effort and an at_least_once step.
fn speech() -> Rig {
    let steps = vec![step("tts"), step("room"), kept("log", Guarantee::default())];
    Rig::new(Limits::default(), plan(steps, &[(0, 1), (0, 2)]))
}

#[test]
fn the_trace_of_the_barge_in() {
    let mut rig = speech();
    let tts = rig.connect_numbering("tts", "e1");
    let control = Accepts {
        pause: false,
        control: true,
    };
    let room = rig.connect_as("room", None, control);
    let log = rig.connect("log");
    for label in ["a", "b"] {
        rig.send_packet(tts, &in_turn(label, 1), at(1));
    }
    rig.send_packet(tts, &in_turn("new", 2), at(2));
    rig.interrupt(room, None, at(3));
    let told = rig.take(room, at(4));
    assert_eq!(metadata(&told[0], "hub-control").unwrap(), "interrupt");
    assert_eq!(metadata(&told[0], "bubu.turn").unwrap(), "2");
    assert_eq!(label(&told[1]), "new");
    let kept = rig.take(log, at(4));
    assert_eq!(kept.iter().map(label).collect::<Vec<_>>(), ["new"]);
    assert_eq!(identity(&kept[0]).1, 3, "the holes are recorded");
    for to in ["room", "log"] {
        let counts = rig.edge(to).counts;
        assert_eq!(counts.dropped(DropReason::Interrupted), 2, "{to}");
    }
    rig.send_packet(tts, &in_turn("late", 1), at(5));
    rig.send(tts, "unmarked", 10, at(6));
    assert_eq!(rig.labels(room, at(7)), ["unmarked"]);
    let refused = rig.engine.snapshot().refused;
    assert_eq!(refused.get(RefuseReason::Interrupted), 1);
}

#[test]
fn what_was_sent_before_an_interrupt_is_not_replayed_after_it() {
    let mut rig = speech();
    let (tts, log) = (rig.connect("tts"), rig.connect("log"));
    rig.send_packet(tts, &in_turn("old", 1), at(1));
    assert_eq!(rig.labels(log, at(2)), ["old"]);
    rig.interrupt(tts, None, at(3));
    assert_eq!(rig.edge("log").in_flight, 1, "it cannot be called back");
    rig.disconnect(log);
    let log = rig.connect("log");
    assert!(rig.labels(log, at(4)).is_empty());
    assert_eq!(rig.edge("log").counts.dropped(DropReason::Interrupted), 1);
}

#[test]
fn an_interrupt_of_one_lane_leaves_the_others() {
    let mut rig = speech();
    let (tts, room) = (rig.connect("tts"), rig.connect("room"));
    rig.send_packet(tts, &in_turn("binary", 1), at(1));
    rig.interrupt(tts, Some(Lane::Audio), at(2));
    assert_eq!(rig.labels(room, at(3)), ["binary"]);
}

#[test]
fn a_frameless_packet_interrupts_where_there_is_no_control_channel() {
    let mut rig = speech();
    let (tts, room) = (rig.connect("tts"), rig.connect("room"));
    rig.send_packet(tts, &in_turn("old", 1), at(1));
    rig.send_packet(room, &directive("interrupt", 2), at(2));
    assert!(rig.labels(room, at(3)).is_empty());
    assert_eq!(rig.edge("room").counts.dropped(DropReason::Interrupted), 1);
    assert_eq!(rig.edge("room").counts.accepted, 1, "control is no packet");
}

#[test]
fn a_request_for_a_key_frame_reaches_the_producers_that_act_on_control() {
    let mut rig = speech();
    let accepts = Accepts {
        pause: false,
        control: true,
    };
    let tts = rig.connect_as("tts", None, accepts);
    let room = rig.connect("room");
    rig.send_packet(room, &directive("keyframe", 0), at(1));
    let told = rig.take(tts, at(2));
    assert_eq!(metadata(&told[0], "hub-control").unwrap(), "keyframe");
}

#[test]
fn a_packet_that_opens_a_higher_turn_cancels_the_previous_one_when_asked_to() {
    let steps = vec![step("tts"), step("room")];
    let mut rig = Rig::new(
        Limits::default(),
        RunPlan {
            cancel_previous: true,
            ..plan(steps, &[(0, 1)])
        },
    );
    let (tts, room) = (rig.connect("tts"), rig.connect("room"));
    rig.send_packet(tts, &in_turn("old", 1), at(1));
    rig.send_packet(tts, &in_turn("new", 2), at(2));
    rig.send(tts, "unmarked", 10, at(3));
    assert_eq!(rig.labels(room, at(4)), ["new", "unmarked"]);
}

#[test]
fn an_interrupt_reaches_behind_what_it_leaves_alone() {
    let mut rig = speech();
    let (tts, room, log) = (rig.connect("tts"), rig.connect("room"), rig.connect("log"));
    for (label, turn) in [("a", 2), ("old", 1), ("b", 2), ("older", 0), ("c", 2)] {
        rig.send_packet(tts, &in_turn(label, turn), at(1));
    }
    rig.interrupt(tts, None, at(2));
    assert_eq!(rig.edge("room").queued, 3);
    assert_eq!(rig.labels(room, at(3)), ["a", "b", "c"]);
    assert_eq!(rig.labels(log, at(3)), ["a", "b", "c"]);
}

#[test]
fn an_interrupt_to_a_lower_turn_takes_nothing_back() {
    let mut rig = speech();
    let (tts, room) = (rig.connect("tts"), rig.connect("room"));
    rig.send_packet(tts, &directive("interrupt", 3), at(1));
    rig.interrupt(tts, None, at(2));
    rig.send_packet(tts, &in_turn("of turn 2", 2), at(3));
    rig.send(tts, "unmarked", 10, at(3));
    rig.send_packet(tts, &in_turn("of turn 3", 3), at(3));
    assert_eq!(rig.labels(room, at(4)), ["unmarked", "of turn 3"]);
}

fn lane(lane: Lane, max_messages: usize) -> LanePlan {
    LanePlan {
        lane,
        bounds: bounds(max_messages, usize::MAX),
        max_media: None,
    }
}

fn laned(lanes: Vec<LanePlan>) -> Rig {
    let room = StepPlan {
        lanes,
        ..step("room")
    };
    Rig::new(Limits::default(), plan(vec![step("cam"), room], &[(0, 1)]))
}

#[test]
fn a_full_video_lane_never_delays_audio() {
    let mut rig = laned(vec![lane(Lane::Video, 2)]);
    let cam = rig.connect("cam");
    for n in 0..4 {
        rig.send_packet(cam, &video(&format!("v{n}"), true), at(1));
    }
    rig.send_packet(cam, &audio("a", 1), at(2));
    let room = rig.connect("room");
    assert_eq!(rig.labels(room, at(3)), ["a", "v0", "v1"]);
}

#[test]
fn a_video_lane_drops_up_to_the_next_key_frame() {
    let mut rig = laned(vec![lane(Lane::Video, 2)]);
    let (cam, room) = (rig.connect("cam"), rig.connect("room"));
    for (label, key) in [("k1", true), ("d1", false), ("d2", false)] {
        rig.send_packet(cam, &video(label, key), at(1));
    }
    assert_eq!(rig.labels(room, at(2)), ["k1", "d1"]);
    for (label, key) in [("d3", false), ("k2", true), ("d4", false)] {
        rig.send_packet(cam, &video(label, key), at(3));
    }
    assert_eq!(rig.labels(room, at(4)), ["k2", "d4"], "d3 lacks d2");
    assert_eq!(rig.edge("room").counts.dropped(DropReason::LaneFull), 2);
}

#[test]
fn a_video_lane_that_drops_the_oldest_keeps_whole_groups() {
    let mut plan = lane(Lane::Video, 3);
    plan.bounds.overflow = crate::route::OverflowPolicy::DropOldest;
    let mut rig = laned(vec![plan]);
    let cam = rig.connect("cam");
    for (label, key) in [("k1", true), ("d1", false), ("k2", true), ("d2", false)] {
        rig.send_packet(cam, &video(label, key), at(1));
    }
    let room = rig.connect("room");
    assert_eq!(rig.labels(room, at(2)), ["k2", "d2"]);
    assert_eq!(rig.edge("room").counts.dropped(DropReason::DropOldest), 2);
}

#[test]
fn a_lane_is_bounded_in_media_time() {
    let mut plan = lane(Lane::Audio, 100);
    plan.max_media = Some(Duration::from_millis(40));
    let mut rig = laned(vec![plan]);
    let cam = rig.connect("cam");
    for ms in [20, 40, 60, 80] {
        rig.send_packet(cam, &audio(&ms.to_string(), ms), at(1));
    }
    let room = rig.connect("room");
    assert_eq!(rig.labels(room, at(2)), ["20", "40", "60"]);
}

#[test]
fn a_2_mib_frame_passes_default_lanes_when_nothing_else_waits() {
    let video = LanePlan {
        lane: Lane::Binary,
        bounds: bounds(100, 1 << 20),
        max_media: None,
    };
    let sink = StepPlan {
        lanes: vec![video],
        ..kept("c", Guarantee::default())
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![step("p"), sink], &[(0, 1)]));
    let p = rig.connect("p");
    assert_eq!(rig.offer(p, &packet("big", 2 << 20), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("small", 10), at(2)), Taken::Blocked);
    assert_eq!(
        rig.offer(p, &audio("other lane", 1), at(3)),
        Taken::Blocked,
        "a paused producer is not read at all"
    );
}
