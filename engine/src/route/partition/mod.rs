//! The partition of a packet, by the settings `partitioning` (spec 2.3, 2.8).
//!
//! Owns the names: which value of a packet gives one, and what it looks like. Never reads a packet
//! itself; whoever asks brings the values ([`PartitionFacts`]), since where they stand (metadata,
//! Structs, an envelope in the frame) is not for this module to know.

mod key;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use transport_proto::names::metadata::PARTITION_KEYS;
use transport_proto::partition::partition_name;

pub use key::{PartitionKey, PartitionKeyError, PartitionRoot};

/// Longest value, in bytes, that `preserve` takes as it is; also what fits into
/// `envelope.partition` whatever it is made of (spec 1: 128 characters).
const MAX_PRESERVED: usize = 128;

/// What a Story asks of partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionPlan {
    /// What makes a name of a value.
    pub mode: PartitionMode,
    /// Where the value stands.
    pub key: PartitionKey,
    /// How many partitions hashed values go to; 0: as many as there are hashes.
    pub partitions: u32,
    /// A packet that has a partition keeps it.
    pub sticky: bool,
}

/// `partitioning.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionMode {
    /// Packets keep the partition that they have, or have none.
    #[default]
    None,
    /// A packet that has a partition keeps it; else the value is the name, without the space
    /// around it. One of more than 128 bytes is hashed.
    Preserve,
    /// The value is hashed.
    Hash,
}

/// A value of a packet that can give it a partition.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, as JSON and Structs have them.
    Number(f64),
    /// A boolean.
    Bool(bool),
}

/// What a packet says.
pub trait PartitionFacts {
    /// The metadata value of `key`.
    fn metadata(&self, key: &str) -> Option<&str>;

    /// The value at `path` (names of members, at least one) of payload or inputs; `None` where
    /// there is nothing, null, a list or an object.
    fn scalar(&self, root: PartitionRoot, path: &[Box<str>]) -> Option<Scalar<'_>>;
}

impl PartitionPlan {
    /// The partition that a packet gets, given the one that it has (empty: none); `None` when it
    /// keeps that. A value that is missing, blank or no finite number gives no name.
    pub fn assign<'a>(
        &self,
        present: &str,
        facts: &'a impl PartitionFacts,
    ) -> Option<Cow<'a, str>> {
        let keeps = self.sticky || self.mode == PartitionMode::Preserve;
        if self.mode == PartitionMode::None || (keeps && !present.is_empty()) {
            return None;
        }
        let value = self.key.value(facts)?;
        if self.mode == PartitionMode::Hash {
            return Some(partition_name(&value, self.partitions).into());
        }
        let name = trimmed(value);
        if name.len() > MAX_PRESERVED {
            return Some(partition_name(&name, self.partitions).into());
        }
        Some(name)
    }
}

impl PartitionKey {
    /// The value that this key has in a packet; never blank.
    fn value<'a>(&self, facts: &'a impl PartitionFacts) -> Option<Cow<'a, str>> {
        let said = |key: &str| facts.metadata(key).filter(|value| !value.trim().is_empty());
        match self {
            Self::WellKnown => PARTITION_KEYS.into_iter().find_map(said).map(Cow::Borrowed),
            Self::Metadata(key) => said(key).map(Cow::Borrowed),
            Self::Path(root, path) => {
                let value = text(facts.scalar(*root, path)?)?;
                (!value.trim().is_empty()).then_some(value)
            }
        }
    }
}

fn text(scalar: Scalar<'_>) -> Option<Cow<'_, str>> {
    match scalar {
        Scalar::Text(text) => Some(text),
        Scalar::Number(number) => number_text(number).map(Cow::Owned),
        Scalar::Bool(true) => Some("true".into()),
        Scalar::Bool(false) => Some("false".into()),
    }
}

/// Integral numbers with all their digits, others with as few as tell them apart, none with an
/// exponent.
fn number_text(number: f64) -> Option<String> {
    const I64_END: f64 = 9_223_372_036_854_775_808.0;
    if !number.is_finite() {
        return None;
    }
    if number.trunc() == number && number.abs() < I64_END {
        return Some((number as i64).to_string());
    }
    Some(number.to_string())
}

fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
        Cow::Owned(value) if value.trim().len() == value.len() => Cow::Owned(value),
        Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
    }
}
