//! Paths to texts: folders are walked, files are read.
//!
//! Owns: which files count and how large they may be. Never does: parse them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::Report;
use super::{Place, Problem};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// Deepest folder below one that was named.
const MAX_FOLDERS: usize = 32;

/// One text and the name that messages give it.
pub(super) struct Text {
    pub(super) name: Arc<str>,
    pub(super) yaml: String,
}

/// Reads files and folders in order, folders sorted by name; each file once. What cannot be
/// read is reported.
pub(super) fn read(paths: &[PathBuf], report: &mut Report) -> Vec<Text> {
    let mut walk = Walk {
        seen: HashSet::new(),
        files: Vec::new(),
        report,
    };
    for path in paths {
        walk.named(path);
    }
    let files = walk.files;
    let mut texts = Vec::new();
    for path in files {
        match text_of(&path) {
            Ok(yaml) => texts.push(Text {
                name: name_of(&path),
                yaml,
            }),
            Err((line, text)) => report.problems.push(problem(&path, line, text)),
        }
    }
    texts
}

struct Walk<'a> {
    /// Canonical paths, so that no file counts twice and no link leads in circles.
    seen: HashSet<PathBuf>,
    files: Vec<PathBuf>,
    report: &'a mut Report,
}

impl Walk<'_> {
    /// A path from the command line: a file whatever its name, or a folder.
    fn named(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let problems = self.report.problems.len();
                if !self.folder(path, 0) && self.report.problems.len() == problems {
                    let text = "there is no *.yaml or *.yml file in this folder";
                    self.fail(path, text.to_owned());
                }
            }
            Ok(_) => self.file(path),
            Err(error) => self.fail(path, unreadable(&error)),
        }
    }

    fn fail(&mut self, path: &Path, text: String) {
        self.report.problems.push(problem(path, 1, text));
    }

    fn file(&mut self, path: &Path) {
        if self.first_time(path) {
            self.files.push(path.to_owned());
        }
    }

    fn first_time(&mut self, path: &Path) -> bool {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.seen.insert(canonical)
    }

    /// Whether there is any file for us. Hidden entries are left out: a mounted ConfigMap holds
    /// each file twice more behind them.
    fn folder(&mut self, path: &Path, depth: usize) -> bool {
        if !self.first_time(path) {
            return true;
        }
        if depth > MAX_FOLDERS {
            self.fail(path, format!("folders go deeper than {MAX_FOLDERS}"));
            return false;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.fail(path, unreadable(&error));
                return false;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut found = false;
        for path in paths.iter().filter(|path| !hidden(path)) {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => found |= self.folder(path, depth + 1),
                Ok(metadata) if metadata.is_file() && is_yaml(path) => {
                    found = true;
                    self.file(path);
                }
                Err(error) if is_yaml(path) => self.fail(path, unreadable(&error)),
                Ok(_) | Err(_) => {}
            }
        }
        found
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The text of a file, or the line and the reason why there is none.
fn text_of(path: &Path) -> Result<String, (u32, String)> {
    let failed = |error: io::Error| (1, unreadable(&error));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err((1, format!("is larger than {} MiB", MAX_FILE >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let newlines = error.as_bytes().iter().take(valid);
        let line = 1 + newlines.filter(|byte| **byte == b'\n').count();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        (line, format!("line {line}: is not UTF-8 text"))
    })
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn name_of(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

fn problem(path: &Path, line: u32, text: String) -> Problem {
    Problem {
        place: Place {
            file: name_of(path),
            line,
            path: "(file)".to_owned(),
        },
        text,
    }
}
