//! Over `HubService.Process` of the real hub, on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use engram::link::{Process, Registration};
use engram::{
    ControlHandler, ExecutionContext, Retries, RunError, Runtime, Stats, StreamMessage, Tunables,
};
use hub::app::{Running, start};
use hub::config::Config;
use hub::story::{LoadOptions, load_str};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::proxy::Proxy;
use crate::scene::{Echo, Scripted, label, labelled, within};

/// A source, an echo after it, a sink after that; `STREAMING` stands for settings.
const CHAIN: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc, streaming: { STREAMING } }]
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: echo, ref: { name: echo }, transport: t, needs: [src] }
    - { name: sink, ref: { name: sink }, transport: t, needs: [echo] }
";
const AT_LEAST_ONCE: &str = "delivery: { semantics: at_least_once, replay: { mode: memory } }";

fn hub(grpc: SocketAddr, streaming: &str) -> Running {
    let story = CHAIN.replace("STREAMING", streaming);
    let mut config = Config::default();
    config.listen.grpc = grpc;
    config.listen.admin = free();
    config.events.subscribers.clear();
    config.refusal.delay_max = Duration::from_millis(1);
    let loaded = load_str("story.yaml", &story, &LoadOptions::default()).expect("story loads");
    start(config, &loaded).expect("the hub starts")
}

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What an engram of a step runs on: it tries again at once and for ever.
fn runtime(endpoint: SocketAddr, step: &str, generation: u32) -> Runtime<Process> {
    let registration = Registration {
        endpoint: endpoint.to_string(),
        namespace: "default".to_owned(),
        run: "story".to_owned(),
        step: step.to_owned(),
        generation,
    };
    let context = ExecutionContext {
        tunables: Tunables {
            retries: Retries::Unlimited,
            backoff_base: Duration::from_millis(5),
            backoff_max: Duration::from_millis(50),
            ..Tunables::default()
        },
        ..ExecutionContext::default()
    };
    Runtime::over(Process::new(registration, Duration::from_secs(5)), context)
}

type Run = JoinHandle<Result<Stats, RunError>>;

/// Tells the labels that it gets.
fn spawn_sink(endpoint: SocketAddr) -> (Run, mpsc::UnboundedReceiver<String>) {
    let (seen, sight) = mpsc::unbounded_channel();
    let engram = Scripted::once(seen, |seen, mut inbound, _| async move {
        while let Some(message) = inbound.next().await {
            seen.send(label(&message))?;
            message.done();
        }
        Ok(())
    });
    (
        tokio::spawn(runtime(endpoint, "sink", 1).stream::<(), _>(engram)),
        sight,
    )
}

/// Sends numbers, from 1, and ends when all are settled.
fn spawn_source(endpoint: SocketAddr, count: u32) -> Run {
    let engram = Scripted::new(move |_, _, outbound| async move {
        for number in 1..=count {
            outbound.send(&numbered(number)).await?;
        }
        outbound.flush().await?;
        Ok(())
    });
    tokio::spawn(runtime(endpoint, "src", 1).stream::<(), _>(engram))
}

fn numbered(number: u32) -> StreamMessage {
    labelled(&number.to_string())
        .with_payload(format!("{{\"number\":{number}}}"))
        .with_message_id(format!("m{number}"))
}

fn numbers(count: u32) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

async fn take(sight: &mut mpsc::UnboundedReceiver<String>, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(within(sight.recv()).await.expect("the sink runs"));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_through_the_hub_whole_and_in_order() {
    let hub = hub(free(), AT_LEAST_ONCE);
    let at = hub.grpc_addr();
    let (_sink, mut sight) = spawn_sink(at);
    let _echo = tokio::spawn(runtime(at, "echo", 1).stream::<(), _>(Echo));
    let source = spawn_source(at, 500);
    assert_eq!(take(&mut sight, 500).await, numbers(500));
    let stats = within(source)
        .await
        .expect("no panic")
        .expect("a clean end");
    assert_eq!((stats.sent, stats.settled, stats.resent), (500, 500, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_nothing_and_show_nothing_twice() {
    const COUNT: u32 = 3000;
    let hub = hub(free(), AT_LEAST_ONCE);
    let proxy = Proxy::start(hub.grpc_addr()).await;
    let (sink, mut sight) = spawn_sink(proxy.addr());
    let _echo = tokio::spawn(runtime(proxy.addr(), "echo", 1).stream::<(), _>(Echo));
    let source = spawn_source(proxy.addr(), COUNT);
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.extend(take(&mut sight, 200).await);
        proxy.cut();
    }
    seen.extend(take(&mut sight, COUNT as usize - seen.len()).await);
    assert_eq!(seen, numbers(COUNT));
    let stats = within(source)
        .await
        .expect("no panic")
        .expect("a clean end");
    assert_eq!(stats.settled, u64::from(COUNT));
    assert!(stats.connections > 1, "{stats:?}");
    assert!(sight.try_recv().is_err(), "something was shown twice");
    sink.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_hub_that_comes_back_loses_nothing() {
    const COUNT: u32 = 2000;
    let first = hub(free(), AT_LEAST_ONCE);
    let at = first.grpc_addr();
    let (_sink, mut sight) = spawn_sink(at);
    let _echo = tokio::spawn(runtime(at, "echo", 1).stream::<(), _>(Echo));
    let source = spawn_source(at, COUNT);
    let mut seen = take(&mut sight, 300).await;
    let drained = tokio::task::spawn_blocking(move || first.drain());
    within(drained).await.expect("no panic");
    let _second = hub(at, AT_LEAST_ONCE);
    // A hub without disk forgets its numbers: what it had passed on may come again.
    let expected = numbers(COUNT);
    let mut next = seen.len();
    assert_eq!(seen[..], expected[..next]);
    while next < expected.len() {
        let label = take(&mut sight, 1).await.remove(0);
        if label == expected[next] {
            next += 1;
        } else {
            let number: usize = label.parse().expect("a number");
            assert!(number <= next, "{number} came before {}", next + 1);
        }
        seen.push(label);
    }
    let stats = within(source)
        .await
        .expect("no panic")
        .expect("a clean end");
    assert_eq!(stats.settled, u64::from(COUNT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_sink_holds_the_source_up_and_nothing_is_lost() {
    let settings = format!(
        "{AT_LEAST_ONCE}, backpressure: {{ buffer: {{ maxMessages: 8 }} }}, \
         flowControl: {{ mode: credits, initialCredits: {{ messages: 4 }} }}"
    );
    let hub = hub(free(), &settings);
    let at = hub.grpc_addr();
    let (go, mut gate) = mpsc::unbounded_channel::<()>();
    let (seen, mut sight) = mpsc::unbounded_channel();
    let engram = Scripted::once(seen, |seen, mut inbound, _| async move {
        while let Some(message) = inbound.next().await {
            if gate.recv().await.is_none() {
                break;
            }
            seen.send(label(&message))?;
            message.done();
        }
        Ok(())
    });
    let _sink = tokio::spawn(runtime(at, "sink", 1).stream::<(), _>(engram));
    let _echo = tokio::spawn(runtime(at, "echo", 1).stream::<(), _>(Echo));
    let source = spawn_source(at, 200);
    for number in 1..=200_u32 {
        go.send(()).expect("the sink runs");
        assert_eq!(take(&mut sight, 1).await, [number.to_string()]);
    }
    let stats = within(source)
        .await
        .expect("no panic")
        .expect("a clean end");
    assert_eq!(stats.settled, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_of_what_was_done_does_not_use_up_the_hubs_grant() {
    const COUNT: u32 = 40;
    let settings = format!(
        "{AT_LEAST_ONCE}, flowControl: {{ mode: credits, initialCredits: {{ messages: 4 }} }}"
    );
    let hub = hub(free(), &settings);
    let proxy = Proxy::start(hub.grpc_addr()).await;
    let (cut, is_cut) = tokio::sync::oneshot::channel::<()>();
    let (seen, mut sight) = mpsc::unbounded_channel();
    let engram = Scripted::once(seen, |seen, mut inbound, _| async move {
        // As long as the first is in work, nothing is acked: all of them come again.
        let first = inbound.next().await.ok_or("the first")?;
        seen.send(label(&first))?;
        for _ in 0..12 {
            let message = inbound.next().await.ok_or("one more")?;
            seen.send(label(&message))?;
            message.done();
        }
        is_cut.await?;
        first.done();
        while let Some(message) = inbound.next().await {
            seen.send(label(&message))?;
            message.done();
        }
        Ok(())
    });
    let _sink = tokio::spawn(runtime(proxy.addr(), "sink", 1).stream::<(), _>(engram));
    let _echo = tokio::spawn(runtime(hub.grpc_addr(), "echo", 1).stream::<(), _>(Echo));
    let _source = spawn_source(hub.grpc_addr(), COUNT);
    let mut shown = take(&mut sight, 13).await;
    proxy.cut();
    cut.send(()).expect("the sink waits");
    shown.extend(take(&mut sight, COUNT as usize - 13).await);
    assert_eq!(shown, numbers(COUNT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_reaches_the_other_engrams() {
    let hub = hub(free(), AT_LEAST_ONCE);
    let at = hub.grpc_addr();
    let (told, mut directives) = mpsc::unbounded_channel();
    let handler = ControlHandler::new(move |directive| {
        let told = told.clone();
        async move {
            told.send(directive)?;
            Ok(None)
        }
    });
    let engram = Scripted::waiting().with_handler(handler);
    let _sink = tokio::spawn(runtime(at, "sink", 1).stream::<(), _>(engram));
    let source = Scripted::new(|context, _, outbound| async move {
        let mut turn = 1;
        // Until the sink has registered, nobody is told.
        while tokio::time::timeout(Duration::from_millis(20), context.stopping())
            .await
            .is_err()
        {
            outbound.interrupt(turn);
            turn += 1;
        }
        Ok(())
    });
    let source = tokio::spawn(runtime(at, "src", 1).stream::<(), _>(source));
    let directive = within(directives.recv()).await.expect("the sink runs");
    assert!(directive.is("interrupt"), "{directive:?}");
    assert!(directive.metadata["turn"].parse::<u64>().is_ok());
    source.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engram_that_was_superseded_ends() {
    let hub = hub(free(), AT_LEAST_ONCE);
    let at = hub.grpc_addr();
    let (up, mut is_up) = mpsc::unbounded_channel();
    let announce = |up: mpsc::UnboundedSender<()>| {
        Scripted::once(up, |up, mut inbound, _| async move {
            while let Some(message) = inbound.next().await {
                up.send(())?;
                message.done();
            }
            Ok(())
        })
    };
    let old = tokio::spawn(runtime(at, "echo", 1).stream::<(), _>(announce(up.clone())));
    let _source = spawn_source(at, 1);
    within(is_up.recv())
        .await
        .expect("the old one is registered");
    let _new = tokio::spawn(runtime(at, "echo", 2).stream::<(), _>(announce(up)));
    let error = within(old)
        .await
        .expect("no panic")
        .expect_err("superseded");
    assert!(
        matches!(&error, RunError::Refused(ended) if ended.code == 7),
        "{error}"
    );
}
