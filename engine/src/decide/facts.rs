//! What a partition is named after (spec 2.3, partitioning).

use std::borrow::Cow;

use expr::{Map, Value, structs};

use super::Question;
use super::change::Changed;
use super::document::Documents;
use crate::route::{PartitionFacts, PartitionPlan, PartitionRoot, Scalar};

/// A packet as its target gets it.
pub(super) struct Facts<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) documents: &'a Documents<'a>,
    pub(super) changed: &'a Changed<'a>,
}

impl Facts<'_> {
    /// The partition that it gets; `None` keeps the one that it has.
    pub(super) fn partition(&self, plan: &PartitionPlan) -> Option<Box<str>> {
        let envelope = self.question.view.envelope();
        let present = envelope.map_or("", |e| e.partition(self.question.packet));
        Some(plan.assign(present, self)?.into())
    }

    fn document(&self, root: PartitionRoot) -> Map<'_> {
        match root {
            PartitionRoot::Payload => match self.changed.payload {
                Some(body) => structs::decode(body),
                None => self.documents.payload.source().map(),
            },
            PartitionRoot::Inputs => match self.changed.inputs {
                Some(inputs) => structs::decode(&inputs.body),
                None => self.documents.inputs.source().map(),
            },
        }
    }
}

impl PartitionFacts for Facts<'_> {
    fn metadata(&self, key: &str) -> Option<&str> {
        self.question.view.metadata(self.question.packet, key)
    }

    fn scalar(&self, root: PartitionRoot, path: &[Box<str>]) -> Option<Scalar<'_>> {
        let mut value = Value::Map(self.document(root));
        for name in path {
            value = value.get(name)?;
        }
        match value {
            Value::Text(text) => {
                let text = String::from_utf8_lossy(text.bytes()).into_owned();
                Some(Scalar::Text(Cow::Owned(text)))
            }
            Value::Float(number) => Some(Scalar::Number(number)),
            Value::Bool(bit) => Some(Scalar::Bool(bit)),
            _ => None,
        }
    }
}
