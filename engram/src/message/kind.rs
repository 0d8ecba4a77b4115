//! Kinds of messages.

use std::borrow::Cow;
use std::fmt;

/// What a message is. Kinds of one's own are allowed: letters, digits, `.`, `-`, `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// An ordinary message.
    pub const DATA: Self = Self(Cow::Borrowed("data"));
    /// A sign of life; never shown to an engram.
    pub const HEARTBEAT: Self = Self(Cow::Borrowed("heartbeat"));
    /// Nothing; never shown to an engram.
    pub const NOOP: Self = Self(Cow::Borrowed("noop"));
    /// A structured error in the payload.
    pub const ERROR: Self = Self(Cow::Borrowed("error"));
    /// A lifecycle event of the run.
    pub const HOOK: Self = Self(Cow::Borrowed("hook"));

    /// Its name; empty where it is not set.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `other` in any letter case.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl From<String> for Kind {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl From<&str> for Kind {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
