//! `BindingInfo` as protojson: camelCase or snake_case names, unknown ones refused.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use transport_proto::json::{Kind, Value};

/// A binding as the hub wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BindingInfo {
    pub(super) driver: String,
    pub(super) endpoint: String,
    pub(super) payload: Vec<u8>,
    pub(super) protocol_version: String,
}

/// Why a text is no `BindingInfo`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtoJsonError {
    /// No object.
    #[error("proto: syntax error: unexpected token {0}")]
    NoObject(String),
    /// A name that the message does not have.
    #[error("proto: unknown field {0:?}")]
    Unknown(String),
    /// The same field twice.
    #[error("proto: duplicate field {0:?}")]
    Duplicate(String),
    /// A value of another type.
    #[error("proto: invalid value for field {field}: {value}")]
    Value {
        /// The field.
        field: String,
        /// What stands there.
        value: String,
    },
}

impl BindingInfo {
    pub(super) fn parse(value: Value<'_>) -> Result<Self, ProtoJsonError> {
        if value.kind() != Kind::Object {
            return Err(ProtoJsonError::NoObject(raw(value)));
        }
        let mut info = Self::default();
        let mut seen = Vec::new();
        for (name, value) in value.members() {
            let field = canonical(&name).ok_or_else(|| ProtoJsonError::Unknown(name.clone()))?;
            if seen.contains(&field) {
                return Err(ProtoJsonError::Duplicate(name));
            }
            seen.push(field);
            info.read(field, value)?;
        }
        Ok(info)
    }

    fn read(&mut self, field: &'static str, value: Value<'_>) -> Result<(), ProtoJsonError> {
        if value.kind() == Kind::Null {
            return Ok(());
        }
        match field {
            "driver" => self.driver = text(field, value)?,
            "endpoint" => self.endpoint = text(field, value)?,
            "protocolVersion" => self.protocol_version = text(field, value)?,
            "payload" => {
                let text = text(field, value)?;
                self.payload = base64(&text).ok_or_else(|| mismatch(field, value))?;
            }
            "transportRef" => {
                text(field, value)?;
            }
            _ if value.kind() != Kind::List => return Err(mismatch(field, value)),
            _ => {
                for item in value.items() {
                    text(field, item)?;
                }
            }
        }
        Ok(())
    }
}

fn canonical(name: &str) -> Option<&'static str> {
    Some(match name {
        "transportRef" | "transport_ref" => "transportRef",
        "driver" => "driver",
        "endpoint" => "endpoint",
        "audioCodecs" | "audio_codecs" => "audioCodecs",
        "videoCodecs" | "video_codecs" => "videoCodecs",
        "payload" => "payload",
        "binaryTypes" | "binary_types" => "binaryTypes",
        "protocolVersion" | "protocol_version" => "protocolVersion",
        _ => return None,
    })
}

fn raw(value: Value<'_>) -> String {
    String::from_utf8_lossy(value.raw()).into_owned()
}

fn mismatch(field: &str, value: Value<'_>) -> ProtoJsonError {
    ProtoJsonError::Value {
        field: field.to_owned(),
        value: raw(value),
    }
}

fn text(field: &str, value: Value<'_>) -> Result<String, ProtoJsonError> {
    value.text().ok_or_else(|| mismatch(field, value))
}

/// Standard or URL-safe base64, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if text.contains(['-', '_']) {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    let engine = GeneralPurpose::new(alphabet, config);
    engine.decode(text).ok()
}
