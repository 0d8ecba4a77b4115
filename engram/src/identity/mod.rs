//! Who an engram is, and what it was given.
//!
//! Owns: the story it runs in, its secrets, the key that makes its effects idempotent.

mod secrets;
mod story;

pub use secrets::{Secrets, SecretsError};
pub use story::{ExecutionContext, IdempotencyUnavailable, StoryInfo, idempotency_key};
