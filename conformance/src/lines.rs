//! Vector files: one JSON object a line.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::report::FileError;

/// Calls `each` with every line of a file, in order. Blank lines are passed over.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    mut each: impl FnMut(T) -> Result<(), String>,
) -> Result<(), FileError> {
    let text = std::fs::read_to_string(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut lines = 0;
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        lines += 1;
        serde_json::from_str(line)
            .map_err(|error| error.to_string())
            .and_then(&mut each)
            .map_err(|reason| FileError::Line {
                path: path.to_owned(),
                line: i + 1,
                reason,
            })?;
    }
    if lines == 0 {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(())
}
