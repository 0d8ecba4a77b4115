//! What a payload is called, so that everybody can tell what became of it.

use std::fmt;

/// A payload that a client made: its step, which life of the client, and its number there from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Payload {
    /// Index of the producing step.
    pub step: u8,
    /// Life of the client process.
    pub life: u16,
    /// Number within that life, from 1.
    pub number: u32,
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}.{}.{}", self.step, self.life, self.number)
    }
}

/// One packet's place in a payload; travels as metadata `tag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Whose.
    pub payload: Payload,
    /// Which chunk, from 0.
    pub chunk: u8,
    /// How many chunks; 1 for a payload that is not chunked.
    pub chunks: u8,
}

impl Tag {
    /// The tag in `text`, if that is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse::<u32>);
        let mut part = || parts.next()?.ok();
        Some(Self {
            payload: Payload {
                step: part()? as u8,
                life: part()? as u16,
                number: part()?,
            },
            chunk: part()? as u8,
            chunks: part()? as u8,
        })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Payload { step, life, number } = self.payload;
        write!(f, "{step}.{life}.{number}.{}.{}", self.chunk, self.chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back_what_it_wrote() {
        let payload = Payload {
            step: 3,
            life: 2,
            number: 17,
        };
        let tag = Tag {
            payload,
            chunk: 1,
            chunks: 4,
        };
        assert_eq!(Tag::parse(&tag.to_string()), Some(tag));
        assert_eq!(Tag::parse("nonsense"), None);
    }
}
