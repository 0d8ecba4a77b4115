//! Owns what every relay program does around its relaying: arguments, a listener, socket options,
//! the ready line, and ending on SIGTERM. Never touches a message.

use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalOptions;
use tokio::signal::unix::{SignalKind, signal};

use crate::routes::Routes;

/// The hub's HTTP/2 and socket settings (spec 6), so that a relay differs in what it does only.
pub mod settings {
    /// Receive window of one stream.
    pub const STREAM_WINDOW: u32 = 1 << 20;
    /// Receive window of one connection.
    pub const CONNECTION_WINDOW: u32 = 16 << 20;
    /// Largest DATA frame that is accepted.
    pub const MAX_FRAME: u32 = 1 << 20;
    /// Bytes of one stream that may wait in the HTTP/2 library.
    pub const SEND_BUFFER: usize = 256 << 10;
    /// Unsent bytes below which the kernel asks for more.
    pub const NOTSENT_LOWAT: u32 = 128 << 10;
}

/// Runs a relay program: `NAME ROUTES-FILE`, on one thread, until SIGTERM or Ctrl-C.
pub fn main<F: Future<Output = io::Result<()>>>(
    serve: impl FnOnce(Routes, TcpListener) -> F,
) -> ExitCode {
    match run(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run<F: Future<Output = io::Result<()>>>(
    serve: impl FnOnce(Routes, TcpListener) -> F,
) -> io::Result<()> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or_else(|| io::Error::other("usage: NAME ROUTES-FILE"))?;
    let text = std::fs::read_to_string(path)?;
    let routes = Routes::parse(&text).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut out = io::stdout().lock();
        writeln!(out, "ready grpc={address}")?;
        out.flush()?;
        tokio::select! {
            served = serve(routes, listener) => served,
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}

/// Sets the options that the hub sets on a socket it has accepted.
///
/// # Errors
/// What the system says.
pub fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_tcp_notsent_lowat(settings::NOTSENT_LOWAT)
}
