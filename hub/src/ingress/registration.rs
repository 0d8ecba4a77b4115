//! From a request's metadata to a registration, checked in the order of spec 2.2.

use engine::{Accepts, Generation, Refusal, Registration};
use http::HeaderMap;

use super::Status;

/// The version of the contract that this hub speaks.
const PROTOCOL: &str = "1.0.0";
/// Longest `hub-producer-epoch`, in characters.
const MAX_PRODUCER_EPOCH: usize = 128;

/// `startup.capabilities`, counted and never a reason to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartupCapabilities {
    Required,
    None,
    Missing,
    Invalid,
}

/// Reads who a client says it is.
///
/// # Errors
/// The status of the first rule that its metadata breaks.
pub(crate) fn registration(headers: &HeaderMap) -> Result<Registration<'_>, Status> {
    check_protocol(headers)?;
    let run = required(headers, "storyrun-name")?;
    let namespace = required(headers, "storyrun-namespace")?;
    let step = required(headers, "current-step-id")?;
    let generation = generation(headers)?;
    Ok(Registration {
        namespace,
        run,
        step,
        generation,
        producer_epoch: producer_epoch(headers)?,
        accepts: accepts(headers),
    })
}

/// Checks that the client speaks the version of the contract that is spoken here.
///
/// # Errors
/// FAILED_PRECONDITION, naming both versions.
pub(super) fn check_protocol(headers: &HeaderMap) -> Result<(), Status> {
    match text(headers, "bubu-transport-protocol") {
        Some(PROTOCOL) => Ok(()),
        Some(other) => Err(Status::failed_precondition(format!(
            "transport protocol mismatch: this hub speaks {PROTOCOL}, the client {other:?} \
             (request metadata bubu-transport-protocol)"
        ))),
        None => Err(Status::failed_precondition(format!(
            "transport protocol mismatch: this hub speaks {PROTOCOL}, the client names none \
             (request metadata bubu-transport-protocol)"
        ))),
    }
}

/// What the client acts on; words that are not known here are left alone.
pub(super) fn accepts(headers: &HeaderMap) -> Accepts {
    let mut accepts = Accepts::default();
    for word in text(headers, "hub-accept").unwrap_or_default().split(',') {
        match word.trim() {
            "pause" => accepts.pause = true,
            "control" => accepts.control = true,
            _ => {}
        }
    }
    accepts
}

/// What the client says of its startup capabilities.
pub(crate) fn startup_capabilities(headers: &HeaderMap) -> StartupCapabilities {
    match text(headers, "startup.capabilities")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("required") => StartupCapabilities::Required,
        Some("none") => StartupCapabilities::None,
        Some(_) => StartupCapabilities::Invalid,
        None => StartupCapabilities::Missing,
    }
}

/// The gRPC status of an engine's refusal.
pub(crate) fn refusal_status(refusal: &Refusal) -> Status {
    let text = refusal.to_string();
    match refusal {
        Refusal::Draining
        | Refusal::UnknownRun { .. }
        | Refusal::UnknownStep { .. }
        | Refusal::Duel { .. } => Status::unavailable(text),
        Refusal::Primitive { .. } | Refusal::RunEnded { .. } => Status::failed_precondition(text),
        Refusal::StreamCap { .. } => Status::resource_exhausted(text),
        Refusal::Superseded(_) => Status::new(tonic::Code::PermissionDenied, text),
    }
}

fn text<'a>(headers: &'a HeaderMap, key: &str) -> Option<&'a str> {
    headers
        .get(key)
        .and_then(|v| std::str::from_utf8(v.as_bytes()).ok())
        .map(str::trim)
}

fn required<'a>(headers: &'a HeaderMap, key: &str) -> Result<&'a str, Status> {
    text(headers, key).filter(|v| !v.is_empty()).ok_or_else(|| {
        Status::invalid_argument(format!("request metadata {key} is missing or empty"))
    })
}

fn generation(headers: &HeaderMap) -> Result<Generation, Status> {
    let key = "connector-generation";
    let given = text(headers, key).unwrap_or_default();
    // Rust's parser takes a leading plus, as Go's does.
    given.parse().ok().and_then(Generation::new).ok_or_else(|| {
        Status::failed_precondition(if given.is_empty() {
            format!(
                "request metadata {key} is missing: a whole number from 1 to {}",
                i32::MAX
            )
        } else {
            format!(
                "request metadata {key} is {given:?}: a whole number from 1 to {}",
                i32::MAX
            )
        })
    })
}

/// The epoch that a client numbers its own packets in.
pub(super) fn producer_epoch(headers: &HeaderMap) -> Result<Option<&str>, Status> {
    let Some(value) = headers.get("hub-producer-epoch") else {
        return Ok(None);
    };
    let epoch = std::str::from_utf8(value.as_bytes()).ok();
    let fits = epoch.filter(|epoch| epoch.chars().count() <= MAX_PRODUCER_EPOCH);
    match fits {
        Some(epoch) => Ok(Some(epoch)),
        None => Err(Status::invalid_argument(format!(
            "request metadata hub-producer-epoch is not UTF-8 or longer than \
             {MAX_PRODUCER_EPOCH} characters"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("bubu-transport-protocol", "1.0.0"),
        ("storyrun-name", "r"),
        ("storyrun-namespace", "ns"),
        ("current-step-id", "s"),
        ("connector-generation", "7"),
    ];

    fn headers(change: (&'static str, Option<&str>)) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (key, value) in GOOD {
            let value = if key == change.0 {
                change.1
            } else {
                Some(value)
            };
            if let Some(value) = value {
                map.insert(key, value.parse().unwrap());
            }
        }
        if !GOOD.iter().any(|(k, _)| *k == change.0) {
            map.insert(change.0, change.1.unwrap_or_default().parse().unwrap());
        }
        map
    }

    #[test]
    fn good_metadata_is_a_registration() {
        let headers = headers(("startup.capabilities", Some("Required")));
        let who = registration(&headers).unwrap();
        assert_eq!((who.namespace, who.run, who.step), ("ns", "r", "s"));
        assert_eq!(who.generation.get(), 7);
        assert_eq!(
            startup_capabilities(&headers),
            StartupCapabilities::Required
        );
    }

    #[test]
    fn each_broken_rule_has_its_code_and_names_its_key() {
        let long = "x".repeat(129);
        let cases = [
            ("bubu-transport-protocol", None, Code::FailedPrecondition),
            (
                "bubu-transport-protocol",
                Some("1.1.0"),
                Code::FailedPrecondition,
            ),
            ("storyrun-name", None, Code::InvalidArgument),
            ("storyrun-name", Some(""), Code::InvalidArgument),
            ("storyrun-namespace", None, Code::InvalidArgument),
            ("current-step-id", None, Code::InvalidArgument),
            ("connector-generation", None, Code::FailedPrecondition),
            ("connector-generation", Some("0"), Code::FailedPrecondition),
            ("connector-generation", Some("-1"), Code::FailedPrecondition),
            (
                "connector-generation",
                Some("1.0"),
                Code::FailedPrecondition,
            ),
            (
                "connector-generation",
                Some("0x10"),
                Code::FailedPrecondition,
            ),
            (
                "connector-generation",
                Some("2147483648"),
                Code::FailedPrecondition,
            ),
            (
                "hub-producer-epoch",
                Some(long.as_str()),
                Code::InvalidArgument,
            ),
        ];
        for (key, value, code) in cases {
            let headers = headers((key, value));
            let status = registration(&headers).unwrap_err();
            assert_eq!(status.code(), code, "{key} = {value:?}");
            assert!(status.message().contains(key), "{}", status.message());
        }
    }

    #[test]
    fn both_versions_are_named() {
        let headers = headers(("bubu-transport-protocol", Some("0.9.0")));
        let status = registration(&headers).unwrap_err();
        assert!(status.message().contains("1.0.0") && status.message().contains("0.9.0"));
    }

    #[test]
    fn the_protocol_is_judged_before_everything_else() {
        let status = registration(&HeaderMap::new()).unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
    }

    #[test]
    fn startup_capabilities_never_refuse() {
        for (value, expected) in [
            ("none", StartupCapabilities::None),
            ("maybe", StartupCapabilities::Invalid),
        ] {
            let headers = headers(("startup.capabilities", Some(value)));
            assert!(registration(&headers).is_ok());
            assert_eq!(startup_capabilities(&headers), expected);
        }
        let none = headers(("other", Some("x")));
        assert_eq!(startup_capabilities(&none), StartupCapabilities::Missing);
    }
}
