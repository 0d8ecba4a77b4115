//! Pure media functions: WAV files, PCM framing and levels, voice activity.
//!
//! Everything here turns bytes into bytes or decisions. Nothing reads a file, a socket or a clock:
//! whoever calls it moves the data. All audio is 16-bit little-endian PCM, interleaved.

pub mod pcm;
pub mod vad;
pub mod wav;
