//! Stories: from YAML files to an immutable [`Snapshot`] (spec 2.1).
//!
//! Owns: reading files and folders, the resources' shapes, the streaming settings and how their
//! levels merge, the graph, which values are expressions, and every text that says what is wrong
//! with a file and where. Never does: route a packet, evaluate an expression for one, watch a
//! file, or open a socket.
//!
//! The way of a file: `files` (paths to texts) -> `yaml` (text to nodes with lines) -> `resource`
//! (what a document is) -> `documents`, `document`, `step` (fields) with `settings` (levels
//! merged) -> `assemble` with `graph` (needs to edges), `ways` (edges through primitives) and
//! `programs` (expressions, compiled) -> [`Snapshot`].

mod assemble;
mod document;
mod documents;
mod fields;
mod files;
mod graph;
mod load;
mod located;
mod media;
mod model;
mod names;
mod problem;
mod programs;
mod read;
mod resource;
pub mod settings;
mod step;
mod unsupported;
mod ways;
mod yaml;

pub use load::{LoadOptions, Loaded, load, load_str};
pub use located::{Located, Place};
pub use media::{AudioFormat, Media, VideoFormat};
pub use model::{
    Backoff, Concurrency, ConcurrencyMode, ConcurrencyScope, Edge, EngramStep, PrimitiveKind,
    Retry, Run, Snapshot, Step, StepKind, Story,
};
pub use problem::{Note, Problem, Problems, Warning};
pub use programs::{
    Checked, Constant, Expression, RuleProgram, RunInputs, Schemas, StepPrograms, StepSchemas,
    attributes,
};
pub(crate) use read::did_you_mean;
pub use settings::StreamingSettings;
pub use unsupported::Unsupported;
pub use ways::{Way, Ways};
