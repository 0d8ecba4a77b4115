//! Criterion benches of the data path, stage by stage, and the records of what larger measurements
//! gave. What is measured how stands in `benches/README.md`.

pub mod expressions;

use std::time::Duration;

/// How long a bench runs before it is measured: all together take less than three minutes.
pub const WARM_UP: Duration = Duration::from_millis(500);

/// How long a bench is measured.
pub const MEASURED: Duration = Duration::from_millis(1500);
