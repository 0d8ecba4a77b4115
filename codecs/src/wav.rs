//! RIFF/WAVE files that hold 16-bit PCM.
//!
//! Owns the container: finding the samples in a file ([`read`]) and the bytes around samples that
//! are being written ([`Writer`]). Never touches a sample, never does I/O.

mod reader;
mod writer;

pub use reader::{ReadError, Wav, read};
pub use writer::{HEADER_BYTES, WriteError, Writer, encode};

/// Format tag of uncompressed PCM.
const TAG_PCM: u16 = 1;
/// Format tag that refers to a sub-format further on; files of more than two channels use it.
const TAG_EXTENSIBLE: u16 = 0xFFFE;
/// A `data` or `RIFF` length nobody knew while writing: the rest of the file.
const LENGTH_UNKNOWN: u32 = u32::MAX;
