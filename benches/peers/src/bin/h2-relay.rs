//! A2, the floor: a raw HTTP/2 relay. DATA frames go on as they came, unlooked at; a fan-out shares
//! their bytes.
//!
//! It takes the hub's request metadata and uses the hub's settings. It has no queue of its own: what
//! a consumer has no window for waits in the HTTP/2 library without a bound, so only a client that
//! limits what is under way may use it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use peers::relay::{self, prepare, settings};
use peers::routes::Routes;
use tokio::net::{TcpListener, TcpStream};

type Consumer = Rc<RefCell<SendStream<Bytes>>>;

struct Relay {
    routes: Routes,
    consumers: RefCell<HashMap<String, Consumer>>,
}

fn main() -> ExitCode {
    relay::main(serve)
}

async fn serve(routes: Routes, listener: TcpListener) -> io::Result<()> {
    let relay = Rc::new(Relay {
        routes,
        consumers: RefCell::default(),
    });
    loop {
        let (socket, _) = listener.accept().await?;
        let relay = Rc::clone(&relay);
        tokio::task::spawn_local(async move {
            if let Err(error) = connection(socket, &relay).await {
                eprintln!("connection ended: {error}");
            }
        });
    }
}

async fn connection(socket: TcpStream, relay: &Rc<Relay>) -> Result<(), h2::Error> {
    if let Err(error) = prepare(&socket) {
        eprintln!("socket option refused: {error}");
    }
    let mut connection = Builder::new()
        .initial_window_size(settings::STREAM_WINDOW)
        .initial_connection_window_size(settings::CONNECTION_WINDOW)
        .max_frame_size(settings::MAX_FRAME)
        .max_send_buffer_size(settings::SEND_BUFFER)
        .handshake::<_, Bytes>(socket)
        .await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        let relay = Rc::clone(relay);
        tokio::task::spawn_local(async move {
            if let Err(error) = relay.stream(request, respond).await {
                eprintln!("stream ended: {error}");
            }
        });
    }
    Ok(())
}

impl Relay {
    async fn stream(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) -> Result<(), h2::Error> {
        let name = name(request.headers());
        let mut head = Response::new(());
        let grpc = HeaderValue::from_static("application/grpc");
        head.headers_mut().insert("content-type", grpc);
        let send = respond.send_response(head, false)?;
        let mut body = request.into_body();
        match self.routes.targets(&name) {
            Some(targets) => {
                self.relay(&mut body, targets).await?;
                end(send)
            }
            None => {
                let send = Rc::new(RefCell::new(send));
                let kept = Rc::clone(&send);
                self.consumers.borrow_mut().insert(name, kept);
                while let Some(chunk) = body.data().await {
                    body.flow_control().release_capacity(chunk?.len())?;
                }
                let trailers = ok();
                send.borrow_mut().send_trailers(trailers)
            }
        }
    }

    async fn relay(&self, body: &mut RecvStream, targets: &[String]) -> Result<(), h2::Error> {
        let mut consumers: Vec<Consumer> = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            if consumers.is_empty() {
                let here = self.consumers.borrow();
                consumers.extend(targets.iter().filter_map(|name| here.get(name)).cloned());
                if consumers.len() < targets.len() {
                    eprintln!("a consumer of {targets:?} is not connected");
                    return Err(Reason::REFUSED_STREAM.into());
                }
            }
            for consumer in &consumers {
                consumer.borrow_mut().send_data(chunk.clone(), false)?;
            }
        }
        Ok(())
    }
}

/// `namespace/run/step` of a registration.
fn name(headers: &HeaderMap) -> String {
    let text = |key| headers.get(key).and_then(|value| value.to_str().ok());
    let parts = ["storyrun-namespace", "storyrun-name", "current-step-id"];
    parts.map(|key| text(key).unwrap_or_default()).join("/")
}

fn ok() -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )])
}

fn end(mut send: SendStream<Bytes>) -> Result<(), h2::Error> {
    send.send_trailers(ok())
}
