//! The Story of a world, as the engine routes it.

use std::time::Duration;

use engine::StepIndex;
use engine::route::{
    AckEvery, Credits, EdgePlan, FlowMode, FlowPlan, Guarantee, Lane, LanePlan, Overflow,
    OverflowPolicy, QueueBounds, Redelivery, RunPlan, Semantics, StepPlan,
};

use crate::draw::{self, NAMESPACE, RUN, Script, StepSettings};
use crate::oracle::{Pace, Promise};
use crate::time::Nanos;

/// The plan of a script.
pub(crate) fn run_plan(script: &Script) -> RunPlan {
    let steps = script.steps.iter().map(|s| step_plan(&s.name, &s.settings));
    let edges = script
        .edges
        .iter()
        .map(|&(from, to)| EdgePlan::plain(StepIndex(from as u16), StepIndex(to as u16)));
    RunPlan {
        namespace: NAMESPACE.into(),
        name: RUN.into(),
        story: "story".into(),
        steps: steps.collect(),
        edges: edges.collect(),
        inputs: bytes::Bytes::new(),
        cancel_previous: script.cancel_previous,
    }
}

fn step_plan(name: &str, settings: &StepSettings) -> StepPlan {
    let bounds = |messages: u64| QueueBounds {
        max_messages: messages as usize,
        max_bytes: settings.max_bytes as usize,
        max_age: None,
        overflow: match settings.drop_oldest {
            true => OverflowPolicy::DropOldest,
            false => OverflowPolicy::DropNewest,
        },
    };
    let lanes = settings.lanes.iter().map(|&(lane, messages)| LanePlan {
        lane: match lane {
            draw::Lane::Audio => Lane::Audio,
            draw::Lane::Binary => Lane::Binary,
            draw::Lane::Video => Lane::Video,
        },
        bounds: bounds(messages),
        max_media: None,
    });
    StepPlan {
        queue: bounds(settings.max_messages),
        semantics: semantics(settings),
        flow: flow(settings),
        lanes: lanes.collect(),
        ..StepPlan::engram(name)
    }
}

fn semantics(settings: &StepSettings) -> Semantics {
    match settings.promise {
        Promise::BestEffort => Semantics::BestEffort,
        Promise::AtLeastOnce {
            dead_letter,
            per_partition,
            redelivery,
        } => Semantics::AtLeastOnce(Guarantee {
            overflow: match dead_letter {
                true => Overflow::DeadLetter,
                false => Overflow::Pause,
            },
            per_partition,
            redelivery: redelivery.map(|(wait, most)| Redelivery {
                ack_wait: duration(wait),
                max_deliver: most as u32,
            }),
        }),
    }
}

fn flow(settings: &StepSettings) -> FlowPlan {
    FlowPlan {
        mode: match settings.pace {
            Pace::Free => FlowMode::None,
            Pace::Credits => FlowMode::Credits,
            Pace::Window => FlowMode::Window,
        },
        grant: Credits {
            messages: settings.grant_messages,
            bytes: settings.grant_bytes,
        },
        ack_every: AckEvery {
            messages: settings.ack_messages,
            bytes: 0,
            max_delay: duration(settings.ack_delay),
        },
        max_in_flight: settings.max_in_flight.map(|n| n as usize),
        ..FlowPlan::default()
    }
}

fn duration(span: Nanos) -> Duration {
    Duration::from_nanos(span.0)
}
