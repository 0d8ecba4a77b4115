//! Who a connector client is: the binding that its Control names (spec 3, "Identity").

use engine::Bound;
use http::HeaderMap;
use transport_proto::names::request as names;

use crate::ingress::Status;
use crate::plane::DataPlane;

/// The binding that request metadata names: `<namespace>/<name>`, or only a name.
///
/// # Errors
/// INVALID_ARGUMENT where there is none: such a client never can work.
pub(in crate::ingress) fn named(headers: &HeaderMap) -> Result<&str, Status> {
    let value = headers.get(names::TRANSPORT_BINDING);
    let text = value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.ok_or_else(|| {
        Status::invalid_argument(format!(
            "request metadata {} is missing or empty",
            names::TRANSPORT_BINDING
        ))
    })
}

/// The step that a binding stands for.
///
/// # Errors
/// UNAVAILABLE where it stands for none now: it may later.
pub(in crate::ingress) fn resolve(plane: &DataPlane, binding: &str) -> Result<Bound, Status> {
    let (namespace, name) = match binding.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() => (Some(namespace), name),
        Some((_, name)) => (None, name),
        None => (None, binding),
    };
    plane
        .binding(namespace, name)
        .map_err(|unbound| Status::unavailable(unbound.to_string()))
}
