//! A TCP proxy on loopback whose connections can be cut.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

pub(crate) struct Proxy {
    addr: SocketAddr,
    cut: broadcast::Sender<()>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let (cut, _) = broadcast::channel(1);
        let cutting = cut.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(relay(from, to, cutting.subscribe()));
            }
        });
        Self {
            addr,
            cut,
            accepting,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends every connection, whatever is under way.
    pub(crate) fn cut(&self) {
        // Nobody is connected: then there is nothing to cut.
        let _ = self.cut.send(());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn relay(mut from: TcpStream, to: SocketAddr, mut cut: broadcast::Receiver<()>) {
    let Ok(mut to) = TcpStream::connect(to).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
        _ = cut.recv() => {}
    }
}
