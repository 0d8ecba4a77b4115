//! Partitions as sentences, and the vectors of the conformance suite.

use transport_proto::partition::fnv1a32;

use super::*;

/// Vectors of the conformance suite, topic `partition`: value, hash, name by number of partitions.
const VECTORS: &str = include_str!("../../../tests/vectors/partition.jsonl");

/// A packet that says what the test lists.
#[derive(Default)]
struct Packet<'a> {
    metadata: Vec<(&'a str, &'a str)>,
    payload: Vec<(&'a str, Scalar<'a>)>,
    inputs: Vec<(&'a str, Scalar<'a>)>,
}

impl PartitionFacts for Packet<'_> {
    fn metadata(&self, key: &str) -> Option<&str> {
        let mut all = self.metadata.iter();
        all.find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    fn scalar(&self, root: PartitionRoot, path: &[Box<str>]) -> Option<Scalar<'_>> {
        let path = path.join(".");
        let mut all = match root {
            PartitionRoot::Payload => self.payload.iter(),
            PartitionRoot::Inputs => self.inputs.iter(),
        };
        all.find(|(p, _)| *p == path)
            .map(|(_, value)| value.clone())
    }
}

fn said<'a>(metadata: &[(&'a str, &'a str)]) -> Packet<'a> {
    Packet {
        metadata: metadata.to_vec(),
        ..Packet::default()
    }
}

fn plan(mode: PartitionMode, key: &str) -> PartitionPlan {
    PartitionPlan {
        mode,
        key: PartitionKey::parse(key).unwrap(),
        ..PartitionPlan::default()
    }
}

fn hash(key: &str) -> PartitionPlan {
    plan(PartitionMode::Hash, key)
}

fn preserve(key: &str) -> PartitionPlan {
    plan(PartitionMode::Preserve, key)
}

/// The name that `preserve` makes of a value of the payload.
fn preserved(value: Scalar<'_>) -> Option<String> {
    let packet = Packet {
        payload: vec![("a.b", value)],
        ..Packet::default()
    };
    let name = preserve("payload.a.b").assign("", &packet);
    name.map(Cow::into_owned)
}

fn number(number: f64) -> Option<String> {
    preserved(Scalar::Number(number))
}

#[test]
fn every_vector_hashes_to_its_names() {
    let mut seen = 0;
    for line in VECTORS.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let value = case["in"]["value"].as_str().unwrap();
        let sum = case["out"]["fnv1a32"].as_u64();
        assert_eq!(Some(fnv1a32(value).into()), sum, "{value:?}");
        for (partitions, name) in case["out"]["by_partitions"].as_object().unwrap() {
            let partitions = partitions.parse().unwrap();
            let expected = name.as_str().unwrap();
            assert_eq!(partition_name(value, partitions), expected, "{value:?}");
            let plan = PartitionPlan {
                partitions,
                ..hash("v")
            };
            let packet = said(&[("v", value)]);
            let assigned = plan.assign("", &packet);
            let blank = value.is_empty();
            assert_eq!(assigned.as_deref(), (!blank).then_some(expected));
            seen += 1;
        }
    }
    assert_eq!(seen, 143);
}

#[test]
fn without_a_mode_a_packet_keeps_what_it_has() {
    let packet = said(&[("partition_key", "a")]);
    for present in ["", "mine"] {
        assert_eq!(PartitionPlan::default().assign(present, &packet), None);
    }
}

#[test]
fn preserve_takes_the_value_without_the_space_around_it() {
    let packet = said(&[("room", "\t blue room \u{a0}\n")]);
    let name = preserve("room").assign("", &packet);
    assert!(matches!(name, Some(Cow::Borrowed("blue room"))));
    let owned = |text: &str| preserved(Scalar::Text(Cow::Owned(text.into())));
    assert_eq!(owned(" a ").as_deref(), Some("a"));
    assert_eq!(owned("a").as_deref(), Some("a"));
}

#[test]
fn preserve_hashes_what_is_longer_than_128_bytes() {
    let (fits, long) = ("x".repeat(128), "é".repeat(65));
    let name = |value: &str, partitions| {
        let plan = PartitionPlan {
            partitions,
            ..preserve("v")
        };
        plan.assign("", &said(&[("v", value)])).map(Cow::into_owned)
    };
    assert_eq!(name(&fits, 0).as_deref(), Some(&*fits));
    assert_eq!(name(&format!(" {fits} "), 0).as_deref(), Some(&*fits));
    assert_eq!(name(&long, 0), Some(partition_name(&long, 0)));
    assert_eq!(name(&long, 7), Some(partition_name(&long, 7)));
    let padded = format!(" {long} ");
    assert_eq!(name(&padded, 0), Some(partition_name(&long, 0)));
}

#[test]
fn a_hash_is_of_the_value_as_it_is() {
    let packet = said(&[("v", " padded ")]);
    let name = hash("v").assign("", &packet);
    assert_eq!(name.as_deref(), Some("h5583f077"));
}

#[test]
fn preserve_and_sticky_keep_what_is_set() {
    let packet = said(&[("v", "a")]);
    let sticky = PartitionPlan {
        sticky: true,
        ..hash("v")
    };
    assert_eq!(sticky.assign("mine", &packet), None);
    assert_eq!(preserve("v").assign("mine", &packet), None);
    assert_eq!(sticky.assign("", &packet), hash("v").assign("", &packet));
    assert_eq!(preserve("v").assign("", &packet).as_deref(), Some("a"));
}

#[test]
fn a_hash_that_is_not_sticky_replaces_what_is_set() {
    let packet = said(&[("v", "session:9f3b")]);
    let name = hash("v").assign("mine", &packet);
    assert_eq!(name.as_deref(), Some("h9958e155"));
}

#[test]
fn the_well_known_keys_are_tried_in_order() {
    let all = [
        ("partition_key", "1"),
        ("partition-key", "2"),
        ("bubu.partition_key", "3"),
        ("bubu.partition", "4"),
    ];
    for first in 0..4 {
        let mut metadata = all[first..].to_vec();
        metadata.reverse();
        let packet = said(&metadata);
        let name = preserve("").assign("", &packet);
        assert_eq!(name.as_deref(), Some(all[first].1));
    }
    let packet = said(&[("partition", "5")]);
    assert_eq!(preserve("").assign("", &packet), None);
}

#[test]
fn a_blank_value_is_none() {
    let packet = said(&[("partition_key", " "), ("partition-key", "b"), ("v", "")]);
    assert_eq!(preserve("").assign("", &packet).as_deref(), Some("b"));
    for plan in [preserve("v"), hash("v"), hash("partition_key")] {
        assert_eq!(plan.assign("", &packet), None);
        assert_eq!(plan.assign("mine", &packet), None);
    }
    assert_eq!(preserved(Scalar::Text("  ".into())), None);
}

#[test]
fn a_key_that_the_packet_does_not_have_gives_no_partition() {
    let packet = said(&[("v", "a")]);
    for key in ["w", "metadata.w", "payload.v", "inputs.v", ""] {
        assert_eq!(preserve(key).assign("", &packet), None, "{key}");
        assert_eq!(hash(key).assign("", &packet), None, "{key}");
    }
}

#[test]
fn payload_and_inputs_are_told_apart() {
    let packet = Packet {
        payload: vec![("a.b", Scalar::Text("of payload".into()))],
        inputs: vec![("a.b", Scalar::Text("of inputs".into()))],
        ..Packet::default()
    };
    let name = |key| preserve(key).assign("", &packet).map(Cow::into_owned);
    assert_eq!(name("payload.a.b").as_deref(), Some("of payload"));
    assert_eq!(name("inputs.a.b").as_deref(), Some("of inputs"));
}

#[test]
fn a_metadata_key_with_dots_is_found() {
    let packet = said(&[("camera", "no"), ("camera.id", "c7")]);
    let name = preserve("metadata.camera.id").assign("", &packet);
    assert_eq!(name.as_deref(), Some("c7"));
}

#[test]
fn integral_numbers_are_integers_with_all_their_digits() {
    let shown = |value| number(value).unwrap();
    assert_eq!(shown(7.0), "7");
    assert_eq!(shown(-0.0), "0");
    assert_eq!(shown(-12.0), "-12");
    assert_eq!(shown(1e6), "1000000");
    assert_eq!(shown(2f64.powi(60)), "1152921504606846976");
    assert_eq!(shown(-2f64.powi(60)), "-1152921504606846976");
}

#[test]
fn other_numbers_have_as_few_digits_as_tell_them_apart_and_no_exponent() {
    let shown = |value| number(value).unwrap();
    assert_eq!(shown(0.1), "0.1");
    assert_eq!(shown(-1.5), "-1.5");
    assert_eq!(shown(1.0 / 3.0), "0.3333333333333333");
    assert_eq!(shown(1e-7), "0.0000001");
    assert_eq!(shown(1e21), "1000000000000000000000");
    assert_eq!(shown(-2f64.powi(63)), "-9223372036854776000");
}

#[test]
fn a_number_that_is_none_gives_no_partition() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(number(value), None);
    }
}

#[test]
fn booleans_are_words() {
    assert_eq!(preserved(Scalar::Bool(true)).as_deref(), Some("true"));
    assert_eq!(preserved(Scalar::Bool(false)).as_deref(), Some("false"));
}

#[test]
fn a_number_is_hashed_as_it_is_written() {
    let packet = Packet {
        inputs: vec![("n", Scalar::Number(4_294_967_295.0))],
        ..Packet::default()
    };
    let name = hash("inputs.n").assign("", &packet);
    assert_eq!(name.as_deref(), Some("ha6d2f922"));
}
