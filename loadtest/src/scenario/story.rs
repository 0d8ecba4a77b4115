//! Owns the Story documents that a hub must be running for a scenario.

use std::fmt::Write as _;

use super::{Scenario, Topology};

/// Targets that a step has without a setting of its own (spec 2.8).
const DEFAULT_MAX_DOWNSTREAMS: u32 = 32;

/// The Story documents of a scenario, one per run, as YAML.
pub fn story_yaml(scenario: &Scenario, topology: &Topology) -> String {
    let mut runs: Vec<&str> = Vec::new();
    for producer in &topology.producers {
        if !runs.contains(&producer.name.run.as_str()) {
            runs.push(&producer.name.run);
        }
    }
    let documents: Vec<String> = runs
        .iter()
        .map(|run| document(scenario, topology, run))
        .collect();
    documents.join("---\n")
}

fn document(scenario: &Scenario, topology: &Topology, run: &str) -> String {
    let mut yaml = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        yaml,
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: {run}, namespace: {} }}\n\
         spec:\n  pattern: streaming\n  transports:\n    - name: load\n      transportRef: grpc\n",
        scenario.namespace
    );
    let widest = scenario.flows.iter().map(|flow| flow.fan_out).max();
    if let Some(fan_out) = widest.filter(|f| *f > DEFAULT_MAX_DOWNSTREAMS) {
        let _ = writeln!(
            yaml,
            "      streaming: {{ routing: {{ maxDownstreams: {fan_out} }} }}"
        );
    }
    yaml.push_str("  steps:\n");
    for producer in topology.producers.iter().filter(|p| p.name.run == run) {
        let step = &producer.name.step;
        let _ = writeln!(
            yaml,
            "    - {{ name: {step}, ref: {{ name: {step} }}, transport: load, needs: [] }}"
        );
    }
    for consumer in topology.consumers.iter().filter(|c| c.name.run == run) {
        let step = &consumer.name.step;
        let needs: Vec<&str> = consumer
            .inputs
            .iter()
            .filter_map(|(producer, _)| topology.producers.get(producer.0 as usize))
            .map(|producer| producer.name.step.as_str())
            .collect();
        let _ = writeln!(
            yaml,
            "    - {{ name: {step}, ref: {{ name: {step} }}, transport: load, needs: [{}] }}",
            needs.join(", ")
        );
    }
    yaml
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
