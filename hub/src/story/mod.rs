//! Stories: from YAML files to an immutable [`Snapshot`] (spec 2.1).
//!
//! Owns: reading files and folders, the resources' shapes, the streaming settings and how their
//! levels merge, the graph, and every text that says what is wrong with a file and where.
//! Never does: route a packet, evaluate an expression, watch a file, or open a socket.
//!
//! The way of a file: `yaml` (text to nodes with lines) -> `resource` (nodes to typed documents)
//! -> `settings` (levels merged) -> `graph` (needs to edges) -> [`Snapshot`].

mod graph;
mod load;
mod located;
mod model;
mod problem;
pub mod settings;
mod unsupported;
mod yaml;

pub use load::{LoadOptions, Loaded, load, load_str};
pub use located::{Located, Place};
pub use model::{
    Concurrency, ConcurrencyMode, ConcurrencyScope, Edge, EngramStep, PrimitiveKind, Retry, Run,
    Snapshot, Step, StepKind, Story,
};
pub use problem::{Note, Problem, Problems, Warning};
pub use settings::StreamingSettings;
pub use unsupported::Unsupported;
