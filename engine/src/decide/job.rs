//! A packet whose documents are so large that it is decided away from the data plane (spec 4.4).

use std::sync::Arc;

use bytes::Bytes;
use expr::Surroundings;
use transport_proto::view::{Dialect, PacketView};

use super::{Decided, Meeting, Question, StepPrograms};
use crate::account::DropReason;
use crate::ids::ConnId;

/// A decision to be made elsewhere: give what [`run`](Job::run) returns to
/// [`Engine::decided`](crate::Engine::decided), then offer the packet again. Until then nothing more
/// of its connection is to be offered, which keeps the order.
#[derive(Debug)]
pub struct Job {
    pub(crate) conn: ConnId,
    pub(crate) ticket: u64,
    pub(crate) programs: Arc<StepPrograms>,
    pub(crate) packet: Bytes,
    pub(crate) dialect: Dialect,
    pub(crate) meetings: Vec<Meeting>,
    pub(crate) surroundings: Surroundings,
}

impl Job {
    /// Whose packet it is, and which: what [`Engine::decided`](crate::Engine::decided) is told.
    #[must_use]
    pub fn ticket(&self) -> (ConnId, u64) {
        (self.conn, self.ticket)
    }

    /// What is decided where nothing can be: the packet ends on every edge.
    #[must_use]
    pub fn failed(&self) -> Decided {
        let why = "the hub failed to decide on it";
        self.programs
            .none((DropReason::Expression, why), &self.meetings)
    }

    /// Decides. `None` where the packet is none, which the data plane has seen to before.
    #[must_use]
    pub fn run(&self) -> Option<Decided> {
        let view = PacketView::parse(&self.packet, self.dialect).ok()?;
        let question = Question {
            packet: &self.packet,
            view: &view,
            meetings: &self.meetings,
            surroundings: &self.surroundings,
        };
        Some(self.programs.decide(&question))
    }
}
