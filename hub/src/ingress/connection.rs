//! One HTTP/2 connection: Process streams to the data path, everything else to tonic.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tower::Service as _;

use super::registration::{refusal_status, registration, startup_capabilities};
use super::{Refusals, Status, process};
use crate::config::Config;
use crate::egress::{HubBody, ProcessBody};
use crate::plane::DataPlane;
use crate::telemetry::Registrations;

const PROCESS: &str = "/transport.v1.HubService/Process";

/// What every connection of the gRPC port needs.
pub(crate) struct Door {
    pub(crate) plane: Rc<DataPlane>,
    pub(crate) config: Arc<Config>,
    pub(crate) refusals: Rc<Refusals>,
    pub(crate) registrations: Arc<Registrations>,
    pub(crate) routes: tonic::service::Routes,
}

/// Where a connection comes from.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    pub(crate) name: Arc<str>,
}

/// Serves one request of a connection.
pub(crate) async fn serve(
    door: Rc<Door>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<HubBody>, Infallible> {
    if request.uri().path() != PROCESS {
        return Ok(to_tonic(&door, request).await);
    }
    match open(&door, &peer, &request) {
        Ok(stream) => {
            let body = ProcessBody::new(door.plane.clone(), stream.clone());
            let max = usize::try_from(door.config.limits.max_message_bytes).unwrap_or(usize::MAX);
            let reading =
                process::read(door.plane.clone(), stream.clone(), request.into_body(), max);
            stream.set_reader(tokio::task::spawn_local(reading).abort_handle());
            Ok(grpc_response(HubBody::Process(body)))
        }
        Err(status) => Ok(refuse(&door, &peer, &request, status).await),
    }
}

/// Checks a Process request and registers its stream.
fn open(
    door: &Door,
    peer: &Peer,
    request: &Request<Incoming>,
) -> Result<Rc<crate::plane::Stream>, Status> {
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
    let stream = door.plane.register(who, &peer.name).map_err(|refusal| {
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

/// Says no after a short, growing delay; the connection stays (spec 2.2).
async fn refuse(
    door: &Door,
    peer: &Peer,
    request: &Request<Incoming>,
    status: Status,
) -> Response<HubBody> {
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
    tokio::time::sleep(delay).await;
    let mut response = grpc_response(HubBody::Refused(None));
    response.headers_mut().extend(status.trailers());
    response
}

fn grpc_response(body: HubBody) -> Response<HubBody> {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static("application/grpc");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, content_type);
    response
}

async fn to_tonic(door: &Door, request: Request<Incoming>) -> Response<HubBody> {
    let mut routes = door.routes.clone();
    let request = request.map(tonic::body::Body::new);
    match routes.call(request).await {
        Ok(response) => response.map(HubBody::Tonic),
        Err(never) => match never {},
    }
}

/// Runs hyper's tasks on the data-plane thread.
#[derive(Clone, Copy)]
pub(crate) struct OnThisThread;

impl<F> hyper::rt::Executor<F> for OnThisThread
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// The service of one connection.
pub(crate) struct ConnectionService {
    pub(crate) door: Rc<Door>,
    pub(crate) peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for ConnectionService {
    type Response = Response<HubBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(serve(self.door.clone(), self.peer.clone(), request))
    }
}
