//! Owns killing the hub again and again while the load runs (`--kill-every`).

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::hub_process::HubProcess;

/// A hub that is killed at an interval and started again on the same ports.
#[derive(Debug)]
pub(super) struct Killer {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<Killed>>,
}

/// How that went.
#[derive(Debug)]
pub(super) struct Killed {
    /// How often it was killed.
    pub(super) times: u64,
    /// Why it could not be started again.
    pub(super) failure: Option<String>,
}

impl Killer {
    /// Kills `hub` every `every` until [`Killer::end`].
    ///
    /// # Errors
    /// When the system gives no thread; the hub has ended then.
    pub(super) fn start(hub: HubProcess, every: Duration) -> std::io::Result<Killer> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("kill".to_owned())
            .spawn(move || kill(hub, every, &stopped))?;
        Ok(Killer {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Stops killing; `None` when the killing thread died.
    pub(super) fn end(mut self) -> Option<Killed> {
        self.stop = None;
        self.thread.take()?.join().ok()
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread ends its hub before it ends.
            drop(thread.join());
        }
    }
}

fn kill(mut hub: HubProcess, every: Duration, stopped: &mpsc::Receiver<()>) -> Killed {
    let mut times = 0;
    let mut failure = None;
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(every) {
        times += 1;
        if let Err(error) = hub.kill_and_restart() {
            failure = Some(error.to_string());
            break;
        }
    }
    // The hub ends here, before the account of it is given.
    drop(hub);
    Killed { times, failure }
}
