//! Where the value that names a partition stands: the forms of `partitioning.key` (spec 2.3).

/// A parsed `partitioning.key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PartitionKey {
    /// The first of the well-known metadata keys that a packet has: `partition_key`,
    /// `partition-key`, `bubu.partition_key`, `bubu.partition`.
    #[default]
    WellKnown,
    /// This metadata key.
    Metadata(Box<str>),
    /// What stands at this path (names of members, at least one).
    Path(PartitionRoot, Box<[Box<str>]>),
}

/// What a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionRoot {
    /// The packet's payload.
    Payload,
    /// The packet's inputs.
    Inputs,
}

/// A `partitioning.key` that names nothing. The fault of the Story; a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartitionKeyError {
    /// A name of the path is empty, or all of it.
    #[error("`{key}` has an empty name; write {root}.<name> or {root}.<name>.<name>")]
    EmptyName {
        /// The key as the Story has it.
        key: Box<str>,
        /// What it starts with.
        root: &'static str,
    },
    /// The envelope is written by the hub after partitions are chosen.
    #[error(
        "`{key}`: the envelope gives no partition; a metadata key of that name is metadata.{key}"
    )]
    Envelope {
        /// The key as the Story has it.
        key: Box<str>,
    },
}

impl PartitionKey {
    /// Reads `metadata.<key>` (the rest of the text, dots included), `payload.a.b`, `inputs.a.b`;
    /// any other name is a metadata key, and none at all means the well-known ones. Space around
    /// the text does not count.
    ///
    /// # Errors
    /// [`PartitionKeyError`] says what to write instead.
    pub fn parse(text: &str) -> Result<Self, PartitionKeyError> {
        let key = text.trim();
        if key.is_empty() {
            return Ok(Self::WellKnown);
        }
        match key.split_once('.') {
            Some(("metadata", "")) => Err(empty_name(key, "metadata")),
            Some(("metadata", name)) => Ok(Self::Metadata(name.into())),
            Some(("payload", path)) => Self::path(key, PartitionRoot::Payload, path),
            Some(("inputs", path)) => Self::path(key, PartitionRoot::Inputs, path),
            Some(("envelope", _)) => Err(PartitionKeyError::Envelope { key: key.into() }),
            _ => Ok(Self::Metadata(key.into())),
        }
    }

    fn path(key: &str, root: PartitionRoot, path: &str) -> Result<Self, PartitionKeyError> {
        let path: Box<[Box<str>]> = path.split('.').map(Box::from).collect();
        if path.iter().any(|name| name.is_empty()) {
            return Err(empty_name(key, root.as_str()));
        }
        Ok(Self::Path(root, path))
    }
}

impl PartitionRoot {
    /// Its name in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Inputs => "inputs",
        }
    }
}

fn empty_name(key: &str, root: &'static str) -> PartitionKeyError {
    PartitionKeyError::EmptyName {
        key: key.into(),
        root,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(key: &str) -> Result<PartitionKey, PartitionKeyError> {
        Ok(PartitionKey::Metadata(key.into()))
    }

    fn path(root: PartitionRoot, names: &[&str]) -> Result<PartitionKey, PartitionKeyError> {
        let names = names.iter().map(|&name| name.into());
        Ok(PartitionKey::Path(root, names.collect()))
    }

    #[test]
    fn a_metadata_key_is_the_rest_of_the_text_dots_included() {
        let parse = PartitionKey::parse;
        assert_eq!(parse("metadata.camera.id"), metadata("camera.id"));
        assert_eq!(parse("metadata.payload.x"), metadata("payload.x"));
        assert_eq!(parse("metadata.a..b."), metadata("a..b."));
        assert_eq!(parse(" metadata.room "), metadata("room"));
    }

    #[test]
    fn a_path_is_cut_at_every_dot() {
        use PartitionRoot::{Inputs, Payload};
        assert_eq!(PartitionKey::parse("payload.a"), path(Payload, &["a"]));
        assert_eq!(
            PartitionKey::parse("inputs.a.b.c"),
            path(Inputs, &["a", "b", "c"])
        );
    }

    #[test]
    fn any_other_name_is_a_metadata_key() {
        for key in [
            "room",
            "payload",
            "inputs",
            "metadata",
            "camera.id",
            "Payload.a",
        ] {
            assert_eq!(PartitionKey::parse(key), metadata(key), "{key}");
        }
    }

    #[test]
    fn no_key_means_the_well_known_ones() {
        for key in ["", "  "] {
            assert_eq!(PartitionKey::parse(key), Ok(PartitionKey::WellKnown));
        }
    }

    #[test]
    fn a_key_that_names_nothing_is_refused_with_what_to_write() {
        let refused = |key: &str| PartitionKey::parse(key).unwrap_err().to_string();
        for key in ["payload.", "payload.a..b", "payload..a", "payload.a."] {
            let text = refused(key);
            assert!(
                text.contains(key) && text.contains("payload.<name>"),
                "{text}"
            );
        }
        assert!(refused("inputs.").contains("inputs.<name>"));
        assert!(refused("metadata.").contains("metadata.<name>"));
        let text = refused("envelope.sequence");
        assert!(text.contains("metadata.envelope.sequence"), "{text}");
    }
}
