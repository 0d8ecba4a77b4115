//! Threads that work beside the data plane: logs, events, admin.
//!
//! Owns how they are started: with a nice value (sched(7)), so that on a machine with few cores
//! packets never wait for a page of figures or a line of a log. They are never starved either: such a
//! thread has a tenth of what the data plane has where the two must share a core.

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What a thread rests when it has done what there was, so that a storm wakes it a few times only:
/// waking it costs the data plane more than telling it.
pub(crate) const REST: Duration = Duration::from_millis(5);

/// Added to the nice value of the process.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;

/// Starts a thread that gives way to the data plane.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        give_way();
        work()
    })
}

/// Only on Linux does a thread have a nice value of its own.
#[cfg(target_os = "linux")]
fn give_way() {
    if let Err(error) = rustix::process::nice(NICER) {
        tracing::debug!(%error, "a background thread runs at the priority of the others");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn nice_value() -> i32 {
        rustix::process::nice(0).expect("a thread may ask")
    }

    #[test]
    fn a_background_thread_gives_way_and_no_other_does() {
        let before = nice_value();
        let there = spawn("background", nice_value)
            .expect("a thread")
            .join()
            .expect("it ends");
        assert_eq!(there, (before + NICER).min(19));
        assert_eq!(nice_value(), before);
    }
}
