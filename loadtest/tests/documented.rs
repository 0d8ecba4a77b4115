//! The README names every field of the JSON report and every flag, and nothing that is not there.
#![allow(clippy::unwrap_used)] // a test that cannot go on shall stop

use std::collections::BTreeSet;
use std::time::Duration;

use clap::CommandFactory;
use loadtest::measure::Percentiles;
use loadtest::report::{FaultReport, GuaranteeReport, HubReport, Report, Sample};
use loadtest::scenario::{Cut, Shape, Slow};
use loadtest::verify::Example;
use serde_json::Value;

const README: &str = include_str!("../README.md");

/// A report in which every optional part is there.
fn full() -> Report {
    let example = Example {
        from: String::new(),
        to: String::new(),
        sequence: Some(1),
        at_seconds: Some(1.0),
        detail: String::new(),
    };
    let fault = FaultReport {
        count: 1,
        first: Some(example),
    };
    let mut scenario = Shape::Storm.scenario();
    scenario.accept_pause = true;
    scenario.cut = Some(Cut {
        every: Duration::from_secs(1),
        seed: 1,
    });
    scenario.slow = Some(Slow {
        rate: 1.0,
        consumers: 1,
    });
    Report {
        scenario,
        at_least_once: Some(GuaranteeReport::default()),
        faults: [("lost".to_owned(), fault)].into(),
        hub: Some(HubReport::default()),
        latency_us: Percentiles::default(),
        timeline: vec![Sample::default()],
        ..Report::default()
    }
}

fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key.clone());
                fields(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, found)),
        _ => {}
    }
}

#[test]
fn the_readme_names_every_field_of_the_report() {
    let mut found = BTreeSet::new();
    fields(&serde_json::to_value(full()).unwrap(), &mut found);
    for field in found {
        let named = [
            format!("`{field}`"),
            format!("`{field} "),
            format!(".{field}`"),
        ];
        let named = named.iter().any(|form| README.contains(form));
        assert!(named, "the README does not name `{field}`");
    }
}

#[test]
fn the_readme_names_every_flag_of_run_and_no_other() {
    let command = loadtest::cli::Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let flags: BTreeSet<String> = run
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(|long| format!("--{long}"))
        .collect();
    for flag in &flags {
        assert!(
            README.contains(&format!("`{flag}")),
            "the README does not name {flag}"
        );
    }
    let others = [
        "--streams",
        "--tolerance",
        "--fail-on-worse",
        "--release",
        "--help",
    ];
    let words = README.split(|c: char| c.is_whitespace() || "`,;.()|[]=".contains(c));
    for word in words.filter(|word| word.starts_with("--") && word.len() > 3) {
        assert!(
            flags.contains(word) || others.contains(&word),
            "{word} is no flag"
        );
    }
}
