//! `envelopes.jsonl`: messages of engrams to the wire, and packets to engrams.

use std::path::Path;

use bytes::Bytes;
use engram::wire::{Arrival, Drop, Identity, Receipt, decode, encode};
use serde::Deserialize;
use serde_json::Value;
use transport_proto::contract;
use transport_proto::merged::Merged;
use transport_proto::names::mime::PACKET_JSON;
use transport_proto::view::{Dialect, PacketView};

use crate::octets::{Piece, octets};
use crate::report::{FileError, Report};
use crate::{errors, lines, messages, summary};

#[derive(Deserialize)]
struct Line {
    id: String,
    op: Op,
    ok: bool,
    error: Option<String>,
    // encode
    message: Option<Value>,
    data_request: Option<Value>,
    encoded_bytes: Option<usize>,
    envelope_text: Option<Value>,
    // decode
    hex: Option<String>,
    generate: Option<Vec<Piece>>,
    result: Option<Value>,
    drop: Option<String>,
    dedupe_key: Option<String>,
    receipt: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Encode,
    Decode,
}

/// Tries every case of the files.
///
/// # Errors
/// [`FileError`] where a file or one of its lines cannot be read.
pub fn check(paths: &[impl AsRef<Path>]) -> Result<Report, FileError> {
    let mut report = Report::default();
    for path in paths {
        lines::read(path.as_ref(), |line: Line| {
            if line.ok == line.error.is_some() {
                return Err("needs an error exactly where it is not ok".to_owned());
            }
            let mut differences = Vec::new();
            match line.op {
                Op::Encode => line.encode(&mut differences)?,
                Op::Decode => line.decode(&mut differences)?,
            }
            report.add(line.id, differences);
            Ok(())
        })?;
    }
    Ok(report)
}

impl Line {
    fn encode(&self, differences: &mut Vec<String>) -> Result<(), String> {
        let message = messages::read(self.message.as_ref().ok_or("needs a message")?)?;
        let outcome = encode(&message, Dialect::Connector);
        let error = outcome.as_ref().err().map(ToString::to_string);
        errors::compare("error", self.error.as_deref(), error, differences);
        let Ok(bytes) = outcome else { return Ok(()) };
        let Some(request) = &self.data_request else {
            return Ok(());
        };
        let merged = Merged::decode(&contract::DATA_REQUEST, &bytes)
            .map_err(|error| format!("our own bytes: {error}"))?;
        summary::compare(request, &merged, differences);
        if self.encoded_bytes != Some(bytes.len()) {
            let expected = self.encoded_bytes;
            differences.push(format!("{} bytes, expected {expected:?}", bytes.len()));
        }
        let text = envelope_text(&bytes);
        let same = match (&self.envelope_text, &text) {
            (None, None) => true,
            (Some(expected), Some(text)) => messages::is_json_text(expected, text),
            _ => false,
        };
        if !same {
            let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
            differences.push(format!("envelope {text:?}"));
        }
        Ok(())
    }

    fn decode(&self, differences: &mut Vec<String>) -> Result<(), String> {
        let bytes = octets(self.hex.as_deref(), self.generate.as_deref())
            .map_err(|error| error.to_string())?;
        let outcome = decode(&Bytes::from(bytes), Dialect::Connector);
        let error = outcome.as_ref().err().map(ToString::to_string);
        errors::compare("error", self.error.as_deref(), error, differences);
        if let Ok(arrival) = outcome {
            self.compare_arrival(&arrival, differences);
        }
        Ok(())
    }

    fn compare_arrival(&self, arrival: &Arrival, differences: &mut Vec<String>) {
        if let Some(result) = &self.result {
            messages::compare(result, &arrival.message, differences);
        }
        let mut check = |what: &str, expected: Option<String>, actual: Option<String>| {
            if expected != actual {
                differences.push(format!("{what}: {actual:?}, expected {expected:?}"));
            }
        };
        let drop = arrival.drop.map(drop_name).map(str::to_owned);
        check("drop", self.drop.clone(), drop);
        let key = arrival.identity.as_ref().map(dedupe_key);
        check("dedupe_key", self.dedupe_key.clone(), key);
        // The vectors leave receipts of packets that end with an error out.
        let receipt = arrival.receipt.as_ref().map(receipt_json);
        let text = |json: &Value| json.to_string();
        check(
            "receipt",
            self.receipt.as_ref().map(text),
            receipt.as_ref().map(text),
        );
    }
}

fn drop_name(drop: Drop) -> &'static str {
    match drop {
        Drop::Frameless => "frameless",
        Drop::Heartbeat => "heartbeat",
        Drop::Noop => "noop",
        Drop::Empty => "empty",
    }
}

fn dedupe_key(identity: &Identity) -> String {
    match identity {
        Identity::Sequence {
            stream_id,
            partition,
            sequence,
        } => format!("env|{stream_id}|{partition}|{sequence}"),
        Identity::MessageId(id) => format!("msg|{id}"),
    }
}

fn receipt_json(receipt: &Receipt) -> Value {
    serde_json::json!({
        "stream_id": receipt.stream_id,
        "sequence": receipt.sequence.to_string(),
        "partition": receipt.partition,
        "size_bytes": receipt.size_bytes.to_string(),
    })
}

/// The JSON in the frame, where it is an envelope.
fn envelope_text(bytes: &Bytes) -> Option<Bytes> {
    let view = PacketView::parse(bytes, Dialect::Connector).ok()?;
    let is_envelope = view.mime_type(bytes)? == PACKET_JSON;
    is_envelope.then(|| bytes.slice(view.frame_view().map_or(0..0, |frame| frame.media())))
}
