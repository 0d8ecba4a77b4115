//! `hub eval`: what is decided for a sample packet and how it is told (`decisions`), and what is
//! wrong with arguments, files and configuration (`arguments`).

mod arguments;
mod decisions;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Ended, hub};

/// A folder with a Story and a sample.
struct Case {
    folder: TempDir,
}

impl Case {
    /// Steps in flow style; what stands before them in `spec` as `spec`.
    fn new(spec: &str, steps: &[&str]) -> Self {
        let mut yaml = format!(
            "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: s }}\nspec:\n  \
             pattern: streaming\n{spec}  steps:\n"
        );
        for step in steps {
            yaml += &format!("    - {{ {step} }}\n");
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("story.yaml"), yaml).expect("a Story");
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// `hub eval` for a packet of `a`; a text is written to a file first.
    fn eval(&self, sample: &str, more: &[&str]) -> Ended {
        fs::write(self.folder.path().join("sample.json"), sample).expect("a sample");
        let (story, packet) = (self.path("story.yaml"), self.path("sample.json"));
        let mut args = vec!["eval", &story, "--step", "a", "--packet", &packet];
        args.extend(more);
        hub(&args)
    }

    /// The only way from `a`, as JSON.
    fn way(&self, sample: &str) -> Value {
        let ended = self.eval(sample, &["--output", "json"]);
        let document: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|_| panic!("{} {}", ended.stdout, ended.stderr));
        assert_eq!(document["edges"].as_array().map(Vec::len), Some(1));
        document["edges"][0].clone()
    }
}

const A: &str = "name: a, ref: { name: a }, needs: []";

fn story_file(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("conformance/stories/loads").join(name);
    path.display().to_string()
}
