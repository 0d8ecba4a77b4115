//! `BUBU_TRANSPORT_BINDING`: which hub, under which name.

use std::collections::BTreeMap;

use transport_proto::json::{Kind, Value};
use transport_proto::names::request::PROTOCOL_VERSION;

use super::Environment;
use super::numbers::shown;
use super::protojson::{BindingInfo, ProtoJsonError};
use crate::message::quoted;

/// The variable.
pub(crate) const VARIABLE: &str = "BUBU_TRANSPORT_BINDING";
const MAX_BYTES: usize = 1024 * 1024;
/// Where the namespace comes from when the binding names none, in order.
const NAMESPACES: [&str; 4] = [
    "BUBU_TARGET_STORY_NAMESPACE",
    "BUBU_IMPULSE_NAMESPACE",
    "BUBU_STEPRUN_NAMESPACE",
    "BUBU_POD_NAMESPACE",
];

/// Where and as what an engram connects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The binding's name, by which the hub knows run and step.
    pub name: String,
    /// Its namespace; may be empty.
    pub namespace: String,
    /// `host:port`; empty where the binding has none, which the start then refuses.
    pub endpoint: String,
    /// What made the binding; a hint.
    pub driver: String,
    /// Overrides the process's environment for what can be tuned.
    pub env: BTreeMap<String, String>,
}

/// Why the engram cannot start: a fault of whoever set the variable. A retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// Nothing there.
    #[error("{VARIABLE} not set")]
    Unset,
    /// More than 1 MiB.
    #[error("binding payload exceeds max size of {MAX_BYTES} bytes")]
    Size,
    /// No object.
    #[error("binding payload must be a JSON envelope")]
    NoEnvelope,
    /// No JSON, or a field of another type.
    #[error("unmarshal binding envelope: {0}")]
    Envelope(String),
    /// No name.
    #[error("binding envelope name is required")]
    NoName,
    /// No binding in it.
    #[error("binding envelope binding is required")]
    NoBinding,
    /// The binding is no `BindingInfo`.
    #[error(transparent)]
    Binding(#[from] ProtoJsonError),
    /// Another version of the contract, or none.
    #[error("invalid transport protocol version in binding: {0}")]
    Version(String),
    /// No address to dial.
    #[error("transport binding missing endpoint")]
    NoEndpoint,
}

impl Binding {
    /// Reads the variable.
    ///
    /// # Errors
    /// [`BindingError`] where it is not set or not readable.
    pub fn of(environment: &Environment) -> Result<Self, BindingError> {
        let text = environment.trimmed(VARIABLE).ok_or(BindingError::Unset)?;
        let mut binding = Self::parse(text)?;
        if binding.namespace.is_empty() {
            let found = NAMESPACES.iter().find_map(|name| environment.trimmed(name));
            binding.namespace = found.unwrap_or_default().to_owned();
        }
        Ok(binding)
    }

    /// Reads the value of the variable.
    ///
    /// # Errors
    /// [`BindingError`] where it is not readable.
    pub fn parse(text: &str) -> Result<Self, BindingError> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(BindingError::Size);
        }
        if !text.starts_with('{') {
            return Err(BindingError::NoEnvelope);
        }
        let envelope = Value::parse(text.as_bytes())
            .map_err(|error| BindingError::Envelope(error.to_string()))?;
        let name = outer_text(envelope, "name")?;
        let namespace = outer_text(envelope, "namespace")?;
        if name.trim().is_empty() {
            return Err(BindingError::NoName);
        }
        let info = envelope
            .member_any_case("binding")
            .ok_or(BindingError::NoBinding)?;
        let info = BindingInfo::parse(info)?;
        judge_version(info.protocol_version.trim())?;
        Ok(Self {
            name: name.trim().to_owned(),
            namespace: namespace.trim().to_owned(),
            endpoint: info.endpoint.trim().to_owned(),
            driver: info.driver,
            env: env_of(&info.payload),
        })
    }

    /// The value of request metadata `bubu.transport.binding` on Control.
    #[must_use]
    pub fn control_header(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

fn outer_text(envelope: Value<'_>, name: &str) -> Result<String, BindingError> {
    let Some(value) = envelope.member_any_case(name) else {
        return Ok(String::new());
    };
    match value.kind() {
        Kind::Null => Ok(String::new()),
        kind => value.text().ok_or_else(|| {
            let kind = kind.name();
            BindingError::Envelope(format!("json: cannot unmarshal {kind} into {name}"))
        }),
    }
}

fn judge_version(version: &str) -> Result<(), BindingError> {
    if version == PROTOCOL_VERSION {
        return Ok(());
    }
    Err(BindingError::Version(if version.is_empty() {
        "missing transport protocol version".to_owned()
    } else {
        let version = quoted(version);
        format!("unsupported transport protocol version {version} (expected {PROTOCOL_VERSION})")
    }))
}

/// The `env` object of the payload; nothing where there is none that can be read.
fn env_of(payload: &[u8]) -> BTreeMap<String, String> {
    let Ok(value) = Value::parse(payload) else {
        return BTreeMap::new();
    };
    let Some(env) = value.member_any_case("env") else {
        return BTreeMap::new();
    };
    env.members()
        .filter(|(name, _)| !name.trim().is_empty())
        .map(|(name, value)| (name.trim().to_owned(), shown(value)))
        .collect()
}
