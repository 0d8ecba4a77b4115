//! Structured errors and the messages that tell them.

use engram::{Kind, StreamMessage, StructuredError};
use serde_json::{Value, json};

use super::{Answer, text};
use crate::messages;

pub(super) fn build(input: &Value) -> Result<Answer, String> {
    let words = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let mut error = StructuredError {
        kind: words("type"),
        message: words("message"),
        retryable: input["retryable"].as_bool(),
        exit_code: input["exitCode"].as_i64().map(|code| code as i32),
        exit_class: words("exitClass"),
        code: words("code"),
        details: None,
        cause: input["cause"].as_str().map(str::to_owned),
    };
    let mut not_serialisable = false;
    match &input["details"] {
        Value::Null => {}
        // The line describes a value that JSON cannot hold.
        Value::String(_) => {
            not_serialisable = true;
            error = error.with_details(&Unsayable);
        }
        details => error = error.with_details(details),
    }
    let json = String::from_utf8(error.to_json()).map_err(|error| error.to_string())?;
    let mut out = json!({"display": error.to_string(), "json": json});
    if let Err(reason) = error.validate() {
        out["validation"] = json!(reason.to_string());
    }
    if not_serialisable {
        out["json"] = json!(without_library_words(&json)?);
    }
    Ok(Answer::out(out))
}

/// A value that refuses to be serialised.
struct Unsayable;

impl serde::Serialize for Unsayable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("json: unsupported value: NaN"))
    }
}

/// What the Go SDK tells of the refused value (its Go type and length) is no word of
/// ours: it is put in where ours says that the value could not be serialised.
fn without_library_words(json: &str) -> Result<String, String> {
    let mut value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let details = &mut value["details"];
    if details["unserializable"] == json!(true) && details["marshalError"].is_string() {
        details["details"] = json!({"len": 1});
        details["type"] = json!("map");
    }
    Ok(value.to_string())
}

pub(super) fn parse(input: &Value) -> Result<Answer, String> {
    let error = StructuredError::from_json(text(input)?.as_bytes());
    Ok(Answer::of(error.map(|error| {
        String::from_utf8_lossy(&error.to_json()).into_owned()
    })))
}

pub(super) fn build_message(input: &Value) -> Result<Answer, String> {
    let json = input["error"].to_string();
    let error = StructuredError::from_json(json.as_bytes()).map_err(|error| error.to_string())?;
    let id = input["message_id"].as_str().unwrap_or_default();
    let mut message = error.to_message().with_message_id(id.trim());
    for (key, value) in input["metadata"].as_object().into_iter().flatten() {
        message = message.with_metadata(key, value.as_str().unwrap_or_default());
    }
    Ok(Answer::out(json!({
        "kind": message.kind.as_str(),
        "message_id": message.message_id,
        "metadata": message.metadata,
        "payload": String::from_utf8_lossy(&message.payload),
    })))
}

pub(super) fn parse_message(input: &Value) -> Result<Answer, String> {
    let message: StreamMessage = messages::read(input)?;
    let is_error = message.kind == Kind::ERROR;
    Ok(match StructuredError::of_message(&message) {
        Ok(Some(error)) => Answer::out(json!({
            "is_error_message": is_error,
            "error_json": String::from_utf8_lossy(&error.to_json()),
        })),
        Ok(None) => Answer::out(json!({"is_error_message": is_error})),
        Err(error) => Answer {
            out: Some(json!({"is_error_message": is_error})),
            error: Some(error.to_string()),
        },
    })
}
