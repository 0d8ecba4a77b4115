//! The second engram: passes on the frames in which somebody speaks.
//!
//! Owns the detector and the numbers of its segments. Passes an AudioFrame on as it came.

use super::cue::Cue;
use super::labels::SegmentNumber;
use super::packet::{Audio, Packet, Segment};
use super::part::{Notes, next};
use super::progress::Progress;
use super::recording::FrameNumber;
use codecs::pcm::Dbfs;
use codecs::vad::{Detector, Event, Settings};
use engram::{
    AudioFrame, BoxError, Context, ControlHandler, Engram, Inbound, InboundMessage, Outbound,
    StreamingEngram,
};
use std::sync::Arc;

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

/// A frame about which nothing is decided yet.
#[derive(Debug)]
struct Heard {
    audio: Audio,
    message: InboundMessage,
}

/// The engram.
#[derive(Debug)]
pub(super) struct Vad {
    progress: Arc<Progress>,
    cue: Cue,
    journal: Notes<Journal>,
    detector: Detector<Heard>,
    /// Segments begun so far.
    found: u32,
    /// The open one, up to the frame forwarded last.
    segment: Option<Segment>,
}

impl Engram<()> for Vad {}

impl StreamingEngram<()> for Vad {
    /// Listens until the source says that it has sent everything, then says the same.
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        while let Some((packet, message)) = next(&mut inbound).await? {
            match packet {
                Packet::Audio(audio) => {
                    self.hear(Heard { audio, message });
                    self.decide(&outbound).await?;
                }
                Packet::SegmentEnd(_) => message.done(),
                Packet::End { .. } => {
                    message.done();
                    break;
                }
            }
        }
        self.detector.finish();
        self.decide(&outbound).await?;
        let mut frames = 0;
        self.journal
            .note(|journal| frames = journal.forwarded.len());
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        outbound.send(&Packet::End { frames }.into()).await?;
        Ok(())
    }

    fn control_handler(&self) -> Option<ControlHandler> {
        Some(self.cue.handler())
    }
}

impl Vad {
    pub(super) fn new(progress: Arc<Progress>, cue: Cue, journal: Notes<Journal>) -> Self {
        Self {
            progress,
            cue,
            journal,
            detector: Detector::new(SETTINGS),
            found: 0,
            segment: None,
        }
    }

    fn hear(&mut self, heard: Heard) {
        let audio = &heard.audio;
        self.progress.arrived(&self.progress.to_vad, audio);
        let arrival = (audio.number, audio.media.clone());
        self.journal.note(|journal| journal.arrived.push(arrival));
        let level = Dbfs::of(&audio.media.pcm);
        self.detector.push(heard, level);
    }

    /// Acts on what the detector has made up its mind about.
    async fn decide(&mut self, outbound: &Outbound) -> Result<(), BoxError> {
        while let Some(event) = self.detector.poll() {
            match event {
                Event::Start => self.found += 1,
                Event::Speech(heard) => self.forward(heard, outbound).await?,
                Event::Silence(Heard { audio, message }) => {
                    self.journal
                        .note(|journal| journal.quiet.push(audio.number));
                    message.done();
                }
                Event::End => {
                    self.progress.set_speaking(None);
                    if let Some(segment) = self.segment.take() {
                        outbound.send(&Packet::SegmentEnd(segment).into()).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn forward(&mut self, heard: Heard, outbound: &Outbound) -> Result<(), BoxError> {
        let Heard { mut audio, message } = heard;
        let number = audio.number;
        self.journal.note(|journal| journal.voiced.push(number));
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
        outbound.send(&Packet::Audio(audio).into()).await?;
        self.journal.note(|journal| journal.forwarded.push(number));
        // Should this process be killed before, the frame comes again where its edge keeps it.
        message.done_once_settled();
        Ok(())
    }
}
