//! Clients of the connector contract among those of the other one.

use proptest::prelude::*;
use transport_proto::view::{FrameKind, parse_control};

use super::*;
use crate::engine::{Contract, Directive};
use crate::route::{Credits, FlowPlan, Guarantee, Semantics};

impl Rig {
    pub(super) fn connect_on(
        &mut self,
        contract: Contract,
        step: &str,
        epoch: Option<&str>,
    ) -> ConnId {
        let who = Registration {
            namespace: "ns",
            run: "r",
            step,
            generation: Generation::FIRST,
            producer_epoch: epoch,
            accepts: Accepts::default(),
        };
        let conn = self
            .engine
            .register_on(contract, who, at(0), &mut self.actions);
        conn.unwrap()
    }

    pub(super) fn connect_engram(&mut self, step: &str) -> ConnId {
        self.connect_on(Contract::Connector, step, None)
    }

    /// Offers a packet that is numbered as on the connector contract.
    pub(super) fn offer_data(&mut self, conn: ConnId, message: &Bytes, now: Moment) -> Taken {
        self.offer_either(conn, (message, Dialect::Connector), now)
    }

    /// What an engram gets, message by message.
    pub(super) fn responses(&mut self, conn: ConnId, now: Moment) -> Vec<Bytes> {
        let wire = self.wire(conn, now);
        let all = messages(&wire);
        all.iter().map(|m| Bytes::copy_from_slice(m)).collect()
    }

    fn directives(&mut self, conn: ConnId, now: Moment) -> Vec<Directive> {
        let mut all = Vec::new();
        assert!(self.engine.has_directives(conn, now));
        self.engine.take_directives(conn, now, &mut all);
        all
    }
}

pub(super) fn data_message(label: &str, size: usize) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Connector, "n", label);
    let start = out.len();
    put_binary(&mut out, size);
    // A binary frame is field 7 of the one and field 3 of the other.
    out[start] = 0x1a;
    out.freeze()
}

fn label_of(message: &Bytes) -> String {
    let view = PacketView::parse(message, Dialect::Connector).unwrap();
    let label = view.metadata(message, "n").unwrap_or("?");
    label.to_owned()
}

/// Every metadata pair of a message, its frame's kind and bytes.
fn said(message: &[u8], dialect: Dialect) -> (Vec<(String, String)>, Option<FrameKind>, Vec<u8>) {
    let view = PacketView::parse(message, dialect).unwrap();
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut pairs: Vec<_> = view.metadata_pairs(message).map(own).collect();
    pairs.sort();
    let media = view.frame_view().map(|f| message[f.media()].to_vec());
    (pairs, view.frame(), media.unwrap_or_default())
}

proptest! {
    /// Whatever the sizes, whether bytes are copied or shared on either way: what one engram says,
    /// another gets, and a client of the other contract gets the same.
    #[test]
    fn what_is_said_on_one_contract_is_said_on_both(
        sizes in proptest::collection::vec(1usize..20_000, 1..12),
        guaranteed in any::<bool>(),
    ) {
        let mut rig = if guaranteed {
            let semantics = Semantics::AtLeastOnce(Guarantee::default());
            let kept = |id| StepPlan { semantics, ..step(id) };
            let plan = plan(vec![step("src"), kept("sink0"), kept("sink1")], &[(0, 1), (0, 2)]);
            Rig::new(Limits::default(), plan)
        } else {
            Rig::fan_out(vec![QueueBounds::default(); 2])
        };
        let src = rig.connect_engram("src");
        let (process, engram) = (rig.connect("sink0"), rig.connect_engram("sink1"));
        for (nth, size) in sizes.iter().enumerate() {
            let message = data_message(&nth.to_string(), *size);
            prop_assert_eq!(rig.offer_data(src, &message, at(0)), Taken::Yes);
        }
        let packets = rig.take(process, at(0));
        let responses = rig.responses(engram, at(0));
        prop_assert_eq!(packets.len(), sizes.len());
        prop_assert_eq!(responses.len(), sizes.len());
        for (nth, size) in sizes.iter().enumerate() {
            let (mut a, kind_a, media_a) = said(&packets[nth], Dialect::Packet);
            let (mut b, kind_b, media_b) = said(&responses[nth], Dialect::Connector);
            let is_target = |(key, _): &(String, String)| key != "current-step-id";
            a.retain(is_target);
            b.retain(is_target);
            prop_assert_eq!(a, b);
            prop_assert_eq!((kind_a, kind_b), (Some(FrameKind::Binary), Some(FrameKind::Binary)));
            prop_assert_eq!(media_a.len(), *size);
            prop_assert_eq!(media_a, media_b);
        }
        rig.edge("sink0");
        rig.edge("sink1");
    }

    /// Whatever bytes a client says on Control, reading them never panics.
    #[test]
    fn hostile_requests_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse_control(&bytes);
    }
}

fn guaranteed() -> Rig {
    let sink = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    Rig::new(Limits::default(), plan(vec![step("src"), sink], &[(0, 1)]))
}

#[test]
fn to_an_engram_so_few_are_in_flight_that_its_queue_of_receipts_does_not_fill() {
    let mut rig = guaranteed();
    let src = rig.connect("src");
    for nth in 0..200 {
        rig.send(src, &nth.to_string(), 10, at(0));
    }
    let sink = rig.connect_engram("sink");
    assert_eq!(rig.responses(sink, at(0)).len(), 96);
    rig.receipt(sink, "ns/r/sink@e1", 50, at(0));
    assert_eq!(rig.responses(sink, at(0)).len(), 1);
    rig.disconnect(sink);
    let sink = rig.connect("sink");
    assert_eq!(
        rig.take(sink, at(0)).len(),
        199,
        "another client is not held back"
    );
}

#[test]
fn what_an_engram_does_not_receipt_comes_again_after_thirty_seconds() {
    let mut rig = guaranteed();
    let src = rig.connect("src");
    rig.send(src, "x", 10, at(0));
    let sink = rig.connect_engram("sink");
    assert_eq!(rig.responses(sink, at(0)).len(), 1);
    rig.tick(at(29_000));
    let labels = |all: Vec<Bytes>| all.iter().map(label_of).collect::<Vec<_>>();
    let again = labels(rig.responses(sink, at(29_000)));
    assert!(!again.contains(&"x".to_owned()), "{again:?}");
    rig.tick(at(30_000));
    let again = labels(rig.responses(sink, at(30_000)));
    assert!(again.contains(&"x".to_owned()), "{again:?}");
    rig.disconnect(sink);
    let sink = rig.connect("sink");
    assert_eq!(rig.labels(sink, at(30_000)), ["x"]);
    rig.tick(at(100_000));
    let again = rig.labels(sink, at(100_000));
    assert!(
        !again.contains(&"x".to_owned()),
        "no redelivery on Process: {again:?}"
    );
}

#[test]
fn an_engram_is_told_on_its_control_channel_and_a_process_client_among_its_packets() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default(); 2]);
    let engram = rig.connect_engram("sink0");
    let accepts = Accepts {
        control: true,
        ..Accepts::default()
    };
    let process = rig.connect_as("sink1", None, accepts);
    rig.interrupt(engram, None, at(0));
    let told = rig.directives(engram, at(0));
    let expected = Interrupt {
        turn: 2,
        lane: None,
    };
    assert_eq!(told, [Directive::Interrupt(expected)]);
    assert!(rig.responses(engram, at(0)).is_empty());
    let told = rig.take(process, at(0));
    assert_eq!(
        metadata(&told[0], "hub-control").as_deref(),
        Some("interrupt")
    );
}

#[test]
fn a_numbering_engram_is_told_of_what_is_settled_once() {
    let mut rig = guaranteed();
    let src = rig.connect_on(Contract::Connector, "src", Some("e7"));
    let sink = rig.connect("sink");
    let mut message = BytesMut::from(&data_message("1", 10)[..]);
    let empty = PacketView::parse(&[], Dialect::Connector).unwrap();
    put_envelope(&mut message, Dialect::Connector, &[], &empty, "own", 1);
    assert_eq!(rig.offer_data(src, &message.freeze(), at(0)), Taken::Yes);
    assert_eq!(rig.labels(sink, at(0)), ["1"]);
    rig.receipt(sink, "ns/r/sink@e1", 1, at(0));
    rig.tick(at(1000));
    let told = rig.directives(src, at(1000));
    let (ack, pause) = (Some(1), None);
    assert_eq!(told, [Directive::Flow { ack, pause }]);
    assert!(!rig.engine.has_directives(src, at(1000)));
}

#[test]
fn only_so_many_refusals_are_told_in_a_second() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let src = rig.connect_engram("src");
    let mut bad = BytesMut::new();
    put_metadata(&mut bad, Dialect::Connector, "k", &"v".repeat(1025));
    let bad = bad.freeze();
    for (second, told) in [(0, 10), (1, 10)] {
        for _ in 0..25 {
            assert_eq!(rig.offer_data(src, &bad, at(second * 1000)), Taken::Yes);
        }
        assert_eq!(rig.directives(src, at(second * 1000)).len(), told);
    }
}

#[test]
fn a_message_that_grows_past_the_limit_is_dropped_and_the_next_one_goes() {
    let limits = Limits {
        max_message_bytes: 5_000,
        ..Limits::default()
    };
    let mut rig = Rig::new(limits, plan(vec![step("src"), step("sink")], &[(0, 1)]));
    let (src, sink) = (rig.connect("src"), rig.connect_engram("sink"));
    // Without a frame: as an envelope it is nearly twice as long.
    let mut wide = BytesMut::new();
    for n in 0..4 {
        put_metadata(
            &mut wide,
            Dialect::Packet,
            &format!("k{n}"),
            &"v".repeat(1000),
        );
    }
    rig.send_packet(src, &wide.freeze(), at(0));
    rig.send(src, "after", 10, at(0));
    let got = rig.responses(sink, at(0));
    assert_eq!(got.iter().map(label_of).collect::<Vec<_>>(), ["after"]);
    let edge = rig.edge("sink");
    assert_eq!(edge.counts.dropped(DropReason::Oversize), 1);
    assert_eq!(edge.counts.delivered, 1);
}

#[test]
fn a_binding_names_run_and_step_however_many_dashes_they_have() {
    let mut rig = Rig::new(
        Limits::default(),
        RunPlan {
            name: "call-1".into(),
            ..plan(vec![step("speech-to-text")], &[])
        },
    );
    let bound = rig.engine.binding(Some("ns"), "call-1-speech-to-text");
    let bound = bound.unwrap();
    assert_eq!((&*bound.run, &*bound.step), ("call-1", "speech-to-text"));
    assert_eq!(rig.engine.binding(None, "call-1-speech-to-text"), Ok(bound));
    for unknown in ["call-1", "call-1-", "call-1-speech", "speech-to-text"] {
        let refused = rig.engine.binding(Some("ns"), unknown).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("ns/call-1-speech-to-text"), "{text}");
    }
    rig.tick(at(0));
}

#[test]
fn a_large_payload_is_shared_on_its_way_between_any_two_contracts() {
    for (from, guaranteed_edge) in [
        (Contract::Process, false),
        (Contract::Connector, false),
        (Contract::Process, true),
        (Contract::Connector, true),
    ] {
        let mut rig = if guaranteed_edge {
            guaranteed()
        } else {
            Rig::new(
                Limits::default(),
                plan(vec![step("src"), step("sink")], &[(0, 1)]),
            )
        };
        let src = rig.connect_on(from, "src", None);
        let sink = rig.connect_engram("sink");
        let message = match from {
            Contract::Process => packet("large", 100_000),
            Contract::Connector => data_message("large", 100_000),
        };
        let taken = match from {
            Contract::Process => rig.offer(src, &message, at(0)),
            Contract::Connector => rig.offer_data(src, &message, at(0)),
        };
        assert_eq!(taken, Taken::Yes);
        let mut pieces = Pieces::new();
        rig.engine
            .take(sink, 1 << 20, at(0), &mut pieces, &mut rig.actions);
        let came = message.as_ptr_range();
        let is_shared = |piece: &Bytes| piece.len() > 90_000 && came.contains(&piece.as_ptr());
        assert!(pieces.iter().any(is_shared), "{from:?} {guaranteed_edge}");
    }
}

#[test]
fn a_packet_that_an_engram_cannot_get_takes_none_of_its_credits() {
    let flow = FlowPlan {
        grant: Credits {
            messages: 2,
            bytes: 300,
        },
        ..FlowPlan::default()
    };
    for semantics in [
        Semantics::BestEffort,
        Semantics::AtLeastOnce(Guarantee::default()),
    ] {
        let sink = StepPlan {
            flow,
            semantics,
            ..step("sink")
        };
        let mut rig = Rig::new(Limits::default(), plan(vec![step("src"), sink], &[(0, 1)]));
        let (src, sink) = (rig.connect("src"), rig.connect_engram("sink"));
        let returned = Flow {
            credits_messages: 1,
            credits_bytes: 1,
            ..Flow::default()
        };
        rig.flow(sink, &returned, at(0));
        for _ in 0..3 {
            let mut odd = BytesMut::from(&packet("odd", 10)[..]);
            put_metadata(&mut odd, Dialect::Packet, " odd ", "key");
            rig.send_packet(src, &odd.freeze(), at(1));
        }
        rig.send(src, "good", 10, at(1));
        let got = rig.responses(sink, at(1));
        assert_eq!(got.iter().map(label_of).collect::<Vec<_>>(), ["good"]);
        assert_eq!(rig.edge("sink").counts.dropped(DropReason::Invalid), 3);
    }
}

#[test]
fn a_client_that_hears_of_nothing_hears_of_the_drain() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let sink = rig.connect_engram("sink0");
    for turn in 1..100 {
        let interrupt = Interrupt { turn, lane: None };
        rig.engine
            .interrupt(sink, interrupt, at(1), &mut rig.actions);
    }
    rig.engine.drain(at(1), &mut rig.actions);
    let told = rig.directives(sink, at(1));
    assert_eq!(told.len(), 65);
    assert_eq!(told.last(), Some(&Directive::Draining));
}
