//! What schemas say of a sample (spec 2.3).

use bytes::{Bytes, BytesMut};
use engine::DropReason;
use engine::route::DocumentSchema;
use expr::{Value, structs};
use serde_json::Value as Json;

use super::trace::{Case, Decision, Outcome};

/// A packet as its step gave it: the defaults of the step's `outputSchema` filled in.
pub(super) struct Emitted {
    pub(super) payload: Option<Bytes>,
    pub(super) decisions: Vec<Decision>,
}

impl Case<'_> {
    /// Holds what the sample's step gave, its payload over its inputs, to its `outputSchema`. A
    /// packet without either, such as one that is only a media frame, is not held to it.
    pub(super) fn emitted(&self, step: usize) -> Result<Emitted, Outcome> {
        let sample = self.sample;
        let mut emitted = Emitted {
            payload: sample.payload.clone(),
            decisions: Vec::new(),
        };
        let schema = self.story.schemas.of(step).output;
        let (Some(schema), Some(step)) = (schema, self.step(step)) else {
            return Ok(emitted);
        };
        if sample.payload.is_none() && sample.inputs.is_none() {
            return Ok(emitted);
        }
        let object = |body: &Option<Bytes>| match json_of(body.as_deref().unwrap_or_default()) {
            Json::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        let mut payload = object(&sample.payload);
        let mut whole = object(&sample.inputs);
        whole.extend(payload.clone());
        let mut judged = Json::Object(whole.clone());
        let what = format!("outputSchema of {}", step.id);
        let result = given(schema.as_ref(), &mut judged, &what)?;
        if let Json::Object(judged) = judged
            && judged != whole
        {
            payload.extend(judged.into_iter().filter(|(k, v)| whole.get(k) != Some(v)));
            let mut body = BytesMut::new();
            if structs::encode(&Value::from(&Json::Object(payload)), &mut body).is_ok() {
                emitted.payload = Some(body.freeze());
            }
        }
        emitted.decisions.push(Decision {
            what,
            expression: None,
            result,
        });
        Ok(emitted)
    }
}

/// Fills defaults in and judges: says that it fits, or what was filled in.
pub(super) fn given(
    schema: &dyn DocumentSchema,
    document: &mut Json,
    what: &str,
) -> Result<Json, Outcome> {
    match schema.apply(document) {
        Ok(false) => Ok(Json::from("fits")),
        Ok(true) => Ok(Json::from("fits, its defaults filled in")),
        Err(broken) => {
            let text = format!("{what}: {broken}");
            Err(Outcome::Dropped(DropReason::Schema, text))
        }
    }
}

/// The JSON of a Struct's contents.
pub(super) fn json_of(body: &[u8]) -> Json {
    to_json(&Value::Map(structs::decode(body)))
}

fn to_json(value: &Value<'_>) -> Json {
    let style = expr::json::Style {
        indented: false,
        html_safe: false,
    };
    let mut out = Vec::new();
    match expr::json::write(value, style, &mut out) {
        Ok(()) => serde_json::from_slice(&out).unwrap_or_default(),
        Err(fault) => Json::String(fault.to_string()),
    }
}
