//! The control channel: directives, answers, the handshake, how a session ends (spec 3).
//!
//! Pure: names and rules; who sends what when is the session's.

use std::collections::BTreeMap;

use transport_proto::v1::{ControlAction, ControlRequest, ControlResponse};

/// Key of the handshake: whether capabilities follow.
const STARTUP: &str = "startup.capabilities";

/// What one side tells the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlDirective {
    /// `interrupt`, `handoff.draining`, `codec-select`, ...; empty for nothing.
    pub kind: String,
    /// Facts of it.
    pub metadata: BTreeMap<String, String>,
}

impl ControlDirective {
    /// A directive without facts.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            metadata: BTreeMap::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// What a message of the hub says. `custom_action`, where set, comes before `action`.
    #[must_use]
    pub fn of_response(response: &ControlResponse) -> Self {
        let custom = response.custom_action.trim();
        let kind = if custom.is_empty() {
            name(response.action)
        } else {
            custom
        };
        Self {
            kind: kind.to_owned(),
            metadata: response.metadata.clone(),
        }
    }

    /// The message that says it to the hub.
    #[must_use]
    pub fn to_request(&self) -> ControlRequest {
        let kind = self.kind.trim();
        let action = ACTIONS.iter().find(|(_, name)| *name == kind);
        ControlRequest {
            action: action.map_or(0, |(action, _)| *action as i32),
            metadata: self.metadata.clone(),
            flow: None,
            custom_action: match action {
                Some(_) => String::new(),
                None => kind.to_owned(),
            },
        }
    }

    /// Whether it is of that kind, in any letter case.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }
}

const ACTIONS: [(ControlAction, &str); 16] = [
    (ControlAction::Noop, "noop"),
    (ControlAction::Start, "start"),
    (ControlAction::Stop, "stop"),
    (ControlAction::StartUpstream, "start-upstream"),
    (ControlAction::StopUpstream, "stop-upstream"),
    (ControlAction::StartDownstream, "start-downstream"),
    (ControlAction::StopDownstream, "stop-downstream"),
    (ControlAction::Heartbeat, "heartbeat"),
    (ControlAction::ConnectorReady, "connector.ready"),
    (
        ControlAction::ConnectorCapabilities,
        "connector.capabilities",
    ),
    (ControlAction::HandoffDraining, "handoff.draining"),
    (ControlAction::HandoffCutover, "handoff.cutover"),
    (ControlAction::HandoffReady, "handoff.ready"),
    (ControlAction::Ack, "ack"),
    (ControlAction::Error, "error"),
    (ControlAction::CodecSelect, "codec-select"),
];

/// The name of an action; empty for none and unknown ones.
fn name(action: i32) -> &'static str {
    let known = ACTIONS.iter().find(|(known, _)| *known as i32 == action);
    known.map_or("", |(_, name)| name)
}

/// What an engram without a handler of its own answers: an ACK that says whether it knew
/// the directive. An ACK is never answered.
#[must_use]
pub fn default_reply(directive: &ControlDirective) -> Option<ControlDirective> {
    let kind = directive.kind.to_ascii_lowercase();
    let (handled, reason) = match kind.as_str() {
        "ack" => return None,
        "" | "noop" => ("false", "noop"),
        "connector.ready" => ("true", "startup"),
        "connector.capabilities" => ("true", "capabilities"),
        "handoff.draining" | "handoff.cutover" | "handoff.ready" => ("true", "handoff"),
        _ => ("false", "no_control_handler"),
    };
    Some(
        ControlDirective::new("ack")
            .with("handled", handled)
            .with("reason", reason)
            .with("type", &directive.kind),
    )
}

/// A `connector.ready` that cannot be understood: a fault of the hub.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid connector.ready startup metadata: {0}")]
pub struct HandshakeError(String);

/// When the hub is ready for the engram.
///
/// | state | until |
/// | --- | --- |
/// | silent | `connector.ready`, after which capabilities may be awaited |
/// | awaiting capabilities | `connector.capabilities`, at any time |
/// | ready | the session ends |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Whether capabilities must come; `None` before `connector.ready`.
    required: Option<bool>,
    capabilities: bool,
}

impl Handshake {
    /// Takes a directive; tells whether the hub is ready now.
    ///
    /// # Errors
    /// Where `connector.ready` does not say whether capabilities follow.
    pub fn take(&mut self, directive: &ControlDirective) -> Result<bool, HandshakeError> {
        if directive.is("connector.ready") {
            self.required = Some(required(directive)?);
        }
        self.capabilities |= directive.is("connector.capabilities");
        Ok(self.is_ready())
    }

    /// Whether the hub is ready.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.required
            .is_some_and(|required| self.capabilities || !required)
    }
}

fn required(directive: &ControlDirective) -> Result<bool, HandshakeError> {
    let written = directive.metadata.get(STARTUP).map(|text| text.trim());
    let value = written.unwrap_or_default().to_ascii_lowercase();
    match value.as_str() {
        "required" => Ok(true),
        "none" => Ok(false),
        "" => Err(HandshakeError(format!("missing {STARTUP} metadata"))),
        _ => {
            let value = crate::message::quoted(&value);
            let text = format!("invalid {STARTUP} metadata {value} (expected required or none)");
            Err(HandshakeError(text))
        }
    }
}

/// Whether a session that ended with this gRPC code and text is worth another try. 0 is
/// an end without error.
#[must_use]
pub fn reconnects(code: i32, message: &str) -> bool {
    const INVALID_ARGUMENT: i32 = 3;
    const PERMISSION_DENIED: i32 = 7;
    const FAILED_PRECONDITION: i32 = 9;
    const UNIMPLEMENTED: i32 = 12;
    const UNAUTHENTICATED: i32 = 16;
    let for_good = [
        INVALID_ARGUMENT,
        PERMISSION_DENIED,
        FAILED_PRECONDITION,
        UNIMPLEMENTED,
        UNAUTHENTICATED,
    ];
    let told = ["protocol mismatch", "transport binding missing"];
    !for_good.contains(&code) && !told.iter().any(|text| message.contains(text))
}
