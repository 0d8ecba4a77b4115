//! A connection to `host:port`, and streams of bytes over it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::Ended;
use super::raw::RawCodec;
use crate::start::is_plaintext;

/// Largest message either way: what any peer accepts (spec 2.8), and its gRPC prefix.
const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024 + 1024;
/// What one stream may have under way; small, so that a slow engram is felt soon.
const STREAM_WINDOW: u32 = 256 * 1024;
/// What all streams may have under way: receipts pass though Data is not read.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// A hub that answers no PING is gone.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects.
pub(super) async fn dial(endpoint: &str, within: Duration) -> Result<Channel, Ended> {
    if !is_plaintext(endpoint) {
        return Err(Ended::for_good(format!(
            "{endpoint} is not this machine: TLS is not built into this SDK yet"
        )));
    }
    let endpoint = Endpoint::from_shared(format!("http://{endpoint}"))
        .map_err(|error| Ended::for_good(format!("no address: {endpoint}: {error}")))?
        .connect_timeout(within)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    let connected = endpoint.connect().await;
    connected.map_err(|error| Ended::unavailable(cause(&error)))
}

/// The innermost reason: tonic's own text is only "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Opens a stream each way; the answer's headers have come when it returns.
pub(super) async fn open(
    channel: &Channel,
    path: &'static str,
    metadata: MetadataMap,
    messages: impl Stream<Item = Bytes> + Send + 'static,
) -> Result<Streaming<Bytes>, Status> {
    let mut grpc = Grpc::new(channel.clone())
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(cause(&error)))?;
    let mut request = Request::new(messages);
    *request.metadata_mut() = metadata;
    let path = PathAndQuery::from_static(path);
    let response = grpc.streaming(request, path, RawCodec).await?;
    Ok(response.into_inner())
}

/// Adds a pair of request metadata.
pub(super) fn put(metadata: &mut MetadataMap, key: &'static str, value: &str) -> Result<(), Ended> {
    let value = MetadataValue::try_from(value)
        .map_err(|_| Ended::for_good(format!("{key} cannot be sent: {value:?}")))?;
    metadata.insert(key, value);
    Ok(())
}
