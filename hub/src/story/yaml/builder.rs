//! Parser events to nodes, with a stack of our own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::scalar::{self, Meaning, Scalar};
use super::{Data, Entry, Fault, Node, Parsed, join};

/// Deepest nesting of lists and mappings: expressions may go to 128 (spec 4.1), plus the path there.
const MAX_DEPTH: usize = 200;
/// Largest tree, aliases expanded, in nodes; text counts one more per 256 bytes.
const MAX_WEIGHT: usize = 200_000;

/// Why reading stops: line and text.
pub(super) type Stop = (u32, String);

/// Takes events in order until one of them stops it.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) parsed: Parsed,
    open: Vec<Open>,
    /// Finished anchors of this document, with the weight that an alias adds.
    anchors: HashMap<usize, (Node, usize)>,
    /// Weight of this text so far.
    weight: usize,
}

/// A list or mapping that has begun and not ended.
struct Open {
    line: u32,
    anchor: usize,
    /// Weight of everything before it.
    before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        keys: HashSet<String>,
        /// The key whose value comes next, and its line.
        key: Option<(String, u32)>,
        /// Values of `<<`.
        merged: Vec<Node>,
    },
}

/// A fault before its path is known.
struct Oddity {
    line: u32,
    /// The last part of the path, where the open mapping no longer knows it.
    key: Option<String>,
    text: String,
}

impl Content {
    fn add(&mut self, node: Node) -> Option<Oddity> {
        let (entries, keys, key, merged) = match self {
            Self::List(items) => {
                items.push(node);
                return None;
            }
            Self::Map {
                entries,
                keys,
                key,
                merged,
            } => (entries, keys, key, merged),
        };
        match key.take() {
            None => {
                let (text, oddity) = match &node.data {
                    Data::Scalar(scalar) => (scalar.text.to_string(), None),
                    Data::List(_) | Data::Map(_) => (
                        "?".to_owned(),
                        Some(Oddity {
                            line: node.line,
                            key: None,
                            text: "a key must be text, not a list or mapping".to_owned(),
                        }),
                    ),
                };
                *key = Some((text, node.line));
                oddity
            }
            Some((key, _)) if key == "<<" && !matches!(node.data, Data::Scalar(_)) => {
                merged.push(node);
                None
            }
            Some((key, line)) if keys.contains(&key) => Some(Oddity {
                line,
                text: format!("the key {key:?} stands here twice"),
                key: Some(key),
            }),
            Some((key, line)) => {
                keys.insert(key.clone());
                entries.push(Entry {
                    key,
                    line,
                    value: node,
                });
                None
            }
        }
    }
}

impl Builder {
    pub(super) fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), line);
                self.add_weight(1 + text.len() / 256, line)?;
                let data = Data::Scalar(scalar);
                self.finish(Node { line, data }, anchor, 1 + text.len() / 256)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), line);
                self.open(anchor, line, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), line);
                let content = Content::Map {
                    entries: Vec::new(),
                    keys: HashSet::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.open(anchor, line, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, line),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn add_weight(&mut self, weight: usize, line: u32) -> Result<(), Stop> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            return Err((line, "the file, with its aliases, is too large".to_owned()));
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, line: u32, content: Content) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err((line, format!("nested deeper than {MAX_DEPTH}")));
        }
        let before = self.weight;
        self.add_weight(1, line)?;
        self.open.push(Open {
            line,
            anchor,
            before,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let weight = self.weight - open.before;
        let data = match open.content {
            Content::List(items) => Data::List(Arc::new(items)),
            Content::Map {
                mut entries,
                mut keys,
                merged,
                ..
            } => {
                for entry in merged.iter().flat_map(merge_entries) {
                    if keys.insert(entry.key.clone()) {
                        entries.push(entry.clone());
                    }
                }
                Data::Map(Arc::new(entries))
            }
        };
        let line = open.line;
        self.finish(Node { line, data }, open.anchor, weight)
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(), Stop> {
        let Some((node, weight)) = self.anchors.get(&anchor).cloned() else {
            return Err((line, "an alias stands inside its own anchor".to_owned()));
        };
        self.add_weight(weight, line)?;
        self.finish(node, 0, weight)
    }

    /// A node is complete: it becomes a key, a value, an item, or a document.
    fn finish(&mut self, node: Node, anchor: usize, weight: usize) -> Result<(), Stop> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let oddity = match self.open.last_mut() {
            Some(open) => open.content.add(node),
            None => {
                if !node.is_null() {
                    self.parsed.documents.push(node);
                }
                None
            }
        };
        if let Some(Oddity { line, key, text }) = oddity {
            let mut path = self.path();
            if let Some(key) = key {
                join(&mut path, &key);
            }
            self.fault(line, path, text);
        }
        Ok(())
    }

    fn fault(&mut self, line: u32, path: String, text: String) {
        let path = if path.is_empty() {
            "(file)".to_owned()
        } else {
            path
        };
        self.parsed.faults.push(Fault { line, path, text });
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, line: u32) -> Scalar {
        let plain = (style == ScalarStyle::Plain).then(|| scalar::plain(text));
        let core = tag.map(|tag| (tag.is_yaml_core_schema(), tag.suffix.as_str()));
        let meaning = match (core, plain) {
            (Some((true, "str")), _) | (None, None) => Some(Meaning::Text),
            (None, Some(meaning)) => meaning,
            (Some((true, wanted)), _) => tagged(wanted, text),
            (Some((false, _)), _) => None,
        };
        let meaning = meaning.unwrap_or_else(|| {
            let path = self.path();
            let why = match tag {
                None => format!("{text} is no number that JSON can say; put it in quotes"),
                Some(tag) => format!("{text:?} cannot be read as {}", shown(tag)),
            };
            self.fault(line, path, why);
            Meaning::Text
        });
        Scalar {
            text: text.into(),
            meaning,
        }
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, line: u32) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let path = self.path();
            self.fault(
                line,
                path,
                format!("the tag {} means nothing here", shown(tag)),
            );
        }
    }

    /// Path of the node that is about to be added; empty for the document itself.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match &open.content {
                Content::List(items) => path.push_str(&format!("[{}]", items.len())),
                Content::Map { key: None, .. } => {}
                Content::Map {
                    key: Some((key, _)),
                    ..
                } => join(&mut path, key),
            }
        }
        path
    }
}

fn shown(tag: &Tag) -> String {
    if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    }
}

/// Entries that a value of `<<` brings in: of a mapping, or of a list of mappings.
fn merge_entries(node: &Node) -> Vec<&Entry> {
    match &node.data {
        Data::Map(entries) => entries.iter().collect(),
        Data::List(items) => items
            .iter()
            .filter_map(|item| match &item.data {
                Data::Map(entries) => Some(entries.iter()),
                _ => None,
            })
            .flatten()
            .collect(),
        Data::Scalar(_) => Vec::new(),
    }
}

/// A scalar with a tag of the core schema other than `!!str`.
fn tagged(tag: &str, text: &str) -> Option<Meaning> {
    let meaning = scalar::plain(text)?;
    match (tag, meaning) {
        ("float", Meaning::Integer(number)) => Some(Meaning::Fraction(number as f64)),
        ("int", Meaning::Integer(_))
        | ("float", Meaning::Fraction(_))
        | ("bool", Meaning::Boolean(_))
        | ("null", Meaning::Null) => Some(meaning),
        _ => None,
    }
}
