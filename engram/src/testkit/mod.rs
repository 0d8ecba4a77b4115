//! For tests of engrams (feature `testkit`).

mod check;

pub use check::{CheckError, check_message};
