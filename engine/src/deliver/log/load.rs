//! How much waits, and how much may.

/// An amount of packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Load {
    pub(super) fn add(&mut self, len: u32) {
        self.messages += 1;
        self.bytes += len as usize;
    }

    pub(super) fn sub(&mut self, len: u32) {
        self.messages -= 1;
        self.bytes -= len as usize;
    }

    /// Whether `len` bytes more stay within `bound`; nothing at all admits any size.
    pub(super) fn admits(&self, len: usize, bound: &Load) -> bool {
        self.messages == 0
            || (self.messages < bound.messages && self.bytes.saturating_add(len) <= bound.bytes)
    }

    /// Whether it is at least `pct` percent of `bound`.
    pub(super) fn reaches(&self, pct: u8, bound: &Load) -> bool {
        let share = |used: usize, max: usize| {
            used as u128 * 100 >= max as u128 * u128::from(pct) && used > 0
        };
        share(self.messages, bound.messages) || share(self.bytes, bound.bytes)
    }
}
