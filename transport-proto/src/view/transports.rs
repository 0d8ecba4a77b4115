//! Transport descriptors: limits and UTF-8 only; nobody reads them on the data path.

use std::ops::Range;

use super::frame::text_span;
use super::{Broken, Span};
use crate::limits::{MAX_MODE_REASON_CHARS, MAX_TRANSPORT_NAME_CHARS, MAX_TRANSPORT_REF_CHARS};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::Rule;
use crate::wire::Cursor;

/// Walks one descriptor, the `index`-th; answers its first broken rule.
#[inline(never)]
pub(super) fn walk(
    packet: &[u8],
    body: Range<usize>,
    index: u32,
) -> Result<Option<Broken>, Malformed> {
    let mut texts = [
        (Span::default(), MAX_TRANSPORT_NAME_CHARS, "name"),
        (Span::default(), MAX_TRANSPORT_NAME_CHARS, "kind"),
        (Span::default(), MAX_TRANSPORT_NAME_CHARS, "mode"),
        (
            Span::default(),
            MAX_TRANSPORT_REF_CHARS,
            "typed_config.transport_ref",
        ),
        (
            Span::default(),
            MAX_MODE_REASON_CHARS,
            "typed_config.mode_reason",
        ),
    ];
    let [name, kind, mode, reference, reason] = &mut texts;
    let mut cursor = Cursor::within(packet, body);
    while !cursor.is_done() {
        match cursor.tag()? {
            0x0a => name.0 = text_span(&mut cursor)?,
            0x12 => kind.0 = text_span(&mut cursor)?,
            0x1a => mode.0 = text_span(&mut cursor)?,
            0x2a => {
                let mut config = Cursor::within(packet, cursor.len_range()?);
                while !config.is_done() {
                    match config.tag()? {
                        0x0a => reference.0 = text_span(&mut config)?,
                        0x12 => reason.0 = text_span(&mut config)?,
                        unknown => config.skip(unknown)?,
                    }
                }
            }
            unknown => cursor.skip(unknown)?,
        }
    }
    Ok(texts
        .into_iter()
        .find(|(span, max, _)| text::longer_than(span.bytes(packet), *max))
        .map(|(_, _, field)| Broken::transport(index, field, Rule::StringMaxLen)))
}

/// What one descriptor says; texts are empty where unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportView<'a> {
    /// `name`.
    pub name: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// `mode`.
    pub mode: &'a str,
    /// `typed_config.transport_ref`.
    pub transport_ref: &'a str,
    /// `typed_config.mode_reason`.
    pub mode_reason: &'a str,
}

impl<'a> TransportView<'a> {
    /// Reads the descriptor at `body` of a packet that was walked; as far as it is one.
    #[must_use]
    pub fn of(packet: &'a [u8], body: Range<usize>) -> Self {
        let mut view = Self::default();
        // What fails now was never walked.
        let _ = view.read(packet, body);
        view
    }

    fn read(&mut self, packet: &'a [u8], body: Range<usize>) -> Result<(), Malformed> {
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            match cursor.tag()? {
                0x0a => self.name = text_span(&mut cursor)?.text(packet),
                0x12 => self.kind = text_span(&mut cursor)?.text(packet),
                0x1a => self.mode = text_span(&mut cursor)?.text(packet),
                0x2a => {
                    let mut config = Cursor::within(packet, cursor.len_range()?);
                    while !config.is_done() {
                        match config.tag()? {
                            0x0a => self.transport_ref = text_span(&mut config)?.text(packet),
                            0x12 => self.mode_reason = text_span(&mut config)?.text(packet),
                            unknown => config.skip(unknown)?,
                        }
                    }
                }
                unknown => cursor.skip(unknown)?,
            }
        }
        Ok(())
    }
}
