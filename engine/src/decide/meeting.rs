//! Packets of different upstreams that meet at a join (spec 2.3): what is known of those that came
//! first, and what that makes of one that comes now.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use transport_proto::Malformed;
use transport_proto::names::metadata as names;
use transport_proto::view::{Dialect, PacketView};

use super::document::documents;

/// How far a packet has come on an edge: through its primitives and its target's `if`.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// The packet's own payload, where defaults of its step's schema were filled in: the contents of
    /// a Struct.
    pub(crate) filled_in: Option<Bytes>,
    /// The payload, where it is not the packet's own any more: the contents of a Struct.
    pub(crate) payload: Option<Bytes>,
    /// The primitives that it passed, and the payload that each left it with (`None` for the
    /// packet's own).
    pub(crate) passed: SmallVec<[(Arc<str>, Option<Bytes>); 2]>,
}

impl Reached {
    /// Bytes that it keeps alive beside the packet.
    pub(crate) fn bytes(&self) -> usize {
        let passed = self
            .passed
            .iter()
            .filter_map(|(_, payload)| payload.as_ref());
        let all = passed.chain(&self.payload).chain(&self.filled_in);
        all.map(Bytes::len).sum()
    }
}

/// A packet that came first, and what it says.
#[derive(Debug)]
pub struct Arrived {
    /// The step that emitted it.
    pub(crate) from: Arc<str>,
    pub(crate) packet: Bytes,
    pub(crate) view: PacketView,
    pub(crate) reached: Reached,
}

impl Arrived {
    /// A packet of the step `from` that came by an edge without primitives.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(from: &str, packet: Bytes) -> Result<Self, Malformed> {
        let view = PacketView::parse(&packet, Dialect::Packet)?;
        Ok(Self {
            from: from.into(),
            packet,
            view,
            reached: Reached::default(),
        })
    }

    /// The step that emitted it.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Its payload and its inputs, as programs read them: the contents of Structs.
    #[must_use]
    pub fn documents(&self) -> (Option<Bytes>, Option<Bytes>) {
        documents(&self.packet, &self.view)
    }
}

/// The id by which packets meet; `None` for those that meet nobody. The chunks of a payload pass a
/// join by: each is a part of a packet only.
#[must_use]
pub fn join_id<'a>(packet: &'a [u8], view: &'a PacketView) -> Option<&'a str> {
    if view.envelope().is_some_and(|e| e.is_chunk()) {
        return None;
    }
    let named = |key| {
        let value = view.metadata(packet, key)?.trim();
        (!value.is_empty()).then_some(value)
    };
    named(names::JOIN_KEY).or_else(|| named(names::ENVELOPE_MESSAGE_ID))
}

/// What a packet meets at the end of an edge.
#[derive(Clone, Debug, Default)]
pub enum Meeting {
    /// Nothing: the target joins nothing, or the packet has no id.
    #[default]
    None,
    /// Others have to come first.
    Wait,
    /// Its id has been joined without it.
    Absorbed,
    /// These have come before, and it is the last.
    Fire(Vec<Arc<Arrived>>),
}

impl Meeting {
    /// Whether a decision made for one holds for the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None)
            | (Self::Wait, Self::Wait)
            | (Self::Absorbed, Self::Absorbed) => true,
            (Self::Fire(one), Self::Fire(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| Arc::ptr_eq(a, b))
            }
            _ => false,
        }
    }

    /// Those that came before.
    pub(super) fn others(&self) -> &[Arc<Arrived>] {
        match self {
            Self::Fire(others) => others,
            Self::None | Self::Wait | Self::Absorbed => &[],
        }
    }
}
