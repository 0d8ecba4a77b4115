//! The template dialect (spec 4.1): Go `text/template` with a subset of Sprig.
//!
//! Text goes [`lexer`] -> [`parser`] -> [`scope`] once, when it is compiled, and its tree is
//! walked by [`eval`] for every packet. Nothing here knows of packets.

mod bracket;
mod call;
mod eval;
mod field;
mod lexer;
mod number;
mod offloaded;
mod parser;
mod path;
mod program;
mod quote;
mod reads;
mod scope;
mod shortcut;
mod tree;

pub(crate) use eval::Cx;
pub(crate) use number::{parse_float, parse_int};
pub(crate) use path::BarePath;
pub use program::Template;
pub(crate) use quote::{is_printable, quote, quote_char};
pub(crate) use shortcut::MetadataTest;
