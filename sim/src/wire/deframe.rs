//! Cutting a byte stream into gRPC messages, wherever the network cut it.

const PREFIX: usize = 5;

/// Collects bytes and gives whole messages back.
#[derive(Clone, Debug, Default)]
pub struct Deframer {
    held: Vec<u8>,
    at: usize,
}

impl Deframer {
    /// Adds bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 && self.at == self.held.len() {
            self.held.clear();
            self.at = 0;
        }
        self.held.extend_from_slice(bytes);
    }

    /// The next whole message, without its prefix.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        let rest = self.held.get(self.at..)?;
        let &[_, a, b, c, d] = rest.first_chunk::<PREFIX>()?;
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let message = rest.get(PREFIX..PREFIX + len)?.to_vec();
        self.at += PREFIX + len;
        Some(message)
    }

    /// Bytes of a message whose rest has not come.
    pub fn partial(&self) -> usize {
        self.held.len() - self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::framed;
    use super::*;

    #[test]
    fn messages_survive_any_cut() {
        let messages = [vec![1u8; 3], vec![], vec![2; 300]];
        let bytes: Vec<u8> = messages.iter().flat_map(|m| framed(m)).collect();
        for step in 1..bytes.len() {
            let mut deframer = Deframer::default();
            let mut out = Vec::new();
            for piece in bytes.chunks(step) {
                deframer.feed(piece);
                out.extend(std::iter::from_fn(|| deframer.next_message()));
            }
            assert_eq!(out, messages);
            assert_eq!(deframer.partial(), 0);
        }
    }
}
