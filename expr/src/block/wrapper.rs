//! `{"$bubuTemplate": "...", "$bubuTemplateVars": {...}}`: an expression with variables of its
//! own (spec 4.1).

use super::Program;
use super::node::{Node, Place, check_utf8};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{Map, Tree, Value};

/// The key of the expression, which makes an object a wrapper.
pub(super) const TEMPLATE: &[u8] = b"$bubuTemplate";
/// The key of the variables; they are evaluated over the variables around the wrapper.
pub(super) const VARIABLES: &[u8] = b"$bubuTemplateVars";

/// An expression and its variables.
#[derive(Debug)]
pub(super) struct Wrapper {
    pub(super) program: Program,
    /// What gives the variables; a name that is a root replaces that root as a whole.
    pub(super) variables: Option<Node>,
}

impl Wrapper {
    pub(super) fn evaluate<'v>(
        &'v self,
        root: &Value<'v>,
        cx: &Cx<'_>,
        place: Place,
    ) -> Result<Value<'v>, Fault> {
        let variables = match &self.variables {
            Some(node) => node.evaluate(root, cx, Place::Variable)?,
            None => Value::Nil,
        };
        match variables.as_map() {
            Some(variables) if !variables.is_empty() => {
                let value = self.program.evaluate(&over(root, variables), cx)?;
                if place == Place::Field {
                    check_texts(&value, cx)?;
                }
                Ok(value)
            }
            _ => place.checked(self.program.evaluate(root, cx)?),
        }
    }
}

/// The variables of `root`, with others over them.
fn over<'v>(root: &Value<'v>, variables: &Map<'v>) -> Value<'v> {
    let mut tree = root
        .as_map()
        .map_or_else(Tree::new, |root| root.tree().as_ref().clone());
    let more = variables.tree();
    tree.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::map(tree)
}

/// Fails where a text at any depth is no UTF-8: a bare path may have brought one in from a
/// variable. What lies in bytes of the wire was checked when it came.
fn check_texts(value: &Value<'_>, cx: &Cx<'_>) -> Result<(), Fault> {
    let mut waiting = vec![value.clone()];
    while let Some(value) = waiting.pop() {
        match &value {
            Value::Text(text) => check_utf8(text)?,
            Value::List(list) if list.weight() == 0 => {
                let values = list.values();
                cx.meter.burn(values.len() as u64)?;
                waiting.extend(values.iter().cloned());
            }
            Value::Map(map) if map.weight() == 0 => {
                let tree = map.tree();
                cx.meter.burn(tree.len() as u64)?;
                tree.keys().try_for_each(check_utf8)?;
                waiting.extend(tree.values().cloned());
            }
            _ => {}
        }
    }
    Ok(())
}
