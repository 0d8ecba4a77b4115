//! Where an expression stands, and what is wrong with one that cannot be compiled.

use crate::fault::suggestion;
use crate::functions::Set;

/// Where an expression stands: which roots it may read and which functions exist (spec 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `if` and `when`: all roots.
    If,
    /// `runtime`, evaluated for every packet: all roots.
    Runtime,
    /// `with`, evaluated once per run: `inputs` only, without the time and chance.
    With,
}

/// The language that a Story's expressions are written in (annotation `hub/expressions`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Templates, and nothing else.
    Template,
    /// Templates; a text that is none but is CEL, and whose names are all known there, is
    /// taken as CEL (spec 4.4). What a Story without the annotation gets.
    #[default]
    TemplateOrCel,
    /// CEL between the braces.
    Cel,
}

impl Mode {
    pub(crate) fn roots(self) -> &'static [&'static str] {
        match self {
            Self::If | Self::Runtime => &["inputs", "steps", "packet"],
            Self::With => &["inputs"],
        }
    }

    pub(crate) fn functions(self) -> Set {
        match self {
            Self::If | Self::Runtime => Set::All,
            Self::With => Set::Steady,
        }
    }
}

/// Why an expression is refused when a Story is loaded. Whoever wrote the Story is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}column {column}: {message}{} in {expression:?}", place(.path), suggestion(.near))]
pub struct CompileError {
    /// What kind of fault.
    pub kind: ErrorKind,
    /// Where in the block, `a.b[0]`; empty for its root.
    pub path: String,
    /// Where in the expression: bytes from 1.
    pub column: usize,
    /// The expression.
    pub expression: String,
    /// What is wrong.
    pub message: String,
    /// A name that may have been meant.
    pub near: Option<String>,
}

/// Kinds of [`CompileError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No valid text, or a function that does not exist there.
    Parse,
    /// It reads what it may not read there, or includes a template.
    Scope,
    /// A value of the wrong type where an expression is wanted.
    Type,
    /// Too long, or nested too deep.
    Limit,
}

fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}
