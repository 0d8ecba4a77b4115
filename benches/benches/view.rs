//! One walk over a packet, beside a full decode of the same bytes.

mod packets;

use std::hint::black_box;

use benches::{MEASURED, WARM_UP};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use transport_proto::contract::DATA_PACKET;
use transport_proto::v1::DataPacket;
use transport_proto::validate::validate;
use transport_proto::view::{Dialect, PacketView};

fn view(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("view");
    for size in packets::MEDIA_SIZES {
        let packet = packets::audio(size);
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(
            BenchmarkId::new("walk", size),
            &packet,
            |bencher, packet| {
                bencher.iter(|| PacketView::parse(black_box(packet), Dialect::Packet));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("lookup", size),
            &packet,
            |bencher, packet| {
                let view = PacketView::parse(packet, Dialect::Packet).expect("a packet");
                bencher.iter(|| {
                    let packet = black_box(packet);
                    (
                        view.is_heartbeat(packet),
                        view.metadata(packet, "type").is_some(),
                    )
                });
            },
        );
        group.bench_with_input(
            BenchmarkId::new("prost", size),
            &packet,
            |bencher, packet| {
                bencher.iter(|| DataPacket::decode(&black_box(packet)[..]));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("tables", size),
            &packet,
            |bencher, packet| {
                bencher.iter(|| validate(&DATA_PACKET, black_box(packet)));
            },
        );
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    targets = view
}
criterion_main!(benches);
