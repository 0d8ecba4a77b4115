//! What waits, what gives way, what leaves.

use super::*;
use crate::account::{DropReason, RefuseReason};
use crate::route::OverflowPolicy;

#[test]
fn a_packet_reaches_every_target_stamped_for_it() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default(); 3]);
    let src = rig.connect("src");
    let sinks = ["sink0", "sink1", "sink2"].map(|s| rig.connect(s));
    rig.send(src, "a", 100, at(0));
    assert_eq!(rig.actions.wake.as_slice(), sinks);
    for (n, sink) in sinks.into_iter().enumerate() {
        let got = rig.take(sink, at(0));
        assert_eq!(got.len(), 1);
        assert_eq!(metadata(&got[0], "storyrun-name").as_deref(), Some("r"));
        assert_eq!(
            metadata(&got[0], "storyrun-namespace").as_deref(),
            Some("ns")
        );
        assert_eq!(
            metadata(&got[0], "current-step-id"),
            Some(format!("sink{n}"))
        );
        let view = PacketView::parse(&got[0], Dialect::Packet).unwrap();
        let envelope = view.envelope().unwrap();
        assert_eq!(envelope.stream_id(&got[0]), format!("ns/r/sink{n}@e1"));
        assert_eq!(envelope.sequence(), 0);
        assert_eq!(rig.edge(&format!("sink{n}")).counts.delivered, 1);
    }
}

#[test]
fn a_target_is_woken_once_for_many_packets() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    for n in 0..5 {
        rig.send(src, &n.to_string(), 10, at(0));
    }
    assert_eq!(rig.actions.wake.as_slice(), [sink]);
    assert_eq!(rig.labels(sink, at(0)), ["0", "1", "2", "3", "4"]);
}

#[test]
fn what_leaves_together_is_counted_by_edge_and_by_the_time_it_came() {
    let mut rig = Rig::new(
        Limits::default(),
        plan(
            vec![step("one"), step("two"), step("sink")],
            &[(0, 2), (1, 2)],
        ),
    );
    let (one, two) = (rig.connect("one"), rig.connect("two"));
    let sink = rig.connect("sink");
    for (from, came) in [(one, 0), (one, 0), (two, 0), (one, 4), (one, 4)] {
        rig.send(from, "x", 10, at(came));
    }
    assert_eq!(rig.take(sink, at(10)).len(), 5);
    let edges = rig.engine.snapshot().edges;
    let figures = edges.iter().map(|edge| {
        let buckets = edge.forward.buckets();
        let nanos: u64 = buckets.iter().map(|bucket| bucket.sum_nanos).sum();
        let samples: u64 = buckets.iter().map(|bucket| bucket.count).sum();
        (edge.counts.delivered, samples, nanos / 1_000_000)
    });
    assert!(
        figures.eq([(4, 4, 10 + 10 + 6 + 6), (1, 1, 10)]),
        "{edges:?}"
    );
}

#[test]
fn a_full_queue_drops_the_newest_by_default() {
    let mut rig = Rig::fan_out(vec![bounds(2, 1 << 20)]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    for n in 0..4 {
        rig.send(src, &n.to_string(), 10, at(0));
    }
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::LaneFull), 2);
    assert_eq!(rig.labels(sink, at(0)), ["0", "1"]);
}

#[test]
fn a_full_queue_drops_the_oldest_when_told_to() {
    let overflow = OverflowPolicy::DropOldest;
    let mut rig = Rig::fan_out(vec![QueueBounds {
        overflow,
        ..bounds(2, 1 << 20)
    }]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    for n in 0..4 {
        rig.send(src, &n.to_string(), 6000, at(0));
    }
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::DropOldest), 2);
    assert_eq!(rig.labels(sink, at(0)), ["2", "3"]);
}

#[test]
fn an_empty_queue_admits_one_packet_of_any_size() {
    let mut rig = Rig::fan_out(vec![bounds(10, 1000)]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    rig.send(src, "big", 50_000, at(0));
    rig.send(src, "small", 10, at(0));
    assert_eq!(rig.labels(sink, at(0)), ["big"]);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::LaneFull), 1);
}

#[test]
fn one_full_queue_never_takes_from_its_siblings() {
    let mut rig = Rig::fan_out(vec![bounds(1, 1 << 20), QueueBounds::default()]);
    let src = rig.connect("src");
    let (_slow, fast) = (rig.connect("sink0"), rig.connect("sink1"));
    for n in 0..50 {
        rig.send(src, &n.to_string(), 10, at(0));
    }
    assert_eq!(rig.labels(fast, at(0)).len(), 50);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::LaneFull), 49);
}

#[test]
fn all_queues_together_stay_within_the_budget() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![step("src"), step("sink0"), step("sink1")];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 1), (0, 2)]));
    let src = rig.connect("src");
    for _ in 0..10 {
        rig.send(src, "a", 1000, at(0));
    }
    assert!(rig.engine.snapshot().queued_bytes <= 5000);
    let (a, b) = (rig.edge("sink0"), rig.edge("sink1"));
    assert_eq!(a.queued + b.queued, 4);
    let budget = |e: &EdgeSnapshot| e.counts.dropped(DropReason::Budget);
    assert_eq!(budget(&a) + budget(&b), 16);
}

#[test]
fn a_packet_that_the_stamp_makes_too_large_is_dropped_whole() {
    let limits = Limits {
        max_message_bytes: 1000,
        ..Limits::default()
    };
    let mut rig = Rig::new(limits, plan(vec![step("src"), step("sink0")], &[(0, 1)]));
    let src = rig.connect("src");
    rig.send(src, "a", 950, at(0));
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Oversize), 1);
}

#[test]
fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    for (over, fits) in [(0, 1), (1, 0)] {
        let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
        let src = rig.connect("src");
        rig.send(src, "a", 900, at(0));
        // The gRPC prefix of five bytes is no part of the message.
        let message = rig.engine.snapshot().queued_bytes - 5;
        let limits = Limits {
            max_message_bytes: message - over,
            ..Limits::default()
        };
        let steps = vec![step("src"), step("sink0")];
        let mut rig = Rig::new(limits, plan(steps, &[(0, 1)]));
        let src = rig.connect("src");
        rig.send(src, "a", 900, at(0));
        assert_eq!(rig.edge("sink0").queued, fits);
    }
}

#[test]
fn a_packet_for_an_absent_step_waits_ten_seconds() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let src = rig.connect("src");
    rig.send(src, "old", 10, at(0));
    rig.send(src, "young", 10, at(6_000));
    rig.engine.tick(at(10_500), &mut rig.actions);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Expired), 1);
    let sink = rig.register("sink0", 1, at(11_000)).unwrap();
    assert_eq!(rig.labels(sink, at(11_000)), ["young"]);
}

#[test]
fn what_waits_for_a_step_that_never_comes_back_is_evicted() {
    let max_age = Some(3600 * SECOND);
    let mut rig = Rig::fan_out(vec![QueueBounds {
        max_age,
        ..QueueBounds::default()
    }]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    rig.disconnect(sink);
    rig.send(src, "a", 10, at(2000));
    rig.engine.tick(at(601_999), &mut rig.actions);
    assert_eq!(rig.edge("sink0").queued, 1);
    rig.engine.tick(at(602_001), &mut rig.actions);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Evicted), 1);
}

#[test]
fn a_packet_past_its_age_is_not_sent_to_a_slow_reader() {
    let max_age = Some(SECOND);
    let mut rig = Rig::fan_out(vec![QueueBounds {
        max_age,
        ..QueueBounds::default()
    }]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    rig.send(src, "stale", 10, at(0));
    rig.send(src, "fresh", 10, at(900));
    assert_eq!(rig.labels(sink, at(1001)), ["fresh"]);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Expired), 1);
}

#[test]
fn an_edge_past_the_cap_drops_and_counts() {
    let mut steps = vec![step("src"), step("sink0"), step("sink1")];
    steps[0].max_downstreams = 1;
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (0, 2)]));
    let src = rig.connect("src");
    rig.send(src, "a", 10, at(0));
    assert_eq!(rig.edge("sink0").queued, 1);
    assert_eq!(
        rig.edge("sink1").counts.dropped(DropReason::MaxDownstreams),
        1
    );
}

#[test]
fn a_packet_with_98_pairs_of_its_own_has_no_room_for_the_stamp() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    for (pairs, routing, fits) in [(97, false, true), (98, false, false), (97, true, true)] {
        let mut out = BytesMut::new();
        for n in 0..pairs {
            put_metadata(&mut out, Dialect::Packet, &format!("k{n}"), "v");
        }
        if routing {
            put_metadata(&mut out, Dialect::Packet, "storyrun-name", "another");
            put_metadata(&mut out, Dialect::Packet, "current-step-id", "another");
        }
        rig.send_packet(src, &out.freeze(), at(0));
        assert_eq!(
            rig.take(sink, at(0)).len(),
            usize::from(fits),
            "{pairs} {routing}"
        );
    }
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Invalid), 1);
}

#[test]
fn what_nobody_listens_to_is_counted_at_the_door() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let sink = rig.connect("sink0");
    rig.send(sink, "a", 10, at(0));
    assert_eq!(rig.engine.snapshot().refused.get(RefuseReason::NoRoute), 1);
}

#[test]
fn a_partition_survives_the_new_identity() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    // envelope {stream_id "mine", sequence 9, partition "p3"}
    let envelope = b"\x42\x0c\x0a\x04mine\x10\x09\x1a\x02p3";
    rig.send_packet(src, &Bytes::from_static(envelope), at(0));
    let got = rig.take(sink, at(0));
    let view = PacketView::parse(&got[0], Dialect::Packet).unwrap();
    let envelope = view.envelope().unwrap();
    assert_eq!(envelope.stream_id(&got[0]), "ns/r/sink0@e1");
    assert_eq!(envelope.sequence(), 0);
    assert_eq!(envelope.partition(&got[0]), "p3");
}

#[test]
fn chunk_fields_on_anything_but_a_binary_frame_are_invalid() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    // envelope {stream_id "s", chunk_id "c", chunk_count 2}
    let envelope = b"\x42\x08\x0a\x01s\x22\x01c\x30\x02";
    let mut binary = BytesMut::from(&envelope[..]);
    put_binary(&mut binary, 5);
    rig.send_packet(src, &binary.freeze(), at(0));
    rig.send_packet(src, &Bytes::from_static(envelope), at(0));
    assert_eq!(rig.take(sink, at(0)).len(), 1);
    let refused = rig.engine.snapshot().refused;
    assert_eq!(refused.get(RefuseReason::Invalid), 1);
}

#[test]
fn heartbeats_go_to_connected_streams_and_pass_the_queue() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default(), QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    rig.send(src, "media", 10, at(0));
    let mut beat = BytesMut::new();
    put_metadata(&mut beat, Dialect::Packet, "bubu-heartbeat", "true");
    rig.send_packet(src, &beat.freeze(), at(0));
    let got = rig.take(sink, at(0));
    assert_eq!(metadata(&got[0], "bubu-heartbeat").as_deref(), Some("true"));
    assert_eq!(
        metadata(&got[0], "current-step-id").as_deref(),
        Some("sink0")
    );
    assert_eq!(label(&got[1]), "media");
    assert_eq!(
        rig.edge("sink1").queued,
        1,
        "only the media packet waits for the absent step"
    );
    assert_eq!(
        rig.edge("sink0").counts.accepted,
        1,
        "a heartbeat is not counted as a packet"
    );
    let beats = rig.engine.snapshot().heartbeats;
    assert_eq!((beats.received, beats.forwarded, beats.sent), (1, 1, 0));
}

#[test]
fn the_hub_sends_heartbeats_at_its_interval_with_jitter() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let sink = rig.connect("sink0");
    rig.engine.tick(at(9_999), &mut rig.actions);
    assert!(rig.take(sink, at(9_999)).is_empty());
    rig.engine.tick(at(12_500), &mut rig.actions);
    let got = rig.take(sink, at(12_500));
    assert_eq!(got.len(), 1);
    assert_eq!(metadata(&got[0], "bubu-heartbeat").as_deref(), Some("true"));
    rig.engine.tick(at(12_501), &mut rig.actions);
    assert!(
        rig.take(sink, at(12_501)).is_empty(),
        "not before the next interval"
    );
}

/// The pieces that wait for `conn`, as they would go to its socket.
fn pieces(rig: &mut Rig, conn: ConnId) -> Pieces {
    let mut pieces = Pieces::new();
    while rig
        .engine
        .take(conn, 1 << 20, at(0), &mut pieces, &mut rig.actions)
        > 0
    {}
    pieces
}

#[test]
fn a_payload_that_must_not_pin_its_buffer_is_copied_once_for_all_targets() {
    const PAYLOAD: usize = 64 * 1024;
    let mut rig = Rig::fan_out(vec![bounds(1000, 64 << 20); 3]);
    let src = rig.connect("src");
    let sinks = ["sink0", "sink1", "sink2"].map(|sink| rig.connect(sink));
    // A backlog past which nothing small may pin a large buffer.
    for _ in 0..5 {
        rig.send(src, "before", PAYLOAD, at(0));
    }
    let one = packet("after", PAYLOAD);
    let read = Bytes::from([&one[..], &vec![0; 16 * PAYLOAD]].concat());
    let taken = rig.offer_from(src, (&read, one.len()), at(0));
    assert_eq!(taken, Taken::Yes);

    let waiting = sinks.map(|sink| pieces(&mut rig, sink));
    let large = waiting.each_ref().map(|pieces| {
        let last = pieces.iter().rfind(|piece| piece.len() >= PAYLOAD);
        last.unwrap().as_ptr()
    });
    assert!(large.iter().all(|at| *at == large[0]), "{large:?}");
    assert!(!read.as_ptr_range().contains(&large[0]));
    for pieces in waiting {
        let wire: Vec<u8> = pieces.iter().flat_map(|piece| piece.to_vec()).collect();
        let got = packets(&wire);
        assert_eq!(label(&got[5]), "after");
        let view = PacketView::parse(&got[5], Dialect::Packet).unwrap();
        assert_eq!(view.media_len(), PAYLOAD);
    }
}
