//! Owns the routes of a relay: which stream's bytes go to which streams.
//!
//! A relay reads them from a file, as the hub reads its Story: one line per producer, its name and
//! the names of its consumers, separated by spaces. A name is `namespace/run/step`, which is what a
//! stream registers as.

use std::collections::HashMap;

use loadtest::scenario::{StepName, Topology};
use thiserror::Error;

/// Why a text is no routes file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RoutesError {
    /// A line names a producer and nobody to send to.
    #[error("line {0}: `{1}` has no consumer")]
    Nobody(usize, String),
    /// Two producers reach one consumer: a relay that does not know where messages end cannot.
    #[error("line {0}: `{1}` has a producer already")]
    Shared(usize, String),
}

/// Consumers by producer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    targets: HashMap<String, Vec<String>>,
}

impl Routes {
    /// Reads a routes file.
    ///
    /// # Errors
    /// [`RoutesError`] names the line that makes no sense.
    pub fn parse(text: &str) -> Result<Routes, RoutesError> {
        let mut routes = Routes::default();
        let mut taken: Vec<&str> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            let Some(producer) = words.next() else {
                continue;
            };
            let consumers: Vec<&str> = words.collect();
            if consumers.is_empty() {
                return Err(RoutesError::Nobody(number, producer.to_owned()));
            }
            if let Some(twice) = consumers.iter().find(|name| taken.contains(name)) {
                return Err(RoutesError::Shared(number, (*twice).to_owned()));
            }
            taken.extend(&consumers);
            let consumers = consumers.into_iter().map(str::to_owned).collect();
            routes.targets.insert(producer.to_owned(), consumers);
        }
        Ok(routes)
    }

    /// The routes file of a topology.
    pub fn text(topology: &Topology) -> String {
        let line = |producer: &loadtest::scenario::ProducerPlan| {
            let consumers = producer
                .edges
                .iter()
                .filter_map(|edge| topology.edge_names(*edge))
                .map(|(_, consumer)| format!(" {}", key(consumer)));
            format!("{}{}\n", key(&producer.name), consumers.collect::<String>())
        };
        topology.producers.iter().map(line).collect()
    }

    /// Whom `producer` sends to; `None` when it is no producer.
    pub fn targets(&self, producer: &str) -> Option<&[String]> {
        self.targets.get(producer).map(Vec::as_slice)
    }
}

/// `namespace/run/step`.
pub fn key(name: &StepName) -> String {
    format!("{}/{}/{}", name.namespace, name.run, name.step)
}

#[cfg(test)]
mod tests {
    use loadtest::scenario::Scenario;

    use super::*;

    #[test]
    fn a_topology_reads_back_as_its_routes() {
        let text = "[[flow]]\nkind = \"audio\"\nsize = 80\nproducers = 2\nfan_out = 2\npace = { window = 1 }";
        let scenario = Scenario::from_toml("test", text).unwrap();
        let routes = Routes::parse(&Routes::text(&Topology::of(&scenario))).unwrap();
        let targets = routes.targets("default/load/load-p1").unwrap();
        assert_eq!(targets, ["default/load/load-c2", "default/load/load-c3"]);
        assert_eq!(routes.targets("default/load/load-c0"), None);
    }

    #[test]
    fn lines_that_make_no_sense_are_refused_with_their_number() {
        let lonely = Routes::parse("a b\n\np\n");
        assert_eq!(lonely, Err(RoutesError::Nobody(3, "p".into())));
        let shared = Routes::parse("a b\nc d b\n");
        assert_eq!(shared, Err(RoutesError::Shared(2, "b".into())));
    }
}
