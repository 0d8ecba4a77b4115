//! An engram on raw HTTP/2, so that tests can say what no well-behaved library would.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use prost::Message;
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport_proto::v1;

use crate::rig::{self, DEADLINE, Hub};

pub struct Raw {
    data: (h2::SendStream<Bytes>, h2::RecvStream),
    control: (h2::SendStream<Bytes>, h2::RecvStream),
    _send: SendRequest<Bytes>,
}

impl Raw {
    /// Connects as `step` of run `default/story`.
    pub async fn connect(hub: &Hub, step: &str) -> Self {
        Self::connect_with(hub, step, &[]).await
    }

    /// The same with more request metadata on both streams.
    pub async fn connect_with(hub: &Hub, step: &str, more: &[(&str, &str)]) -> Self {
        let socket = TcpStream::connect(hub.grpc).await.expect("hub listens");
        // Control must get through though Data is not read.
        let (mut send, connection) = h2::client::Builder::new()
            .initial_connection_window_size(1 << 20)
            .handshake(socket)
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        let data = open(&mut send, "Data", more).await;
        let binding = format!("default/story-{step}");
        let mut more = more.to_vec();
        more.push(("bubu.transport.binding", &binding));
        let control = open(&mut send, "Control", &more).await;
        let (data, control) = (answered(data).await, answered(control).await);
        Self {
            data,
            control,
            _send: send,
        }
    }

    /// Says bytes on Data.
    pub fn say(&mut self, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.data.0.send_data(bytes, false).expect("stream is open");
    }

    /// Says bytes on Control.
    pub fn say_on_control(&mut self, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.control
            .0
            .send_data(bytes, false)
            .expect("stream is open");
    }

    /// Has nothing more to say on Data.
    pub fn end_data(&mut self) {
        self.data
            .0
            .send_data(Bytes::new(), true)
            .expect("stream is open");
    }

    /// Has nothing more to say on Control.
    pub fn end_control(&mut self) {
        self.control
            .0
            .send_data(Bytes::new(), true)
            .expect("stream is open");
    }

    /// Reads Control until something that is said there holds `wanted`.
    pub async fn hears_on_control(&mut self, wanted: &[u8]) {
        let mut said = Vec::new();
        while !said.windows(wanted.len()).any(|at| at == wanted) {
            let chunk = timeout(DEADLINE, self.control.1.data()).await;
            let chunk = chunk.expect("in time").expect("not ended").expect("open");
            let _ = self.control.1.flow_control().release_capacity(chunk.len());
            said.extend_from_slice(&chunk);
        }
    }

    pub fn say_message(&mut self, message: v1::DataRequest) {
        self.say(&rig::framed(&message.encode_to_vec()));
    }

    /// The codes that Data and Control ended with.
    pub async fn ended(&mut self) -> (i32, i32) {
        (
            code(&mut self.data.1).await,
            code(&mut self.control.1).await,
        )
    }
}

type Opened = (ResponseFuture, h2::SendStream<Bytes>);

async fn open(send: &mut SendRequest<Bytes>, method: &str, more: &[(&str, &str)]) -> Opened {
    let path = format!("http://hub/transport.v1.TransportConnectorService/{method}");
    let mut request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("bubu-transport-protocol", "1.0.0");
    for (key, value) in more {
        request = request.header(*key, *value);
    }
    let request = request.body(()).expect("request");
    *send = send.clone().ready().await.expect("connection is open");
    send.send_request(request, false).expect("sent")
}

async fn answered((response, send): Opened) -> (h2::SendStream<Bytes>, h2::RecvStream) {
    let response = timeout(DEADLINE, response).await.expect("headers in time");
    (send, response.expect("headers").into_body())
}

async fn code(body: &mut h2::RecvStream) -> i32 {
    let read = async {
        while let Some(Ok(chunk)) = body.data().await {
            let _ = body.flow_control().release_capacity(chunk.len());
        }
        let trailers = body.trailers().await.expect("not reset");
        let trailers = trailers.expect("trailers");
        trailers["grpc-status"].to_str().expect("text").parse()
    };
    let code = timeout(DEADLINE, read).await.expect("ended in time");
    code.expect("a number")
}
