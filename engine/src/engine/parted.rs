//! Packets whose media is left in the pieces in which it came (spec 6): where nothing looks at it,
//! it is handed on as it is. Where anything does, it is copied together when it is offered.

use transport_proto::splice::Parted;
use transport_proto::view::{FrameKind, PacketView};

use super::packet::{Inbound, Taken, chunk_of};
use super::{Actions, Contract, Engine, Run};
use crate::deliver::{Outbox, Session};
use crate::ids::{ConnId, Moment, StepIndex};

impl Inbound<'_> {
    /// Bytes that it has beyond those of [`packet`](Self::packet).
    #[inline]
    pub(super) fn added(&self) -> usize {
        self.parted.map_or(0, Parted::added)
    }

    /// Bytes of the packet as it came.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.packet.len() + self.added()
    }
}

impl Run {
    /// Whether nothing that is done with a packet of `step` looks at its media.
    pub(super) fn hands_on_in_pieces(&self, step: StepIndex, inbound: &Inbound<'_>) -> bool {
        let (view, packet) = (inbound.view, inbound.packet);
        let takes = |edge: &u32| {
            let to = self.edges[*edge as usize].to;
            self.sessions[to.at()].takes_in_pieces(view)
        };
        self.programs[step.at()].is_none()
            && !view.is_heartbeat(packet)
            && chunk_of(view).is_none()
            && self.downstream[step.at()].iter().all(takes)
    }
}

impl Session {
    /// Whether what waits for it may be in pieces: what is translated as it leaves is read then, and
    /// a queue of video frames asks of each whether decoding can begin there.
    fn takes_in_pieces(&self, view: &PacketView) -> bool {
        let is_video = view.frame() == Some(FrameKind::Video);
        self.contract != Contract::Connector
            && match &self.outbox {
                Outbox::Lanes(lanes) => !(is_video && lanes.is_keyed()),
                Outbox::Log(_) => true,
            }
    }
}

impl Engine {
    /// Routes a packet whose media something looks at.
    #[cold]
    pub(super) fn packet_joined(
        &mut self,
        (conn, parted): (ConnId, &Parted),
        inbound: Inbound<'_>,
        now: Moment,
        actions: &mut Actions,
    ) -> Taken {
        let whole = parted.joined();
        let mut view = PacketView::new(inbound.view.dialect());
        if let Err(malformed) = view.walk_in_process(&whole) {
            self.refuse_malformed(conn, &malformed, now);
            return Taken::Yes;
        }
        let joined = Inbound {
            source: &whole,
            start: 0,
            packet: &whole,
            view: &view,
            kept: None,
            parted: None,
            pinned: whole.len(),
        };
        self.packet(conn, joined, now, actions)
    }
}
