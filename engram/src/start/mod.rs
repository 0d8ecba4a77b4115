//! How an engram learns where its hub is (spec 3, "How such an engram starts").
//!
//! Owns: the environment, the binding in it, what can be tuned. Never opens anything.

mod binding;
mod duration;
mod endpoint;
mod environment;
mod numbers;
mod protojson;
mod tunables;

pub use binding::{Binding, BindingError};
pub use duration::{DurationError, format_duration, parse_duration};
pub use endpoint::{SecurityModeError, is_plaintext, security_mode};
pub use environment::Environment;
pub use tunables::{Retries, Tunables};
