//! One Control stream: read what the client says, answer it, and tell it what the engine asks for.
//!
//! It is read whatever becomes of Data: receipts must always get through.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use engine::Directive;
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use transport_proto::view::parse_control;

use super::capabilities::Capabilities;
use super::request;
use super::response::{Handoff, Responses};
use crate::egress::{Chunk, Flow};
use crate::ingress::Status;
use crate::ingress::deframe::{Deframer, Message, Next};
use crate::ingress::keep_alive::Heard;
use crate::ingress::peers::Seat;
use crate::plane::{DataPlane, Stream};

/// Largest `ControlRequest`: twice what the contract's own limits add up to, in bytes.
const MAX_REQUEST: usize = 1 << 20;

/// A session's Control. Dropping it ends the session.
pub(in crate::ingress) struct Control {
    plane: Rc<DataPlane>,
    stream: Rc<Stream>,
    heard: Heard,
    deframer: Deframer,
    /// What the client says, until it has said everything.
    body: Option<RecvStream>,
    send: SendStream<Chunk>,
    responses: Responses,
    capabilities: Arc<Capabilities>,
    /// Something waited for its step when it came.
    inherits: bool,
    directives: Vec<Directive>,
    /// Its place among the streams of its peer.
    _seat: Seat,
    wakers: ControlWakers,
}

/// Calls for [`Control::read`] and [`Control::write`].
pub(in crate::ingress) struct ControlWakers {
    pub(in crate::ingress) read: Waker,
    pub(in crate::ingress) write: Waker,
}

impl Control {
    /// Greets the client of `stream`, which was just registered.
    pub(in crate::ingress) fn open(
        (plane, stream): (Rc<DataPlane>, Rc<Stream>),
        (body, deframer, send): (RecvStream, Deframer, SendStream<Chunk>),
        (heard, seat): (Heard, Seat),
        wakers: ControlWakers,
        capabilities: Arc<Capabilities>,
    ) -> Self {
        let mut responses = Responses::default();
        responses.ready(&capabilities);
        if stream.is_taking_over() {
            responses.handoff(Handoff::Cutover, "stream_replaced");
        }
        let inherits = plane.waiting(&stream) > 0;
        wakers.read.wake_by_ref();
        wakers.write.wake_by_ref();
        Self {
            plane,
            stream,
            heard,
            deframer,
            body: Some(body),
            send,
            responses,
            capabilities,
            inherits,
            directives: Vec::new(),
            _seat: seat,
            wakers,
        }
    }

    /// What cuts the Control that `headers` opened into messages.
    pub(super) fn deframer(headers: &HeaderMap) -> Deframer {
        Deframer::of_request(headers, MAX_REQUEST)
    }

    /// Takes in what has come.
    pub(in crate::ingress) fn read(&mut self) -> Flow {
        let mut answers = false;
        while let Some(body) = &mut self.body {
            let mut cx = Context::from_waker(&self.wakers.read);
            match body.poll_data(&mut cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(chunk))) => {
                    // Fails only for a stream that is gone, which the next poll notices.
                    let _ = body.flow_control().release_capacity(chunk.len());
                    self.came(chunk);
                    answers = true;
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(stream = %self.stream.name, %error, "Control broke");
                    return Flow::Over;
                }
                Poll::Ready(None) => {
                    self.body = None;
                    // One that has no more to say goes on listening.
                    if self.deframer.has_partial() {
                        self.stream.end(self.deframer.ended().for_engrams());
                    }
                }
            }
        }
        if answers { self.write() } else { Flow::Open }
    }

    fn came(&mut self, chunk: Bytes) {
        let now = self.plane.now();
        self.heard.at(now);
        if self.stream.is_ending() && !self.stream.is_carried() {
            return;
        }
        let (stream, responses) = (&*self.stream, &mut self.responses);
        let capabilities = &*self.capabilities;
        let deframer = &mut self.deframer;
        let fed = self.plane.steer(|engine, actions| {
            deframer.feed(chunk, |message: Message<'_>| {
                // Nothing is left in pieces here.
                let Message::Whole { source, range, .. } = message else {
                    return Ok(Next::Go);
                };
                match parse_control(&source[range]) {
                    Ok(request) => {
                        let asked = request::Asked {
                            stream,
                            request: &request,
                            capabilities,
                        };
                        request::take(asked, (engine, actions), now, responses);
                    }
                    // What nobody can read asks for nothing.
                    Err(error) => tracing::debug!(stream = %stream.name, %error, "no request"),
                }
                Ok(Next::Go)
            })
        });
        if let Err(status) = fed {
            self.stream.end(status.for_engrams());
        }
    }

    /// Says what there is to say, as far as HTTP/2 has room.
    pub(in crate::ingress) fn write(&mut self) -> Flow {
        loop {
            self.conclude_handoff();
            self.plane.directives(&self.stream, &mut self.directives);
            for directive in self.directives.drain(..) {
                self.responses.directive(&directive, &self.stream.name.step);
            }
            // The session ends when its packets do: receipts count until then.
            let over = self.stream.ending().filter(|_| !self.stream.is_carried());
            if self.responses.is_empty() {
                self.send.reserve_capacity(0);
                let Some(status) = over else {
                    return self.is_reset();
                };
                // A client that has gone meanwhile wants no status.
                let _ = self.send.send_trailers(status.trailers());
                return Flow::Over;
            }
            let mut cx = Context::from_waker(&self.wakers.write);
            self.send.reserve_capacity(1);
            while self.send.capacity() == 0 {
                match self.send.poll_capacity(&mut cx) {
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(Some(Err(_)) | None) => return Flow::Over,
                    Poll::Pending => {
                        if let Some(status) = over {
                            let _ = self.send.send_trailers(status.trailers());
                            return Flow::Over;
                        }
                        return Flow::Open;
                    }
                }
            }
            let chunk = Chunk::from(self.responses.take());
            if self.send.send_data(chunk, false).is_err() {
                return Flow::Over;
            }
        }
    }

    /// Says so once a client that took its step over has got what waited.
    fn conclude_handoff(&mut self) {
        let stream = &self.stream;
        if stream.is_taking_over() && stream.is_carried() && self.plane.waiting(stream) == 0 {
            stream.has_taken_over();
            let reason = match self.inherits {
                true => "buffer_drained",
                false => "no_buffer",
            };
            self.responses.handoff(Handoff::Ready, reason);
        }
    }

    /// Notices a client that is gone though it had nothing more to say.
    fn is_reset(&mut self) -> Flow {
        let mut cx = Context::from_waker(&self.wakers.write);
        if self.body.is_none() && self.send.poll_reset(&mut cx).is_ready() {
            return Flow::Over;
        }
        Flow::Open
    }

    /// Whose it is.
    pub(in crate::ingress) fn stream(&self) -> &Rc<Stream> {
        &self.stream
    }

    /// What the client may still say once the stream is over.
    pub(in crate::ingress) fn unheard(mut self: Box<Self>) -> Option<RecvStream> {
        self.body.take()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stream
            .end(Status::unavailable("the session's Control stream is gone"));
        if !self.stream.is_carried() {
            self.plane.disconnect(&self.stream);
        }
    }
}
