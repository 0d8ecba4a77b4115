//! Whether an endpoint is dialled in plain text: only where it is this machine.

use std::net::IpAddr;

use crate::message::quoted;

/// Whether an engram dials `host:port` without TLS: `localhost` or a loopback address.
#[must_use]
pub fn is_plaintext(endpoint: &str) -> bool {
    if endpoint.starts_with("unix://") {
        return true;
    }
    let host = host(endpoint);
    if host == "localhost" {
        return true;
    }
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback() || mapped.is_some_and(|address| address.is_loopback())
        }
        Err(_) => false,
    }
}

/// The host of `host:port` or `[host]:port`: what stands before the last colon.
fn host(endpoint: &str) -> &str {
    let (host, _) = endpoint.rsplit_once(':').unwrap_or((endpoint, ""));
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bracketed.unwrap_or(host)
}

/// `BUBU_TRANSPORT_SECURITY_MODE` is something else than `tls`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid BUBU_TRANSPORT_SECURITY_MODE {}: only \"tls\" is supported", quoted(.0))]
pub struct SecurityModeError(String);

/// Judges `BUBU_TRANSPORT_SECURITY_MODE`: empty or `tls`, in any letter case.
///
/// # Errors
/// Where it asks for anything else.
pub fn security_mode(value: &str) -> Result<(), SecurityModeError> {
    let mode = value.trim();
    if mode.is_empty() || mode.eq_ignore_ascii_case("tls") {
        Ok(())
    } else {
        Err(SecurityModeError(value.to_owned()))
    }
}
