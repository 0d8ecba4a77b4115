//! How much of the hub one peer may take: connections and streams by IP address.
//!
//! Owns the counts; what is held is given back when its [`Seat`] is dropped. Never remembers a peer
//! that holds nothing, so it is no larger than what is connected.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::config::Limits;

/// Who holds how many.
pub(crate) struct Peers {
    held: RefCell<HashMap<(IpAddr, What), u64>>,
    connections: Cell<u64>,
    /// The last connection is gone.
    emptied: Notify,
    limits: Limits,
}

/// What a peer can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Connection,
    Stream,
}

/// One connection or stream of a peer, while it lasts.
pub(super) struct Seat {
    peers: Rc<Peers>,
    ip: IpAddr,
    what: What,
}

impl Peers {
    /// Nobody yet, under these limits.
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            held: RefCell::default(),
            connections: Cell::new(0),
            emptied: Notify::new(),
            limits,
        })
    }

    /// Waits until nobody has a connection.
    pub(super) async fn all_gone(&self) {
        while self.connections.get() > 0 {
            self.emptied.notified().await;
        }
    }

    /// Takes one of `what` for `ip`.
    ///
    /// # Errors
    /// The key of the limit that leaves no room.
    pub(super) fn seat(self: &Rc<Self>, ip: IpAddr, what: What) -> Result<Seat, &'static str> {
        let limits = &self.limits;
        let (most, key) = match what {
            What::Connection => (
                limits.max_connections_per_peer,
                "limits.max_connections_per_peer",
            ),
            What::Stream => (limits.max_streams_per_peer, "limits.max_streams_per_peer"),
        };
        if what == What::Connection && self.connections.get() >= limits.max_connections {
            return Err("limits.max_connections");
        }
        let mut held = self.held.borrow_mut();
        let count = held.entry((ip, what)).or_default();
        if most.is_some_and(|most| *count >= most) {
            return Err(key);
        }
        *count += 1;
        if what == What::Connection {
            self.connections.set(self.connections.get() + 1);
        }
        Ok(Seat {
            peers: self.clone(),
            ip,
            what,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.peers.held.borrow_mut();
        if let Some(count) = held.get_mut(&(self.ip, self.what)) {
            *count -= 1;
            if *count == 0 {
                held.remove(&(self.ip, self.what));
            }
        }
        if self.what == What::Connection {
            let connections = &self.peers.connections;
            connections.set(connections.get() - 1);
            if connections.get() == 0 {
                self.peers.emptied.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

    fn peers() -> Rc<Peers> {
        Peers::new(Limits {
            max_connections: 3,
            max_connections_per_peer: Some(2),
            max_streams_per_peer: Some(1),
            ..Limits::default()
        })
    }

    #[test]
    fn a_peer_that_holds_its_share_keeps_nothing_from_another() {
        let peers = peers();
        let _held = [0, 1].map(|_| peers.seat(A, What::Connection).ok().unwrap());
        let refused = peers.seat(A, What::Connection).err();
        assert_eq!(refused, Some("limits.max_connections_per_peer"));
        let _other = peers.seat(B, What::Connection).ok().unwrap();
        let refused = peers.seat(B, What::Connection).err();
        assert_eq!(refused, Some("limits.max_connections"));
        assert!(peers.seat(A, What::Stream).is_ok(), "counted apart");
    }

    #[test]
    fn a_connection_that_ended_leaves_its_place_to_anybody() {
        let peers = peers();
        let [first, _second] = [0, 1].map(|_| peers.seat(A, What::Connection).ok().unwrap());
        let _third = peers.seat(B, What::Connection).ok().unwrap();
        assert!(peers.seat(B, What::Connection).is_err());
        drop(first);
        assert!(peers.seat(B, What::Connection).is_ok());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_leaves_no_trace() {
        let peers = peers();
        let seat = peers.seat(A, What::Stream);
        assert!(seat.is_ok() && peers.seat(A, What::Stream).is_err());
        drop(seat);
        assert!(peers.seat(A, What::Stream).is_ok());
        assert!(peers.held.borrow().is_empty());
    }
}
