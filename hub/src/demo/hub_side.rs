//! What the hub itself says about the demo's two edges: its metrics over the admin port (spec 11).
//!
//! Owns one small HTTP request and the reading of its text. Never part of the verdict: a hub that
//! answers late or not at all only leaves a column of the view empty.

use serde::Serialize;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the view waits for an answer.
const PATIENCE: Duration = Duration::from_millis(300);
/// More than the metrics of one Story can be.
const MOST_BYTES: u64 = 4 << 20;

/// Packets that the hub dropped, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Dropped {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) reason: String,
    pub(super) packets: u64,
}

/// The hub's view at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HubSide {
    /// Packets waiting, by (from, to).
    queued: Vec<(String, String, u64)>,
    pub(super) dropped: Vec<Dropped>,
}

impl HubSide {
    /// Asks the hub; `None` when it does not answer in time or not with metrics.
    pub(super) fn ask(admin: SocketAddr) -> Option<Self> {
        let mut stream = TcpStream::connect_timeout(&admin, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        // HTTP/1.0: the answer is not chunked and ends with the connection.
        let request = format!("GET /metrics HTTP/1.0\r\nHost: {admin}\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.take(MOST_BYTES).read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?;
        (status == "200").then(|| Self::parse(body))
    }

    /// Packets waiting on an edge.
    pub(super) fn queued(&self, from: &str, to: &str) -> Option<u64> {
        let edge = self.queued.iter().find(|(f, t, _)| f == from && t == to);
        edge.map(|(_, _, packets)| *packets)
    }

    /// Reads Prometheus text; lines of other metrics, and what is no number, are passed over.
    fn parse(text: &str) -> Self {
        let mut side = Self::default();
        for line in text.lines() {
            let Some((name, labels, value)) = sample(line) else {
                continue;
            };
            let label = |key: &str| {
                let found = labels.iter().find(|(k, _)| *k == key);
                found.map(|(_, value)| (*value).to_owned())
            };
            let (Some(from), Some(to)) = (label("from"), label("to")) else {
                continue;
            };
            match name {
                "hub_queue_packets" => side.queued.push((from, to, value)),
                "hub_packets_dropped_total" if value > 0 => side.dropped.push(Dropped {
                    from,
                    to,
                    reason: label("reason").unwrap_or_default(),
                    packets: value,
                }),
                _ => {}
            }
        }
        side
    }
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

/// `name{key="value",...} 12`; label values of the demo's Story hold no quotes or commas.
fn sample(line: &str) -> Option<(&str, Labels<'_>, u64)> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once('}')?;
    let value: f64 = value.trim().parse().ok()?;
    let labels = labels.split(',').filter_map(|pair| {
        let (key, quoted) = pair.split_once('=')?;
        Some((key.trim(), quoted.trim().trim_matches('"')))
    });
    (value >= 0.0).then(|| (name, labels.collect(), value as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const TEXT: &str = "# TYPE hub_queue_packets gauge\n\
        hub_queue_packets{story=\"demo\",from=\"source\",to=\"vad\"} 3\n\
        hub_packets_dropped_total{story=\"demo\",from=\"source\",to=\"vad\",reason=\"lane_full\"} 2\n\
        hub_packets_dropped_total{story=\"demo\",from=\"vad\",to=\"recorder\",reason=\"expired\"} 0\n\
        hub_streams 3\nnonsense{ 5\n";

    #[test]
    fn queues_and_drops_are_read_from_the_metrics() {
        let side = HubSide::parse(TEXT);
        assert_eq!(side.queued("source", "vad"), Some(3));
        assert_eq!(side.queued("vad", "recorder"), None);
        let reasons: Vec<_> = side.dropped.iter().map(|d| d.reason.as_str()).collect();
        assert_eq!(reasons, ["lane_full"]);
        assert_eq!(side.dropped[0].packets, 2);
    }

    /// Answers one request with `answer` and hangs up.
    fn answered_with(answer: String) -> Option<HubSide> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let length = peer.read(&mut request).unwrap();
            peer.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let side = HubSide::ask(address);
        assert!(server.join().unwrap().starts_with("GET /metrics "));
        side
    }

    #[test]
    fn a_hub_is_asked_over_http() {
        let side = answered_with(format!("HTTP/1.0 200 OK\r\nx: y\r\n\r\n{TEXT}"));
        assert_eq!(side.unwrap().queued("source", "vad"), Some(3));
    }

    #[test]
    fn an_answer_that_is_no_success_counts_as_none() {
        let refusal = "HTTP/1.0 404 Not Found\r\n\r\n".to_owned();
        assert_eq!(answered_with(refusal), None);
    }
}
