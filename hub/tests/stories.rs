//! The Story files of the conformance suite obey their headers (conformance/stories/README.md).

#![allow(clippy::unwrap_used)] // helpers of tests unwrap like tests

#[path = "stories/check.rs"]
mod check;
#[path = "stories/documents.rs"]
mod documents;
#[path = "stories/expressions.rs"]
mod expressions;
#[path = "stories/files.rs"]
mod files;
#[path = "stories/graph.rs"]
mod graph;
#[path = "stories/media.rs"]
mod media;
#[path = "stories/not_yet.rs"]
mod not_yet;
#[path = "stories/primitives.rs"]
mod primitives;
#[path = "stories/run_documents.rs"]
mod run_documents;
#[path = "stories/settings.rs"]
mod settings;
#[path = "stories/step_references.rs"]
mod step_references;
#[path = "stories/story.rs"]
mod story;
#[path = "stories/types.rs"]
mod types;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hub::story::{LoadOptions, Loaded, Problems, load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The header of a file: `key: value` of the comment lines at its top.
struct Header(Vec<(String, String)>);

impl Header {
    fn of(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let comments = text.lines().map_while(|line| line.strip_prefix("# "));
        let pairs = comments.filter_map(|line| line.split_once(": "));
        Self(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Every file of a folder of the suite, with its name.
fn suite(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = root().join("conformance/stories").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                path,
            )
        })
        .collect();
    files.sort();
    assert!(files.len() > 5);
    files
}

fn load_file(path: &Path) -> Result<Loaded, Problems> {
    load(&[path.to_owned()], &LoadOptions::default())
}

#[test]
fn every_file_of_loads_has_the_edges_and_warnings_of_its_header() {
    for (name, path) in suite("loads") {
        let header = Header::of(&path);
        let loaded = load_file(&path).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let [story] = loaded.snapshot.stories.as_slice() else {
            panic!("{name}: more than one Story");
        };
        let edges: BTreeSet<String> = story
            .edges
            .iter()
            .map(|e| format!("{}->{}", story.steps[e.from].id, story.steps[e.to].id))
            .collect();
        let expected = header.get("edges").unwrap().split_whitespace();
        assert_eq!(edges, expected.map(str::to_owned).collect(), "{name}");
        let shown: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        match header.get("warns") {
            Some(word) => {
                assert!(shown.iter().any(|w| w.contains(word)), "{name}: {shown:?}");
            }
            None => assert_eq!(shown, [""; 0], "{name}"),
        }
    }
}

#[test]
fn every_file_of_refused_names_path_line_and_word_of_its_header() {
    for (name, path) in suite("refused") {
        let header = Header::of(&path);
        let error = header.get("error").unwrap();
        let problems = load_file(&path).expect_err(&name);
        let [problem] = problems.list.as_slice() else {
            panic!("{name}: not one problem: {problems}");
        };
        assert_eq!(problem.place.path, error, "{name}: {problem}");
        if let Some(line) = header.get("line") {
            assert_eq!(problem.place.line.to_string(), line, "{name}: {problem}");
        }
        let says = header.get("says").unwrap();
        assert!(problem.text.contains(says), "{name}: {problem}");
        let shown = problem.to_string();
        let start = format!("{}:{}: {error}: ", path.display(), problem.place.line);
        assert!(shown.starts_with(&start), "{shown}");
    }
}
