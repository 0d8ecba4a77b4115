//! The third engram: writes what it receives to a WAV file.

use super::cue::Cue;
use super::packet::{Packet, Segment};
use super::part::{Fault, Notes, next};
use super::progress::Progress;
use super::recording::FrameNumber;
use codecs::pcm::Format;
use codecs::wav::Writer;
use engram::{
    AudioFrame, BoxError, Context, ControlHandler, Engram, Inbound, Outbound, StreamingEngram,
};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// What the recorder wrote down beside the file.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Every frame that came, in order of arrival.
    pub(super) arrived: Vec<(FrameNumber, AudioFrame)>,
    /// Segments as the detector announced them.
    pub(super) segments: Vec<Segment>,
}

/// The engram.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) progress: Arc<Progress>,
    pub(super) cue: Cue,
    pub(super) journal: Notes<Journal>,
    pub(super) file: Recorded,
}

impl Engram<()> for Recorder {}

impl StreamingEngram<()> for Recorder {
    /// Records until the detector says that it has sent everything.
    ///
    /// A frame's own metadata names its segment, and segment ends are packets of another lane
    /// than audio (spec 2.5): nothing here depends on when they come between the frames.
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        _: Outbound,
    ) -> Result<(), BoxError> {
        while let Some((packet, message)) = next(&mut inbound).await? {
            match packet {
                Packet::Audio(audio) => {
                    self.progress.arrived(&self.progress.to_recorder, &audio);
                    self.file.write(&audio.media.pcm)?;
                    let arrival = (audio.number, audio.media);
                    self.journal.note(|journal| journal.arrived.push(arrival));
                }
                Packet::SegmentEnd(segment) => {
                    self.journal.note(|journal| journal.segments.push(segment));
                }
                Packet::End { .. } => {
                    self.file.finish().map_err(Fault::File)?;
                    message.done();
                    return Ok(());
                }
            }
            message.done();
        }
        Ok(())
    }

    fn control_handler(&self) -> Option<ControlHandler> {
        Some(self.cue.handler())
    }
}

/// A WAV file that grows.
#[derive(Debug)]
pub(super) struct Recorded {
    file: BufWriter<File>,
    wav: Writer,
}

impl Recorded {
    /// Creates the file, and the folders above it.
    pub(super) fn create(path: &Path, format: Format) -> Result<Self, io::Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(path)?);
        let (wav, header) = Writer::start(format);
        file.write_all(&header)?;
        Ok(Self { file, wav })
    }

    fn write(&mut self, pcm: &[u8]) -> Result<(), Fault> {
        self.wav.push(pcm)?;
        Ok(self.file.write_all(pcm)?)
    }

    /// Puts the true lengths into the header.
    fn finish(&mut self) -> Result<(), io::Error> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.wav.header())?;
        self.file.flush()
    }
}
