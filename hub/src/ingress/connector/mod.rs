//! Engrams that connect directly: `TransportConnectorService` (spec 3).
//!
//! A session is two streams of one connection: Data carries packets, on the same path as those of
//! Process, and Control says who it is and carries the rest. Owns what binds the two together and
//! what is said on Control; never decides about packets.
//!
//! | file | does |
//! | --- | --- |
//! | `binding` | request metadata of Control to a registration |
//! | `bridge` | the one message of a batch engram |
//! | `capabilities` | what is told of codecs, and what comes of asking for one |
//! | `link` | which Data belongs to which Control of a connection |
//! | `control` | one Control stream: read, answer, tell |
//! | `request` | what a client says on Control |
//! | `response` | what the hub says on it |
//! | `serve` | streams of one connection, opened, paired and ended |

mod binding;
mod bridge;
mod capabilities;
mod control;
mod link;
mod request;
mod response;
mod serve;

use binding::{named, resolve};
pub(crate) use capabilities::{
    AUDIO_CHANNELS, AUDIO_CODEC, AUDIO_RATE, BINARY_TYPE, Capabilities, Catalog, VIDEO_CODEC,
    VIDEO_PROFILE,
};
use control::Control;
pub(super) use link::Parked;
pub(super) use serve::Connectors;

/// What Data and Control are served at.
pub(super) const DATA: &str = "/transport.v1.TransportConnectorService/Data";
pub(super) const CONTROL: &str = "/transport.v1.TransportConnectorService/Control";
