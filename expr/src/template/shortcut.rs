//! The commonest condition of all, `eq packet.metadata.key "text"`, recognised so that it need not
//! walk a tree.

use super::tree::{Operand, Pipe, Term};
use crate::value::{Fields, Value};

/// Whether a value of the packet's metadata is a text, or is not.
#[derive(Debug)]
pub(crate) struct MetadataTest {
    key: Box<str>,
    text: Box<[u8]>,
    is_negated: bool,
}

impl MetadataTest {
    /// Of an action that is such a comparison and nothing else.
    pub(super) fn of(pipe: &Pipe) -> Option<Self> {
        let [command] = pipe.commands.as_slice() else {
            return None;
        };
        let [compare, one, two] = command.operands.as_slice() else {
            return None;
        };
        if !pipe.declares.is_empty() {
            return None;
        }
        let Term::Function(function) = compare.term else {
            return None;
        };
        let is_negated = match function.name {
            "eq" => false,
            "ne" => true,
            _ => return None,
        };
        let (key, text) = key_and_text(one, two).or_else(|| key_and_text(two, one))?;
        Some(Self {
            key: key.into(),
            text: text.into(),
            is_negated,
        })
    }

    /// Its answer where the key is there; the others take the long way, which knows what is
    /// wrong with them.
    pub(crate) fn evaluate(&self, root: &dyn Fields) -> Option<bool> {
        let packet = root.field(b"packet")?;
        let metadata = packet.as_map()?.get(b"metadata")?;
        match metadata.as_map()?.get(self.key.as_bytes())? {
            Value::Text(text) => Some((text.bytes() == &*self.text) != self.is_negated),
            _ => None,
        }
    }
}

fn key_and_text<'o>(path: &'o Operand, text: &'o Operand) -> Option<(&'o str, &'o [u8])> {
    let (Term::Field(path), Term::Text(text)) = (&path.term, &text.term) else {
        return None;
    };
    match path.as_slice() {
        [packet, metadata, key] if &**packet == "packet" && &**metadata == "metadata" => {
            Some((key, text))
        }
        _ => None,
    }
}
