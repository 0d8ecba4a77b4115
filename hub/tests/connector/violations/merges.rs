//! Limits are judged after merging (spec 1): the last value of a field or key counts, lists and maps
//! add up.

use transport_proto::v1;

use super::shapes::{Packet, Shape, on_audio, on_video};
use super::world::World;
use super::{Neighbours, SIZES, assert_told_apart};

fn parts(name: &str, keeps: Vec<Packet>, breaks: Vec<Packet>) -> Neighbours {
    Neighbours {
        name: name.to_owned(),
        keeps,
        breaks,
    }
}

fn with(mut packet: Packet, edit: impl FnOnce(&mut Packet)) -> Packet {
    edit(&mut packet);
    packet
}

/// A packet that has only the frame of `edit`.
fn only_audio(edit: impl FnOnce(&mut v1::AudioFrame)) -> Packet {
    let mut audio = v1::AudioFrame::default();
    edit(&mut audio);
    Packet {
        frame: Some(v1::data_packet::Frame::Audio(audio)),
        ..Packet::default()
    }
}

fn only_video(edit: impl FnOnce(&mut v1::VideoFrame)) -> Packet {
    let mut video = v1::VideoFrame::default();
    edit(&mut video);
    Packet {
        frame: Some(v1::data_packet::Frame::Video(video)),
        ..Packet::default()
    }
}

fn frames(size: usize) -> Vec<Neighbours> {
    let audio = || Shape::Audio.packet(size);
    let rate = |rate| with(audio(), |p| on_audio(p, |a| a.sample_rate_hz = rate));
    let bare = || with(audio(), |p| on_audio(p, |a| a.pcm.clear()));
    let binary = || Shape::Binary.packet(size);
    let raw = || Shape::Raw.packet(size);
    let narrow = || with(raw(), |p| on_video(p, |v| v.width = 0));
    vec![
        parts(
            "a rate twice",
            vec![rate(7999), rate(8000)],
            vec![rate(8000), rate(7999)],
        ),
        parts(
            "bytes that come later",
            vec![bare(), only_audio(|a| a.pcm = vec![1; size].into())],
            vec![bare(), only_audio(|a| a.channels = 2)],
        ),
        parts(
            "a codec that comes later",
            vec![audio(), only_audio(|a| a.codec = "x".into())],
            vec![audio(), only_audio(|a| a.codec = " x".into())],
        ),
        parts(
            "a codec that is mended",
            vec![
                with(audio(), |p| on_audio(p, |a| a.codec = " x".into())),
                only_audio(|a| a.codec = "x".into()),
            ],
            vec![audio(), only_audio(|a| a.timestamp_ms = u64::MAX)],
        ),
        parts(
            "a size that comes later",
            vec![narrow(), only_video(|v| v.width = 1)],
            vec![narrow(), only_video(|v| v.height = 1)],
        ),
        parts(
            "one frame and another",
            vec![bare(), binary()],
            vec![binary(), bare()],
        ),
        parts(
            "audio for video",
            vec![narrow(), audio()],
            vec![audio(), narrow()],
        ),
    ]
}

fn maps_and_lists(size: usize) -> Vec<Neighbours> {
    let pairs = |from: usize, to: usize| {
        let mut packet = Packet::default();
        for nth in from..to {
            packet.metadata.insert(format!("k{nth}"), "v".into());
        }
        packet
    };
    let transports = |many| Packet {
        transports: vec![v1::TransportDescriptor::default(); many],
        ..Packet::default()
    };
    let kind = |kind: &str| {
        let mut packet = Packet::default();
        let key = "bubu.envelope.kind".to_owned();
        packet.metadata.insert(key, kind.to_owned());
        packet
    };
    let binary = || Shape::Binary.packet(size);
    vec![
        parts(
            "pairs that add up",
            vec![binary(), pairs(0, 50), pairs(50, 96)],
            vec![binary(), pairs(0, 50), pairs(50, 97)],
        ),
        parts(
            "pairs that are the same",
            vec![binary(), pairs(0, 96), pairs(0, 96)],
            vec![binary(), pairs(0, 96), pairs(1, 97)],
        ),
        parts(
            "transports that add up",
            vec![binary(), transports(5), transports(5)],
            vec![binary(), transports(5), transports(6)],
        ),
        parts(
            "a kind that is mended",
            vec![binary(), kind("a b"), kind("data")],
            vec![binary(), kind("data"), kind("a b")],
        ),
        parts(
            "a kind that comes last",
            vec![kind("data"), binary()],
            vec![kind("error"), binary()],
        ),
    ]
}

#[tokio::test]
async fn what_a_packet_says_twice_is_judged_as_its_receiver_reads_it() {
    let mut world = World::start().await;
    for size in SIZES {
        assert_told_apart(&mut world, &frames(size)).await;
        assert_told_apart(&mut world, &maps_and_lists(size)).await;
    }
}
