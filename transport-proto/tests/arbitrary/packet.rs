//! Arbitrary packets, Structs and flows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as JsonValue};
use transport_proto::view::Dialect;

use super::{Part, Value, bytes_part, encode, message_part, number_part, text, text_part};
use super::{unknown, wrong_wire};

/// Whether known numbers may come with wire types that make them unknown (legal, but
/// an error in the generated types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongWires {
    Never,
    Sometimes,
}

/// Keys that meet each other often.
pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "type", "bubu-heartbeat", "storyrun-name"])
            .prop_map(str::to_owned),
        2 => "[a-z]{1,3}",
        1 => text(128),
        1 => Just(String::new()),
    ]
}

fn entry() -> impl Strategy<Value = Vec<Part>> {
    let key = || key().prop_map(|key| Part::new(1, Value::Bytes(key.into_bytes())));
    let value = || text_part(2, 1024);
    prop_oneof![
        12 => (key(), value()).prop_map(|(key, value)| vec![key, value]),
        1 => (value(), key()).prop_map(|(value, key)| vec![value, key]),
        1 => prop::collection::vec(prop_oneof![key(), value(), unknown()], 0..5),
    ]
}

fn audio(wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    let whole = (
        bytes_part(1),
        number_part(2, 192_000),
        number_part(3, 8),
        text_part(4, 32),
    )
        .prop_map(|(pcm, rate, channels, codec)| vec![pcm, rate, channels, codec]);
    let sound = (bytes_part(1), 8000..192_001_u64, 1..9_u64).prop_map(|(pcm, rate, channels)| {
        vec![
            pcm,
            Part::new(2, Value::Varint(rate)),
            Part::new(3, Value::Varint(channels)),
        ]
    });
    let any = fields(
        vec![
            bytes_part(1).boxed(),
            number_part(2, 192_000).boxed(),
            number_part(3, 8).boxed(),
            text_part(4, 32).boxed(),
            number_part(5, u64::MAX).boxed(),
        ],
        (1..=5, wrong),
    );
    prop_oneof![2 => sound, 1 => whole, 1 => any].boxed()
}

fn video(wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    fields(
        vec![
            bytes_part(1).boxed(),
            text_part(2, 32).boxed(),
            number_part(3, 16_384).boxed(),
            number_part(4, 16_384).boxed(),
            number_part(5, u64::MAX).boxed(),
            number_part(6, 1).boxed(),
        ],
        (1..=6, wrong),
    )
}

fn binary(wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    fields(
        vec![
            bytes_part(1).boxed(),
            text_part(2, 255).boxed(),
            number_part(3, u64::MAX).boxed(),
        ],
        (1..=3, wrong),
    )
}

fn envelope(wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    let chunk = (text_part(1, 128), text_part(4, 128), 0..3_u64, 0..3_u64).prop_map(
        |(stream, chunk, index, count)| {
            vec![
                stream,
                chunk,
                Part::new(5, Value::Varint(index)),
                Part::new(6, Value::Varint(count)),
            ]
        },
    );
    let any = fields(
        vec![
            text_part(1, 128).boxed(),
            number_part(2, u64::MAX).boxed(),
            text_part(3, 128).boxed(),
            text_part(4, 128).boxed(),
            number_part(5, 256).boxed(),
            number_part(6, 256).boxed(),
            number_part(7, 10_485_760).boxed(),
            number_part(8, 67_108_864).boxed(),
        ],
        (1..=8, wrong),
    );
    prop_oneof![1 => chunk, 2 => any].boxed()
}

fn transport(wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    let config = fields(
        vec![text_part(1, 253).boxed(), text_part(2, 512).boxed()],
        (1..=2, wrong),
    );
    let old_config = bytes_part(4).boxed();
    fields(
        vec![
            text_part(1, 128).boxed(),
            text_part(2, 128).boxed(),
            text_part(3, 128).boxed(),
            message_part(5, config).boxed(),
            old_config,
        ],
        (1..=3, wrong),
    )
}

/// Fields of one message in any order, now and then an unknown one.
fn fields(
    known: Vec<BoxedStrategy<Part>>,
    (numbers, wrong): (std::ops::RangeInclusive<u32>, WrongWires),
) -> BoxedStrategy<Vec<Part>> {
    let known = proptest::strategy::Union::new(known);
    let part = match wrong {
        WrongWires::Never => prop_oneof![9 => known, 1 => unknown()].boxed(),
        WrongWires::Sometimes => {
            prop_oneof![16 => known, 1 => unknown(), 1 => wrong_wire(numbers)].boxed()
        }
    };
    prop::collection::vec(part, 0..6).boxed()
}

/// A Struct of at most a few levels. No NaN, which is not equal to itself.
pub(crate) fn json_object() -> BoxedStrategy<Struct> {
    let leaf = prop_oneof![
        Just(Kind::NullValue(0)),
        any::<bool>().prop_map(Kind::BoolValue),
        (-1e9..1e9_f64).prop_map(Kind::NumberValue),
        "\\PC{0,8}".prop_map(Kind::StringValue),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        let value = || {
            inner
                .clone()
                .prop_map(|kind| JsonValue { kind: Some(kind) })
        };
        prop_oneof![
            prop::collection::vec(value(), 0..3)
                .prop_map(|values| Kind::ListValue(ListValue { values })),
            prop::collection::btree_map("[a-z]{0,2}", value(), 0..3)
                .prop_map(|fields| Kind::StructValue(Struct { fields })),
        ]
    });
    let fields = prop::collection::btree_map(
        "[a-z]{0,2}",
        value.prop_map(|kind| JsonValue { kind: Some(kind) }),
        0..3,
    );
    fields
        .prop_map(|fields: BTreeMap<_, _>| Struct { fields })
        .boxed()
}

fn json_part(number: u32) -> BoxedStrategy<Part> {
    // Two Structs in a row are one message: keys may come twice.
    let bytes = (json_object(), json_object(), any::<bool>()).prop_map(|(one, two, both)| {
        let mut bytes = one.encode_to_vec();
        if both {
            bytes.extend(two.encode_to_vec());
        }
        bytes
    });
    bytes
        .prop_map(move |bytes| Part::new(number, Value::Bytes(bytes)))
        .boxed()
}

/// A packet's fields in any order.
pub(crate) fn packet(dialect: Dialect, wrong: WrongWires) -> BoxedStrategy<Vec<Part>> {
    // metadata, payload, inputs, transports, audio, video, binary
    let [
        metadata,
        payload,
        inputs,
        transports,
        of_audio,
        of_video,
        of_binary,
    ] = match dialect {
        Dialect::Packet => [1, 2, 3, 4, 5, 6, 7],
        Dialect::Connector => [4, 5, 6, 7, 1, 2, 3],
    };
    let known = prop_oneof![
        5 => message_part(metadata, entry()),
        1 => json_part(payload),
        1 => json_part(inputs),
        1 => message_part(transports, transport(wrong)),
        2 => message_part(of_audio, audio(wrong)),
        1 => message_part(of_video, video(wrong)),
        1 => message_part(of_binary, binary(wrong)),
        2 => message_part(8, envelope(wrong)),
    ];
    let part = match wrong {
        WrongWires::Never => prop_oneof![9 => known, 1 => unknown()].boxed(),
        WrongWires::Sometimes => {
            prop_oneof![16 => known, 1 => unknown(), 1 => wrong_wire(1..=8)].boxed()
        }
    };
    prop_oneof![
        12 => prop::collection::vec(part.clone(), 0..12),
        1 => (prop::collection::vec(part, 0..3), many_pairs(metadata))
            .prop_map(|(mut parts, pairs)| { parts.extend(pairs); parts }),
    ]
    .boxed()
}

/// About as many distinct keys as a map may have, with some keys twice.
fn many_pairs(number: u32) -> impl Strategy<Value = Vec<Part>> {
    (98..103_u32, 0..4_u32).prop_map(move |(distinct, twice)| {
        (0..distinct)
            .chain(0..twice)
            .map(|i| {
                let key = Part::new(1, Value::Bytes(format!("key-{i}").into_bytes()));
                Part::new(number, Value::Message(vec![key]))
            })
            .collect()
    })
}

pub(crate) fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Packet), Just(Dialect::Connector)]
}

/// A dialect and a packet of it, encoded.
pub(crate) fn encoded_packet(wrong: WrongWires) -> impl Strategy<Value = (Dialect, Vec<u8>)> {
    dialect().prop_flat_map(move |dialect| {
        packet(dialect, wrong).prop_map(move |parts| (dialect, encode(&parts)))
    })
}

/// A `ProcessRequest`: packets and flows, split and repeated.
pub(crate) fn process() -> impl Strategy<Value = Vec<u8>> {
    let ack = fields(
        vec![text_part(1, 128).boxed(), number_part(2, u64::MAX).boxed()],
        (1..=2, WrongWires::Sometimes),
    );
    let flow = fields(
        vec![
            number_part(1, u64::MAX).boxed(),
            number_part(2, u64::MAX).boxed(),
            number_part(3, u64::MAX).boxed(),
            message_part(6, ack).boxed(),
            number_part(7, 2).boxed(),
        ],
        (1..=7, WrongWires::Sometimes),
    );
    let part = prop_oneof![
        4 => message_part(1, packet(Dialect::Packet, WrongWires::Sometimes)),
        2 => message_part(2, flow),
        1 => unknown(),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| encode(&parts))
}
