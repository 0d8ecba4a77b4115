//! A thread that writes log lines to standard error, so that nobody who logs waits for whoever reads
//! them: a pipe that is full would hold up every packet.
//!
//! Owns the lines on their way, at most [`MOST`] bytes of them; what finds no room is counted, and
//! the count is written. Never reorders lines.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::background;

/// Bytes of lines that may wait to be written.
const MOST: usize = 4 << 20;
/// How long the end of the process waits for what is still to be written: nobody may be reading.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Takes lines, from any thread; never waits for them to be written.
#[derive(Clone, Default)]
pub(super) struct Scribe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    /// There is something to write, or nothing will come any more.
    called: Condvar,
    /// The thread has ended.
    done: Condvar,
}

#[derive(Default)]
struct Desk {
    lines: Vec<u8>,
    /// Lines that found no room.
    lost: u64,
    /// The thread sleeps until it is called.
    asleep: bool,
    /// Nothing will come any more.
    over: bool,
    /// Everything is written.
    ended: bool,
}

/// Dropping it waits until everything is written, for a second at most.
#[must_use = "what is logged is written until it is dropped"]
pub struct Logging(Option<Scribe>);

impl Logging {
    /// For a process whose logs are set up elsewhere.
    pub(super) fn elsewhere() -> Self {
        Self(None)
    }
}

impl Scribe {
    /// Starts the thread, which writes to `out`.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(super) fn spawn(&self, out: impl Write + Send + 'static) -> io::Result<Logging> {
        let scribe = self.clone();
        background::spawn("hub-log", move || scribe.write_all(out))?;
        Ok(Logging(Some(self.clone())))
    }

    fn write_all(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        loop {
            let lost = {
                let mut desk = self.desk();
                while desk.lines.is_empty() && !desk.over {
                    desk.asleep = true;
                    desk = wait(&self.0.called, desk);
                }
                desk.asleep = false;
                if desk.lines.is_empty() {
                    desk.ended = true;
                    self.0.done.notify_all();
                    return;
                }
                std::mem::swap(&mut desk.lines, &mut lines);
                std::mem::take(&mut desk.lost)
            };
            // There is nowhere to say that logs cannot be written.
            let _ = out.write_all(&lines);
            if lost > 0 {
                let _ = writeln!(out, "{{\"lost_log_lines\":{lost}}}");
            }
            lines.clear();
            std::thread::sleep(background::REST);
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, line: &[u8]) {
        let mut desk = self.desk();
        if desk.lines.len() + line.len() > MOST {
            desk.lost += 1;
            return;
        }
        desk.lines.extend_from_slice(line);
        if std::mem::take(&mut desk.asleep) {
            self.0.called.notify_one();
        }
    }
}

fn wait<'a>(on: &Condvar, desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
    on.wait(desk).unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Logging {
    fn drop(&mut self) {
        let Some(scribe) = &self.0 else { return };
        let mut desk = scribe.desk();
        desk.over = true;
        scribe.0.called.notify_one();
        let _ = scribe
            .0
            .done
            .wait_timeout_while(desk, LAST_WORDS, |desk| !desk.ended);
    }
}

impl<'a> MakeWriter<'a> for Scribe {
    type Writer = &'a Scribe;

    fn make_writer(&'a self) -> &'a Scribe {
        self
    }
}

impl Write for &Scribe {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// Passes on what is written, each time when somebody asks for it.
    struct Slow(mpsc::SyncSender<String>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let sent = self.0.send(text);
            sent.map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn rig() -> (Scribe, Logging, mpsc::Receiver<String>) {
        let (written, reader) = mpsc::sync_channel(0);
        let scribe = Scribe::default();
        let logging = scribe.spawn(Slow(written)).expect("a thread");
        (scribe, logging, reader)
    }

    #[test]
    fn who_logs_never_waits_for_a_reader_and_lines_keep_their_order() {
        let (scribe, logging, reader) = rig();
        let mut expected = String::new();
        for n in 0..10_000 {
            let line = format!("{n}\n");
            scribe.take(line.as_bytes());
            expected.push_str(&line);
        }
        let read = std::thread::spawn(move || reader.iter().collect::<String>());
        drop((logging, scribe));
        assert_eq!(read.join().expect("read"), expected);
    }

    /// Waits until the thread has nothing to do.
    fn until_asleep(scribe: &Scribe) {
        let until = std::time::Instant::now() + DEADLINE;
        while !scribe.desk().asleep {
            assert!(std::time::Instant::now() < until, "it sleeps");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_line_wakes_the_thread_and_so_does_the_end() {
        let (scribe, logging, reader) = rig();
        for line in ["one\n", "two\n"] {
            until_asleep(&scribe);
            scribe.take(line.as_bytes());
            assert_eq!(reader.recv_timeout(DEADLINE).as_deref(), Ok(line));
        }
        until_asleep(&scribe);
        drop(logging);
        assert!(scribe.desk().ended);
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told() {
        let (scribe, logging, reader) = rig();
        scribe.take(b"first\n");
        assert_eq!(reader.recv().as_deref(), Ok("first\n"));
        let mut line = vec![b'x'; MOST / 4];
        line.push(b'\n');
        // Nobody reads: there is room for three in the thread's hands and three on the desk.
        for _ in 0..12 {
            scribe.take(&line);
        }
        assert!(scribe.desk().lines.len() <= MOST);
        let read = std::thread::spawn(move || reader.iter().collect::<String>());
        drop((logging, scribe));
        let read = read.join().expect("read");
        let (told, written): (Vec<_>, Vec<_>) =
            read.lines().partition(|line| line.starts_with('{'));
        let told = told.iter().filter_map(|line| {
            let count = line.strip_prefix("{\"lost_log_lines\":")?;
            count.strip_suffix('}')?.parse::<usize>().ok()
        });
        let lost: usize = told.sum();
        assert!(lost >= 6, "{lost}");
        assert_eq!(written.len() + lost, 12);
    }
}
