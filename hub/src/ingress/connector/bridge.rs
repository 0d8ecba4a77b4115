//! The one message of a batch engram: a Data stream with neither a protocol version nor a Control,
//! whose message says itself whose it is (spec 3, "Identity").
//!
//! Such an engram is registered for as long as its message takes. It takes no step from anybody who
//! is connected.

use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use engine::{Generation, Registration, Taken};
use h2::{RecvStream, SendStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use transport_proto::view::{Dialect, PacketView};

use crate::egress::Chunk;
use crate::ingress::deframe::{Deframer, Message, Next};
use crate::ingress::registration::refusal_status;
use crate::ingress::request::{Door, Peer};
use crate::ingress::{Status, peers::Seat};
use crate::plane::{Stream, Wakers};

/// How long it may take to say it, and to find room for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often room is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Metadata of the message: whose it is.
const NAMESPACE: &str = "stepRunNamespace";
const RUN: &str = "storyRunID";
const STEP: &str = "stepName";

/// A stream that may be such a bridge.
pub(super) struct Bridge {
    pub(super) door: Rc<Door>,
    pub(super) peer: Peer,
    pub(super) body: RecvStream,
    pub(super) deframer: Deframer,
    pub(super) send: SendStream<Chunk>,
    pub(super) seat: Seat,
}

/// Takes the message, routes it as a packet of its step, and ends the stream.
pub(super) async fn bridge(mut bridge: Bridge, mut stop: watch::Receiver<bool>) {
    let taken = tokio::select! {
        taken = timeout(PATIENCE, bridge.take()) => taken,
        _ = stop.wait_for(|&stop| stop) => return,
    };
    let status = match taken {
        Ok(Ok(())) => Status::ok(),
        Ok(Err(status)) => status,
        Err(_elapsed) => Status::unavailable(format!("not done within {PATIENCE:?}")),
    };
    let (peer, code) = (&bridge.peer.name, status.code());
    tracing::info!(%peer, ?code, reason = status.message(), "one message of a batch engram");
    bridge.door.registrations.note(code);
    // A client that has gone meanwhile wants no status.
    let _ = bridge.send.send_trailers(status.trailers());
    drop(bridge.seat);
}

impl Bridge {
    async fn take(&mut self) -> Result<(), Status> {
        let message = self.message().await?;
        let mut view = PacketView::new(Dialect::Connector);
        view.walk(&message)
            .map_err(|error| Status::invalid_argument(format!("no DataRequest: {error}")))?;
        let named = |key| view.metadata(&message, key).unwrap_or_default();
        let (namespace, run, step) = (named(NAMESPACE), named(RUN), named(STEP));
        if run.is_empty() || step.is_empty() {
            return Err(Status::failed_precondition(format!(
                "transport protocol mismatch: a stream without bubu-transport-protocol must say \
                 in its message's metadata whose it is ({RUN}, {STEP}, {NAMESPACE})"
            )));
        }
        let who = Registration {
            namespace: if namespace.is_empty() {
                "default"
            } else {
                namespace
            },
            run,
            step,
            generation: Generation::FIRST,
            producer_epoch: None,
            accepts: engine::Accepts::default(),
        };
        if self.door.plane.is_connected(&who) {
            return Err(Status::unavailable(format!(
                "step {step} of run {run} is connected: it speaks for itself"
            )));
        }
        let nobody = Waker::noop();
        let wakers = Wakers {
            write: nobody.clone(),
            read: nobody.clone(),
            control: Some(nobody.clone()),
        };
        let registered = self.door.plane.register(who, &self.peer.name, &wakers);
        let stream = registered.map_err(|refusal| refusal_status(&refusal))?;
        let speaking = Speaking(self.door.clone(), stream);
        speaking.route(&message).await
    }

    /// The one message.
    async fn message(&mut self) -> Result<Bytes, Status> {
        let mut first = None;
        while let Some(chunk) = self.body.data().await {
            let chunk = chunk.map_err(|error| Status::unavailable(error.to_string()))?;
            // Fails only for a stream that is gone, which the next read notices.
            let _ = self.body.flow_control().release_capacity(chunk.len());
            self.deframer.feed(chunk, |message| {
                // Nothing is left in pieces here.
                if let Message::Whole { source, range, .. } = message {
                    first.get_or_insert_with(|| source.slice(range));
                }
                Ok(Next::Go)
            })?;
        }
        let ended = self.deframer.ended();
        if ended.code() != tonic::Code::Ok {
            return Err(ended);
        }
        first.ok_or_else(|| {
            Status::failed_precondition(
                "transport protocol mismatch: the client names no version \
                 (request metadata bubu-transport-protocol)",
            )
        })
    }
}

/// A registration for the time of one message.
struct Speaking(Rc<Door>, Rc<Stream>);

impl Speaking {
    async fn route(&self, message: &Bytes) -> Result<(), Status> {
        let Self(door, stream) = self;
        loop {
            // Somebody has come for the step meanwhile.
            if let Some(status) = stream.ending() {
                return Err(status);
            }
            let now = door.plane.now();
            let all = 0..message.len();
            let pinned = message.len();
            let taken = door.plane.route_connector(stream, now, |router| {
                let taken = router.packet(message, all, pinned);
                router.or_drop(taken)
            });
            if taken == Taken::Yes {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        self.0.plane.disconnect(&self.1);
    }
}
