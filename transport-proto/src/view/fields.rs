//! The fields of a packet together, and what their keys look like from afar.

use super::{Field, Slot, Span};

/// Fields that need no allocation.
const INLINE: usize = 12;

/// Top-level fields in the order of the wire. A packet of few needs no allocation.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// The first ones.
    few: [Field; INLINE],
    len: usize,
    /// All of them, where they are too many.
    many: Vec<Field>,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self {
            few: [Field::new(0, Span::default(), Slot::Unknown); INLINE],
            len: 0,
            many: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, field: Field) {
        match self.few.get_mut(self.len) {
            Some(place) => *place = field,
            None => self.push_many(field),
        }
        self.len += 1;
    }

    #[cold]
    fn push_many(&mut self, field: Field) {
        if self.many.is_empty() {
            self.many.extend(self.few);
        }
        self.many.push(field);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[cold]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.many.truncate(if len > INLINE { len } else { 0 });
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.many.clear();
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[Field] {
        self.few.get(..self.len).unwrap_or(&self.many)
    }
}

/// What the metadata keys of a packet look like from afar, so that nobody searches for a key
/// that cannot be there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keys {
    /// Bit n: some key has n bytes, or 64, 128... more.
    lens: u64,
    /// Entries on the wire, duplicates counted.
    pub(super) entries: u32,
}

impl Keys {
    /// Adds a key of `len` bytes. Counting it is up to the caller.
    #[inline]
    pub(crate) fn add(&mut self, len: u16) {
        self.lens |= Self::bit(usize::from(len));
    }

    /// Whether a key has `len` bytes, as far as can be seen.
    #[inline]
    pub(crate) fn may_have_len(self, len: usize) -> bool {
        self.lens & Self::bit(len) != 0
    }

    #[inline]
    const fn bit(len: usize) -> u64 {
        1 << (len % 64)
    }

    /// Whether a key may be in both sets.
    #[inline]
    pub(crate) fn may_share(self, other: Self) -> bool {
        self.lens & other.lens != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(fields: &Fields) -> Vec<u32> {
        fields.as_slice().iter().map(|field| field.start).collect()
    }

    #[test]
    fn fields_come_out_as_they_went_in_however_many_there_are() {
        let mut fields = Fields::new();
        for round in 0..3 * INLINE as u32 {
            fields.clear();
            let all: Vec<u32> = (0..round).collect();
            for start in &all {
                fields.push(Field::new(*start, Span::default(), Slot::Unknown));
            }
            assert_eq!(starts(&fields), all);
            let half = all.len() / 2;
            fields.truncate(half);
            assert_eq!(starts(&fields), all[..half]);
            for start in &all[half..] {
                fields.push(Field::new(*start, Span::default(), Slot::Unknown));
            }
            assert_eq!(starts(&fields), all);
            assert_eq!(fields.len(), all.len());
        }
    }
}
