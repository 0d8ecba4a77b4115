//! A gate before every schema: it counts steps, and lets references and templates pass.
//!
//! A schema `N` is compiled as `{"if": {GATE: ...}, "else": N}`, so `N` is applied only where the
//! gate does not accept the value by itself. When the steps are used up, gates accept everything,
//! which ends the evaluation; what it said is then of no worth and is not looked at.

use std::cell::Cell;
use std::collections::HashSet;

use jsonschema::{Keyword, ValidationError};
use serde_json::{Value, json};

use crate::pointer;
use crate::survey::Survey;

/// The keyword in compiled schemas. One that its author wrote is taken out.
pub(crate) const GATE: &str = "$bubuGate";

/// A value that stands for another one, which is not known.
const REFERENCES: [&str; 3] = ["$bubuStorageRef", "$bubuConfigMapRef", "$bubuSecretRef"];

thread_local! {
    /// Steps left in the evaluation that this thread is in; none when they are used up.
    static LEFT: Cell<Option<u64>> = const { Cell::new(Some(0)) };
}

/// Evaluates with a budget; none if it did not suffice.
pub(crate) fn within<T>(steps: u64, evaluate: impl FnOnce() -> T) -> Option<T> {
    LEFT.set(Some(steps));
    let result = evaluate();
    LEFT.get().map(|_| result)
}

/// Whether `value` is a reference or a template, whole.
pub(crate) fn stands_in(value: &Value) -> bool {
    match value {
        Value::Object(map) => REFERENCES.iter().any(|key| map.contains_key(*key)),
        Value::String(text) => is_whole_template(text.trim()),
        _ => false,
    }
}

/// One action and nothing else; `}}` inside quotes ends none.
fn is_whole_template(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("{{") else {
        return false;
    };
    let mut quote = None;
    let mut escaped = false;
    let mut before = 0;
    for (at, byte) in inner.bytes().enumerate() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if byte == b'\\' && open != b'`' => escaped = true,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if b"\"'`".contains(&byte) => quote = Some(byte),
            None if byte == b'}' && before == b'}' => return at + 1 == inner.len(),
            None => {}
        }
        before = byte;
    }
    false
}

/// The gate itself.
pub(crate) struct Gate {
    exact: bool,
}

impl Gate {
    /// As the compiled schema says it: `{GATE: true}` accepts no references.
    pub(crate) fn of(value: &Value) -> Self {
        Self {
            exact: value.as_bool().unwrap_or(true),
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        let Some(left) = LEFT.get().and_then(|left| left.checked_sub(1)) else {
            LEFT.set(None);
            return true;
        };
        LEFT.set(Some(left));
        !self.exact && stands_in(value)
    }
}

impl<'i> Keyword<'i> for Gate {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.accepts(instance) {
            return Ok(());
        }
        Err(ValidationError::custom("no reference"))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.accepts(instance)
    }
}

/// The survey's document with its references, without gates: for the judgement of its author.
pub(crate) fn plain(survey: &Survey) -> Value {
    let mut document = survey.document.clone();
    for node in &survey.nodes {
        let target = node.reference.map(|to| survey.nodes[to.0].pointer.clone());
        set_reference(&mut document, &node.pointer, target);
    }
    document
}

/// The same with a gate before every schema.
pub(crate) fn gated(survey: &Survey) -> Value {
    let mut document = survey.document.clone();
    let objects = survey.nodes.iter().filter(|node| {
        let place = survey.document.pointer(&node.pointer);
        place.is_some_and(Value::is_object)
    });
    let mut objects: Vec<_> = objects.collect();
    let gates: HashSet<&str> = objects.iter().map(|node| node.pointer.as_str()).collect();
    // The innermost first: a gate moves what is below it.
    objects.sort_by_key(|node| std::cmp::Reverse(node.pointer.matches('/').count()));
    for node in objects {
        let target = node
            .reference
            .map(|to| moved(&survey.nodes[to.0].pointer, &gates));
        set_reference(&mut document, &node.pointer, target);
        if let Some(schema) = document.pointer_mut(&node.pointer) {
            let mut ungated = schema.take();
            if let Some(schema) = ungated.as_object_mut() {
                schema.remove(GATE);
            }
            *schema = json!({ "if": { GATE: node.exact }, "else": ungated });
        }
    }
    document
}

fn set_reference(document: &mut Value, at: &str, target: Option<String>) {
    let schema = document.pointer_mut(at).and_then(Value::as_object_mut);
    if let (Some(schema), Some(target)) = (schema, target) {
        schema.insert("$ref".to_owned(), pointer::fragment(&target).into());
    }
}

/// Where a pointer leads once every schema above it is behind its gate.
fn moved(target: &str, gates: &HashSet<&str>) -> String {
    let mut out = String::new();
    let mut done = 0;
    for place in pointer::ancestors(target) {
        out.push_str(target.get(done..place.len()).unwrap_or_default());
        done = place.len();
        if gates.contains(place) {
            out.push_str("/else");
        }
    }
    out.push_str(target.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_action_is_a_template() {
        for text in [
            "{{ a }}",
            " {{a}}\n",
            r#"{{ "}}" }}"#,
            "{{ `\\` }}",
            "{{}}",
            r#"{{ "\"}}" }}"#,
        ] {
            assert!(stands_in(&text.into()), "{text}");
        }
        for text in [
            "",
            "{{",
            "a {{ b }}",
            "{{ a }} {{ b }}",
            "{{ a }",
            r#"{{ "}}"#,
            "{ {a} }",
            "{{}",
        ] {
            assert!(!stands_in(&text.into()), "{text}");
        }
    }

    #[test]
    fn a_pointer_moves_by_the_gates_above_it_only() {
        let gates = HashSet::from(["", "/properties/a"]);
        assert_eq!(moved("", &gates), "");
        assert_eq!(moved("/$defs/x", &gates), "/else/$defs/x");
        assert_eq!(
            moved("/properties/a/items", &gates),
            "/else/properties/a/else/items"
        );
    }

    #[test]
    fn a_budget_that_is_used_up_is_told() {
        let gate = Gate { exact: true };
        let value = json!(1);
        assert_eq!(within(1, || gate.accepts(&value)), Some(false));
        assert_eq!(
            within(1, || gate.accepts(&value) | gate.accepts(&value)),
            None
        );
    }
}
