//! The relays as processes: what goes in comes out, at every consumer, and they end when asked.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use loadtest::drive::{Observer, RunOptions, run};
use loadtest::report::{Report, Sample};
use loadtest::wire::{GrpcWire, Wire};
use peers::load::{Load, Timing};
use peers::program::{Program, Programs};
use peers::wire::{NatsWire, TcpWire};
use tokio::sync::watch;

const MESSAGES: u64 = 300;

struct Unwatched;

impl Observer for Unwatched {
    fn sample(&mut self, _sample: &Sample) {}
}

fn programs(nats: Option<PathBuf>) -> Programs {
    let relay = Path::new(env!("CARGO_BIN_EXE_tcp-relay"));
    Programs {
        folder: relay.parent().unwrap().to_owned(),
        nats,
    }
}

/// Two producers with three consumers each, a fixed number of messages.
fn relayed<W: Wire>(program: Program, programs: &Programs, wire: fn(&str) -> W) -> Report {
    let mut load = Load::all(16).remove(2);
    (load.producers, load.fan_out) = (2, 3);
    let scenario = load.scenario(Timing {
        warmup: Duration::ZERO,
        measured: Duration::from_secs(60),
    });
    let running = programs.start(program, &scenario).unwrap();
    let target = running.target();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_never, stop) = watch::channel(false);
    let options = RunOptions {
        messages: Some(MESSAGES),
        ..RunOptions::new(stop)
    };
    let address = target.address.clone();
    let wire = move || wire(&address);
    let mut watch = Unwatched;
    let report = run(&scenario, &options, &target, wire, &mut watch);
    runtime.block_on(report).unwrap()
}

fn assert_sound(report: &Report) {
    assert!(report.verdict.passed, "{:?}", report.verdict.reasons);
    assert_eq!(report.throughput.delivered, MESSAGES * 2 * 3);
}

#[test]
fn the_tcp_relay_delivers_every_message_to_every_consumer() {
    assert_sound(&relayed(Program::Tcp, &programs(None), TcpWire::new));
}

#[test]
fn the_http2_relay_delivers_every_message_to_every_consumer() {
    let wire = |address: &str| GrpcWire::new(address, 1);
    assert_sound(&relayed(Program::Http2, &programs(None), wire));
}

#[test]
fn the_tonic_relay_delivers_every_message_to_every_consumer() {
    let wire = |address: &str| GrpcWire::new(address, 1);
    assert_sound(&relayed(Program::Tonic, &programs(None), wire));
}

#[test]
fn nats_delivers_every_message_to_every_consumer_where_it_is_installed() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("nats-server"))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no nats-server on the PATH");
        return;
    }
    assert_sound(&relayed(Program::Nats, &programs(found), NatsWire::new));
}

#[test]
fn a_relay_is_gone_when_its_value_is() {
    let scenario = Load::all(16).remove(0).scenario(Timing {
        warmup: Duration::ZERO,
        measured: Duration::from_secs(1),
    });
    let running = programs(None).start(Program::Tcp, &scenario).unwrap();
    let pid = running.target().pid.unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    drop(running);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
