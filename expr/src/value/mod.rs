//! What an expression computes with: typed as the template engine types its values.
//!
//! Owns the shapes and how they are taken apart. Never prints ([`format`](crate::format)),
//! never parses JSON ([`json`](crate::json)).
//!
//! Text is bytes: cutting by bytes may split a character, which only the end of an
//! evaluation judges. Values borrow from the packet and the program (`'v`) wherever they can.

mod equal;
mod list;
mod map;
mod text;
mod wire;

use std::sync::Arc;

pub use list::{List, ListType};
pub use map::{Fields, Map, MapType, Tree};
pub use text::Text;
pub(crate) use wire::WireStruct;

use crate::moment::Moment;
use crate::version::Version;

/// A value of an expression.
#[derive(Clone, Debug, Default)]
pub enum Value<'v> {
    /// No value at all: prints `<no value>`.
    #[default]
    Absent,
    /// A null, which has a place but no type.
    Nil,
    /// true or false.
    Bool(bool),
    /// A signed whole number and its type.
    Int(IntType, i64),
    /// An unsigned whole number and its type.
    Uint(UintType, u64),
    /// A double; every JSON number is one.
    Float(f64),
    /// A complex number: real, imaginary.
    Complex(f64, f64),
    /// Bytes, mostly UTF-8.
    Text(Text<'v>),
    /// A list.
    List(List<'v>),
    /// An object.
    Map(Map<'v>),
    /// A moment with its zone.
    Moment(Arc<Moment>),
    /// A semantic version.
    Version(Arc<Version>),
}

/// Types of signed whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntType {
    /// Literals, lengths, `int`.
    Int,
    /// Runes.
    Int32,
    /// Arithmetic.
    Int64,
    /// A month of a date, from 1.
    Month,
    /// A day of the week, from Sunday = 0.
    Weekday,
    /// Nanoseconds.
    Duration,
}

/// Types of unsigned whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UintType {
    /// One byte of a text.
    Uint8,
    /// A part of a version.
    Uint64,
}

impl<'v> Value<'v> {
    /// A text that lives as long as the evaluation.
    #[must_use]
    pub fn text(text: &'v str) -> Self {
        Self::Text(Text::Borrowed(text.as_bytes()))
    }

    /// A text of its own.
    #[must_use]
    pub fn owned(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(Text::from(text.into()))
    }

    /// An `int`.
    #[must_use]
    pub fn int(number: i64) -> Self {
        Self::Int(IntType::Int, number)
    }

    /// An `int64`.
    #[must_use]
    pub fn int64(number: i64) -> Self {
        Self::Int(IntType::Int64, number)
    }

    /// A list of any values.
    #[must_use]
    pub fn list(values: Vec<Value<'v>>) -> Self {
        Self::List(List::of(values))
    }

    /// An object of any values.
    #[must_use]
    pub fn map(tree: Tree<'v>) -> Self {
        Self::Map(Map::of(tree))
    }

    /// Whether there is nothing: no value or a null.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Absent | Self::Nil)
    }

    /// Truth as `if` of the template language sees it: not empty, not zero.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::Absent | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, value) => *value != 0,
            Self::Uint(_, value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Moment(_) | Self::Version(_) => true,
        }
    }

    /// The type's name, as `typeOf` and `%T` give it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Absent | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(kind, _) => match kind {
                IntType::Int => "int",
                IntType::Int32 => "int32",
                IntType::Int64 => "int64",
                IntType::Month => "time.Month",
                IntType::Weekday => "time.Weekday",
                IntType::Duration => "time.Duration",
            },
            Self::Uint(UintType::Uint8, _) => "uint8",
            Self::Uint(UintType::Uint64, _) => "uint64",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Text(_) => "string",
            Self::List(list) => match list.kind() {
                ListType::Any => "[]interface {}",
                ListType::Texts => "[]string",
            },
            Self::Map(map) => match map.kind() {
                MapType::Any => "map[string]interface {}",
                MapType::Texts => "map[string]string",
            },
            Self::Moment(_) => "time.Time",
            Self::Version(_) => "*semver.Version",
        }
    }

    /// The kind's name, as `kindOf` gives it.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Absent | Self::Nil => "invalid",
            Self::Int(kind, _) => match kind {
                IntType::Int | IntType::Month | IntType::Weekday => "int",
                IntType::Int32 => "int32",
                IntType::Int64 | IntType::Duration => "int64",
            },
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Moment(_) => "struct",
            Self::Version(_) => "ptr",
            other => other.type_name(),
        }
    }

    /// The bytes of a text.
    #[must_use]
    pub fn as_text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.bytes()),
            _ => None,
        }
    }

    /// The object.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'v>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A field of an object; `None` where this is none or has no such key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'v>> {
        self.as_map()?.get(key.as_bytes())
    }

    /// Levels of lists and objects that were made.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth(),
            Self::Map(map) => map.depth(),
            _ => 0,
        }
    }

    /// Bytes that one look into it walks over.
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::List(list) => list.weight(),
            Self::Map(map) => map.weight(),
            _ => 0,
        }
    }

    /// The same value, borrowing nothing. Cost: a copy of everything it borrows.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(kind, value) => Value::Int(kind, value),
            Self::Uint(kind, value) => Value::Uint(kind, value),
            Self::Float(value) => Value::Float(value),
            Self::Complex(real, imaginary) => Value::Complex(real, imaginary),
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::List(list) => Value::List(list.into_owned()),
            Self::Map(map) => Value::Map(map.into_owned()),
            Self::Moment(moment) => Value::Moment(moment),
            Self::Version(version) => Value::Version(version),
        }
    }
}

impl From<&serde_json::Value> for Value<'static> {
    fn from(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::owned(text.as_bytes()),
            Json::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Json::Object(entries) => Self::map(
                entries
                    .iter()
                    .map(|(key, value)| (Text::from(key.as_bytes().to_vec()), Self::from(value)))
                    .collect(),
            ),
        }
    }
}
