//! `hub check`: says what is wrong with Stories without running them (spec 11 'Elsewhere').
//!
//! Owns: what is printed. Never does: judge; `story` does.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::story::{
    self, Expression, LoadOptions, Loaded, Place, Problems, Snapshot, Story, Warning, attributes,
};

/// Exit status if nothing is wrong.
const OK: u8 = 0;
/// Exit status if something is.
const FINDINGS: u8 = 1;

/// Checks Stories: prints their edges, warnings and notes, or what is wrong and where.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  hub check story.yaml
  hub check deploy/stories --output json

Prints one edge a line (a -> b), what each expression reads (`reads: step b if:
packet.metadata.lang`), then lines `warning: ...` and `note: ...`, each with the place that it
is about. What is wrong is printed as FILE:LINE: PATH: text.
Exit status: 0 nothing is wrong, 1 something is, 2 usage.")]
pub struct CheckArgs {
    /// Files or folders of Stories (folders recursively, *.yaml and *.yml).
    #[arg(required = true, value_name = "STORY")]
    pub stories: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// Runs the check and returns the process's exit status: 0 ok, 1 findings. Settings of the
/// process are the defaults: no recording folder.
///
/// # Errors
/// Only those of writing to `out`.
pub fn run(args: &CheckArgs, out: &mut impl Write) -> io::Result<u8> {
    let result = story::load(&args.stories, &LoadOptions::default());
    match args.output {
        Output::Human => human(&result, out)?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, &document(&result))?;
            writeln!(out)?;
        }
    }
    Ok(if result.is_ok() { OK } else { FINDINGS })
}

fn human(result: &Result<Loaded, Problems>, out: &mut impl Write) -> io::Result<()> {
    let loaded = match result {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems.list {
                writeln!(out, "{problem}")?;
            }
            for warning in &problems.warnings {
                writeln!(out, "warning: {warning}")?;
            }
            return Ok(());
        }
    };
    let headings = loaded.snapshot.stories.len() > 1;
    for story in &loaded.snapshot.stories {
        if headings {
            writeln!(out, "{}", heading(story, &loaded.snapshot))?;
        }
        for (from, to) in edges(story) {
            writeln!(out, "{from} -> {to}")?;
        }
        for Expression {
            whose,
            field,
            reads,
            ..
        } in expressions(story)
        {
            let read = attributes(&reads);
            let read = if read.is_empty() {
                "nothing".to_owned()
            } else {
                read.join(", ")
            };
            writeln!(out, "reads: {whose} {field}: {read}")?;
        }
    }
    for warning in &loaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    for note in &loaded.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// `story default/a (run default/a)`
fn heading(story: &Arc<Story>, snapshot: &Snapshot) -> String {
    let runs = runs_of(story, snapshot);
    format!(
        "story {}/{} (run {})",
        story.namespace,
        story.name,
        runs.join(", ")
    )
}

/// `namespace/name` of the Story's runs.
fn runs_of(story: &Arc<Story>, snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .runs
        .iter()
        .filter(|run| Arc::ptr_eq(&run.story, story))
        .map(|run| format!("{}/{}", run.namespace, run.name))
        .collect()
}

/// Ids of the two ends of each edge.
fn edges(story: &Story) -> impl Iterator<Item = (&str, &str)> {
    story.edges.iter().filter_map(|edge| {
        let id = |i: usize| story.steps.get(i).map(|step| step.id.as_str());
        Some((id(edge.from)?, id(edge.to)?))
    })
}

/// The Story's expressions, those of rules that several steps share told once.
fn expressions(story: &Story) -> Vec<Expression> {
    let mut told = HashSet::new();
    let mut all = story.expressions();
    all.retain(|expression| {
        let Place { file, line, path } = &expression.place;
        told.insert((file.clone(), *line, path.clone()))
    });
    all
}

fn document(result: &Result<Loaded, Problems>) -> Value {
    let warning = |warning: &Warning| finding(&warning.place, &warning.text);
    match result {
        Ok(loaded) => {
            let notes = loaded.notes.iter();
            let stories = loaded.snapshot.stories.iter();
            json!({
                "ok": true,
                "stories": stories.map(|s| story_json(s, &loaded.snapshot)).collect::<Vec<_>>(),
                "problems": [],
                "warnings": loaded.warnings.iter().map(warning).collect::<Vec<_>>(),
                "notes": notes.map(|note| finding(&note.place, &note.text)).collect::<Vec<_>>(),
            })
        }
        Err(problems) => {
            let list = problems.list.iter();
            json!({
                "ok": false,
                "stories": [],
                "problems": list.map(|p| finding(&p.place, &p.text)).collect::<Vec<_>>(),
                "warnings": problems.warnings.iter().map(warning).collect::<Vec<_>>(),
                "notes": [],
            })
        }
    }
}

fn finding(place: &Place, text: &str) -> Value {
    json!({
        "file": place.file.as_ref(),
        "line": place.line,
        "path": place.path,
        "text": text,
    })
}

fn story_json(story: &Arc<Story>, snapshot: &Snapshot) -> Value {
    let steps = story.steps.iter().map(|step| step.id.as_str());
    let edges = edges(story).map(|(from, to)| json!({ "from": from, "to": to }));
    json!({
        "namespace": story.namespace,
        "name": story.name,
        "routed": story.routed,
        "runnable": story.unsupported().is_empty(),
        "runs": runs_of(story, snapshot),
        "steps": steps.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "expressions": expressions(story).iter().map(expression_json).collect::<Vec<_>>(),
    })
}

fn expression_json(expression: &Expression) -> Value {
    json!({
        "of": expression.whose,
        "field": expression.field,
        "file": expression.place.file.as_ref(),
        "line": expression.place.line,
        "path": expression.place.path,
        "reads": attributes(&expression.reads),
    })
}
