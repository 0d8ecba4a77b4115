//! The program itself with a hub of its own: from the command line to the exit code, and no process
//! left behind however it ends.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(60);

fn loadtest(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command
        .args(line.split_whitespace())
        // A generator that is killed cannot remove its scratch files.
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .env_remove("TARGET_HOST")
        .env_remove("MESSAGE_RATE");
    command
}

fn output(line: &str) -> Output {
    loadtest(line).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Waits for a condition; a process that never changes fails the test.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Starts a long run and waits until its traffic shows.
fn long_run() -> (Child, u32) {
    let mut child = loadtest("run --rate 100 --duration 300s --output json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.map_while(Result::ok).next().unwrap();
    assert!(first.contains("msg/s"), "{first}");
    let hub = child_of(child.id()).unwrap();
    (child, hub)
}

/// The hub that a generator has started.
fn child_of(parent: u32) -> Option<u32> {
    let tasks = format!("/proc/{parent}/task");
    std::fs::read_dir(tasks).ok()?.find_map(|task| {
        let children = std::fs::read_to_string(task.ok()?.path().join("children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    })
}

fn is_gone(pid: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    status.map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn a_finite_load_passes_and_every_form_of_the_report_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let (file, page) = (folder.path().join("a.json"), folder.path().join("a.html"));
    let line = format!(
        "run --saturate --messages 2000 --fan-out 3 --output json --json {} --report {}",
        file.display(),
        page.display()
    );
    let output = output(&line);
    let report = json(&output);
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["verdict"]["passed"], true);
    assert_eq!(report["throughput"]["delivered"], 6000);
    assert!(report["hub"]["max_rss_bytes"].as_u64().unwrap() > 0);
    assert!(
        report["hub_drops"].is_object(),
        "the hub's counters were read"
    );
    let written: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(written, report);
    assert!(std::fs::read_to_string(page).unwrap().contains("Passed"));
    let hub = report["target"]["pid"].as_u64().unwrap() as u32;
    assert!(is_gone(hub));
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_the_load_and_its_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("new/a.json");
    // The page's place is a folder: refused, though the other could be written.
    let line = format!(
        "run --duration 300s --json {} --report {}",
        inside.display(),
        folder.path().display()
    );
    let refused = output(&line);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("--report: cannot write"), "{said}");
    assert!(!said.contains("msg/s") && !inside.exists(), "{said}");
    let line = format!("run --saturate --messages 10 --json {}", inside.display());
    assert!(output(&line).status.success());
    assert!(inside.exists());
}

#[test]
fn what_is_missing_or_makes_no_sense_is_refused_before_anything_starts() {
    for (line, code, word) in [
        ("run --messages 0", 2, "0 is not in 1"),
        ("run --accept-pause", 64, "at_least_once"),
        ("run --producers 100000000", 64, "100000 at most"),
        ("run --size 8", 64, "8 bytes of audio have no room"),
    ] {
        let refused = output(line);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(word), "{line}: {said}");
    }
}

#[test]
fn ctrl_c_ends_a_run_with_its_report_and_its_hub() {
    let (child, hub) = long_run();
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let report = json(&output);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["verdict"]["passed"], true, "{:#}", report["verdict"]);
    assert!(output.status.success());
    assert!(is_gone(hub));
}

#[test]
fn a_generator_that_is_killed_leaves_no_hub_behind() {
    let (mut child, hub) = long_run();
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    wait_for("the end of the hub", || is_gone(hub));
}

#[test]
fn a_hub_that_dies_fails_the_run_and_says_how_it_died() {
    let (child, hub) = long_run();
    kill_process(
        Pid::from_raw(hub.try_into().unwrap()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    wait_for("the end of the hub", || is_gone(hub));
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let reasons = json(&output)["verdict"]["reasons"].to_string();
    assert!(reasons.contains("the hub ended with"), "{reasons}");
}

#[test]
fn a_hub_that_is_killed_on_purpose_is_found_again() {
    let output =
        output("run --rate 200 --warmup 0s --duration 2s --kill-every 600ms --quiet --output json");
    let report = json(&output);
    assert!(output.status.success(), "{:#}", report["verdict"]);
    assert!(report["hub_kills"].as_u64().unwrap() >= 1);
    assert!(report["connect"]["reopened"].as_u64().unwrap() >= 2);
}

#[test]
fn a_guaranteed_load_survives_cuts_of_both_ends_and_kills_of_the_hub() {
    let line = "run --semantics at_least_once --rate 1000 --producers 3 --fan-out 2 --consumers 4 \
                --warmup 0s --duration 2s --cut-every 60ms --kill-every 700ms --quiet --output json";
    let output = output(line);
    let report = json(&output);
    assert!(output.status.success(), "{:#}", report["verdict"]);
    assert_eq!(report["throughput"]["delivered"], 12_000);
    let guarantee = &report["at_least_once"];
    assert_eq!(guarantee["acknowledged"], 6_000);
    assert_eq!(guarantee["unacknowledged"], 0);
    assert!(report["connect"]["cuts"].as_u64().unwrap() >= 10);
    assert!(guarantee["resent"].as_u64().unwrap() > 0, "{guarantee:#}");
    assert!(guarantee["redelivered"].as_u64().unwrap() > 0);
    assert!(guarantee["first_packet_us"]["count"].as_u64().unwrap() > 0);
}

#[test]
fn a_slow_consumer_holds_its_producers_up_and_loses_nothing() {
    for flags in ["", "--accept-pause"] {
        let line = format!(
            "run --semantics at_least_once --rate 2000 --slow-consumer 400 {flags} \
             --size 8KiB --warmup 0s --duration 2s --quiet --output json"
        );
        let output = output(&line);
        let report = json(&output);
        assert!(output.status.success(), "{:#}", report["verdict"]);
        let guarantee = &report["at_least_once"];
        assert_eq!(guarantee["held_up_producers"], 1, "{guarantee:#}");
        assert!(guarantee["held_up_seconds"].as_f64().unwrap() > 0.1);
        let pauses = guarantee["pauses"].as_u64().unwrap();
        assert_eq!(pauses > 0, !flags.is_empty(), "{guarantee:#}");
        assert_eq!(report["limit"]["by"], "consumer");
    }
}

#[test]
fn a_target_where_nothing_listens_says_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let output = output(&format!("run --target {address}"));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("is the hub running there?"), "{text}");
}

#[test]
fn exit_codes_tell_usage_from_scenario() {
    assert_eq!(output("run --no-such-flag").status.code(), Some(2));
    assert_eq!(output("run --rate 1 --saturate").status.code(), Some(2));
    assert_eq!(output("run --size 20").status.code(), Some(64));
    assert_eq!(output("run --help").status.code(), Some(0));
}

#[test]
fn the_printed_story_is_what_a_target_must_run() {
    let output = output("run --print-story --run calls --producers 2 --fan-out 2");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    assert!(text.contains("name: calls, namespace: default"), "{text}");
    assert_eq!(text.matches("needs: [load-p").count(), 4);
}
