//! A schema read once: bounds kept, older spellings rewritten, every schema in it found, every
//! reference resolved to one of them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Problem, SchemaError};
use crate::keywords::{self, Keyword};
use crate::reference::{self, Names};
use crate::{limits, older, pointer};

/// Which schema of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(pub(crate) usize);

/// A schema inside the schema, itself included.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) pointer: String,
    /// Whether references do not stand for values here.
    pub(crate) exact: bool,
    /// What it refers to; its `$ref` is not in the document.
    pub(crate) reference: Option<Id>,
    pub(crate) children: Vec<(&'static Keyword, Id)>,
}

/// A whole schema, known.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Rewritten, and without references, anchors and ids.
    pub(crate) document: Value,
    /// The schema itself is the first.
    pub(crate) nodes: Vec<Node>,
}

impl Survey {
    /// Reads `schema`.
    pub(crate) fn of(schema: &Value) -> Result<Self, SchemaError> {
        within_bounds(schema)?;
        let mut reader = Reader {
            document: schema.clone(),
            ..Reader::default()
        };
        if let Value::Object(root) = &mut reader.document {
            reader.names.take_id(root);
        }
        reader.read(String::new(), false)?;
        reader.follow()?;
        Ok(Self {
            document: reader.document,
            nodes: reader.nodes,
        })
    }

    /// The schema `id` itself, unless it is `true` or `false`.
    pub(crate) fn object(&self, id: Id) -> Option<&Map<String, Value>> {
        let node = self.nodes.get(id.0)?;
        self.document.pointer(&node.pointer)?.as_object()
    }
}

fn within_bounds(schema: &Value) -> Result<(), SchemaError> {
    let mut bytes = 0;
    let mut rest = vec![(schema, String::new(), 1)];
    while let Some((value, at, depth)) = rest.pop() {
        if depth > limits::SCHEMA_DEPTH {
            return Err(SchemaError::new(at, Problem::TooDeep));
        }
        bytes += match value {
            Value::Object(map) => {
                let inner = map.iter().map(|(key, held)| (held, key));
                rest.extend(inner.map(|(held, key)| (held, pointer::join(&at, key), depth + 1)));
                map.keys().map(|key| key.len() + 4).sum::<usize>() + 2
            }
            Value::Array(list) => {
                let inner = list.iter().enumerate();
                rest.extend(inner.map(|(n, held)| (held, format!("{at}/{n}"), depth + 1)));
                list.len() + 2
            }
            Value::String(text) => text.len() + 2,
            _ => 4,
        };
        if bytes > limits::SCHEMA_BYTES {
            return Err(SchemaError::new("", Problem::TooLarge));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Reader {
    document: Value,
    names: Names,
    nodes: Vec<Node>,
    ids: HashMap<String, Id>,
    /// References met and not yet followed: whose, under which word, to where.
    references: Vec<(Id, &'static str, String)>,
}

impl Reader {
    /// Reads the schema at `at` and all in it. Depth is bounded by `within_bounds`.
    fn read(&mut self, at: String, exact: bool) -> Result<Id, SchemaError> {
        if let Some(id) = self.ids.get(&at) {
            return Ok(*id);
        }
        let id = Id(self.nodes.len());
        self.ids.insert(at.clone(), id);
        self.nodes.push(Node {
            pointer: at.clone(),
            exact,
            reference: None,
            children: Vec::new(),
        });
        let inner = match self.document.pointer_mut(&at) {
            Some(Value::Object(schema)) => {
                dialect(schema, &at)?;
                older::rewrite(schema);
                if matches!(schema.get("$id"), Some(Value::String(_))) {
                    return Err(SchemaError::new(at, Problem::Identified));
                }
                self.names.take_anchors(schema, &at)?;
                let reference = reference::take(schema, &at)?;
                self.references
                    .extend(reference.map(|(word, to)| (id, word, to)));
                pattern_within_bounds(schema, &at)?;
                keywords::children(schema, &at)
            }
            _ => Vec::new(),
        };
        for child in inner {
            let place = self.read(child.pointer, exact || child.keyword.exact)?;
            self.nodes[id.0].children.push((child.keyword, place));
        }
        Ok(id)
    }

    /// Follows every reference, to schemas in places of their own (`#/components/...`) too.
    fn follow(&mut self) -> Result<(), SchemaError> {
        while let Some((from, word, text)) = self.references.pop() {
            let at = pointer::join(&self.nodes[from.0].pointer, word);
            let target = self.names.target(&text).and_then(|target| {
                self.is_place_of_schema(&target, &text)?;
                Ok(target)
            });
            let target = target.map_err(|problem| SchemaError::new(at, problem))?;
            let target = self.read(target, false)?;
            self.nodes[from.0].reference = Some(target);
        }
        Ok(())
    }

    fn is_place_of_schema(&self, target: &str, text: &str) -> Result<(), Problem> {
        if self.ids.contains_key(target) {
            return Ok(());
        }
        match self.document.pointer(target) {
            None => return Err(Problem::Dangling(text.to_owned())),
            Some(Value::Object(_) | Value::Bool(_)) => {}
            Some(_) => return Err(Problem::NoSchema(text.to_owned())),
        }
        // What stands under a name that the standard knows is known to be no schema, and so is
        // what schemas were found in.
        let mut around = pointer::ancestors(target).rev();
        let known = around.find(|place| self.ids.contains_key(*place));
        let known = known.unwrap_or_default();
        let below = target.strip_prefix(known).unwrap_or_default();
        let first = pointer::tokens(below).next().unwrap_or_default();
        let inside = format!("{target}/");
        let holds_schemas = self.ids.keys().any(|place| place.starts_with(&inside));
        if keywords::is_taken(&first) || holds_schemas {
            return Err(Problem::NoSchema(text.to_owned()));
        }
        Ok(())
    }
}

/// Takes `$schema` out, if it is one whose words are read.
fn dialect(schema: &mut Map<String, Value>, at: &str) -> Result<(), SchemaError> {
    const KNOWN: [&str; 5] = [
        "json-schema.org/draft/2020-12/schema",
        "json-schema.org/draft/2019-09/schema",
        "json-schema.org/draft-07/schema",
        "json-schema.org/draft-06/schema",
        "json-schema.org/draft-04/schema",
    ];
    let Some(Value::String(named)) = schema.get("$schema") else {
        return Ok(());
    };
    let name = named.trim_end_matches('#');
    let name = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"));
    if !name.is_some_and(|name| KNOWN.contains(&name)) {
        let problem = Problem::Dialect(named.clone());
        return Err(SchemaError::new(pointer::join(at, "$schema"), problem));
    }
    schema.remove("$schema");
    Ok(())
}

fn pattern_within_bounds(schema: &Map<String, Value>, at: &str) -> Result<(), SchemaError> {
    let own = schema.get("pattern").and_then(Value::as_str);
    let keys = schema.get("patternProperties").and_then(Value::as_object);
    let keys = keys.into_iter().flat_map(|map| map.keys());
    let keys = keys.map(|key| ("patternProperties", key.as_str()));
    for (word, pattern) in own.map(|own| ("pattern", own)).into_iter().chain(keys) {
        if pattern.len() > limits::PATTERN_BYTES {
            return Err(SchemaError::new(
                pointer::join(at, word),
                Problem::LongPattern,
            ));
        }
    }
    Ok(())
}
