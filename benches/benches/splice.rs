//! A routed copy of a packet: routing keys and identity replaced. By splice (what is
//! kept is worked out once, and copied per target), and by decoding, editing and
//! encoding.

mod packets;

use std::hint::black_box;

use benches::{MEASURED, WARM_UP};
use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use transport_proto::names::metadata::{CURRENT_STEP_ID, STORYRUN_NAME, STORYRUN_NAMESPACE};
use transport_proto::splice::{
    Cut, Kept, envelope_len, metadata_len, process_head_len, put_envelope, put_metadata,
    put_process_head,
};
use transport_proto::v1::DataPacket;
use transport_proto::view::{Dialect, PacketView};

const ROUTING: [(&str, &str); 3] = [
    (STORYRUN_NAME, "support-call-7f3a"),
    (STORYRUN_NAMESPACE, "voice"),
    (CURRENT_STEP_ID, "summarise"),
];
const CUT: Cut<'_> = Cut {
    metadata_keys: &[STORYRUN_NAME, STORYRUN_NAMESPACE, CURRENT_STEP_ID],
    envelope: true,
    inputs: false,
    payload: false,
    frame: false,
};
const STREAM: &str = "voice/support-call-7f3a/transcribe@k3x9";
const SEQUENCE: u64 = 99_001;

fn splice(packet: &[u8], view: &PacketView, kept: &Kept, out: &mut BytesMut) {
    let tail: usize = ROUTING
        .iter()
        .map(|(key, value)| metadata_len(key, value))
        .sum();
    let len = kept.len() + tail + envelope_len(packet, view, STREAM, SEQUENCE);
    out.reserve(process_head_len(len) + len);
    put_process_head(out, len);
    kept.copy_to(packet, out);
    for (key, value) in ROUTING {
        put_metadata(out, Dialect::Packet, key, value);
    }
    put_envelope(out, Dialect::Packet, packet, view, STREAM, SEQUENCE);
}

fn reencode(packet: &[u8], out: &mut BytesMut) {
    let mut decoded = DataPacket::decode(packet).expect("a packet");
    for (key, value) in ROUTING {
        decoded.metadata.insert(key.to_owned(), value.to_owned());
    }
    let envelope = decoded.envelope.get_or_insert_default();
    STREAM.clone_into(&mut envelope.stream_id);
    envelope.sequence = SEQUENCE;
    put_process_head(out, decoded.encoded_len());
    decoded.encode(out).expect("room");
}

fn splices(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("splice");
    for size in packets::MEDIA_SIZES {
        let packet = packets::audio(size);
        let view = PacketView::parse(&packet, Dialect::Packet).expect("a packet");
        let kept = Kept::of(&packet, &view, &CUT);
        let mut out = BytesMut::with_capacity(2 * packet.len() + 1024);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("kept", size), |bencher| {
            bencher.iter(|| Kept::of(black_box(&packet), &view, &CUT));
        });
        group.bench_function(BenchmarkId::new("target", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                splice(black_box(&packet), &view, &kept, &mut out);
            });
        });
        group.bench_function(BenchmarkId::new("renumbered", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                kept.copy_renumbered(black_box(&packet), &view, Dialect::Connector, &mut out);
            });
        });
        group.bench_function(BenchmarkId::new("prost", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                reencode(black_box(&packet), &mut out);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = splices
}
criterion_main!(benches);
