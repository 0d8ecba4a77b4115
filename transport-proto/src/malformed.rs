//! Why bytes are no message of the contract at all. Always the peer's fault;
//! resending the same bytes cannot help (gRPC: INVALID_ARGUMENT, spec 2.3).

/// Bytes that no receiver of the contract decodes. Offsets count from the first
/// byte of the message that was walked, and name the byte where reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A tag, varint, length, group or wire type that cannot be, or an early end.
    #[error("malformed protobuf at byte {offset}")]
    Wire {
        /// Where reading stopped.
        offset: u32,
    },
    /// Text that is no UTF-8; inside Structs too.
    #[error("text is not UTF-8 at byte {offset}")]
    Utf8 {
        /// First byte of the text.
        offset: u32,
    },
    /// Messages or groups nested deeper than
    /// [`MAX_NESTED_MESSAGES`](crate::limits::MAX_NESTED_MESSAGES).
    #[error("nested too deeply at byte {offset}")]
    Depth {
        /// First byte of what is too deep.
        offset: u32,
    },
    /// More bytes than offsets of 32 bits can name.
    #[error("message of 4 GiB or more")]
    Size,
}

impl Malformed {
    /// The same fault seen from a message that holds this one `base` bytes in.
    #[must_use]
    pub fn moved_by(self, base: u32) -> Self {
        match self {
            Self::Wire { offset } => Self::Wire {
                offset: offset.saturating_add(base),
            },
            Self::Utf8 { offset } => Self::Utf8 {
                offset: offset.saturating_add(base),
            },
            Self::Depth { offset } => Self::Depth {
                offset: offset.saturating_add(base),
            },
            Self::Size => Self::Size,
        }
    }

    /// Whether the bytes were well formed but held text that is no UTF-8.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        matches!(self, Self::Utf8 { .. })
    }
}
