mod media;

use proptest::prelude::*;

use super::*;

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for m in messages {
        out.push(0);
        out.extend((m.len() as u32).to_be_bytes());
        out.extend(m);
    }
    out
}

/// A message in one piece, or the packet of one that is not.
fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    match message {
        Message::Whole { source, range, .. } => source[range.clone()].to_vec(),
        Message::Parted(parted) => parted.joined().to_vec(),
    }
}

fn pinned_by(message: &Message<'_>) -> usize {
    match message {
        Message::Whole { pinned, .. } => *pinned,
        Message::Parted(parted) => parted.packet_len(),
    }
}

fn feed_all(deframer: &mut Deframer, chunk: &[u8]) -> Result<Vec<Vec<u8>>, Status> {
    let mut out = Vec::new();
    deframer.feed(Bytes::copy_from_slice(chunk), |m| {
        out.push(bytes_of(&m));
        Ok(Next::Go)
    })?;
    Ok(out)
}

/// Feeds `chunk` to a taker that turns every message away `refusals` times.
fn feed_reluctantly(deframer: &mut Deframer, chunk: &[u8], refusals: u32) -> Vec<Vec<u8>> {
    let (mut out, mut refused) = (Vec::new(), 0);
    let mut take = |m: Message<'_>| {
        if refused < refusals {
            refused += 1;
            return Ok(Next::Hold);
        }
        refused = 0;
        out.push(bytes_of(&m));
        Ok(Next::Go)
    };
    deframer
        .feed(Bytes::copy_from_slice(chunk), &mut take)
        .unwrap();
    while deframer.holds() {
        deframer.go_on(&mut take).unwrap();
    }
    out
}

proptest! {
    /// Wherever the bytes are cut, the same messages come out.
    #[test]
    fn messages_survive_any_cut(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..10),
        cuts in proptest::collection::vec(1usize..64, 1..50),
    ) {
        let bytes = framed(&messages);
        let (mut deframer, mut out, mut at) = (Deframer::new(1 << 20), Vec::new(), 0);
        let mut cuts = cuts.iter().cycle();
        while at < bytes.len() {
            let end = (at + cuts.next().copied().unwrap_or(1)).min(bytes.len());
            out.extend(feed_all(&mut deframer, &bytes[at..end]).unwrap());
            at = end;
        }
        prop_assert_eq!(out, messages);
        prop_assert!(!deframer.has_partial());
    }

    /// Messages that are not taken come again, before those after them, none lost.
    #[test]
    fn messages_held_back_come_again_in_order(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..10),
        cuts in proptest::collection::vec(1usize..400, 1..50),
        refusals in 1u32..3,
    ) {
        let bytes = framed(&messages);
        let (mut deframer, mut out, mut at) = (Deframer::new(1 << 20), Vec::new(), 0);
        let mut cuts = cuts.iter().cycle();
        while at < bytes.len() {
            let end = (at + cuts.next().copied().unwrap_or(1)).min(bytes.len());
            out.extend(feed_reluctantly(&mut deframer, &bytes[at..end], refusals));
            at = end;
        }
        prop_assert_eq!(out, messages);
        prop_assert!(!deframer.has_partial());
    }

    /// What comes while a message is held back is taken after it, in order, none lost.
    #[test]
    fn what_is_put_by_comes_after_what_is_held_back(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..10),
        cuts in proptest::collection::vec(1usize..400, 1..50),
        taken_before in 0usize..10,
    ) {
        let bytes = framed(&messages);
        let (mut deframer, mut out, mut at) = (Deframer::new(1 << 20), Vec::new(), 0);
        let mut cuts = cuts.iter().cycle();
        while at < bytes.len() {
            let end = (at + cuts.next().copied().unwrap_or(1)).min(bytes.len());
            let chunk = &bytes[at..end];
            at = end;
            if deframer.holds() {
                let before = deframer.held_len();
                deframer.put_by(chunk);
                prop_assert_eq!(deframer.held_len(), before + chunk.len());
                continue;
            }
            deframer.feed(Bytes::copy_from_slice(chunk), |m| {
                if out.len() == taken_before {
                    return Ok(Next::Hold);
                }
                out.push(bytes_of(&m));
                Ok(Next::Go)
            }).unwrap();
        }
        deframer.go_on(|m| {
            out.push(bytes_of(&m));
            Ok(Next::Go)
        }).unwrap();
        prop_assert_eq!(out, messages);
        prop_assert!(!deframer.has_partial() && deframer.held_len() == 0);
    }

    /// Hostile bytes end in a status or wait for more; they never panic.
    #[test]
    fn hostile_bytes_never_panic(chunks in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..64), 0..8)) {
        let mut deframer = Deframer::new(1000);
        for chunk in chunks {
            if feed_all(&mut deframer, &chunk).is_err() { break; }
        }
    }
}

#[test]
fn a_message_says_how_much_a_slice_of_it_keeps_alive() {
    let bytes = framed(&[vec![1; 100], vec![2; 50], vec![3; 50]]);
    let mut pinned = Vec::new();
    let mut deframer = Deframer::new(1000);
    // The second message does not end in this chunk.
    let (chunk, rest) = bytes.split_at(130);
    for part in [chunk, rest] {
        let taken = deframer.feed(Bytes::copy_from_slice(part), |m| {
            pinned.push(pinned_by(&m));
            Ok(Next::Go)
        });
        taken.unwrap();
    }
    assert_eq!(pinned, [130, PREFIX + 50, rest.len()]);
}

#[test]
fn a_message_that_was_held_back_pins_what_it_came_in() {
    let mut deframer = Deframer::new(1000);
    let chunk = framed(&[vec![1; 10], vec![2; 500]]);
    let pinned = chunk.len();
    deframer.feed(chunk.into(), |_| Ok(Next::Hold)).unwrap();
    let mut said = Vec::new();
    let again = deframer.go_on(|m| {
        said.push(pinned_by(&m));
        Ok(Next::Go)
    });
    again.unwrap();
    assert_eq!(said, [pinned, pinned - PREFIX - 10]);
}

#[test]
fn what_was_put_by_waits_for_what_is_held_back_again() {
    let mut deframer = Deframer::new(1000);
    let chunk = framed(&[vec![1], vec![2]]);
    deframer.feed(chunk.into(), |_| Ok(Next::Hold)).unwrap();
    deframer.put_by(&framed(&[vec![3]]));
    let mut out = Vec::new();
    for most in [1, 3] {
        let taken = deframer.go_on(|m| {
            if out.len() == most {
                return Ok(Next::Hold);
            }
            out.push(bytes_of(&m));
            Ok(Next::Go)
        });
        taken.unwrap();
    }
    assert_eq!(out, [[1], [2], [3]]);
}

#[test]
fn a_length_over_the_limit_is_refused_from_its_prefix() {
    let mut deframer = Deframer::new(1000);
    let status = feed_all(&mut deframer, &[0, 0x40, 0, 0, 0]).unwrap_err();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    assert!(
        status.message().contains("1073741824"),
        "{}",
        status.message()
    );
}

#[test]
fn a_declared_length_sets_no_memory_aside() {
    let mut deframer = Deframer::new(10 << 20);
    feed_all(&mut deframer, &[0, 0, 0x9f, 0, 0, 1, 2, 3]).unwrap();
    assert!(deframer.has_partial());
    assert!(deframer.partial.capacity() <= FIRST_RESERVE + PREFIX);
}

#[test]
fn a_compressed_message_is_whose_fault_its_headers_say_and_another_flag_is_garbage() {
    let mut headers = HeaderMap::new();
    let code = |headers: &HeaderMap, bytes: &[u8]| {
        let mut deframer = Deframer::of_request(headers, 1000);
        feed_all(&mut deframer, bytes).unwrap_err().code()
    };
    let compressed = [1, 0, 0, 0, 0];
    assert_eq!(code(&headers, &compressed), tonic::Code::Internal);
    let garbage = [2, 0, 0, 0, 0];
    assert_eq!(code(&headers, &garbage), tonic::Code::InvalidArgument);
    headers.insert("grpc-encoding", "identity".parse().unwrap());
    assert_eq!(code(&headers, &compressed), tonic::Code::Internal);
    headers.insert("grpc-encoding", "gzip".parse().unwrap());
    assert_eq!(code(&headers, &compressed), tonic::Code::Unimplemented);
    assert_eq!(code(&headers, &garbage), tonic::Code::InvalidArgument);
}

#[test]
fn half_a_message_is_no_good_end() {
    let mut deframer = Deframer::new(1000);
    assert_eq!(deframer.ended().code(), tonic::Code::Ok);
    for byte in [0, 0, 0, 0, 1] {
        feed_all(&mut deframer, &[byte]).unwrap();
        assert_eq!(deframer.ended().code(), tonic::Code::InvalidArgument);
    }
    feed_all(&mut deframer, &[7]).unwrap();
    assert_eq!(deframer.ended().code(), tonic::Code::Ok);
}
