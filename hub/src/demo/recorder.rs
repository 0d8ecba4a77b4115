//! The third engram: writes what it receives to a WAV file.

use super::link::{Link, LinkError};
use super::packet::{Packet, Segment};
use super::progress::Progress;
use super::recording::FrameNumber;
use codecs::pcm::Format;
use codecs::wav::{WriteError, Writer};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use transport_proto::v1::AudioFrame;

/// Why nothing more is recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecorderError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("cannot write the recording: {0}")]
    File(#[from] io::Error),
    #[error("cannot write the recording: {0}")]
    Wav(#[from] WriteError),
}

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
pub(super) struct Recorder<'a> {
    pub(super) progress: &'a Progress,
    pub(super) journal: Journal,
    file: BufWriter<File>,
    wav: Writer,
}

impl<'a> Recorder<'a> {
    /// Creates the file, and the folders above it.
    pub(super) fn create(
        path: &Path,
        format: Format,
        progress: &'a Progress,
    ) -> Result<Self, io::Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(path)?);
        let (wav, header) = Writer::start(format);
        file.write_all(&header)?;
        Ok(Self {
            progress,
            journal: Journal::default(),
            file,
            wav,
        })
    }

    /// Records until the detector says that it has sent everything.
    ///
    /// A frame's own metadata names its segment, and segment ends are packets of another lane
    /// than audio (spec 2.5): nothing here depends on when they come between the frames.
    pub(super) async fn run(&mut self, link: &mut Link) -> Result<(), RecorderError> {
        loop {
            match link.receive().await? {
                Packet::Audio(audio) => {
                    self.progress.arrived(&self.progress.to_recorder, &audio);
                    self.wav.push(&audio.media.pcm)?;
                    self.file.write_all(&audio.media.pcm)?;
                    self.journal.arrived.push((audio.number, audio.media));
                }
                Packet::SegmentEnd(segment) => self.journal.segments.push(segment),
                Packet::End { .. } => return Ok(self.finish()?),
                Packet::Heartbeat => {}
            }
        }
    }

    /// Puts the true lengths into the header.
    fn finish(&mut self) -> Result<(), io::Error> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.wav.header())?;
        self.file.flush()
    }
}
