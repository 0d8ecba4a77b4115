//! One HTTP/2 connection and its Process streams, as one task.
//!
//! The h2 library is used directly: with one more layer every message would pass through two more
//! tasks, one that reads a stream and one that writes it (spec 6). Here the connection reads its
//! streams itself right after its socket, and what it routes wakes the connections of the consumers
//! and nobody else. Requests for anything but Process are rare; they get tasks of their own.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_util::FutureExt;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use transport_proto::view::Dialect;

use super::calls::{Call, Calls, Open};
use super::connector::{CONTROL, Connectors, DATA};
use super::deframe::Deframer;
use super::inlet::Inlet;
use super::keep_alive::{Heard, KeepAlive};
use super::meter::Meter;
use super::peers::Seat;
use super::process::Process;
use super::request::{
    Door, PROCESS, Peer, Refused, grpc_response, last_words, open, process_key, refuse,
};
use super::rewind::Rewind;
use super::tonic_bridge::answer;
use super::usher::Manners;
use crate::config::Config;
use crate::egress::{Chunk, Flow, Writer};
use crate::plane::{Stream, Wakers};

// HTTP/2 settings: spec 6 is the one place that says why.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;
pub(super) const CONNECTION_WINDOW: u32 = 16 << 20;
const MAX_FRAME: u32 = 1 << 20;
const SEND_BUFFER: usize = 256 << 10;
const MAX_HEADER_LIST: u32 = 16 << 10;
/// For so long, and so many, streams that the hub ended are remembered: what was on its way to them
/// is ignored, and each frame for one that is forgotten counts against the connection.
const ENDED_STREAMS: usize = 256;
const ENDED_FOR: Duration = Duration::from_secs(30);

/// Why a connection ended, other than by both sides having finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Http2(#[from] h2::Error),
    #[error("the peer has been silent, or in the middle of a frame, for too long")]
    Silent,
    #[error("the peer sends more frames than it may (limits.control_frames_per_second)")]
    Flood,
}

/// Serves a connection until it is over, and says in the log why. Dropping it closes it and
/// disconnects its streams.
pub(super) struct Connection {
    http2: h2::server::Connection<Rewind<TcpStream>, Chunk>,
    pub(super) door: Rc<Door>,
    pub(super) peer: Peer,
    pub(super) streams: Streams,
    /// Engrams that connect directly, once there is one: most connections never have any.
    pub(super) connectors: Option<Box<Connectors>>,
    inlet: Rc<Inlet>,
    keep_alive: KeepAlive,
    /// The watch has called.
    look: bool,
    /// It has been told that the hub ends its connections.
    stopping: bool,
    pub(super) heard: Heard,
    pub(super) calls: Arc<Calls>,
    /// Calls that are being answered; kept for its memory.
    open: Open,
    http2_waker: Waker,
    manners: Manners,
    /// Its place among the connections of its peer.
    _seat: Seat,
}

impl Connection {
    /// Greets a client whose preface, `head`, has been read from `socket`. Never waits: what it says
    /// goes out with the first turn.
    ///
    /// # Errors
    /// When HTTP/2 does not begin.
    pub(super) fn greet(
        door: Rc<Door>,
        peer: Peer,
        (head, socket): (&'static [u8], TcpStream),
        seat: Seat,
    ) -> Result<Box<Self>, h2::Error> {
        let clock = door.plane.clock();
        let now = clock.now();
        let inlet = Inlet::new(now);
        let frames = door.config.limits.control_frames_per_second;
        let meter = Meter::new(clock, frames);
        let shared = (door.turnstile.clone(), door.read_ahead.clone());
        let io = Rewind::new((head, socket), inlet.clone(), meter, shared);
        let handshake = settings(&door.config).handshake(io).now_or_never();
        let mut http2 = handshake.expect("the preface is there, and what is said is put by")?;
        let calls = Arc::<Calls>::default();
        let heard = Heard::new(clock);
        let pings = http2
            .ping_pong()
            .expect("nobody took it from a new connection");
        let watch = (&door.watch, &*door.config);
        let waker = calls.waker(Call::Watch);
        Ok(Box::new(Self {
            http2,
            keep_alive: KeepAlive::new(pings, (heard.clone(), inlet.clone()), watch, waker),
            door,
            peer,
            // The hub may be stopping already.
            look: true,
            stopping: false,
            streams: Streams::default(),
            connectors: None,
            inlet,
            heard,
            http2_waker: calls.http2_waker(),
            calls,
            open: Open::default(),
            manners: Manners::new(now),
            _seat: seat,
        }))
    }

    /// One turn: what waits for clients goes to HTTP/2, HTTP/2 reads and writes, and what it read is
    /// routed.
    fn turn(&mut self) -> Poll<Result<(), Broken>> {
        self.answer_open();
        self.calls.answer_http2();
        self.inlet.open();
        let mut polled = self.poll_http2();
        if self.inlet.greet() && polled.is_pending() {
            polled = self.poll_http2();
        }
        if polled.is_ready() {
            // What came before the end counts.
            for place in 0..self.streams.all.len() {
                self.read(place);
            }
            self.read_controls();
            return polled.map_err(Broken::Http2);
        }
        if self.inlet.is_over() {
            return self.goodbye(h2::Reason::ENHANCE_YOUR_CALM, Broken::Flood);
        }
        self.answer_calls();
        // Only now: what shows that the peer is there may just have been read.
        if std::mem::take(&mut self.look) {
            self.stop();
            if self.keep_alive.poll().is_ready() {
                return self.goodbye(h2::Reason::NO_ERROR, Broken::Silent);
            }
        }
        Poll::Pending
    }

    /// Begins to end the connection if the hub ends all of them.
    fn stop(&mut self) {
        if !self.stopping && self.door.watch.is_stopping() {
            self.stopping = true;
            self.http2.graceful_shutdown();
            self.http2_waker.wake_by_ref();
        }
    }

    /// Says why and ends, if the socket takes it; there is nobody to wait for.
    fn goodbye(&mut self, reason: h2::Reason, why: Broken) -> Poll<Result<(), Broken>> {
        self.http2.abrupt_shutdown(reason);
        let _ = self.poll_http2();
        Poll::Ready(Err(why))
    }

    fn answer_calls(&mut self) {
        self.calls.take(&mut self.open);
        self.answer_open();
    }

    fn answer_open(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        for call in open.by_ref() {
            match call {
                Call::Write(place) => self.write(place),
                Call::Read(place) => self.read(place),
                Call::WriteControl(place) => self.write_control(place),
                Call::ReadControl(place) => self.read_control(place),
                Call::Overdue => self.overdue(),
                Call::Watch => self.look = true,
            }
        }
        self.open = open;
    }

    fn poll_http2(&mut self) -> Poll<Result<(), h2::Error>> {
        loop {
            let mut cx = Context::from_waker(&self.http2_waker);
            match self.http2.poll_accept(&mut cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(Some(Ok((request, respond)))) => self.request(request, respond),
            }
        }
    }

    fn read(&mut self, place: usize) {
        self.each(place, Process::read);
    }

    fn write(&mut self, place: usize) {
        self.each(place, Process::write);
    }

    fn each(&mut self, place: usize, work: impl FnOnce(&mut Process) -> Flow) {
        // A stream that is over may have called before.
        if let Some(slot) = self.streams.all.get_mut(place)
            && slot
                .as_mut()
                .is_some_and(|process| work(process) == Flow::Over)
        {
            let process = slot.take();
            self.streams.give_back(place);
            if let Some(body) = process.and_then(|process| process.unheard()) {
                tokio::task::spawn_local(last_words(body, self.door.stop.clone()));
            }
        }
    }

    fn request(&mut self, request: Request<RecvStream>, respond: SendResponse<Chunk>) {
        self.heard.now();
        match request.uri().path() {
            PROCESS => return self.process(request, respond),
            DATA => return self.data(request, respond),
            CONTROL => return self.control(request, respond),
            _ => {}
        }
        let routes = self.door.routes.clone();
        tokio::task::spawn_local(answer(routes, request, respond, self.heard.clone()));
    }

    fn process(&mut self, request: Request<RecvStream>, mut respond: SendResponse<Chunk>) {
        let place = self.streams.place();
        let wakers = Wakers {
            write: self.calls.waker(Call::Write(place)),
            read: self.calls.waker(Call::Read(place)),
            control: None,
        };
        let (stream, seat) = match open(&self.door, &self.peer, &request, &wakers) {
            Ok(opened) => opened,
            Err(status) => {
                self.streams.give_back(place);
                let who = (self.door.clone(), self.peer.clone());
                let refused = Refused {
                    status,
                    key: process_key(&request),
                    parked: Vec::new(),
                    stop: self.door.stop.clone(),
                };
                tokio::task::spawn_local(refuse(who, request, respond, refused));
                return;
            }
        };
        let send = match respond.send_response(grpc_response(), false) {
            Ok(send) => send,
            Err(error) => {
                tracing::debug!(stream = %stream.name, %error, "stream broke");
                self.streams.give_back(place);
                return self.door.plane.disconnect(&stream);
            }
        };
        let deframer = self.deframer(request.headers()).parting(Dialect::Packet);
        let body = request.into_body();
        self.serve(place, stream, (body, deframer, send), (seat, wakers));
    }

    /// What cuts the stream that `headers` opened into messages.
    pub(super) fn deframer(&self, headers: &HeaderMap) -> Deframer {
        let max = usize::try_from(self.door.config.limits.max_message_bytes);
        Deframer::of_request(headers, max.unwrap_or(usize::MAX))
    }

    /// Serves a registered stream of packets.
    pub(super) fn serve(
        &mut self,
        place: usize,
        stream: Rc<Stream>,
        (body, deframer, send): (RecvStream, Deframer, SendStream<Chunk>),
        (seat, wakers): (Seat, Wakers),
    ) {
        // What came along with the request, and what has been waiting for the client.
        wakers.read.wake_by_ref();
        wakers.write.wake_by_ref();
        self.streams.all[place] = Some(Box::new(Process {
            plane: self.door.plane.clone(),
            stream,
            heard: self.heard.clone(),
            deframer,
            body: Some(body),
            writer: Writer::new(send),
            unreleased: 0,
            inlet: self.inlet.clone(),
            _seat: seat,
            wakers,
        }));
    }
}

/// Streams of packets by the place that [`Call`] names.
#[derive(Default)]
pub(super) struct Streams {
    /// Boxed, as most connections have one and a vector makes room for four.
    all: Vec<Option<Box<Process>>>,
    free: Vec<usize>,
}

impl Streams {
    /// A free place, for one stream.
    pub(super) fn place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        })
    }

    /// Has a place that is free again given to others.
    pub(super) fn give_back(&mut self, place: usize) {
        self.free.push(place);
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let now = this.door.plane.now();
        ready!(this.door.usher.poll_turn(&mut this.manners, now, cx));
        this.calls.begin(cx.waker(), &mut this.open);
        match this.turn() {
            Poll::Pending => this.calls.end(),
            Poll::Ready(Ok(())) => return Poll::Ready(()),
            Poll::Ready(Err(error)) => {
                tracing::info!(peer = %this.peer.name, %error, "connection ended");
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

fn settings(config: &Config) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    let streams = u32::try_from(config.limits.max_streams).unwrap_or(u32::MAX);
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADER_LIST)
        .max_concurrent_reset_streams(ENDED_STREAMS)
        .reset_stream_duration(ENDED_FOR)
        .max_concurrent_streams(streams.max(128));
    builder
}

#[cfg(test)]
mod tests;
