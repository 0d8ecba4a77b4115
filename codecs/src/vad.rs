//! Voice activity: which frames of a stream are speech.
//!
//! Owns the decision and the frames it has not been able to decide yet. Never looks into a frame:
//! the caller brings its level, and whatever it wants back as `T`. Sans-IO: frames in by
//! [`Detector::push`], events out by [`Detector::poll`].
//!
//! | state | a loud frame | a quiet frame |
//! | --- | --- | --- |
//! | idle | opens a segment | is silence |
//! | open, nothing held | is speech | is held |
//! | open, some held | those and it are speech | is held; when `hangover` are held, the segment ends and all of them are silence |
//!
//! So every frame comes out exactly once, in order, as speech or as silence, and a segment ends
//! with its last loud frame however long the detector waited to be sure.

use crate::pcm::Dbfs;
use std::collections::VecDeque;

/// What counts as voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// A frame at this level or above is loud.
    pub threshold: Dbfs,
    /// So many quiet frames in a row end a segment; fewer are a pause inside it. 0 counts as 1.
    pub hangover: usize,
}

/// What the detector has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<T> {
    /// A segment begins; its first frame is the next event.
    Start,
    /// This frame belongs to the open segment.
    Speech(T),
    /// The open segment ended with the last [`Event::Speech`].
    End,
    /// This frame belongs to no segment.
    Silence(T),
}

/// An energy detector with a fixed threshold.
#[derive(Debug)]
pub struct Detector<T> {
    settings: Settings,
    open: bool,
    /// Quiet frames of the open segment, undecided; fewer than `hangover`.
    held: Vec<T>,
    /// Decided and not yet polled.
    events: VecDeque<Event<T>>,
}

impl<T> Detector<T> {
    /// An idle detector.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            open: false,
            held: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes the next frame of the stream, which is as loud as `level`.
    pub fn push(&mut self, frame: T, level: Dbfs) {
        let loud = level >= self.settings.threshold;
        match (self.open, loud) {
            (false, false) => self.events.push_back(Event::Silence(frame)),
            (true, false) => {
                self.held.push(frame);
                if self.held.len() >= self.settings.hangover {
                    self.close();
                }
            }
            (_, true) => {
                if !self.open {
                    self.open = true;
                    self.events.push_back(Event::Start);
                }
                self.events.extend(self.held.drain(..).map(Event::Speech));
                self.events.push_back(Event::Speech(frame));
            }
        }
    }

    /// The stream is over: an open segment ends, what is held is silence.
    pub fn finish(&mut self) {
        if self.open {
            self.close();
        }
    }

    /// The next decision, in the order of the frames.
    pub fn poll(&mut self) -> Option<Event<T>> {
        self.events.pop_front()
    }

    fn close(&mut self) {
        self.open = false;
        self.events.push_back(Event::End);
        self.events.extend(self.held.drain(..).map(Event::Silence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOUD: Dbfs = Dbfs(-20.0);
    const QUIET: Dbfs = Dbfs(-80.0);

    /// Runs a pattern such as `"..##.#.."` and writes the decisions: `(` and `)` around segments,
    /// `s` for speech, `-` for silence.
    fn decisions(pattern: &str, hangover: usize) -> String {
        let mut detector = Detector::new(Settings {
            threshold: Dbfs(-50.0),
            hangover,
        });
        for frame in pattern.chars() {
            detector.push(frame, if frame == '#' { LOUD } else { QUIET });
        }
        detector.finish();
        std::iter::from_fn(|| detector.poll())
            .map(|event| match event {
                Event::Start => '(',
                Event::Speech(_) => 's',
                Event::End => ')',
                Event::Silence(_) => '-',
            })
            .collect()
    }

    #[test]
    fn a_segment_ends_with_its_last_loud_frame() {
        assert_eq!(decisions("..##....", 3), "--(ss)----");
    }

    #[test]
    fn a_pause_shorter_than_the_hangover_does_not_split_a_segment() {
        assert_eq!(decisions("#..#...#", 3), "(ssss)---(s)");
    }

    #[test]
    fn the_end_of_the_stream_ends_an_open_segment() {
        assert_eq!(decisions("##.", 5), "(ss)-");
        assert_eq!(decisions("...", 5), "---");
    }

    #[test]
    fn a_frame_exactly_at_the_threshold_is_loud() {
        let mut detector = Detector::new(Settings {
            threshold: LOUD,
            hangover: 1,
        });
        detector.push((), LOUD);
        assert_eq!(detector.poll(), Some(Event::Start));
    }

    #[test]
    fn no_more_than_the_hangover_is_ever_held_back() {
        let mut detector = Detector::new(Settings {
            threshold: Dbfs(-50.0),
            hangover: 4,
        });
        detector.push(0, LOUD);
        for frame in 1..=100 {
            detector.push(frame, QUIET);
            assert!(detector.held.len() < 4);
        }
    }

    proptest! {
        #[test]
        fn every_frame_comes_out_once_and_in_order(
            loud in prop::collection::vec(any::<bool>(), 0..200),
            hangover in 0usize..8,
        ) {
            let mut detector = Detector::new(Settings { threshold: Dbfs(-50.0), hangover });
            for (frame, loud) in loud.iter().enumerate() {
                detector.push(frame, if *loud { LOUD } else { QUIET });
            }
            detector.finish();
            let frames: Vec<usize> = std::iter::from_fn(|| detector.poll())
                .filter_map(|event| match event {
                    Event::Speech(frame) | Event::Silence(frame) => Some(frame),
                    Event::Start | Event::End => None,
                })
                .collect();
            prop_assert_eq!(frames, (0..loud.len()).collect::<Vec<_>>());
        }

        #[test]
        fn segments_start_and_end_loud_and_no_loud_frame_is_silence(
            loud in prop::collection::vec(any::<bool>(), 0..200),
            hangover in 0usize..8,
        ) {
            let mut detector = Detector::new(Settings { threshold: Dbfs(-50.0), hangover });
            for (frame, loud) in loud.iter().enumerate() {
                detector.push(frame, if *loud { LOUD } else { QUIET });
            }
            detector.finish();
            let events: Vec<_> = std::iter::from_fn(|| detector.poll()).collect();
            for pair in events.windows(2) {
                match pair {
                    [Event::Start, Event::Speech(first)] => prop_assert!(loud[*first]),
                    [Event::Start, other] => prop_assert!(false, "start, then {:?}", other),
                    [Event::Speech(last), Event::End] => prop_assert!(loud[*last]),
                    _ => {}
                }
            }
            for event in events {
                if let Event::Silence(frame) = event {
                    prop_assert!(!loud[frame]);
                }
            }
        }
    }
}
