//! `$ref` and its kin: where they lead inside their schema.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Problem, SchemaError};
use crate::pointer;

const WORDS: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// The text of a schema's reference, taken out of it, with the word that it stood under.
pub(crate) fn take(
    schema: &mut Map<String, Value>,
    at: &str,
) -> Result<Option<(&'static str, String)>, SchemaError> {
    let mut found = None;
    for word in WORDS {
        let Some(Value::String(text)) = schema.get(word) else {
            continue;
        };
        if found.is_some() {
            return Err(SchemaError::new(at, Problem::TwoReferences));
        }
        found = Some((word, text.clone()));
        schema.remove(word);
    }
    Ok(found)
}

/// Names of places that references may use instead of pointers.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The schema's own `$id`, without a fragment.
    id: Option<String>,
    anchors: HashMap<String, String>,
}

impl Names {
    /// Takes `$id` (or draft 4's `id`) of the whole schema out of it.
    pub(crate) fn take_id(&mut self, schema: &mut Map<String, Value>) {
        for word in ["id", "$id"] {
            if let Some(Value::String(id)) = schema.get(word) {
                self.id = Some(id.trim_end_matches('#').to_owned());
                schema.remove(word);
            }
        }
    }

    /// Takes the anchors of the schema at `at` out of it.
    pub(crate) fn take_anchors(
        &mut self,
        schema: &mut Map<String, Value>,
        at: &str,
    ) -> Result<(), SchemaError> {
        for word in ["$anchor", "$dynamicAnchor"] {
            let Some(Value::String(name)) = schema.get(word) else {
                continue;
            };
            let name = name.clone();
            schema.remove(word);
            let before = self.anchors.insert(name.clone(), at.to_owned());
            if before.is_some_and(|before| before != at) {
                let problem = Problem::AnchoredTwice(name);
                return Err(SchemaError::new(pointer::join(at, word), problem));
            }
        }
        // A schema that is one document has only one place to recurse to.
        if matches!(schema.get("$recursiveAnchor"), Some(Value::Bool(_))) {
            schema.remove("$recursiveAnchor");
        }
        Ok(())
    }

    /// The pointer that `text` leads to, if it leads to somewhere in this schema.
    pub(crate) fn target(&self, text: &str) -> Result<String, Problem> {
        let own = self.id.as_deref().and_then(|id| text.strip_prefix(id));
        let local = own.filter(|rest| rest.is_empty() || rest.starts_with('#'));
        let Some(fragment) = local.unwrap_or(text).strip_prefix('#') else {
            return match local {
                Some(_) => Ok(String::new()),
                None => Err(Problem::Remote(text.to_owned())),
            };
        };
        let fragment = pointer::unfragment(fragment);
        let fragment = fragment.ok_or_else(|| Problem::Dangling(text.to_owned()))?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(fragment);
        }
        let anchor = self.anchors.get(&fragment).cloned();
        anchor.ok_or_else(|| Problem::Dangling(text.to_owned()))
    }
}
