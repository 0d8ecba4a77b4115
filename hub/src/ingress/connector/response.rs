//! What the hub says on Control: encoded `ControlResponse`s that wait for their socket.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::capabilities::Capabilities;
use bytes::{BufMut, Bytes, BytesMut};
use engine::Directive;
use prost::Message;
use transport_proto::names::action;
use transport_proto::v1::{
    ControlAction, ControlError, ControlResponse, FlowControl, FlowControlSignal,
};

/// Most bytes that wait; answers that come on top are left out, since a client that asks without
/// reading wants none.
const MOST_BYTES: usize = 64 * 1024;
/// Longest text of an error (spec 1), in characters.
const LONGEST_TEXT: usize = 2048;
/// Longest value of metadata (spec 1), in characters.
pub(super) const LONGEST_VALUE: usize = 1024;
/// The code of an error about one packet: INVALID_ARGUMENT (spec 11).
const INVALID: i32 = 3;

/// Phases of a handoff, as the client that is told of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handoff {
    /// It is to go.
    Draining,
    /// It has taken the place of another.
    Cutover,
    /// It has got what waited for the other.
    Ready,
}

/// Responses that wait.
#[derive(Default)]
pub(super) struct Responses(BytesMut);

impl Responses {
    /// The first words of a session (spec 3, "Handshake"): an engram starts once it has heard of all
    /// that is required.
    pub(super) fn ready(&mut self, capabilities: &Capabilities) {
        let startup = match capabilities.is_empty() {
            true => "none",
            false => "required",
        };
        let metadata = [("startup.capabilities", startup)];
        self.push(ControlAction::ConnectorReady, &metadata);
        if !capabilities.is_empty() {
            let metadata = capabilities.metadata();
            let metadata: Vec<_> = metadata.iter().map(|(k, v)| (*k, v.as_str())).collect();
            self.push(ControlAction::ConnectorCapabilities, &metadata);
        }
    }

    /// Answers `received`.
    pub(super) fn ack(&mut self, received: &str, more: &[(&str, &str)]) {
        let mut metadata = vec![("received", received)];
        metadata.extend(more);
        self.push(ControlAction::Ack, &metadata);
    }

    /// Says what the engine asks for; `step` is whom it is said to.
    pub(super) fn directive(&mut self, directive: &Directive, step: &str) {
        match directive {
            Directive::Interrupt(interrupt) => {
                let turn = interrupt.turn.to_string();
                let mut metadata = vec![("turn", &*turn)];
                metadata.extend(interrupt.lane.map(|lane| ("lane", lane.as_str())));
                self.push_custom(action::INTERRUPT, &metadata);
            }
            Directive::KeyFrame => self.push_custom(action::KEYFRAME, &[]),
            Directive::Draining => self.handoff(Handoff::Draining, "hub_draining"),
            Directive::Flow { ack, pause } => self.put(&ControlResponse {
                action: ControlAction::Noop.into(),
                flow: Some(FlowControl {
                    ack: ack.unwrap_or(0),
                    signal: match pause {
                        Some(true) => FlowControlSignal::Pause.into(),
                        Some(false) => FlowControlSignal::Resume.into(),
                        None => FlowControlSignal::Unspecified.into(),
                    },
                    ..FlowControl::default()
                }),
                ..ControlResponse::default()
            }),
            Directive::Refused { reason, why } => {
                let details = [("reason", *reason), ("step", step)];
                self.put(&ControlResponse {
                    action: ControlAction::Error.into(),
                    error: Some(ControlError {
                        code: INVALID,
                        message: why.chars().take(LONGEST_TEXT).collect(),
                        details: owned(&details),
                    }),
                    ..ControlResponse::default()
                });
            }
        }
    }

    /// Says how far a handoff is.
    pub(super) fn handoff(&mut self, handoff: Handoff, reason: &str) {
        let (action, phase) = match handoff {
            Handoff::Draining => (ControlAction::HandoffDraining, "draining"),
            Handoff::Cutover => (ControlAction::HandoffCutover, "cutover"),
            Handoff::Ready => (ControlAction::HandoffReady, "ready"),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let ts = now.unwrap_or_default().as_millis().to_string();
        self.push(action, &[("phase", phase), ("reason", reason), ("ts", &ts)]);
    }

    /// Everything that waits, to be sent.
    pub(super) fn take(&mut self) -> Bytes {
        self.0.split().freeze()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, action: ControlAction, metadata: &[(&str, &str)]) {
        self.put(&ControlResponse {
            action: action.into(),
            metadata: owned(metadata),
            ..ControlResponse::default()
        });
    }

    fn push_custom(&mut self, action: &str, metadata: &[(&str, &str)]) {
        self.put(&ControlResponse {
            custom_action: action.to_owned(),
            metadata: owned(metadata),
            ..ControlResponse::default()
        });
    }

    fn put(&mut self, response: &ControlResponse) {
        let len = response.encoded_len();
        if self.0.len() + len > MOST_BYTES {
            return;
        }
        self.0.put_u8(0);
        self.0.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
        // A buffer that grows takes everything.
        let _ = response.encode(&mut self.0);
    }
}

/// Metadata within its limits: an engram's session ends for a value that is too long.
fn owned(metadata: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(key, value): &(&str, &str)| {
        let value = value.chars().take(LONGEST_VALUE).collect();
        ((*key).to_owned(), value)
    };
    metadata.iter().map(own).collect()
}
