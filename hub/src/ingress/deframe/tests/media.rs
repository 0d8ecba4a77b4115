//! Large media, which stays in the chunks that it came in.

use proptest::prelude::*;
use transport_proto::splice::{put_binary_frame, put_metadata};
use transport_proto::view::{PacketBytes, PacketView, parse_process};
use transport_proto::wire::put_len_field;

use super::super::*;
use super::{bytes_of, feed_all, framed, pinned_by};

/// A `ProcessRequest` or `DataRequest` whose binary frame holds `media` bytes, between `before` and
/// `behind` bytes of metadata.
fn packet(dialect: Dialect, (before, media, behind): (usize, usize, usize)) -> Vec<u8> {
    let mut packet = BytesMut::new();
    let text = |packet: &mut BytesMut, len: usize| {
        put_metadata(packet, dialect, "text", &"t".repeat(len));
    };
    text(&mut packet, before);
    let media: Vec<u8> = (0..media).map(|n| (n % 251) as u8).collect();
    let empty = PacketView::new(dialect);
    put_binary_frame(&mut packet, dialect, (&[], &empty), &media);
    text(&mut packet, behind);
    match dialect {
        Dialect::Connector => packet.to_vec(),
        Dialect::Packet => {
            let mut message = BytesMut::new();
            put_len_field(&mut message, 0x0a, &packet);
            message.to_vec()
        }
    }
}

/// The packet in a message that was handed out.
fn packet_of(dialect: Dialect, message: &Message<'_>) -> Vec<u8> {
    let bytes = bytes_of(message);
    match (dialect, message) {
        (Dialect::Packet, Message::Whole { .. }) => inner(&bytes).to_vec(),
        _ => bytes,
    }
}

fn inner(message: &[u8]) -> &[u8] {
    match parse_process(message).unwrap().packet {
        PacketBytes::At(range) => &message[range],
        other => panic!("a packet was sent, and {other:?} came"),
    }
}

proptest! {
    /// Wherever the chunks end, and whatever is held back: the packets that come out are those that
    /// were sent, in order.
    #[test]
    fn media_in_pieces_makes_the_packets_that_were_sent(
        sent in proptest::collection::vec((
            prop_oneof![0..40usize, 0..3000usize], prop_oneof![0..900usize, 10_000..60_000usize],
            prop_oneof![0..40usize, 0..20_000usize]), 1..8),
        cuts in proptest::collection::vec(prop_oneof![1..40usize, 1..5000usize, Just(16_384)], 1..30),
        hold_every in 2..5usize,
        by_connector in any::<bool>(),
    ) {
        let dialect = if by_connector { Dialect::Connector } else { Dialect::Packet };
        let messages: Vec<_> = sent.iter().map(|parts| packet(dialect, *parts)).collect();
        let mut rest = Bytes::from(framed(&messages));
        let mut deframer = Deframer::new(10 << 20).parting(dialect);
        let (mut out, mut asked, mut cuts) = (Vec::new(), 0, cuts.iter().cycle());
        while !rest.is_empty() {
            let cut = cuts.next().copied().unwrap_or(1).min(rest.len());
            let mut take = |message: Message<'_>| {
                asked += 1;
                if asked % hold_every == 1 {
                    return Ok(Next::Hold);
                }
                out.push(packet_of(dialect, &message));
                Ok(Next::Go)
            };
            deframer.feed(rest.split_to(cut), &mut take).unwrap();
            while deframer.holds() {
                deframer.go_on(&mut take).unwrap();
            }
        }
        prop_assert!(!deframer.has_partial());
        prop_assert_eq!(out.len(), messages.len());
        for (out, message) in out.iter().zip(&messages) {
            let expected = if by_connector { &message[..] } else { inner(message) };
            prop_assert!(out == expected);
        }
    }
}

/// What came out of a deframer that got `bytes` in chunks of `size`.
fn parted(bytes: Vec<u8>, size: usize) -> Vec<Option<Parted>> {
    let (mut rest, mut out) = (Bytes::from(bytes), Vec::new());
    let mut deframer = Deframer::new(10 << 20).parting(Dialect::Packet);
    while !rest.is_empty() {
        let chunk = rest.split_to(size.min(rest.len()));
        let fed = deframer.feed(chunk, |message| {
            out.push(match message {
                Message::Whole { .. } => None,
                Message::Parted(parted) => Some(parted.clone()),
            });
            Ok(Next::Go)
        });
        fed.unwrap();
    }
    out
}

#[test]
fn large_media_is_left_in_the_chunks_that_it_came_in() {
    let messages = vec![packet(Dialect::Packet, (10, 64 << 10, 10)); 5];
    let bytes = framed(&messages);
    let at = bytes.as_ptr() as usize;
    for parted in parted(bytes, 16 << 10) {
        let parted = parted.expect("it is large");
        let long = parted.media().iter().filter(|piece| piece.len() >= 4 << 10);
        let shared: usize = long.clone().map(Bytes::len).sum();
        assert!(shared > 56 << 10, "{shared} bytes stand where they came");
        let range = at..at + 5 * (65 << 10);
        assert!(
            long.clone()
                .all(|piece| range.contains(&(piece.as_ptr() as usize)))
        );
    }
}

#[test]
fn media_in_tiny_chunks_is_copied_side_by_side() {
    let bytes = framed(&[packet(Dialect::Packet, (10, 64 << 10, 10))]);
    let [Some(parted)] = &parted(bytes, 7)[..] else {
        panic!("one message was sent");
    };
    assert_eq!(parted.media().len(), 1);
}

#[test]
fn short_messages_and_such_that_came_in_one_chunk_are_whole() {
    let messages = [
        packet(Dialect::Packet, (10, 9000, 10)),
        packet(Dialect::Packet, (10, 9000, 10)),
        packet(Dialect::Packet, (10, 60_000, 10)),
    ];
    let all = parted(framed(&messages), 1 << 20);
    assert!(all.iter().all(Option::is_none));
    let two = parted(framed(&messages[..2]), 4000);
    assert!(two.iter().all(Option::is_none));
    let without_dialect = framed(&messages);
    let mut deframer = Deframer::new(10 << 20);
    for chunk in without_dialect.chunks(4000) {
        let fed = deframer.feed(Bytes::copy_from_slice(chunk), |message| {
            assert!(matches!(message, Message::Whole { .. }));
            Ok(Next::Go)
        });
        fed.unwrap();
    }
}

#[test]
fn a_stream_that_ends_in_the_middle_of_media_says_how_much_of_it_came() {
    let bytes = framed(&[packet(Dialect::Packet, (10, 64 << 10, 10))]);
    let mut deframer = Deframer::new(10 << 20).parting(Dialect::Packet);
    for chunk in bytes[..50_000].chunks(16 << 10) {
        feed_all(&mut deframer, chunk).unwrap();
    }
    assert!(deframer.has_partial());
    let status = deframer.ended();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(
        status.message().contains("50000 bytes"),
        "{}",
        status.message()
    );
}

#[test]
fn a_slice_keeps_no_buffer_alive_that_is_four_times_its_size() {
    let bytes = framed(&[packet(Dialect::Packet, (10, 64 << 10, 10))]);
    // Chunks that stand in buffers of so many bytes, which HTTP/2 has from longer frames.
    for (chunk, buffer, is_shared) in [
        (16 << 10, 16 << 10, true),
        (16 << 10, 64 << 10, true),
        (16 << 10, 65 << 10, false),
        (5 << 10, 1 << 20, false),
    ] {
        let mut deframer = Deframer::new(10 << 20).parting(Dialect::Packet);
        deframer.stand_in(buffer);
        let mut rest = Bytes::from(bytes.clone());
        let range = rest.as_ptr_range();
        let mut shared = 0;
        while !rest.is_empty() {
            let fed = deframer.feed(rest.split_to(chunk.min(rest.len())), |message| {
                if let Message::Parted(parted) = message {
                    let stands = |piece: &&Bytes| range.contains(&piece.as_ptr());
                    shared = parted.media().iter().filter(stands).count();
                }
                Ok(Next::Go)
            });
            fed.unwrap();
        }
        assert_eq!(
            shared > 0,
            is_shared,
            "chunks of {chunk} in buffers of {buffer}"
        );
    }
}

#[test]
fn media_is_copied_out_of_a_chunk_of_which_it_is_little() {
    let whole = packet(Dialect::Packet, (10, 100 << 10, 10));
    let large = packet(Dialect::Packet, (10, 64 << 10, 10));
    for (before, is_shared) in [(0, true), (2, false)] {
        let mut bytes = framed(&vec![whole.clone(); before]);
        bytes.extend(framed(std::slice::from_ref(&large)));
        let mut rest = Bytes::from(bytes);
        let came = rest.split_to(rest.len() - (40 << 10));
        let range = came.as_ptr_range();
        let mut deframer = Deframer::new(10 << 20).parting(Dialect::Packet);
        deframer.feed(came, |_| Ok(Next::Go)).unwrap();
        let mut first = None;
        let fed = deframer.feed(rest, |message| {
            if let Message::Parted(parted) = message {
                first = parted.media().first().map(|piece| piece.as_ptr());
            }
            Ok(Next::Go)
        });
        fed.unwrap();
        assert_eq!(range.contains(&first.expect("in pieces")), is_shared);
    }
}

#[test]
fn a_whole_message_pins_the_buffer_that_its_chunk_stands_in() {
    let mut deframer = Deframer::new(10 << 20);
    deframer.stand_in(1 << 20);
    let bytes = framed(&[vec![1; 100]]);
    let mut pinned = 0;
    let fed = deframer.feed(bytes.into(), |message| {
        pinned = pinned_by(&message);
        Ok(Next::Go)
    });
    fed.unwrap();
    assert_eq!(pinned, 1 << 20);
}

#[test]
fn nothing_is_set_aside_for_a_message_whose_media_is_left_in_pieces() {
    let bytes = framed(&[packet(Dialect::Packet, (10, 64 << 10, 10))]);
    let mut deframer = Deframer::new(10 << 20).parting(Dialect::Packet);
    let mut rest = Bytes::from(bytes);
    for len in [3, 5, 100, 16 << 10, 16 << 10] {
        deframer.feed(rest.split_to(len), |_| Ok(Next::Go)).unwrap();
        assert!(
            deframer.partial.capacity() < 4 << 10,
            "{}",
            deframer.partial.capacity()
        );
    }
    assert!(deframer.has_partial());
}
