//! The time on the wall: what people and programs take for the time. It jumps when somebody sets it,
//! so nothing is ever measured or awaited by it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, which fit until 2262; 0 before.
pub(crate) fn unix_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
}
