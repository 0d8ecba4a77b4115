//! Bytes that claim to be packets.

use bytes::Bytes;
use prost::Message;
use transport_proto::splice::{Cut, Kept, Parting};
use transport_proto::v1;
use transport_proto::view::{
    Dialect, PacketBytes, PacketView, Process, Walker, parse_process, sole_packet,
};

/// A packet on its own, and everything that the view tells of it.
pub fn view(data: &[u8]) {
    one_after_the_other(data);
    let parsed = PacketView::parse(data, Dialect::Packet);
    let Ok(view) = parsed else { return };
    look(&view, data);
    // Once more with the memory of another packet in it.
    let mut again = PacketView::new(Dialect::Packet);
    let _ = again.walk(&data[..data.len() / 2]);
    assert!(again.walk(data).is_ok(), "what is well formed stays so");
    assert_eq!(again.violation(), view.violation());
    if let Ok(packet) = v1::DataPacket::decode(data) {
        agrees(&packet);
    }
}

/// Packets that nearly equal one another: each looks as it does alone.
fn one_after_the_other(data: &[u8]) {
    let cut = Cut {
        metadata_keys: &["type"],
        envelope: true,
        ..Cut::default()
    };
    let mut walker = Walker::new(Dialect::Packet, cut);
    let places = data.iter().map(|byte| usize::from(*byte) % data.len());
    for at in places.take(8) {
        let mut other = data.to_vec();
        other[at] ^= data[0];
        for packet in [data, &other] {
            let alone = PacketView::parse_in_process(packet, Dialect::Packet);
            let after = walker.walk_in_process(packet);
            assert_eq!(after, alone.as_ref().map(drop).map_err(|error| *error));
            let Ok(alone) = alone else { continue };
            assert_eq!(walker.kept(), &Kept::of(packet, &alone, &cut));
            assert_eq!(walker.view().violation(), alone.violation());
            assert_eq!(walker.view().timestamp_ms(), alone.timestamp_ms());
            let sequence = |view: &PacketView| view.envelope().map(|e| e.sequence());
            assert_eq!(sequence(walker.view()), sequence(&alone));
        }
    }
}

/// The view of what prost writes tells what prost was told. (What it reads is no oracle: it takes a
/// map entry of another wire type for one of the right type, where the contract has an unknown
/// field.)
fn agrees(packet: &v1::DataPacket) {
    let data = packet.encode_to_vec();
    let Ok(view) = PacketView::parse(&data, Dialect::Packet) else {
        return;
    };
    assert_eq!(view.frame().is_some(), packet.frame.is_some());
    assert_eq!(view.distinct_metadata(&data), packet.metadata.len());
    for (key, value) in &packet.metadata {
        let bytes = view.metadata_bytes(&data, key);
        assert_eq!(bytes, Some(value.as_bytes()), "{key}");
    }
}

/// A ProcessRequest.
pub fn process_request(data: &[u8]) {
    let sole = sole_packet(data);
    if let Some(range) = &sole {
        assert!(data.get(range.clone()).is_some(), "{range:?} is inside");
    }
    in_pieces(data);
    let Ok(process) = parse_process(data) else {
        return;
    };
    match process.packet {
        PacketBytes::Absent => assert_eq!(sole, None),
        PacketBytes::At(range) => {
            if let Some(sole) = sole {
                assert_eq!(sole, range, "both readings agree");
            }
            view_in_process(&data[range]);
        }
        PacketBytes::Merged(packet) => view_in_process(&packet),
    }
}

/// A message of which some has come: its media in pieces makes the packet that it is.
fn in_pieces(data: &[u8]) {
    let come = data
        .first()
        .map_or(0, |byte| data.len() * usize::from(*byte) / 255);
    for come in [come, data.len()] {
        let Some(parting) = Parting::find(&data[..come], data.len(), Dialect::Packet) else {
            continue;
        };
        let media = parting.media();
        let pieces = data[media.clone()]
            .chunks(3)
            .map(Bytes::copy_from_slice)
            .collect();
        let parted = parting.part(&data[..media.start], pieces, &data[media.end..]);
        let parted = parted.expect("all of it is there");
        let Ok(Process {
            packet: PacketBytes::At(at),
            ..
        }) = parse_process(data)
        else {
            panic!("it was found to be a packet");
        };
        assert_eq!(parted.joined(), data[at.clone()]);
        let whole = PacketView::parse_in_process(&data[at], Dialect::Packet);
        let view = PacketView::parse_in_process(parted.skeleton(), Dialect::Packet);
        let violation = |view: &PacketView| view.violation();
        assert_eq!(
            view.as_ref().ok().map(violation),
            whole.as_ref().ok().map(violation)
        );
    }
}

fn view_in_process(packet: &[u8]) {
    if let Ok(view) = PacketView::parse_in_process(packet, Dialect::Packet) {
        look(&view, packet);
    }
}

/// A packet of which only the envelope is the input's.
pub fn envelope(data: &[u8]) {
    // Field 14 of a packet, if the contract has it there; else an unknown field, which is as good.
    let known = v1::DataPacket {
        envelope: Some(v1::StreamEnvelope::default()),
        ..v1::DataPacket::default()
    };
    let mut packet = known.encode_to_vec();
    // Its length is the last byte: an empty message.
    packet.pop();
    prost::encoding::encode_varint(data.len() as u64, &mut packet);
    packet.extend(data);
    let Ok(view) = PacketView::parse(&packet, Dialect::Packet) else {
        return;
    };
    look(&view, &packet);
    if let (Some(view), Ok(truth)) = (view.envelope(), v1::StreamEnvelope::decode(data)) {
        assert_eq!(view.stream_id(&packet), truth.stream_id);
        assert_eq!(view.sequence(), truth.sequence);
        assert_eq!(view.partition(&packet), truth.partition);
    }
}

/// Asks for everything; what it answers with must lie within `packet`.
fn look(view: &PacketView, packet: &[u8]) {
    let _ = (view.is_sound(), view.violation(), view.timestamp_ms());
    let _ = (view.codec(packet), view.mime_type(packet));
    let _ = (view.is_heartbeat(packet), view.metadata_entries());
    assert!(view.media_len() <= packet.len());
    for (key, value) in view.metadata_pairs(packet) {
        let _ = (key.len(), value.len());
    }
    for range in view.payload_ranges().chain(view.inputs_ranges()) {
        assert!(packet.get(range.clone()).is_some(), "{range:?} is inside");
    }
    if let Some(frame) = view.frame_view() {
        assert!(packet.get(frame.media()).is_some());
        let _ = (frame.sample_rate_hz(), frame.channels(), frame.picture());
    }
    if let Some(envelope) = view.envelope() {
        let _ = (envelope.chunk_id(packet), envelope.partition(packet));
        let _ = (envelope.is_chunk(), envelope.has_more());
    }
}
