//! Ways around the hub that a message can name.

/// A transport that peers may use directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportDescriptor {
    /// Its name; at most 128 characters.
    pub name: String,
    /// Its kind, such as `livekit`; at most 128 characters.
    pub kind: String,
    /// `hot` or `fallback`; empty for neither.
    pub mode: String,
    /// More about it.
    pub typed_config: Option<TransportConfig>,
}

/// What a transport is configured with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportConfig {
    /// The `Transport` resource; at most 253 characters.
    pub transport_ref: String,
    /// Why the mode was chosen; at most 512 characters.
    pub mode_reason: String,
}

impl TransportConfig {
    /// Without surrounding white space; `None` where nothing is left.
    pub(crate) fn trimmed(&self) -> Option<Self> {
        let trimmed = Self {
            transport_ref: self.transport_ref.trim().to_owned(),
            mode_reason: self.mode_reason.trim().to_owned(),
        };
        (trimmed != Self::default()).then_some(trimmed)
    }
}
