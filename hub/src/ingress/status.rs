//! How a stream ends: gRPC status codes and their trailers.

use http::{HeaderMap, HeaderValue};
use tonic::Code;

/// A gRPC status: code and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    code: Code,
    message: String,
}

impl Status {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn ok() -> Self {
        Self::new(Code::Ok, "")
    }

    pub(crate) fn aborted(message: impl Into<String>) -> Self {
        Self::new(Code::Aborted, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, message)
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    pub(crate) fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    pub(crate) fn resource_exhausted(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceExhausted, message)
    }

    /// The same in words that let an engram of the connector contract connect again: some codes
    /// make its process exit (spec 3, "Ending"), and what one packet did wrong is no reason to.
    pub(crate) fn for_engrams(self) -> Self {
        match self.code {
            Code::InvalidArgument => Self::new(Code::Internal, self.message),
            _ => self,
        }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The trailers that say this status.
    pub(crate) fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::with_capacity(2);
        trailers.insert("grpc-status", HeaderValue::from(self.code as i32));
        if !self.message.is_empty() {
            let message = percent_encode(&self.message);
            if let Ok(message) = HeaderValue::from_str(&message) {
                trailers.insert("grpc-message", message);
            }
        }
        trailers
    }
}

/// gRPC's encoding of status texts: printable ASCII except `%` stands for itself, every other
/// byte is `%XX` (gRPC over HTTP/2, "Status-Message").
fn percent_encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing to a String never fails.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Name of a code as metrics label it, for example `FAILED_PRECONDITION`.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_text_survives_as_header() {
        let trailers = Status::unavailable("100 % \u{e9}\n").trailers();
        assert_eq!(trailers["grpc-status"], "14");
        assert_eq!(trailers["grpc-message"], "100 %25 %C3%A9%0A");
    }

    #[test]
    fn ok_has_no_text() {
        let trailers = Status::ok().trailers();
        assert_eq!(trailers["grpc-status"], "0");
        assert!(!trailers.contains_key("grpc-message"));
    }
}
