//! Routing and queues alone: packets that are walked already go onto every edge, then all are
//! taken out, as a writer does, and receipted where that is promised. Per delivery.

mod packets;
mod rig;

use std::hint::black_box;

use benches::{MEASURED, WARM_UP};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rig::{Rig, batch};
use transport_proto::view::{Dialect, PacketView};

/// An engine that promises something to so many sinks.
type Make = fn(usize) -> Rig;

/// What is promised, and how such an engine is made.
const PROMISES: [(&str, Make); 2] = [
    ("best_effort", Rig::new),
    ("at_least_once", Rig::at_least_once),
];

fn route_and_take(criterion: &mut Criterion) {
    for ((promise, make), fan_out) in PROMISES.into_iter().flat_map(|p| [(p, 1), (p, 8)]) {
        let mut group = criterion.benchmark_group(format!("engine/{promise}/1-{fan_out}"));
        for size in packets::MEDIA_SIZES {
            let packet = packets::audio(size);
            let view = PacketView::parse_in_process(&packet, Dialect::Packet).expect("a packet");
            let count = batch(packet.len());
            group.throughput(Throughput::Elements((count * fan_out) as u64));
            let packets = Bytes::from(packet.repeat(count));
            let mut rig = make(fan_out);
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    for number in 0..count {
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

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = route_and_take
}
criterion_main!(benches);
