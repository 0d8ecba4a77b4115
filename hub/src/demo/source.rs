//! The first engram: sends the recording, one frame every 20 ms.

use super::cue::Cue;
use super::packet::{Audio, Packet};
use super::part::Notes;
use super::progress::Progress;
use super::recording::{FrameNumber, Recording};
use engram::{BoxError, Context, ControlHandler, Engram, Inbound, Outbound, StreamingEngram};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Frames that may be under way in [`Pace::Window`]: well within the hub's default queues of 1000
/// packets (spec 2.8), and enough to keep every connection busy.
const WINDOW: u32 = 256;

/// When the next frame is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// When it was spoken: frame n at 20 ms times n after the first, however late the one before.
    RealTime,
    /// As soon as fewer than `WINDOW` (256) frames are under way between source and recorder.
    Window,
}

/// What the source wrote down.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Frames that left, in order.
    pub(super) sent: Vec<FrameNumber>,
}

/// The engram.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) recording: Arc<Recording>,
    pub(super) progress: Arc<Progress>,
    pub(super) cue: Cue,
    pub(super) pace: Pace,
    /// A frame to lose on the way, to show that its loss is noticed.
    pub(super) lose: Option<FrameNumber>,
    pub(super) journal: Notes<Journal>,
}

impl Engram<()> for Source {}

impl StreamingEngram<()> for Source {
    /// Sends every frame, then how many they were.
    async fn stream(&mut self, _: Context, _: Inbound, outbound: Outbound) -> Result<(), BoxError> {
        self.cue.given().await;
        let began = Instant::now();
        for (number, media) in self.recording.frames() {
            match self.pace {
                Pace::RealTime => sleep_until(began + number.at()).await,
                Pace::Window => self.progress.room(WINDOW).await,
            }
            self.journal.note(|journal| journal.sent.push(number));
            self.progress.to_vad.left(number);
            let audio = Audio {
                number,
                segment: None,
                sent: self.progress.now(),
                media,
            };
            if self.lose != Some(number) {
                outbound.send(&Packet::Audio(audio).into()).await?;
            }
        }
        let frames = self.recording.frame_count();
        outbound.send(&Packet::End { frames }.into()).await?;
        Ok(())
    }

    fn control_handler(&self) -> Option<ControlHandler> {
        Some(self.cue.handler())
    }
}
