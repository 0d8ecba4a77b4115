//! What programs read, so that nothing else is decoded (spec 4.4).

use std::collections::BTreeSet;

/// A root and the keys that are known to follow it. A path stands for everything below it.
pub type ReadPath = Vec<Box<str>>;

/// The attributes that a program, or several, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    paths: BTreeSet<ReadPath>,
}

impl Reads {
    /// Adds a path; none at all stands for every root.
    pub(crate) fn add(&mut self, path: ReadPath) {
        if path.is_empty() {
            for root in ["inputs", "packet", "steps"] {
                self.paths.insert(vec![root.into()]);
            }
        } else {
            self.paths.insert(path);
        }
    }

    /// Adds what another reads.
    pub fn merge(&mut self, other: &Self) {
        self.paths.extend(other.paths.iter().cloned());
    }

    /// The same but for what is below some roots.
    pub(crate) fn without(mut self, roots: &[&str]) -> Self {
        self.paths
            .retain(|path| path.first().is_none_or(|root| !roots.contains(&&**root)));
        self
    }

    /// Whether nothing is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Every path, in order; none of them is `packet` alone where only metadata is read.
    pub fn paths(&self) -> impl Iterator<Item = &[Box<str>]> {
        self.paths.iter().map(Vec::as_slice)
    }

    fn below<'r>(&'r self, root: &'r str) -> impl Iterator<Item = &'r [Box<str>]> {
        self.paths()
            .filter_map(move |path| path.split_first())
            .filter(move |(first, _)| ***first == *root)
            .map(|(_, rest)| rest)
    }

    /// Whether anything under a root (`inputs`, `packet`, `steps`) is read.
    #[must_use]
    pub fn reads_root(&self, root: &str) -> bool {
        self.below(root).next().is_some()
    }

    /// Whether the packet's payload is read: anything of `packet` but its metadata and what
    /// is known of its media frame.
    #[must_use]
    pub fn reads_payload(&self) -> bool {
        self.below("packet").any(|rest| match rest.first() {
            Some(first) => !matches!(&**first, "metadata" | "audio" | "video" | "binary"),
            None => true,
        })
    }

    /// Whether what is known of the media frame is read.
    #[must_use]
    pub fn reads_media(&self) -> bool {
        self.below("packet").any(|rest| match rest.first() {
            Some(first) => matches!(&**first, "audio" | "video" | "binary"),
            None => true,
        })
    }

    /// The metadata keys that are read; `None` where all may be.
    #[must_use]
    pub fn metadata_keys(&self) -> Option<Vec<&str>> {
        let mut keys = Vec::new();
        for rest in self.below("packet") {
            match (rest.first().map(Box::as_ref), rest.get(1)) {
                (None, _) | (Some("metadata"), None) => return None,
                (Some("metadata"), Some(key)) => keys.push(&**key),
                _ => {}
            }
        }
        Some(keys)
    }

    /// The steps that are read; `None` where all may be.
    #[must_use]
    pub fn steps(&self) -> Option<BTreeSet<&str>> {
        self.below("steps")
            .map(|rest| rest.first().map(Box::as_ref))
            .collect()
    }
}
