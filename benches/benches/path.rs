//! The whole way inside the process, without HTTP/2 and sockets: a read full of messages is cut,
//! each is walked and routed, then all are taken out as bytes for the wire. Per delivery.
//!
//! Cutting is the bench's own loop over length prefixes; the hub's deframer (which also joins
//! messages that span reads) is not public.

mod packets;
mod rig;

use std::hint::black_box;

use benches::{MEASURED, WARM_UP};
use bytes::{BufMut, Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rig::{Rig, batch};
use transport_proto::splice::put_process_head;
use transport_proto::view::{Dialect, PacketBytes, PacketView, parse_process};

/// Length of a gRPC message's prefix.
const PREFIX: usize = 5;

/// A read of `count` gRPC messages with this packet, as it comes off a connection.
fn chunk(packet: &[u8], count: usize) -> Bytes {
    let mut chunk = BytesMut::new();
    for _ in 0..count {
        put_process_head(&mut chunk, packet.len());
        chunk.put_slice(packet);
    }
    chunk.freeze()
}

/// Every message of a chunk from prefix to queue.
fn ingest(rig: &mut Rig, chunk: &Bytes) {
    let mut at = 0;
    while let Some(&[_, a, b, c, d]) = chunk[at..].first_chunk::<PREFIX>() {
        let start = at + PREFIX;
        let end = start + u32::from_be_bytes([a, b, c, d]) as usize;
        let message = parse_process(&chunk[start..end]).expect("a ProcessRequest");
        let PacketBytes::At(range) = message.packet else {
            panic!("a request of one packet");
        };
        let packet = &chunk[start..end][range.clone()];
        let view = PacketView::parse_in_process(packet, Dialect::Packet).expect("a packet");
        rig.route(chunk, start + range.start, &view, packet.len());
        at = end;
    }
}

fn path(criterion: &mut Criterion) {
    for fan_out in [1, 8] {
        let mut group = criterion.benchmark_group(format!("path/1-{fan_out}"));
        for size in packets::MEDIA_SIZES {
            let packet = packets::audio(size);
            let count = batch(packet.len());
            group.throughput(Throughput::Elements((count * fan_out) as u64));
            let chunk = chunk(&packet, count);
            let mut rig = Rig::new(fan_out);
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    ingest(&mut rig, black_box(&chunk));
                    rig.take_all()
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = path
}
criterion_main!(benches);
