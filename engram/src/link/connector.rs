//! The connector contract: `TransportConnectorService`, Data and Control on one
//! connection (spec 3).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use transport_proto::names::{action, receipt, request};
use transport_proto::v1::{ControlAction, ControlRequest, ControlResponse, FlowControlSignal};
use transport_proto::view::Dialect;

use super::{Connection, ControlIn, ControlOut, Ended, Hello, IN_HAND, Transport, dial};
use crate::control::ControlDirective;
use crate::start::{Binding, Tunables};
use crate::wire::Receipt;

const DATA: &str = "/transport.v1.TransportConnectorService/Data";
const CONTROL: &str = "/transport.v1.TransportConnectorService/Control";
/// What this SDK acts on (spec 2.5).
pub(super) const ACCEPT: &str = "pause,control";

/// Dials the hub that a binding names.
#[derive(Clone, Debug)]
pub struct Connector {
    binding: Binding,
    dial_timeout: Duration,
}

impl Connector {
    /// A transport to the hub of a binding.
    #[must_use]
    pub fn new(binding: Binding, tunables: &Tunables) -> Self {
        Self {
            binding,
            dial_timeout: tunables.dial_timeout,
        }
    }

    fn metadata(&self, hello: &Hello) -> Result<(MetadataMap, MetadataMap), Ended> {
        let mut data = MetadataMap::new();
        dial::put(&mut data, request::PROTOCOL, request::PROTOCOL_VERSION)?;
        let mut control = data.clone();
        let name = self.binding.control_header();
        dial::put(&mut control, request::TRANSPORT_BINDING, &name)?;
        dial::put(&mut control, request::PRODUCER_EPOCH, &hello.producer_epoch)?;
        dial::put(&mut control, request::ACCEPT, ACCEPT)?;
        Ok((data, control))
    }
}

impl Transport for Connector {
    fn dialect(&self) -> Dialect {
        Dialect::Connector
    }

    async fn connect(&mut self, hello: &Hello) -> Result<Connection, Ended> {
        let (data, control) = self.metadata(hello)?;
        let channel = dial::dial(&self.binding.endpoint, self.dial_timeout).await?;
        let (packets_out, packets) = mpsc::channel(IN_HAND);
        let (control_out, directives) = mpsc::channel(IN_HAND);
        let directives = ReceiverStream::new(directives).map(|told| request_of(&told));
        let (packets_to, packets_in) = mpsc::channel(IN_HAND);
        let (control_to, control_in) = mpsc::channel(IN_HAND);
        // Both are opened at once and neither is waited for: the hub may answer them only
        // when it knows both, or when it has something to say. The handshake has its own
        // deadline.
        let data = Opening {
            channel: channel.clone(),
            path: DATA,
            metadata: data,
        };
        let opened = data.open(ReceiverStream::new(packets), control_to.clone());
        let ended = control_to.clone();
        tokio::spawn(async move {
            if let Some(data) = opened.await {
                read_data(data, packets_to, ended).await;
            }
        });
        let control = Opening {
            channel,
            path: CONTROL,
            metadata: control,
        };
        let opened = control.open(directives, control_to.clone());
        tokio::spawn(async move {
            if let Some(control) = opened.await {
                read_control(control, control_to).await;
            }
        });
        Ok(Connection {
            handshakes: true,
            packets_out,
            control_out,
            packets_in,
            control_in,
        })
    }
}

/// A stream that is being opened.
struct Opening {
    channel: Channel,
    path: &'static str,
    metadata: MetadataMap,
}

impl Opening {
    /// The answers; `None` where there are none: `control` is told why, unless nobody
    /// listens any more.
    async fn open(
        self,
        messages: impl Stream<Item = Bytes> + Send + 'static,
        control: mpsc::Sender<ControlIn>,
    ) -> Option<Streaming<Bytes>> {
        let opened = tokio::select! {
            opened = dial::open(&self.channel, self.path, self.metadata, messages) => opened,
            () = control.closed() => return None,
        };
        match opened {
            Ok(answers) => Some(answers),
            Err(status) => {
                // Nobody listens any more: then nobody cares why.
                let _ = control.send(ControlIn::Ended(status.into())).await;
                None
            }
        }
    }
}

fn request_of(told: &ControlOut) -> Bytes {
    let request = match told {
        ControlOut::Receipt(receipt) => delivered(receipt),
        ControlOut::Directive(directive) => directive.to_request(),
        // Cumulative acks belong to Process: a receipt here is told one by one.
        ControlOut::Ack(_) => ControlDirective::new("noop").to_request(),
    };
    request.encode_to_vec().into()
}

fn delivered(receipt: &Receipt) -> ControlRequest {
    let facts = [
        (receipt::STREAM_ID, receipt.stream_id.clone()),
        (receipt::SEQUENCE, receipt.sequence.to_string()),
        (receipt::PARTITION, receipt.partition.clone()),
        (receipt::SIZE_BYTES, receipt.size_bytes.to_string()),
    ];
    ControlRequest {
        custom_action: action::DOWNSTREAM_DELIVERED.to_owned(),
        metadata: facts.map(|(key, value)| (key.to_owned(), value)).into(),
        ..ControlRequest::default()
    }
}

/// Reads Data until it ends, or nobody wants it any more.
pub(super) async fn read_data(
    mut data: Streaming<Bytes>,
    packets: mpsc::Sender<Bytes>,
    control: mpsc::Sender<ControlIn>,
) {
    let ended = loop {
        let message = tokio::select! {
            message = data.message() => message,
            () = packets.closed() => return,
        };
        match message {
            Ok(Some(packet)) => {
                if packets.send(packet).await.is_err() {
                    return;
                }
            }
            Ok(None) => break ok(),
            Err(status) => break status.into(),
        }
    };
    // Nobody listens any more: then nobody cares how it ended.
    let _ = control.send(ControlIn::Ended(ended)).await;
}

fn ok() -> Ended {
    Ended {
        code: 0,
        message: String::new(),
    }
}

async fn read_control(mut stream: Streaming<Bytes>, control: mpsc::Sender<ControlIn>) {
    loop {
        let message = tokio::select! {
            message = stream.message() => message,
            () = control.closed() => return,
        };
        let read = match message {
            Ok(Some(bytes)) => match ControlResponse::decode(bytes) {
                Ok(response) => read_response(response),
                Err(error) => vec![ControlIn::Ended(Ended::unavailable(format!(
                    "the hub sent no ControlResponse: {error}"
                )))],
            },
            Ok(None) => vec![ControlIn::Ended(ok())],
            Err(status) => vec![ControlIn::Ended(status.into())],
        };
        for event in read {
            let is_last = matches!(event, ControlIn::Ended(_));
            if control.send(event).await.is_err() || is_last {
                return;
            }
        }
    }
}

/// What a message of the hub says, in the order in which it is to be taken.
fn read_response(response: ControlResponse) -> Vec<ControlIn> {
    let mut read = Vec::new();
    if let Some(flow) = &response.flow {
        read.push(ControlIn::Flow {
            ack: flow.ack,
            pause: pause(flow.signal()),
        });
    }
    let says_nothing = matches!(
        response.action(),
        ControlAction::Noop | ControlAction::Unspecified
    ) && response.custom_action.trim().is_empty();
    if !(says_nothing && response.flow.is_some()) {
        let mut directive = ControlDirective::of_response(&response);
        if let Some(error) = response.error {
            add_error(&mut directive.metadata, error);
        }
        read.push(ControlIn::Directive(directive));
    }
    read
}

pub(super) fn pause(signal: FlowControlSignal) -> Option<bool> {
    match signal {
        FlowControlSignal::Pause => Some(true),
        FlowControlSignal::Resume => Some(false),
        FlowControlSignal::Unspecified => None,
    }
}

/// An error's facts beside the directive's own.
fn add_error(facts: &mut BTreeMap<String, String>, error: transport_proto::v1::ControlError) {
    let told = [
        ("code".to_owned(), error.code.to_string()),
        ("message".to_owned(), error.message),
    ];
    for (key, value) in told.into_iter().chain(error.details) {
        facts.entry(key).or_insert(value);
    }
}
