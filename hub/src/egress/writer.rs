//! The sending side of one Process stream.

use std::task::{Context, Poll};

use engine::Pieces;
use h2::SendStream;

use super::Chunk;
use crate::ingress::Status;
use crate::plane::{DataPlane, Stream};

/// Most bytes gathered into one DATA frame (spec 6).
const COALESCE: usize = 256 * 1024;

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// There may be more.
    Open,
    /// It is over: nothing more can come or go.
    Over,
}

/// Gives HTTP/2 what waits for a client, as far as it has room.
pub(crate) struct Writer {
    send: SendStream<Chunk>,
    /// Bytes still owed to a client that has said all it wants to say.
    owed: Option<usize>,
}

impl Writer {
    pub(crate) fn new(send: SendStream<Chunk>) -> Self {
        Self { send, owed: None }
    }

    /// Sends what waits until nothing does, or HTTP/2 has no room and wakes `cx` once it has.
    pub(crate) fn write(
        &mut self,
        plane: &DataPlane,
        stream: &Stream,
        cx: &mut Context<'_>,
    ) -> Flow {
        loop {
            if let Some(status) = stream.ending()
                && (stream.is_shut() || !self.owes(&status, plane.waiting(stream)))
            {
                // A client that has gone meanwhile wants no status.
                let _ = self.send.send_trailers(status.trailers());
                return Flow::Over;
            }
            if stream.is_shut() {
                return Flow::Open;
            }
            match self.room(cx) {
                Poll::Ready(Flow::Open) => {}
                Poll::Ready(Flow::Over) => return Flow::Over,
                Poll::Pending => return Flow::Open,
            }
            let mut pieces = Pieces::new();
            let len = plane.take(stream, COALESCE, &mut pieces);
            if len == 0 {
                // What is not used belongs to the connection's other streams.
                self.send.reserve_capacity(0);
                let Some(status) = stream.ending() else {
                    return Flow::Open;
                };
                // Window or credits hold the rest back, and a client that has ended its side can
                // give neither: it stays for the step's next connection.
                let _ = self.send.send_trailers(status.trailers());
                return Flow::Over;
            }
            self.owed = self.owed.map(|owed| owed.saturating_sub(len));
            if self.send.send_data(Chunk::new(pieces, len), false).is_err() {
                return Flow::Over;
            }
            if plane.waiting(stream) == 0 && !stream.is_ending() {
                return Flow::Open;
            }
        }
    }

    /// Whether the client has reset the stream or is gone; wakes `cx` once it has.
    pub(crate) fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        self.send.poll_reset(cx).is_ready()
    }

    /// Waits for any room at all: never for as much as is to be sent, because HTTP/2 gives no more
    /// than its send buffer holds, and takes more than it gives.
    fn room(&mut self, cx: &mut Context<'_>) -> Poll<Flow> {
        self.send.reserve_capacity(1);
        while self.send.capacity() == 0 {
            match std::task::ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(Flow::Over),
            }
        }
        Poll::Ready(Flow::Open)
    }

    /// Whether something must be sent before the stream ends. Only a client that ended its own
    /// side in good order is owed what waited for it at that moment; otherwise what waits stays for
    /// the step's next connection.
    fn owes(&mut self, status: &Status, waiting: usize) -> bool {
        if status.code() != tonic::Code::Ok {
            return false;
        }
        let owed = self.owed.get_or_insert(waiting);
        *owed = (*owed).min(waiting);
        *owed > 0
    }
}
