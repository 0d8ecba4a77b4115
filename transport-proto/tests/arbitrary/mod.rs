//! Arbitrary messages as they may stand on the wire: fields in any order, repeated
//! and split, tags and lengths longer than needed, unknown fields and groups.
//!
//! Not every message is valid: limits are met, just missed and widely missed.

#![allow(dead_code, reason = "each test file uses its own part of it")]

pub(crate) mod packet;

use proptest::prelude::*;

/// One field as it stands on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) value: Value,
    /// Bytes beyond the shortest form: of the tag, of a varint or a length.
    pub(crate) padding: (usize, usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Vec<u8>),
    Message(Vec<Part>),
    Group(Vec<Part>),
}

pub(crate) fn encode(parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        part.encode(&mut out);
    }
    out
}

impl Part {
    pub(crate) fn new(number: u32, value: Value) -> Self {
        Self {
            number,
            value,
            padding: (0, 0),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let (tag_padding, padding) = self.padding;
        let tag = |wire: u64| u64::from(self.number) << 3 | wire;
        match &self.value {
            Value::Varint(value) => {
                varint(out, tag(0), tag_padding);
                varint(out, *value, padding);
            }
            Value::Fixed64(value) => {
                varint(out, tag(1), tag_padding);
                out.extend(value.to_le_bytes());
            }
            Value::Fixed32(value) => {
                varint(out, tag(5), tag_padding);
                out.extend(value.to_le_bytes());
            }
            Value::Bytes(bytes) => {
                varint(out, tag(2), tag_padding);
                varint(out, bytes.len() as u64, padding);
                out.extend(bytes);
            }
            Value::Message(parts) => {
                let bytes = encode(parts);
                Self::new(self.number, Value::Bytes(bytes))
                    .padded(self.padding)
                    .encode(out);
            }
            Value::Group(parts) => {
                varint(out, tag(3), tag_padding);
                out.extend(encode(parts));
                varint(out, tag(4), padding);
            }
        }
    }

    pub(crate) fn padded(mut self, padding: (usize, usize)) -> Self {
        self.padding = padding;
        self
    }
}

/// A varint of `padding` bytes more than it needs, ten at most.
fn varint(out: &mut Vec<u8>, mut value: u64, padding: usize) {
    let start = out.len();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    let padding = padding.min(10 - (out.len() - start));
    for _ in 0..padding {
        *out.last_mut().expect("a varint has a byte") |= 0x80;
        out.push(0);
    }
}

pub(crate) fn padding() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        8 => Just((0, 0)),
        1 => (0..4_usize, 0..4_usize),
        1 => (0..10_usize, 0..10_usize),
    ]
}

fn padded(part: impl Strategy<Value = Part>) -> impl Strategy<Value = Part> {
    (part, padding()).prop_map(|(part, padding)| part.padded(padding))
}

/// Text around a limit of `max` characters, and short ones.
pub(crate) fn text(max: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z.-]{0,12}",
        2 => "\\PC{0,10}",
        1 => (max.saturating_sub(1)..=max + 1).prop_map(|chars| "x".repeat(chars)),
        1 => (max.saturating_sub(1)..=max + 1).prop_map(|chars| "é".repeat(chars)),
    ]
}

pub(crate) fn text_part(number: u32, max: usize) -> impl Strategy<Value = Part> {
    padded(text(max).prop_map(move |text| Part::new(number, Value::Bytes(text.into_bytes()))))
}

pub(crate) fn bytes_part(number: u32) -> impl Strategy<Value = Part> {
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    padded(bytes.prop_map(move |bytes| Part::new(number, Value::Bytes(bytes))))
}

/// Numbers around a limit, small ones, and any that 64 bits can hold.
pub(crate) fn number_part(number: u32, max: u64) -> impl Strategy<Value = Part> {
    let value = prop_oneof![
        3 => 0..4_u64,
        3 => 0..=max,
        1 => Just(max),
        1 => Just(max.saturating_add(1)),
        1 => any::<u64>(),
    ];
    padded(value.prop_map(move |value| Part::new(number, Value::Varint(value))))
}

pub(crate) fn message_part(
    number: u32,
    parts: impl Strategy<Value = Vec<Part>>,
) -> impl Strategy<Value = Part> {
    padded(parts.prop_map(move |parts| Part::new(number, Value::Message(parts))))
}

/// A field of a number that no message of the contract knows.
pub(crate) fn unknown() -> BoxedStrategy<Part> {
    let number = prop_oneof![9..20_u32, Just(2047), Just(19_000), Just((1 << 29) - 1)];
    padded((number, any_value()).prop_map(|(number, value)| Part::new(number, value))).boxed()
}

/// A field of a known number with a wire type that its message does not know it by.
pub(crate) fn wrong_wire(numbers: std::ops::RangeInclusive<u32>) -> BoxedStrategy<Part> {
    let value = prop_oneof![
        any::<u64>().prop_map(Value::Fixed64),
        any::<u32>().prop_map(Value::Fixed32),
        Just(Value::Group(Vec::new())),
    ];
    padded((numbers, value).prop_map(|(number, value)| Part::new(number, value))).boxed()
}

fn any_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Value::Varint),
        any::<u64>().prop_map(Value::Fixed64),
        any::<u32>().prop_map(Value::Fixed32),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let part = (1..30_u32, inner).prop_map(|(number, value)| Part::new(number, value));
        prop::collection::vec(part, 0..3).prop_map(Value::Group)
    })
    .boxed()
}

/// Bytes that were damaged: cut, overwritten, doubled, or with bytes put in.
pub(crate) fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let step = (any::<prop::sample::Index>(), any::<u8>(), 0..6_u8);
    prop::collection::vec(step, 1..4).prop_map(move |steps| {
        let mut bytes = bytes.clone();
        for (index, byte, kind) in steps {
            let at = index.index(bytes.len() + 1);
            match (kind, bytes.get_mut(at)) {
                (0, _) => bytes.truncate(at),
                (1 | 2, Some(found)) => *found = byte,
                (3, Some(found)) => *found ^= 1 << (byte & 7),
                (4, _) => bytes.insert(at, byte),
                (_, _) => bytes.extend_from_within(at..),
            }
        }
        bytes
    })
}
