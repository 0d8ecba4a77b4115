//! How an engram starts: names, durations, bindings, what can be tuned.

use engram::{
    Binding, Environment, Retries, StoryInfo, Tunables, format_duration, idempotency_key,
    is_plaintext, parse_duration,
};
use serde_json::{Value, json};
use transport_proto::partition::{fnv1a32, partition_name};
use transport_proto::stream_type::stream_type_name;

use super::{Answer, text};
use crate::summary::written;

pub(super) fn idempotency(input: &Value) -> Answer {
    let get = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    Answer::of(idempotency_key(&StoryInfo {
        story_name: get("storyName"),
        story_run_id: get("storyRunID"),
        step_name: get("stepName"),
        step_run_id: get("stepRunID"),
        step_run_namespace: get("stepRunNamespace"),
    }))
}

pub(super) fn duration(input: &Value) -> Result<Answer, String> {
    let nanos = parse_duration(text(input)?);
    Ok(Answer::of(nanos.map(
        |nanos| json!({"ns": nanos, "text": format_duration(nanos)}),
    )))
}

/// Variables by name; texts may be generated.
fn environment(input: &Value) -> Result<Environment, String> {
    let variables = input.as_object().ok_or("in: no object")?;
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Object(members) => written(members)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or("in: no text"),
        _ => Err("in: no text"),
    };
    let pair = |(name, value): (&String, &Value)| Ok((name.clone(), text(value)?));
    let pairs: Result<Vec<(String, String)>, &str> = variables.iter().map(pair).collect();
    Ok(pairs?.into_iter().collect())
}

pub(super) fn binding(input: &Value) -> Result<Answer, String> {
    let binding = Binding::of(&environment(input)?);
    Ok(Answer::of(binding.map(|binding| {
        let mut out = json!({
            "name": binding.name,
            "namespace": binding.namespace,
            "endpoint": binding.endpoint,
            "driver": binding.driver,
            "control_header": binding.control_header(),
        });
        if !binding.env.is_empty() {
            out["env"] = json!(binding.env);
        }
        out
    })))
}

pub(super) fn plaintext(input: &Value) -> Result<Answer, String> {
    Ok(Answer::out(is_plaintext(text(input)?)))
}

pub(super) fn security_mode(input: &Value) -> Result<Answer, String> {
    let verdict = engram::security_mode(text(input)?);
    Ok(Answer {
        out: None,
        error: verdict.err().map(|error| error.to_string()),
    })
}

pub(super) fn tunables(input: &Value) -> Answer {
    // As given by the binding's payload, over an empty environment.
    let given = serde_json::from_value(input.clone()).unwrap_or_default();
    let tunables = Tunables::of(&Environment::default().overlaid(&given));
    let retries = match tunables.retries {
        Retries::Unlimited => -1,
        Retries::AtMost(most) => i64::from(most),
    };
    Answer::out(json!({
        "backoff_base_ns": tunables.backoff_base.as_nanos() as u64,
        "backoff_max_ns": tunables.backoff_max.as_nanos() as u64,
        "channel_buffer": tunables.channel_buffer,
        "channel_send_timeout_ns": tunables.channel_send_timeout.as_nanos() as u64,
        "control_heartbeat_ns": tunables.control_heartbeat.as_nanos() as u64,
        "data_heartbeat_ns": tunables.data_heartbeat.as_nanos() as u64,
        "hang_timeout_ns": tunables.hang_timeout.as_nanos() as u64,
        "message_timeout_ns": tunables.message_timeout.as_nanos() as u64,
        "reconnect_max_retries": retries,
    }))
}

pub(super) fn partition(input: &Value) -> Result<Answer, String> {
    const NUMBERS: [u32; 11] = [0, 1, 2, 3, 7, 16, 64, 100, 1000, 65536, 2_147_483_647];
    let value = text(&input["value"])?;
    let names: serde_json::Map<String, Value> = NUMBERS
        .iter()
        .map(|number| (number.to_string(), partition_name(value, *number).into()))
        .collect();
    Ok(Answer::out(
        json!({"by_partitions": names, "fnv1a32": fnv1a32(value)}),
    ))
}

pub(super) fn stream_type(input: &Value) -> Result<Answer, String> {
    let number = input.as_i64().ok_or("in: no number")?;
    let name = i32::try_from(number).ok().and_then(stream_type_name);
    Ok(Answer::out(
        json!({"known": name.is_some(), "name": name.unwrap_or_default()}),
    ))
}
