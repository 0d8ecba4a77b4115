//! The step's configuration: `BUBU_STEP_CONFIG`, and single keys over it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::start::Environment;

const STEP_CONFIG: &str = "BUBU_STEP_CONFIG";
const TRIGGER_DATA: &str = "BUBU_TRIGGER_DATA";
/// A single key, given as text.
const CONFIG_KEY: &str = "BUBU_CONFIG_";

/// Why configuration or input cannot be read: a fault of whoever set the variable.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {source}")]
pub struct ConfigError {
    variable: &'static str,
    source: serde_json::Error,
}

/// The configuration as a `C`.
pub(super) fn config<C: DeserializeOwned>(environment: &Environment) -> Result<C, ConfigError> {
    let error = |source| ConfigError {
        variable: STEP_CONFIG,
        source,
    };
    let mut config: Map<String, Value> = object(environment, STEP_CONFIG)?;
    for (key, value) in environment.with_prefix(CONFIG_KEY) {
        config.insert(key.to_owned(), Value::String(value.to_owned()));
    }
    // `()` is read from null, and everything else from an object.
    let value = Value::Object(config);
    serde_json::from_value(value)
        .or_else(|refused| serde_json::from_value(Value::Null).map_err(|_| refused))
        .map_err(error)
}

/// What a batch engram is given.
pub(super) fn input<I: DeserializeOwned>(environment: &Environment) -> Result<I, ConfigError> {
    let input = Value::Object(object(environment, TRIGGER_DATA)?);
    serde_json::from_value(input).map_err(|source| ConfigError {
        variable: TRIGGER_DATA,
        source,
    })
}

fn object(
    environment: &Environment,
    variable: &'static str,
) -> Result<Map<String, Value>, ConfigError> {
    match environment.trimmed(variable) {
        None => Ok(Map::new()),
        Some(text) => serde_json::from_str(text).map_err(|source| ConfigError { variable, source }),
    }
}
