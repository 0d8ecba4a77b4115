//! The second engram: passes on the frames in which somebody speaks.
//!
//! Owns the detector and the numbers of its segments. Passes an AudioFrame on as it came.

use super::labels::SegmentNumber;
use super::link::{Link, LinkError};
use super::packet::{Audio, Packet, Segment};
use super::progress::Progress;
use super::recording::FrameNumber;
use codecs::pcm::Dbfs;
use codecs::vad::{Detector, Event, Settings};
use transport_proto::v1::AudioFrame;

/// Between what the recording promises (its script states it): the quietest first or last frame of
/// a segment is at -63 dBFS, the noise at -78; pauses inside a segment last up to 220 ms (11
/// frames), silences between segments from 500 ms (25 frames).
pub(super) const SETTINGS: Settings = Settings {
    threshold: Dbfs(-70.0),
    hangover: 15,
};

/// What the detector's engram wrote down.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Every frame that came, in order of arrival.
    pub(super) arrived: Vec<(FrameNumber, AudioFrame)>,
    /// What was decided about them.
    pub(super) voiced: Vec<FrameNumber>,
    pub(super) quiet: Vec<FrameNumber>,
    /// Frames that were sent on, in order.
    pub(super) forwarded: Vec<FrameNumber>,
}

/// The engram.
#[derive(Debug)]
pub(super) struct Vad<'a> {
    pub(super) progress: &'a Progress,
    pub(super) journal: Journal,
    detector: Detector<Audio>,
    /// Segments begun so far.
    found: u32,
    /// The open one, up to the frame forwarded last.
    segment: Option<Segment>,
}

impl<'a> Vad<'a> {
    pub(super) fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            journal: Journal::default(),
            detector: Detector::new(SETTINGS),
            found: 0,
            segment: None,
        }
    }

    /// Receives until the source says that it has sent everything, then says the same.
    pub(super) async fn run(&mut self, link: &mut Link) -> Result<(), LinkError> {
        loop {
            match link.receive().await? {
                Packet::Audio(audio) => {
                    self.progress.arrived(&self.progress.to_vad, &audio);
                    let arrival = (audio.number, audio.media.clone());
                    self.journal.arrived.push(arrival);
                    let level = Dbfs::of(&audio.media.pcm);
                    self.detector.push(audio, level);
                    self.decide(link).await?;
                }
                Packet::End { .. } => break,
                Packet::SegmentEnd(_) | Packet::Heartbeat => {}
            }
        }
        self.detector.finish();
        self.decide(link).await?;
        let frames = u32::try_from(self.journal.forwarded.len()).unwrap_or(u32::MAX);
        link.send(Packet::End { frames }).await
    }

    /// Acts on what the detector has made up its mind about.
    async fn decide(&mut self, link: &mut Link) -> Result<(), LinkError> {
        while let Some(event) = self.detector.poll() {
            match event {
                Event::Start => self.found += 1,
                Event::Speech(audio) => self.forward(audio, link).await?,
                Event::Silence(audio) => self.journal.quiet.push(audio.number),
                Event::End => {
                    self.progress.set_speaking(None);
                    if let Some(segment) = self.segment.take() {
                        link.send(Packet::SegmentEnd(segment)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn forward(&mut self, mut audio: Audio, link: &mut Link) -> Result<(), LinkError> {
        let number = audio.number;
        self.journal.voiced.push(number);
        let segment = self.segment.get_or_insert(Segment {
            number: SegmentNumber(self.found),
            first: number,
            last: number,
        });
        segment.last = number;
        self.progress.set_speaking(Some(segment.number));
        self.progress.to_recorder.left(number);
        audio.segment = Some(segment.number);
        audio.sent = self.progress.now();
        link.send(Packet::Audio(audio)).await?;
        self.journal.forwarded.push(number);
        Ok(())
    }
}
