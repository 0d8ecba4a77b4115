//! A packet whose media is left in pieces is the packet byte for byte, and its skeleton says of it
//! what a walk over the packet says.

mod arbitrary;

use arbitrary::packet::{WrongWires, dialect, packet};
use arbitrary::{Part, Value, damaged, encode, padding};
use bytes::Bytes;
use proptest::prelude::*;
use transport_proto::splice::{Cut, Kept, MediaPieces, Parted, Parting};
use transport_proto::view::{Dialect, FrameView, PacketBytes, PacketView, parse_process};

/// Number of the first field that is a frame.
fn first_frame(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::Packet => 5,
        Dialect::Connector => 1,
    }
}

/// A packet with a frame whose media is longer than all the rest, between what else stands in it.
fn with_media() -> impl Strategy<Value = (Dialect, Vec<u8>)> {
    let around = |dialect| packet(dialect, WrongWires::Sometimes);
    dialect().prop_flat_map(move |dialect| {
        let frame = (0..3_u32, 0..3000_usize, padding(), padding());
        (around(dialect), frame, around(dialect)).prop_map(
            move |(before, (kind, more, of_frame, of_media), behind)| {
                let (before, behind) = (encode(&before), encode(&behind));
                let mime = Part::new(4 - u32::from(kind > 0) * 2, Value::Bytes(b"a/b".to_vec()));
                let time = Part::new(if kind == 2 { 3 } else { 5 }, Value::Varint(77));
                let media = vec![7; before.len() + behind.len() + more];
                let media = Part::new(1, Value::Bytes(media)).padded(of_media);
                let body = Value::Message(vec![mime, media, time]);
                let frame = Part::new(first_frame(dialect) + kind, body).padded(of_frame);
                (dialect, [before, encode(&[frame]), behind].concat())
            },
        )
    })
}

/// The message that a packet comes in.
fn message(dialect: Dialect, packet: Vec<u8>) -> (usize, Vec<u8>) {
    match dialect {
        Dialect::Connector => (0, packet),
        Dialect::Packet => {
            let len = packet.len();
            let message = encode(&[Part::new(1, Value::Bytes(packet))]);
            (message.len() - len, message)
        }
    }
}

/// Cuts media into pieces of `sizes` in turn.
fn pieces(mut media: &[u8], sizes: &[usize]) -> MediaPieces {
    let mut out = MediaPieces::new();
    for size in sizes.iter().cycle() {
        let (piece, rest) = media.split_at((*size).min(media.len()));
        out.push(Bytes::copy_from_slice(piece));
        media = rest;
        if media.is_empty() {
            break;
        }
    }
    out
}

fn parted(parting: &Parting, message: &[u8], sizes: &[usize]) -> Parted {
    let media = parting.media();
    let pieces = pieces(&message[media.clone()], sizes);
    let parted = parting.part(&message[..media.start], pieces, &message[media.end..]);
    parted.expect("everything is there")
}

/// What a view says, media apart.
fn facts(view: &PacketView, packet: &[u8]) -> String {
    let frame = |frame: &FrameView| {
        (
            (frame.kind(), frame.timestamp_ms(), frame.sample_rate_hz()),
            (frame.channels(), frame.picture(), frame.is_raw()),
        )
    };
    let texts = |at: Vec<std::ops::Range<usize>>| -> Vec<Vec<u8>> {
        at.into_iter().map(|at| packet[at].to_vec()).collect()
    };
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        (view.violation(), view.frame_view().map(frame)),
        (view.mime_type(packet), view.is_heartbeat(packet)),
        view.envelope().map(|e| {
            let chunk = (e.is_chunk(), e.chunk_index(), e.chunk_count());
            (e.sequence(), e.partition(packet), e.chunk_id(packet), chunk)
        }),
        view.metadata_pairs(packet).collect::<Vec<_>>(),
        view.metadata_entries(),
        texts(view.payload_ranges().collect()),
        texts(view.inputs_ranges().collect()),
    )
}

/// What stays of a packet after `cut`, as the engine writes it.
fn kept(parted: &Parted, view: &PacketView, cut: &Cut<'_>) -> Vec<u8> {
    let (skeleton, mut out) = (parted.skeleton(), Vec::new());
    for range in Kept::of(skeleton, view, cut).ranges() {
        let range = range.start as usize..range.end as usize;
        let Some((before, behind)) = parted.around(&range) else {
            out.extend(&skeleton[range]);
            continue;
        };
        out.extend(&skeleton[before]);
        out.extend(parted.head());
        parted.media().iter().for_each(|piece| out.extend(piece));
        out.extend(&skeleton[behind]);
    }
    out
}

/// That a message which can be parted is the same in pieces.
fn same_in_pieces(
    (dialect, start, message): (Dialect, usize, &[u8]),
    parting: &Parting,
    sizes: &[usize],
) -> Result<(), TestCaseError> {
    let parted = parted(parting, message, sizes);
    let packet = &message[start..];
    prop_assert_eq!(&parted.joined()[..], packet);
    prop_assert_eq!(parted.packet_len(), packet.len());
    let whole = PacketView::parse_in_process(packet, dialect);
    let view = PacketView::parse_in_process(parted.skeleton(), dialect);
    let (Ok(whole), Ok(view)) = (&whole, &view) else {
        prop_assert_eq!(whole.is_ok(), view.is_ok());
        return Ok(());
    };
    prop_assert_eq!(facts(view, parted.skeleton()), facts(whole, packet));
    let cut = Cut {
        metadata_keys: &["type", "storyrun-name"],
        envelope: true,
        inputs: true,
        ..Cut::default()
    };
    let mut expected = bytes::BytesMut::new();
    Kept::of(packet, whole, &cut).copy_to(packet, &mut expected);
    prop_assert_eq!(kept(&parted, view, &cut), &expected[..]);
    Ok(())
}

proptest! {
    #[test]
    fn a_packet_in_pieces_is_the_packet(
        (dialect, packet) in with_media(),
        come in 0.0..1.0,
        sizes in prop::collection::vec(1..2000_usize, 1..6),
    ) {
        let (start, message) = message(dialect, packet);
        let come = (come * message.len() as f64) as usize;
        for come in [come, message.len()] {
            if let Some(parting) = Parting::find(&message[..come], message.len(), dialect) {
                same_in_pieces((dialect, start, &message), &parting, &sizes)?;
            }
        }
    }

    #[test]
    fn so_is_one_that_was_damaged(
        (dialect, message) in with_media().prop_flat_map(|(dialect, packet)| {
            (Just(dialect), damaged(message(dialect, packet).1))
        }),
        come in 0.0..1.0,
    ) {
        let come = (come * message.len() as f64) as usize;
        let parting = Parting::find(&message[..come], message.len(), dialect);
        if let Some(parting) = parting {
            let start = match dialect {
                Dialect::Connector => 0,
                Dialect::Packet => match parse_process(&message).unwrap().packet {
                    PacketBytes::At(packet) => packet.start,
                    other => panic!("it was found to be a packet, and is {other:?}"),
                },
            };
            same_in_pieces((dialect, start, &message), &parting, &[500])?;
        }
    }
}

/// A `ProcessRequest` with a binary frame between metadata and an envelope.
fn plain(media: usize) -> Vec<u8> {
    let text = |number, text: &str| Part::new(number, Value::Bytes(text.into()));
    let entry = Value::Message(vec![text(1, "key"), text(2, "value")]);
    let frame = Value::Message(vec![
        Part::new(1, Value::Bytes(vec![9; media])),
        text(2, "a/b"),
    ]);
    let envelope = Value::Message(vec![Part::new(2, Value::Varint(5))]);
    let packet = encode(&[
        Part::new(1, entry),
        Part::new(7, frame),
        Part::new(8, envelope),
    ]);
    message(Dialect::Packet, packet).1
}

#[test]
fn media_is_found_as_soon_as_it_begins() {
    let message = plain(1000);
    let media = message.iter().position(|b| *b == 9).unwrap();
    for come in 0..=message.len() {
        let found = Parting::find(&message[..come], message.len(), Dialect::Packet);
        assert_eq!(found.is_some(), come >= media, "{come} of {media}");
        if let Some(found) = found {
            assert_eq!(found.media(), media..media + 1000);
        }
    }
}

#[test]
fn what_is_left_whole() {
    let find = |message: &[u8], len| Parting::find(message, len, Dialect::Packet);
    let message = plain(1000);
    let len = message.len();
    assert!(find(&message, len + 1).is_none(), "more than a packet");
    assert!(find(&message, len - 1).is_none(), "less than it says");
    let of = |dialect| Parting::find(&message, len, dialect);
    assert!(of(Dialect::Connector).is_none(), "of another contract");
    let short = plain(20);
    assert!(find(&short, short.len()).is_none(), "little media");
    let limit = transport_proto::limits::MAX_MEDIA_BYTES;
    for (media, is_found) in [(limit, true), (limit + 1, false)] {
        let message = plain(media);
        assert_eq!(find(&message[..100], message.len()).is_some(), is_found);
    }
}

#[test]
fn pieces_that_do_not_add_up_make_no_packet() {
    let message = plain(1000);
    let parting = Parting::find(&message, message.len(), Dialect::Packet).unwrap();
    let media = parting.media();
    let (head, tail) = (&message[..media.start], &message[media.end..]);
    let whole = || pieces(&message[media.clone()], &[300]);
    assert!(parting.part(head, whole(), tail).is_some());
    assert!(parting.part(&head[1..], whole(), tail).is_none());
    assert!(parting.part(head, whole(), &tail[1..]).is_none());
    let mut short = whole();
    short.pop();
    assert!(parting.part(head, short, tail).is_none());
}
