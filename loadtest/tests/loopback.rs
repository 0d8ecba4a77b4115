//! A transport of our own making: payloads, windows, checks and figures work without knowing it.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

use std::cell::RefCell;
use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use loadtest::drive::{Observer, RunOptions, Target, run};
use loadtest::report::{Report, Sample};
use loadtest::scenario::{Scenario, StepName};
use loadtest::wire::{Deframe, OpenError, Peer, Role, Sink, Source, StreamError, Wire};
use tokio::sync::{mpsc, watch};

/// Hands messages from producers to consumers of the same thread, framed by a line of text.
#[derive(Default)]
struct Loopback {
    listeners: RefCell<HashMap<StepName, Vec<mpsc::UnboundedSender<Bytes>>>>,
}

struct LoopSink(Vec<mpsc::UnboundedSender<Bytes>>);
struct LoopSource(Option<mpsc::UnboundedReceiver<Bytes>>);
struct Lines;

impl Wire for Loopback {
    type Sink = LoopSink;
    type Source = LoopSource;
    type Deframe = Lines;

    async fn open(&self, peer: &Peer) -> Result<(LoopSink, LoopSource), OpenError> {
        let mut listeners = self.listeners.borrow_mut();
        if peer.role == Role::Consumer {
            let (send, receive) = mpsc::unbounded_channel();
            for upstream in &peer.upstream {
                listeners
                    .entry(upstream.clone())
                    .or_default()
                    .push(send.clone());
            }
            return Ok((LoopSink(Vec::new()), LoopSource(Some(receive))));
        }
        let targets = listeners.get(&peer.name).cloned().unwrap_or_default();
        Ok((LoopSink(targets), LoopSource(None)))
    }

    fn framing(&self, peer: &Peer, len: usize) -> (Vec<u8>, Vec<u8>) {
        let line = format!("MSG {} {len}\r\n", peer.name.step);
        (line.into_bytes(), b"\r\n".to_vec())
    }

    fn deframe(&self) -> Lines {
        Lines
    }
}

impl Sink for LoopSink {
    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        batch: &mut Bytes,
    ) -> Poll<Result<(), StreamError>> {
        let batch = std::mem::take(batch);
        for target in &self.0 {
            let _ = target.send(batch.clone());
        }
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self) {}

    fn sever(&mut self) {}
}

impl Source for LoopSource {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        match &mut self.0 {
            Some(receive) => receive.poll_recv(cx).map(|chunk| chunk.map(Ok)),
            None => Poll::Pending,
        }
    }

    fn sever(&mut self) {}
}

impl Deframe for Lines {
    fn push(&mut self, chunk: Bytes, mut each: impl FnMut(&[u8])) -> Result<(), StreamError> {
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
            let line = std::str::from_utf8(&rest[..end]).unwrap();
            let len: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
            each(&rest[end + 2..end + 2 + len]);
            rest = &rest[end + 4 + len..];
        }
        Ok(())
    }
}

struct Quiet;

impl Observer for Quiet {
    fn sample(&mut self, _: &Sample) {}
}

fn report(flow: &str, messages: Option<u64>) -> Report {
    let text = format!(
        "duration = \"400ms\"\nwarmup = \"0s\"\n[[flow]]\nkind = \"audio\"\nsize = 640\n{flow}"
    );
    let scenario = Scenario::from_toml("test", &text).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let options = RunOptions {
        messages,
        drain: Duration::from_secs(30),
        ..RunOptions::new(stopped)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let target = Target::default();
    runtime
        .block_on(run(
            &scenario,
            &options,
            &target,
            Loopback::default,
            &mut Quiet,
        ))
        .unwrap()
}

#[test]
fn a_window_is_kept_full_and_every_message_is_accounted_for() {
    let report = report("fan_out = 4\npace = { window = 16 }", Some(5_000));
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.delivered, 20_000);
    assert_eq!(report.generator.stalls, 0);
}

#[test]
fn a_schedule_is_kept_whatever_the_transport() {
    let report = report("producers = 3\npace = { rate = 250.0 }", None);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.sent, 300);
    assert_eq!(report.latency_us.count, 300);
}
