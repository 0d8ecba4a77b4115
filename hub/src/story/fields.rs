//! Reading the fields of a mapping: each by name, and then which of them nobody asked for.

use std::cell::RefCell;
use std::collections::HashSet;

use super::Warning;
use super::read::{View, did_you_mean};
use super::yaml::{self, Data, Node};

/// A mapping that is being read; remembers which fields were asked for.
pub(super) struct Fields<'a> {
    pub(super) view: View<'a>,
    asked: RefCell<HashSet<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The fields of a mapping; of anything else, none.
    pub(super) fn new(view: View<'a>) -> Self {
        Self {
            view,
            asked: RefCell::default(),
        }
    }

    /// The field's value, unless it is omitted or null.
    pub(super) fn get(&self, name: &'static str) -> Option<View<'a>> {
        self.given(name).filter(|view| !view.node.is_null())
    }

    /// The field's value, null included.
    pub(super) fn given(&self, name: &'static str) -> Option<View<'a>> {
        self.asked.borrow_mut().insert(name);
        self.view.node.get(name).map(|node| self.child(name, node))
    }

    fn child(&self, name: &str, node: &'a Node) -> View<'a> {
        let mut path = self.view.path.clone();
        yaml::join(&mut path, name);
        View {
            node,
            path,
            ..self.view.clone()
        }
    }

    /// The field as a mapping.
    pub(super) fn fields(&self, name: &'static str) -> Option<Fields<'a>> {
        self.get(name)?.fields()
    }

    /// The field's text, which must be there and not blank.
    pub(super) fn required_text(&self, name: &'static str) -> Option<(&'a str, View<'a>)> {
        match self.get(name) {
            Some(view) => {
                let text = view.text()?;
                if text.trim().is_empty() {
                    view.problem("must not be empty");
                    return None;
                }
                Some((text, view))
            }
            None => {
                self.missing(name);
                None
            }
        }
    }

    /// Reports that a field is missing, at the field's own path.
    pub(super) fn missing(&self, name: &'static str) {
        self.child(name, self.view.node).problem("is missing");
    }

    /// Reads a field into `slot` if it is given and right.
    pub(super) fn set<T>(
        &self,
        name: &'static str,
        slot: &mut T,
        read: impl FnOnce(&View<'a>) -> Option<T>,
    ) {
        if let Some(value) = self.get(name).as_ref().and_then(read) {
            *slot = value;
        }
    }

    /// Every field with its value, for mappings whose keys are names.
    pub(super) fn entries(&self) -> Vec<(&'a str, View<'a>)> {
        let Data::Map(entries) = &self.view.node.data else {
            return Vec::new();
        };
        entries
            .iter()
            .map(|entry| {
                let view = self.child(&entry.key, &entry.value);
                (entry.key.as_str(), view)
            })
            .collect()
    }

    /// Warns of every field that nobody asked for and that is not in `idle`, the fields that a
    /// hub has no use for.
    pub(super) fn finish(self, idle: &[&'static str]) {
        let Data::Map(entries) = &self.view.node.data else {
            return;
        };
        let asked = self.asked.borrow();
        let known = |key: &str| asked.contains(key) || idle.contains(&key);
        for entry in entries.iter().filter(|entry| !known(&entry.key)) {
            let view = self.child(&entry.key, &entry.value);
            let names = asked.iter().chain(idle).copied();
            view.report.borrow_mut().warnings.push(Warning {
                place: view.place_at(entry.line),
                text: format!("unknown field, ignored{}", did_you_mean(&entry.key, names)),
            });
        }
    }
}
