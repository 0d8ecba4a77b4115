//! `ControlRequest`: what a client says on its control channel (spec 3).

use smallvec::SmallVec;

use super::frame::text_span;
use super::process::Flow;
use crate::limits::MAX_METADATA_PAIRS;
use crate::malformed::Malformed;
use crate::wire::Cursor;

const ACTION: u32 = 0x08;
const METADATA: u32 = 0x12;
const FLOW: u32 = 0x1a;
const CUSTOM_ACTION: u32 = 0x22;
const KEY: u32 = 0x0a;
const VALUE: u32 = 0x12;

/// One merged `ControlRequest`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Control<'a> {
    /// `ControlAction`, open.
    pub action: i32,
    /// Wins over `action` where it is not empty.
    pub custom_action: &'a str,
    /// Receipts, credits and signals; `Some` where the field is present, even empty.
    pub flow: Option<Flow>,
    /// In the order of the wire, at most [`MAX_METADATA_PAIRS`].
    metadata: SmallVec<[(&'a str, &'a str); 6]>,
}

impl<'a> Control<'a> {
    /// The value of a metadata key; the last one counts.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&'a str> {
        let mut entries = self.metadata.iter().rev();
        entries.find(|(k, _)| *k == key).map(|(_, value)| *value)
    }
}

/// Reads a `ControlRequest`.
///
/// # Errors
/// [`Malformed`] where the message is none of the contract.
pub fn parse_control(message: &[u8]) -> Result<Control<'_>, Malformed> {
    if u32::try_from(message.len()).is_err() {
        return Err(Malformed::Size);
    }
    let mut control = Control::default();
    let mut cursor = Cursor::new(message);
    while !cursor.is_done() {
        match cursor.tag()? {
            ACTION => control.action = cursor.varint32()? as i32,
            METADATA => {
                let range = cursor.len_range()?;
                let entry = entry(message, Cursor::within(message, range))?;
                if control.metadata.len() < MAX_METADATA_PAIRS {
                    control.metadata.push(entry);
                }
            }
            FLOW => {
                let range = cursor.len_range()?;
                let flow = control.flow.get_or_insert_with(Flow::default);
                flow.merge(message, Cursor::within(message, range))?;
            }
            CUSTOM_ACTION => control.custom_action = text_span(&mut cursor)?.text(message),
            unknown => cursor.skip(unknown)?,
        }
    }
    Ok(control)
}

fn entry<'a>(message: &'a [u8], mut cursor: Cursor<'_>) -> Result<(&'a str, &'a str), Malformed> {
    let (mut key, mut value) = ("", "");
    while !cursor.is_done() {
        match cursor.tag()? {
            KEY => key = text_span(&mut cursor)?.text(message),
            VALUE => value = text_span(&mut cursor)?.text(message),
            unknown => cursor.skip(unknown)?,
        }
    }
    Ok((key, value))
}
