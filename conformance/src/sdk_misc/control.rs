//! The control channel: answers, names, handshake, ends.

use engram::{ControlDirective, Handshake, default_reply, reconnects};
use serde_json::{Value, json};
use transport_proto::v1::{ControlRequest, ControlResponse};

use super::{Answer, text};

fn directive(message: &Value) -> ControlDirective {
    let metadata = message["metadata"].clone();
    ControlDirective::of_response(&ControlResponse {
        action: message["action"].as_i64().unwrap_or_default() as i32,
        custom_action: message["custom_action"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        metadata: serde_json::from_value(metadata).unwrap_or_default(),
        ..ControlResponse::default()
    })
}

fn request_json(request: &ControlRequest) -> Value {
    let mut out = json!({"action": request.action});
    if !request.metadata.is_empty() {
        out["metadata"] = json!(request.metadata);
    }
    if !request.custom_action.is_empty() {
        out["custom_action"] = json!(request.custom_action);
    }
    out
}

pub(super) fn reply(input: &Value) -> Answer {
    let directive = directive(input);
    let mut out = json!({"type": directive.kind});
    if let Some(reply) = default_reply(&directive) {
        out["reply"] = request_json(&reply.to_request());
    }
    Answer::out(out)
}

pub(super) fn encode(input: &Value) -> Result<Answer, String> {
    let request = ControlDirective::new(text(input)?).to_request();
    Ok(Answer::out(
        json!({"action": request.action, "custom_action": request.custom_action}),
    ))
}

pub(super) fn handshake(input: &Value) -> Result<Answer, String> {
    let messages = input.as_array().ok_or("in: no list")?;
    let mut handshake = Handshake::default();
    let mut ready_after = -1;
    for (at, message) in messages.iter().enumerate() {
        match handshake.take(&directive(message)) {
            Ok(true) if ready_after < 0 => ready_after = at as i64,
            Ok(_) => {}
            Err(error) => return Ok(Answer::error(error)),
        }
    }
    Ok(Answer::out(json!({"ready_after_message": ready_after})))
}

pub(super) fn session_end(input: &Value) -> Result<Answer, String> {
    let code = input["code"].as_i64().ok_or("in: no code")?;
    let message = input["message"].as_str().unwrap_or_default();
    Ok(Answer::out(
        json!({"reconnects": reconnects(code as i32, message)}),
    ))
}
