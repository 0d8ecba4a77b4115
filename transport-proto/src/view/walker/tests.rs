use bytes::{BufMut, BytesMut};

use super::*;
use crate::wire::{put_len_field, put_varint};

const CUT: Cut<'static> = Cut {
    metadata_keys: &["from"],
    envelope: true,
    inputs: false,
    payload: false,
    frame: false,
};

fn walker() -> Walker {
    Walker::new(Dialect::Packet, CUT)
}

fn number(out: &mut BytesMut, tag: u8, value: u64) {
    out.put_u8(tag);
    put_varint(out, value);
}

fn entry(out: &mut BytesMut, key: &str, value: &str) {
    let mut pair = BytesMut::new();
    put_len_field(&mut pair, 0x0a, key.as_bytes());
    put_len_field(&mut pair, 0x12, value.as_bytes());
    put_len_field(out, 0x0a, &pair);
}

/// A voice's frame as encoders write it: metadata, audio, envelope.
fn voice(media: &[u8], time: u64, sequence: u64) -> Vec<u8> {
    let (mut packet, mut audio, mut envelope) = Default::default();
    entry(&mut packet, "type", "speech.audio.v1");
    entry(&mut packet, "from", "microphone");
    put_len_field(&mut audio, 0x0a, media);
    number(&mut audio, 0x10, 16_000);
    number(&mut audio, 0x18, 1);
    put_len_field(&mut audio, 0x22, b"pcm16");
    number(&mut audio, 0x28, time);
    put_len_field(&mut packet, 0x2a, &audio);
    put_len_field(&mut envelope, 0x0a, b"voice");
    number(&mut envelope, 0x10, sequence);
    put_len_field(&mut packet, 0x42, &envelope);
    packet.to_vec()
}

/// Walks `packet` after what the walker has walked and by itself, and holds the one against the other.
fn same_as_alone(walker: &mut Walker, packet: &[u8]) {
    let alone = PacketView::parse_in_process(packet, walker.view.dialect);
    let after = walker.walk_in_process(packet).map(|()| walker.view());
    match (alone, after) {
        (Ok(alone), Ok(after)) => {
            assert_eq!(
                format!("{:?}", alone.fields()),
                format!("{:?}", after.fields())
            );
            assert_eq!(format!("{:?}", alone.frame), format!("{:?}", after.frame));
            assert_eq!(
                format!("{:?}", alone.envelope),
                format!("{:?}", after.envelope)
            );
            assert_eq!(alone.violation(), after.violation());
            assert_eq!(walker.kept, Kept::of(packet, &alone, &CUT));
        }
        (alone, after) => assert_eq!(alone.map(drop), after.map(drop)),
    }
}

#[test]
fn frames_that_differ_in_media_time_and_number_are_walked_once() {
    let mut walker = walker();
    let first = voice(&[1; 640], 1_700_000_000_000, 200);
    assert!(!walker.recognises(&first));
    walker.walk_in_process(&first).unwrap();
    for n in 1..100 {
        let next = voice(
            &[n; 640],
            1_700_000_000_000 + 20 * u64::from(n),
            200 + u64::from(n),
        );
        assert!(walker.recognises(&next), "{n}");
        assert_eq!(
            walker.view().timestamp_ms(),
            Some(1_700_000_000_000 + 20 * u64::from(n))
        );
        same_as_alone(&mut walker, &next);
    }
}

#[test]
fn a_number_that_takes_more_bytes_is_walked_anew() {
    let mut walker = walker();
    walker.walk_in_process(&voice(b"pcm", 1, 127)).unwrap();
    let longer = voice(b"pcm", 1, 128);
    assert!(!walker.recognises(&longer));
    same_as_alone(&mut walker, &longer);
    // The same length by other means: what is one byte longer is not the number.
    let shifted = voice(b"pc", 1, 128);
    assert!(!walker.recognises(&shifted));
    same_as_alone(&mut walker, &shifted);
}

#[test]
fn whatever_byte_differs_the_walk_says_what_it_would_say_alone() {
    let usual = voice(&[0x0a; 40], 1_700_000_000_000, 200);
    let longest = voice(&[0x0a; 9], u64::MAX, u64::MAX);
    for first in [usual, longest] {
        for at in 0..first.len() {
            let there = first[at];
            for byte in [
                0x00,
                0x02,
                0x0a,
                0x28,
                0x7f,
                0x80,
                0xff,
                there ^ 1,
                there ^ 0x80,
            ] {
                let mut walker = walker();
                let mut changed = first.clone();
                changed[at] = byte;
                same_as_alone(&mut walker, &first);
                same_as_alone(&mut walker, &changed);
                same_as_alone(&mut walker, &first);
            }
        }
    }
}

#[test]
fn what_breaks_the_contract_is_judged_each_time() {
    let mut walker = walker();
    let mut silent = BytesMut::new();
    put_len_field(&mut silent, 0x2a, &[0x10, 0]);
    for _ in 0..3 {
        assert!(!walker.recognises(&silent));
        walker.walk_in_process(&silent).unwrap();
        assert!(walker.view().violation().is_some());
    }
}

#[test]
fn a_packet_of_many_bytes_beside_its_media_is_not_remembered() {
    let mut walker = walker();
    let mut long = BytesMut::from(&voice(&[1; 8000], 1, 1)[..]);
    assert!(long.len() - 8000 <= MOST_BYTES);
    walker.walk_in_process(&long).unwrap();
    assert!(walker.recognises(&long));
    put_len_field(&mut long, 0x7a, &[0; MOST_BYTES]);
    walker.walk_in_process(&long).unwrap();
    assert!(!walker.recognises(&long));
    same_as_alone(&mut walker, &long);
}

#[test]
fn packets_that_never_repeat_are_seldom_remembered_and_those_that_do_soon_are() {
    let mut walker = walker();
    let mut remembered = 0;
    for n in 0..1000 {
        walker.walk_in_process(&voice(&vec![0; n], 1, 1)).unwrap();
        remembered += u32::from(walker.last.len > 0);
    }
    assert!((2..32).contains(&remembered), "{remembered}");
    let constant = voice(&[7; 640], 1, 1);
    let before = (0..).take_while(|_| {
        let known = walker.recognises(&constant);
        walker.walk_in_process(&constant).unwrap();
        !known
    });
    assert!(before.count() as u32 <= LONGEST_REST + 1);
    // From now on the next one is remembered at once.
    walker.walk_in_process(&voice(b"other", 1, 1)).unwrap();
    assert!(walker.last.len > 0);
}
