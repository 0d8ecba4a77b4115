//! The sockets of the keeper: HTTP/2 streams in and out.

#[path = "../relay/sending.rs"]
mod sending;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use loadtest::wire::{Deframe, LengthPrefixed};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::State;
use sending::deliver;

pub(super) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let connection = h2::server::Builder::new()
                .initial_window_size(1 << 20)
                .max_frame_size(1 << 20)
                .handshake::<_, Bytes>(socket);
            // A client that is cut while it dials is none.
            let Ok(mut connection) = connection.await else {
                return;
            };
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(process(request, respond, Arc::clone(&state)));
            }
        });
    }
}

async fn process(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    state: Arc<Mutex<State>>,
) {
    let text = |name: &str| {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    assert_eq!(text("connector-generation"), "1");
    let (namespace, run) = (text("storyrun-namespace"), text("storyrun-name"));
    let step = format!("{namespace}/{run}/{}", text("current-step-id"));
    let numbers = !text("hub-producer-epoch").is_empty();
    assert_eq!(numbers, state.lock().unwrap().edges.contains_key(&step));
    let pauses = text("hub-accept") == "pause";
    let head = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    let Ok(send) = respond.send_response(head, false) else {
        return;
    };
    let (queue, queued) = mpsc::unbounded_channel();
    let connection = state.lock().unwrap().connect(&step, queue, pauses);
    tokio::spawn(deliver(send, queued, ("14", "come again")));
    let mut body = request.into_body();
    let mut deframe = LengthPrefixed::default();
    while let Some(Ok(chunk)) = body.data().await {
        let _ = body.flow_control().release_capacity(chunk.len());
        let mut state = state.lock().unwrap();
        let each = |message: &[u8]| state.message(&step, connection, message);
        deframe.push(chunk, each).unwrap();
    }
}
