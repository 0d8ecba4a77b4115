//! Owns a producer's pre-built messages: one set, or where it numbers its packets one for every
//! length of the number, built when the first number of that length is due.

use crate::packet::{Template, TemplateError, number_len};
use crate::scenario::Flow;
use crate::units::{Nonce, ProducerId, Sequence};
use crate::wire::{Peer, Wire};

/// Sets that are kept: numbers only grow, except when some are sent again.
const KEPT: usize = 2;

/// The templates of one producer.
#[derive(Debug)]
pub(super) struct Stock {
    peer: Peer,
    flow: Flow,
    id: ProducerId,
    nonce: Nonce,
    sets: Vec<Set>,
}

#[derive(Debug)]
struct Set {
    number_len: Option<usize>,
    /// Ordinary message first, then the key frame where the flow has one.
    templates: Vec<Template>,
}

impl Stock {
    /// Nothing yet.
    pub(super) fn new(peer: &Peer, flow: &Flow, id: ProducerId, nonce: Nonce) -> Stock {
        Stock {
            peer: peer.clone(),
            flow: flow.clone(),
            id,
            nonce,
            sets: Vec::new(),
        }
    }

    /// The message with this sequence.
    ///
    /// # Errors
    /// [`TemplateError`], which no scenario that was checked can cause.
    pub(super) fn of<W: Wire>(
        &mut self,
        wire: &W,
        sequence: Sequence,
    ) -> Result<&Template, TemplateError> {
        let numbers = self.peer.producer_epoch.is_some();
        let number_len = numbers.then(|| number_len(sequence));
        let known = self.sets.iter().rposition(|s| s.number_len == number_len);
        let at = match known {
            Some(at) => at,
            None => {
                let set = self.build(wire, number_len)?;
                if self.sets.len() >= KEPT {
                    self.sets.remove(0);
                }
                self.sets.push(set);
                self.sets.len() - 1
            }
        };
        let every = u64::from(self.flow.key_every);
        let key = every > 0 && sequence.0.is_multiple_of(every);
        // A set has a second template exactly where the flow has key frames.
        Ok(&self.sets[at].templates[usize::from(key)])
    }

    fn build<W: Wire>(&self, wire: &W, number_len: Option<usize>) -> Result<Set, TemplateError> {
        let templates = self.flow.templates(self.id, self.nonce, number_len)?;
        let framed = |template: Template| {
            let (prefix, suffix) = wire.framing(&self.peer, template.wire_bytes());
            template.framed(&prefix, &suffix)
        };
        Ok(Set {
            number_len,
            templates: templates.into_iter().map(framed).collect(),
        })
    }
}
