//! What can be tuned about an engram's connection (spec 3). Names and defaults are those
//! of the Go SDK.

use std::time::Duration;

use super::{Environment, parse_duration};

/// How often a lost connection is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// As often as it takes.
    Unlimited,
    /// So many times; a session that became ready begins the count anew.
    AtMost(u32),
}

/// What can be tuned. The binding's own values come before those of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunables {
    /// `BUBU_GRPC_RECONNECT_MAX_RETRIES`, negative for no end; 10.
    pub retries: Retries,
    /// `BUBU_GRPC_RECONNECT_BASE_BACKOFF`; 500 ms.
    pub backoff_base: Duration,
    /// `BUBU_GRPC_RECONNECT_MAX_BACKOFF`; 30 s.
    pub backoff_max: Duration,
    /// `BUBU_GRPC_DIAL_TIMEOUT`; 10 s.
    pub dial_timeout: Duration,
    /// `BUBU_GRPC_MESSAGE_TIMEOUT`: the handshake's; 30 s.
    pub message_timeout: Duration,
    /// `BUBU_GRPC_HEARTBEAT_INTERVAL`: Data is quiet for no longer; 10 s, less than the
    /// message timeout.
    pub data_heartbeat: Duration,
    /// `BUBU_TRANSPORT_HEARTBEAT_INTERVAL`: of Control; 30 s.
    pub control_heartbeat: Duration,
    /// `BUBU_GRPC_CHANNEL_BUFFER_SIZE`: packets that wait for the engram; 16.
    pub channel_buffer: usize,
    /// `BUBU_GRPC_CHANNEL_SEND_TIMEOUT`; 0. Read for those who ask; here nothing that
    /// was received is ever dropped for an engram's slowness.
    pub channel_send_timeout: Duration,
    /// `BUBU_GRPC_HANG_TIMEOUT`: a connection on which nothing arrives for so long is
    /// given up; 0 for never.
    pub hang_timeout: Duration,
}

impl Default for Tunables {
    fn default() -> Self {
        Self {
            retries: Retries::AtMost(10),
            backoff_base: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            dial_timeout: Duration::from_secs(10),
            message_timeout: Duration::from_secs(30),
            data_heartbeat: Duration::from_secs(10),
            control_heartbeat: Duration::from_secs(30),
            channel_buffer: 16,
            channel_send_timeout: Duration::ZERO,
            hang_timeout: Duration::ZERO,
        }
    }
}

impl Tunables {
    /// Reads them; what cannot be read keeps its default.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let mut tunables = Self::default();
        let durations = [
            (
                "BUBU_GRPC_RECONNECT_BASE_BACKOFF",
                &mut tunables.backoff_base,
            ),
            ("BUBU_GRPC_RECONNECT_MAX_BACKOFF", &mut tunables.backoff_max),
            ("BUBU_GRPC_DIAL_TIMEOUT", &mut tunables.dial_timeout),
            ("BUBU_GRPC_MESSAGE_TIMEOUT", &mut tunables.message_timeout),
            ("BUBU_GRPC_HEARTBEAT_INTERVAL", &mut tunables.data_heartbeat),
            (
                "BUBU_TRANSPORT_HEARTBEAT_INTERVAL",
                &mut tunables.control_heartbeat,
            ),
            (
                "BUBU_GRPC_CHANNEL_SEND_TIMEOUT",
                &mut tunables.channel_send_timeout,
            ),
            ("BUBU_GRPC_HANG_TIMEOUT", &mut tunables.hang_timeout),
        ];
        for (name, place) in durations {
            let nanos = environment
                .trimmed(name)
                .and_then(|text| parse_duration(text).ok());
            if let Some(nanos) = nanos
                .and_then(|nanos| u64::try_from(nanos).ok())
                .filter(|n| *n > 0)
            {
                *place = Duration::from_nanos(nanos);
            }
        }
        if tunables.data_heartbeat >= tunables.message_timeout {
            tunables.data_heartbeat = tunables
                .message_timeout
                .saturating_sub(Duration::from_nanos(1));
        }
        tunables.read_counts(environment);
        tunables
    }

    fn read_counts(&mut self, environment: &Environment) {
        let number = |name| {
            environment
                .trimmed(name)
                .and_then(|text| text.parse::<i64>().ok())
        };
        if let Some(retries) = number("BUBU_GRPC_RECONNECT_MAX_RETRIES") {
            self.retries = match u32::try_from(retries) {
                Ok(most) => Retries::AtMost(most),
                Err(_) => Retries::Unlimited,
            };
        }
        let buffer = number("BUBU_GRPC_CHANNEL_BUFFER_SIZE").and_then(|n| usize::try_from(n).ok());
        if let Some(buffer) = buffer.filter(|buffer| *buffer > 0) {
            self.channel_buffer = buffer;
        }
    }
}
