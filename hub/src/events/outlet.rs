//! The mailbox of events and the thread that empties it.
//!
//! Owns the bounded mailbox, the subscribers of the configuration and the feed of those who listen
//! over HTTP. Whoever tells an event never waits: what finds the mailbox full is counted, and the
//! count is an event of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::{Duration, SystemTime};

use tokio::sync::broadcast;

use super::event::{Event, Kind};
use super::jsonl::Jsonl;
use super::render;
use crate::background;
use crate::config::Subscriber;

/// Events that wait to be written at once.
const MAILBOX: usize = 4096;
/// Events that one listener may be behind.
const FEED: usize = 1024;
/// How long the end of the hub waits for what is still to be written: the disk may hang.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// An event and when it happened.
type Told = (SystemTime, Event);

/// Takes events, from any thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outlet {
    mailbox: SyncSender<Told>,
    /// Events that found the mailbox full and are not told yet.
    lost: Arc<AtomicU64>,
}

impl Outlet {
    /// Hands an event over, or counts it as lost. Never waits.
    pub(crate) fn tell(&self, event: Event) {
        match self.mailbox.try_send((SystemTime::now(), event)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            // The hub is at its end.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

/// Events that were dispatched, by type. They never decrease.
#[derive(Debug, Default)]
pub(crate) struct Tally([AtomicU64; Kind::ALL.len()]);

impl Tally {
    fn note(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Each type with its count.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = Kind::ALL.into_iter().zip(&self.0);
        counts.map(|(kind, count)| (kind.as_str(), count.load(Ordering::Relaxed)))
    }
}

/// One event for those who listen over HTTP.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) name: &'static str,
    pub(crate) uuid: String,
    /// The envelope.
    pub(crate) line: String,
}

/// Where to listen. It ends with the writer: whoever listens then hears the rest and no more.
#[derive(Clone)]
pub(crate) struct Feed(broadcast::WeakSender<Arc<Item>>);

impl Feed {
    /// Hears every event from now on; one that is too far behind loses the oldest and learns how
    /// many. `None` when the writer has ended.
    pub(crate) fn listen(&self) -> Option<broadcast::Receiver<Arc<Item>>> {
        Some(self.0.upgrade()?.subscribe())
    }
}

/// Somebody of `events.subscribers`.
enum Listener {
    Jsonl(Jsonl),
    Noop,
}

impl Listener {
    fn of(subscriber: &Subscriber) -> Self {
        match subscriber {
            Subscriber::Jsonl { path } => Self::Jsonl(Jsonl::new(path)),
            Subscriber::Noop => Self::Noop,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Jsonl(jsonl) => jsonl.name(),
            Self::Noop => "noop".to_owned(),
        }
    }

    fn deliver(&self, line: &str) -> io::Result<()> {
        match self {
            Self::Jsonl(jsonl) => jsonl.append(line),
            Self::Noop => Ok(()),
        }
    }
}

/// The running writer.
pub(crate) struct Writer {
    pub(crate) outlet: Outlet,
    pub(crate) feed: Feed,
    pub(crate) tally: Arc<Tally>,
    /// Closed when everything is written.
    done: Receiver<()>,
}

impl Writer {
    /// Starts the thread that dispatches to `subscribers`, in their order, and then to the feed.
    /// `epoch` is how this start of the hub calls itself.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn spawn(subscribers: &[Subscriber], epoch: Arc<str>) -> io::Result<Self> {
        let (mailbox, told) = mpsc::sync_channel(MAILBOX);
        let (finished, done) = mpsc::channel::<()>();
        let lost = Arc::new(AtomicU64::new(0));
        let (feed, _) = broadcast::channel(FEED);
        let listen = Feed(feed.downgrade());
        let tally = Arc::new(Tally::default());
        let dispatch = Dispatch {
            epoch,
            listeners: subscribers.iter().map(Listener::of).collect(),
            tally: tally.clone(),
            feed,
        };
        let outlet = Outlet { mailbox, lost };
        let lost = outlet.lost.clone();
        background::spawn("hub-events", move || {
            let _finished = finished;
            while let Ok(first) = told.recv() {
                for (at, event) in std::iter::once(first).chain(told.try_iter()) {
                    dispatch.one(&event, at);
                    let events = lost.swap(0, Ordering::Relaxed);
                    if events > 0 {
                        dispatch.one(&Event::EventsLost { events }, SystemTime::now());
                    }
                }
                std::thread::sleep(background::REST);
            }
        })?;
        Ok(Self {
            outlet,
            feed: listen,
            tally,
            done,
        })
    }

    /// Waits, not for ever, until everything told so far is written. All other ends must be gone.
    pub(crate) fn finish(self) {
        drop(self.outlet);
        if let Err(mpsc::RecvTimeoutError::Timeout) = self.done.recv_timeout(LAST_WORDS) {
            tracing::warn!("events are still being written; the hub does not wait for them");
        }
    }
}

/// What the thread knows.
struct Dispatch {
    epoch: Arc<str>,
    listeners: Vec<Listener>,
    feed: broadcast::Sender<Arc<Item>>,
    tally: Arc<Tally>,
}

impl Dispatch {
    /// Tells everybody; one failure never stops the others.
    fn one(&self, event: &Event, at: SystemTime) {
        let envelope = render::envelope(event, at, &self.epoch);
        let name = event.kind().as_str();
        let line = match envelope.validate() {
            Ok(()) => envelope.to_line(),
            Err(error) => {
                tracing::warn!("{error}");
                return;
            }
        };
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, name, "an event has no JSON");
                return;
            }
        };
        for listener in &self.listeners {
            if let Err(error) = listener.deliver(&line) {
                tracing::warn!("{}", failure(&listener.name(), name, &error.to_string()));
            }
        }
        let uuid = envelope.uuid;
        // Nobody may be listening.
        let _ = self.feed.send(Arc::new(Item { name, uuid, line }));
        self.tally.note(event.kind());
    }
}

/// The log line of a subscriber that failed (spec 10).
fn failure(subscriber: &str, event: &str, error: &str) -> String {
    let escaped = error.replace('\\', "\\\\").replace('"', "\\\"");
    format!("event-dispatch failure: subscriber={subscriber} event={event} error=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    fn jsonl(path: &std::path::Path) -> Subscriber {
        Subscriber::Jsonl {
            path: path.to_owned(),
        }
    }

    fn lost(events: u64) -> Event {
        Event::EventsLost { events }
    }

    #[test]
    fn one_failing_subscriber_does_not_stop_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let subscribers = [jsonl(folder.path()), Subscriber::Noop, jsonl(&path)];
        let writer = Writer::spawn(&subscribers, "e1".into()).unwrap();
        let tally = writer.tally.clone();
        writer.outlet.tell(lost(1));
        writer.finish();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        let counted: Vec<_> = tally.counts().filter(|(_, n)| *n > 0).collect();
        assert_eq!(counted, [("events.lost", 1)]);
    }

    #[test]
    fn a_full_mailbox_is_counted_and_never_waited_for() {
        let (mailbox, told) = mpsc::sync_channel(1);
        let outlet = Outlet {
            mailbox,
            lost: Arc::default(),
        };
        for n in 0..3 {
            outlet.tell(lost(n));
        }
        assert_eq!(outlet.lost.load(Ordering::Relaxed), 2);
        assert!(matches!(
            told.recv(),
            Ok((_, Event::EventsLost { events: 0 }))
        ));
        drop(told);
        outlet.tell(lost(3));
    }

    #[test]
    fn a_subscriber_that_hangs_delays_nobody_and_what_is_lost_meanwhile_is_told() {
        let folder = tempfile::tempdir().unwrap();
        // Whoever opens a pipe waits until somebody reads from it.
        let path = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let writer = Writer::spawn(&[jsonl(&path)], "e1".into()).unwrap();
        let all = MAILBOX as u64 + 100;
        for _ in 0..all {
            let deadline = Duration::ZERO;
            writer.outlet.tell(Event::HubDraining { deadline });
        }
        let mut reader = fs::File::open(&path).unwrap();
        let (mut text, mut seen, mut lost) = (String::new(), 0, 0);
        let until = Instant::now() + Duration::from_secs(20);
        while seen + lost < all {
            assert!(Instant::now() < until, "{seen} told, {lost} lost");
            reader.read_to_string(&mut text).unwrap();
            while let Some((line, rest)) = text.split_once('\n') {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                match event["payload"]["lost"].as_u64() {
                    Some(events) => lost += events,
                    None => seen += 1,
                }
                text = rest.to_owned();
            }
        }
        assert_eq!(seen + lost, all);
        assert!(lost > 0);
        writer.finish();
    }

    #[test]
    fn the_line_of_a_failure_escapes_quotes_and_backslashes() {
        assert_eq!(
            failure("noop", "run.ready", "a \"b\" \\c"),
            "event-dispatch failure: subscriber=noop event=run.ready error=\"a \\\"b\\\" \\\\c\""
        );
    }

    #[test]
    fn a_listener_that_is_too_far_behind_loses_the_oldest_and_learns_how_many() {
        let writer = Writer::spawn(&[], "e1".into()).unwrap();
        let mut listener = writer.feed.listen().unwrap();
        for n in 0..FEED as u64 + 5 {
            writer.outlet.tell(lost(n));
        }
        writer.finish();
        let behind = listener.blocking_recv();
        assert!(
            matches!(behind, Err(broadcast::error::RecvError::Lagged(5))),
            "{behind:?}"
        );
        assert!(
            listener
                .blocking_recv()
                .unwrap()
                .line
                .contains("\"lost\":5")
        );
    }
}
