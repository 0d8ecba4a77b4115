//! The response body of a Process stream, and the one type that all responses share.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use engine::Pieces;
use http_body::{Body, Frame};

use super::Chunk;
use crate::ingress::Status;
use crate::plane::{DataPlane, Stream};

/// Most bytes gathered into one body chunk (spec 6).
const COALESCE: usize = 256 * 1024;

/// What a client gets from its stream. Dropping it is how a lost connection is noticed.
pub(crate) struct ProcessBody {
    plane: Rc<DataPlane>,
    stream: Rc<Stream>,
    /// Bytes still owed to a client that has said all it wants to say.
    owed: Option<usize>,
    ended: bool,
}

impl ProcessBody {
    pub(crate) fn new(plane: Rc<DataPlane>, stream: Rc<Stream>) -> Self {
        Self {
            plane,
            stream,
            owed: None,
            ended: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Chunk>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let ending = self.stream.ending();
        if let Some(status) = ending.filter(|status| !self.owes(status)) {
            self.ended = true;
            return Poll::Ready(Some(Frame::trailers(status.trailers())));
        }
        let mut pieces = Pieces::new();
        let len = self.plane.take(&self.stream, COALESCE, &mut pieces);
        if len == 0 {
            self.stream.wake_later(cx);
            return Poll::Pending;
        }
        self.owed = self.owed.map(|owed| owed.saturating_sub(len));
        Poll::Ready(Some(Frame::data(Chunk::new(pieces, len))))
    }

    /// Whether something must be sent before the stream ends. Only a client that ended its own
    /// side in good order is owed what waited for it at that moment; otherwise what waits stays for
    /// the step's next connection.
    fn owes(&mut self, status: &Status) -> bool {
        if status.code() != tonic::Code::Ok {
            return false;
        }
        let waiting = self.plane.waiting(&self.stream);
        let owed = self.owed.get_or_insert(waiting);
        *owed = (*owed).min(waiting);
        *owed > 0
    }
}

impl Drop for ProcessBody {
    fn drop(&mut self) {
        self.plane.disconnect(&self.stream);
    }
}

/// The body of any response on the gRPC port.
pub(crate) enum HubBody {
    /// A stream of the data path.
    Process(ProcessBody),
    /// Everything else.
    Tonic(tonic::body::Body),
    /// A refusal: headers say all.
    Refused(Option<Status>),
}

impl Body for HubBody {
    type Data = Chunk;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, Self::Error>>> {
        match self.get_mut() {
            Self::Process(body) => body.poll(cx).map(|f| f.map(Ok)),
            Self::Tonic(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|f| f.map(|f| f.map_data(Chunk::from)).map_err(Into::into))),
            Self::Refused(status) => {
                Poll::Ready(status.take().map(|s| Ok(Frame::trailers(s.trailers()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Process(body) => body.ended,
            Self::Tonic(body) => body.is_end_stream(),
            Self::Refused(status) => status.is_none(),
        }
    }
}
