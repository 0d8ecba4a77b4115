//! Owns one flow of a scenario: what its producers send, to how many, and when.

use serde::{Deserialize, Serialize};

use super::{ScenarioError, check_name, default_name, measures, one, require};
use crate::packet::{Kind, Template, TemplateError};
use crate::units::{Nonce, ProducerId};

/// Most targets one step may have (spec 2.3).
const MAX_FAN_OUT: u32 = 64;
/// Bytes of the longest number that a producer gives a packet.
const LONGEST_NUMBER: usize = 10;

/// Producers of one kind and the consumers that listen to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Prefix of its step names.
    #[serde(default = "default_name")]
    pub name: String,
    /// What its frames carry.
    pub kind: Kind,
    /// Payload bytes of a frame.
    #[serde(with = "measures::byte_size")]
    pub size: usize,
    /// Every how many frames a larger key frame is sent; 0: never.
    #[serde(default)]
    pub key_every: u32,
    /// Payload bytes of a key frame.
    #[serde(default, with = "measures::byte_size")]
    pub key_size: usize,
    /// Steps that send.
    #[serde(default = "one")]
    pub producers: u32,
    /// Consumers that each producer reaches.
    #[serde(default = "one")]
    pub fan_out: u32,
    /// Steps that receive; 0: `producers` x `fan_out`, so that nobody listens to two.
    #[serde(default)]
    pub consumers: u32,
    /// When messages are sent.
    pub pace: Pace,
}

/// When a producer sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pace {
    /// Open loop: messages a second per producer, whatever the hub does.
    Rate(f64),
    /// Closed loop: as many as fit, with this many under way per producer.
    Window(u32),
}

impl Flow {
    /// Consumers of this flow, the default filled in.
    pub fn consumer_count(&self) -> u32 {
        match self.consumers {
            0 => self.producers.saturating_mul(self.fan_out),
            given => given,
        }
    }

    /// The messages of one producer: ordinary frame, and key frame where the flow has them;
    /// `number_len` as for [`Template::numbered`].
    ///
    /// # Errors
    /// When a size leaves no room for the generator's header or breaks the contract.
    pub fn templates(
        &self,
        producer: ProducerId,
        nonce: Nonce,
        number_len: Option<usize>,
    ) -> Result<Vec<Template>, TemplateError> {
        let template = |size| Template::numbered(self.kind, size, (producer, nonce), number_len);
        let ordinary = template(self.size)?;
        if self.key_every == 0 {
            return Ok(vec![ordinary]);
        }
        let key = template(self.key_size)?;
        Ok(vec![ordinary.delta(), key])
    }

    pub(super) fn check(&self, runs: u32) -> Result<(), ScenarioError> {
        let at = |name: &str| format!("flow {}: {name}", self.name);
        check_name(&at("name"), &self.name)?;
        require(self.producers > 0, &at("producers"), || "at least 1".into())?;
        require(
            (1..=MAX_FAN_OUT).contains(&self.fan_out),
            &at("fan-out"),
            || format!("from 1 to {MAX_FAN_OUT}"),
        )?;
        let (consumers, edges) = (
            self.consumer_count(),
            self.producers.saturating_mul(self.fan_out),
        );
        require(
            consumers >= self.fan_out && consumers <= edges,
            &at("consumers"),
            || {
                format!(
                    "{consumers} do not fit: from {} (fan-out) to {edges} (producers x fan-out)",
                    self.fan_out
                )
            },
        )?;
        require(runs == 1 || consumers == edges, &at("runs"), || {
            "streams can be spread over runs only when no consumer listens to two producers".into()
        })?;
        require(self.producers >= runs, &at("producers"), || {
            format!("at least one for each of {runs} runs")
        })?;
        match self.pace {
            Pace::Rate(rate) => require(rate > 0.0 && rate.is_finite(), &at("rate"), || {
                "more than 0 messages a second".into()
            })?,
            Pace::Window(window) => {
                require(window > 0, &at("window"), || "at least 1".into())?;
            }
        }
        self.templates(ProducerId(0), Nonce(0), Some(LONGEST_NUMBER))
            .map(|_| ())
            .map_err(|error| ScenarioError::Size {
                flow: self.name.clone(),
                error,
            })
    }
}
