//! Which keywords of a schema hold schemas, and to which values those apply.

use serde_json::{Map, Value};

use crate::pointer;

/// A keyword that holds schemas.
#[derive(Debug)]
pub(crate) struct Keyword {
    pub(crate) name: &'static str,
    holds: Holds,
    /// Whether its schemas apply to the very value that the schema around them applies to.
    pub(crate) same: bool,
    /// Whether what its schemas accept may make the whole refuse: no leniency below it.
    pub(crate) exact: bool,
}

#[derive(Debug)]
enum Holds {
    One,
    List,
    /// By name; entries that are lists (`dependencies`) hold no schemas.
    Map,
}

const fn below(name: &'static str, holds: Holds) -> Keyword {
    Keyword {
        name,
        holds,
        same: false,
        exact: false,
    }
}

const fn same(name: &'static str, holds: Holds) -> Keyword {
    Keyword {
        same: true,
        ..below(name, holds)
    }
}

const fn exact(keyword: Keyword) -> Keyword {
    Keyword {
        exact: true,
        ..keyword
    }
}

const KEYWORDS: [Keyword; 22] = [
    below("$defs", Holds::Map),
    below("definitions", Holds::Map),
    below("properties", Holds::Map),
    below("patternProperties", Holds::Map),
    below("additionalProperties", Holds::One),
    below("unevaluatedProperties", Holds::One),
    below("prefixItems", Holds::List),
    below("items", Holds::One),
    below("unevaluatedItems", Holds::One),
    below("contentSchema", Holds::One),
    exact(below("contains", Holds::One)),
    exact(below("propertyNames", Holds::One)),
    same("allOf", Holds::List),
    same("anyOf", Holds::List),
    same("oneOf", Holds::List),
    same("then", Holds::One),
    same("else", Holds::One),
    same("dependentSchemas", Holds::Map),
    same("dependencies", Holds::Map),
    exact(same("if", Holds::One)),
    exact(same("not", Holds::One)),
    // Of older drafts; left only where `items` is no list, and means nothing there.
    below("additionalItems", Holds::One),
];

/// Keywords whose content is data or limits: no schema is looked for in them.
const PLAIN: [&str; 26] = [
    "$comment",
    "$vocabulary",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "description",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "required",
    "type",
];

/// Whether the standard gives the name a meaning, so that what it holds is no place for schemas
/// other than the table's.
pub(crate) fn is_taken(name: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.name == name) || PLAIN.contains(&name)
}

/// A schema inside a schema.
pub(crate) struct Child {
    pub(crate) keyword: &'static Keyword,
    pub(crate) pointer: String,
}

/// The schemas that `schema`, which stands at `at`, holds by its keywords.
pub(crate) fn children(schema: &Map<String, Value>, at: &str) -> Vec<Child> {
    let mut out = Vec::new();
    for keyword in &KEYWORDS {
        let Some(held) = schema.get(keyword.name) else {
            continue;
        };
        let here = pointer::join(at, keyword.name);
        let mut add = |pointer| out.push(Child { keyword, pointer });
        match (&keyword.holds, held) {
            (Holds::One, _) => add(here),
            (Holds::List, Value::Array(list)) => {
                (0..list.len()).for_each(|n| add(format!("{here}/{n}")));
            }
            (Holds::Map, Value::Object(map)) => {
                let schemas = map.iter().filter(|(_, held)| !held.is_array());
                schemas.for_each(|(name, _)| add(pointer::join(&here, name)));
            }
            // Not what the standard allows: told by its meta-schema.
            _ => {}
        }
    }
    out
}
