//! A process of the binary under test, ended in every case.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest that anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A running process. Dropping it kills it.
pub struct Process {
    child: Child,
    /// Lines of standard output; closed at its end.
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    /// Its working folder, empty at first.
    folder: TempDir,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts `hub` with these arguments, in an empty folder and an empty environment.
    pub fn start<A: AsRef<OsStr>>(args: &[A]) -> Self {
        Self::start_with_env(args, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with_env<A: AsRef<OsStr>>(args: &[A], env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_hub"))
            .args(args)
            .env_clear()
            .envs(env.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary under test starts");
        let stdout = child.stdout.take().expect("piped");
        let mut errors = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).expect("logs are UTF-8");
            text
        });
        Self {
            child,
            lines,
            stderr: Some(stderr),
            folder,
        }
    }

    /// Its working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its number for the system.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output; `None` at its end.
    pub fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line within {DEADLINE:?}"),
        }
    }

    /// Sends it a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("a shell").success(), "{kill}");
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Ended {
        let mut stdout = String::new();
        while let Some(line) = self.line() {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        // Its standard output is closed: it is exiting.
        let status = self.child.wait().expect("waited for");
        let stderr = self.stderr.take().expect("ended once");
        Ended {
            code: status.code(),
            stdout,
            stderr: stderr.join().expect("read"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `hub` with these arguments until it ends.
pub fn hub<A: AsRef<OsStr>>(args: &[A]) -> Ended {
    Process::start(args).end()
}

/// `hub run` on free loopback ports, serving.
pub struct Hub {
    pub process: Process,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
    /// Its first line on standard output.
    pub ready: String,
    _story: TempDir,
}

impl Hub {
    /// Serves `story` (YAML) with more flags.
    pub fn serve(story: &str, flags: &[&str]) -> Self {
        let (folder, path) = story_file(story);
        let mut args = vec!["run", path.as_str()];
        args.extend(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        args.extend(flags);
        let process = Process::start(&args);
        let Some(ready) = process.line() else {
            panic!("it does not serve: {:?}", process.end());
        };
        let address = |key: &str| {
            let word = ready.split(' ').find_map(|word| word.strip_prefix(key));
            word.and_then(|text| text.parse().ok())
                .unwrap_or_else(|| panic!("no {key} in {ready:?}"))
        };
        Self {
            grpc: address("grpc="),
            admin: address("admin="),
            process,
            ready,
            _story: folder,
        }
    }

    /// Sends SIGTERM and waits for its end.
    pub fn terminate(self) -> Ended {
        self.process.signal("TERM");
        self.process.end()
    }

    /// Head and body of an admin page.
    pub fn get(&self, path: &str) -> (String, String) {
        let mut socket = TcpStream::connect(self.admin).expect("admin listens");
        socket.set_read_timeout(Some(DEADLINE)).expect("set");
        let request = format!("GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        (head.to_owned(), body.to_owned())
    }

    /// Asks for `/metrics` until a line of it is `wanted`; the page.
    pub async fn metrics_with(&self, wanted: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let (_, page) = self.get("/metrics");
            if page.lines().any(|line| line == wanted) {
                return page;
            }
            assert!(Instant::now() < until, "no {wanted:?} in\n{page}");
            // Engrams of the same test run on this thread: let them.
            tokio::task::yield_now().await;
        }
    }
}

/// A file with a Story, and the folder that it goes with.
pub fn story_file(yaml: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("story.yaml");
    std::fs::write(&path, yaml).expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}
