//! Whether a packet may wait anywhere: the limits that hold across queues.

use transport_proto::splice::GRPC_HEAD_LEN;

use super::DeadLetter;
use crate::account::DropReason;
use crate::deliver::{Log, Settled};
use crate::route::{Lane, Overflow};

/// The limits that hold across queues, and what offering leaves behind.
pub(super) struct Room<'a> {
    pub(super) max_message: usize,
    pub(super) budget: usize,
    pub(super) queued: &'a mut usize,
    /// Bytes of chunks that wait for the others of their sets.
    pub(super) staged: &'a mut usize,
    pub(super) settled: &'a mut Vec<Settled>,
    pub(super) dead_letters: &'a mut Vec<DeadLetter>,
}

impl Room<'_> {
    /// Whether `len` bytes more would pass the budget of all queues.
    pub(super) fn is_short(&self, len: usize) -> bool {
        *self.queued + len > self.budget && *self.queued > 0
    }

    /// Whether `len` bytes more may be kept for their receipt. An edge that makes its producers wait
    /// was asked for room before anything was routed; what has been let in since came with this
    /// packet.
    pub(super) fn judge_kept(&self, log: &Log, lane: Lane, len: usize) -> Result<(), DropReason> {
        if log.guarantee().overflow == Overflow::Pause {
            return self.judge_size(len);
        }
        self.judge(len)?;
        if log.admits(lane, len) {
            Ok(())
        } else {
            Err(DropReason::LaneFull)
        }
    }

    /// Whether a receiver accepts a message of `len` bytes, its gRPC prefix included.
    #[inline]
    pub(super) fn judge_size(&self, len: usize) -> Result<(), DropReason> {
        // The limit is that of the message; the gRPC prefix before it does not count.
        if len - GRPC_HEAD_LEN > self.max_message {
            return Err(DropReason::Oversize);
        }
        Ok(())
    }

    /// Whether a message of `len` bytes, its gRPC prefix included, may be queued anywhere.
    #[inline]
    pub(super) fn judge(&self, len: usize) -> Result<(), DropReason> {
        self.judge_size(len)?;
        if self.is_short(len) {
            return Err(DropReason::Budget);
        }
        Ok(())
    }
}
