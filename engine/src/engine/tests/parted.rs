//! Packets whose media is left in the pieces in which it came.

use proptest::prelude::*;
use transport_proto::names::mime;
use transport_proto::splice::{MediaPieces, Parted, Parting};

use super::*;
use crate::engine::Contract;
use crate::route::{Guarantee, Lane, LanePlan, OverflowPolicy, Semantics};

/// The packet with its media in pieces of `size`, where it has enough of it.
fn in_pieces(packet: &Bytes, dialect: Dialect, size: usize) -> Option<Parted> {
    let mut message = BytesMut::new();
    match dialect {
        Dialect::Packet => put_len_field(&mut message, 0x0a, packet),
        Dialect::Connector => message.extend_from_slice(packet),
    }
    let message = message.freeze();
    let parting = Parting::find(&message, message.len(), dialect)?;
    let media = parting.media();
    let mut rest = message.slice(media.clone());
    let mut pieces = MediaPieces::new();
    while !rest.is_empty() {
        pieces.push(rest.split_to(size.min(rest.len())));
    }
    parting.part(&message[..media.start], pieces, &message[media.end..])
}

impl Rig {
    /// Offers a packet in one piece, and the next one in several.
    pub(super) fn offer_either(
        &mut self,
        conn: ConnId,
        (packet, dialect): (&Bytes, Dialect),
        now: Moment,
    ) -> Taken {
        self.offers += 1;
        let parted = in_pieces(packet, dialect, 4500).filter(|_| self.offers.is_multiple_of(2));
        match parted {
            Some(parted) => self.offer_parted(conn, (&parted, dialect), now),
            None => self.offer_whole(conn, (packet, dialect), now),
        }
    }

    fn offer_whole(&mut self, conn: ConnId, packet: (&Bytes, Dialect), now: Moment) -> Taken {
        self.offer_as(conn, packet, None, now)
    }

    fn offer_parted(
        &mut self,
        conn: ConnId,
        (parted, dialect): (&Parted, Dialect),
        now: Moment,
    ) -> Taken {
        self.offer_as(conn, (parted.skeleton(), dialect), Some(parted), now)
    }

    fn offer_as(
        &mut self,
        conn: ConnId,
        (source, dialect): (&Bytes, Dialect),
        parted: Option<&Parted>,
        now: Moment,
    ) -> Taken {
        let mut view = PacketView::new(dialect);
        view.walk_in_process(source).unwrap();
        let inbound = Inbound {
            source,
            start: 0,
            packet: source,
            view: &view,
            kept: None,
            parted,
            pinned: parted.map_or(source.len(), Parted::packet_len),
        };
        self.engine.packet(conn, inbound, now, &mut self.actions)
    }

    fn pieces(&mut self, conn: ConnId, now: Moment) -> Pieces {
        let mut pieces = Pieces::new();
        self.engine
            .take(conn, 1 << 20, now, &mut pieces, &mut self.actions);
        pieces
    }
}

/// A large packet with what the hub cuts out before its media and behind it.
fn large(size: usize) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "storyrun-name", "its own");
    put_metadata(&mut out, Dialect::Packet, "n", "large");
    put_binary(&mut out, size);
    put_metadata(&mut out, Dialect::Packet, "after", "the media");
    numbered(&out.freeze(), 7)
}

#[test]
fn pieces_go_to_every_target_as_they_came() {
    let mut rig = Rig::fan_out(vec![bounds(10, 1 << 20), bounds(10, 1 << 20)]);
    let (src, sinks) = (
        rig.connect("src"),
        ["sink0", "sink1"].map(|s| rig.connect(s)),
    );
    let parted = in_pieces(&large(50_000), Dialect::Packet, 16_000).unwrap();
    let taken = rig.offer_parted(src, (&parted, Dialect::Packet), at(0));
    assert_eq!(taken, Taken::Yes);
    let whole = at(1);
    for sink in sinks {
        let out = rig.pieces(sink, whole);
        let came = parted.media().iter().filter(|piece| piece.len() == 16_000);
        for piece in came {
            let is_it =
                |sent: &&Bytes| sent.as_ptr() == piece.as_ptr() && sent.len() == piece.len();
            assert_eq!(out.iter().filter(is_it).count(), 1, "no copy was made");
        }
    }
}

#[test]
fn pieces_are_kept_as_they_came_and_go_out_again() {
    let mut plan = plan(vec![step("src"), step("sink")], &[(0, 1)]);
    plan.steps[1].semantics = Semantics::AtLeastOnce(Guarantee::default());
    let mut rig = Rig::new(Limits::default(), plan);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    let parted = in_pieces(&large(50_000), Dialect::Packet, 16_000).unwrap();
    let taken = rig.offer_parted(src, (&parted, Dialect::Packet), at(0));
    assert_eq!(taken, Taken::Yes);
    let first = rig.pieces(sink, at(1));
    rig.disconnect(sink);
    let sink = rig.connect("sink");
    let again = rig.pieces(sink, at(2));
    let places = |pieces: &Pieces| -> Vec<_> {
        let long = pieces.iter().filter(|piece| piece.len() == 16_000);
        long.map(|piece| piece.as_ptr()).collect()
    };
    let came: Vec<_> = parted
        .media()
        .iter()
        .map(|piece| piece.as_ptr())
        .take(3)
        .collect();
    assert_eq!((places(&first), places(&again)), (came.clone(), came));
}

#[test]
fn what_is_translated_as_it_leaves_is_copied_together_once_for_all_who_get_it() {
    let mut rig = Rig::fan_out(vec![bounds(10, 1 << 20), bounds(10, 1 << 20)]);
    let sinks = ["sink0", "sink1"].map(|s| rig.connect_engram(s));
    let src = rig.connect("src");
    let parted = in_pieces(&large(50_000), Dialect::Packet, 16_000).unwrap();
    let taken = rig.offer_parted(src, (&parted, Dialect::Packet), at(0));
    assert_eq!(taken, Taken::Yes);
    let long = |sink: ConnId, rig: &mut Rig| {
        let out = rig.pieces(sink, at(1));
        let long = out.iter().find(|piece| piece.len() >= 50_000);
        long.map(|piece| piece.as_ptr()).expect("one piece")
    };
    assert_eq!(long(sinks[0], &mut rig), long(sinks[1], &mut rig));
}

#[test]
fn a_picture_in_pieces_that_depends_on_a_dropped_one_is_dropped() {
    let mut plan = plan(vec![step("src"), step("sink")], &[(0, 1)]);
    plan.steps[1].lanes = vec![LanePlan {
        lane: Lane::Video,
        bounds: QueueBounds {
            overflow: OverflowPolicy::DropNewest,
            ..bounds(1, 1 << 20)
        },
        max_media: None,
    }];
    let mut rig = Rig::new(Limits::default(), plan);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    let picture = |first: u8| {
        let media = [&[first][..], &[0; 9000]].concat();
        let packet = framed(6, &media, ((0x12, "vp8"), &[])).freeze();
        in_pieces(&packet, Dialect::Packet, 4500).unwrap()
    };
    let (key, delta) = (picture(0), picture(1));
    let offer = |rig: &mut Rig, picture: &Parted| {
        let taken = rig.offer_parted(src, (picture, Dialect::Packet), at(0));
        assert_eq!(taken, Taken::Yes);
        rig.edge("sink").queued
    };
    assert_eq!(offer(&mut rig, &key), 1);
    assert_eq!(offer(&mut rig, &delta), 1, "there is no room");
    rig.wire(sink, at(1));
    assert_eq!(offer(&mut rig, &delta), 0, "nobody could decode it");
    assert_eq!(offer(&mut rig, &key), 1);
}

/// Who gets it, and how.
#[derive(Clone, Copy, Debug)]
enum To {
    BestEffort,
    AtLeastOnce,
    VideoLanes,
    Engram,
}

/// What two sinks get of `packet`, offered whole or in pieces.
fn delivered(
    packet: (&Bytes, Dialect),
    to: To,
    (size, connected): (Option<usize>, bool),
) -> (Vec<Vec<u8>>, String) {
    let mut plan = plan(vec![step("src"), step("a"), step("b")], &[(0, 1), (0, 2)]);
    for step in &mut plan.steps[1..] {
        match to {
            To::AtLeastOnce => step.semantics = Semantics::AtLeastOnce(Guarantee::default()),
            To::VideoLanes => {
                step.lanes = vec![LanePlan {
                    lane: Lane::Video,
                    bounds: bounds(10, 1 << 20),
                    max_media: None,
                }]
            }
            To::BestEffort | To::Engram => {}
        }
    }
    let mut rig = Rig::new(Limits::default(), plan);
    let src = match packet.1 {
        Dialect::Packet => rig.connect("src"),
        Dialect::Connector => rig.connect_engram("src"),
    };
    let contract = match to {
        To::Engram => Contract::Connector,
        _ => Contract::Process,
    };
    let mut sinks = Vec::new();
    if connected {
        sinks = ["a", "b"].map(|s| rig.connect_on(contract, s, None)).into();
    }
    let parted = size.map(|size| in_pieces(packet.0, packet.1, size).unwrap());
    let taken = match &parted {
        Some(parted) => rig.offer_parted(src, (parted, packet.1), at(5)),
        None => rig.offer_whole(src, packet, at(5)),
    };
    assert_eq!(taken, Taken::Yes);
    let accounts = format!(
        "{:?}",
        (rig.edge("a"), rig.edge("b"), rig.engine.waiting(src))
    );
    if !connected {
        sinks = ["a", "b"].map(|s| rig.connect_on(contract, s, None)).into();
    }
    let wires = sinks.iter().map(|sink| rig.wire(*sink, at(6))).collect();
    (wires, accounts)
}

/// Field `number`: a frame with media, a codec or media type, and `last`.
fn framed(number: u8, media: &[u8], (format, last): ((u8, &str), &[u8])) -> BytesMut {
    let mut body = BytesMut::new();
    put_len_field(&mut body, 0x0a, media);
    put_len_field(&mut body, format.0, format.1.as_bytes());
    body.extend_from_slice(last);
    let mut out = BytesMut::new();
    put_len_field(&mut out, number << 3 | 2, &body);
    out
}

proptest! {
    /// Whatever becomes of a packet, it becomes of it in pieces, too, byte for byte.
    #[test]
    fn in_pieces_or_whole_is_the_same_to_everybody(
        media in prop::collection::vec(any::<u8>(), 60..20_000),
        kind in 0..3_u8,
        (is_heartbeat, is_chunk, is_json, by_connector) in any::<(bool, bool, bool, bool)>(),
        to in prop::sample::select(vec![To::BestEffort, To::AtLeastOnce, To::VideoLanes, To::Engram]),
        connected in any::<bool>(),
        size in 1..9000_usize,
    ) {
        let dialect = if by_connector { Dialect::Connector } else { Dialect::Packet };
        let mut packet = BytesMut::new();
        let beat = if is_heartbeat { "bubu-heartbeat" } else { "n" };
        put_metadata(&mut packet, dialect, beat, "true");
        let number = kind + if by_connector { 1 } else { 5 };
        let frame = match kind {
            0 => framed(number, &media, ((0x22, "pcm"), &[0x10, 0x80, 0x7d, 0x18, 1])),
            1 => framed(number, &media, ((0x12, "vp8"), &[0x28, 9])),
            _ if is_json => framed(number, &media, ((0x12, mime::PACKET_JSON), &[])),
            _ => framed(number, &media, ((0x12, "a/b"), &[0x18, 9])),
        };
        packet.extend_from_slice(&frame);
        put_metadata(&mut packet, dialect, "after", "the media");
        if is_chunk {
            packet.extend_from_slice(&[0x42, 7, 0x22, 1, b'c', 0x28, 0, 0x30, 1]);
        }
        let packet = packet.freeze();
        prop_assume!(in_pieces(&packet, dialect, size).is_some());
        let at = (&packet, dialect);
        let whole = delivered(at, to, (None, connected));
        let in_pieces = delivered(at, to, (Some(size), connected));
        prop_assert_eq!(whole.1, in_pieces.1);
        prop_assert!(whole.0 == in_pieces.0);
    }
}
