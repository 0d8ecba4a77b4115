//! From a transport's settings to what the engine asks of a step (spec 2.8).

use engine::route::{
    self, FanInPlan, FlowPlan, Guarantee, LanePlan, OverflowPolicy, PartitionKey, PartitionPlan,
    QueueBounds, Redelivery, Semantics, TimestampSource,
};

use crate::story::settings::{
    self, Buffer, Delivery, DropPolicy, FlowMode, Lane, LaneDirection, LaneKind, Overflow,
    StreamingSettings,
};

pub(super) fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

pub(super) fn bounds(buffer: &Buffer) -> QueueBounds {
    QueueBounds {
        max_messages: size(buffer.max_messages),
        max_bytes: size(buffer.max_bytes),
        max_age: buffer.max_age,
        overflow: overflow(buffer.drop_policy),
    }
}

fn overflow(policy: DropPolicy) -> OverflowPolicy {
    match policy {
        DropPolicy::DropNewest => OverflowPolicy::DropNewest,
        DropPolicy::DropOldest => OverflowPolicy::DropOldest,
    }
}

/// What is promised; a replay mode implies at_least_once (spec 2.4).
pub(super) fn semantics(settings: &StreamingSettings) -> Semantics {
    let delivery = &settings.delivery;
    if !is_kept(delivery) {
        return Semantics::BestEffort;
    }
    let redelivery = delivery.redelivery.ack_wait.map(|ack_wait| Redelivery {
        ack_wait,
        max_deliver: delivery.redelivery.max_deliver,
    });
    Semantics::AtLeastOnce(Guarantee {
        overflow: match delivery.overflow {
            Overflow::Pause => route::Overflow::Pause,
            Overflow::DeadLetter => route::Overflow::DeadLetter,
        },
        per_partition: delivery.ordering == settings::Ordering::PerPartition,
        redelivery,
    })
}

fn is_kept(delivery: &Delivery) -> bool {
    delivery.semantics == settings::Semantics::AtLeastOnce
        || delivery.replay.mode != settings::ReplayMode::None
}

/// How packets of several upstream steps meet.
pub(super) fn fan_in(fan_in: &settings::FanIn) -> FanInPlan {
    FanInPlan {
        mode: match fan_in.mode {
            settings::FanInMode::All => route::FanInMode::All,
            settings::FanInMode::Any => route::FanInMode::Any,
            settings::FanInMode::Quorum => route::FanInMode::Quorum(fan_in.quorum.unwrap_or(0)),
        },
        timeout: fan_in.timeout,
        max_entries: size(fan_in.max_entries),
        on_timeout: match fan_in.on_timeout {
            settings::OnTimeout::Drop => route::OnTimeout::Drop,
            settings::OnTimeout::Partial => route::OnTimeout::Partial,
        },
    }
}

/// How packets are spread over partitions; `None` leaves them as they are.
pub(super) fn partition(asked: &settings::Partitioning) -> Option<PartitionPlan> {
    let mode = match asked.mode {
        settings::PartitionMode::None => return None,
        settings::PartitionMode::Preserve => route::PartitionMode::Preserve,
        settings::PartitionMode::Hash => route::PartitionMode::Hash,
    };
    // The loader has refused keys that are none.
    let key = asked.key.as_deref().map(PartitionKey::parse);
    Some(PartitionPlan {
        mode,
        key: key.and_then(Result::ok).unwrap_or_default(),
        partitions: asked.partitions,
        sticky: asked.sticky,
    })
}

/// Where packets say when what they speak of happened.
pub(super) fn watermark(asked: &settings::Observability) -> Option<TimestampSource> {
    let watermark = &asked.watermark;
    let source = watermark.timestamp_source.as_deref().unwrap_or_default();
    watermark.enabled.then(|| TimestampSource::parse(source))
}

pub(super) fn flow(settings: &StreamingSettings) -> FlowPlan {
    let flow = &settings.flow_control;
    FlowPlan {
        mode: match flow.mode {
            FlowMode::None => route::FlowMode::None,
            FlowMode::Credits => route::FlowMode::Credits,
            FlowMode::Window => route::FlowMode::Window,
        },
        grant: route::Credits {
            messages: flow.initial_credits.messages,
            bytes: flow.initial_credits.bytes,
        },
        ack_every: route::AckEvery {
            messages: flow.ack_every.messages,
            bytes: flow.ack_every.bytes,
            max_delay: flow.ack_every.max_delay,
        },
        pause_pct: flow.pause_pct,
        resume_pct: flow.resume_pct,
        max_in_flight: settings.lifecycle.max_in_flight.map(size),
    }
}

/// The lanes that bound what goes to a step; those of what it publishes bound nothing here.
pub(super) fn lanes(settings: &StreamingSettings) -> Vec<LanePlan> {
    let towards_step = |lane: &&Lane| lane.direction != LaneDirection::Publish;
    let lanes = settings.lanes.iter().filter(towards_step);
    lanes.map(|lane| lane_plan(lane, settings)).collect()
}

fn lane_plan(lane: &Lane, settings: &StreamingSettings) -> LanePlan {
    let buffer = &settings.backpressure.buffer;
    LanePlan {
        lane: match lane.kind {
            LaneKind::Audio => route::Lane::Audio,
            LaneKind::Video => route::Lane::Video,
            LaneKind::Binary => route::Lane::Binary,
            LaneKind::Payload => route::Lane::Payload,
            LaneKind::Control => route::Lane::Control,
        },
        bounds: QueueBounds {
            max_messages: size(lane.max_messages),
            max_bytes: size(lane.max_bytes),
            max_age: None,
            overflow: overflow(lane.drop_policy.unwrap_or(buffer.drop_policy)),
        },
        max_media: lane.max_media,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_mode_implies_at_least_once() {
        let mut settings = StreamingSettings::default();
        assert_eq!(semantics(&settings), Semantics::BestEffort);
        settings.delivery.replay.mode = settings::ReplayMode::Memory;
        let kept = Semantics::AtLeastOnce(Guarantee::default());
        assert_eq!(semantics(&settings), kept);
    }

    #[test]
    fn the_defaults_of_both_sides_are_those_of_the_spec() {
        let settings = StreamingSettings::default();
        assert_eq!(flow(&settings), FlowPlan::default());
        assert_eq!(
            bounds(&settings.backpressure.buffer),
            QueueBounds::default()
        );
    }
}
