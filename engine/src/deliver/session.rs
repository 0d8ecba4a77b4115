//! The state of one step of one run: who owns it, what waits for it.

use bytes::Bytes;

use super::fence::Fence;
use super::queue::Queue;
use super::spool::{Pieces, Spool};
use crate::ids::{ConnId, Moment};
use crate::route::StepPlan;

/// Most bytes of heartbeats that wait for a socket; what comes on top is skipped, since a newer
/// heartbeat says nothing that an older one does not.
const MAX_CONTROL_BYTES: usize = 16 * 1024;

/// One step's delivery state. Survives disconnects.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) fence: Fence,
    /// The connection that owns the step now.
    pub(crate) owner: Option<ConnId>,
    /// When the next heartbeat to the owner is due.
    pub(crate) next_heartbeat: Moment,
    pub(crate) queue: Queue,
    /// Heartbeats: never queued behind media, never counted (spec 2.6).
    control: Spool,
    control_bytes: usize,
}

impl Session {
    pub(crate) fn new(plan: &StepPlan) -> Self {
        Self {
            fence: Fence::default(),
            owner: None,
            next_heartbeat: Moment::default(),
            queue: Queue::new(plan.queue.clone()),
            control: Spool::default(),
            control_bytes: 0,
        }
    }

    /// Whether nothing at all waits for the owner's socket.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.control_bytes == 0
    }

    /// Queues an encoded heartbeat before everything else. Returns whether it was taken.
    pub(crate) fn push_control(&mut self, message: &[u8]) -> bool {
        if self.control_bytes + message.len() > MAX_CONTROL_BYTES {
            return false;
        }
        self.control.room(message.len()).extend_from_slice(message);
        self.control_bytes += message.len();
        true
    }

    /// Moves all waiting heartbeats out. Returns their bytes.
    pub(crate) fn take_control(&mut self, out: &mut Pieces) -> usize {
        let len = self.control_bytes;
        if len > 0 {
            self.control.take(len, out);
            self.control_bytes = 0;
        }
        len
    }

    /// Forgets what was meant for the connection that just left.
    pub(crate) fn clear_control(&mut self) {
        self.control = Spool::default();
        self.control_bytes = 0;
    }

    /// Gives memory back when nothing waits.
    pub(crate) fn rest(&mut self) {
        self.queue.rest();
        self.control.rest();
    }
}

/// Shape of a heartbeat from the hub: `bubu-heartbeat: true` and an empty payload (spec 2.6).
pub(crate) fn hub_heartbeat() -> Bytes {
    use bytes::BytesMut;
    use transport_proto::names::metadata as names;
    use transport_proto::splice::{put_metadata, put_payload, put_process_head};
    use transport_proto::view::Dialect;

    let mut packet = BytesMut::new();
    put_metadata(&mut packet, Dialect::Packet, names::HEARTBEAT, "true");
    put_payload(&mut packet, Dialect::Packet, &[]);
    let mut message = BytesMut::new();
    put_process_head(&mut message, packet.len());
    message.extend_from_slice(&packet);
    message.freeze()
}
