//! Owns reading the hub's own counters: one HTTP/1.1 GET of `/metrics`, and the lines of it that
//! matter here.
//!
//! Never runs while figures are taken: a scrape costs the hub work.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DEADLINE: Duration = Duration::from_secs(5);
/// Longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Why the hub's counters could not be read.
#[derive(Debug, Error)]
pub enum ScrapeError {
    /// Nothing answers, or it broke off.
    #[error("cannot read http://{address}/metrics: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// Something answers that is no hub.
    #[error(
        "http://{address}/metrics answered `{status}`; give the hub's admin address with --admin"
    )]
    Foreign {
        /// Where.
        address: String,
        /// First line of the answer.
        status: String,
    },
}

/// What the hub has counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HubCounters {
    /// `hub_packets_dropped_total` by (story, from, to).
    dropped: BTreeMap<(String, String, String), u64>,
    /// The same by reason.
    reasons: BTreeMap<String, u64>,
    /// `hub_packets_refused_total` by reason.
    refused: BTreeMap<String, u64>,
}

impl HubCounters {
    /// Picks the counters out of a Prometheus text exposition.
    pub fn parse(text: &str) -> HubCounters {
        let mut counters = HubCounters::default();
        for line in text.lines() {
            let Some((name, labels, value)) = sample(line) else {
                continue;
            };
            let label = |key: &str| {
                labels
                    .iter()
                    .find(|(name, _)| *name == key)
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default()
            };
            match name {
                "hub_packets_dropped_total" => {
                    let edge = (label("story"), label("from"), label("to"));
                    *counters.dropped.entry(edge).or_default() += value;
                    *counters.reasons.entry(label("reason")).or_default() += value;
                }
                "hub_packets_refused_total" => {
                    *counters.refused.entry(label("reason")).or_default() += value;
                }
                _ => {}
            }
        }
        counters
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &HubCounters) -> HubCounters {
        HubCounters {
            dropped: difference(&self.dropped, &earlier.dropped),
            reasons: difference(&self.reasons, &earlier.reasons),
            refused: difference(&self.refused, &earlier.refused),
        }
    }

    /// Drops on one edge of a story.
    pub fn dropped(&self, story: &str, from: &str, to: &str) -> u64 {
        let key = (story.to_owned(), from.to_owned(), to.to_owned());
        self.dropped.get(&key).copied().unwrap_or(0)
    }

    /// Drops by reason, zeros left out.
    pub fn reasons(&self) -> &BTreeMap<String, u64> {
        &self.reasons
    }

    /// Packets refused at the door by reason, zeros left out.
    pub fn refused(&self) -> &BTreeMap<String, u64> {
        &self.refused
    }
}

fn difference<K: Ord + Clone>(now: &BTreeMap<K, u64>, then: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    now.iter()
        .filter_map(|(key, value)| {
            let more = value.saturating_sub(then.get(key).copied().unwrap_or(0));
            (more > 0).then(|| (key.clone(), more))
        })
        .collect()
}

type Labels<'a> = Vec<(&'a str, String)>;

/// One line of the exposition; `None` for comments and what is no counter.
fn sample(line: &str) -> Option<(&str, Labels<'_>, u64)> {
    if line.starts_with('#') {
        return None;
    }
    let name_end = line.find(['{', ' '])?;
    let name = &line[..name_end];
    let mut rest = &line[name_end..];
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let (found, after) = label_set(inside)?;
        labels = found;
        rest = after;
    }
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    (value >= 0.0).then_some((name, labels, value as u64))
}

/// Reads `a="b",c="d"}`; what stands after the brace is returned with it.
fn label_set(mut rest: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (key, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    escaped => value.push(escaped),
                },
                (_, plain) => value.push(plain),
            }
        };
        labels.push((key, value));
        rest = &after[end + 1..];
    }
}

/// Reads the counters of the hub whose admin address is `address` (`host:port`).
///
/// # Errors
/// [`ScrapeError`] when nothing answers within five seconds, or something that is no hub does.
pub async fn scrape(address: &str) -> Result<HubCounters, ScrapeError> {
    let unreachable = |reason: String| ScrapeError::Unreachable {
        address: address.to_owned(),
        reason,
    };
    let answer = tokio::time::timeout(DEADLINE, get(address))
        .await
        .map_err(|_| unreachable("no answer within 5 s".into()))?
        .map_err(|error| unreachable(error.to_string()))?;
    let status = answer.lines().next().unwrap_or_default().to_owned();
    if status.split(' ').nth(1) != Some("200") {
        return Err(ScrapeError::Foreign {
            address: address.to_owned(),
            status,
        });
    }
    Ok(HubCounters::parse(&answer))
}

/// The whole answer, head included. HTTP/1.0, so that the body comes in one piece and then ends.
async fn get(address: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    socket
        .take(MAX_ANSWER_BYTES)
        .read_to_end(&mut answer)
        .await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = concat!(
        "# TYPE hub_packets_dropped_total counter\n",
        "hub_packets_dropped_total{story=\"load\",from=\"p\",to=\"c\",reason=\"lane_full\"} 7\n",
        "hub_packets_dropped_total{reason=\"expired\",to=\"c\",from=\"p\",story=\"load\"} 2\n",
        "hub_packets_dropped_total{story=\"a\\\"b, c\",from=\"p\",to=\"c\",reason=\"x\"} 1\n",
        "hub_packets_refused_total{reason=\"invalid\"} 3\n",
        "hub_streams 4\n",
        "garbage{\n",
    );

    #[test]
    fn drops_are_added_up_per_edge_and_per_reason() {
        let counters = HubCounters::parse(TEXT);
        assert_eq!(counters.dropped("load", "p", "c"), 9);
        assert_eq!(counters.dropped("a\"b, c", "p", "c"), 1);
        assert_eq!(counters.dropped("load", "c", "p"), 0);
        assert_eq!(counters.reasons()["lane_full"], 7);
        assert_eq!(counters.refused()["invalid"], 3);
    }

    #[test]
    fn only_what_was_counted_since_counts() {
        let before = HubCounters::parse(TEXT);
        let after = HubCounters::parse(&TEXT.replace(" 7\n", " 10\n"));
        let since = after.since(&before);
        assert_eq!(since.dropped("load", "p", "c"), 3);
        assert_eq!(since.reasons().len(), 1);
        assert!(since.refused().is_empty());
    }
}
