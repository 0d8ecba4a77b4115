//! Where a hub listens, and where it does not.

use crate::process::{Hub, Process, hub, story_file};
use crate::ready::PAIR;

#[test]
fn a_second_hub_on_the_same_port_fails_and_says_which() {
    let first = Hub::serve(PAIR, &[]);
    let (_folder, path) = story_file(PAIR);
    let (grpc, admin) = (first.grpc.to_string(), first.admin.to_string());
    for (flag, other, taken, key) in [
        ("--listen", "--admin", &grpc, "listen.grpc"),
        ("--admin", "--listen", &admin, "listen.admin"),
    ] {
        let ended = hub(&["run", &path, flag, taken, other, "127.0.0.1:0"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        let text = format!("cannot listen on {taken} ({key}): ");
        assert!(ended.stderr.contains(&text), "{}", ended.stderr);
        let way_out = format!("choose another with {flag}");
        assert!(ended.stderr.contains(&way_out), "{}", ended.stderr);
    }
    assert!(first.get("/readyz").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn an_address_that_other_machines_reach_needs_insecure() {
    let (_folder, path) = story_file(PAIR);
    for (flag, other) in [("--listen", "--admin"), ("--admin", "--listen")] {
        let args = ["run", &path, flag, "0.0.0.0:0", other, "127.0.0.1:0"];
        let ended = hub(&args);
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        assert!(ended.stderr.contains("--insecure"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn config_check_warns_of_what_run_refuses_or_takes_no_notice_of() {
    let sets = [
        "--set",
        "listen.grpc=0.0.0.0:0",
        "--set",
        "runs.auto_create=true",
    ];
    let ended = hub(&[&["config", "check"], &sets[..]].concat());
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(0), "configuration ok\n")
    );
    assert!(ended.stderr.contains("--insecure"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("runs.auto_create has no effect"),
        "{}",
        ended.stderr
    );
}

#[test]
fn with_insecure_it_serves_there() {
    let (_folder, path) = story_file(PAIR);
    let args = [
        "run",
        &path,
        "--listen",
        "0.0.0.0:0",
        "--admin",
        "127.0.0.1:0",
        "--insecure",
    ];
    let process = Process::start(&args);
    let ready = process.line().expect("a ready line");
    assert!(ready.starts_with("ready grpc=0.0.0.0:"), "{ready}");
    process.signal("TERM");
    assert_eq!(process.end().code, Some(0));
}
