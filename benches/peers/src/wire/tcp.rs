//! Owns the client of the raw TCP relay: one line to register, then length-prefixed messages.

use loadtest::wire::{LengthPrefixed, OpenError, Peer, Wire, put_prefix};

use super::socket::{Opening, TcpSink, TcpSource};
use crate::routes::key;

/// Transport to a `tcp-relay`.
#[derive(Debug)]
pub struct TcpWire {
    address: String,
}

impl TcpWire {
    /// A transport to `address` (`host:port`).
    pub fn new(address: &str) -> TcpWire {
        TcpWire {
            address: address.to_owned(),
        }
    }
}

impl Wire for TcpWire {
    type Sink = TcpSink;
    type Source = TcpSource;
    type Deframe = LengthPrefixed;

    async fn open(&self, peer: &Peer) -> Result<(TcpSink, TcpSource), OpenError> {
        let mut opening = Opening::dial(&self.address, peer).await?;
        opening.say(&format!("{}\n", key(&peer.name))).await?;
        opening.hear("ok").await?;
        Ok(opening.done())
    }

    fn framing(&self, _peer: &Peer, len: usize) -> (Vec<u8>, Vec<u8>) {
        let mut prefix = Vec::with_capacity(5);
        put_prefix(len, &mut prefix);
        (prefix, Vec::new())
    }

    fn deframe(&self) -> LengthPrefixed {
        LengthPrefixed::default()
    }
}
