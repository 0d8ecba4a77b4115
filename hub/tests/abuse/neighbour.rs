//! The well-behaved pair that must not notice anything.

use std::future::Future;

use tokio::time::timeout;

use crate::client::{Connection, Process};
use crate::raw::Fate;
use crate::rig::{DEADLINE, Hub};

/// `src` and `a` of the Story [`crate::rig::FAN_OUT`].
pub struct Neighbour {
    src: Process,
    a: Process,
    sent: u64,
}

impl Neighbour {
    pub async fn of(hub: &Hub) -> Self {
        let mut connection = Connection::open(hub.grpc).await;
        Self {
            a: connection.process("a").await.accepted().await,
            src: connection.process("src").await.accepted().await,
            sent: 0,
        }
    }

    /// Passes one packet.
    pub async fn go_on(&mut self) {
        self.sent += 1;
        self.src.send_packet(&self.sent.to_string(), 100);
        while self.a.label().await != self.sent.to_string() {}
    }

    /// Goes on passing packets until the abuse has met its fate, and some more.
    pub async fn beside(&mut self, abuse: impl Future<Output = std::io::Result<Fate>>) -> Fate {
        let going_on = async {
            loop {
                self.go_on().await;
            }
        };
        let fate = tokio::select! {
            fate = timeout(DEADLINE, abuse) => fate.expect("the hub acts in time"),
            () = going_on => unreachable!("it goes on until the abuse ends"),
        };
        for _ in 0..10 {
            self.go_on().await;
        }
        fate.unwrap_or(Fate::Closed)
    }
}
