//! The subscriber `jsonl`: one line an event, appended to a file (spec 10).
//!
//! Owns nothing between two events: the file is opened for each, so that it can be moved away or
//! removed at any time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Mode of a file that is made.
const MODE: u32 = 0o644;

/// Appends lines to one file.
#[derive(Debug)]
pub(super) struct Jsonl {
    path: PathBuf,
}

impl Jsonl {
    /// Appends to `path`; a relative one is settled now, whatever the working folder is later.
    pub(super) fn new(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path }
    }

    /// `jsonl:<absolute path>`
    pub(super) fn name(&self) -> String {
        format!("jsonl:{}", self.path.display())
    }

    /// Appends `line` and its end in one write; makes the file and its folders where missing.
    ///
    /// # Errors
    /// What the operating system says; the next event tries again.
    pub(super) fn append(&self, line: &str) -> io::Result<()> {
        let mut file = match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = self.path.parent() {
                    fs::create_dir_all(folder)?;
                }
                self.open()?
            }
            opened => opened?,
        };
        file.write_all(format!("{line}\n").as_bytes())
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(MODE)
            .open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_are_appended_and_folders_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/events.jsonl");
        let jsonl = Jsonl::new(&path);
        jsonl.append("1").unwrap();
        jsonl.append("2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        // The process's umask may take bits away, never add any.
        assert_eq!(mode & 0o777 & !MODE, 0);
        assert_eq!(jsonl.name(), format!("jsonl:{}", path.display()));
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let jsonl = Jsonl::new(&path);
        jsonl.append("1").unwrap();
        fs::rename(&path, folder.path().join("events.1")).unwrap();
        jsonl.append("2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let jsonl = Jsonl::new(folder.path());
        assert!(jsonl.append("1").is_err());
    }
}
