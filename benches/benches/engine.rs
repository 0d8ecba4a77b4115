//! Routing and queues alone: packets that are walked already go onto every edge, then all are
//! taken out, as a body does. Per delivery.

mod packets;
mod rig;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rig::{BATCH, Rig};
use transport_proto::view::{Dialect, PacketView};

fn route_and_take(criterion: &mut Criterion) {
    for fan_out in [1, 8] {
        let mut group = criterion.benchmark_group(format!("engine/1-{fan_out}"));
        group.throughput(Throughput::Elements((BATCH * fan_out) as u64));
        for size in packets::MEDIA_SIZES {
            let packet = packets::audio(size);
            let view = PacketView::parse_in_process(&packet, Dialect::Packet).expect("a packet");
            let packets = Bytes::from(packet.repeat(BATCH));
            let mut rig = Rig::new(fan_out);
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    for number in 0..BATCH {
                        let start = number * packet.len();
                        rig.route(black_box(&packets), start, &view, packet.len());
                    }
                    rig.take_all()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, route_and_take);
criterion_main!(benches);
