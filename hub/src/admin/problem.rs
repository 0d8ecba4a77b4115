//! Errors as RFC 9457 says them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error with `detail` for whoever asked.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content_type, body.to_string()).into_response()
}

/// The data plane does not answer.
pub(super) fn stopped() -> Response {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "the data plane has stopped",
    )
}
