//! Owns a hub that the load generator starts for itself: another process, so that its CPU and
//! memory can be told from ours, ended in every case.
//!
//! The hub is the `hub` library in a hidden subcommand of this program, or a `hub` binary that is
//! named. Never touches a hub that it did not start.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;

use crate::drive::Target;
use crate::units::Nonce;

/// Longest wait for the ready line.
const READY_DEADLINE: Duration = Duration::from_secs(20);
/// Longest wait between SIGTERM and SIGKILL.
const END_DEADLINE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(10);
/// Lines of the hub's log that are shown when it fails.
const LOG_TAIL: usize = 12;

/// Which program is started, and how.
#[derive(Clone, Debug)]
pub struct HubCommand {
    /// The program.
    pub program: PathBuf,
    /// Arguments before the Story file.
    pub before: Vec<String>,
    /// Arguments after the addresses.
    pub after: Vec<String>,
}

/// Why there is no hub.
#[derive(Debug, Error)]
pub enum HubProcessError {
    /// The Story or log file could not be written, or the program not started.
    #[error("cannot start a hub ({program}): {error}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// It ended, or said nothing, instead of getting ready.
    #[error("the hub did not get ready ({reason}); the end of its log:\n{log}")]
    NotReady {
        /// What happened instead.
        reason: String,
        /// Last lines of its log.
        log: String,
    },
}

/// A running hub; ends with this value.
#[derive(Debug)]
pub struct HubProcess {
    child: Child,
    target: Target,
    command: HubCommand,
    files: Files,
}

#[derive(Debug)]
struct Files {
    story: PathBuf,
    log: PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        // Scratch files in the temporary folder; what cannot be removed is left to the system.
        let _ = fs::remove_file(&self.story);
        let _ = fs::remove_file(&self.log);
    }
}

impl HubProcess {
    /// Starts a hub on free ports and waits until it serves `story` (YAML).
    ///
    /// # Errors
    /// [`HubProcessError`], with the end of the hub's own log where it has one.
    pub fn start(command: &HubCommand, story: &str) -> Result<HubProcess, HubProcessError> {
        let failed = |error| HubProcessError::Start {
            program: command.program.display().to_string(),
            error,
        };
        let name = format!("loadtest-{}-{:08x}", std::process::id(), Nonce::fresh().0);
        let at = |ending: &str| std::env::temp_dir().join(format!("{name}.{ending}"));
        let files = Files {
            story: at("yaml"),
            log: at("log"),
        };
        fs::write(&files.story, story).map_err(failed)?;
        let child = spawn(command, &files, ["127.0.0.1:0", "127.0.0.1:0"]).map_err(failed)?;
        let mut hub = HubProcess {
            target: Target {
                pid: Some(child.id()),
                own: true,
                ..Target::default()
            },
            child,
            command: command.clone(),
            files,
        };
        hub.wait_until_ready()?;
        Ok(hub)
    }

    /// Kills it without warning and starts it again on the same addresses.
    ///
    /// # Errors
    /// [`HubProcessError`] when it does not come back; it is gone then.
    pub fn kill_and_restart(&mut self) -> Result<(), HubProcessError> {
        // A hub that died by itself cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let admin = self.target.admin.clone().unwrap_or_default();
        let addresses = [self.target.address.as_str(), &admin];
        self.child = spawn(&self.command, &self.files, addresses).map_err(|error| {
            HubProcessError::Start {
                program: self.command.program.display().to_string(),
                error,
            }
        })?;
        self.target.pid = Some(self.child.id());
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<(), HubProcessError> {
        match ready_line(&mut self.child) {
            Ok((grpc, admin)) => {
                self.target.address = grpc;
                self.target.admin = Some(admin);
                Ok(())
            }
            Err(reason) => {
                let reason = match self.child.try_wait() {
                    Ok(Some(status)) => format!("it ended with {status}"),
                    _ => reason,
                };
                let log = self.log_tail();
                Err(HubProcessError::NotReady { reason, log })
            }
        }
    }

    /// Where it serves.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How it ended, if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// As [`ended`](Self::ended), for a hub that seems to be dying: its connections close before the
    /// system says how it ended. Waits for `patience` at most.
    pub fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.files.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
    }

    /// Asks it to drain and waits until it is gone; kills it when it does not go.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if let Some(status) = self.ended() {
            return Some(status);
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The child has not been waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = self.ended_within(END_DEADLINE);
        if ended.is_some() {
            return ended;
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(command: &HubCommand, files: &Files, [grpc, admin]: [&str; 2]) -> io::Result<Child> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&files.log)?;
    Command::new(&command.program)
        .args(&command.before)
        .arg(&files.story)
        .args(["--listen", grpc, "--admin", admin])
        .args(&command.after)
        // Its events would end up in the folder that the load is started in.
        .env("HUB__EVENTS__SUBSCRIBERS", "[]")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // A Ctrl-C at the terminal is ours to handle: the hub must outlive the last message.
        .process_group(0)
        .spawn()
}

/// Waits for `ready grpc=ADDR admin=ADDR`; the addresses, or why there are none.
fn ready_line(child: &mut Child) -> Result<(String, String), String> {
    let stdout = child.stdout.take().ok_or("it has no standard output")?;
    let (tell, told) = mpsc::channel();
    // Reads to the end, so that the hub never blocks on its standard output; ends with the hub.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(addresses) = parse_ready(&line) {
                let _ = tell.send(addresses);
            }
        }
    });
    told.recv_timeout(READY_DEADLINE)
        .map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => "it said nothing for 20 s".to_owned(),
            mpsc::RecvTimeoutError::Disconnected => "it closed its standard output".to_owned(),
        })
}

fn parse_ready(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("ready ")?;
    let find = |key: &str| {
        rest.split_whitespace()
            .find_map(|word| word.strip_prefix(key))
            .map(str::to_owned)
    };
    Some((find("grpc=")?, find("admin=")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> HubCommand {
        HubCommand {
            program: "/bin/sh".into(),
            before: vec!["-c".into(), script.into()],
            after: Vec::new(),
        }
    }

    #[test]
    fn the_ready_line_gives_both_addresses() {
        let line = "ready grpc=127.0.0.1:1 admin=127.0.0.1:2";
        let addresses = ("127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned());
        assert_eq!(parse_ready(line), Some(addresses));
        assert_eq!(parse_ready("ready grpc=127.0.0.1:1"), None);
        assert_eq!(parse_ready("listening"), None);
    }

    #[test]
    fn a_hub_that_dies_first_is_reported_with_its_log() {
        let error = HubProcess::start(&shell("echo no such step >&2; exit 3"), "x").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("no such step"), "{text}");
        assert!(matches!(error, HubProcessError::NotReady { .. }));
    }

    #[test]
    fn a_killed_hub_comes_back_on_the_same_addresses() {
        let script = "echo ready grpc=$2 admin=$4; exec sleep 600";
        let mut hub = HubProcess::start(&shell(script), "kind: Story").unwrap();
        let before = hub.target().clone();
        hub.kill_and_restart().unwrap();
        assert_eq!(hub.target().address, before.address);
        assert_ne!(hub.target().pid, before.pid);
        assert_eq!(hub.ended(), None);
    }

    #[test]
    fn ending_it_waits_until_it_is_gone_and_removes_its_files() {
        let script = "echo ready grpc=a:1 admin=b:2; exec sleep 600";
        let mut hub = HubProcess::start(&shell(script), "kind: Story").unwrap();
        assert_eq!(hub.target().address, "a:1");
        let story = hub.files.story.clone();
        assert!(story.exists());
        assert!(hub.end().is_some());
        drop(hub);
        assert!(!story.exists());
    }

    #[test]
    fn a_hub_that_is_dying_is_waited_for() {
        let script = "echo ready grpc=a:1 admin=b:2; while [ -e $0 ]; do :; done; exit 7";
        let mut hub = HubProcess::start(&shell(script), "kind: Story").unwrap();
        assert_eq!(hub.ended(), None);
        fs::remove_file(&hub.files.story).unwrap();
        // Until it has ended, and no longer.
        let ended = hub.ended_within(Duration::from_secs(86_400));
        assert_eq!(ended.and_then(|status| status.code()), Some(7));
    }

    #[test]
    fn a_hub_that_lives_is_waited_for_no_longer_than_one_has_patience() {
        let script = "echo ready grpc=a:1 admin=b:2; exec sleep 600";
        let mut hub = HubProcess::start(&shell(script), "kind: Story").unwrap();
        assert_eq!(hub.ended_within(Duration::ZERO), None);
        assert_eq!(hub.ended_within(LOOK), None);
    }
}
