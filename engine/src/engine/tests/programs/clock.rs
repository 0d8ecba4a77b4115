//! The clock on the wall, which somebody sets, and timers, which nobody does.

use super::*;
use crate::route::{EmitPrograms, FanInPlan, HookPlan, TimestampSource};

const HOUR_NANOS: i64 = 3_600 * 1_000_000_000;
const IN_2023: i64 = 1_700_000_000 * 1_000_000_000;

fn limits() -> Limits {
    Limits {
        started_at_nanos: IN_2023,
        ..Limits::default()
    }
}

#[test]
fn programs_see_that_the_clock_was_set_forth_or_back() {
    let programs = given(r#"{"at": "{{ now | unixEpoch }}"}"#);
    let mut rig = rig(vec![programs]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    let mut said = Vec::new();
    for (second, shows) in [(1, None), (2, Some(HOUR_NANOS)), (4, Some(0))] {
        if let Some(shows) = shows {
            rig.engine.set_clock(IN_2023 + shows, at(second * 1_000));
        }
        rig.send(src, "x", 10, at(second * 1_000 + 500));
        said.push(inputs(&rig.take(a, at(second * 1_000 + 500))[0]));
    }
    let expected = [
        r#"{"at":"1"}"#,
        r#"{"at":"1700003600"}"#,
        r#"{"at":"1700000000"}"#,
    ];
    assert_eq!(said, expected);
    assert_eq!(rig.engine.unix_nanos(at(5_000)), IN_2023 + 1_000_000_000);
}

#[test]
fn the_watermark_goes_by_the_clock_on_the_wall() {
    let src = StepPlan {
        emits: Some(Arc::new(EmitPrograms {
            watermark: Some(TimestampSource::parse("metadata.made")),
            ..EmitPrograms::default()
        })),
        ..step("src")
    };
    let mut rig = Rig::new(limits(), plan(vec![src, step("a")], &[(0, 1)]));
    let src = rig.connect("src");
    rig.engine.set_clock(IN_2023 + HOUR_NANOS, at(0));
    let mut made = BytesMut::from(&packet("1", 10)[..]);
    put_metadata(&mut made, Dialect::Packet, "made", "1700003599000");
    rig.send_packet(src, &made.freeze(), at(0));
    let sessions = rig.engine.snapshot().sessions;
    let lag = &sessions[0].measured.as_ref().unwrap().lag;
    let nanos: u64 = lag.buckets().iter().map(|bucket| bucket.sum_nanos).sum();
    assert_eq!(nanos, 1_000_000_000);
}

#[test]
fn a_hook_tells_the_time_on_the_wall() {
    let hooks = HookPlan {
        programs: Arc::new(EdgePrograms::default()),
        step_ready: true,
        run_ready: false,
    };
    let a = StepPlan {
        hooks: Some(hooks),
        ..step("a")
    };
    let mut rig = Rig::new(limits(), plan(vec![a], &[]));
    rig.engine.set_clock(IN_2023 + HOUR_NANOS, at(0));
    let a = rig.connect("a");
    let said = payload(&rig.take(a, at(0))[0]);
    assert!(said.contains("2023-11-14T23:13:20"), "{said}");
}

#[test]
fn no_timer_moves_when_the_clock_is_set() {
    let sink = StepPlan {
        fan_in: Some(FanInPlan::default()),
        ..step("sink")
    };
    let queued = StepPlan {
        queue: QueueBounds {
            max_age: Some(Duration::from_secs(20)),
            ..QueueBounds::default()
        },
        ..step("queued")
    };
    let steps = vec![step("a"), sink, queued];
    let mut rig = Rig::new(limits(), plan(steps, &[(0, 1), (0, 2)]));
    let a = rig.connect("a");
    let mut waits = BytesMut::from(&packet("waits", 10)[..]);
    put_metadata(&mut waits, Dialect::Packet, "bubu.join.key", "1");
    // Of two branches the other never comes.
    rig.engine.runs[0].joins[1] = Some(Join::new(&FanInPlan::default(), 2));
    rig.send_packet(a, &waits.freeze(), at(0));
    rig.engine.set_clock(IN_2023 + HOUR_NANOS, at(1));
    rig.tick(at(19_999));
    assert_eq!(rig.edge("queued").queued, 1);
    rig.engine.set_clock(0, at(20_000));
    rig.tick(at(20_000));
    assert_eq!(rig.edge("queued").queued, 1);
    rig.tick(at(20_001));
    assert_eq!(rig.edge("queued").queued, 0, "expired when it was due");
    rig.tick(at(29_999));
    assert_eq!(rig.edge("sink").counts.accepted, 0);
    rig.tick(at(30_000));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::FanInTimeout), 1);
}
