//! Owns what to run: flows, durations, faults, and the files and shapes that describe them.
//!
//! A scenario is the same thing whether it comes from flags, from a built-in shape or from a TOML
//! file. Reading one never touches the network; [`Scenario::check`] refuses what cannot be run.

mod flow;
mod measures;
mod shape;
mod story;
mod topology;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use flow::{Flow, Pace};
pub use measures::{MeasureError, duration_text, parse_bytes, parse_duration};
pub use shape::Shape;
pub use story::{Bounds, story_yaml};
pub use topology::{ConsumerPlan, EdgePlan, ProducerPlan, StepName, Topology};

use crate::packet::TemplateError;

/// Streams of a load, at most: several times what the ports of one address allow, and what a Story
/// and the account of every edge still have room for.
const MAX_STREAMS: u32 = 100_000;

/// One run of the load generator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Shown in reports; also the Story's and the run's name.
    #[serde(default = "default_name")]
    pub name: String,
    /// Namespace of the run.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Over how many runs (StoryRuns) the streams are spread.
    #[serde(default = "one")]
    pub runs: u32,
    /// How long is measured.
    #[serde(default = "ten_seconds", with = "measures::go_style")]
    pub duration: Duration,
    /// How long traffic flows before measuring; verified, but not in the figures.
    #[serde(default = "one_second", with = "measures::go_style")]
    pub warmup: Duration,
    /// Delivery policy asked of the hub.
    #[serde(default)]
    pub semantics: Semantics,
    /// Connections cut and dialled again while traffic flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    /// Single connections cut without a goodbye and dialled again while traffic flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Consumers that read slowly for as long as there is traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
    /// Producers stop sending while the hub tells them to, instead of being left unread.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accept_pause: bool,
    /// `if` of every consumer, evaluated by the hub for each packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What is sent.
    #[serde(rename = "flow")]
    pub flows: Vec<Flow>,
}

/// Delivery policy of the edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Semantics {
    /// May drop by policy; drops are counted by the hub.
    #[default]
    BestEffort,
    /// Every message reaches every consumer.
    AtLeastOnce,
}

/// Waves of reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Time between waves.
    #[serde(with = "measures::go_style")]
    pub every: Duration,
    /// Which part of the streams each wave cuts, 0 to 1.
    pub fraction: f64,
}

/// Single cuts, alternately of a producer's and of a consumer's connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Time between cuts.
    #[serde(with = "measures::go_style")]
    pub every: Duration,
    /// Decides whom each cut hits: the same seed, the same streams.
    #[serde(default)]
    pub seed: u64,
}

/// Consumers that are slow on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// Messages a second that each of them reads.
    #[serde(default = "ten")]
    pub rate: f64,
    /// How many: the first ones.
    #[serde(default = "one")]
    pub consumers: u32,
}

/// Why a scenario cannot be run. All are the caller's to mend.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no scenario.
    #[error("{path}: {error}")]
    Malformed {
        /// The file, or the name of a built-in shape.
        path: String,
        /// Line, column and reason.
        error: Box<toml::de::Error>,
    },
    /// A value that makes no sense.
    #[error("{field}: {reason}")]
    Value {
        /// Which one.
        field: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A size that cannot be sent.
    #[error("flow {flow}: {error}")]
    Size {
        /// The flow.
        flow: String,
        /// What is wrong.
        error: TemplateError,
    },
}

impl Scenario {
    /// Reads a scenario from TOML text; `path` names it in errors.
    ///
    /// # Errors
    /// [`ScenarioError::Malformed`] for what is no scenario, and all that [`Scenario::check`] finds.
    pub fn from_toml(path: &str, text: &str) -> Result<Scenario, ScenarioError> {
        let scenario: Scenario =
            toml::from_str(text).map_err(|error| ScenarioError::Malformed {
                path: path.to_owned(),
                error: Box::new(error),
            })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Refuses what cannot be run.
    ///
    /// # Errors
    /// The first value that makes no sense, with what to do about it.
    pub fn check(&self) -> Result<(), ScenarioError> {
        check_name("name", &self.name)?;
        check_name("namespace", &self.namespace)?;
        require(!self.duration.is_zero(), "duration", || {
            "must be longer than nothing".into()
        })?;
        require(!self.flows.is_empty(), "flow", || {
            "a scenario needs at least one".into()
        })?;
        require(self.runs > 0, "runs", || "at least 1".into())?;
        if let Some(storm) = &self.storm {
            require(!storm.every.is_zero(), "storm.every", || {
                "must be longer than nothing".into()
            })?;
            require(
                storm.fraction > 0.0 && storm.fraction <= 1.0,
                "storm.fraction",
                || "above 0 and at most 1".into(),
            )?;
        }
        let cut_every = self.cut.is_none_or(|cut| !cut.every.is_zero());
        require(cut_every, "cut.every", || {
            "must be longer than nothing".into()
        })?;
        if let Some(slow) = &self.slow {
            let reads = slow.rate > 0.0 && slow.rate.is_finite();
            require(reads, "slow.rate", || {
                "more than 0 messages a second".into()
            })?;
            require(slow.consumers > 0, "slow.consumers", || "at least 1".into())?;
        }
        require(
            !self.accept_pause || self.is_guaranteed(),
            "accept_pause",
            || {
                "only producers of an at_least_once load are told to pause; say --semantics at_least_once".into()
            },
        )?;
        let streams = self.flows.iter().fold(0u32, |streams, flow| {
            let more = flow.producers.saturating_add(flow.consumer_count());
            streams.saturating_add(more)
        });
        require(streams <= MAX_STREAMS, "producers", || {
            format!("producers and consumers are {streams} streams; {MAX_STREAMS} at most")
        })?;
        for (i, flow) in self.flows.iter().enumerate() {
            flow.check(self.runs)?;
            let twice = self.flows[..i].iter().any(|other| other.name == flow.name);
            require(!twice, "flow.name", || {
                format!("`{}` is given twice; name each flow", flow.name)
            })?;
        }
        Ok(())
    }
}

impl Scenario {
    /// Whether every message must reach every consumer, and be acknowledged for it.
    pub fn is_guaranteed(&self) -> bool {
        self.semantics == Semantics::AtLeastOnce
    }
}

fn require(holds: bool, field: &str, reason: impl FnOnce() -> String) -> Result<(), ScenarioError> {
    if holds {
        return Ok(());
    }
    Err(ScenarioError::Value {
        field: field.to_owned(),
        reason: reason(),
    })
}

/// Names end up as Story, run and step names: a DNS label, and short enough to be one with numbers.
fn check_name(field: &str, name: &str) -> Result<(), ScenarioError> {
    let fits = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    require(fits, field, || {
        format!("`{name}` is no name: 1 to 40 of a-z, 0-9 and - (not at the ends)")
    })
}

fn default_name() -> String {
    "load".to_owned()
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn one() -> u32 {
    1
}

fn ten() -> f64 {
    10.0
}

// Serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(flow: &str) -> Result<Scenario, ScenarioError> {
        Scenario::from_toml("test.toml", &format!("[[flow]]\nkind = \"audio\"\n{flow}"))
    }

    #[test]
    fn a_short_file_gets_defaults() {
        let scenario = toml("size = 640\npace = { rate = 50.0 }").unwrap();
        assert_eq!(scenario.duration, Duration::from_secs(10));
        assert_eq!(scenario.flows[0].consumer_count(), 1);
        assert_eq!(scenario.flows[0].pace, Pace::Rate(50.0));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name() {
        let error = toml("size = 640\nsizes = 1\npace = { rate = 50.0 }").unwrap_err();
        assert!(error.to_string().contains("sizes"), "{error}");
    }

    #[test]
    fn values_that_make_no_sense_are_refused_with_what_to_do() {
        for (flow, word) in [
            ("size = 20\npace = { rate = 1.0 }", "at least 40"),
            ("size = \"11MiB\"\npace = { rate = 1.0 }", "contract"),
            ("size = 80\npace = { rate = 0.0 }", "more than 0"),
            ("size = 80\npace = { window = 0 }", "at least 1"),
            (
                "size = 80\nproducers = 90000\npace = { window = 1 }",
                "180000 streams",
            ),
            (
                "size = 80\nproducers = 4294967295\nfan_out = 64\npace = { window = 1 }",
                "at most",
            ),
            ("size = 80\nfan_out = 65\npace = { window = 1 }", "1 to 64"),
            (
                "size = 80\nproducers = 2\nconsumers = 5\npace = { window = 1 }",
                "do not fit",
            ),
            (
                "name = \"A b\"\nsize = 80\npace = { window = 1 }",
                "no name",
            ),
        ] {
            let error = toml(flow).unwrap_err().to_string();
            assert!(error.contains(word), "{flow}: {error}");
        }
    }

    #[test]
    fn a_guaranteed_load_with_cuts_and_slow_consumers_reads_back_the_same() {
        let text = "semantics = \"at_least_once\"\ncut = { every = \"500ms\", seed = 7 }\nslow = {}\naccept_pause = true\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = { window = 1 }";
        let scenario = Scenario::from_toml("t", text).unwrap();
        assert!(scenario.is_guaranteed() && scenario.accept_pause);
        let slow = Slow {
            rate: 10.0,
            consumers: 1,
        };
        assert_eq!(scenario.slow, Some(slow));
        assert_eq!(scenario.cut.map(|cut| cut.seed), Some(7));
        let again = toml::to_string(&scenario).unwrap();
        assert_eq!(Scenario::from_toml("again", &again).unwrap(), scenario);
    }

    #[test]
    fn cuts_without_pause_and_readers_that_never_read_are_refused() {
        for (head, field) in [
            ("cut = { every = \"0s\" }", "cut.every"),
            ("slow = { rate = 0.0 }", "slow.rate"),
            ("slow = { consumers = 0 }", "slow.consumers"),
        ] {
            let text =
                format!("{head}\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = {{ window = 1 }}");
            let error = Scenario::from_toml("t", &text).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }

    #[test]
    fn a_pause_that_nobody_would_say_is_refused() {
        let text =
            "accept_pause = true\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = { window = 1 }";
        let error = Scenario::from_toml("t", text).unwrap_err().to_string();
        assert!(error.contains("accept_pause: only"), "{error}");
    }

    #[test]
    fn what_is_written_as_toml_reads_back_the_same() {
        for shape in Shape::ALL {
            let scenario = shape.scenario();
            let text = toml::to_string(&scenario).unwrap();
            assert_eq!(Scenario::from_toml("again", &text).unwrap(), scenario);
        }
    }
}
