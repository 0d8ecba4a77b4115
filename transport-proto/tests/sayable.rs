//! Which Structs JSON can say, told by the bytes as by the generated types.
#![allow(missing_docs, reason = "tests")]

use proptest::prelude::*;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use transport_proto::view::is_sayable;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        8 => any::<i32>().prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(f64::NEG_INFINITY),
    ];
    let leaf = prop_oneof![
        Just(Some(Kind::NullValue(0))),
        any::<bool>().prop_map(|b| Some(Kind::BoolValue(b))),
        ".{0,5}".prop_map(|text| Some(Kind::StringValue(text))),
        number.prop_map(|number| Some(Kind::NumberValue(number))),
        Just(None),
    ];
    leaf.prop_map(|kind| Value { kind })
        .prop_recursive(4, 24, 4, |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..4);
            let map = proptest::collection::btree_map("[a-c]", inner, 0..4);
            prop_oneof![
                list.prop_map(|values| Kind::ListValue(ListValue { values })),
                map.prop_map(|fields| Kind::StructValue(Struct { fields })),
            ]
            .prop_map(|kind| Value { kind: Some(kind) })
        })
}

fn says(value: &Value) -> bool {
    match &value.kind {
        None => false,
        Some(Kind::NumberValue(number)) => number.is_finite(),
        Some(Kind::ListValue(list)) => list.values.iter().all(says),
        Some(Kind::StructValue(object)) => object.fields.values().all(says),
        Some(_) => true,
    }
}

proptest! {
    #[test]
    fn what_json_can_say_is_told_from_what_it_cannot(
        fields in proptest::collection::btree_map("[a-d]", value(), 0..5),
        before in 0usize..3,
    ) {
        let object = Struct { fields };
        let mut bytes = vec![0xff; before];
        bytes.extend(object.encode_to_vec());
        let expected = object.fields.values().all(says);
        prop_assert_eq!(is_sayable(&bytes, before..bytes.len()), expected);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = is_sayable(&bytes, 0..bytes.len());
    }
}

#[test]
fn an_entry_without_a_value_says_nothing() {
    let key_only = [0x0a, 3, 0x0a, 1, b'a'];
    assert!(!is_sayable(&key_only, 0..key_only.len()));
    assert!(is_sayable(&[], 0..0));
}
