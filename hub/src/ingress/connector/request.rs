//! What a client says on Control, and what it is answered (spec 3, "Handshake").

use engine::route::Lane;
use engine::{Actions, Engine, Interrupt, Moment, Receipt};
use transport_proto::names::{action, receipt};
use transport_proto::v1::ControlAction;
use transport_proto::view::Control;

use super::capabilities::{Capabilities, Choice};
use super::response::Responses;
use crate::plane::{Gates, Stream};

const BOTH: Gates = Gates {
    upstream: true,
    downstream: true,
};
const UPSTREAM: Gates = Gates {
    upstream: true,
    downstream: false,
};
const DOWNSTREAM: Gates = Gates {
    upstream: false,
    downstream: true,
};

/// Something that can be asked for, and the name that it is answered by.
enum Verb {
    Gate(&'static str, Gates, bool),
    Heartbeat,
    CodecSelect,
    /// Understood, and not answered.
    Heard,
    Noop,
    /// An action of a version that is not this one.
    Unknown,
    Custom,
}

/// What a client asks for.
pub(super) struct Asked<'a, 'm> {
    pub(super) stream: &'a Stream,
    pub(super) request: &'a Control<'m>,
    /// What the Story says of its step's media.
    pub(super) capabilities: &'a Capabilities,
}

/// Does what `request` asks for and answers it. What names an action of the client's own is never
/// answered: two peers that answer each other never end.
pub(super) fn take(
    Asked {
        stream,
        request,
        capabilities,
    }: Asked<'_, '_>,
    (engine, actions): (&mut Engine, &mut Actions),
    now: Moment,
    responses: &mut Responses,
) {
    if let Some(flow) = &request.flow
        && flow.violation.is_none()
    {
        engine.flow(stream.conn, flow, now, actions);
    }
    match verb(request) {
        Verb::Gate(name, gates, open) => {
            stream.set_gates(gates, open);
            responses.ack(name, &[("handled", "true")]);
        }
        Verb::Heartbeat => {
            responses.ack("heartbeat", &[("handled", "true"), ("status", "alive")]);
        }
        Verb::CodecSelect => select(request, capabilities, responses),
        Verb::Noop if request.flow.is_none() => {
            responses.ack("noop", &[("handled", "false"), ("reason", "empty")]);
        }
        Verb::Unknown => {
            let received = request.action.to_string();
            responses.ack(&received, &[("handled", "false"), ("reason", "unknown")]);
        }
        Verb::Custom => custom((stream, request), (engine, actions), now),
        Verb::Heard | Verb::Noop => {}
    }
}

/// Chooses among what the Story lists.
fn select(request: &Control<'_>, capabilities: &Capabilities, responses: &mut Responses) {
    const NAME: &str = "codec-select";
    match capabilities.choose(|key| request.metadata(key)) {
        Choice::Taken(taken) => {
            let mut answer = vec![("handled", "true")];
            answer.extend(taken);
            responses.ack(NAME, &answer);
        }
        Choice::Refused(why) => {
            responses.ack(NAME, &[("handled", "false"), ("reason", &why)]);
        }
    }
}

fn verb(request: &Control<'_>) -> Verb {
    let custom = request.custom_action.trim();
    if !custom.is_empty() {
        return custom_verb(custom);
    }
    match ControlAction::try_from(request.action) {
        Ok(ControlAction::Unspecified | ControlAction::Noop) => Verb::Noop,
        Ok(ControlAction::Start) => Verb::Gate("start", BOTH, true),
        Ok(ControlAction::Stop) => Verb::Gate("stop", BOTH, false),
        Ok(ControlAction::StartUpstream) => Verb::Gate("start-upstream", UPSTREAM, true),
        Ok(ControlAction::StopUpstream) => Verb::Gate("stop-upstream", UPSTREAM, false),
        Ok(ControlAction::StartDownstream) => Verb::Gate("start-downstream", DOWNSTREAM, true),
        Ok(ControlAction::StopDownstream) => Verb::Gate("stop-downstream", DOWNSTREAM, false),
        Ok(ControlAction::Heartbeat) => Verb::Heartbeat,
        Ok(ControlAction::Ack | ControlAction::Error) => Verb::Heard,
        Ok(ControlAction::CodecSelect) => Verb::CodecSelect,
        Ok(
            ControlAction::ConnectorReady
            | ControlAction::ConnectorCapabilities
            | ControlAction::HandoffDraining
            | ControlAction::HandoffCutover
            | ControlAction::HandoffReady,
        )
        | Err(_) => Verb::Unknown,
    }
}

/// The same actions by name, as incumbents spell them.
fn custom_verb(name: &str) -> Verb {
    match name {
        "start" => Verb::Gate("start", BOTH, true),
        "resume" => Verb::Gate("resume", BOTH, true),
        "stop" => Verb::Gate("stop", BOTH, false),
        "pause" => Verb::Gate("pause", BOTH, false),
        "start-upstream" => Verb::Gate("start-upstream", UPSTREAM, true),
        "stop-upstream" => Verb::Gate("stop-upstream", UPSTREAM, false),
        "start-downstream" => Verb::Gate("start-downstream", DOWNSTREAM, true),
        "stop-downstream" => Verb::Gate("stop-downstream", DOWNSTREAM, false),
        "heartbeat" => Verb::Heartbeat,
        "codec-select" => Verb::CodecSelect,
        "noop" => Verb::Noop,
        "ack" => Verb::Heard,
        _ => Verb::Custom,
    }
}

fn custom(
    (stream, request): (&Stream, &Control<'_>),
    (engine, actions): (&mut Engine, &mut Actions),
    now: Moment,
) {
    let number = |key| {
        let value = request.metadata(key)?;
        value.trim().parse::<u64>().ok()
    };
    match request.custom_action.trim() {
        action::DOWNSTREAM_DELIVERED => {
            let receipt = Receipt {
                stream_id: request.metadata(receipt::STREAM_ID).unwrap_or_default(),
                partition: request.metadata(receipt::PARTITION).unwrap_or_default(),
                // No packet has 0: a receipt without a number is one for an unknown packet.
                sequence: number(receipt::SEQUENCE).unwrap_or(0),
            };
            engine.receipt(stream.conn, receipt, now, actions);
        }
        action::INTERRUPT => {
            let lane = request.metadata("lane").and_then(|name| {
                let mut lanes = Lane::ALL.into_iter();
                lanes.find(|lane| lane.as_str() == name)
            });
            if let Some(turn) = number("turn") {
                let interrupt = Interrupt { turn, lane };
                engine.interrupt(stream.conn, interrupt, now, actions);
            }
        }
        action::KEYFRAME => engine.ask_for_key_frame(stream.conn, now, actions),
        _ => {}
    }
}
