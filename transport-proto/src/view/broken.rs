//! A broken rule as the walk notes it: cheap to make, text only when shown.

use crate::violation::{Rule, Violation};

/// Where a rule is broken; becomes a path only when somebody asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    field: &'static str,
    /// Index into `transports`, of which `field` is then a part.
    transport: Option<u32>,
    rule: Rule,
    key: bool,
}

impl Broken {
    #[cold]
    pub(crate) fn at(field: &'static str, rule: Rule) -> Self {
        Self {
            field,
            transport: None,
            rule,
            key: false,
        }
    }

    #[cold]
    pub(super) fn key(field: &'static str, rule: Rule) -> Self {
        Self {
            key: true,
            ..Self::at(field, rule)
        }
    }

    #[cold]
    pub(super) fn transport(index: u32, field: &'static str, rule: Rule) -> Self {
        Self {
            transport: Some(index),
            ..Self::at(field, rule)
        }
    }

    #[cold]
    pub(super) fn violation(self) -> Violation {
        let field = match self.transport {
            Some(index) => format!("transports[{index}].{}", self.field).into(),
            None => self.field.into(),
        };
        Violation {
            field,
            rule: self.rule,
            key: self.key,
        }
    }
}
