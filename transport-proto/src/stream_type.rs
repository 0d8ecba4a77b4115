//! Names of stream types (metadata key `type`, spec 1): hints for routing and display.

/// The name of a `StreamType` by its number; `None` for 0 and unknown ones.
#[must_use]
pub fn stream_type_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "speech.transcript.v1",
        2 => "speech.translation.v1",
        3 => "speech.transcript.delta",
        4 => "speech.transcript.done",
        5 => "speech.vad.active",
        6 => "speech.vad.inactive",
        7 => "speech.audio.v1",
        8 => "speech.audio.delta",
        9 => "speech.audio.done",
        10 => "speech.audio.summary",
        11 => "speech.turn.v1",
        12 => "chat.message.v1",
        13 => "chat.response.v1",
        14 => "openai.chat.v1",
        _ => return None,
    })
}
