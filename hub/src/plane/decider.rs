//! Decisions on packets whose documents are large, on a thread of their own (spec 4.4).
//!
//! Owns that thread. At most one decision a connection is under way: its next packet waits for it.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use engine::ConnId;
use engine::decide::{Decided, Job};
use tokio::sync::mpsc as answers;

/// What was decided, how long it took, for whom and on which packet.
pub(crate) type Decision = ((ConnId, u64), (Decided, Duration));

/// Has decisions made elsewhere; started by the first one.
pub(crate) struct Decider {
    jobs: Option<mpsc::Sender<Job>>,
    made: answers::UnboundedSender<Decision>,
}

impl Decider {
    /// Decisions come out of what is returned beside it, until it is dropped.
    pub(crate) fn new() -> (Self, answers::UnboundedReceiver<Decision>) {
        let (made, decisions) = answers::unbounded_channel();
        (Self { jobs: None, made }, decisions)
    }

    /// Has `job` done. Where no thread can be had, here and now.
    pub(super) fn ask(&mut self, job: Job) {
        if self.jobs.is_none() {
            match self.start() {
                Ok(jobs) => self.jobs = Some(jobs),
                Err(error) => tracing::warn!(%error, "large packets are decided in line"),
            }
        }
        let here = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|unsent| unsent.0),
            None => Some(job),
        };
        if let Some(job) = here {
            decide(job, &self.made);
        }
    }

    fn start(&self) -> io::Result<mpsc::Sender<Job>> {
        let (jobs, asked) = mpsc::channel();
        let made = self.made.clone();
        let work = move || {
            for job in asked {
                decide(job, &made);
            }
        };
        thread::Builder::new()
            .name("hub-decide".to_owned())
            .spawn(work)?;
        Ok(jobs)
    }
}

fn decide(job: Job, made: &answers::UnboundedSender<Decision>) {
    let (ticket, began) = (job.ticket(), Instant::now());
    if let Some(decided) = job.run() {
        // Nobody asks any more when the hub is stopping.
        let _ = made.send((ticket, (decided, began.elapsed())));
    }
}
