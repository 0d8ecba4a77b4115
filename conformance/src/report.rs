//! What came of a vector file.

use std::path::PathBuf;

/// A file that cannot be judged: a fault of the file or of how it was named.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no vector of this kind.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// It has no line at all: nothing was tried.
    #[error("{}: no vectors", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Cases that were tried.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases without a difference.
    pub passed: usize,
    /// Cases with differences: their id and what differs.
    pub failed: Vec<(String, Vec<String>)>,
}

impl Report {
    /// Adds one case.
    pub fn add(&mut self, id: String, differences: Vec<String>) {
        if differences.is_empty() {
            self.passed += 1;
        } else {
            self.failed.push((id, differences));
        }
    }

    /// Adds the cases of another report.
    pub fn append(&mut self, mut other: Self) {
        self.passed += other.passed;
        self.failed.append(&mut other.failed);
    }
}
