//! Requests that tonic answers: everything but Process.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use http_body::{Body, Frame};
use tonic::service::Routes;
use tower::Service as _;

use super::keep_alive::Heard;
use crate::egress::Chunk;

/// Has tonic answer, unless the client resets the stream first.
pub(super) async fn answer(
    mut routes: Routes,
    request: Request<RecvStream>,
    mut respond: SendResponse<Chunk>,
    heard: Heard,
) {
    let request = request.map(|recv| tonic::body::Body::new(RequestBody { recv, heard }));
    let response = tokio::select! {
        _ = poll_fn(|cx| respond.poll_reset(cx)) => return,
        response = routes.call(request) => match response {
            Ok(response) => response,
            Err(never) => match never {},
        },
    };
    let (head, body) = response.into_parts();
    let head = Response::from_parts(head, ());
    let ends = body.is_end_stream();
    match respond.send_response(head, ends) {
        Ok(send) if !ends => pump(body, send).await,
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "an answer could not be sent"),
    }
}

/// Sends `body` until it ends or the client resets the stream.
async fn pump(mut body: tonic::body::Body, mut send: SendStream<Chunk>) {
    loop {
        let frame = poll_fn(|cx| {
            if send.poll_reset(cx).is_ready() {
                return Poll::Ready(Err(Gone));
            }
            Pin::new(&mut body).poll_frame(cx).map(Ok)
        });
        let sent = match frame.await {
            Err(Gone) => return,
            Ok(Some(Ok(frame))) => send_frame(&mut send, frame).await,
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "an answer broke off");
                return send.send_reset(h2::Reason::INTERNAL_ERROR);
            }
            Ok(None) => {
                let _ = send.send_data(Chunk::from(Bytes::new()), true);
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The client wants no more, or has its whole answer.
struct Gone;

async fn send_frame(send: &mut SendStream<Chunk>, frame: Frame<Bytes>) -> Result<(), Gone> {
    let data = match frame.into_data() {
        Ok(data) => data,
        Err(frame) => {
            if let Ok(trailers) = frame.into_trailers() {
                let _ = send.send_trailers(trailers);
            }
            return Err(Gone);
        }
    };
    if !data.is_empty() {
        // Any room will do: HTTP/2 never has more than its send buffer.
        send.reserve_capacity(1);
        while send.capacity() == 0 {
            match poll_fn(|cx| send.poll_capacity(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Gone),
            }
        }
    }
    send.send_data(Chunk::from(data), false).map_err(|_| Gone)
}

/// What the client sends, as tonic takes it.
struct RequestBody {
    recv: RecvStream,
    heard: Heard,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        match ready!(self.recv.poll_data(cx)) {
            Some(Ok(data)) => {
                self.heard.now();
                self.recv.flow_control().release_capacity(data.len())?;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => match ready!(self.recv.poll_trailers(cx)) {
                Ok(trailers) => Poll::Ready(trailers.map(|t| Ok(Frame::trailers(t)))),
                Err(error) => Poll::Ready(Some(Err(error))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.recv.is_end_stream()
    }
}
