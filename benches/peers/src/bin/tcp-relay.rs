//! A1: a raw TCP relay. It reads bytes and writes them; messages are not looked at.
//!
//! A stream says who it is in one line (`namespace/run/step`) and is answered `ok`. Every consumer
//! gets its own copy by its own system call; a slow one holds its producer up, which is what TCP
//! without queues does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;

use bytes::BytesMut;
use peers::relay::{self, prepare};
use peers::routes::Routes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes read at once, at most.
const READ: usize = 256 * 1024;

/// Consumers that are here and that no producer is writing to.
type Waiting = Rc<RefCell<HashMap<String, OwnedWriteHalf>>>;

fn main() -> ExitCode {
    relay::main(serve)
}

async fn serve(routes: Routes, listener: TcpListener) -> io::Result<()> {
    let routes = Rc::new(routes);
    let waiting = Waiting::default();
    loop {
        let (socket, _) = listener.accept().await?;
        let (routes, waiting) = (Rc::clone(&routes), Rc::clone(&waiting));
        tokio::task::spawn_local(async move {
            if let Err(error) = stream(socket, &routes, &waiting).await {
                eprintln!("stream ended: {error}");
            }
        });
    }
}

async fn stream(socket: TcpStream, routes: &Routes, waiting: &Waiting) -> io::Result<()> {
    prepare(&socket)?;
    let (read, mut write) = socket.into_split();
    // The other side waits for the answer, so nothing but the line is in the buffer.
    let mut read = BufReader::new(read);
    let mut name = String::new();
    read.read_line(&mut name).await?;
    let name = name.trim_end();
    let mut read = read.into_inner();
    write.write_all(b"ok\n").await?;
    match routes.targets(name) {
        Some(targets) => relay(&mut read, targets, waiting).await,
        None => {
            waiting.borrow_mut().insert(name.to_owned(), write);
            // A consumer says nothing; its end is noticed here.
            let mut nothing = [0u8; 64];
            while read.read(&mut nothing).await? > 0 {}
            waiting.borrow_mut().remove(name);
            Ok(())
        }
    }
}

async fn relay(read: &mut OwnedReadHalf, targets: &[String], waiting: &Waiting) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(READ);
    if read.read_buf(&mut buffer).await? == 0 {
        return Ok(());
    }
    let take = |name: &String| {
        let consumer = waiting.borrow_mut().remove(name);
        consumer.ok_or_else(|| io::Error::other(format!("{name} is not connected")))
    };
    let mut consumers = targets.iter().map(take).collect::<io::Result<Vec<_>>>()?;
    while !buffer.is_empty() {
        for consumer in &mut consumers {
            consumer.write_all(&buffer).await?;
        }
        buffer.clear();
        read.read_buf(&mut buffer).await?;
    }
    // A consumer outlives its producer: it ends when it says so itself.
    let back = targets.iter().cloned().zip(consumers);
    waiting.borrow_mut().extend(back);
    Ok(())
}
