//! Owns the Story documents that a hub must be running for a scenario.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Flow, Pace, Scenario, Topology};
use crate::units::ProducerId;

/// Targets that a step has without a setting of its own (spec 2.8).
const DEFAULT_MAX_DOWNSTREAMS: u32 = 32;
/// Messages that an at_least_once queue holds at least; its default bounds are for less.
const LEAST_MESSAGES: u64 = 256;
/// Bytes that it holds at least (spec 2.8).
const LEAST_BYTES: u64 = 10 << 20;
/// Messages that a best_effort queue holds without a setting of its own (spec 2.8).
const DEFAULT_MESSAGES: u64 = 1000;
/// Bytes that it holds (spec 2.8).
const DEFAULT_BYTES: u64 = 10 << 20;
/// What a packet is beside its payload, at most.
const AROUND_PAYLOAD: u64 = 1024;
/// After so many packets a producer hears what is settled, unless its window is small (spec 2.8).
const ACK_EVERY: u64 = 10;

/// How much an at_least_once step of a scenario must be able to hold: four windows of those whom
/// its consumers hear, or a second of their schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `backpressure.buffer.maxMessages`.
    pub messages: u64,
    /// `backpressure.buffer.maxBytes`.
    pub bytes: u64,
    /// `flowControl.ackEvery.messages`: a window must never wait for the timer of this.
    pub ack_every: u64,
}

impl Bounds {
    /// The bounds of the Story of a scenario.
    pub fn of(scenario: &Scenario, topology: &Topology) -> Bounds {
        let mut bounds = Bounds {
            messages: LEAST_MESSAGES,
            bytes: LEAST_BYTES,
            ack_every: ACK_EVERY,
        };
        for consumer in &topology.consumers {
            let (mut messages, mut bytes) = (0u64, 0u64);
            for (producer, _) in &consumer.inputs {
                let plan = topology.producers.get(producer.0 as usize);
                let Some(flow) = plan.and_then(|plan| scenario.flows.get(plan.flow)) else {
                    continue;
                };
                let most = match flow.pace {
                    Pace::Window(window) => {
                        let quarter = (u64::from(window) / 4).max(1);
                        bounds.ack_every = bounds.ack_every.min(quarter);
                        u64::from(window).saturating_mul(4)
                    }
                    Pace::Rate(rate) => rate.ceil() as u64,
                };
                messages = messages.saturating_add(most);
                bytes = bytes.saturating_add(most.saturating_mul(packet_bytes(flow)));
            }
            bounds.messages = bounds.messages.max(messages);
            bounds.bytes = bounds.bytes.max(bytes);
        }
        bounds
    }
}

/// What one packet of a flow takes up at most.
fn packet_bytes(flow: &Flow) -> u64 {
    flow.size.max(flow.key_size) as u64 + AROUND_PAYLOAD
}

/// The windows of all whom the busiest best_effort consumer hears, as messages and bytes, where the
/// default queue has no room for them: what is under way flat out is never dropped by policy. Open
/// loop nothing bounds what is under way, and the default stays.
fn windows_beyond_default(scenario: &Scenario, topology: &Topology) -> Option<(u64, u64)> {
    let windows = |producer: &ProducerId| {
        let plan = topology.producers.get(producer.0 as usize)?;
        let flow = scenario.flows.get(plan.flow)?;
        match flow.pace {
            Pace::Window(window) => Some((u64::from(window), packet_bytes(flow))),
            Pace::Rate(_) => None,
        }
    };
    let rooms = topology.consumers.iter().map(|consumer| {
        let heard = consumer.inputs.iter();
        let heard = heard.filter_map(|(producer, _)| windows(producer));
        heard.fold((0u64, 0u64), |(messages, bytes), (window, size)| {
            let more = window.saturating_mul(size);
            (messages.saturating_add(window), bytes.saturating_add(more))
        })
    });
    let most = rooms.fold((DEFAULT_MESSAGES, DEFAULT_BYTES), |most, room| {
        (most.0.max(room.0), most.1.max(room.1))
    });
    (most != (DEFAULT_MESSAGES, DEFAULT_BYTES)).then_some(most)
}

/// The Story documents of a scenario, one per run, as YAML.
pub fn story_yaml(scenario: &Scenario, topology: &Topology) -> String {
    let mut order: Vec<&str> = Vec::new();
    let mut steps: HashMap<&str, String> = HashMap::new();
    let producers = topology.producers.iter().map(|p| (&p.name, Vec::new()));
    let consumers = topology.consumers.iter().map(|consumer| {
        let needs = consumer.inputs.iter();
        let needs = needs.filter_map(|(producer, _)| topology.producers.get(producer.0 as usize));
        let needs: Vec<&str> = needs.map(|p| p.name.step.as_str()).collect();
        (&consumer.name, needs)
    });
    for (name, needs) in producers.chain(consumers) {
        let lines = steps.entry(&name.run).or_insert_with(|| {
            order.push(&name.run);
            String::new()
        });
        let condition = scenario.condition.as_ref().filter(|_| !needs.is_empty());
        // In single quotes, a quote stands twice.
        let condition = condition.map(|text| format!(", if: '{}'", text.replace('\'', "''")));
        let (step, needs) = (&name.step, needs.join(", "));
        let condition = condition.unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            lines,
            "    - {{ name: {step}, ref: {{ name: {step} }}, transport: load, needs: [{needs}]{condition} }}"
        );
    }
    let settings = settings(scenario, topology);
    let head = |run: &str| head(scenario, run, &settings);
    let documents = order
        .iter()
        .filter_map(|run| Some(head(run) + steps.get(run)?));
    let documents: Vec<String> = documents.collect();
    documents.join("---\n")
}

/// A document up to its steps.
fn head(scenario: &Scenario, run: &str, settings: &str) -> String {
    let streaming = if settings.is_empty() {
        String::new()
    } else {
        format!("      streaming:\n{settings}")
    };
    format!(
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: {run}, namespace: {} }}\n\
         spec:\n  pattern: streaming\n  transports:\n    - name: load\n      transportRef: grpc\n\
         {streaming}  steps:\n",
        scenario.namespace,
    )
}

/// The settings that differ from the defaults, one a line.
fn settings(scenario: &Scenario, topology: &Topology) -> String {
    let mut lines = String::new();
    let widest = scenario.flows.iter().map(|flow| flow.fan_out).max();
    // Writing to a String cannot fail.
    if let Some(fan_out) = widest.filter(|fan_out| *fan_out > DEFAULT_MAX_DOWNSTREAMS) {
        let _ = writeln!(lines, "        routing: {{ maxDownstreams: {fan_out} }}");
    }
    let buffer = |(messages, bytes): (u64, u64)| {
        format!(
            "        backpressure: {{ buffer: {{ maxMessages: {messages}, maxBytes: {bytes} }} }}\n"
        )
    };
    if scenario.is_guaranteed() {
        let bounds = Bounds::of(scenario, topology);
        let _ = write!(
            lines,
            "        delivery: {{ semantics: at_least_once, ordering: per_stream, replay: {{ mode: memory }} }}\n\
             {}\x20       flowControl: {{ ackEvery: {{ messages: {} }} }}\n",
            buffer((bounds.messages, bounds.bytes)),
            bounds.ack_every
        );
    } else if let Some(room) = windows_beyond_default(scenario, topology) {
        lines += &buffer(room);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(head: &str, flow: &str) -> String {
        let text = format!(
            "{head}\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = {{ window = 1 }}\n{flow}"
        );
        let scenario = Scenario::from_toml("test", &text).unwrap();
        story_yaml(&scenario, &Topology::of(&scenario))
    }

    const AUDIO: &str = "[[flow]]\nkind = \"audio\"\nsize = 80\npace = { window = 1 }";

    #[test]
    fn a_condition_stands_at_consumers_and_keeps_its_quotes() {
        let scenario = Scenario {
            condition: Some("{{ eq packet.metadata.type `it's` }}".to_owned()),
            ..Scenario::from_toml("test", AUDIO).unwrap()
        };
        let topology = Topology::of(&scenario);
        let text = story_yaml(&scenario, &topology);
        let written = "if: '{{ eq packet.metadata.type `it''s` }}'";
        assert_eq!(text.matches(written).count(), topology.consumers.len());
    }

    #[test]
    fn a_pair_is_a_source_and_a_step_that_needs_it() {
        let text = yaml("", "");
        assert!(text.contains("name: load-p0, ref: { name: load-p0 }, transport: load, needs: []"));
        assert!(text.contains("transport: load, needs: [load-p0]"));
        assert!(!text.contains("maxDownstreams"));
    }

    #[test]
    fn a_wide_fan_out_raises_the_cap() {
        assert!(yaml("", "fan_out = 33").contains("maxDownstreams: 33"));
    }

    #[test]
    fn a_guaranteed_load_asks_for_receipts_and_for_room_for_its_window() {
        let text = yaml(
            "semantics = \"at_least_once\"",
            "producers = 3\nconsumers = 1",
        );
        assert!(text.contains("semantics: at_least_once"), "{text}");
        assert!(text.contains("ackEvery: { messages: 1 }"), "{text}");
        let text = yaml("semantics = \"at_least_once\"\nruns = 2", "producers = 2");
        assert_eq!(text.matches("replay: { mode: memory }").count(), 2);
    }

    #[test]
    fn the_room_is_that_of_all_who_are_heard() {
        let text = "[[flow]]\nkind = \"audio\"\nsize = 80\nproducers = 3\nconsumers = 1\npace = { window = 256 }";
        let scenario = Scenario::from_toml("test", text).unwrap();
        let bounds = Bounds::of(&scenario, &Topology::of(&scenario));
        assert_eq!((bounds.messages, bounds.ack_every), (4 * 3 * 256, 10));
    }

    #[test]
    fn a_window_that_the_default_queue_has_no_room_for_gets_its_room() {
        let text = |flow: &str| {
            let text = format!("[[flow]]\nkind = \"audio\"\n{flow}");
            let scenario = Scenario::from_toml("test", &text).unwrap();
            story_yaml(&scenario, &Topology::of(&scenario))
        };
        let fits = text("size = 640\npace = { window = 256 }");
        assert!(!fits.contains("buffer"), "{fits}");
        let many = text("size = 80\npace = { window = 1024 }");
        assert!(
            many.contains("maxMessages: 1024, maxBytes: 10485760"),
            "{many}"
        );
        let long = text("size = \"1MiB\"\npace = { window = 20 }");
        assert!(
            long.contains("maxMessages: 1000, maxBytes: 20992000"),
            "{long}"
        );
        let several = text("size = 80\nproducers = 5\nconsumers = 1\npace = { window = 256 }");
        assert!(several.contains("maxMessages: 1280"), "{several}");
        let paced = text("size = 80\npace = { rate = 90000.0 }");
        assert!(!paced.contains("buffer"), "{paced}");
    }

    #[test]
    fn every_run_is_a_document() {
        let text = yaml("runs = 3", "producers = 3");
        assert_eq!(text.matches("kind: Story").count(), 3);
        assert_eq!(text.matches("---").count(), 2);
    }
}
