//! `GET /api/v1/events`: events as server-sent events, from now on (spec 11).
//!
//! Owns nothing but who listens. One that reads too slowly loses the oldest and is told how many,
//! by an event `lost`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Admin;
use super::problem::problem;
use crate::events::Item;

/// Listeners at once; each may be as far behind as the feed is long.
pub(super) const MOST_LISTENERS: usize = 64;

/// One who listens; leaving makes room for another.
struct Listener {
    feed: Receiver<Arc<Item>>,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn listen(State(admin): State<Arc<Admin>>) -> Response {
    let Ok(place) = admin.listeners.clone().try_acquire_owned() else {
        let detail = format!("{MOST_LISTENERS} listen already; retry later");
        return problem(StatusCode::SERVICE_UNAVAILABLE, &detail);
    };
    let listener = Listener {
        feed: admin.feed.listen(),
        _place: place,
    };
    let events = stream::unfold(listener, |mut listener| async {
        let event = match listener.feed.recv().await {
            Ok(item) => sse::Event::default()
                .event(item.name)
                .id(&item.uuid)
                .data(&item.line),
            Err(RecvError::Lagged(lost)) => sse::Event::default()
                .event("lost")
                .data(format!("{{\"lost\":{lost}}}")),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}
