//! One moment of the demo, as numbers ready to be shown.

use crate::demo::hub_side::HubSide;
use crate::demo::progress::{HopState, Progress, STEPS};
use crate::demo::recording::Recording;
use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Rates are taken over about so long.
const RATE_OVER: Duration = Duration::from_secs(1);

/// What is to be shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) elapsed: Duration,
    pub(super) total: Duration,
    /// Share of the recording that has left the source, 0 to 1.
    pub(super) done: f64,
    /// What is being said.
    pub(super) caption: String,
    pub(super) hops: [HopPicture; 2],
}

/// One hop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HopPicture {
    pub(super) name: String,
    pub(super) state: HopState,
    /// Frames and bytes a second.
    pub(super) rate: (f64, f64),
    /// Sent by one engram and not (yet) received by the other.
    pub(super) outstanding: u64,
    /// Of those, waiting in the hub's queue, where the hub says so.
    pub(super) queued: Option<u64>,
}

/// Makes pictures, and remembers enough of the past for rates.
#[derive(Debug)]
pub(super) struct Painter<'a> {
    recording: &'a Recording,
    progress: &'a Progress,
    past: VecDeque<(Duration, [HopState; 2])>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(recording: &'a Recording, progress: &'a Progress) -> Self {
        let start = (progress.elapsed(), [HopState::default(); 2]);
        Self {
            recording,
            progress,
            past: VecDeque::from([start]),
        }
    }

    pub(super) fn picture(&mut self, hub: Option<&HubSide>) -> Picture {
        let elapsed = self.progress.elapsed();
        let states = [&self.progress.to_vad, &self.progress.to_recorder].map(|hop| hop.state());
        let (then, before) = self.reference(elapsed, states);
        let seconds = elapsed.saturating_sub(then).as_secs_f64();
        let rate = |now: u64, before: u64| {
            if seconds > 0.0 {
                now.saturating_sub(before) as f64 / seconds
            } else {
                0.0
            }
        };
        let [source, vad, recorder] = STEPS;
        let hop = |(from, to): (&str, &str), now: HopState, before: HopState| HopPicture {
            name: format!("{from} -> {to}"),
            state: now,
            rate: (
                rate(now.arrived, before.arrived),
                rate(now.bytes, before.bytes),
            ),
            outstanding: now.sent.saturating_sub(now.arrived),
            queued: hub.and_then(|hub| hub.queued(from, to)),
        };
        let [first, second] = states;
        let [first_before, second_before] = before;
        Picture {
            elapsed,
            total: self.recording.duration(),
            done: first.sent as f64 / f64::from(self.recording.frame_count().max(1)),
            caption: self.caption(),
            hops: [
                hop((source, vad), first, first_before),
                hop((vad, recorder), second, second_before),
            ],
        }
    }

    /// The newest state that is at least [`RATE_OVER`] old, or the oldest there is.
    fn reference(&mut self, now: Duration, states: [HopState; 2]) -> (Duration, [HopState; 2]) {
        self.past.push_back((now, states));
        let old = |at: Duration| now.saturating_sub(at) >= RATE_OVER;
        while self.past.get(1).is_some_and(|(at, _)| old(*at)) {
            self.past.pop_front();
        }
        self.past.front().copied().unwrap_or((now, states))
    }

    fn caption(&self) -> String {
        let speaking = self.progress.speaking();
        let label = speaking.and_then(|number| {
            let mut labels = self.recording.labels.iter();
            labels.find(|label| label.segment == number)
        });
        match (speaking, label) {
            (None, _) => "silence".to_owned(),
            (Some(number), None) => format!("segment {number}"),
            (Some(number), Some(label)) => format!("segment {number}: {}", label.text),
        }
    }
}

impl Display for Picture {
    /// One line, for logs.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (elapsed, total) = (self.elapsed.as_secs_f64(), self.total.as_secs_f64());
        write!(f, "{elapsed:5.1} / {total:.1} s")?;
        for hop in &self.hops {
            let HopPicture { name, state, .. } = hop;
            write!(
                f,
                " | {name} {} frames {:.0}/s p50 {} p99 {} outstanding {}",
                state.arrived,
                hop.rate.0,
                millis(state.p50),
                millis(state.p99),
                hop.outstanding
            )?;
            if let Some(queued) = hop.queued {
                write!(f, " queued {queued}")?;
            }
        }
        Ok(())
    }
}

/// `1.25 ms`
pub(super) fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_look_back_about_one_second() {
        let recording = Recording::bundled().unwrap();
        let progress = Progress::new();
        let mut painter = Painter::new(&recording, &progress);
        let at = |arrived| {
            let state = HopState {
                arrived,
                ..HopState::default()
            };
            [state; 2]
        };
        for tenth in 1..=30 {
            let now = Duration::from_millis(tenth * 100);
            let (then, _) = painter.reference(now, at(tenth * 5));
            let age = now.saturating_sub(then);
            assert!(age <= Duration::from_millis(1000), "{age:?}");
        }
        assert!(painter.past.len() <= 12);
    }
}
