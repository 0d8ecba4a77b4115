//! The form in which every event leaves the hub (spec 10 'Events'), and the rules for it.

use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the envelopes that this hub writes.
pub(super) const VERSION: u32 = 1;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Actor {
    pub(super) kind: String,
    pub(super) id: String,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Artifact {
    /// `hub`, `story`, `run`, `step` or `edge`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    /// Where to look: the Story's file, or the page of the admin API; empty where there is none.
    pub(super) path: String,
    /// Which one of its kind: the generation of a step; else empty.
    pub(super) revision: String,
}

/// One event as subscribers get it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Envelope {
    /// The type of spec 11.
    pub(super) name: String,
    pub(super) version: u32,
    /// Version 7: in the order of time.
    pub(super) uuid: String,
    /// RFC 3339, UTC, milliseconds.
    pub(super) timestamp: String,
    pub(super) actor: Actor,
    pub(super) artifact: Artifact,
    pub(super) payload: Map<String, Value>,
}

/// An envelope that no subscriber gets. A defect of whoever made it; a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("envelope validation failed: field={field} value={value} rule={rule}")]
pub(super) struct InvalidEnvelope {
    field: &'static str,
    value: String,
    rule: &'static str,
}

impl Envelope {
    /// Checks the envelope without looking at a clock or into the payload.
    ///
    /// # Errors
    /// [`InvalidEnvelope`] names the first field that breaks its rule.
    pub(super) fn validate(&self) -> Result<(), InvalidEnvelope> {
        let broken = |field, value: &str, rule| {
            let value = value.to_owned();
            Err(InvalidEnvelope { field, value, rule })
        };
        if !is_dotted(&self.name) {
            return broken(
                "name",
                &self.name,
                "must be lower-case words with a dot between",
            );
        }
        if self.version == 0 {
            return broken("version", "0", "must be 1 or more");
        }
        if uuid::Uuid::try_parse(&self.uuid).is_err() {
            return broken("uuid", &self.uuid, "must be a UUID");
        }
        if humantime::parse_rfc3339(&self.timestamp).is_err() {
            return broken("timestamp", &self.timestamp, "must be RFC 3339 in UTC");
        }
        let filled = [
            ("actor.kind", &self.actor.kind),
            ("actor.id", &self.actor.id),
            ("artifact.type", &self.artifact.kind),
            ("artifact.id", &self.artifact.id),
        ];
        match filled.into_iter().find(|(_, text)| text.is_empty()) {
            Some((field, text)) => broken(field, text, "must not be empty"),
            None => Ok(()),
        }
    }

    /// One line of JSON, without its end.
    pub(super) fn to_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// `word.word`, each of lower-case letters, digits and underscores, a letter first.
fn is_dotted(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    name.contains('.') && name.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Envelope {
        Envelope {
            name: "run.ready".to_owned(),
            version: VERSION,
            uuid: "019aa5c4-0000-7000-8000-000000000000".to_owned(),
            timestamp: "2026-11-21T16:00:00.000Z".to_owned(),
            actor: Actor {
                kind: "hub".to_owned(),
                id: "e1".to_owned(),
            },
            artifact: Artifact {
                kind: "run".to_owned(),
                id: "default/story".to_owned(),
                path: String::new(),
                revision: String::new(),
            },
            payload: Map::new(),
        }
    }

    #[test]
    fn a_good_envelope_is_one_line_with_its_fields_in_order() {
        let envelope = good();
        assert_eq!(envelope.validate(), Ok(()));
        assert_eq!(
            envelope.to_line().unwrap(),
            "{\"name\":\"run.ready\",\"version\":1,\
             \"uuid\":\"019aa5c4-0000-7000-8000-000000000000\",\
             \"timestamp\":\"2026-11-21T16:00:00.000Z\",\
             \"actor\":{\"kind\":\"hub\",\"id\":\"e1\"},\
             \"artifact\":{\"type\":\"run\",\"id\":\"default/story\",\"path\":\"\",\
             \"revision\":\"\"},\"payload\":{}}"
        );
    }

    #[test]
    fn each_broken_rule_is_named_with_its_field_and_value() {
        type Change = fn(&mut Envelope);
        let cases: [(&str, Change); 9] = [
            ("name", |e| e.name = "ready".to_owned()),
            ("name", |e| e.name = "Run.ready".to_owned()),
            ("version", |e| e.version = 0),
            ("uuid", |e| e.uuid = "1".to_owned()),
            ("timestamp", |e| e.timestamp = "yesterday".to_owned()),
            ("actor.kind", |e| e.actor.kind.clear()),
            ("actor.id", |e| e.actor.id.clear()),
            ("artifact.type", |e| e.artifact.kind.clear()),
            ("artifact.id", |e| e.artifact.id.clear()),
        ];
        for (field, change) in cases {
            let mut envelope = good();
            change(&mut envelope);
            let text = envelope.validate().unwrap_err().to_string();
            let start = format!("envelope validation failed: field={field} value=");
            assert!(
                text.starts_with(&start) && text.contains(" rule=must "),
                "{text}"
            );
        }
    }
}
