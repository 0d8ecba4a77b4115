//! The scripts of the repository explain themselves, and refuse what they do not know, before
//! they build or start anything.
#![allow(missing_docs, reason = "tests")]

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// All that people call by name; `.ci/run` takes nothing.
const SCRIPTS: &[&str] = &[
    "scripts/bench-peers",
    "scripts/fuzz",
    "scripts/goals",
    "scripts/instructions",
    "scripts/verify",
    "interop/run",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a script from another folder than the root, with a `cargo` and a `go` that build nothing.
fn run(script: &str, argument: &str) -> io::Result<Output> {
    let folder = tempfile::tempdir()?;
    for name in ["cargo", "go"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho it builds >&2\nexit 99\n")?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    }
    let path = std::env::var("PATH").map_err(io::Error::other)?;
    Command::new(root().join(script))
        .arg(argument)
        .current_dir(root().join("hub"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()
}

#[test]
fn every_script_explains_itself_without_building() {
    for script in SCRIPTS {
        for flag in ["--help", "-h"] {
            let output = run(script, flag).unwrap();
            let shown = String::from_utf8(output.stdout).unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{script} {flag}: {errors}");
            assert!(errors.is_empty(), "{script} {flag}: {errors}");
            let named = shown.lines().any(|line| line.trim().starts_with(script));
            assert!(named && !shown.contains("#!"), "{script} {flag}: {shown}");
        }
    }
}

#[test]
fn a_flag_that_a_script_does_not_know_is_named_without_building() {
    // What it does not know itself, the driver of the peers is asked for.
    for script in SCRIPTS.iter().filter(|s| !s.ends_with("bench-peers")) {
        let output = run(script, "--nonsense").unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{script}: {errors}");
        let wanted = format!("no such flag: --nonsense (see {script} --help)");
        assert_eq!(errors.trim(), wanted);
    }
}
