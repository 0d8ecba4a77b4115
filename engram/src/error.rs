//! Errors that engrams tell each other: structured error v1 (spec 3).

use std::fmt;

use serde_json::Value as Json;
use transport_proto::json::{Kind as JsonKind, Value, put_text};

use crate::message::{Kind, StreamMessage, quoted};

/// The version that is written and read.
const VERSION: &str = "v1";
const TYPES: [&str; 7] = [
    "timeout",
    "storage_error",
    "serialization_error",
    "validation_error",
    "initialization_error",
    "execution_error",
    "unknown",
];
const EXIT_CLASSES: [&str; 5] = ["success", "retry", "terminal", "rateLimited", "unknown"];

/// A structured error, version v1.
///
/// ```
/// use engram::StructuredError;
///
/// let error = StructuredError::new(StructuredError::TIMEOUT, "the model gave no answer")
///     .with_retryable(true);
/// let message = error.to_message();
/// assert_eq!(StructuredError::of_message(&message).unwrap(), Some(error));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructuredError {
    /// One of the types below.
    pub kind: String,
    /// For people; not empty.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: Option<bool>,
    /// Exit status of a process.
    pub exit_code: Option<i32>,
    /// success, retry, terminal, rateLimited or unknown; empty for none.
    pub exit_class: String,
    /// The engram's own code; empty for none.
    pub code: String,
    /// Anything more.
    pub details: Option<Json>,
    /// What it came from: for logs only, never sent.
    pub cause: Option<String>,
}

/// Why a structured error is none: a fault of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidError {
    /// Not JSON, or a field of another type.
    #[error("{0}")]
    Json(String),
    /// A field is missing.
    #[error("structured error {0} is required")]
    Missing(&'static str),
    /// A value that the version does not know.
    #[error("unsupported structured error {field} {}", quoted(.value))]
    Unsupported {
        /// version, type or exitClass.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// An error message without payload.
    #[error("stream error message missing payload")]
    NoPayload,
    /// An error message whose payload is no structured error.
    #[error("stream error payload invalid: {0}")]
    Payload(Box<InvalidError>),
}

impl StructuredError {
    /// Something took too long.
    pub const TIMEOUT: &'static str = "timeout";
    /// Storage failed.
    pub const STORAGE: &'static str = "storage_error";
    /// Something could not be encoded or decoded.
    pub const SERIALIZATION: &'static str = "serialization_error";
    /// Input was not as it must be.
    pub const VALIDATION: &'static str = "validation_error";
    /// The engram could not start.
    pub const INITIALIZATION: &'static str = "initialization_error";
    /// The engram failed at its work.
    pub const EXECUTION: &'static str = "execution_error";
    /// None of the others.
    pub const UNKNOWN: &'static str = "unknown";

    /// An error of a type.
    #[must_use]
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// Says whether trying again may help.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }

    /// Adds details. Values that JSON cannot say (a number that is NaN) are replaced by
    /// a note that says so.
    #[must_use]
    pub fn with_details(mut self, details: &impl serde::Serialize) -> Self {
        self.details = Some(serde_json::to_value(details).unwrap_or_else(
            |error| serde_json::json!({"unserializable": true, "marshalError": error.to_string()}),
        ));
        self
    }

    /// Judges it.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn validate(&self) -> Result<(), InvalidError> {
        judge_type(&self.kind)?;
        if self.message.trim().is_empty() {
            return Err(InvalidError::Missing("message"));
        }
        let class = self.exit_class.trim();
        if !class.is_empty() && !EXIT_CLASSES.contains(&class) {
            return Err(InvalidError::Unsupported {
                field: "exitClass",
                value: self.exit_class.clone(),
            });
        }
        Ok(())
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = b"{\"version\":\"v1\"".to_vec();
        let mut member = |name: &str, value: &[u8]| {
            out.push(b',');
            put_text(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value);
        };
        let text = |text: &str| {
            let mut out = Vec::new();
            put_text(&mut out, text);
            out
        };
        member("type", &text(&self.kind));
        member("message", &text(&self.message));
        if let Some(retryable) = self.retryable {
            member("retryable", retryable.to_string().as_bytes());
        }
        if let Some(code) = self.exit_code {
            member("exitCode", code.to_string().as_bytes());
        }
        if !self.exit_class.is_empty() {
            member("exitClass", &text(&self.exit_class));
        }
        if !self.code.is_empty() {
            member("code", &text(&self.code));
        }
        if let Some(details) = &self.details {
            member("details", details.to_string().as_bytes());
        }
        out.push(b'}');
        out
    }

    /// Reads JSON: names in any letter case, unknown ones ignored.
    ///
    /// # Errors
    /// [`InvalidError`] where it is none, or breaks a rule.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidError> {
        let value = Value::parse(json).map_err(|error| InvalidError::Json(error.to_string()))?;
        if value.kind() != JsonKind::Object {
            return Err(mismatch(value, "StructuredError"));
        }
        let mut version = String::new();
        let mut error = Self::default();
        for (name, value) in value.members() {
            if value.kind() == JsonKind::Null {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "version" => version = text(value)?,
                "type" => error.kind = text(value)?,
                "message" => error.message = text(value)?,
                "exitclass" => error.exit_class = text(value)?,
                "code" => error.code = text(value)?,
                "retryable" => error.retryable = Some(boolean(value)?),
                "exitcode" => {
                    let code = value.number().and_then(|number| number.parse().ok());
                    error.exit_code = Some(code.ok_or_else(|| mismatch(value, "int32"))?);
                }
                "details" => {
                    error.details = serde_json::from_slice(value.raw()).ok();
                }
                _ => {}
            }
        }
        if version.trim().is_empty() {
            return Err(InvalidError::Missing("version"));
        }
        if version != VERSION {
            return Err(InvalidError::Unsupported {
                field: "version",
                value: version,
            });
        }
        error.validate()?;
        Ok(error)
    }

    /// The message that tells it.
    #[must_use]
    pub fn to_message(&self) -> StreamMessage {
        StreamMessage::of_kind(Kind::ERROR).with_payload(self.to_json())
    }

    /// The error that a message tells; `None` where it is no error message.
    ///
    /// # Errors
    /// [`InvalidError`] where it is an error message and tells none.
    pub fn of_message(message: &StreamMessage) -> Result<Option<Self>, InvalidError> {
        if message.kind != Kind::ERROR {
            return Ok(None);
        }
        if message.payload.is_empty() {
            return Err(InvalidError::NoPayload);
        }
        let error = Self::from_json(&message.payload);
        error
            .map(Some)
            .map_err(|error| InvalidError::Payload(Box::new(error)))
    }
}

impl fmt::Display for StructuredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) if self.message.is_empty() => f.write_str(cause),
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for StructuredError {}

fn judge_type(kind: &str) -> Result<(), InvalidError> {
    if kind.trim().is_empty() {
        return Err(InvalidError::Missing("type"));
    }
    if TYPES.contains(&kind) {
        return Ok(());
    }
    Err(InvalidError::Unsupported {
        field: "type",
        value: kind.to_owned(),
    })
}

fn text(value: Value<'_>) -> Result<String, InvalidError> {
    value.text().ok_or_else(|| mismatch(value, "string"))
}

fn boolean(value: Value<'_>) -> Result<bool, InvalidError> {
    match value.kind() {
        JsonKind::True => Ok(true),
        JsonKind::False => Ok(false),
        _ => Err(mismatch(value, "bool")),
    }
}

fn mismatch(value: Value<'_>, wanted: &str) -> InvalidError {
    let found = value.kind().name();
    InvalidError::Json(format!("json: cannot unmarshal {found} into {wanted}"))
}
