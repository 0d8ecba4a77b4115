//! One level of settings onto those below it: a field that is given overrides, an omitted one
//! never does; lists are replaced whole.

use std::time::Duration;

use engine::route::PartitionKey;

use super::StreamingSettings;
use super::delivery::*;
use super::levels::{Level, unless_zero};
use super::routing::*;
use crate::story::fields::Fields;
use crate::story::read::View;

/// Messages, entries, partitions: what a signed 32-bit number holds, as in the resources.
const COUNT: std::ops::RangeInclusive<u64> = 1..=i32::MAX as u64;
const FROM_ZERO: std::ops::RangeInclusive<u64> = 0..=i32::MAX as u64;
/// Up to 1 TiB.
const BYTES: std::ops::RangeInclusive<u64> = 1..=1 << 40;
const BYTES_FROM_ZERO: std::ops::RangeInclusive<u64> = 0..=1 << 40;

/// Most rules of one transport: each is looked at for every way from each of its steps.
const MAX_RULES: usize = 1000;

const DROP_POLICIES: &[(&str, DropPolicy)] = &[
    ("drop_newest", DropPolicy::DropNewest),
    ("drop_oldest", DropPolicy::DropOldest),
];

/// Applies a level.
pub(super) fn level(level: &Level<'_>, settings: &mut StreamingSettings) {
    let Some(fields) = level.view.fields() else {
        return;
    };
    let raw = level.raw;
    let group = |name: &'static str, read: &mut dyn FnMut(&Fields<'_>)| {
        if let Some(fields) = fields.fields(name) {
            read(&fields);
            done(fields, raw);
        }
    };
    group("backpressure", &mut |f| backpressure(f, settings, raw));
    group("flowControl", &mut |f| {
        flow_control(f, &mut settings.flow_control, raw);
    });
    group("delivery", &mut |f| {
        delivery(f, &mut settings.delivery, raw)
    });
    group("routing", &mut |f| routing(f, &mut settings.routing, raw));
    fields.set("lanes", &mut settings.lanes, |view| lanes(view, raw));
    group("fanIn", &mut |f| fan_in(f, &mut settings.fan_in));
    group("partitioning", &mut |f| {
        partitioning(f, &mut settings.partitioning);
    });
    group("lifecycle", &mut |f| lifecycle(f, &mut settings.lifecycle));
    group("observability", &mut |f| {
        observability(f, &mut settings.observability, raw);
    });
    group("recording", &mut |f| recording(f, &mut settings.recording));
    done(fields, raw);
}

fn done(fields: Fields<'_>, raw: bool) {
    if !raw {
        fields.finish(&["description"]);
    }
}

/// Reads a nested mapping, if it is given.
fn nested(fields: &Fields<'_>, name: &'static str, raw: bool, read: impl FnOnce(&Fields<'_>)) {
    if let Some(inner) = fields.fields(name) {
        read(&inner);
        done(inner, raw);
    }
}

fn backpressure(f: &Fields<'_>, settings: &mut StreamingSettings, raw: bool) {
    let buffer = &mut settings.backpressure.buffer;
    nested(f, "buffer", raw, |f| {
        f.set("maxMessages", &mut buffer.max_messages, |v| v.count(COUNT));
        f.set("maxBytes", &mut buffer.max_bytes, |v| v.bytes(BYTES));
        f.set("maxAgeSeconds", &mut buffer.max_age, |v| {
            v.count(FROM_ZERO).map(unless_zero)
        });
        f.set("dropPolicy", &mut buffer.drop_policy, |v| {
            v.word(DROP_POLICIES)
        });
    });
}

fn flow_control(f: &Fields<'_>, flow: &mut FlowControl, raw: bool) {
    f.set("mode", &mut flow.mode, |v| {
        v.word(&[
            ("none", FlowMode::None),
            ("credits", FlowMode::Credits),
            ("window", FlowMode::Window),
        ])
    });
    let credits = &mut flow.initial_credits;
    nested(f, "initialCredits", raw, |f| {
        f.set("messages", &mut credits.messages, |v| v.count(COUNT));
        f.set("bytes", &mut credits.bytes, |v| v.bytes(BYTES));
    });
    let ack = &mut flow.ack_every;
    nested(f, "ackEvery", raw, |f| {
        f.set("messages", &mut ack.messages, |v| v.count(FROM_ZERO));
        f.set("bytes", &mut ack.bytes, |v| v.bytes(BYTES_FROM_ZERO));
        f.set("maxDelay", &mut ack.max_delay, View::duration);
    });
    let percent = |v: &View<'_>| v.count(0..=100).and_then(|n| u8::try_from(n).ok());
    nested(f, "pauseThreshold", raw, |f| {
        f.set("bufferPct", &mut flow.pause_pct, percent);
    });
    nested(f, "resumeThreshold", raw, |f| {
        f.set("bufferPct", &mut flow.resume_pct, percent);
    });
}

fn delivery(f: &Fields<'_>, delivery: &mut Delivery, raw: bool) {
    f.set("ordering", &mut delivery.ordering, |v| {
        v.word(&[
            ("none", Ordering::None),
            ("per_stream", Ordering::PerStream),
            ("per_partition", Ordering::PerPartition),
        ])
    });
    f.set("semantics", &mut delivery.semantics, |v| {
        v.word(&[
            ("best_effort", Semantics::BestEffort),
            ("at_least_once", Semantics::AtLeastOnce),
        ])
    });
    let replay = &mut delivery.replay;
    nested(f, "replay", raw, |f| {
        f.set("mode", &mut replay.mode, |v| {
            v.word(&[
                ("none", ReplayMode::None),
                ("memory", ReplayMode::Memory),
                ("durable", ReplayMode::Durable),
            ])
        });
        f.set("retentionSeconds", &mut replay.retention, |v| {
            v.count(FROM_ZERO).map(unless_zero)
        });
        f.set(
            "checkpointInterval",
            &mut replay.checkpoint_interval,
            View::duration,
        );
    });
    let redelivery = &mut delivery.redelivery;
    nested(f, "redelivery", raw, |f| {
        f.set("ackWait", &mut redelivery.ack_wait, |v| {
            v.duration().map(Some)
        });
        f.set("maxDeliver", &mut redelivery.max_deliver, narrow(FROM_ZERO));
    });
    f.set("overflow", &mut delivery.overflow, |v| {
        v.word(&[
            ("pause", Overflow::Pause),
            ("dead_letter", Overflow::DeadLetter),
        ])
    });
}

/// A count that fits 32 bits.
fn narrow(allowed: std::ops::RangeInclusive<u64>) -> impl FnOnce(&View<'_>) -> Option<u32> {
    move |v| v.count(allowed).and_then(|n| u32::try_from(n).ok())
}

fn routing(f: &Fields<'_>, routing: &mut Routing, raw: bool) {
    f.set("mode", &mut routing.mode, |v| {
        v.word(&[
            ("auto", RoutingMode::Auto),
            ("hub", RoutingMode::Hub),
            ("p2p", RoutingMode::P2p),
        ])
    });
    f.set("fanOut", &mut routing.fan_out, |v| {
        v.word(&[
            ("sequential", FanOut::Sequential),
            ("parallel", FanOut::Parallel),
        ])
    });
    f.set("maxDownstreams", &mut routing.max_downstreams, |v| {
        v.count(COUNT)
    });
    f.set("rules", &mut routing.rules, |view| {
        let items = view.items()?;
        if items.len() > MAX_RULES {
            view.problem(format!("has {} rules; {MAX_RULES} at most", items.len()));
            return None;
        }
        Some(items.iter().filter_map(|item| rule(item, raw)).collect())
    });
}

fn rule(view: &View<'_>, raw: bool) -> Option<Rule> {
    let f = view.fields()?;
    let name = f.get("name").and_then(|v| v.text().map(str::to_owned));
    let when = f.get("when").map(|v| v.located());
    let mut action = RuleAction::default();
    f.set("action", &mut action, |v| {
        v.word(&[("allow", RuleAction::Allow), ("deny", RuleAction::Deny)])
    });
    let mut targets = Vec::new();
    nested(&f, "target", raw, |f| f.set("steps", &mut targets, texts));
    done(f, raw);
    Some(Rule {
        name,
        when,
        action,
        targets,
    })
}

/// A list of text.
fn texts(view: &View<'_>) -> Option<Vec<String>> {
    let items = view.items()?;
    Some(
        items
            .iter()
            .filter_map(|item| item.text().map(str::to_owned))
            .collect(),
    )
}

fn lanes(view: &View<'_>, raw: bool) -> Option<Vec<Lane>> {
    let items = view.items()?;
    let mut lanes: Vec<Lane> = Vec::new();
    for item in &items {
        if let Some(lane) = lane(item, raw) {
            if lanes.iter().any(|known| known.name == lane.name) {
                let name = item.fields().and_then(|fields| fields.get("name"));
                let at = name.as_ref().unwrap_or(item);
                at.problem(format!("duplicate lane {:?}", lane.name));
            }
            lanes.push(lane);
        }
    }
    Some(lanes)
}

fn lane(view: &View<'_>, raw: bool) -> Option<Lane> {
    let f = view.fields()?;
    let kinds = [
        ("audio", LaneKind::Audio),
        ("video", LaneKind::Video),
        ("binary", LaneKind::Binary),
        ("payload", LaneKind::Payload),
        ("control", LaneKind::Control),
    ];
    let name = f.required_text("name").map(|(name, _)| name.to_owned());
    let kind = match f.get("kind") {
        Some(kind) => kind.word(&kinds),
        None => {
            f.missing("kind");
            None
        }
    };
    let mut lane = Lane {
        name: String::new(),
        kind: LaneKind::Payload,
        direction: LaneDirection::default(),
        max_messages: 100,
        max_bytes: 1 << 20,
        max_media: None,
        drop_policy: None,
    };
    f.set("direction", &mut lane.direction, |v| {
        v.word(&[
            ("publish", LaneDirection::Publish),
            ("subscribe", LaneDirection::Subscribe),
            ("bidirectional", LaneDirection::Bidirectional),
        ])
    });
    f.set("maxMessages", &mut lane.max_messages, |v| v.count(COUNT));
    f.set("maxBytes", &mut lane.max_bytes, |v| v.bytes(BYTES));
    f.set("maxMediaMs", &mut lane.max_media, |v| {
        let milliseconds = v.count(FROM_ZERO)?;
        Some((milliseconds > 0).then(|| Duration::from_millis(milliseconds)))
    });
    f.set("dropPolicy", &mut lane.drop_policy, |v| {
        v.word(DROP_POLICIES).map(Some)
    });
    done(f, raw);
    Some(Lane {
        name: name?,
        kind: kind?,
        ..lane
    })
}

fn fan_in(f: &Fields<'_>, fan_in: &mut FanIn) {
    f.set("mode", &mut fan_in.mode, |v| {
        v.word(&[
            ("all", FanInMode::All),
            ("any", FanInMode::Any),
            ("quorum", FanInMode::Quorum),
        ])
    });
    f.set("quorum", &mut fan_in.quorum, |v| narrow(COUNT)(v).map(Some));
    f.set("timeoutSeconds", &mut fan_in.timeout, |v| {
        v.count(FROM_ZERO).map(unless_zero)
    });
    f.set("maxEntries", &mut fan_in.max_entries, |v| v.count(COUNT));
    f.set("onTimeout", &mut fan_in.on_timeout, |v| {
        v.word(&[("drop", OnTimeout::Drop), ("partial", OnTimeout::Partial)])
    });
}

fn partitioning(f: &Fields<'_>, partitioning: &mut Partitioning) {
    f.set("mode", &mut partitioning.mode, |v| {
        v.word(&[
            ("none", PartitionMode::None),
            ("preserve", PartitionMode::Preserve),
            ("hash", PartitionMode::Hash),
        ])
    });
    f.set("key", &mut partitioning.key, |v| {
        let text = v.text()?;
        match PartitionKey::parse(text) {
            Ok(_) => Some(Some(text.to_owned())),
            Err(error) => {
                v.problem(error.to_string());
                None
            }
        }
    });
    f.set(
        "partitions",
        &mut partitioning.partitions,
        narrow(FROM_ZERO),
    );
    f.set("sticky", &mut partitioning.sticky, View::boolean);
}

fn lifecycle(f: &Fields<'_>, lifecycle: &mut Lifecycle) {
    f.set("strategy", &mut lifecycle.strategy, |v| {
        v.word(&[
            ("rolling", LifecycleStrategy::Rolling),
            ("drain_cutover", LifecycleStrategy::DrainCutover),
            ("blue_green", LifecycleStrategy::BlueGreen),
        ])
    });
    f.set("drainTimeoutSeconds", &mut lifecycle.drain_timeout, |v| {
        v.count(FROM_ZERO).map(Duration::from_secs)
    });
    f.set("maxInFlight", &mut lifecycle.max_in_flight, |v| {
        v.count(FROM_ZERO).map(|n| Some(n).filter(|n| *n > 0))
    });
}

fn observability(f: &Fields<'_>, observability: &mut Observability, raw: bool) {
    let metrics = &mut observability.metrics;
    nested(f, "metrics", raw, |f| {
        f.set("enabled", &mut metrics.enabled, View::boolean);
    });
    let tracing = &mut observability.tracing;
    nested(f, "tracing", raw, |f| {
        f.set("enabled", &mut tracing.enabled, View::boolean);
        f.set("sampleRate", &mut tracing.sample_rate, View::percent);
        f.set("samplePolicy", &mut tracing.sample_policy, |v| {
            v.word(&[
                ("rate", SamplePolicy::Rate),
                ("always", SamplePolicy::Always),
                ("never", SamplePolicy::Never),
            ])
        });
    });
    let watermark = &mut observability.watermark;
    nested(f, "watermark", raw, |f| {
        f.set("enabled", &mut watermark.enabled, View::boolean);
        f.set("timestampSource", &mut watermark.timestamp_source, |v| {
            v.text().map(|source| Some(source.to_owned()))
        });
    });
}

fn recording(f: &Fields<'_>, recording: &mut Recording) {
    f.set("mode", &mut recording.mode, |v| {
        v.word(&[
            ("off", RecordingMode::Off),
            ("metadata", RecordingMode::Metadata),
            ("payload", RecordingMode::Payload),
        ])
    });
    f.set("sampleRate", &mut recording.sample_rate, View::percent);
    f.set("retentionSeconds", &mut recording.retention, |v| {
        v.count(FROM_ZERO).map(unless_zero)
    });
    f.set("redactFields", &mut recording.redact_fields, texts);
}
