//! Engrams against a hub in memory: what a connection's end, a pause, a handler and a
//! stop mean to them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::scene::{Echo, Scripted, label, labelled, within};
use engram::link::Ended;
use engram::testkit::MemoryHub;
use engram::{
    Bounds, ControlDirective, ControlHandler, ExecutionContext, Kind, Retries, RunError, Runtime,
    SendError, StreamMessage, StructuredError, Tunables,
};

#[tokio::test]
async fn an_echo_answers_and_receipts() {
    let mut hub = MemoryHub::start();
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    for text in ["a", "b", "c"] {
        let sequence = hub.send(&labelled(text));
        assert_eq!(label(&within(hub.next()).await.expect("an answer")), text);
        within(hub.receipted(sequence)).await;
    }
    hub.stop();
    let stats = within(run).await.expect("no panic").expect("a clean end");
    assert_eq!((stats.received, stats.sent, stats.settled), (3, 3, 3));
}

#[tokio::test]
async fn nothing_is_lost_or_shown_twice_over_many_connections() {
    for hub in [MemoryHub::start(), MemoryHub::start_process()] {
        survives_cuts(hub).await;
    }
}

async fn survives_cuts(mut hub: MemoryHub) {
    const MESSAGES: u64 = 600;
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let mut answers = Vec::new();
    for number in 1..=MESSAGES {
        hub.send(&labelled(&number.to_string()));
        if number % 40 == 0 {
            hub.cut();
        }
        if number % 7 == 0 {
            answers.push(within(hub.next()).await.expect("an answer"));
        }
    }
    while answers.len() < MESSAGES as usize {
        answers.push(within(hub.next()).await.expect("an answer"));
    }
    let labels: Vec<String> = answers.iter().map(label).collect();
    let expected: Vec<String> = (1..=MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(labels, expected);
    within(hub.receipted(MESSAGES)).await;
    hub.stop();
    let stats = within(run).await.expect("no panic").expect("a clean end");
    assert!(stats.connections > 1, "{stats:?}");
    assert_eq!(hub.receipts(), (1..=MESSAGES).collect::<BTreeSet<u64>>());
    assert!(hub.try_next().is_none(), "an answer came twice");
}

#[tokio::test]
async fn what_was_never_settled_is_sent_again_on_the_next_connection() {
    let mut hub = MemoryHub::start();
    hub.hold_acks(true);
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    hub.send(&labelled("a"));
    within(hub.next()).await.expect("an answer");
    hub.cut();
    hub.send(&labelled("b"));
    assert_eq!(label(&within(hub.next()).await.expect("an answer")), "b");
    hub.hold_acks(false);
    hub.stop();
    let stats = within(run).await.expect("no panic").expect("a clean end");
    assert_eq!((stats.resent, stats.settled), (1, 2));
}

#[tokio::test]
async fn a_stop_waits_for_what_was_sent_to_be_settled() {
    let mut hub = MemoryHub::start();
    hub.hold_acks(true);
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let sequence = hub.send(&labelled("a"));
    within(hub.next()).await.expect("an answer");
    within(hub.receipted(sequence)).await;
    hub.stop();
    tokio::task::yield_now().await;
    assert!(!run.is_finished(), "what was sent is not settled");
    hub.hold_acks(false);
    let stats = within(run).await.expect("no panic").expect("a clean end");
    assert_eq!(stats.settled, 1);
}

#[tokio::test]
async fn a_stop_without_an_answer_ends_at_its_deadline() {
    let mut hub = MemoryHub::start();
    hub.hold_acks(true);
    let runtime = hub.runtime().with_drain(Duration::from_millis(20));
    let run = tokio::spawn(runtime.stream::<(), _>(Echo));
    hub.send(&labelled("a"));
    within(hub.next()).await.expect("an answer");
    hub.stop();
    let stats = within(run).await.expect("no panic").expect("an end");
    assert_eq!(stats.settled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_without_a_hub_ends_at_its_deadline_however_often_it_is_tried() {
    let context = ExecutionContext {
        tunables: Tunables {
            retries: Retries::Unlimited,
            backoff_max: Duration::from_secs(1),
            ..Tunables::default()
        },
        ..ExecutionContext::default()
    };
    let engram = Scripted::new(|_, _, outbound| async move {
        outbound.send(&labelled("a")).await?;
        Ok(())
    });
    let runtime = Runtime::over(crate::scene::Nowhere, context).with_drain(Duration::from_secs(5));
    let stats = within(runtime.stream::<(), _>(engram)).await;
    assert_eq!(stats.expect("an end").settled, 0);
}

#[tokio::test]
async fn a_draining_hub_is_left_once_only_settlement_is_missing() {
    let mut hub = MemoryHub::start();
    hub.hold_acks(true);
    let engram = Scripted::new(|_, mut inbound, outbound| async move {
        while let Some(message) = inbound.next().await {
            outbound.send(&message.forward()).await?;
            message.done_once_settled();
        }
        Ok(())
    });
    let run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    let sequence = hub.send(&labelled("a"));
    within(hub.next()).await.expect("an answer");
    assert!(hub.receipts().is_empty());
    within(hub.next_directive()).await.expect("connected");
    hub.direct(ControlDirective::new("handoff.draining"));
    let answer = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(answer.metadata["reason"], "handoff");
    let again = within(hub.next_directive()).await.expect("connected again");
    assert_eq!(again.metadata["reason"], "startup");
    hub.hold_acks(false);
    within(hub.receipted(sequence)).await;
    hub.stop();
    let stats = within(run).await.expect("no panic").expect("a clean end");
    assert_eq!((stats.connections, stats.resent, stats.received), (2, 1, 1));
}

#[tokio::test]
async fn a_paused_engram_sends_nothing_and_still_receipts() {
    let mut hub = MemoryHub::start();
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    hub.send(&labelled("first"));
    within(hub.next()).await.expect("an answer");
    hub.pause(true);
    let sequence = hub.send(&labelled("second"));
    within(hub.receipted(sequence)).await;
    assert!(hub.try_next().is_none());
    hub.pause(false);
    assert_eq!(
        label(&within(hub.next()).await.expect("an answer")),
        "second"
    );
}

#[tokio::test]
async fn done_in_any_order_and_late_is_receipted() {
    let mut hub = MemoryHub::start();
    let engram = Scripted::new(|_, mut inbound, outbound| async move {
        let mut held = Vec::new();
        while held.len() < 3 {
            held.push(inbound.next().await.expect("a message"));
        }
        outbound.send(&labelled("all here")).await?;
        while let Some(message) = held.pop() {
            message.done();
        }
        while inbound.next().await.is_some() {}
        Ok(())
    });
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    for text in ["a", "b", "c"] {
        hub.send(&labelled(text));
    }
    within(hub.next()).await.expect("a word");
    for sequence in 1..=3 {
        within(hub.receipted(sequence)).await;
    }
}

#[tokio::test]
async fn a_message_that_is_let_go_comes_again_with_the_next_connection() {
    let mut hub = MemoryHub::start();
    let engram = Scripted::new(|_, mut inbound, outbound| async move {
        drop(inbound.next().await);
        outbound.send(&labelled("let go")).await?;
        let again = inbound.next().await.expect("it comes again");
        outbound.send(&again.forward()).await?;
        again.done();
        Ok(())
    });
    let run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    let sequence = hub.send(&labelled("a"));
    within(hub.next()).await.expect("a word");
    hub.cut();
    assert_eq!(label(&within(hub.next()).await.expect("an answer")), "a");
    within(hub.receipted(sequence)).await;
    within(run).await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn directives_are_answered_by_default() {
    let mut hub = MemoryHub::start();
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let answer = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(answer.kind, "ack");
    assert_eq!(answer.metadata["reason"], "startup");
    hub.direct(ControlDirective::new("codec-select"));
    let answer = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(answer.metadata["reason"], "no_control_handler");
}

#[tokio::test]
async fn a_handler_answers_in_place_of_the_default() {
    let mut hub = MemoryHub::start();
    let handler = ControlHandler::new(|directive| async move {
        if directive.is("fail") {
            return Err("no".into());
        }
        let answer = ControlDirective::new("mine").with("to", &directive.kind);
        Ok(directive.is("ask").then_some(answer))
    });
    let engram = Scripted::waiting().with_handler(handler);
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    let first = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(
        first.metadata["reason"], "startup",
        "None means the default"
    );
    hub.direct(ControlDirective::new("ask"));
    let answer = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(answer, ControlDirective::new("mine").with("to", "ask"));
    hub.direct(ControlDirective::new("fail"));
    let answer = within(hub.next_directive()).await.expect("an answer");
    assert_eq!(answer, ControlDirective::new("error").with("message", "no"));
}

#[tokio::test]
async fn an_interrupt_reaches_what_waits_in_the_engrams_own_queue() {
    let mut hub = MemoryHub::start();
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let engram = Scripted::once(gate, |gate, mut inbound, outbound| async move {
        gate.await?;
        while let Some(message) = inbound.next().await {
            outbound.send(&message.forward()).await?;
            message.done();
        }
        Ok(())
    });
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    within(hub.next_directive()).await.expect("connected");
    let old = hub.send(&labelled("old").with_metadata("bubu.turn", "1"));
    hub.send(&labelled("new").with_metadata("bubu.turn", "2"));
    hub.direct(ControlDirective::new("interrupt").with("turn", "2"));
    within(hub.receipted(old)).await;
    go.send(()).expect("the engram waits");
    assert_eq!(label(&within(hub.next()).await.expect("an answer")), "new");
}

#[tokio::test]
async fn an_end_for_good_ends_the_run() {
    let mut hub = MemoryHub::start();
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    within(hub.next_directive()).await.expect("connected");
    hub.end(Ended {
        code: 9,
        message: "the run has ended".to_owned(),
    });
    let error = within(run).await.expect("no panic").expect_err("refused");
    assert!(
        matches!(&error, RunError::Refused(ended) if ended.code == 9),
        "{error}"
    );
}

#[tokio::test]
async fn enough_failures_in_a_row_end_the_run() {
    let context = ExecutionContext {
        tunables: Tunables {
            retries: Retries::AtMost(2),
            backoff_base: Duration::from_millis(1),
            ..Tunables::default()
        },
        ..ExecutionContext::default()
    };
    let runtime = Runtime::over(crate::scene::Nowhere, context);
    let error = within(runtime.stream::<(), _>(Echo))
        .await
        .expect_err("nobody there");
    assert!(
        matches!(error, RunError::GaveUp { tries: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn sending_waits_for_room_and_try_send_says_that_there_is_none() {
    let mut hub = MemoryHub::start();
    hub.hold_acks(true);
    let bounds = Bounds {
        messages: 2,
        bytes: 1 << 20,
    };
    let engram = Scripted::new(|_, _, outbound| async move {
        outbound.send(&labelled("a")).await?;
        outbound.send(&labelled("b")).await?;
        assert_eq!(outbound.try_send(&labelled("c")), Err(SendError::Full));
        outbound.send(&labelled("c")).await?;
        outbound.flush().await?;
        Ok(())
    });
    let run = tokio::spawn(hub.runtime().with_bounds(bounds).stream::<(), _>(engram));
    within(hub.next()).await.expect("a");
    within(hub.next()).await.expect("b");
    assert!(hub.try_next().is_none());
    hub.hold_acks(false);
    assert_eq!(label(&within(hub.next()).await.expect("c")), "c");
    within(run).await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_message_that_breaks_a_rule_is_refused_and_the_run_goes_on() {
    let mut hub = MemoryHub::start();
    let engram = Scripted::new(|_, _, outbound| async move {
        let bad = StreamMessage::of_kind(Kind::from("a b"));
        assert!(matches!(
            outbound.send(&bad).await,
            Err(SendError::Message(_))
        ));
        outbound.send(&labelled("good")).await?;
        Ok(())
    });
    let run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    assert_eq!(label(&within(hub.next()).await.expect("a message")), "good");
    within(run).await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn an_engrams_error_ends_the_run_after_what_it_sent() {
    let mut hub = MemoryHub::start();
    let engram = Scripted::new(|_, _, outbound| async move {
        let error = StructuredError::new(StructuredError::EXECUTION, "broken");
        outbound.send(&error.to_message()).await?;
        Err(error.into())
    });
    let run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    let told = within(hub.next()).await.expect("the last message");
    assert_eq!(told.kind, Kind::ERROR);
    let error = within(run).await.expect("no panic").expect_err("broken");
    assert_eq!(error.to_string(), "the engram failed: broken");
}
