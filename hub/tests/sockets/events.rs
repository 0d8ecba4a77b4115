//! `/api/v1/events`: what happens, as it happens.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::client::Connection;
use crate::rig::{DEADLINE, FAN_OUT, Hub, config};

/// One who listens, from the moment it is made.
struct Listener(BufReader<TcpStream>);

impl Listener {
    fn open(hub: &Hub) -> Self {
        let mut socket = TcpStream::connect(hub.admin).expect("admin listens");
        socket.set_read_timeout(Some(DEADLINE)).expect("set");
        write!(socket, "GET /api/v1/events HTTP/1.1\r\nhost: hub\r\n\r\n").expect("sent");
        let mut listener = Self(BufReader::new(socket));
        let mut head = String::new();
        loop {
            let line = listener.line();
            if line.is_empty() {
                break;
            }
            head.push_str(&line);
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("text/event-stream"), "{head}");
        listener
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).expect("a line in time");
        assert!(read > 0, "the hub has ended the answer");
        line.trim_end().to_owned()
    }

    /// The next event of that type.
    fn next(&mut self, name: &str) -> Value {
        let mut kind = String::new();
        loop {
            let line = self.line();
            if let Some(found) = line.strip_prefix("event: ") {
                kind = found.to_owned();
            }
            let data = line.strip_prefix("data: ").filter(|_| kind == name);
            if let Some(data) = data {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    }

    /// The same, off the runtime's thread, on which the clients of this test live.
    async fn wait(mut self, name: &'static str) -> (Self, Value) {
        let waiting = tokio::task::spawn_blocking(move || {
            let event = self.next(name);
            (self, event)
        });
        waiting.await.expect("an event")
    }
}

#[tokio::test]
async fn connections_are_told_with_their_step_and_peer() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let a = connection.process("a").await.accepted().await;
    let (listener, event) = listener.wait("step.connected").await;
    assert_eq!(event["name"], "step.connected");
    assert_eq!(event["version"], 1);
    assert_eq!(event["actor"]["kind"], "hub");
    assert_eq!(event["artifact"]["type"], "step");
    assert_eq!(event["artifact"]["id"], "default/story/a");
    assert_eq!(event["artifact"]["revision"], "1");
    let payload = &event["payload"];
    assert_eq!(payload["generation"], 1);
    assert!(
        payload["peer"]
            .as_str()
            .expect("a peer")
            .starts_with("127.0.0.1:")
    );

    let mut newer = Connection::open(hub.grpc).await;
    let with = [("current-step-id", "a"), ("connector-generation", "2")];
    let newcomer = newer.process_with(&with).await.accepted().await;
    let (listener, event) = listener.wait("step.superseded").await;
    assert_eq!(event["payload"]["peer"], payload["peer"]);
    assert_ne!(event["payload"]["newcomer"], payload["peer"]);
    assert_eq!(event["payload"]["generation"], 2);

    drop((a, newcomer, connection, newer));
    let (_, event) = listener.wait("step.disconnected").await;
    assert_eq!(event["artifact"]["id"], "default/story/a");
}

#[tokio::test]
async fn a_run_is_told_to_be_ready_when_all_its_engrams_are_there() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut streams = Vec::new();
    for step in ["src", "a", "b"] {
        streams.push(connection.process(step).await.accepted().await);
    }
    let (_, event) = listener.wait("run.ready").await;
    assert_eq!(event["artifact"]["path"], "/api/v1/runs/default/story");
    assert_eq!(event["payload"]["story"], "story");
}

#[tokio::test]
async fn whoever_asks_for_a_step_that_is_not_there_is_told_of() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut lost = connection.process("sorce").await;
    assert_eq!(lost.ended().await.0, 14);
    let (_, event) = listener.wait("step.unknown").await;
    assert_eq!(event["payload"]["step"], "sorce");
    let detail = event["payload"]["detail"].as_str().expect("a detail");
    assert!(detail.contains("known: src, a, b"), "{detail}");
}

#[tokio::test]
async fn two_clients_that_fight_for_a_step_are_both_named() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut connection = Connection::open(hub.grpc).await;
        streams.push(connection.process("a").await.accepted().await);
    }
    let mut connection = Connection::open(hub.grpc).await;
    assert_eq!(connection.process("a").await.ended().await.0, 14);
    let (_, event) = listener.wait("step.duel").await;
    let peer = |key: &str| event["payload"][key].as_str().expect("a peer").to_owned();
    assert!(peer("present").starts_with("127.0.0.1:"));
    assert!(peer("newcomer").starts_with("127.0.0.1:"));
    assert_ne!(peer("present"), peer("newcomer"));
}

#[tokio::test]
async fn drops_are_told_by_edge_and_reason_in_one_event() {
    let story = FAN_OUT.replace(
        "transportRef: grpc",
        "transportRef: grpc, streaming: { backpressure: { buffer: { maxMessages: 1 } } }",
    );
    let hub = Hub::with(config(), &story);
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    let mut a = connection.process("a").await.accepted().await;
    for _ in 0..3 {
        src.send_packet("x", 10);
        a.label().await;
    }
    let (_, event) = listener.wait("drop.burst").await;
    assert_eq!(event["artifact"]["id"], "default/story/src->b");
    assert_eq!(event["payload"]["reason"], "lane_full");
    let told = event["payload"]["packets"].as_u64().expect("a count");
    assert!((1..=2).contains(&told), "{event}");
}

#[tokio::test]
async fn a_producer_that_waits_is_told_with_the_culprit_and_so_is_its_end() {
    let story = FAN_OUT.replace("transportRef: grpc", "transportRef: grpc, streaming: { delivery: { semantics: at_least_once }, backpressure: { buffer: { maxMessages: 2 } } }");
    let hub = Hub::with(config(), &story);
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    let mut a = connection.process("a").await.accepted().await;
    for _ in 0..5 {
        src.send_packet("x", 10);
    }
    let (listener, event) = listener.wait("producer.paused").await;
    assert_eq!(event["payload"]["from"], "src");
    let culprit = event["payload"]["culprit"]
        .as_str()
        .expect("a culprit")
        .to_owned();
    let mut b = connection.process("b").await.accepted().await;
    for number in 1..=5 {
        a.label().await;
        b.label().await;
        a.send_ack(number);
        b.send_ack(number);
    }
    let (_, event) = listener.wait("producer.resumed").await;
    assert_eq!(event["payload"]["from"], "src");
    let resumed = event["payload"]["culprit"].as_str().expect("a culprit");
    assert!(["a", "b"].contains(&resumed) && ["a", "b"].contains(&&*culprit));
}

#[tokio::test]
async fn dead_letters_are_told_one_by_one_and_a_flood_of_them_by_count() {
    const PACKETS: u64 = 200;
    let story = FAN_OUT.replace("transportRef: grpc", "transportRef: grpc, streaming: { delivery: { semantics: at_least_once, overflow: dead_letter }, backpressure: { buffer: { maxMessages: 1 } } }");
    let hub = Hub::with(config(), &story);
    let mut listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for _ in 0..PACKETS {
        src.send_packet("x", 10);
    }
    // One waits at each of a and b; the others end.
    let (mut letters, mut events) = (0, 0);
    while letters < 2 * (PACKETS - 1) {
        let (rest, event) = listener.wait("packet.dead_letter").await;
        listener = rest;
        let payload = &event["payload"];
        assert_eq!(payload["reason"], "lane_full");
        letters += payload["packets"].as_u64().expect("a count");
        events += 1;
        if payload["packets"] == 1 {
            let stream = payload["streamId"].as_str().expect("a stream");
            assert!(stream.starts_with("default/story/"), "{stream}");
        }
    }
    assert_eq!(letters, 2 * (PACKETS - 1));
    assert!(events < letters / 2, "{events}");
}

#[tokio::test]
async fn the_drain_is_told_to_those_who_listen() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let drained = tokio::task::spawn_blocking(move || hub.drain());
    let (_, event) = listener.wait("hub.draining").await;
    assert_eq!(event["payload"]["deadlineSeconds"], 30.0);
    assert!(drained.await.expect("drained").in_time);
}

#[tokio::test]
async fn what_a_drain_gives_up_is_told_before_the_end() {
    let hub = Hub::start();
    let listener = Listener::open(&hub);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for _ in 0..3 {
        src.send_packet("x", 10);
    }
    hub.wait_for_metric("hub_queue_packets", &["to=\"b\""], 3.0)
        .await;
    drop((connection, src));
    let drained = tokio::task::spawn_blocking(move || hub.drain());
    let (_, event) = listener.wait("drop.burst").await;
    assert_eq!(event["payload"]["reason"], "shutdown");
    assert_eq!(event["payload"]["packets"], 3);
    assert_eq!(drained.await.expect("drained").abandoned, 6);
}

#[tokio::test]
async fn events_are_counted_by_type() {
    let hub = Hub::start();
    hub.wait_for_metric("hub_events_total", &["type=\"run.created\""], 1.0)
        .await;
    let mut connection = Connection::open(hub.grpc).await;
    let _a = connection.process("a").await.accepted().await;
    hub.wait_for_metric("hub_events_total", &["type=\"step.connected\""], 1.0)
        .await;
}

#[test]
fn more_listeners_than_there_are_places_for_are_refused_until_one_leaves() {
    let hub = Hub::start();
    let mut listeners: Vec<_> = (0..64).map(|_| Listener::open(&hub)).collect();
    let (status, body) = hub.get("/api/v1/events");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("64 listen already"), "{body}");
    listeners.pop();
}
