//! How far each hop has come, seen from both of its ends.
//!
//! Owns the counters that the engrams move and the live view reads. Nothing is decided here: the
//! verdict of a demo comes from what the engrams wrote down themselves ([`super::account`]).

use super::labels::SegmentNumber;
use super::packet::Audio;
use super::recording::FrameNumber;
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Latencies are told apart up to so many nanoseconds (a minute); what takes longer counts as that.
const LONGEST_LATENCY: u64 = 60_000_000_000;

/// The steps of the demo's Story, in the order of its edges.
pub(super) const STEPS: [&str; 3] = ["source", "vad", "recorder"];

/// A moment in nanoseconds since the demo began, on the one clock that its engrams share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) u64);

/// Shared by the three engrams and the view.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    /// source -> vad
    pub(super) to_vad: Hop,
    /// vad -> recorder
    pub(super) to_recorder: Hop,
    /// The segment in which somebody speaks right now; 0 in silence.
    speaking: AtomicU32,
    /// Told whenever a frame has arrived anywhere.
    moved: Notify,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            to_vad: Hop::new(),
            to_recorder: Hop::new(),
            speaking: AtomicU32::new(0),
            moved: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> Stamp {
        Stamp(u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes the arrival of a frame at the end of `hop`.
    pub(super) fn arrived(&self, hop: &Hop, audio: &Audio) {
        let nanos = self.now().0.saturating_sub(audio.sent.0);
        hop.latency
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(nanos);
        hop.arrived.fetch_add(1, Relaxed);
        let bytes = audio.media.pcm.len() as u64;
        hop.bytes.fetch_add(bytes, Relaxed);
        hop.last_arrived.fetch_max(position(audio.number), Relaxed);
        self.moved.notify_one();
    }

    /// Waits until fewer than `window` frames are on their way between the ends of the Story.
    pub(super) async fn room(&self, window: u32) {
        while self.to_vad.under_way() + self.to_recorder.under_way() >= window {
            self.moved.notified().await;
        }
    }

    pub(super) fn set_speaking(&self, segment: Option<SegmentNumber>) {
        self.speaking.store(segment.map_or(0, |s| s.0), Relaxed);
    }

    pub(super) fn speaking(&self) -> Option<SegmentNumber> {
        let number = self.speaking.load(Relaxed);
        (number > 0).then_some(SegmentNumber(number))
    }
}

/// One edge of the Story.
#[derive(Debug)]
pub(super) struct Hop {
    sent: AtomicU64,
    arrived: AtomicU64,
    bytes: AtomicU64,
    /// Positions from 1 of the furthest frames; 0 before the first.
    last_sent: AtomicU32,
    last_arrived: AtomicU32,
    /// Nanoseconds from the call that sends to the call that receives.
    latency: Mutex<Histogram<u64>>,
}

/// A hop at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct HopState {
    pub(super) sent: u64,
    pub(super) arrived: u64,
    pub(super) bytes: u64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) max: Duration,
}

impl Hop {
    fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, LONGEST_LATENCY, 3)
            .expect("1 and 3 are within a histogram's limits, and 1 is less than a minute");
        Self {
            sent: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            last_sent: AtomicU32::new(0),
            last_arrived: AtomicU32::new(0),
            latency: Mutex::new(latency),
        }
    }

    /// Notes that a frame is being sent.
    pub(super) fn left(&self, number: FrameNumber) {
        self.sent.fetch_add(1, Relaxed);
        self.last_sent.fetch_max(position(number), Relaxed);
    }

    /// How far the furthest arrival is behind the furthest frame sent, in frames of the recording.
    /// A frame that was lost is no longer under way once a later one has arrived.
    pub(super) fn under_way(&self) -> u32 {
        let arrived = self.last_arrived.load(Relaxed);
        self.last_sent.load(Relaxed).saturating_sub(arrived)
    }

    /// The furthest frame that has arrived.
    pub(super) fn last_arrived(&self) -> Option<FrameNumber> {
        let position = self.last_arrived.load(Relaxed);
        position.checked_sub(1).map(FrameNumber)
    }

    pub(super) fn state(&self) -> HopState {
        let latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        HopState {
            sent: self.sent.load(Relaxed),
            arrived: self.arrived.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            p50: Duration::from_nanos(latency.value_at_quantile(0.50)),
            p99: Duration::from_nanos(latency.value_at_quantile(0.99)),
            max: Duration::from_nanos(latency.max()),
        }
    }
}

fn position(number: FrameNumber) -> u32 {
    number.0.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engram::AudioFrame;

    fn audio(number: u32, sent: Stamp) -> Audio {
        Audio {
            number: FrameNumber(number),
            segment: None,
            sent,
            media: AudioFrame::pcm16(vec![0; 640], 16_000, 1),
        }
    }

    #[test]
    fn latency_is_the_time_between_sending_and_receiving() {
        let progress = Progress::new();
        let hop = &progress.to_vad;
        let began = progress.now().0;
        while progress.now().0 - began < 1_000_000 {
            std::hint::spin_loop();
        }
        progress.arrived(hop, &audio(0, Stamp(began)));
        let state = hop.state();
        assert!(state.p50 >= Duration::from_millis(1), "{state:?}");
        assert!(
            state.max >= state.p50 && state.p99 >= state.p50,
            "{state:?}"
        );
    }

    #[test]
    fn a_lost_frame_is_under_way_only_until_a_later_one_arrives() {
        let progress = Progress::new();
        let hop = &progress.to_vad;
        for number in 0..3 {
            hop.left(FrameNumber(number));
        }
        progress.arrived(hop, &audio(0, progress.now()));
        assert_eq!(hop.under_way(), 2);
        progress.arrived(hop, &audio(2, progress.now()));
        assert_eq!(hop.under_way(), 0);
        assert_eq!((hop.state().sent, hop.state().arrived), (3, 2));
        assert_eq!(hop.state().bytes, 1280);
    }
}
