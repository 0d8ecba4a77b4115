//! Where `default` applies, found once; and applying it.
//!
//! All schemas that apply to one value fill it together before what is inside it is looked at, so
//! that a second time adds nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::survey::{Id, Survey};
use crate::{gate, limits};

/// The defaults of a schema.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// By the schema's number in the survey.
    rules: Vec<Rules>,
}

/// What one schema, those that it refers to, and those of its `allOf` say each for themselves.
#[derive(Debug, Default)]
struct Rules {
    /// Schemas that apply to the same value, this one first; only those that lead to defaults.
    together: Vec<Id>,
    properties: BTreeMap<String, Property>,
    /// `prefixItems`
    first: Vec<Option<Id>>,
    /// `items`
    items: Option<Id>,
    /// `additionalProperties`
    others: Option<Id>,
}

#[derive(Debug)]
struct Property {
    default: Option<Value>,
    /// Its schema, if that leads to defaults.
    inner: Option<Id>,
}

/// Why defaults cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfillable {
    #[error("defaults add more than {} KiB", limits::DEFAULTS_BYTES >> 10)]
    TooMuch,
    #[error("nested deeper than {} with its defaults", limits::VALUE_DEPTH)]
    TooDeep,
}

impl Defaults {
    /// Those of the surveyed schema.
    pub(crate) fn of(survey: &Survey) -> Self {
        let leads = leading(survey);
        let rules = (0..survey.nodes.len()).map(|id| rules(survey, Id(id), &leads));
        Self {
            rules: rules.collect(),
        }
    }

    /// Applies them to `value`; whether anything was added.
    pub(crate) fn fill(&self, value: &mut Value) -> Result<bool, Unfillable> {
        let mut filling = Filling {
            defaults: self,
            bytes: 0,
        };
        let schemas = self.rules.first().map_or(&[][..], |root| &root.together);
        if !schemas.is_empty() {
            filling.fill(value, schemas, 1)?;
        }
        Ok(filling.bytes > 0)
    }
}

/// By schema: whether it, or one that it leads to, has a property with a default.
fn leading(survey: &Survey) -> Vec<bool> {
    let mut leads = vec![false; survey.nodes.len()];
    let mut led_from: Vec<Vec<usize>> = vec![Vec::new(); survey.nodes.len()];
    let mut found = Vec::new();
    for (id, node) in survey.nodes.iter().enumerate() {
        let followed = node.children.iter().filter(|(word, _)| follows(word.name));
        for next in followed.map(|(_, next)| *next).chain(node.reference) {
            led_from[next.0].push(id);
        }
        let properties = survey
            .object(Id(id))
            .and_then(|schema| schema.get("properties"));
        let properties = properties.and_then(Value::as_object);
        let mut properties = properties.into_iter().flat_map(Map::values);
        if properties.any(|property| property.get("default").is_some()) {
            found.push(id);
        }
    }
    while let Some(id) = found.pop() {
        if !std::mem::replace(&mut leads[id], true) {
            found.extend(&led_from[id]);
        }
    }
    leads
}

fn follows(keyword: &str) -> bool {
    [
        "properties",
        "items",
        "prefixItems",
        "additionalProperties",
        "allOf",
    ]
    .contains(&keyword)
}

fn rules(survey: &Survey, id: Id, leads: &[bool]) -> Rules {
    let mut rules = Rules {
        together: together(survey, id, leads),
        ..Rules::default()
    };
    let Some(schema) = survey.object(id) else {
        return rules;
    };
    let patterns = schema.contains_key("patternProperties");
    let properties = schema.get("properties").and_then(Value::as_object);
    // Children of a map stand in its order.
    let mut names = properties
        .into_iter()
        .flatten()
        .filter(|(_, held)| !held.is_array());
    for (keyword, child) in &survey.nodes[id.0].children {
        let inner = leads[child.0].then_some(*child);
        match keyword.name {
            "properties" => {
                if let Some((name, property)) = names.next() {
                    let default = property.get("default").cloned();
                    rules
                        .properties
                        .insert(name.clone(), Property { default, inner });
                }
            }
            "prefixItems" => rules.first.push(inner),
            "items" => rules.items = inner,
            "additionalProperties" if !patterns => rules.others = inner,
            _ => {}
        }
    }
    rules
}

fn together(survey: &Survey, id: Id, leads: &[bool]) -> Vec<Id> {
    let mut out = Vec::new();
    let mut rest = vec![id];
    while let Some(id) = rest.pop() {
        if !leads[id.0] || out.contains(&id) {
            continue;
        }
        out.push(id);
        let node = &survey.nodes[id.0];
        let branches = node.children.iter().rev();
        let branches = branches.filter(|(keyword, _)| keyword.name == "allOf");
        rest.extend(branches.map(|(_, branch)| *branch).chain(node.reference));
    }
    out
}

struct Filling<'a> {
    defaults: &'a Defaults,
    /// Bytes of defaults added so far.
    bytes: usize,
}

impl Filling<'_> {
    /// `schemas` all apply to `value`, which stands at `depth`.
    fn fill(&mut self, value: &mut Value, schemas: &[Id], depth: usize) -> Result<(), Unfillable> {
        if depth > limits::VALUE_DEPTH && (value.is_object() || value.is_array()) {
            return Err(Unfillable::TooDeep);
        }
        if gate::stands_in(value) {
            return Ok(());
        }
        match value {
            Value::Object(map) => {
                self.add_missing(map, schemas)?;
                for (name, held) in map {
                    let inner = self.inner(schemas, |rules| match rules.properties.get(name) {
                        Some(property) => property.inner,
                        None => rules.others,
                    });
                    if !inner.is_empty() {
                        self.fill(held, &inner, depth + 1)?;
                    }
                }
            }
            Value::Array(list) => {
                for (n, held) in list.iter_mut().enumerate() {
                    let inner = self.inner(schemas, |rules| match rules.first.get(n) {
                        Some(first) => *first,
                        None => rules.items,
                    });
                    if !inner.is_empty() {
                        self.fill(held, &inner, depth + 1)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_missing(
        &mut self,
        map: &mut Map<String, Value>,
        schemas: &[Id],
    ) -> Result<(), Unfillable> {
        let rules = schemas
            .iter()
            .filter_map(|id| self.defaults.rules.get(id.0));
        for (name, property) in rules.flat_map(|rules| &rules.properties) {
            let Some(default) = &property.default else {
                continue;
            };
            if map.contains_key(name) {
                continue;
            }
            self.bytes += name.len() + 4 + size(default);
            if self.bytes > limits::DEFAULTS_BYTES {
                return Err(Unfillable::TooMuch);
            }
            map.insert(name.clone(), default.clone());
        }
        Ok(())
    }

    /// The schemas that apply to a part of a value that `schemas` apply to.
    fn inner(&self, schemas: &[Id], part: impl Fn(&Rules) -> Option<Id>) -> Vec<Id> {
        let mut out = Vec::new();
        for id in schemas {
            let rules = self.defaults.rules.get(id.0);
            let Some(inner) = rules.and_then(&part) else {
                continue;
            };
            for id in self
                .defaults
                .rules
                .get(inner.0)
                .map_or(&[][..], |rules| &rules.together)
            {
                if !out.contains(id) {
                    out.push(*id);
                }
            }
        }
        out
    }
}

/// Bytes of a value as JSON, about. Its depth is that of a schema.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(map) => {
            map.iter()
                .map(|(key, held)| key.len() + 4 + size(held))
                .sum::<usize>()
                + 2
        }
        Value::Array(list) => list.iter().map(|held| size(held) + 1).sum::<usize>() + 2,
        Value::String(text) => text.len() + 2,
        _ => 4,
    }
}
