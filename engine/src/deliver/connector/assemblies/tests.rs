mod model;

use bytes::BytesMut;
use transport_proto::view::Dialect;
use transport_proto::wire::{put_len_field, put_varint};

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(seconds * 1_000_000_000)
}

/// A chunk of `len` bytes: its set, index, count and total.
fn chunk(id: &str, (index, count, total): (u32, u32, u32), len: usize) -> BytesMut {
    let (mut packet, mut frame, mut envelope) = <(BytesMut, BytesMut, BytesMut)>::default();
    put_len_field(&mut frame, 0x0a, &vec![7; len]);
    put_len_field(&mut envelope, 0x0a, b"s");
    put_len_field(&mut envelope, 0x22, id.as_bytes());
    for (tag, value) in [(0x28, index), (0x30, count), (0x40, total)] {
        envelope.extend_from_slice(&[tag]);
        put_varint(&mut envelope, u64::from(value));
    }
    put_len_field(&mut packet, 0x3a, &frame);
    put_len_field(&mut packet, 0x42, &envelope);
    packet
}

fn goes(sets: &mut Assemblies, packet: &[u8], now: Moment) -> bool {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    assert!(view.is_sound());
    let mut towards = Towards {
        assemblies: sets,
        edge: 0,
        now,
    };
    let goes = towards.judge((packet, &view)).is_ok();
    if goes {
        towards.note((packet, &view));
    }
    goes
}

#[test]
fn chunks_that_agree_go_and_a_whole_set_is_forgotten() {
    let mut sets = Assemblies::default();
    for round in 0..3 {
        for index in [2, 0, 1] {
            // A total that one chunk does not say is that of the others.
            let total = if index == 0 { 0 } else { 30 };
            assert!(goes(
                &mut sets,
                &chunk("a", (index, 3, total), 10),
                at(round)
            ));
        }
        assert!(sets.sets.is_empty());
    }
}

#[test]
fn a_chunk_that_contradicts_its_set_does_not_go_and_its_set_goes_on() {
    for contradiction in [
        chunk("a", (1, 4, 30), 10),
        chunk("a", (1, 3, 31), 10),
        chunk("a", (1, 3, 30), 21),
        chunk("a", (1, 3, 0), 21),
    ] {
        let mut sets = Assemblies::default();
        assert!(goes(&mut sets, &chunk("a", (0, 3, 30), 10), at(0)));
        assert!(!goes(&mut sets, &contradiction, at(0)));
        assert!(goes(&mut sets, &chunk("a", (1, 3, 30), 10), at(0)));
        for wrong in [9, 11, 20] {
            let last = chunk("a", (2, 3, 30), wrong);
            assert!(!goes(&mut sets, &last, at(0)), "{wrong}");
        }
        assert!(goes(&mut sets, &chunk("a", (2, 3, 30), 10), at(0)));
        assert!(sets.sets.is_empty());
    }
}

#[test]
fn what_comes_twice_counts_once() {
    let mut sets = Assemblies::default();
    for index in [0, 0, 0, 1] {
        assert!(goes(&mut sets, &chunk("a", (index, 2, 20), 10), at(0)));
    }
    assert!(sets.sets.is_empty());
}

#[test]
fn sets_of_other_names_have_nothing_to_do_with_one_another() {
    let mut sets = Assemblies::default();
    assert!(goes(&mut sets, &chunk("a", (0, 2, 20), 10), at(0)));
    assert!(goes(&mut sets, &chunk("b", (0, 3, 99), 10), at(0)));
    assert!(goes(&mut sets, &chunk("a", (1, 2, 20), 10), at(0)));
}

#[test]
fn a_payload_that_no_engram_takes_does_not_go_whole() {
    let mut sets = Assemblies::default();
    let megabytes = 4 << 20;
    assert!(goes(&mut sets, &chunk("a", (0, 3, 0), megabytes), at(0)));
    assert!(goes(&mut sets, &chunk("a", (1, 3, 0), megabytes), at(0)));
    assert!(!goes(&mut sets, &chunk("a", (2, 3, 0), megabytes), at(0)));
}

#[test]
fn no_more_is_begun_than_an_engram_holds() {
    let mut sets = Assemblies::default();
    for n in 0..MOST_SETS {
        assert!(goes(&mut sets, &chunk(&n.to_string(), (0, 2, 0), 1), at(0)));
    }
    assert!(!goes(&mut sets, &chunk("one more", (0, 2, 0), 1), at(239)));
    assert!(goes(&mut sets, &chunk("one more", (0, 2, 0), 1), at(240)));
    assert_eq!(sets.sets.len(), 1, "what is old is forgotten");

    let mut sets = Assemblies::default();
    for n in 0..8 {
        assert!(goes(
            &mut sets,
            &chunk(&n.to_string(), (0, 2, 0), 8 << 20),
            at(0)
        ));
    }
    assert!(!goes(&mut sets, &chunk("one more", (0, 2, 0), 1), at(0)));
    assert_eq!(sets.sets.len(), 8);
}

#[test]
fn a_chunk_that_does_not_go_keeps_no_set_from_being_forgotten() {
    let mut sets = Assemblies::default();
    assert!(goes(&mut sets, &chunk("a", (0, 3, 30), 10), at(0)));
    assert!(!goes(&mut sets, &chunk("a", (0, 2, 20), 10), at(100)));
    assert!(!goes(&mut sets, &chunk("a", (0, 2, 20), 10), at(200)));
    assert!(goes(&mut sets, &chunk("a", (0, 2, 20), 10), at(240)));
}
