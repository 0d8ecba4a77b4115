//! Expressions of Stories (spec 4): compiled once, evaluated per packet, bounded.
//!
//! Owns the two dialects, templates and CEL: parsing, what each program reads, evaluation over
//! variables that are read where they lie. Never does I/O, never looks at a clock, never knows
//! of runs, edges or settings.
//!
//! # How the hub calls it
//!
//! When a Story snapshot is built:
//!
//! 1. [`Condition::compile`] for each `if` and `when`, [`Block::compile`] for each `runtime`
//!    ([`Mode::Runtime`]) and `with` ([`Mode::With`]), with the [`Dialect`] that the annotation
//!    `hub/expressions` names. Every [`CompileError`] refuses the Story; the hub puts story and
//!    step before its `path` and `column`. [`Block::taken_as_cel`] and
//!    [`Condition::is_taken_as_cel`] ask for a warning.
//! 2. [`Reads::steps`] of each program is checked against the graph (unknown steps refuse the
//!    Story), and the [`Reads`] of all programs of an edge are [merged](Reads::merge): they
//!    tell whether the payload, the media facts, or which steps must be at hand per packet.
//!
//! Per packet and edge with programs:
//!
//! 3. [`PacketFields::new`] over the walked `PacketView` (with [`Payload::None`] unless
//!    [`Reads::reads_payload`]), [`StepFields::new`] for the steps read, then [`Variables`].
//! 4. [`Condition::evaluate`]; [`Fault::NotReady`] means that the edge does not fire, any other
//!    [`Fault`] that this packet ends on this edge as `expression`.
//! 5. [`Block::evaluate`], then [`structs::encode`] into the bytes of the new `inputs`. `with`
//!    is evaluated once per run and its bytes kept.
//!
//! ```
//! use expr::{Condition, Dialect, Limits, PacketFields, Payload, Surroundings, Variables, structs};
//! use transport_proto::view::{Dialect as Numbering, PacketView};
//!
//! let when = r#"{{ eq packet.metadata.lang "de" }}"#;
//! let condition = Condition::compile(when, Dialect::default(), Limits::default()).unwrap();
//! assert!(!condition.reads().reads_payload());
//!
//! // metadata {"lang": "de"}
//! let bytes = b"\x0a\x0a\x0a\x04lang\x12\x02de";
//! let view = PacketView::parse(bytes, Numbering::Packet).unwrap();
//! let packet = PacketFields::new(&view, bytes, &Payload::None);
//! let variables = Variables::new(structs::decode(b""), packet, Vec::new());
//! let answer = condition.evaluate(&variables, &Surroundings::default());
//! assert_eq!(answer, Ok(true));
//! ```
//!
//! # Bounds
//!
//! [`Limits`] hold the size of a source, nesting, steps, output and memory; running out is
//! [`Fault::Limit`]. CEL's interpreter counts no steps, so its sources are shorter, nested
//! comprehensions are refused, and what an expression may look at is counted.

mod block;
mod cel;
mod chance;
mod characters;
mod compile;
mod fault;
mod format;
mod functions;
pub mod json;
mod limits;
mod moment;
mod packet;
mod program;
mod reads;
pub mod structs;
mod template;
mod value;
mod version;

pub use block::{Block, Condition, Surroundings};
pub use cel::CelText;
pub use compile::{CompileError, Dialect, ErrorKind, Mode};
pub use fault::{Bound, Fault};
pub use limits::Limits;
pub use moment::Moment;
pub use packet::{PacketFields, Payload, StepFields, Variables};
pub use reads::{ReadPath, Reads};
pub use template::Template;
pub use value::{Fields, IntType, List, ListType, Map, MapType, Text, Tree, UintType, Value};
pub use version::Version;
