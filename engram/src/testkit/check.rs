//! A judgement of messages that is stricter than the one at sending.

use crate::error::{InvalidError, StructuredError};
use crate::message::{InvalidMessage, StreamMessage};

/// Why a message should not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It breaks a rule of messages.
    #[error(transparent)]
    Invalid(#[from] InvalidMessage),
    /// It is an error message that tells no structured error.
    #[error(transparent)]
    Error(#[from] InvalidError),
    /// It carries nothing, though it may be sent.
    #[error("stream message missing payload, inputs, transports, or media")]
    Nothing,
}

/// Judges a message as [`StreamMessage::validate`] does, and further: an error message
/// must tell a structured error, and every message must carry something.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_message(message: &StreamMessage) -> Result<(), CheckError> {
    StructuredError::of_message(message)?;
    message.validate()?;
    let carries_nothing = message.payload.is_empty()
        && message.inputs.is_empty()
        && message.transports.is_empty()
        && message.audio.is_none()
        && message.video.is_none()
        && message.binary.is_none();
    if carries_nothing {
        return Err(CheckError::Nothing);
    }
    Ok(())
}
