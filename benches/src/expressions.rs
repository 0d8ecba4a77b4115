//! The packet, the blocks and the Story that benches of expressions share, so that times, counts of
//! allocations and peers speak of the same.

use bytes::BytesMut;
use expr::{
    Block, Condition, Dialect, Limits, Mode, PacketFields, Payload, Surroundings, Value, Variables,
    json, structs,
};
use prost::Message;
use transport_proto::v1::DataPacket;
use transport_proto::view::{Dialect as Numbering, PacketView};

/// A condition that is one path over metadata.
pub const ONE_PATH: &str = "{{ packet.metadata.final }}";
/// A comparison of one path over metadata.
pub const LANGUAGE_IS_GERMAN: &str = r#"{{ eq packet.metadata.lang "de" }}"#;
/// The same in CEL.
pub const LANGUAGE_IS_GERMAN_IN_CEL: &str = r#"{{ packet.metadata.lang == "de" }}"#;
/// Text with three paths in it.
pub const MIXED: &str =
    "<speak>{{ packet.text }} ({{ packet.metadata.lang }}, {{ packet.confidence }})</speak>";
/// A `runtime` block of three fields of which one is mixed text.
pub const BLOCK: [(&str, &str); 3] = [
    ("prompt", "{{ packet.text }}"),
    ("who", r#"{{ index packet.metadata "participant.id" }}"#),
    ("ssml", MIXED),
];
/// The same in CEL.
pub const BLOCK_IN_CEL: [(&str, &str); 3] = [
    ("prompt", "{{ packet.text }}"),
    ("who", r#"{{ packet.metadata["participant.id"] }}"#),
    ("ssml", MIXED),
];
/// The payload of the packet.
pub const PAYLOAD: &str = r#"{"text": "Guten Tag, ich hätte gern einen Termin.", "confidence": 0.91,
    "final": true, "speaker": "caller", "seq": 12}"#;
/// Steps of the Story that is compiled.
pub const STEPS: usize = 50;

/// The metadata of the packet.
pub const METADATA: [(&str, &str); 5] = [
    ("storyrun-name", "support-call-7f3a"),
    ("participant.id", "caller-1"),
    ("kind", "speech.transcript.v1"),
    ("lang", "de"),
    ("final", "true"),
];

/// A packet, walked, and the contents of its payload.
pub struct Sample {
    /// The packet without its payload: what only reads metadata never looks further.
    pub bytes: Vec<u8>,
    /// The result of walking `bytes`.
    pub view: PacketView,
    /// The contents of its payload Struct.
    pub payload: BytesMut,
}

impl Default for Sample {
    fn default() -> Self {
        let pairs = METADATA.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let packet = DataPacket {
            metadata: pairs.into(),
            ..DataPacket::default()
        };
        let bytes = packet.encode_to_vec();
        let parsed = json::parse(PAYLOAD.as_bytes()).expect("JSON");
        let mut payload = BytesMut::new();
        structs::encode(&parsed, &mut payload).expect("an object");
        Self {
            view: PacketView::parse(&bytes, Numbering::Packet).expect("a packet"),
            bytes,
            payload,
        }
    }
}

impl Sample {
    /// Asks a condition as the hub does where only metadata is read.
    #[inline]
    pub fn ask(&self, condition: &Condition, surroundings: &Surroundings) -> bool {
        let packet = PacketFields::new(&self.view, &self.bytes, &Payload::None);
        let variables = Variables::new(structs::decode(b""), packet, Vec::new());
        condition
            .evaluate(&variables, surroundings)
            .expect("an answer")
    }

    /// Evaluates a block to the bytes of new inputs.
    #[inline]
    pub fn evaluate(&self, block: &Block, surroundings: &Surroundings, out: &mut BytesMut) {
        let payload = Payload::Struct(&self.payload);
        let packet = PacketFields::new(&self.view, &self.bytes, &payload);
        let variables = Variables::new(structs::decode(b""), packet, Vec::new());
        out.clear();
        let value = block.evaluate(&variables, surroundings).expect("a value");
        structs::encode(&value, out).expect("an object");
    }

    /// The whole packet as it comes from a socket.
    #[must_use]
    pub fn whole(&self) -> Vec<u8> {
        let mut out = BytesMut::from(&self.bytes[..]);
        transport_proto::splice::put_payload(&mut out, Numbering::Packet, &self.payload);
        out.to_vec()
    }
}

/// Compiles a condition.
#[must_use]
pub fn condition(source: &str, dialect: Dialect) -> Condition {
    Condition::compile(source, dialect, Limits::default()).expect("a condition")
}

/// The value that a block of these fields is written as.
#[must_use]
pub fn written(fields: &[(&'static str, &'static str)]) -> Value<'static> {
    let field = |(key, text): &(&'static str, &'static str)| {
        (expr::Text::Borrowed(key.as_bytes()), Value::text(text))
    };
    Value::map(fields.iter().map(field).collect())
}

/// Compiles a `runtime` block.
#[must_use]
pub fn block(value: &Value<'_>, dialect: Dialect) -> Block {
    Block::compile(value, (Mode::Runtime, dialect), Limits::default()).expect("a block")
}

/// A Story of fifty engrams one after the other, each with a condition and the block.
#[must_use]
pub fn story() -> String {
    let mut yaml = String::from(
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: { name: s }\n\
         spec:\n  pattern: streaming\n  steps:\n",
    );
    for step in 0..STEPS {
        let needs = step
            .checked_sub(1)
            .map_or(String::new(), |before| format!("s{before}"));
        yaml += &format!("    - name: s{step}\n      ref: {{ name: e }}\n      needs: [{needs}]\n");
        yaml += &format!("      if: '{LANGUAGE_IS_GERMAN}'\n      runtime:\n");
        for (key, text) in BLOCK {
            yaml += &format!("        {key}: '{text}'\n");
        }
    }
    yaml
}
