//! Documents of a packet against the schemas of its steps (spec 2.3): defaults filled in, then
//! judged.

use bytes::{Bytes, BytesMut};
use expr::json::{self, Style};
use expr::{Value, structs};
use serde_json::Value as Json;

use super::document::{Document, Documents};
use super::way::inputs_of;
use crate::route::{DocumentSchema, Inputs};

/// How documents are handed to a schema.
const COMPACT: Style = Style {
    indented: false,
    html_safe: false,
};

/// Judges what a step gave: its payload over its inputs. Returns the payload with defaults filled
/// in, the contents of a Struct, where there were any to fill in. A packet without documents, such
/// as one that is only a media frame, is not judged.
pub(super) fn judge_output(
    schema: &dyn DocumentSchema,
    documents: &Documents<'_>,
) -> Result<Option<Bytes>, String> {
    if documents.payload.is_none() && documents.inputs.is_none() {
        return Ok(None);
    }
    let mut given = document(&documents.inputs)?;
    let mut payload = document(&documents.payload)?;
    if let (Json::Object(given), Json::Object(payload)) = (&mut given, &payload) {
        given.extend(payload.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    let before = given.clone();
    if !schema
        .apply(&mut given)
        .map_err(|why| format!("output: {why}"))?
    {
        return Ok(None);
    }
    if let (Json::Object(after), Json::Object(payload)) = (given, &mut payload) {
        let filled = after.into_iter().filter(|(k, v)| before.get(k) != Some(v));
        payload.extend(filled);
    }
    let mut body = BytesMut::new();
    structs::encode(&parsed(&payload), &mut body).map_err(|fault| fault.to_string())?;
    Ok(Some(body.freeze()))
}

/// Judges the inputs that a step is given: `new` ones, else the packet's own. Returns what it is
/// given then. A packet that has none and gets none is not judged.
pub(super) fn judge_input(
    schema: &dyn DocumentSchema,
    new: Option<Inputs>,
    own: &Document<'_>,
) -> Result<Option<Inputs>, String> {
    let mut given = match &new {
        Some(inputs) => serde_json::from_slice(&inputs.json).map_err(|error| error.to_string())?,
        None if own.is_none() => return Ok(None),
        None => document(own)?,
    };
    if !schema
        .apply(&mut given)
        .map_err(|why| format!("inputs: {why}"))?
    {
        return Ok(new);
    }
    let inputs = inputs_of(&parsed(&given)).map_err(|fault| fault.to_string())?;
    Ok(Some(inputs))
}

fn document(document: &Document<'_>) -> Result<Json, String> {
    if document.is_none() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    let value = Value::Map(document.source().map());
    let mut text = Vec::new();
    json::write(&value, COMPACT, &mut text).map_err(|fault| fault.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

fn parsed(document: &Json) -> Value<'static> {
    // What was written as JSON parses as JSON.
    json::parse(document.to_string().as_bytes()).unwrap_or(Value::Nil)
}
