//! Owns the Story documents that a hub must be running for a scenario.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Scenario, Topology};

/// Targets that a step has without a setting of its own (spec 2.8).
const DEFAULT_MAX_DOWNSTREAMS: u32 = 32;

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
        let (step, needs) = (&name.step, needs.join(", "));
        // Writing to a String cannot fail.
        let _ = writeln!(
            lines,
            "    - {{ name: {step}, ref: {{ name: {step} }}, transport: load, needs: [{needs}] }}"
        );
    }
    let head = |run: &str| head(scenario, run);
    let documents = order
        .iter()
        .filter_map(|run| Some(head(run) + steps.get(run)?));
    let documents: Vec<String> = documents.collect();
    documents.join("---\n")
}

/// A document up to its steps.
fn head(scenario: &Scenario, run: &str) -> String {
    let widest = scenario.flows.iter().map(|flow| flow.fan_out).max();
    let cap = widest
        .filter(|fan_out| *fan_out > DEFAULT_MAX_DOWNSTREAMS)
        .map(|fan_out| {
            format!("      streaming: {{ routing: {{ maxDownstreams: {fan_out} }} }}\n")
        });
    format!(
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: {run}, namespace: {} }}\n\
         spec:\n  pattern: streaming\n  transports:\n    - name: load\n      transportRef: grpc\n\
         {}  steps:\n",
        scenario.namespace,
        cap.unwrap_or_default()
    )
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
    fn every_run_is_a_document() {
        let text = yaml("runs = 3", "producers = 3");
        assert_eq!(text.matches("kind: Story").count(), 3);
        assert_eq!(text.matches("---").count(), 2);
    }
}
