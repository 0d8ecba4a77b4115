//! The functions of the template dialect: the language's own, the allowed ones of Sprig, and
//! ours. Each is a row: its name, the types it takes, and what it does.
//!
//! A function gets arguments of the types it asked for and converts nothing by itself.

mod arithmetic;
mod builtin;
mod case;
mod constraint;
mod dates;
mod decimal;
mod dicts;
mod documents;
mod encoding;
mod lists;
mod members;
pub(crate) mod methods;
mod numbers;
mod own;
mod paths;
mod pieces;
mod random;
mod texts;
#[cfg(test)]
mod trial;
mod types;
mod versions;
mod wrap;

use crate::fault::{Fault, nearest};
use crate::moment::Moment;
use crate::template::Cx;
use crate::value::{Map, Text, Value};

/// A type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    Any,
    Text,
    Int,
    Float,
    Bool,
    Map,
    Moment,
}

impl Param {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Map => "map[string]interface {}",
            Self::Moment => "time.Time",
        }
    }
}

/// Functions that do not evaluate all of their arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    None,
    And,
    Or,
}

pub(crate) type Run = for<'v> fn(&Cx<'_>, Args<'_, 'v>) -> Result<Value<'v>, Fault>;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    /// Type of any further arguments.
    pub(crate) rest: Option<Param>,
    pub(crate) run: Run,
    /// Of the language itself.
    pub(crate) builtin: bool,
    pub(crate) special: Special,
    /// Gives another value each time, so `with` may not use it.
    pub(crate) unsteady: bool,
}

impl Function {
    const fn of(name: &'static str, params: &'static [Param], run: Run) -> Self {
        Self {
            name,
            params,
            rest: None,
            run,
            builtin: false,
            special: Special::None,
            unsteady: false,
        }
    }

    const fn and_more(mut self, rest: Param) -> Self {
        self.rest = Some(rest);
        self
    }

    const fn built_in(mut self) -> Self {
        self.builtin = true;
        self
    }

    const fn unsteady(mut self) -> Self {
        self.unsteady = true;
        self
    }

    /// Type of the argument at `i`.
    pub(crate) fn param(&self, i: usize) -> Param {
        self.params
            .get(i)
            .copied()
            .or(self.rest)
            .unwrap_or(Param::Any)
    }
}

/// Which functions exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// All of them: `if`, `when`, `runtime`.
    All,
    /// Without the time and chance: `with`.
    Steady,
}

const TABLES: [&[Function]; 19] = [
    builtin::TABLE,
    texts::TABLE,
    pieces::TABLE,
    case::TABLE,
    wrap::TABLE,
    numbers::TABLE,
    arithmetic::TABLE,
    decimal::TABLE,
    lists::TABLE,
    members::TABLE,
    dicts::TABLE,
    types::TABLE,
    documents::TABLE,
    encoding::TABLE,
    dates::TABLE,
    paths::TABLE,
    versions::TABLE,
    own::TABLE,
    random::TABLE,
];

fn all(set: Set) -> impl Iterator<Item = &'static Function> {
    TABLES
        .into_iter()
        .flatten()
        .filter(move |function| set == Set::All || !function.unsteady)
}

/// The function of a name.
pub(crate) fn find(name: &str, set: Set) -> Option<&'static Function> {
    all(set).find(|function| function.name == name)
}

/// The function whose name is nearest to a wrong one.
pub(crate) fn near(name: &str, set: Set) -> Option<&'static str> {
    let roots = ["inputs", "packet", "steps"];
    nearest(name, all(set).map(|function| function.name).chain(roots))
}

/// The arguments of a call, of the types that the function's row asks for.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a, 'v>(pub(crate) &'a [Value<'v>]);

impl<'a, 'v> Args<'a, 'v> {
    fn len(self) -> usize {
        self.0.len()
    }

    fn get(self, i: usize) -> &'a Value<'v> {
        self.0.get(i).unwrap_or(&Value::Nil)
    }

    fn from(self, i: usize) -> &'a [Value<'v>] {
        self.0.get(i..).unwrap_or_default()
    }

    fn text(self, i: usize) -> &'a [u8] {
        self.get(i).as_text().unwrap_or_default()
    }

    fn text_value(self, i: usize) -> Text<'v> {
        match self.get(i) {
            Value::Text(text) => text.clone(),
            _ => Text::Borrowed(&[]),
        }
    }

    /// The text as a `str`, what is no UTF-8 replaced.
    fn lossy(self, i: usize) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.text(i))
    }

    fn int(self, i: usize) -> i64 {
        match self.get(i) {
            Value::Int(_, number) => *number,
            _ => 0,
        }
    }

    fn float(self, i: usize) -> f64 {
        match self.get(i) {
            Value::Float(number) => *number,
            _ => 0.0,
        }
    }

    fn bool(self, i: usize) -> bool {
        matches!(self.get(i), Value::Bool(true))
    }

    fn map(self, i: usize) -> Map<'v> {
        match self.get(i) {
            Value::Map(map) => map.clone(),
            _ => Map::unmade(),
        }
    }

    fn moment(self, i: usize) -> Moment {
        match self.get(i) {
            Value::Moment(moment) => moment.as_ref().clone(),
            _ => Moment::zero(),
        }
    }
}

/// Bytes as a new text, paid for.
pub(crate) fn made<'v>(cx: &Cx<'_>, bytes: impl Into<Vec<u8>>) -> Result<Value<'v>, Fault> {
    let bytes = bytes.into();
    cx.meter.make(bytes.len())?;
    Ok(Value::owned(bytes))
}
