//! What becomes of a request: a Process stream, a refusal, or an answer by tonic.

use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderValue, Method, Request, Response};

use super::keep_alive::Watch;
use super::registration::{refusal_status, registration, startup_capabilities};
use super::{Refusals, Status};
use crate::config::Config;
use crate::egress::Chunk;
use crate::plane::Wakers;
use crate::plane::{DataPlane, Stream};
use crate::telemetry::Registrations;

const PROCESS: &str = "/transport.v1.HubService/Process";

/// What every connection of the gRPC port needs.
pub(crate) struct Door {
    pub(crate) plane: Rc<DataPlane>,
    pub(crate) config: Arc<Config>,
    pub(crate) refusals: Rc<Refusals>,
    pub(crate) registrations: Arc<Registrations>,
    pub(crate) routes: tonic::service::Routes,
    pub(crate) watch: Watch,
}

/// Where a connection comes from.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    pub(crate) name: Arc<str>,
}

/// Whether a request is for the data path.
pub(super) fn is_process(request: &Request<RecvStream>) -> bool {
    request.uri().path() == PROCESS
}

/// Checks a Process request and registers its stream, which is called by `wakers`.
pub(super) fn open(
    door: &Door,
    peer: &Peer,
    request: &Request<RecvStream>,
    wakers: &Wakers,
) -> Result<Rc<Stream>, Status> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|v| v.as_bytes().starts_with(b"application/grpc"));
    if request.method() != Method::POST || !is_grpc {
        return Err(Status::invalid_argument(
            "this is a gRPC method: POST with content-type application/grpc",
        ));
    }
    door.registrations
        .note_startup(startup_capabilities(request.headers()));
    let who = registration(request.headers())?;
    let registered = door.plane.register(who, &peer.name, wakers);
    let stream = registered.map_err(|refusal| {
        if let engine::Refusal::Duel { owner, .. } = &refusal {
            let present = door.plane.peer_of(*owner);
            tracing::warn!(run = who.run, step = who.step, newcomer = %peer.name,
                present = present.as_deref().unwrap_or("?"), "two clients claim one step");
        }
        refusal_status(&refusal)
    })?;
    door.registrations.note(tonic::Code::Ok);
    tracing::info!(stream = %stream.name, peer = %peer.name, generation = %who.generation,
        "stream registered");
    Ok(stream)
}

/// Says no after a short, growing delay; the connection stays (spec 2.2). The request is kept until
/// then, so that what the client sends meanwhile is no error.
pub(super) async fn refuse(
    door: Rc<Door>,
    peer: Peer,
    request: Request<RecvStream>,
    mut respond: SendResponse<Chunk>,
    status: Status,
) {
    door.registrations.note(status.code());
    let key = |name| {
        request
            .headers()
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    };
    let key = format!("{}/{}", key("storyrun-name"), key("current-step-id"));
    let delay = door.refusals.delay(peer.ip, &key, Instant::now());
    tracing::info!(peer = %peer.name, code = ?status.code(), reason = status.message(), ?delay,
        "registration refused");
    let mut response = grpc_response();
    response.headers_mut().extend(status.trailers());
    tokio::select! {
        () = tokio::time::sleep(delay) => {
            // A client that has gone meanwhile wants no answer.
            let _ = respond.send_response(response, true);
        }
        _ = poll_fn(|cx| respond.poll_reset(cx)) => {}
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
