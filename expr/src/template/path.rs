//! Bare paths: an action that is nothing but names keeps the value that they lead to.
//!
//! Owns which actions are bare paths and how one is read: unlike a field of the language, a
//! key that is missing is a fault of its own (spec 4.1), and a path into offloaded data gives
//! a reference.

use super::offloaded::{is_reference, part_of};
use super::tree::{Command, Operand, Pipe, Term};
use crate::fault::{Fault, nearest};
use crate::limits::Meter;
use crate::value::{Map, Value};

/// Bytes of a key beyond which nobody mistyped another.
const LONGEST_TYPO: usize = 64;

/// A root and the keys below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BarePath {
    pub(crate) root: String,
    pub(crate) keys: Vec<Box<[u8]>>,
}

/// The bare path that an action is, if it is one: `packet.a.b`, `index packet "a"`,
/// `packet["a"].b`. `text` is what stands between the action's delimiters.
pub(super) fn bare(pipe: &Pipe, text: &str) -> Option<BarePath> {
    // With a trim marker an action is none.
    if text.starts_with('-') || text.ends_with('-') || !pipe.declares.is_empty() {
        return None;
    }
    let [command] = pipe.commands.as_slice() else {
        return None;
    };
    let [operand] = command.operands.as_slice() else {
        return looked_up(command);
    };
    match &operand.term {
        Term::Field(path) => BarePath::of_names(path),
        Term::Pipe(pipe) => looked_up_in(pipe),
        Term::Chain(inner, names) => match &inner.term {
            Term::Pipe(pipe) => {
                let mut path = looked_up_in(pipe)?;
                if !names.iter().all(|name| is_plain(name)) {
                    return None;
                }
                path.keys
                    .extend(names.iter().map(|name| name.as_bytes().into()));
                Some(path)
            }
            _ => None,
        },
        // A number such as `.5` is read as the name behind the dot.
        Term::Number(_) => {
            let name = text.trim().strip_prefix('.')?;
            is_plain(name).then(|| BarePath {
                root: name.to_owned(),
                keys: Vec::new(),
            })
        }
        _ => None,
    }
}

/// Whether a name may stand in a bare path: ASCII only, unlike names elsewhere. With any
/// other, an action is rendered like one that calls something.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_plain)
}

fn looked_up_in(pipe: &Pipe) -> Option<BarePath> {
    match pipe.commands.as_slice() {
        [command] if pipe.declares.is_empty() => looked_up(command),
        _ => None,
    }
}

/// The path that `index root "key"` is.
fn looked_up(command: &Command) -> Option<BarePath> {
    let [function, object, key] = command.operands.as_slice() else {
        return None;
    };
    match (&function.term, &object.term) {
        (Term::Function(function), Term::Field(path))
            if function.name == "index" && path.len() == 1 =>
        {
            let mut path = BarePath::of_names(path)?;
            path.keys.push(key_of(key)?);
            Some(path)
        }
        _ => None,
    }
}

/// The key that a literal is: a text, or one character in single quotes.
fn key_of(operand: &Operand) -> Option<Box<[u8]>> {
    match &operand.term {
        Term::Text(key) => Some(key.clone()),
        Term::Number(number) if number.is_rune => {
            let c = u32::try_from(number.int?).ok().and_then(char::from_u32)?;
            Some(c.to_string().into_bytes().into())
        }
        _ => None,
    }
}

impl BarePath {
    fn of_names(names: &[Box<str>]) -> Option<Self> {
        let (root, keys) = names.split_first()?;
        if !names.iter().all(|name| is_plain(name)) {
            return None;
        }
        Some(Self {
            root: root.to_string(),
            keys: keys.iter().map(|key| key.as_bytes().into()).collect(),
        })
    }

    /// The value that it leads to.
    ///
    /// # Errors
    /// [`Fault::MissingKey`], for `steps` [`Fault::NotReady`], where a key is not there;
    /// [`Fault::Type`] where a key is asked of anything but an object.
    pub(crate) fn evaluate<'v>(&self, root: &Value<'v>, meter: &Meter) -> Result<Value<'v>, Fault> {
        let mut value = self.field(root, self.root.as_bytes(), 0, meter)?;
        for (i, key) in self.keys.iter().enumerate() {
            if self.is_output(i)
                && let Some(map) = value.as_map()
            {
                meter.look(map.weight())?;
                if is_reference(map) {
                    return Ok(part_of(map, self.keys.get(i..).unwrap_or_default()));
                }
            }
            value = self.field(&value, key, i + 1, meter)?;
        }
        Ok(value)
    }

    /// Whether the keys before `count` lead to a step's output, or further.
    fn is_output(&self, count: usize) -> bool {
        let output = self.keys.get(1).map(Box::as_ref);
        count >= 2 && self.root == "steps" && matches!(output, Some(b"output" | b"outputs"))
    }

    /// The value of `key`, the name at `place` of the path (the root is 0).
    fn field<'v>(
        &self,
        value: &Value<'v>,
        key: &[u8],
        place: usize,
        meter: &Meter,
    ) -> Result<Value<'v>, Fault> {
        let Some(map) = value.as_map() else {
            return Err(Fault::type_error(format!(
                "cannot read key {:?} of a {} at {}",
                String::from_utf8_lossy(key),
                value.type_name(),
                self.up_to(place.saturating_sub(1)),
            )));
        };
        meter.look(map.weight())?;
        match map.get(key) {
            Some(value) => Ok(value),
            None if self.root == "steps" => Err(Fault::NotReady {
                path: self.up_to(place),
            }),
            None => Err(Fault::MissingKey {
                path: self.up_to(place),
                near: near(map, key),
            }),
        }
    }

    /// The path with its root and `count` keys.
    fn up_to(&self, count: usize) -> String {
        let mut path = self.root.clone();
        for key in self.keys.iter().take(count) {
            path.push('.');
            path.push_str(&String::from_utf8_lossy(key));
        }
        path
    }
}

/// The key of an object that may have been meant.
fn near(map: &Map<'_>, key: &[u8]) -> Option<String> {
    let key = std::str::from_utf8(key).ok()?;
    if key.len() > LONGEST_TYPO {
        return None;
    }
    let tree = map.tree();
    let names = tree
        .keys()
        .filter(|name| name.len() <= 2 * LONGEST_TYPO)
        .filter_map(|name| std::str::from_utf8(name.bytes()).ok());
    nearest(key, names).map(str::to_owned)
}
