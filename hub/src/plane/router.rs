//! Packets into the engine, while it is at hand.

use std::ops::Range;

use bytes::Bytes;
use engine::{Actions, ConnId, Engine, Inbound, Moment, Taken};
use transport_proto::splice::Parted;
use transport_proto::view::{Flow, Walker};
use transport_proto::{Malformed, Violation};

/// Takes the packets of one read, one by one.
pub(crate) struct Router<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) actions: &'a mut Actions,
    pub(super) walker: &'a mut Walker,
    pub(super) conn: ConnId,
    pub(super) now: Moment,
}

impl Router<'_> {
    /// Routes the packet at `at` in `source`, a slice of which keeps `pinned` bytes alive, unless
    /// there is no room for it. One that breaks the contract is dropped and counted, and
    /// [`violation`](Self::violation) tells what it breaks.
    ///
    /// # Errors
    /// When these bytes are no packet at all.
    pub(crate) fn packet(
        &mut self,
        source: &Bytes,
        at: Range<usize>,
        pinned: usize,
    ) -> Result<Taken, Malformed> {
        self.route((source, at), None, pinned)
    }

    /// Routes a packet whose media was left in pieces, as [`packet`](Self::packet) does.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) fn parted(&mut self, parted: &Parted) -> Result<Taken, Malformed> {
        let skeleton = parted.skeleton();
        let at = (skeleton, 0..skeleton.len());
        self.route(at, Some(parted), parted.packet_len())
            .or_else(|_| {
                // What is said of it counts in the packet, and not in its skeleton.
                let whole = parted.joined();
                self.packet(&whole, 0..whole.len(), whole.len())
            })
    }

    fn route(
        &mut self,
        (source, at): (&Bytes, Range<usize>),
        parted: Option<&Parted>,
        pinned: usize,
    ) -> Result<Taken, Malformed> {
        let packet = &source[at.clone()];
        self.walker.walk_in_process(packet)?;
        let inbound = Inbound {
            source,
            start: at.start,
            packet,
            view: self.walker.view(),
            kept: Some(self.walker.kept()),
            parted,
            pinned,
        };
        let taken = self
            .engine
            .packet(self.conn, inbound, self.now, self.actions);
        Ok(taken)
    }

    /// What became of a packet, where bytes that are none are dropped and counted, too.
    pub(crate) fn or_drop(&mut self, taken: Result<Taken, Malformed>) -> Taken {
        taken.unwrap_or_else(|malformed| {
            self.engine
                .refuse_malformed(self.conn, &malformed, self.now);
            Taken::Yes
        })
    }

    /// Takes in receipts and credits.
    pub(crate) fn flow(&mut self, flow: &Flow) {
        self.engine.flow(self.conn, flow, self.now, self.actions);
    }

    /// The rule that the last packet breaks.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.walker.view().violation()
    }
}
