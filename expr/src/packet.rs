//! The variables of one packet (spec 4.3), read where they lie.
//!
//! Owns the views that put a packet's bytes under the names `packet`, `inputs` and `steps`.
//! Nothing is decoded until a program asks for it, and metadata never is: a key is looked up
//! in the bytes. Never decides which packet, and never copies one.

use transport_proto::view::{FrameKind, FrameView, PacketView};

use crate::value::{Fields, Map, Text, Tree, Value};

/// What the fields of `packet` besides `metadata` and the media are read from.
#[derive(Clone, Debug, Default)]
pub enum Payload<'p> {
    /// There is none, or nothing reads it.
    #[default]
    None,
    /// The contents of the packet's `payload` (all occurrences in a row).
    Struct(&'p [u8]),
    /// A JSON object that came in the frame, parsed ([`json::parse`](crate::json::parse)).
    Json(Map<'p>),
}

impl<'p> Payload<'p> {
    /// The fields as an object.
    #[must_use]
    pub fn map(&self) -> Map<'p> {
        match self {
            Self::None => Map::unmade(),
            Self::Struct(body) => crate::structs::decode(body),
            Self::Json(map) => map.clone(),
        }
    }
}

/// `packet`: the payload's fields, `metadata`, and what is known of a media frame.
#[derive(Debug)]
pub struct PacketFields<'p> {
    metadata: Metadata<'p>,
    payload: Map<'p>,
}

impl<'p> PacketFields<'p> {
    /// Over a packet that was walked, and the bytes that were walked.
    #[must_use]
    pub fn new(view: &'p PacketView, bytes: &'p [u8], payload: &Payload<'p>) -> Self {
        Self {
            metadata: Metadata { view, bytes },
            payload: payload.map(),
        }
    }

    /// The media frame's facts where `name` is its kind.
    fn media(&self, name: &[u8]) -> Option<Value<'_>> {
        let frame = self.metadata.view.frame_view()?;
        let kind: &[u8] = match frame.kind() {
            FrameKind::Audio => b"audio",
            FrameKind::Video => b"video",
            FrameKind::Binary => b"binary",
        };
        (kind == name).then(|| facts(frame, self.metadata.bytes))
    }
}

/// What is known of a frame without its bytes; numbers are doubles like those of JSON.
fn facts<'v>(frame: &FrameView, bytes: &'v [u8]) -> Value<'v> {
    let mut tree = Tree::new();
    let mut put = |name: &'static [u8], value: Option<Value<'v>>| {
        if let Some(value) = value {
            tree.insert(Text::Borrowed(name), value);
        }
    };
    let number = |value: f64| Some(Value::Float(value));
    put(b"codec", frame.codec(bytes).map(Value::text));
    put(b"mime_type", frame.mime_type(bytes).map(Value::text));
    put(
        b"sample_rate_hz",
        frame.sample_rate_hz().and_then(|hz| number(f64::from(hz))),
    );
    put(
        b"channels",
        frame.channels().and_then(|count| number(f64::from(count))),
    );
    put(
        b"width",
        frame
            .picture()
            .and_then(|(width, _)| number(f64::from(width))),
    );
    put(
        b"height",
        frame
            .picture()
            .and_then(|(_, height)| number(f64::from(height))),
    );
    put(
        b"timestamp_ms",
        frame.timestamp_ms().and_then(|ms| number(ms as f64)),
    );
    put(b"size", number(frame.media().len() as f64));
    Value::map(tree)
}

impl Fields for PacketFields<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        if key == b"metadata" {
            return Some(Value::Map(Map::lazy(&self.metadata)));
        }
        self.media(key).or_else(|| self.payload.get(key))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        let tree = self.payload.tree();
        let mut all: Vec<_> = tree
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for name in [&b"audio"[..], b"video", b"binary", b"metadata"] {
            if name == b"metadata" || self.media(name).is_some() {
                all.extend(self.field(name).map(|value| (Text::Borrowed(name), value)));
            }
        }
        all
    }

    fn weight(&self) -> usize {
        self.payload.weight()
    }
}

/// `packet.metadata`: looked up in the packet's bytes.
#[derive(Debug)]
struct Metadata<'p> {
    view: &'p PacketView,
    bytes: &'p [u8],
}

impl Fields for Metadata<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        let key = std::str::from_utf8(key).ok()?;
        self.view
            .metadata_bytes(self.bytes, key)
            .map(|value| Value::Text(Text::Borrowed(value)))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        // In the order of the wire, so that the last entry of a key wins in a tree.
        self.view
            .metadata_pairs(self.bytes)
            .map(|(key, value)| (Text::Borrowed(key.as_bytes()), Value::text(value)))
            .collect()
    }
}

/// One step of `steps`: its payload over its inputs.
#[derive(Debug)]
pub struct StepFields<'p> {
    payload: Map<'p>,
    inputs: Map<'p>,
}

impl<'p> StepFields<'p> {
    /// Of what a step gave and what it was given.
    #[must_use]
    pub fn new(payload: &Payload<'p>, inputs: &Payload<'p>) -> Self {
        Self {
            payload: payload.map(),
            inputs: inputs.map(),
        }
    }
}

impl Fields for StepFields<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        self.payload.get(key).or_else(|| self.inputs.get(key))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        let (under, over) = (self.inputs.tree(), self.payload.tree());
        let mut tree = under.as_ref().clone();
        tree.extend(over.iter().map(|(key, value)| (key.clone(), value.clone())));
        tree.into_iter().collect()
    }

    fn weight(&self) -> usize {
        self.payload.weight() + self.inputs.weight()
    }

    fn bytes_hold(&self, needle: &[u8]) -> Option<bool> {
        let (over, under) = (&self.payload, &self.inputs);
        Some(over.bytes_hold(needle)? || under.bytes_hold(needle)?)
    }
}

/// All variables of an evaluation: the root that [`Block`](crate::Block) and
/// [`Condition`](crate::Condition) take.
#[derive(Debug)]
pub struct Variables<'p> {
    inputs: Map<'p>,
    packet: PacketFields<'p>,
    steps: Steps<'p>,
}

/// Steps by id, in any order.
#[derive(Debug)]
struct Steps<'p>(Vec<(&'p str, StepFields<'p>)>);

impl<'p> Variables<'p> {
    /// Of the run's inputs, one packet, and the steps that are known with it. The hub gives
    /// only the steps that [`Reads::steps`](crate::Reads::steps) names.
    #[must_use]
    pub fn new(
        inputs: Map<'p>,
        packet: PacketFields<'p>,
        steps: Vec<(&'p str, StepFields<'p>)>,
    ) -> Self {
        Self {
            inputs,
            packet,
            steps: Steps(steps),
        }
    }
}

impl Fields for Variables<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        Some(Value::Map(match key {
            b"packet" => Map::lazy(&self.packet),
            b"inputs" => self.inputs.clone(),
            b"steps" => Map::lazy(&self.steps),
            _ => return None,
        }))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        [&b"inputs"[..], b"packet", b"steps"]
            .into_iter()
            .filter_map(|name| Some((Text::Borrowed(name), self.field(name)?)))
            .collect()
    }
}

impl Fields for Steps<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        let (_, step) = self.0.iter().find(|(id, _)| id.as_bytes() == key)?;
        Some(Value::Map(Map::lazy(step)))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        self.0
            .iter()
            .map(|(id, step)| (Text::Borrowed(id.as_bytes()), Value::Map(Map::lazy(step))))
            .collect()
    }
}
