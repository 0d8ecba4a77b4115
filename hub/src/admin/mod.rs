//! The admin HTTP server: `/healthz`, `/readyz`, `/metrics`, `/api/v1/...` (spec 9, 11).
//!
//! Runs on a thread of its own and asks the data plane for what it shows; never touches state of
//! the data path itself.

mod events;
mod problem;
mod runs;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::app::PlaneHandle;
use crate::binding::Values;
use crate::events::Feed;
use crate::telemetry::Publisher;
use problem::{problem, stopped};

/// What the admin server answers from.
pub(crate) struct Admin {
    pub(crate) plane: PlaneHandle,
    pub(crate) publisher: Mutex<Publisher>,
    /// Whether new streams are taken.
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) feed: Feed,
    /// What engrams connect with.
    pub(crate) bindings: Values,
    /// Places for those who listen to events.
    pub(crate) listeners: Arc<Semaphore>,
}

impl Admin {
    /// Places for as many as may listen at once.
    pub(crate) fn listeners() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(events::MOST_LISTENERS as usize))
    }
}

/// Binds the admin address; port 0 takes a free one.
///
/// # Errors
/// What the operating system says.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<(StdListener, SocketAddr)> {
    let listener = StdListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Serves until `stop` resolves and those who listen to events have heard the rest.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) async fn serve(
    listener: StdListener,
    admin: Admin,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let listeners = admin.listeners.clone();
    let stop = async {
        stop.await;
        events::all_have_left(&listeners).await;
    };
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/runs", get(runs::list))
        .route("/api/v1/runs/{namespace}/{name}", get(runs::one))
        .route("/api/v1/events", get(events::listen))
        .method_not_allowed_fallback(not_allowed)
        .fallback(not_found)
        .with_state(Arc::new(admin));
    tokio::select! {
        served = axum::serve(listener, routes).into_future() => served,
        () = stop => Ok(()),
    }
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    if admin.ready.load(Ordering::Acquire) {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        problem(StatusCode::SERVICE_UNAVAILABLE, "the hub is draining")
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let Some(seen) = admin.plane.look().await else {
        return stopped();
    };
    let text = admin
        .publisher
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .render(&seen.figures);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}

async fn not_found() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "no such page; there are /healthz, /readyz, /metrics, /api/v1/runs, \
         /api/v1/runs/{namespace}/{name} and /api/v1/events",
    )
}

async fn not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "this page answers GET")
}
