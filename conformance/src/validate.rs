//! `validate.jsonl`: what the SDK says of a message, on its own and when it is sent.
//!
//! `testkit_error`, the verdict of the SDK's stricter test helper, is that of the test
//! kit's `check_message`; it is left out where it is that of `validate`.

use std::path::Path;

use engram::testkit::check_message;
use engram::wire::encode;
use serde::Deserialize;
use serde_json::Value;
use transport_proto::view::Dialect;

use crate::report::{FileError, Report};
use crate::{errors, lines, messages};

#[derive(Deserialize)]
struct Line {
    id: String,
    message: Value,
    ok: bool,
    error: Option<String>,
    send_error: Option<String>,
    testkit_error: Option<String>,
}

/// Tries every case of the files.
///
/// # Errors
/// [`FileError`] where a file or one of its lines cannot be read.
pub fn check(paths: &[impl AsRef<Path>]) -> Result<Report, FileError> {
    let mut report = Report::default();
    for path in paths {
        lines::read(path.as_ref(), |line: Line| {
            if line.ok == line.error.is_some() {
                return Err("needs an error exactly where it is not ok".to_owned());
            }
            let differences = line.differences()?;
            report.add(line.id, differences);
            Ok(())
        })?;
    }
    Ok(report)
}

impl Line {
    fn differences(&self) -> Result<Vec<String>, String> {
        let message = messages::read(&self.message)?;
        let mut differences = Vec::new();
        let verdict = message.validate().err().map(|error| error.to_string());
        errors::compare("validate", self.error.as_deref(), verdict, &mut differences);
        let sent = encode(&message, Dialect::Connector).err();
        let expected = self.error.as_deref().or(self.send_error.as_deref());
        let sent = sent.map(|error| error.to_string());
        errors::compare("send", expected, sent, &mut differences);
        let strict = check_message(&message).err().map(|error| error.to_string());
        let expected = self.testkit_error.as_deref().or(self.error.as_deref());
        errors::compare("testkit", expected, strict, &mut differences);
        Ok(differences)
    }
}
