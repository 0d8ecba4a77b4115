//! What becomes of a request: a Process stream, a refusal, or an answer by tonic.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderValue, Method, Request, Response};
use tokio::sync::watch;

use super::connector::{Catalog, Parked};
use super::keep_alive::Watch;
use super::peers::{Peers, Seat, What};
use super::read_ahead::Shared;
use super::registration::{refusal_status, registration, startup_capabilities};
use super::{Refusals, Status, Turnstile, Usher};
use crate::config::Config;
use crate::egress::Chunk;
use crate::plane::Wakers;
use crate::plane::{DataPlane, Stream};
use crate::telemetry::Registrations;

/// What streams of packets are served at.
pub(super) const PROCESS: &str = "/transport.v1.HubService/Process";

/// What every connection of the gRPC port needs.
pub(crate) struct Door {
    pub(crate) plane: Rc<DataPlane>,
    pub(crate) config: Arc<Config>,
    pub(crate) refusals: Rc<Refusals>,
    pub(crate) peers: Rc<Peers>,
    pub(crate) registrations: Arc<Registrations>,
    pub(crate) routes: tonic::service::Routes,
    /// What engrams are told of the media of their steps.
    pub(crate) catalog: Catalog,
    pub(crate) watch: Watch,
    pub(crate) turnstile: Rc<Turnstile>,
    pub(crate) usher: Rc<Usher>,
    pub(crate) read_ahead: Rc<Shared>,
    /// Says true when the hub is to end its connections; a dropped sender means that, too.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Where a connection comes from.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    pub(crate) name: Arc<str>,
}

/// Checks a Process request and registers its stream, which is called by `wakers`.
pub(super) fn open(
    door: &Door,
    peer: &Peer,
    request: &Request<RecvStream>,
    wakers: &Wakers,
) -> Result<(Rc<Stream>, Seat), Status> {
    check_grpc(request)?;
    door.registrations
        .note_startup(startup_capabilities(request.headers()));
    let who = registration(request.headers())?;
    let seat = take_stream_seat(door, peer)?;
    let registered = door.plane.register(who, &peer.name, wakers);
    let stream = registered.map_err(|refusal| refusal_status(&refusal))?;
    door.registrations.note(tonic::Code::Ok);
    tracing::info!(stream = %stream.name, peer = %peer.name, generation = %who.generation,
        "stream registered");
    Ok((stream, seat))
}

/// Checks that a request is one of gRPC.
///
/// # Errors
/// INVALID_ARGUMENT.
pub(super) fn check_grpc(request: &Request<RecvStream>) -> Result<(), Status> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|v| v.as_bytes().starts_with(b"application/grpc"));
    if request.method() == Method::POST && is_grpc {
        return Ok(());
    }
    Err(Status::invalid_argument(
        "this is a gRPC method: POST with content-type application/grpc",
    ))
}

/// Takes one of the streams that a peer may have.
///
/// # Errors
/// RESOURCE_EXHAUSTED, naming the limit.
pub(super) fn take_stream_seat(door: &Door, peer: &Peer) -> Result<Seat, Status> {
    door.peers.seat(peer.ip, What::Stream).map_err(|key| {
        Status::resource_exhausted(format!(
            "this address has as many streams as it may ({key})"
        ))
    })
}

/// A stream that is refused.
pub(super) struct Refused {
    pub(super) status: Status,
    /// What the peer is known by among those that were refused lately.
    pub(super) key: String,
    /// Data streams that end with it.
    pub(super) parked: Vec<Parked>,
    pub(super) stop: watch::Receiver<bool>,
}

/// What a refused Process request is known by.
pub(super) fn process_key(request: &Request<RecvStream>) -> String {
    let key = |name| {
        let value = request.headers().get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or("")
    };
    format!("{}/{}", key("storyrun-name"), key("current-step-id"))
}

/// How long a client may go on after its stream has ended before it is reset.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Says no after a short, growing delay; the connection stays (spec 2.2). What the client sends
/// meanwhile is no error, and is thrown away.
pub(super) async fn refuse(
    (door, peer): (Rc<Door>, Peer),
    request: Request<RecvStream>,
    mut respond: SendResponse<Chunk>,
    refused: Refused,
) {
    let Refused {
        status,
        key,
        parked,
        stop,
    } = refused;
    door.registrations.note(status.code());
    let delay = door.refusals.delay(peer.ip, &key, Instant::now());
    tracing::info!(peer = %peer.name, code = ?status.code(), reason = status.message(), ?delay,
        "registration refused");
    let mut response = grpc_response();
    response.headers_mut().extend(status.trailers());
    let mut body = request.into_body();
    tokio::select! {
        () = tokio::time::sleep(delay) => {
            // A client that has gone meanwhile wants no answer.
            let _ = respond.send_response(response, true);
            for parked in parked {
                let rest = parked.end(&status);
                tokio::task::spawn_local(last_words(rest, stop.clone()));
            }
        }
        _ = poll_fn(|cx| respond.poll_reset(cx)) => return,
        never = async { thrown_away(&mut body).await; std::future::pending::<Infallible>().await } =>
            match never {},
    }
    last_words(body, door.stop.clone()).await;
}

/// Takes what a client still sends on a stream that has ended for the hub, and throws it away. Data
/// for a stream that HTTP/2 knows to be over counts against the connection for good (spec 7), so the
/// client gets time to hear of the end before its stream is reset.
pub(super) async fn last_words(mut body: RecvStream, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = thrown_away(&mut body) => {}
        () = tokio::time::sleep(LAST_WORDS) => {}
        // A drain waits for nobody's last words.
        _ = stop.wait_for(|&stop| stop) => {}
    }
}

/// Takes what comes out of HTTP/2, where small frames would count against the connection.
async fn thrown_away(body: &mut RecvStream) {
    while let Some(Ok(chunk)) = body.data().await {
        // The window is the connection's, too.
        let _ = body.flow_control().release_capacity(chunk.len());
    }
}

/// The head of an answer by the hub itself.
pub(super) fn grpc_response() -> Response<()> {
    let mut response = Response::new(());
    let content_type = HeaderValue::from_static("application/grpc");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, content_type);
    response
}
