//! The first engram: sends the recording, one frame every 20 ms.

use super::link::{Link, LinkError};
use super::packet::{Audio, Packet};
use super::progress::Progress;
use super::recording::{FrameNumber, Recording};
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
pub(super) struct Source<'a> {
    pub(super) recording: &'a Recording,
    pub(super) progress: &'a Progress,
    pub(super) pace: Pace,
    /// A frame to lose on the way, to show that its loss is noticed.
    pub(super) lose: Option<FrameNumber>,
    pub(super) journal: Journal,
}

impl Source<'_> {
    /// Sends every frame, then how many they were.
    pub(super) async fn run(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let began = Instant::now();
        for (number, media) in self.recording.frames() {
            match self.pace {
                Pace::RealTime => sleep_until(began + number.at()).await,
                Pace::Window => self.progress.room(WINDOW).await,
            }
            self.journal.sent.push(number);
            self.progress.to_vad.left(number);
            let audio = Audio {
                number,
                segment: None,
                sent: self.progress.now(),
                media,
            };
            if self.lose != Some(number) {
                link.send(Packet::Audio(audio)).await?;
            }
        }
        let frames = self.recording.frame_count();
        link.send(Packet::End { frames }).await
    }
}
