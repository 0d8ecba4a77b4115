//! `GET /api/v1/events`: events as server-sent events, from now on (spec 11).
//!
//! Owns nothing but who listens. One that reads too slowly loses the oldest and is told how many,
//! by an event `lost`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Admin;
use super::problem::{problem, stopped};
use crate::events::Item;

/// Listeners at once; each may be as far behind as the feed is long.
pub(super) const MOST_LISTENERS: u32 = 64;
/// How long the end of the hub waits for listeners to hear the rest.
const GRACE: Duration = Duration::from_millis(500);

/// One who listens; leaving makes room for another.
struct Listener<P> {
    feed: Receiver<Arc<Item>>,
    _place: P,
}

pub(super) async fn listen(State(admin): State<Arc<Admin>>) -> Response {
    let Ok(place) = admin.listeners.clone().try_acquire_owned() else {
        let detail = format!("{MOST_LISTENERS} listen already; retry later");
        return problem(StatusCode::SERVICE_UNAVAILABLE, &detail);
    };
    let Some(feed) = admin.feed.listen() else {
        return stopped();
    };
    answer::<OwnedSemaphorePermit>(Listener {
        feed,
        _place: place,
    })
}

fn answer<P: Send + 'static>(listener: Listener<P>) -> Response {
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

/// Waits until nobody listens any more, within bounds. The feed must have ended.
pub(super) async fn all_have_left(listeners: &Semaphore) {
    // Whoever has not left by then does not read.
    let _ = tokio::time::timeout(GRACE, listeners.acquire_many(MOST_LISTENERS)).await;
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test]
    async fn who_reads_too_slowly_is_told_how_many_it_has_lost_and_hears_the_rest() {
        let (sender, feed) = broadcast::channel(2);
        for n in 0..5 {
            let item = Item {
                name: "run.ready",
                uuid: format!("id-{n}"),
                line: format!("{{\"n\":{n}}}"),
            };
            sender.send(Arc::new(item)).unwrap();
        }
        drop(sender);
        let listener = Listener { feed, _place: () };
        let body = answer(listener).into_body();
        let body = axum::body::to_bytes(body, 4096).await.unwrap();
        let expected = "event: lost\ndata: {\"lost\":3}\n\n\
             event: run.ready\nid: id-3\ndata: {\"n\":3}\n\n\
             event: run.ready\nid: id-4\ndata: {\"n\":4}\n\n";
        assert_eq!(std::str::from_utf8(&body), Ok(expected));
    }
}
