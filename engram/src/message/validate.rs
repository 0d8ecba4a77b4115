//! The rules of a message. Texts and order are those of the Go SDK (spec 3).

use transport_proto::names::mime::PACKET_JSON;

use super::{AudioFrame, BinaryFrame, Kind, StreamMessage, VideoFrame, mime, quoted};

/// A rule that a message breaks: a fault of whoever made it. A retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid stream message: {0}")]
pub struct InvalidMessage(String);

fn broken(rule: impl Into<String>) -> Result<(), InvalidMessage> {
    Err(InvalidMessage(rule.into()))
}

/// Names the first rule that holds: condition and text.
fn first(rules: &[(bool, &str)]) -> Result<(), InvalidMessage> {
    match rules.iter().find(|(is_broken, _)| *is_broken) {
        Some((_, text)) => broken(*text),
        None => Ok(()),
    }
}

fn has_space_around(text: &str) -> bool {
    text.trim() != text
}

impl StreamMessage {
    /// Judges the message on its own; limits of the wire are judged when it is sent.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn validate(&self) -> Result<(), InvalidMessage> {
        self.validate_texts()?;
        self.validate_kind()?;
        self.validate_frame_count()?;
        self.audio.as_ref().map_or(Ok(()), validate_audio)?;
        self.video.as_ref().map_or(Ok(()), validate_video)?;
        match &self.binary {
            Some(frame) => self.validate_binary(frame),
            None => Ok(()),
        }
    }

    fn validate_texts(&self) -> Result<(), InvalidMessage> {
        first(&[
            (
                has_space_around(self.kind.as_str()),
                "stream message kind must not have surrounding whitespace",
            ),
            (
                has_space_around(&self.message_id),
                "stream message message_id must not have surrounding whitespace",
            ),
            (
                self.metadata.keys().any(|key| key.trim().is_empty()),
                "stream message metadata keys must not be empty",
            ),
        ])?;
        match self.metadata.keys().find(|key| has_space_around(key)) {
            Some(key) => broken(format!(
                "stream message metadata key {} must not have surrounding whitespace",
                quoted(key)
            )),
            None => Ok(()),
        }
    }

    fn validate_kind(&self) -> Result<(), InvalidMessage> {
        let kind = self.kind.as_str();
        let fits = |char: char| char.is_ascii_alphanumeric() || ".-_".contains(char);
        if !kind.chars().all(fits) {
            let kind = quoted(kind);
            return broken(format!(
                "stream message kind {kind} contains unsupported characters"
            ));
        }
        let has_frame = self.audio.is_some() || self.video.is_some() || self.binary.is_some();
        if self.kind.is(&Kind::ERROR) {
            return first(&[
                (self.payload.is_empty(), "error messages require payload"),
                (has_frame, "error messages must not carry media frames"),
            ]);
        }
        let idle = [Kind::HEARTBEAT, Kind::NOOP];
        match idle.iter().find(|idle| self.kind.is(idle)) {
            Some(idle) if has_frame || self.has_content() => broken(format!(
                "{idle} messages must not carry payload, metadata, or frames"
            )),
            _ => Ok(()),
        }
    }

    /// Whether anything but kind and frames is set.
    fn has_content(&self) -> bool {
        !(self.message_id.is_empty()
            && self.timestamp.is_none()
            && self.metadata.is_empty()
            && self.payload.is_empty()
            && self.inputs.is_empty()
            && self.transports.is_empty()
            && self.envelope.is_none())
    }

    fn validate_frame_count(&self) -> Result<(), InvalidMessage> {
        let set: Vec<&str> = [
            (self.audio.is_some(), "audio"),
            (self.video.is_some(), "video"),
            (self.binary.is_some(), "binary"),
        ]
        .into_iter()
        .filter_map(|(is_set, name)| is_set.then_some(name))
        .collect();
        if set.len() > 1 {
            let set = set.join(", ");
            return broken(format!("multiple frame payloads set ({set})"));
        }
        Ok(())
    }

    fn validate_binary(&self, frame: &BinaryFrame) -> Result<(), InvalidMessage> {
        let mime_type = frame.mime_type.as_str();
        first(&[
            (frame.payload.is_empty(), "binary frame missing payload"),
            (
                frame.timestamp.nanos() < 0,
                "binary frame timestamp must not be negative",
            ),
            (
                has_space_around(mime_type),
                "binary frame mime type must not have surrounding whitespace",
            ),
        ])?;
        if !mime_type.is_empty() && !mime::is_valid(mime_type) {
            let mime_type = quoted(mime_type);
            return broken(format!("binary frame mime type {mime_type} is invalid"));
        }
        let mirrored = !self.payload.is_empty() && self.payload == frame.payload;
        if mime::base(mime_type) == PACKET_JSON && !mirrored {
            return self.reserved();
        }
        let needs_mirror =
            !self.inputs.is_empty() || !self.transports.is_empty() || self.envelope.is_some();
        first(&[
            (
                !self.payload.is_empty() && !mirrored,
                "payload and binary payload must match when both are set",
            ),
            (
                needs_mirror && !mirrored,
                "binary payload must mirror the structured payload when inputs, transports, or \
                 stream envelope are set",
            ),
        ])
    }

    /// Why a frame may not have the envelope's media type.
    fn reserved(&self) -> Result<(), InvalidMessage> {
        let structured = !self.kind.as_str().is_empty() || self.has_content();
        if structured {
            return broken(
                "reserved envelope MIME type requires binary payload to mirror the structured \
                 payload",
            );
        }
        let mime_type = quoted(PACKET_JSON);
        broken(format!(
            "binary frame MIME type {mime_type} is reserved for envelope payloads"
        ))
    }
}

fn validate_audio(frame: &AudioFrame) -> Result<(), InvalidMessage> {
    first(&[
        (
            has_space_around(&frame.codec),
            "audio frame codec must not have surrounding whitespace",
        ),
        (frame.pcm.is_empty(), "audio frame missing pcm payload"),
        (
            frame.sample_rate_hz <= 0,
            "audio frame sample rate must be positive",
        ),
        (frame.channels <= 0, "audio frame channels must be positive"),
        (
            frame.timestamp.nanos() < 0,
            "audio frame timestamp must not be negative",
        ),
    ])
}

fn validate_video(frame: &VideoFrame) -> Result<(), InvalidMessage> {
    first(&[
        (
            has_space_around(&frame.codec),
            "video frame codec must not have surrounding whitespace",
        ),
        (frame.payload.is_empty(), "video frame missing payload"),
        (
            !frame.raw && frame.codec.is_empty(),
            "encoded video frame requires codec",
        ),
        (
            frame.raw && (frame.width == 0 || frame.height == 0),
            "raw video frame requires width and height",
        ),
        (
            frame.timestamp.nanos() < 0,
            "video frame timestamp must not be negative",
        ),
    ])
}
