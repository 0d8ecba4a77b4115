//! Owns who talks to whom: steps, runs and edges of a scenario, numbered.
//!
//! Producer `i` of a flow reaches the consumers `i*k .. i*k+k` (k = fan-out), counted round the
//! flow's consumers, so that with the default number nobody listens to two producers.

use super::{Flow, Scenario};
use crate::units::{EdgeId, ProducerId};

/// A step of a run: what a stream registers as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StepName {
    /// Namespace of the run.
    pub namespace: String,
    /// Name of the run (and of its Story).
    pub run: String,
    /// Id of the step.
    pub step: String,
}

/// A step that sends.
#[derive(Clone, Debug)]
pub struct ProducerPlan {
    /// Its number.
    pub id: ProducerId,
    /// What it registers as.
    pub name: StepName,
    /// Index of its flow in the scenario.
    pub flow: usize,
    /// Its place among the producers of the flow, 0 to 1: spreads their schedules.
    pub phase: f64,
    /// Edges to its consumers.
    pub edges: Vec<EdgeId>,
}

/// A step that receives.
#[derive(Clone, Debug)]
pub struct ConsumerPlan {
    /// What it registers as.
    pub name: StepName,
    /// Whom it hears, and over which edge.
    pub inputs: Vec<(ProducerId, EdgeId)>,
}

/// One producer to one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgePlan {
    /// Index of the producer.
    pub producer: usize,
    /// Index of the consumer.
    pub consumer: usize,
}

/// All steps and edges of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Indexed by [`ProducerId`].
    pub producers: Vec<ProducerPlan>,
    /// In order of the flows.
    pub consumers: Vec<ConsumerPlan>,
    /// Indexed by [`EdgeId`].
    pub edges: Vec<EdgePlan>,
}

impl Topology {
    /// Lays out a scenario that [`Scenario::check`] accepts.
    pub fn of(scenario: &Scenario) -> Topology {
        let mut topology = Topology::default();
        for (index, flow) in scenario.flows.iter().enumerate() {
            topology.add_flow(scenario, index, flow);
        }
        topology
    }

    /// Names of the two ends of an edge, as they stand in reports.
    pub fn edge_names(&self, edge: EdgeId) -> Option<(&StepName, &StepName)> {
        let plan = self.edges.get(edge.0 as usize)?;
        Some((
            &self.producers.get(plan.producer)?.name,
            &self.consumers.get(plan.consumer)?.name,
        ))
    }

    fn add_flow(&mut self, scenario: &Scenario, index: usize, flow: &Flow) {
        let first_consumer = self.consumers.len();
        let (producers, fan_out) = (flow.producers as usize, flow.fan_out as usize);
        let consumers = flow.consumer_count() as usize;
        for c in 0..consumers {
            // With several runs nobody listens to two, so the consumer belongs to one producer.
            let run = run_of(scenario, c / fan_out, producers);
            self.consumers.push(ConsumerPlan {
                name: step(scenario, run, format!("{}-c{c}", flow.name)),
                inputs: Vec::new(),
            });
        }
        for p in 0..producers {
            let producer = self.producers.len();
            let id = ProducerId(producer as u32);
            let mut edges = Vec::with_capacity(fan_out);
            for k in 0..fan_out {
                let consumer = first_consumer + (p * fan_out + k) % consumers;
                let edge = EdgeId(self.edges.len() as u32);
                self.edges.push(EdgePlan { producer, consumer });
                self.consumers[consumer].inputs.push((id, edge));
                edges.push(edge);
            }
            self.producers.push(ProducerPlan {
                id,
                name: step(
                    scenario,
                    run_of(scenario, p, producers),
                    format!("{}-p{p}", flow.name),
                ),
                flow: index,
                phase: p as f64 / producers as f64,
                edges,
            });
        }
    }
}

/// The run that group `p` of `producers` belongs to.
fn run_of(scenario: &Scenario, p: usize, producers: usize) -> usize {
    p.min(producers - 1) * scenario.runs as usize / producers
}

fn step(scenario: &Scenario, run: usize, step: String) -> StepName {
    let run = if scenario.runs == 1 {
        scenario.name.clone()
    } else {
        format!("{}-{run}", scenario.name)
    };
    StepName {
        namespace: scenario.namespace.clone(),
        run,
        step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(head: &str, flow: &str) -> Scenario {
        let text = format!(
            "{head}\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = {{ window = 1 }}\n{flow}"
        );
        Scenario::from_toml("test", &text).unwrap()
    }

    fn edges(topology: &Topology) -> Vec<String> {
        (0..topology.edges.len())
            .map(|e| {
                let (from, to) = topology.edge_names(EdgeId(e as u32)).unwrap();
                assert_eq!(from.run, to.run, "no edge crosses runs");
                format!("{}/{}>{}", from.run, from.step, to.step)
            })
            .collect()
    }

    #[test]
    fn pairs_are_independent() {
        let topology = Topology::of(&scenario("", "producers = 2"));
        assert_eq!(
            edges(&topology),
            ["load/load-p0>load-c0", "load/load-p1>load-c1"]
        );
    }

    #[test]
    fn fan_out_reaches_different_consumers() {
        let topology = Topology::of(&scenario("", "fan_out = 3"));
        assert_eq!(
            edges(&topology),
            [
                "load/load-p0>load-c0",
                "load/load-p0>load-c1",
                "load/load-p0>load-c2"
            ]
        );
    }

    #[test]
    fn fewer_consumers_than_edges_listen_to_several_producers() {
        let topology = Topology::of(&scenario("", "producers = 3\nfan_out = 2\nconsumers = 2"));
        assert_eq!(topology.consumers[0].inputs.len(), 3);
        assert_eq!(topology.consumers[1].inputs.len(), 3);
    }

    #[test]
    fn runs_share_the_streams_out_and_no_edge_crosses() {
        let topology = Topology::of(&scenario("runs = 2", "producers = 4\nfan_out = 2"));
        let of_run = |run: &str| {
            let names = topology.producers.iter().filter(|p| p.name.run == run);
            names.count()
        };
        assert_eq!((of_run("load-0"), of_run("load-1")), (2, 2));
        edges(&topology);
    }
}
