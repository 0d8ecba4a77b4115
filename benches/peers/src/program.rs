//! Owns the programs under comparison: which there are, how each is started on a free port and fed
//! its routes, and that each is gone afterwards. Ends only what it started, by its own number.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use loadtest::drive::Target;
use loadtest::hub_process::{HubCommand, HubProcess, HubProcessError};
use loadtest::scenario::{Scenario, Topology, story_yaml};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::routes::Routes;

/// Longest wait for a program to listen.
const READY_DEADLINE: Duration = Duration::from_secs(10);
/// Longest wait between SIGTERM and SIGKILL.
const END_DEADLINE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// A program under comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Raw TCP relay (A1).
    Tcp,
    /// Raw HTTP/2 relay: the floor (A2).
    Http2,
    /// tonic and prost (B).
    Tonic,
    /// This project's hub.
    Hub,
    /// NATS core.
    Nats,
}

impl Program {
    /// All of them, in the order of the tables.
    pub const ALL: [Program; 5] = [
        Program::Tcp,
        Program::Http2,
        Program::Tonic,
        Program::Nats,
        Program::Hub,
    ];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Program::Tcp => "TCP relay",
            Program::Http2 => "HTTP/2 relay",
            Program::Tonic => "tonic relay",
            Program::Hub => "hub",
            Program::Nats => "NATS",
        }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Folder of `hub` and of the relays.
    pub folder: PathBuf,
    /// `nats-server`; `None`: not compared.
    pub nats: Option<PathBuf>,
}

/// Why a program could not be started.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// It or its files could not be made.
    #[error("cannot start {program}: {error}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// It did not listen in time, or ended.
    #[error("{program} did not get ready: {reason}")]
    NotReady {
        /// The program.
        program: String,
        /// What happened instead.
        reason: String,
    },
    /// The hub said no.
    #[error(transparent)]
    Hub(#[from] HubProcessError),
}

/// A running program; ends with this value.
#[derive(Debug)]
pub enum Running {
    /// The hub.
    Hub(HubProcess),
    /// Any other.
    Peer(PeerProcess),
}

impl Running {
    /// Where it serves, and its process.
    pub fn target(&self) -> Target {
        match self {
            Running::Hub(hub) => hub.target().clone(),
            Running::Peer(peer) => peer.target.clone(),
        }
    }
}

/// A relay or server that is not the hub.
#[derive(Debug)]
pub struct PeerProcess {
    child: Child,
    target: Target,
    /// Its files; removed with it.
    scratch: Scratch,
}

#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from the temporary folder is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Programs {
    /// The programs that are there, in the order of the tables.
    pub fn present(&self) -> Vec<Program> {
        let there = |program: &Program| *program != Program::Nats || self.nats.is_some();
        Program::ALL.into_iter().filter(there).collect()
    }

    /// Starts `program` for the streams of `scenario`.
    ///
    /// # Errors
    /// [`ProgramError`] when it does not get ready.
    pub fn start(&self, program: Program, scenario: &Scenario) -> Result<Running, ProgramError> {
        let topology = Topology::of(scenario);
        let relay = |name: &str| {
            let routes = Routes::text(&topology);
            PeerProcess::relay(&self.folder.join(name), &routes).map(Running::Peer)
        };
        match program {
            Program::Tcp => relay("tcp-relay"),
            Program::Http2 => relay("h2-relay"),
            Program::Tonic => relay("tonic-relay"),
            Program::Nats => PeerProcess::nats(self.nats.as_deref()).map(Running::Peer),
            Program::Hub => {
                let command = HubCommand {
                    program: self.folder.join("hub"),
                    before: vec!["run".to_owned()],
                    after: Vec::new(),
                };
                let story = story_yaml(scenario, &topology);
                Ok(Running::Hub(HubProcess::start(&command, &story)?))
            }
        }
    }
}

impl PeerProcess {
    fn relay(program: &Path, routes: &str) -> Result<PeerProcess, ProgramError> {
        let failed = |error| start_error(program, error);
        let scratch = scratch().map_err(failed)?;
        let file = scratch.0.join("routes");
        fs::write(&file, routes).map_err(failed)?;
        let log = fs::File::create(scratch.0.join("log")).map_err(failed)?;
        let mut child = Command::new(program)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let stdout = child.stdout.take();
        let mut peer = PeerProcess::of(child, scratch);
        let (tell, told) = mpsc::channel();
        // Ends with the relay, whose standard output it reads.
        std::thread::spawn(move || {
            let lines = stdout
                .into_iter()
                .flat_map(|out| BufReader::new(out).lines());
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let line = told.recv_timeout(READY_DEADLINE).unwrap_or_default();
        match line.strip_prefix("ready grpc=") {
            Some(address) => peer.target.address = address.to_owned(),
            None => return Err(not_ready(program, &peer.log())),
        }
        Ok(peer)
    }

    fn nats(program: Option<&Path>) -> Result<PeerProcess, ProgramError> {
        let program = program.unwrap_or(Path::new("nats-server"));
        let failed = |error| start_error(program, error);
        let scratch = scratch().map_err(failed)?;
        let config = scratch.0.join("nats.conf");
        // Room for the largest payload, and no pings that a minimal client would have to answer.
        let settings = "listen: \"127.0.0.1:-1\"\nmax_payload: 8MB\nping_interval: \"1h\"\n";
        fs::write(&config, settings).map_err(failed)?;
        let log = fs::File::create(scratch.0.join("log")).map_err(failed)?;
        let child = Command::new(program)
            .arg("--config")
            .arg(&config)
            .arg("--ports_file_dir")
            .arg(&scratch.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let mut peer = PeerProcess::of(child, scratch);
        let deadline = Instant::now() + READY_DEADLINE;
        while Instant::now() < deadline {
            if let Some(address) = nats_address(&peer.scratch.0, peer.child.id()) {
                peer.target.address = address;
                return Ok(peer);
            }
            if matches!(peer.child.try_wait(), Ok(Some(_))) {
                return Err(not_ready(program, &peer.log()));
            }
            std::thread::sleep(LOOK);
        }
        Err(not_ready(program, "it named no port"))
    }

    /// What it has said on standard error.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.scratch.0.join("log")).unwrap_or_default();
        format!("its log: {}", log.trim_end())
    }

    fn of(child: Child, scratch: Scratch) -> PeerProcess {
        let target = Target {
            pid: Some(child.id()),
            own: true,
            ..Target::default()
        };
        PeerProcess {
            child,
            target,
            scratch,
        }
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The child has not been waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + END_DEADLINE;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the file that nats-server writes once it listens.
fn nats_address(folder: &Path, pid: u32) -> Option<String> {
    #[derive(Deserialize)]
    struct Ports {
        nats: Vec<String>,
    }
    let file = folder.join(format!("nats-server_{pid}.ports"));
    let ports: Ports = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let url = ports.nats.first()?;
    url.strip_prefix("nats://").map(str::to_owned)
}

/// A new folder in the temporary folder.
fn scratch() -> io::Result<Scratch> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("bench-peers-{}-{number}", std::process::id()));
    fs::create_dir(&folder)?;
    Ok(Scratch(folder))
}

fn start_error(program: &Path, error: io::Error) -> ProgramError {
    ProgramError::Start {
        program: program.display().to_string(),
        error,
    }
}

fn not_ready(program: &Path, reason: &str) -> ProgramError {
    ProgramError::NotReady {
        program: program.display().to_string(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_says_something_else_is_not_ready() {
        let error = PeerProcess::relay(Path::new("/bin/echo"), "").unwrap_err();
        assert!(matches!(error, ProgramError::NotReady { .. }), "{error}");
    }

    #[test]
    fn without_nats_the_others_are_compared() {
        let programs = Programs {
            folder: PathBuf::new(),
            nats: None,
        };
        assert!(!programs.present().contains(&Program::Nats));
        assert_eq!(programs.present().len(), Program::ALL.len() - 1);
    }
}
