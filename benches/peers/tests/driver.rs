//! The driver of the comparison refuses what it cannot measure before it starts anything.
#![allow(missing_docs, reason = "tests")]

use std::io;
use std::process::Command;

/// Exit status and standard error of the driver, in a folder where there are no programs.
fn driver(line: &str) -> io::Result<(Option<i32>, String)> {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-peers"))
        .args(["--folder", "/nowhere"])
        .args(line.split_whitespace())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    Ok((output.status.code(), text.into_owned()))
}

#[test]
fn what_cannot_be_measured_is_refused_with_what_there_is() {
    for (line, code, words) in [
        ("--load nothing", 1, "there are 1-1 80 B, 1-1 640 B"),
        ("--program nobody", 1, "there are TCP relay, HTTP/2 relay"),
        ("--json /nowhere/x.json", 1, "cannot write /nowhere/x.json"),
        ("--measured 0s", 2, "longer than nothing"),
        ("--frame 0", 2, "at least 1"),
        ("--window 0", 2, "0 is not in 1"),
    ] {
        let (status, said) = driver(line).unwrap();
        assert_eq!(status, Some(code), "{line}: {said}");
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[test]
fn a_window_beyond_a_hubs_default_queue_is_taken() {
    // It gets as far as to the programs, which are not there.
    let (status, said) = driver("--window 1024 --rounds 1").unwrap();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("cannot start /nowhere/tcp-relay"), "{said}");
}
