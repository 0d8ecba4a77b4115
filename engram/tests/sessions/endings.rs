//! What the end of a connection, or of the engram, leaves undone: nothing.

use std::time::Duration;

use crate::scene::{Echo, Scripted, label, labelled, within};
use engram::link::{Connection, Ended, Hello, Transport};
use engram::testkit::MemoryHub;
use engram::{ControlDirective, ExecutionContext, Retries, Runtime, SendError, Tunables};
use tokio::sync::{mpsc, oneshot};
use transport_proto::view::Dialect;

#[tokio::test]
async fn what_had_arrived_before_the_end_is_shown() {
    let mut hub = MemoryHub::start();
    let (go, gate) = oneshot::channel::<()>();
    let (seen, mut sight) = mpsc::unbounded_channel();
    let engram = Scripted::once((gate, seen), |(gate, seen), mut inbound, _| async move {
        gate.await?;
        while let Some(message) = inbound.next().await {
            seen.send(label(&message))?;
        }
        Ok(())
    });
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    within(hub.next_directive()).await.expect("connected");
    // As many as wait for an engram; those after them stay in the connection.
    (0..16).for_each(|number: u32| hub.send_best_effort(&labelled(&number.to_string())));
    hub.direct(ControlDirective::new("ask"));
    within(hub.next_directive()).await.expect("an answer");
    (16..20).for_each(|number: u32| hub.send_best_effort(&labelled(&number.to_string())));
    hub.cut();
    within(hub.next_directive()).await.expect("connected again");
    go.send(()).expect("the engram waits");
    for number in 0..20_u32 {
        let label = within(sight.recv()).await.expect("the engram runs");
        assert_eq!(label, number.to_string());
    }
}

#[tokio::test]
async fn an_engram_ends_once_its_last_receipts_are_told() {
    const COUNT: u64 = 40;
    let mut hub = MemoryHub::start();
    let engram = Scripted::new(|_, mut inbound, _| async move {
        let mut held = Vec::new();
        while held.len() < COUNT as usize {
            held.push(inbound.next().await.ok_or("one more")?);
        }
        held.into_iter().for_each(engram::InboundMessage::done);
        Ok(())
    });
    let run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    for number in 0..COUNT {
        hub.send(&labelled(&number.to_string()));
    }
    within(run).await.expect("no panic").expect("a clean end");
    within(hub.receipted(COUNT)).await;
    assert_eq!(hub.receipts().len() as u64, COUNT);
}

#[tokio::test]
async fn a_connection_begins_the_count_of_tries_anew() {
    for mut hub in [MemoryHub::start(), MemoryHub::start_process()] {
        let context = ExecutionContext {
            tunables: Tunables {
                retries: Retries::AtMost(1),
                backoff_base: Duration::from_millis(1),
                ..Tunables::default()
            },
            ..ExecutionContext::default()
        };
        let _run = tokio::spawn(Runtime::over(hub.transport(), context).stream::<(), _>(Echo));
        for text in ["a", "b", "c", "d"] {
            hub.send(&labelled(text));
            assert_eq!(label(&within(hub.next()).await.expect("an answer")), text);
            hub.cut();
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_once_the_run_is_over() {
    let hub = MemoryHub::start();
    let (out, kept) = oneshot::channel();
    let engram = Scripted::once(out, |out, _, outbound| async move {
        out.send(outbound).map_err(|_| "nobody wants it")?;
        Ok(())
    });
    let run = hub.runtime().stream::<(), _>(engram);
    within(run).await.expect("a clean end");
    let outbound = kept.await.expect("the way to the hub");
    assert_eq!(
        outbound.send(&labelled("late")).await,
        Err(SendError::Closed)
    );
}

/// A hub that takes connections and never answers.
struct Silent;

impl Transport for Silent {
    fn dialect(&self) -> Dialect {
        Dialect::Connector
    }

    async fn connect(&mut self, _: &Hello) -> Result<Connection, Ended> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_engram_that_owes_nothing_waits_for_no_hub() {
    let context = ExecutionContext {
        tunables: Tunables {
            dial_timeout: Duration::from_secs(3600),
            ..Tunables::default()
        },
        ..ExecutionContext::default()
    };
    let engram = Scripted::new(|_, _, _| async { Ok(()) });
    let run = Runtime::over(Silent, context).stream::<(), _>(engram);
    within(run).await.expect("a clean end");
}
