//! Lifecycle hooks: packets by which the hub tells engrams that a step, or all of a run, is there
//! (spec 2.7). At most once a run, event and step, reconnects included.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, SecondsFormat};
use expr::{Value, json, structs};
use serde_json::json;
use transport_proto::names::metadata as names;
use transport_proto::splice::{Cut, Kept, put_metadata, put_payload, put_process_head};
use transport_proto::view::{Dialect, PacketView};

use super::{Actions, Engine};
use crate::decide::{Question, StepPrograms, Verdict};
use crate::ids::{Moment, RunId, StepIndex};
use crate::route::RunPlan;

/// A lifecycle event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    /// A step has registered for the first time.
    StepReady,
    /// Every engram step of the run is connected.
    RunReady,
}

impl Hook {
    fn as_str(self) -> &'static str {
        match self {
            Self::StepReady => "steprun.ready",
            Self::RunReady => "storyrun.ready",
        }
    }
}

/// Who is told what, and what has been told.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    /// Steps that ask for an event, and what is asked of it.
    listeners: Vec<(StepIndex, Listener)>,
    /// Steps whose first registration has been told.
    seen: BTreeSet<StepIndex>,
}

#[derive(Debug)]
struct Listener {
    programs: StepPrograms,
    step_ready: bool,
    run_ready: bool,
}

impl Hooks {
    /// What the steps of `plan` ask for.
    pub(super) fn of(plan: &RunPlan) -> Self {
        let listeners = (0u16..).zip(&plan.steps).filter_map(|(at, step)| {
            let asked = step.hooks.as_ref()?;
            let listener = Listener {
                programs: StepPrograms::of_hook(asked, plan),
                step_ready: asked.step_ready,
                run_ready: asked.run_ready,
            };
            Some((StepIndex(at), listener))
        });
        Self {
            listeners: listeners.collect(),
            seen: BTreeSet::new(),
        }
    }
}

impl Engine {
    /// Tells of a step that has registered, and, when it `completes` the run, of the run.
    pub(super) fn tell_hooks(
        &mut self,
        (run, step): (RunId, StepIndex),
        completes: bool,
        now: Moment,
        actions: &mut Actions,
    ) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        if live.hooks.listeners.is_empty() {
            return;
        }
        if live.hooks.seen.insert(step) {
            self.send_hook((run, step), Hook::StepReady, now, actions);
        }
        if completes {
            self.send_hook((run, step), Hook::RunReady, now, actions);
        }
    }

    fn send_hook(
        &mut self,
        (run, origin): (RunId, StepIndex),
        hook: Hook,
        now: Moment,
        actions: &mut Actions,
    ) {
        let surroundings = self.surroundings(now);
        let live = &mut self.runs[run.0 as usize];
        let Some(packet) = packet(&live.plan, (hook, origin), surroundings.now_nanos) else {
            return;
        };
        let Ok(view) = PacketView::parse(&packet, Dialect::Packet) else {
            return;
        };
        let question = Question {
            packet: &packet,
            view: &view,
            meetings: &[],
            surroundings: &surroundings,
        };
        for (to, listener) in &live.hooks.listeners {
            let asks = match hook {
                Hook::StepReady => listener.step_ready,
                Hook::RunReady => listener.run_ready,
            };
            if !asks {
                continue;
            }
            let decided = listener.programs.decide(&question);
            let Some(Verdict::Taken(change)) = decided.edges.into_iter().next() else {
                continue;
            };
            let cut = Cut {
                inputs: change.cuts.inputs,
                ..Cut::default()
            };
            let mut out = BytesMut::new();
            Kept::of(&packet, &view, &cut).copy_to(&packet, &mut out);
            let target = &live.plan.steps[to.at()].id;
            let routing = [
                (names::STORYRUN_NAME, &*live.plan.name),
                (names::STORYRUN_NAMESPACE, &*live.plan.namespace),
                (names::CURRENT_STEP_ID, &**target),
            ];
            for (key, value) in routing {
                put_metadata(&mut out, Dialect::Packet, key, value);
            }
            out.extend_from_slice(&change.fields);
            let mut message = BytesMut::new();
            put_process_head(&mut message, out.len());
            message.extend_from_slice(&out);
            let session = &mut live.sessions[to.at()];
            let idle = session.is_idle(now);
            session.push_hook(message.freeze());
            if idle {
                actions.wake.extend(session.owner);
            }
        }
    }
}

/// The packet that tells of an event (spec 2.7).
fn packet(plan: &RunPlan, (hook, origin): (Hook, StepIndex), now_nanos: i64) -> Option<Bytes> {
    let event = hook.as_str();
    let step = &*plan.steps.get(origin.at())?.id;
    let (namespace, run) = (&*plan.namespace, &*plan.name);
    let id = format!("{namespace}/{run}:{event}:{step}");
    let time = DateTime::from_timestamp_nanos(now_nanos);
    let payload = json!({
        "kind": "hook",
        "type": event,
        "hook": {
            "version": "v1",
            "event": event,
            "source": "hub",
            "data": {
                "timestamp": time.to_rfc3339_opts(SecondsFormat::Nanos, true),
                "storyRun": { "name": run, "namespace": namespace },
                "step": { "name": step },
            },
        },
    });
    let metadata = [
        (names::KIND, "hook"),
        (names::TYPE, event),
        (names::HOOK_EVENT, event),
        (names::HOOK_SOURCE, "hub"),
        (names::SOURCE, "hub"),
        (names::PROVIDER, "hub"),
        (names::HOOK_STEP, step),
        (names::ENVELOPE_MESSAGE_ID, &*id),
    ];
    let mut out = BytesMut::new();
    for (key, value) in metadata {
        put_metadata(&mut out, Dialect::Packet, key, value);
    }
    let value = json::parse(payload.to_string().as_bytes()).unwrap_or(Value::Nil);
    let mut body = BytesMut::new();
    structs::encode(&value, &mut body).ok()?;
    put_payload(&mut out, Dialect::Packet, &body);
    Some(out.freeze())
}
