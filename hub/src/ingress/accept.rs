//! The accept loop: sockets and their options, the preface deadline, graceful endings.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::peers::{Seat, What};
use super::request::{Door, Peer};
use super::ticket::Ticket;

/// What an HTTP/2 client says first (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a client may take to say it (spec 7, slowloris).
const PREFACE_WITHIN: Duration = Duration::from_secs(5);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// Unsent bytes below which the kernel asks for more, so that what is stale stays with us.
const NOTSENT_LOWAT: u32 = 128 << 10;

/// A bound listener that does not accept yet.
pub(crate) struct Acceptor {
    listener: StdListener,
    pub(crate) addr: SocketAddr,
}

impl Acceptor {
    /// Binds `addr`; port 0 takes a free one.
    ///
    /// # Errors
    /// What the operating system says, for example that the address is in use.
    pub(crate) fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        let listener: StdListener = socket.into();
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }
}

/// Accepts and serves connections until the door's `stop` says true, then ends them gracefully and
/// returns once all are closed.
pub(crate) async fn accept(acceptor: Acceptor, door: Rc<Door>) -> io::Result<()> {
    let listener = TcpListener::from_std(acceptor.listener)?;
    let mut stop = door.stop.clone();
    loop {
        tokio::select! {
            accepted = next(&door, &listener) => match accepted {
                Ok((socket, peer)) => {
                    admit(&door, socket, peer);
                    // A storm of newcomers takes turns with the packets of those who are there.
                    tokio::task::yield_now().await;
                }
                Err(error) => after_accept_error(&error).await,
            },
            _ = stop.wait_for(|&stop| stop) => break,
        }
    }
    drop(listener);
    door.turnstile.open();
    door.watch.stop();
    door.peers.all_gone().await;
    Ok(())
}

/// The next newcomer, when it is its turn.
async fn next(door: &Door, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let mut ticket = Ticket::default();
    poll_fn(|cx| door.turnstile.poll_pass(&mut ticket, cx)).await;
    listener.accept().await
}

/// Serves a newcomer, unless there are too many.
fn admit(door: &Rc<Door>, socket: TcpStream, peer: SocketAddr) {
    match door.peers.seat(peer.ip(), What::Connection) {
        Ok(seat) => {
            tokio::task::spawn_local(greet(door.clone(), socket, peer, seat));
        }
        Err(limit) => tracing::info!(%peer, limit, "closed: too many connections"),
    }
}

/// Out of descriptors: accepting again at once would spin.
async fn after_accept_error(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Has a newcomer say that it speaks HTTP/2, and serves it from then on. Greeting takes more memory
/// than waiting, so what comes after it is a task of its own.
async fn greet(door: Rc<Door>, mut socket: TcpStream, peer: SocketAddr, seat: Seat) {
    set_options(&socket);
    let mut stop = door.stop.clone();
    let prefaced = tokio::select! {
        read = tokio::time::timeout(PREFACE_WITHIN, preface(&mut socket)) => read,
        _ = stop.wait_for(|&stop| stop) => return,
    };
    match prefaced {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return refuse_http1(socket, peer).await,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "closed before its preface"),
        Err(_elapsed) => {
            return tracing::info!(%peer, "closed: no HTTP/2 preface within {PREFACE_WITHIN:?}");
        }
    }
    let client = Peer {
        ip: peer.ip(),
        name: peer.to_string().into(),
    };
    let start = (&PREFACE[..], socket);
    match Connection::greet(door, client, start, seat) {
        Ok(connection) => {
            tokio::task::spawn_local(connection);
        }
        Err(error) => tracing::info!(%peer, %error, "connection ended"),
    }
}

/// Reads the preface. `false` when the peer speaks something else.
async fn preface(socket: &mut TcpStream) -> io::Result<bool> {
    let mut head = [0; PREFACE.len()];
    let mut len = 0;
    while len < head.len() {
        match socket.read(&mut head[len..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => len += n,
        }
        if head[..len] != PREFACE[..len] {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells a person with a browser or curl where they are.
async fn refuse_http1(mut socket: TcpStream, peer: SocketAddr) {
    use tokio::io::AsyncWriteExt;
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
        content-length: 72\r\nconnection: close\r\n\r\n\
        This port speaks gRPC (HTTP/2 without TLS). Health is on the admin port.";
    tracing::info!(%peer, "closed: it does not speak HTTP/2");
    let write = socket.write_all(ANSWER);
    // Best effort: a peer that does not read its answer is closed all the same.
    let _ = tokio::time::timeout(PREFACE_WITHIN, write).await;
    let _ = socket.shutdown().await;
}

fn set_options(socket: &TcpStream) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(socket).set_tcp_notsent_lowat(NOTSENT_LOWAT) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT refused");
    }
}
