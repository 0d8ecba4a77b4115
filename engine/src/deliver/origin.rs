//! What a packet says of where it came from, and who hears what becomes of it (spec 2.4 rule 5).

/// Where a packet came from: a step, one of its producer epochs, and the number it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Index of the step in its run.
    pub step: u16,
    /// Which of the step's producer epochs ([`Producer::id`]).
    pub producer: u32,
    /// `envelope.sequence` as it came in.
    pub number: u64,
}

/// Who hears when a packet is settled on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    /// The producer that numbered it.
    One(Origin),
    /// The producers of all the packets that it was joined of: the place of the list of them.
    All(u32),
}

/// The chunk that a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkPlace {
    pub index: u32,
    pub count: u32,
}
