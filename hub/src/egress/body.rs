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
    ended: bool,
}

impl ProcessBody {
    pub(crate) fn new(plane: Rc<DataPlane>, stream: Rc<Stream>) -> Self {
        Self {
            plane,
            stream,
            ended: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Chunk>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut pieces = Pieces::new();
        let len = self.plane.take(&self.stream, COALESCE, &mut pieces);
        if len > 0 {
            return Poll::Ready(Some(Frame::data(Chunk::new(pieces, len))));
        }
        match self.stream.poll_end(cx) {
            Poll::Ready(status) => {
                self.ended = true;
                Poll::Ready(Some(Frame::trailers(status.trailers())))
            }
            Poll::Pending => Poll::Pending,
        }
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
