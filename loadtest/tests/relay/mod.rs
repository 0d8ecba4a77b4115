//! A relay for tests: forwards Process messages along a topology and misbehaves on request.
//!
//! It speaks HTTP/2 through the server half of `h2` and shares only the deframer with the client
//! under test. It counts drops on a metrics page only when the fault says so.

mod sending;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use loadtest::scenario::{StepName, Topology};
use loadtest::wire::{Deframe, LengthPrefixed, put_prefix};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use sending::deliver;

/// What happens to one message on one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Forward,
    /// Never delivered, and nobody says so.
    Lose,
    /// Never delivered, and counted as dropped.
    Drop,
    Twice,
    /// Delivered after the next message.
    Swap,
    /// One bit of its payload changed.
    Flip,
    /// Delivered to every consumer.
    Everywhere,
    /// The consumer's stream ends with ABORTED.
    End,
}

/// Decides what happens to message number `n` (from 0) on the edge to `consumer`.
pub(crate) type Rule = fn(n: u64, consumer: &str) -> Act;

type Queue = mpsc::UnboundedSender<Option<Bytes>>;

struct State {
    rule: Rule,
    edges: HashMap<String, Vec<String>>,
    consumers: Mutex<HashMap<String, Queue>>,
    dropped: Mutex<HashMap<(String, String), u64>>,
}

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Relay {
    pub(crate) fn start(topology: &Topology, rule: Rule) -> Relay {
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        for edge in &topology.edges {
            let from = &topology.producers[edge.producer].name;
            let to = &topology.consumers[edge.consumer].name;
            edges.entry(key(from)).or_default().push(key(to));
        }
        let state = Arc::new(State {
            rule,
            edges,
            consumers: Mutex::default(),
            dropped: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let data = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send((data.local_addr().unwrap(), admin.local_addr().unwrap()))
                    .unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = serve(data, Arc::clone(&state)) => {}
                    () = serve_metrics(admin, state) => {}
                }
            });
        });
        let (address, admin) = told.recv().unwrap();
        Relay {
            address,
            admin,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

fn key(name: &StepName) -> String {
    format!("{}/{}/{}", name.namespace, name.run, name.step)
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let mut connection = h2::server::Builder::new()
                .initial_window_size(1 << 20)
                .max_frame_size(1 << 20)
                .handshake::<_, Bytes>(socket)
                .await
                .unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(process(request, respond, Arc::clone(&state)));
            }
        });
    }
}

async fn process(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    state: Arc<State>,
) {
    let text = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(request.uri().path(), "/transport.v1.HubService/Process");
    assert_eq!(text("bubu-transport-protocol"), "1.0.0");
    assert_eq!(text("content-type"), "application/grpc");
    let (namespace, run) = (text("storyrun-namespace"), text("storyrun-name"));
    let step = format!("{namespace}/{run}/{}", text("current-step-id"));
    let known =
        state.edges.contains_key(&step) || state.edges.values().flatten().any(|s| *s == step);
    if !known {
        let refusal = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "14")
            .header("grpc-message", "run is not known%20here")
            .body(())
            .unwrap();
        respond.send_response(refusal, true).unwrap();
        return;
    }
    let head = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    let send = respond.send_response(head, false).unwrap();
    let body = request.into_body();
    if let Some(targets) = state.edges.get(&step) {
        tokio::spawn(forward(body, targets.clone(), step, Arc::clone(&state)));
        std::mem::forget(send);
        return;
    }
    let (queue, queued) = mpsc::unbounded_channel();
    state.consumers.lock().unwrap().insert(step, queue);
    tokio::spawn(deliver(send, queued, ("10", "replaced")));
    drain(body).await;
}

/// Keeps reading a consumer's requests, so that the stream stays open.
async fn drain(mut body: RecvStream) {
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control().release_capacity(chunk.len()).unwrap();
    }
}

async fn forward(mut body: RecvStream, targets: Vec<String>, from: String, state: Arc<State>) {
    let mut deframe = LengthPrefixed::default();
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut held: HashMap<String, Bytes> = HashMap::new();
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control().release_capacity(chunk.len()).unwrap();
        let each = |message: &[u8]| {
            for target in &targets {
                let n = counts.entry(target.clone()).or_default();
                act(&state, &from, target, (*n, message), &mut held);
                *n += 1;
            }
        };
        deframe.push(chunk, each).unwrap();
    }
}

fn act(
    state: &State,
    from: &str,
    to: &str,
    (n, message): (u64, &[u8]),
    held: &mut HashMap<String, Bytes>,
) {
    let mut prefix = Vec::new();
    put_prefix(message.len(), &mut prefix);
    let mut bytes = BytesMut::from(&prefix[..]);
    bytes.extend_from_slice(message);
    let consumers = state.consumers.lock().unwrap();
    let queue = |to: &str, bytes: Option<Bytes>| {
        let _ = consumers[to].send(bytes);
    };
    let step = to.rsplit('/').next().unwrap();
    match (state.rule)(n, step) {
        Act::Forward => queue(to, Some(bytes.freeze())),
        Act::Lose => {}
        Act::Drop => {
            let step = |key: &str| key.rsplit('/').next().unwrap().to_owned();
            let edge = (step(from), step(to));
            *state.dropped.lock().unwrap().entry(edge).or_default() += 1;
        }
        Act::Twice => {
            let bytes = bytes.freeze();
            queue(to, Some(bytes.clone()));
            queue(to, Some(bytes));
        }
        Act::Swap => {
            held.insert(to.to_owned(), bytes.freeze());
            return;
        }
        Act::Flip => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            queue(to, Some(bytes.freeze()));
        }
        Act::Everywhere => {
            let bytes = bytes.freeze();
            for consumer in consumers.keys() {
                queue(consumer, Some(bytes.clone()));
            }
        }
        Act::End => queue(to, None),
    }
    if let Some(late) = held.remove(to) {
        queue(to, Some(late));
    }
}

async fn serve_metrics(listener: TcpListener, state: Arc<State>) {
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = answer(&mut socket, &state).await;
    }
}

async fn answer(socket: &mut TcpStream, state: &State) -> std::io::Result<()> {
    let mut request = [0u8; 1024];
    let _ = socket.read(&mut request).await?;
    let mut text = String::from("HTTP/1.1 200 OK\r\n\r\n");
    for ((from, to), count) in state.dropped.lock().unwrap().iter() {
        text += &format!(
            "hub_packets_dropped_total{{story=\"load\",from=\"{from}\",to=\"{to}\",reason=\"lane_full\"}} {count}\n"
        );
    }
    socket.write_all(text.as_bytes()).await
}
