//! The JSON envelope inside a `BinaryFrame` (spec 1): a structured packet as text.
//!
//! Owns reading and writing it as the Go SDK does: names in any letter case, unknown
//! ones ignored, `payload` and `inputs` verbatim when read and compacted when written.
//! Never judges what it says.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::json::{JsonError, Kind, Value, compact, put_text};

/// The version that is written, and meant where none is given.
pub const VERSION: &str = "v1";

/// A structured packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketJson {
    /// `v1` where it was absent.
    pub version: String,
    /// data, heartbeat, noop, error, hook, or what a producer calls it; may be empty.
    pub kind: String,
    /// May be empty.
    pub message_id: String,
    /// Unix milliseconds, not negative; 0 for none.
    pub timestamp_ms: i64,
    /// Facts for routing.
    pub metadata: BTreeMap<String, String>,
    /// Any JSON, `null` included; `None` where absent.
    pub payload: Option<Bytes>,
    /// Any JSON, `null` included; `None` where absent.
    pub inputs: Option<Bytes>,
    /// Ways around the hub.
    pub transports: Vec<TransportJson>,
}

/// One transport of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportJson {
    /// Its name.
    pub name: String,
    /// Its kind, such as `livekit`.
    pub kind: String,
    /// `hot` or `fallback`; may be empty.
    pub mode: String,
    /// `transportRef` and `modeReason`; `None` where absent.
    pub typed_config: Option<(String, String)>,
}

/// Why a text is no envelope: a fault of its producer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketJsonError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value of the wrong kind.
    #[error("json: cannot unmarshal {found} into {field} of type {wanted}")]
    Kind {
        /// Where.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        wanted: &'static str,
    },
    /// `timestampMs` below 0.
    #[error("envelope timestampMs must be non-negative")]
    NegativeTimestamp,
    /// Something to be sent as JSON that is none.
    #[error("envelope {0} is not valid JSON")]
    NotJson(&'static str),
}

impl PacketJson {
    /// Reads an envelope. Payload and inputs share the bytes of `text`.
    ///
    /// # Errors
    /// [`PacketJsonError`] where it is no JSON, or a known field has another type.
    pub fn decode(text: &Bytes) -> Result<Self, PacketJsonError> {
        let value = Value::parse(text)?;
        expect(value, Kind::Object, ("the envelope", "object"))?;
        let mut packet = Self::default();
        for (name, value) in value.members() {
            packet.member(text, &name.to_ascii_lowercase(), value)?;
        }
        if packet.version.is_empty() {
            VERSION.clone_into(&mut packet.version);
        }
        if packet.timestamp_ms < 0 {
            return Err(PacketJsonError::NegativeTimestamp);
        }
        Ok(packet)
    }

    fn member(
        &mut self,
        text: &Bytes,
        name: &str,
        value: Value<'_>,
    ) -> Result<(), PacketJsonError> {
        match name {
            "version" => read_text(&mut self.version, value, "version"),
            "kind" => read_text(&mut self.kind, value, "kind"),
            "messageid" => read_text(&mut self.message_id, value, "messageId"),
            "timestampms" => self.read_timestamp(value),
            "metadata" => self.read_metadata(value),
            "payload" => {
                self.payload = Some(text.slice_ref(value.raw()));
                Ok(())
            }
            "inputs" => {
                self.inputs = Some(text.slice_ref(value.raw()));
                Ok(())
            }
            "transports" => self.read_transports(value),
            _ => Ok(()),
        }
    }

    fn read_timestamp(&mut self, value: Value<'_>) -> Result<(), PacketJsonError> {
        if value.kind() == Kind::Null {
            return Ok(());
        }
        let written = value.number().and_then(|number| number.parse().ok());
        self.timestamp_ms = written.ok_or_else(|| mismatch(value, ("timestampMs", "int64")))?;
        Ok(())
    }

    fn read_metadata(&mut self, value: Value<'_>) -> Result<(), PacketJsonError> {
        if value.kind() == Kind::Null {
            self.metadata.clear();
            return Ok(());
        }
        expect(value, Kind::Object, ("metadata", "map[string]string"))?;
        for (key, value) in value.members() {
            let mut text = String::new();
            read_text(&mut text, value, "metadata")?;
            self.metadata.insert(key, text);
        }
        Ok(())
    }

    fn read_transports(&mut self, value: Value<'_>) -> Result<(), PacketJsonError> {
        self.transports.clear();
        if value.kind() == Kind::Null {
            return Ok(());
        }
        expect(value, Kind::List, ("transports", "list"))?;
        for item in value.items() {
            self.transports.push(TransportJson::decode(item)?);
        }
        Ok(())
    }

    /// Writes the envelope, in a fixed order and without what is unset.
    ///
    /// # Errors
    /// [`PacketJsonError::NotJson`] where payload or inputs are none.
    pub fn encode(&self) -> Result<Vec<u8>, PacketJsonError> {
        let mut out = Object::new();
        let version = if self.version.is_empty() {
            VERSION
        } else {
            &self.version
        };
        out.text("version", version);
        out.text("kind", &self.kind);
        out.text("messageId", &self.message_id);
        if self.timestamp_ms != 0 {
            let value = self.timestamp_ms.to_string();
            out.name("timestampMs").extend_from_slice(value.as_bytes());
        }
        if !self.metadata.is_empty() {
            let mut metadata = Object::new();
            for (key, value) in &self.metadata {
                put_text(metadata.name(key), value);
            }
            out.name("metadata").extend_from_slice(&metadata.end());
        }
        for (name, value) in [("payload", &self.payload), ("inputs", &self.inputs)] {
            if let Some(value) = value {
                Value::parse(value).map_err(|_| PacketJsonError::NotJson(name))?;
                compact(out.name(name), value);
            }
        }
        if !self.transports.is_empty() {
            let list = out.name("transports");
            list.push(b'[');
            for (i, transport) in self.transports.iter().enumerate() {
                if i > 0 {
                    list.push(b',');
                }
                list.extend_from_slice(&transport.encode());
            }
            list.push(b']');
        }
        Ok(out.end())
    }
}

impl TransportJson {
    fn decode(value: Value<'_>) -> Result<Self, PacketJsonError> {
        let mut transport = Self::default();
        if value.kind() == Kind::Null {
            return Ok(transport);
        }
        expect(value, Kind::Object, ("transports", "object"))?;
        for (name, value) in value.members() {
            match name.to_ascii_lowercase().as_str() {
                "name" => read_text(&mut transport.name, value, "transports.name")?,
                "kind" => read_text(&mut transport.kind, value, "transports.kind")?,
                "mode" => read_text(&mut transport.mode, value, "transports.mode")?,
                "typedconfig" => transport.typed_config = typed_config(value)?,
                _ => {}
            }
        }
        Ok(transport)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Object::new();
        put_text(out.name("name"), &self.name);
        out.text("kind", &self.kind);
        out.text("mode", &self.mode);
        if let Some((reference, reason)) = &self.typed_config {
            let mut config = Object::new();
            config.text("transportRef", reference);
            config.text("modeReason", reason);
            out.name("typedConfig").extend_from_slice(&config.end());
        }
        out.end()
    }
}

fn typed_config(value: Value<'_>) -> Result<Option<(String, String)>, PacketJsonError> {
    if value.kind() == Kind::Null {
        return Ok(None);
    }
    expect(value, Kind::Object, ("typedConfig", "object"))?;
    let (mut reference, mut reason) = (String::new(), String::new());
    for (name, value) in value.members() {
        match name.to_ascii_lowercase().as_str() {
            "transportref" => read_text(&mut reference, value, "transportRef")?,
            "modereason" => read_text(&mut reason, value, "modeReason")?,
            _ => {}
        }
    }
    Ok(Some((reference, reason)))
}

/// Reads a text; `null` changes nothing.
fn read_text(
    into: &mut String,
    value: Value<'_>,
    field: &'static str,
) -> Result<(), PacketJsonError> {
    if value.kind() == Kind::Null {
        return Ok(());
    }
    *into = value
        .text()
        .ok_or_else(|| mismatch(value, (field, "string")))?;
    Ok(())
}

fn expect(
    value: Value<'_>,
    kind: Kind,
    wanted: (&'static str, &'static str),
) -> Result<(), PacketJsonError> {
    if value.kind() == kind {
        Ok(())
    } else {
        Err(mismatch(value, wanted))
    }
}

fn mismatch(value: Value<'_>, (field, wanted): (&'static str, &'static str)) -> PacketJsonError {
    let found = match value.number() {
        Some(number) => format!("number {number}"),
        None => value.kind().name().to_owned(),
    };
    PacketJsonError::Kind {
        field,
        found,
        wanted,
    }
}

/// An object that is being written.
struct Object(Vec<u8>);

impl Object {
    fn new() -> Self {
        Self(vec![b'{'])
    }

    /// Begins a member; its value is to be appended.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        put_text(&mut self.0, name);
        self.0.push(b':');
        &mut self.0
    }

    /// A member that is left out when empty.
    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            put_text(self.name(name), text);
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_survives_the_way_out_and_in() {
        let packet = PacketJson {
            version: VERSION.to_owned(),
            kind: "data".to_owned(),
            message_id: "m".to_owned(),
            timestamp_ms: 5,
            metadata: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
            payload: Some(Bytes::from_static(b"{\"a\":[1,2]}")),
            inputs: Some(Bytes::from_static(b"null")),
            transports: vec![TransportJson {
                name: "rt".to_owned(),
                kind: "livekit".to_owned(),
                mode: "hot".to_owned(),
                typed_config: Some(("lk".to_owned(), String::new())),
            }],
        };
        let text = Bytes::from(packet.encode().expect("JSON inside"));
        assert_eq!(PacketJson::decode(&text), Ok(packet));
    }

    #[test]
    fn a_payload_shares_the_bytes_of_the_envelope() {
        let text = Bytes::from_static(br#"{"payload": { "a" : 1 } }"#);
        let packet = PacketJson::decode(&text).expect("an envelope");
        assert_eq!(packet.payload.as_deref(), Some(&br#"{ "a" : 1 }"#[..]));
    }
}
