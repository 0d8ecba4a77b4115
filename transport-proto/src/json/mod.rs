//! JSON as the peers of this contract read and write it (spec 1).
//!
//! Owns: one pass that checks a text, and views into a checked text. A library does
//! not serve here: peers keep payloads verbatim (duplicate keys, spelling of numbers,
//! lone surrogates), replace text that is no UTF-8 instead of refusing it, and nest up
//! to [`MAX_DEPTH`] deep, which a parser by recursion cannot. Never builds a tree.

mod escape;
mod scan;
mod structs;
mod value;

pub use escape::{compact, put_text};
pub use scan::{JsonError, MAX_DEPTH};
pub use structs::{StructError, from_struct, to_struct};
pub use value::{Items, Kind, Members, Value};

#[cfg(test)]
mod tests;
