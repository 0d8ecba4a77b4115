//! Environment variables, as they were when the engram started.

use std::collections::BTreeMap;
use std::fmt;

/// Variables by name. Debug shows the names alone: values may be secrets (`BUBU_SECRET_*`, and
/// what they point at).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process. Variables that are no UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value without surrounding white space, where anything is left.
    #[must_use]
    pub fn trimmed(&self, name: &str) -> Option<&str> {
        self.get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// Variables whose name begins so: the rest of the name, and the value.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// This environment, with those of `over` in place of its own.
    #[must_use]
    pub fn overlaid(&self, over: &BTreeMap<String, String>) -> Self {
        let mut all = self.0.clone();
        let set = over.iter().filter(|(_, value)| !value.trim().is_empty());
        all.extend(set.map(|(name, value)| (name.clone(), value.clone())));
        Self(all)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let owned = |(name, value): (K, V)| (name.into(), value.into());
        Self(pairs.into_iter().map(owned).collect())
    }
}
