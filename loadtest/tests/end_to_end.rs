//! The generator against a relay that misbehaves on purpose: each fault must be caught, and a
//! faithful relay must pass.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

mod relay;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use loadtest::drive::{Observer, RunError, RunOptions, Target, run};
use loadtest::report::{Report, Sample};
use loadtest::scenario::{Scenario, Topology};
use loadtest::wire::GrpcWire;
use relay::{Act, Relay, Rule};
use tokio::sync::watch;

#[derive(Clone, Default)]
struct Samples(Arc<Mutex<Vec<Sample>>>);

impl Observer for Samples {
    fn sample(&mut self, sample: &Sample) {
        self.0.lock().unwrap().push(sample.clone());
    }
}

/// A finite, saturated load: it ends when its messages are through, not after a time.
fn counted(flow: &str) -> Scenario {
    let text = format!(
        "duration = \"60s\"\nwarmup = \"0s\"\n[[flow]]\nkind = \"audio\"\nsize = 640\npace = {{ window = 32 }}\n{flow}"
    );
    Scenario::from_toml("test", &text).unwrap()
}

struct Case {
    scenario: Scenario,
    messages: Option<u64>,
    /// Streams on one connection.
    shared: usize,
    ask_admin: bool,
}

impl Case {
    fn new(flow: &str) -> Case {
        Case {
            scenario: counted(flow),
            messages: Some(300),
            shared: 1,
            ask_admin: true,
        }
    }

    fn run(&self, rule: Rule) -> Report {
        let topology = Topology::of(&self.scenario);
        let relay = Relay::start(&topology, rule);
        self.against(&relay).unwrap()
    }

    fn against(&self, relay: &Relay) -> Result<Report, RunError> {
        let (_stop, stopped) = watch::channel(false);
        let options = RunOptions {
            messages: self.messages,
            sample_every: Duration::from_millis(100),
            ..RunOptions::new(stopped)
        };
        let target = Target {
            address: relay.address.to_string(),
            admin: self.ask_admin.then(|| relay.admin.to_string()),
            ..Target::default()
        };
        let (address, shared) = (target.address.clone(), self.shared);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let wire = move || GrpcWire::new(&address, shared);
        runtime.block_on(run(
            &self.scenario,
            &options,
            &target,
            wire,
            &mut Samples::default(),
        ))
    }
}

fn faithful(_: u64, _: &str) -> Act {
    Act::Forward
}

fn count(report: &Report, fault: &str) -> u64 {
    report.faults[fault].count
}

#[test]
fn a_faithful_relay_passes_with_every_message_accounted_for() {
    let report = Case::new("").run(faithful);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(
        (report.throughput.sent, report.throughput.delivered),
        (300, 300)
    );
    assert_eq!(report.latency_us.count, 300);
    assert_eq!(report.connect.opened, 2);
}

#[test]
fn every_kind_and_size_passes() {
    for flow in [
        "name = \"tiny\"\nkind = \"audio\"\nsize = 40",
        "name = \"video\"\nkind = \"video\"\nsize = 3000\nkey_every = 10\nkey_size = 90000",
        "name = \"large\"\nkind = \"binary\"\nsize = \"2MiB\"",
        "name = \"text\"\nkind = \"json\"\nsize = 500",
    ] {
        let text = format!(
            "duration = \"60s\"\nwarmup = \"0s\"\n[[flow]]\npace = {{ window = 4 }}\n{flow}"
        );
        let case = Case {
            scenario: Scenario::from_toml("test", &text).unwrap(),
            messages: Some(21),
            shared: 1,
            ask_admin: true,
        };
        let report = case.run(faithful);
        assert!(report.verdict.passed, "{flow}: {:?}", report.verdict);
        assert_eq!(report.throughput.delivered, 21, "{flow}");
    }
}

#[test]
fn fan_out_and_fan_in_are_accounted_per_edge() {
    let report = Case::new("producers = 3\nfan_out = 2\nconsumers = 4").run(faithful);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.delivered, 3 * 2 * 300);
}

#[test]
fn streams_may_share_a_connection() {
    let mut case = Case::new("producers = 5");
    case.shared = 100;
    let report = case.run(faithful);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.delivered, 5 * 300);
}

#[test]
fn a_lost_message_is_caught_and_named() {
    let report = Case::new("").run(|n, _| if n == 17 { Act::Lose } else { Act::Forward });
    assert!(!report.verdict.passed);
    assert_eq!(count(&report, "lost"), 1);
    let first = report.faults["lost"].first.as_ref().unwrap();
    assert_eq!(first.sequence, Some(17));
    assert_eq!(
        (first.from.as_str(), first.to.as_str()),
        ("load/load-p0", "load/load-c0")
    );
}

#[test]
fn a_lost_tail_is_caught_though_nothing_comes_after_it() {
    let report = Case::new("").run(|n, _| if n >= 290 { Act::Lose } else { Act::Forward });
    assert_eq!(count(&report, "lost"), 10);
    assert_eq!(
        report.faults["lost"].first.as_ref().unwrap().sequence,
        Some(290)
    );
}

#[test]
fn a_message_that_the_hub_counts_as_dropped_is_a_drop_and_passes() {
    let rule: Rule = |n, _| {
        if n % 100 == 5 {
            Act::Drop
        } else {
            Act::Forward
        }
    };
    let report = Case::new("").run(rule);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!((report.dropped, count(&report, "lost")), (3, 0));
    assert_eq!(report.hub_drops.unwrap()["lane_full"], 3);
}

#[test]
fn a_drop_that_nobody_can_ask_about_is_a_loss() {
    let mut case = Case::new("");
    case.ask_admin = false;
    let report = case.run(|n, _| if n == 5 { Act::Drop } else { Act::Forward });
    assert!(!report.verdict.passed);
    assert!(report.verdict.reasons[0].contains("--admin"));
}

#[test]
fn a_duplicate_is_caught() {
    let report = Case::new("").run(|n, _| if n == 40 { Act::Twice } else { Act::Forward });
    assert!(!report.verdict.passed);
    assert_eq!(count(&report, "duplicated"), 1);
    assert_eq!(
        report.faults["duplicated"].first.as_ref().unwrap().sequence,
        Some(40)
    );
    assert_eq!(count(&report, "lost"), 0);
}

#[test]
fn two_swapped_messages_are_caught() {
    let report = Case::new("").run(|n, _| if n == 40 { Act::Swap } else { Act::Forward });
    assert_eq!(count(&report, "reordered"), 1);
    assert_eq!(
        report.faults["reordered"].first.as_ref().unwrap().sequence,
        Some(40)
    );
    assert_eq!(count(&report, "lost"), 0);
}

#[test]
fn a_flipped_bit_is_caught() {
    let report = Case::new("").run(|n, _| if n == 40 { Act::Flip } else { Act::Forward });
    assert!(!report.verdict.passed);
    assert_eq!(count(&report, "corrupted"), 1);
    let detail = &report.faults["corrupted"].first.as_ref().unwrap().detail;
    assert!(detail.contains("checksum"), "{detail}");
}

#[test]
fn a_message_for_another_consumer_is_caught() {
    let rule: Rule = |n, to| match (n, to) {
        (9, "load-c0") => Act::Everywhere,
        _ => Act::Forward,
    };
    let report = Case::new("producers = 2").run(rule);
    assert!(!report.verdict.passed);
    assert_eq!(count(&report, "misrouted"), 1);
}

#[test]
fn a_stream_that_the_hub_ends_fails_the_run_with_its_status() {
    let report = Case::new("").run(|n, _| if n == 50 { Act::End } else { Act::Forward });
    assert!(!report.verdict.passed);
    assert_eq!(report.stream_failures, 1);
    let reasons = report.verdict.reasons.join(";");
    assert!(reasons.contains("status 10: replaced"), "{reasons}");
}

#[test]
fn one_edge_that_loses_does_not_stop_the_others() {
    let rule: Rule = |n, to| match to {
        "load-c1" if n % 10 == 0 => Act::Lose,
        _ => Act::Forward,
    };
    let report = Case::new("producers = 2\nfan_out = 2").run(rule);
    assert_eq!(count(&report, "lost"), 30);
    assert_eq!(report.throughput.delivered, 2 * 2 * 300 - 30);
}

#[test]
fn an_unknown_run_is_refused_with_the_relays_words() {
    let case = Case::new("");
    let mut other = counted("");
    other.name = "other".into();
    let relay = Relay::start(&Topology::of(&other), faithful);
    let error = case.against(&relay).unwrap_err().to_string();
    assert!(
        error.contains("status 14: run is not known here"),
        "{error}"
    );
}

#[test]
fn an_address_where_nothing_listens_says_what_to_do() {
    let case = Case::new("");
    let mut relay = Relay::start(&Topology::of(&case.scenario), faithful);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    relay.address = free.local_addr().unwrap();
    drop(free);
    let error = case.against(&relay).unwrap_err().to_string();
    assert!(error.contains("is the hub running"), "{error}");
}

#[test]
fn an_open_loop_run_sends_what_its_schedule_says() {
    let text = "duration = \"500ms\"\nwarmup = \"0s\"\n[[flow]]\nkind = \"audio\"\nsize = 80\npace = { rate = 200.0 }";
    let mut case = Case::new("");
    case.scenario = Scenario::from_toml("test", text).unwrap();
    case.messages = None;
    let report = case.run(faithful);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(
        (report.throughput.sent, report.throughput.delivered),
        (100, 100)
    );
    assert_eq!(report.latency_from, "intended_send");
    assert_eq!(report.latency_us.count, 100);
}

#[test]
fn a_storm_loses_nothing_on_streams_that_were_not_cut() {
    let text = "duration = \"900ms\"\nwarmup = \"0s\"\nstorm = { every = \"200ms\", fraction = 0.3 }\n[[flow]]\nkind = \"audio\"\nsize = 80\nproducers = 10\npace = { rate = 200.0 }";
    let mut case = Case::new("");
    case.scenario = Scenario::from_toml("test", text).unwrap();
    case.messages = None;
    let report = case.run(faithful);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert!(report.connect.reopened > 0, "{:?}", report.connect);
}
