//! Owns what the flags of `loadtest run` make of a scenario.

use std::time::Duration;

use super::args::RunArgs;
use crate::packet::Kind;
use crate::scenario::{Cut, Flow, Pace, Scenario, ScenarioError, Semantics, Slow, Storm};

/// Messages under way per producer when flat out, unless they are large.
const DEFAULT_WINDOW: usize = 256;
/// Bytes under way per producer when flat out, at most: below a hub's default queue of 10 MiB.
const DEFAULT_WINDOW_BYTES: usize = 4 << 20;
const DEFAULT_RATE: f64 = 50.0;
const DEFAULT_SIZE: usize = 640;
/// Steps put into one Story; a hub takes a few more.
const STEPS_PER_STORY: u32 = 800;
const DEFAULT_PORT: u16 = 9000;

impl RunArgs {
    /// The scenario that the flags, and `MESSAGE_RATE` from the environment, describe.
    ///
    /// # Errors
    /// [`ScenarioError`] when the file cannot be read or the result makes no sense.
    pub fn scenario(&self, message_rate: Option<&str>) -> Result<Scenario, ScenarioError> {
        let mut scenario = match (&self.shape, &self.scenario) {
            (Some(shape), _) => shape.scenario(),
            (None, Some(path)) => read(path)?,
            (None, None) => single_flow(),
        };
        if let Some(name) = &self.run {
            scenario.name.clone_from(name);
        }
        if let Some(namespace) = &self.namespace {
            scenario.namespace.clone_from(namespace);
        }
        scenario.duration = self.duration.unwrap_or(scenario.duration);
        scenario.warmup = self.warmup.unwrap_or(scenario.warmup);
        if self.messages.is_some() {
            scenario.warmup = Duration::ZERO;
        }
        scenario.semantics = self.semantics.unwrap_or(scenario.semantics);
        if let Some(every) = self.reconnect_storm {
            let fraction = self.storm_fraction.unwrap_or(0.5);
            scenario.storm = Some(Storm { every, fraction });
        }
        if let Some(every) = self.cut_every {
            let seed = self.cut_seed;
            scenario.cut = Some(Cut { every, seed });
        }
        if let Some(rate) = self.slow_consumer {
            let consumers = self.slow_consumers;
            scenario.slow = Some(Slow { rate, consumers });
        }
        scenario.accept_pause |= self.accept_pause;
        if let Some(condition) = &self.condition {
            scenario.condition = Some(condition.clone());
        }
        self.spread(&mut scenario);
        let rate = self.rate_of(message_rate)?;
        for flow in &mut scenario.flows {
            self.change(flow, rate);
        }
        if self.runs.is_none() {
            divide(&mut scenario);
        }
        scenario.check()?;
        if scenario.cut.is_some() && self.streams_per_connection > 1 {
            return Err(ScenarioError::Value {
                field: "--streams-per-connection".to_owned(),
                reason: "a cut takes one stream, so streams cannot share connections".to_owned(),
            });
        }
        Ok(scenario)
    }

    /// Where the hub is, from the flag or `TARGET_HOST`; `None`: start one.
    pub fn address(&self, target_host: Option<&str>) -> Option<String> {
        let given = self.target.as_deref().or(target_host)?;
        let bracketed = given.ends_with(']');
        let port = given.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
        });
        if port && !bracketed {
            return Some(given.to_owned());
        }
        Some(format!("{given}:{DEFAULT_PORT}"))
    }

    /// A run per producer stays a run per producer when there are more of them.
    fn spread(&self, scenario: &mut Scenario) {
        let each = scenario
            .flows
            .iter()
            .all(|flow| flow.producers == scenario.runs);
        if let (Some(producers), true) = (self.producers, each && scenario.runs > 1) {
            scenario.runs = producers;
        }
        scenario.runs = self.runs.unwrap_or(scenario.runs);
    }

    fn rate_of(&self, message_rate: Option<&str>) -> Result<Option<f64>, ScenarioError> {
        if self.rate.is_some() || self.saturate {
            return Ok(self.rate);
        }
        let Some(text) = message_rate else {
            return Ok(None);
        };
        let rate = text.trim().parse().map_err(|_| ScenarioError::Value {
            field: "MESSAGE_RATE".to_owned(),
            reason: format!("`{text}` is no number of messages a second"),
        })?;
        Ok(Some(rate))
    }

    fn change(&self, flow: &mut Flow, rate: Option<f64>) {
        flow.producers = self.producers.unwrap_or(flow.producers);
        flow.fan_out = self.fan_out.unwrap_or(flow.fan_out);
        flow.consumers = self.consumers.unwrap_or(flow.consumers);
        flow.size = self.size.unwrap_or(flow.size);
        if let Some(kind) = self.kind {
            flow.kind = kind;
        }
        if let Some(rate) = rate {
            flow.pace = Pace::Rate(rate);
        }
        if self.saturate {
            let largest = flow.size.max(flow.key_size).max(1);
            let fit = (DEFAULT_WINDOW_BYTES / largest).clamp(1, DEFAULT_WINDOW);
            flow.pace = Pace::Window(self.window.unwrap_or(fit as u32));
        }
    }
}

/// Spreads what is too much for one Story over several, where streams are independent.
fn divide(scenario: &mut Scenario) {
    let flows = &scenario.flows;
    let edges = |flow: &Flow| flow.producers.saturating_mul(flow.fan_out);
    let independent = flows
        .iter()
        .all(|flow| flow.consumer_count() == edges(flow));
    let steps: u32 = flows
        .iter()
        .map(|flow| flow.producers.saturating_add(flow.consumer_count()))
        .fold(0, u32::saturating_add);
    let fewest = flows.iter().map(|flow| flow.producers).min().unwrap_or(1);
    if independent {
        let needed = steps.div_ceil(STEPS_PER_STORY).min(fewest);
        scenario.runs = scenario.runs.max(needed);
    }
}

fn read(path: &std::path::Path) -> Result<Scenario, ScenarioError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable {
        path: name.clone(),
        error,
    })?;
    Scenario::from_toml(&name, &text)
}

fn single_flow() -> Scenario {
    Scenario {
        name: "load".to_owned(),
        namespace: "default".to_owned(),
        runs: 1,
        duration: Duration::from_secs(10),
        warmup: Duration::from_secs(1),
        semantics: Semantics::BestEffort,
        storm: None,
        cut: None,
        slow: None,
        accept_pause: false,
        condition: None,
        flows: vec![Flow {
            name: "load".to_owned(),
            kind: Kind::Audio,
            size: DEFAULT_SIZE,
            key_every: 0,
            key_size: 0,
            producers: 1,
            fan_out: 1,
            consumers: 0,
            pace: Pace::Rate(DEFAULT_RATE),
        }],
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RunArgs,
    }

    fn args(line: &str) -> RunArgs {
        let words = std::iter::once("loadtest").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().args
    }

    fn scenario(line: &str) -> Scenario {
        args(line).scenario(None).unwrap()
    }

    #[test]
    fn without_flags_it_is_one_pair_of_speech() {
        let plain = scenario("");
        let flow = &plain.flows[0];
        assert_eq!((flow.producers, flow.fan_out, flow.size), (1, 1, 640));
        assert_eq!(flow.pace, Pace::Rate(50.0));
    }

    #[test]
    fn a_window_stays_below_a_hubs_queue() {
        let window = |line| match scenario(line).flows[0].pace {
            Pace::Window(messages) => messages,
            Pace::Rate(_) => 0,
        };
        assert_eq!(window("--saturate"), 256);
        assert_eq!(window("--saturate --size 64KiB"), 64);
        assert_eq!(window("--saturate --size 1MiB"), 4);
        assert_eq!(window("--saturate --size 5MiB"), 1);
        assert_eq!(window("--saturate --window 7"), 7);
    }

    #[test]
    fn more_streams_of_a_shape_are_more_runs() {
        let voice = scenario("--shape voice --streams 200");
        assert_eq!((voice.runs, voice.flows[0].producers), (200, 200));
    }

    #[test]
    fn what_is_too_much_for_one_story_is_spread_over_several() {
        assert_eq!(scenario("--streams 400").runs, 1);
        assert_eq!(scenario("--streams 2000").runs, 5);
        assert_eq!(scenario("--streams 2000 --runs 8").runs, 8);
        assert_eq!(scenario("--streams 2000 --fan-out 2 --consumers 2").runs, 1);
    }

    #[test]
    fn the_environments_rate_counts_unless_a_flag_says_otherwise() {
        let pace = |line, env| args(line).scenario(Some(env)).unwrap().flows[0].pace;
        assert_eq!(pace("", "200"), Pace::Rate(200.0));
        assert_eq!(pace("--rate 5", "200"), Pace::Rate(5.0));
        assert_eq!(pace("--saturate", "200"), Pace::Window(256));
        assert!(args("").scenario(Some("many")).is_err());
    }

    #[test]
    fn a_target_without_a_port_gets_the_hubs() {
        let address = |line: &str, env: Option<&str>| args(line).address(env);
        assert_eq!(address("", None), None);
        assert_eq!(address("", Some("hub")), Some("hub:9000".into()));
        assert_eq!(address("--target a:1", Some("hub")), Some("a:1".into()));
        assert_eq!(address("--target [::1]", None), Some("[::1]:9000".into()));
        assert_eq!(address("--target [::1]:7", None), Some("[::1]:7".into()));
    }

    #[test]
    fn a_guaranteed_load_may_cut_and_dawdle() {
        let line = "--semantics at_least_once --cut-every 200ms --cut-seed 3 --slow-consumer --slow-consumers 2 --accept-pause";
        let asked = scenario(line);
        assert!(asked.is_guaranteed() && asked.accept_pause);
        assert_eq!(asked.cut.map(|cut| cut.seed), Some(3));
        let slow = asked.slow.map(|slow| (slow.rate, slow.consumers));
        assert_eq!(slow, Some((10.0, 2)));
        let slow = scenario("--slow-consumer 250").slow;
        assert_eq!(slow.map(|slow| slow.rate), Some(250.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_starts() {
        assert!(args("--fan-out 65").scenario(None).is_err());
        assert!(args("--cut-every 0s").scenario(None).is_err());
        let shared = args("--cut-every 1s --streams-per-connection 2");
        assert!(shared.scenario(None).is_err());
        assert!(args("--scenario /nowhere.toml").scenario(None).is_err());
    }
}
