//! Lines of `packets.jsonl`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use transport_proto::contract::{self, Message};

use crate::lines;
use crate::octets::{Piece, octets};
use crate::report::FileError;

/// One case: bytes of a message, and what a receiver makes of them.
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) message: &'static Message,
    pub(crate) bytes: Vec<u8>,
    pub(crate) valid: bool,
    pub(crate) error: Option<Fault>,
    pub(crate) violations: BTreeSet<Finding>,
    /// Summary of the decoded message; absent where the bytes are none.
    pub(crate) decoded: Option<Value>,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fault {
    Malformed,
    Utf8,
}

/// One broken rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) field: String,
    pub(crate) rule: String,
    #[serde(default)]
    pub(crate) key: bool,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    message: String,
    hex: Option<String>,
    generate: Option<Vec<Piece>>,
    valid: bool,
    error: Option<Fault>,
    violations: Vec<Finding>,
    decoded: Option<Value>,
}

impl Line {
    fn vector(self) -> Result<Vector, String> {
        let message = contract::message(&self.message)
            .ok_or_else(|| format!("no message is called {}", self.message))?;
        let bytes = octets(self.hex.as_deref(), self.generate.as_deref())
            .map_err(|error| error.to_string())?;
        if self.error.is_some() == self.decoded.is_some() {
            return Err("needs exactly one of error and decoded".to_owned());
        }
        Ok(Vector {
            id: self.id,
            message,
            bytes,
            valid: self.valid,
            error: self.error,
            violations: self.violations.into_iter().collect(),
            decoded: self.decoded,
        })
    }
}

/// Calls `each` with every case of a file, in order.
pub(crate) fn read(path: &Path, mut each: impl FnMut(Vector)) -> Result<(), FileError> {
    lines::read(path, |line: Line| {
        each(line.vector()?);
        Ok(())
    })
}
