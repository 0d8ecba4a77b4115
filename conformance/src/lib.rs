//! Runs vector files against this implementation.
//!
//! A vector file has one JSON object a line. Each line is a case: bytes or text
//! that go in, and what must come out. A case passes or fails; a line that cannot
//! be read is an error of the file, not a failure.

pub mod envelopes;
mod errors;
pub mod expressions;
mod lines;
mod messages;
pub mod octets;
pub mod packets;
pub mod report;
pub mod sdk_misc;
mod structs;
mod summary;
pub mod validate;
mod vector;

pub use report::{FileError, Report};
