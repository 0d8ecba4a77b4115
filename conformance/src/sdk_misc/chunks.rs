//! Payloads in chunks, step by step.

use std::time::Duration;

use bytes::Bytes;
use engram::StreamEnvelope;
use engram::wire::{Assembly, Chunk, Reassembler};
use serde_json::{Value, json};

use super::Answer;
use crate::messages;
use crate::octets::{Piece, octets};

/// What comes back with a whole payload: what its first chunk said.
type First = (String, StreamEnvelope);

pub(super) fn run(input: &Value) -> Result<Answer, String> {
    let steps = input.as_array().ok_or("in: no list")?;
    let mut reassembler = Reassembler::default();
    let mut out = Vec::new();
    let mut done = 0;
    for step in steps {
        let number = step["step"].as_u64().ok_or("in: no step")?;
        for between in done..number {
            push(&mut reassembler, &left_out(steps, between)?)?;
        }
        out.push(push(&mut reassembler, step)?);
        done = number + 1;
    }
    Ok(Answer::out(out))
}

/// A step that the line leaves out: it goes on as steps 0 and 1 do.
fn left_out(steps: &[Value], number: u64) -> Result<Value, String> {
    let mut step = steps.get(1).ok_or("in: too few steps")?.clone();
    let envelope = &mut step["envelope"];
    if envelope["chunk_id"] == json!("c1") {
        envelope["chunk_id"] = json!(format!("c{number}"));
    } else {
        envelope["chunk_index"] = json!(number);
    }
    Ok(step)
}

fn push(reassembler: &mut Reassembler<First>, step: &Value) -> Result<Value, String> {
    let envelope = messages::envelope(&step["envelope"])?;
    let bytes = payload(&step["payload"])?;
    let is_binary = step["frame"] == json!("binary");
    let mime_type = step["mime_type"].as_str().unwrap_or_default().to_owned();
    let first = (mime_type, envelope.clone());
    let chunk = Chunk {
        envelope,
        payload: is_binary.then(|| bytes.clone()),
    };
    Ok(
        match reassembler.push(&chunk, first.clone(), Duration::ZERO) {
            Ok(None) => complete(&first, &bytes),
            Ok(Some(Assembly::Waits)) => json!({"waits": true}),
            Ok(Some(Assembly::Complete(first, whole))) => complete(&first, &whole),
            Err(error) => json!({"error": error.to_string()}),
        },
    )
}

fn payload(value: &Value) -> Result<Bytes, String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned().into_bytes().into());
    }
    let pieces: Vec<Piece> =
        serde_json::from_value(value["generate"].clone()).map_err(|error| error.to_string())?;
    let bytes = octets(None, Some(&pieces)).map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

/// A whole payload as the lines sum it up: chunk fields are gone.
fn complete((mime_type, envelope): &First, bytes: &[u8]) -> Value {
    let payload = if bytes.len() > 64 {
        json!({"_bytes": bytes.len(), "_crc32": format!("{:08x}", crc32fast::hash(bytes))})
    } else {
        json!(hex::encode(bytes))
    };
    let mut told = json!({"sequence": envelope.sequence, "stream_id": envelope.stream_id});
    if !envelope.partition.is_empty() {
        told["partition"] = json!(envelope.partition);
    }
    json!({"complete": {
        "binary": {"mime_type": mime_type, "payload": payload},
        "envelope": told,
    }})
}
