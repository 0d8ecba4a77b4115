//! At_least_once loads against a hub that keeps its promises, and against one that breaks a promise:
//! each must be caught.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

mod keeper;

use std::time::Duration;

use keeper::{CONSUMER_BREAKS_AT, Keeper, LAST_RECEIPT, PRODUCER_BREAKS_AT, Twist};
use loadtest::drive::{Observer, RunOptions, Target, run};
use loadtest::report::{GuaranteeReport, Report, Sample};
use loadtest::scenario::{Scenario, Topology};
use loadtest::wire::GrpcWire;
use tokio::sync::watch;

struct Quiet;

impl Observer for Quiet {
    fn sample(&mut self, _: &Sample) {}
}

/// A run against a keeper whose breaks are expected, like those of a hub that restarts.
fn against(twist: Twist, text: &str, messages: Option<u64>) -> Report {
    let text = format!(
        "semantics = \"at_least_once\"\nwarmup = \"0s\"\n{text}\nkind = \"audio\"\nsize = 100"
    );
    let scenario = Scenario::from_toml("test", &text).unwrap();
    let keeper = Keeper::start(&Topology::of(&scenario), twist);
    let (_stop, stopped) = watch::channel(false);
    let patience = if messages.is_some() { 300 } else { 20_000 };
    let options = RunOptions {
        messages,
        reconnect: true,
        // What never comes is waited for so long.
        drain: match twist {
            Twist::Faithful => Duration::from_secs(20),
            _ => Duration::from_millis(patience),
        },
        ..RunOptions::new(stopped)
    };
    let address = keeper.address.to_string();
    let target = Target {
        address: address.clone(),
        ..Target::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let wire = move || GrpcWire::new(&address, 1);
    let mut quiet = Quiet;
    let run = run(&scenario, &options, &target, wire, &mut quiet);
    runtime.block_on(run).unwrap()
}

/// 300 messages per producer, with a window of 64.
fn finite(twist: Twist, flow: &str) -> Report {
    // A window that a broken promise keeps full ends with the time.
    let time = if twist == Twist::Faithful { 30 } else { 2 };
    let text = format!("duration = \"{time}s\"\n[[flow]]\npace = {{ window = 64 }}\n{flow}");
    against(twist, &text, Some(300))
}

fn guarantee(report: &Report) -> &GuaranteeReport {
    report.at_least_once.as_ref().unwrap()
}

/// The only faults are these; the number of the first example.
fn only(report: &Report, fault: &str) -> Option<u64> {
    assert!(!report.verdict.passed);
    for (name, found) in &report.faults {
        assert_eq!(found.count > 0, name == fault, "{:?}", report.faults);
    }
    report.faults[fault].first.as_ref().unwrap().sequence
}

#[test]
fn a_faithful_hub_passes_through_replays_and_resends() {
    let report = finite(Twist::Faithful, "producers = 3\nfan_out = 2\nconsumers = 4");
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.delivered, 3 * 2 * 300);
    let guarantee = guarantee(&report);
    assert_eq!((guarantee.acknowledged, guarantee.unacknowledged), (900, 0));
    assert!(
        guarantee.resent > 0 && guarantee.receipts > 0,
        "{guarantee:?}"
    );
    assert!(guarantee.redelivered >= 4 * (CONSUMER_BREAKS_AT - 1 - LAST_RECEIPT));
    assert_eq!(guarantee.first_packet_us.count, 4);
    assert_eq!(guarantee.ack_us.count, 900);
}

#[test]
fn a_packet_that_is_left_out_of_the_replay_is_lost() {
    let report = finite(Twist::SkipReplayed, "");
    assert_eq!(report.faults["lost"].count, 1);
    let first = report.faults["lost"].first.as_ref().unwrap();
    assert_eq!(first.sequence, Some(CONSUMER_BREAKS_AT - 1));
}

#[test]
fn a_replay_under_new_sequences_is_a_duplicate() {
    let report = finite(Twist::RenumberReplayed, "");
    let first = only(&report, "duplicated").unwrap();
    assert!(first + 1 < CONSUMER_BREAKS_AT, "{first}");
}

#[test]
fn a_resend_that_is_routed_again_is_a_duplicate() {
    let report = finite(Twist::RouteTwice, "");
    let first = only(&report, "duplicated").unwrap();
    assert!(first + 1 < PRODUCER_BREAKS_AT, "{first}");
}

#[test]
fn a_replay_out_of_order_is_caught() {
    let report = finite(Twist::NewestFirst, "");
    assert!(report.faults["reordered"].count > 0, "{:?}", report.faults);
    let detail = &report.faults["reordered"].first.as_ref().unwrap().detail;
    assert!(detail.contains("came"), "{detail}");
}

#[test]
fn an_identity_that_brings_two_messages_is_caught() {
    let report = finite(Twist::ReuseSequence, "");
    let found = &report.faults["misnumbered"];
    assert!(found.count >= 29, "{:?}", report.faults);
    assert_eq!(found.first.as_ref().unwrap().sequence, Some(9));
}

#[test]
fn packets_without_a_sequence_are_caught() {
    let report = finite(Twist::NoSequence, "");
    assert!(report.faults["misnumbered"].count > 0);
    let first = report.faults["misnumbered"].first.as_ref().unwrap();
    assert_eq!(first.detail, "has no sequence");
}

#[test]
fn an_ack_before_every_consumer_has_it_is_caught() {
    let report = finite(Twist::AckEarly, "fan_out = 2");
    assert!(
        report.faults["acked_early"].count > 0,
        "{:?}",
        report.faults
    );
}

#[test]
fn an_ack_for_what_was_never_sent_is_caught() {
    let report = finite(Twist::AckTooFar, "");
    let first = report.faults["acked_early"].first.as_ref().unwrap();
    assert!(first.detail.contains("acknowledged of"), "{}", first.detail);
}

#[test]
fn what_is_never_acknowledged_fails_though_everything_was_delivered() {
    // The window is full at 264, so the rest is never sent and the time ends the run.
    let text = "duration = \"400ms\"\n[[flow]]\npace = { window = 64 }";
    let report = against(Twist::NeverAck, text, Some(10_000));
    assert_eq!(only(&report, "unacknowledged"), Some(200));
    assert_eq!(report.faults["unacknowledged"].count, 64);
    assert_eq!(report.throughput.delivered, 264);
}

#[test]
fn cuts_of_both_ends_lose_nothing_and_repeat_by_their_seed() {
    let text = "duration = \"800ms\"\ncut = { every = \"40ms\", seed = 5 }\n[[flow]]\npace = { rate = 2000.0 }\nproducers = 2\nfan_out = 2\nconsumers = 3";
    let report = against(Twist::Faithful, text, None);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    assert_eq!(report.throughput.delivered, 2 * 2 * 1600);
    assert!(report.connect.cuts >= 4, "{:?}", report.connect);
    let guarantee = guarantee(&report);
    assert!(guarantee.redelivered > 0, "{guarantee:?}");
    assert_eq!(guarantee.unacknowledged, 0);
}

#[test]
fn a_producer_that_is_told_to_pause_is_held_up_until_a_slow_consumer_catches_up() {
    let text = "duration = \"500ms\"\naccept_pause = true\nslow = { rate = 200.0 }\n[[flow]]\npace = { rate = 1000.0 }";
    let report = against(Twist::Faithful, text, None);
    assert!(report.verdict.passed, "{:?}", report.verdict);
    let guarantee = guarantee(&report);
    assert!(guarantee.pauses > 0, "{guarantee:?}");
    assert_eq!(guarantee.held_up_producers, 1);
    assert!(guarantee.held_up_us.count > 0, "{guarantee:?}");
}
