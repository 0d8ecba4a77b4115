//! Names of the contract: keys and values of packet metadata and of gRPC request
//! metadata that peers and the hub agree on (spec 1, 2.2 to 2.7, 3 and 11).

/// Keys of a packet's `metadata`, and the values that have a meaning.
pub mod metadata {
    /// `true` makes a packet a heartbeat (spec 2.6).
    pub const HEARTBEAT: &str = "bubu-heartbeat";
    /// The value of [`HEARTBEAT`].
    pub const HEARTBEAT_TRUE: &str = "true";
    /// `kind` of the JSON envelope: data, heartbeat, noop, error, hook.
    pub const ENVELOPE_KIND: &str = "bubu.envelope.kind";
    /// `messageId` of the JSON envelope.
    pub const ENVELOPE_MESSAGE_ID: &str = "bubu.envelope.message_id";
    /// `timestampMs` of the JSON envelope: decimal Unix milliseconds.
    pub const ENVELOPE_TIMESTAMP_MS: &str = "bubu.envelope.timestamp_ms";
    /// Run of the packet; written by the hub for every target (spec 2.3).
    pub const STORYRUN_NAME: &str = "storyrun-name";
    /// Namespace of the run; written by the hub for every target.
    pub const STORYRUN_NAMESPACE: &str = "storyrun-namespace";
    /// The step that the packet is for; written by the hub for every target.
    pub const CURRENT_STEP_ID: &str = "current-step-id";
    /// Kind of stream, such as `speech.audio.v1`: a hint.
    pub const TYPE: &str = "type";
    /// `hook` on packets that announce a lifecycle event (spec 2.7).
    pub const KIND: &str = "kind";
    /// What packets of different upstreams meet by (spec 2.3, join).
    pub const JOIN_KEY: &str = "bubu.join.key";
    /// Decimal number of the turn that a packet belongs to (spec 2.5).
    pub const TURN: &str = "bubu.turn";
    /// Control on a stream that has no control channel: `interrupt`, `keyframe`.
    pub const HUB_CONTROL: &str = "hub-control";
    /// Keys that a partition is taken from when the configured one is empty, in order.
    pub const PARTITION_KEYS: [&str; 4] = [
        "partition_key",
        "partition-key",
        "bubu.partition_key",
        "bubu.partition",
    ];
    /// Lifecycle hooks: the event.
    pub const HOOK_EVENT: &str = "hook.event";
    /// Lifecycle hooks: who sent it (`hub`).
    pub const HOOK_SOURCE: &str = "hook.source";
    /// Lifecycle hooks: the step that it is about.
    pub const HOOK_STEP: &str = "hook.step";
    /// Lifecycle hooks: `hub`.
    pub const SOURCE: &str = "source";
    /// Lifecycle hooks: `hub`.
    pub const PROVIDER: &str = "provider";
    /// W3C trace context; passes through.
    pub const TRACEPARENT: &str = "traceparent";
    /// W3C trace context; passes through.
    pub const TRACESTATE: &str = "tracestate";
}

/// Keys of gRPC request metadata (spec 2.2, 3).
pub mod request {
    /// Version of the contract that the peer speaks.
    pub const PROTOCOL: &str = "bubu-transport-protocol";
    /// The one value of [`PROTOCOL`] that is spoken here.
    pub const PROTOCOL_VERSION: &str = "1.0.0";
    /// Run that the peer registers for.
    pub const STORYRUN_NAME: &str = "storyrun-name";
    /// Namespace of the run.
    pub const STORYRUN_NAMESPACE: &str = "storyrun-namespace";
    /// Step that the peer registers as.
    pub const CURRENT_STEP_ID: &str = "current-step-id";
    /// Base-10 int32 > 0; a higher one takes the step over.
    pub const CONNECTOR_GENERATION: &str = "connector-generation";
    /// `required` or `none`.
    pub const STARTUP_CAPABILITIES: &str = "startup.capabilities";
    /// `<namespace>/<name>` of the binding, on Control.
    pub const TRANSPORT_BINDING: &str = "bubu.transport.binding";
    /// Ours: this client numbers its own packets (at most 128 characters).
    pub const PRODUCER_EPOCH: &str = "hub-producer-epoch";
    /// Ours: comma list of what the client acts on (`pause`, `control`).
    pub const ACCEPT: &str = "hub-accept";
    /// Ours: Story of a run that is to be made on registration (spec 2.1).
    pub const STORY_NAME: &str = "story-name";
}

/// Media types with a meaning of their own.
pub mod mime {
    /// A structured packet as a JSON envelope inside a `BinaryFrame` (spec 1).
    pub const PACKET_JSON: &str = "application/vnd.bubu.packet+json";
}

/// `custom_action` of control messages.
pub mod action {
    /// Receipt for one packet: metadata [`receipt`](super::receipt) (spec 2.4 rule 2).
    pub const DOWNSTREAM_DELIVERED: &str = "downstream.delivered";
    /// Barge-in: drops lower turns (spec 2.5).
    pub const INTERRUPT: &str = "interrupt";
    /// Asks producers for a key frame (spec 2.5).
    pub const KEYFRAME: &str = "keyframe";
}

/// Metadata of a receipt on the control channel.
pub mod receipt {
    /// The envelope's stream.
    pub const STREAM_ID: &str = "stream_id";
    /// The envelope's sequence, decimal.
    pub const SEQUENCE: &str = "sequence";
    /// The envelope's partition, may be empty.
    pub const PARTITION: &str = "partition";
    /// Encoded size of what was received, decimal bytes.
    pub const SIZE_BYTES: &str = "size_bytes";
}
