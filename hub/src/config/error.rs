//! What is wrong with a configuration, and where.

use std::fmt;

/// Exit status of the process for a configuration that cannot be used (spec 11).
pub const EXIT_CONFIG: u8 = 64;

/// A configuration that cannot be used; lists every problem found. The operator's fault: no
/// retry helps. The process ends with [`EXIT_CONFIG`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one, in order of the sources.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// The process's exit status: [`EXIT_CONFIG`].
    pub fn exit_code(&self) -> u8 {
        EXIT_CONFIG
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it was said: `FILE:LINE`, the name of an environment variable, `--set`, or a flag.
    pub origin: String,
    /// The key, `section.key`; empty where the source as a whole is broken.
    pub key: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.origin, self.text)
        } else {
            write!(f, "{}: {}: {}", self.origin, self.key, self.text)
        }
    }
}
