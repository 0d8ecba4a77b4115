//! A network that fails on demand: a TCP relay in the test's own process, between a client and the
//! hub.
//!
//! Owns every byte on its way; what it does to them is a [`Fault`], changed at any time and at once
//! in force for all its connections. Never makes an error of its own: what a test did not ask for
//! goes through.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

/// What happens to the bytes of both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// They go nowhere, and nobody is told.
    BlackHole,
    /// Both sockets are closed in good order.
    Cut,
    /// Both sockets are closed with RST.
    Reset,
    /// Nothing more comes from the client, which may still read.
    HalfClose,
    /// One byte a write.
    Slices,
    /// So many bytes each millisecond.
    Throttle(usize),
}

/// A relay to one address.
pub struct Proxy {
    pub addr: SocketAddr,
    fault: watch::Sender<Fault>,
    relay: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Relays to `hub`.
    pub async fn to(hub: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("binds");
        let listener = socket.listen(4096).expect("listens");
        let addr = listener.local_addr().expect("bound");
        let (fault, faults) = watch::channel(Fault::None);
        let relay = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("accepts");
                // A hub that is gone refuses: the client is closed, too.
                if let Ok(server) = TcpStream::connect(hub).await {
                    relay(client, server, &faults);
                }
            }
        });
        Self { addr, fault, relay }
    }

    /// Does this to all connections, from now on. Those that are closed by it stay closed; new ones
    /// are made under it.
    pub fn inflict(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Cuts every connection with `fault`; new ones are well again.
    pub async fn cut(&self, fault: Fault) {
        self.inflict(fault);
        // All relays that had subscribed have ended when only the listener's subscription is left.
        while self.fault.receiver_count() > 1 {
            tokio::task::yield_now().await;
        }
        self.inflict(Fault::None);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

fn relay(client: TcpStream, server: TcpStream, faults: &watch::Receiver<Fault>) {
    for socket in [&client, &server] {
        socket.set_nodelay(true).expect("nodelay");
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::spawn(carry(from_client, to_server, faults.clone(), true));
    tokio::spawn(carry(from_server, to_client, faults.clone(), false));
}

/// One direction, until an end or a fault closes it.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut faults: watch::Receiver<Fault>,
    up: bool,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let fault = *faults.borrow_and_update();
        match fault {
            Fault::Cut => break,
            Fault::Reset => {
                // Closing with data unread or with no linger at all sends RST.
                let _ = socket2::SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO));
                to.forget();
                return;
            }
            Fault::HalfClose if up => break,
            Fault::BlackHole => {
                if faults.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let len = tokio::select! {
            changed = faults.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            read = from.read(&mut buffer) => match read {
                Ok(len) if len > 0 => len,
                _ => break,
            },
        };
        // A reader that stopped must not keep a connection from being cut.
        let mut closing = faults.clone();
        let passed = tokio::select! {
            passed = pass(&mut to, &buffer[..len], &mut faults) => passed,
            _ = closing.wait_for(|fault| matches!(fault, Fault::Cut | Fault::Reset)) => continue,
        };
        if passed.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// Hands `bytes` on in the way the fault of the moment has it. What a black hole swallows comes out
/// when it is gone, as with a network that was only away.
async fn pass(
    to: &mut OwnedWriteHalf,
    bytes: &[u8],
    faults: &mut watch::Receiver<Fault>,
) -> std::io::Result<()> {
    let fault = *faults.borrow();
    match fault {
        Fault::Slices => {
            for byte in bytes {
                to.write_all(&[*byte]).await?;
            }
        }
        Fault::Throttle(size) => {
            for part in bytes.chunks(size.max(1)) {
                to.write_all(part).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Fault::BlackHole => {
            // It fell in just now.
            let gone = faults
                .wait_for(|fault| *fault != Fault::BlackHole)
                .await
                .is_ok();
            if gone {
                to.write_all(bytes).await?;
            }
        }
        _ => to.write_all(bytes).await?,
    }
    Ok(())
}
