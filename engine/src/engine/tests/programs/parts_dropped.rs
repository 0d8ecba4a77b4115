//! Parts of joins that go no further: without room, late, or with their run.

use super::joins::{joining, meeting};
use super::parts::{all_three, kept_sink, nothing_is_owed, part, receipt_all, sink_of_one};
use super::*;
use crate::route::{FanInMode, FanInPlan, OnTimeout, OverflowPolicy};

#[test]
fn a_part_past_the_bytes_that_may_wait_is_dropped_and_heard_of() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.engine.waiting_bytes = 64 * 1024 * 1024;
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Budget), 1);
    assert_eq!(rig.acks(a, at(300)), [1]);
    rig.engine.waiting_bytes = 0;
    rig.send_packet(a, &part("1", "a1", 2), at(301));
    rig.engine.waiting_bytes += 64 * 1024 * 1024;
    rig.send_packet(b, &part("1", "b1", 1), at(301));
    assert_eq!(receipt_all(&mut rig, sink, at(302)), 1, "it does not wait");
}

#[test]
fn a_late_join_that_finds_no_room_asks_for_no_tick_at_once() {
    let full = StepPlan {
        queue: QueueBounds {
            overflow: OverflowPolicy::DropNewest,
            ..bounds(1, 1 << 20)
        },
        ..kept_sink()
    };
    let partial = FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..FanInPlan::default()
    };
    let mut rig = joining(partial, full, EdgePrograms::default());
    let a = rig.connect("a");
    rig.send(a, "fills it", 10, at(1));
    rig.send_packet(a, &meeting("1", "late"), at(1));
    rig.tick(at(30_001));
    let due = rig.engine.next_deadline();
    assert!(due.is_none_or(|due| due > at(30_001)), "{due:?}");
}

#[test]
fn a_late_join_that_finds_no_room_where_that_is_no_matter_is_dropped_and_heard_of() {
    let partial = FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..FanInPlan::default()
    };
    let mut rig = joining(partial, sink_of_one(), EdgePrograms::default());
    let (a, b, _) = all_three(&mut rig);
    rig.send_numbered(a, 1, at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    rig.tick(at(30_001));
    assert_eq!(rig.acks(b, at(30_300)), [1]);
    let edges = rig.engine.snapshot().edges;
    assert_eq!(edges[1].counts.dropped(DropReason::LaneFull), 1);
    nothing_is_owed(&rig);
}

#[test]
fn an_absorbed_branch_waits_for_no_room() {
    let any = FanInPlan {
        mode: FanInMode::Any,
        ..FanInPlan::default()
    };
    let full = StepPlan {
        queue: bounds(1, 1 << 20),
        ..kept_sink()
    };
    let mut rig = joining(any, full, EdgePrograms::default());
    let (a, b, _) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    assert_eq!(rig.acks(b, at(300)), [1]);
}

#[test]
fn a_run_that_ends_drops_what_waits_to_be_joined_at_once_and_says_so() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, _, sink) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.send_numbered(a, 2, at(1));
    assert_eq!(rig.labels(sink, at(1)), ["2"]);
    rig.engine.end_run(RunId(0), at(2), &mut rig.actions);
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Shutdown), 1);
    assert_eq!(
        rig.acks(a, at(2)),
        [1],
        "the other one is still to be receipted"
    );
}

#[test]
fn nothing_is_left_of_a_joined_packet_when_its_run_is_over() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.disconnect(sink);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    rig.send_packet(a, &part("2", "a2", 2), at(1));
    rig.engine.end_run(RunId(0), at(2), &mut rig.actions);
    nothing_is_owed(&rig);
    assert!(rig.acks(b, at(300)).is_empty(), "nobody has got it");
}
