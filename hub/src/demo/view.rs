//! The live view: a table on a terminal, otherwise a line a second.
//!
//! Owns what is on the screen while the demo runs. Looks at counters only, never at packets.

mod picture;
mod table;

use super::hub_side::HubSide;
use super::progress::Progress;
use super::recording::Recording;
use picture::{Painter, Picture};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use table::Table;

/// Between two pictures of the table.
const REDRAW: Duration = Duration::from_millis(100);
/// Between two lines, and between two questions to the hub.
const SECOND: Duration = Duration::from_secs(1);

/// What the view looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) recording: &'a Recording,
    pub(super) progress: &'a Progress,
    /// The hub's admin port, where it is known.
    pub(super) admin: Option<SocketAddr>,
    /// Whether standard output is for people (and not for the JSON of a script).
    pub(super) human: bool,
}

/// Shows the demo until the other end of `playing` is dropped.
pub(super) fn watch(subject: Subject<'_>, playing: &Receiver<()>) {
    let mut screen = Screen::open(subject.human);
    let mut painter = Painter::new(subject.recording, subject.progress);
    let mut hub = None;
    let mut asked = None;
    loop {
        let ended = playing.recv_timeout(screen.interval()) == Err(RecvTimeoutError::Disconnected);
        if asked.is_none_or(|at: Instant| at.elapsed() >= SECOND) {
            asked = Some(Instant::now());
            hub = subject.admin.and_then(HubSide::ask);
        }
        screen.show(&painter.picture(hub.as_ref()));
        if ended {
            return;
        }
    }
}

enum Screen {
    Table(Box<Table>),
    Lines,
}

impl Screen {
    /// A table where standard output is a terminal: its place is found by asking there, which
    /// would end up in the output of a script.
    fn open(human: bool) -> Self {
        let terminal = human && io::stdout().is_terminal() && io::stdin().is_terminal();
        match terminal.then(Table::open) {
            Some(Ok(table)) => Self::Table(Box::new(table)),
            _ => Self::Lines,
        }
    }

    fn interval(&self) -> Duration {
        match self {
            Self::Table(_) => REDRAW,
            Self::Lines => SECOND,
        }
    }

    /// A view that cannot be shown does not stop the demo: its verdict is what counts.
    fn show(&mut self, picture: &Picture) {
        let _ = match self {
            Self::Table(table) => table.draw(picture),
            Self::Lines => writeln!(io::stderr(), "{picture}"),
        };
    }
}
