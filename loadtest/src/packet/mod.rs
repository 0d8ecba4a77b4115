//! Owns the bytes of a generated message: how they are laid out, patched, found again and checked.
//!
//! A message is built once per producer and size, and patched in place for every send; it is never
//! encoded anew. Reading shares no code with the hub: a fault in the hub's own packet view must not
//! be able to hide itself here.

mod encode;
mod header;
mod layout;
mod read;
mod template;

pub use encode::put_receipt;
pub use header::{HEADER_LEN, Header, HeaderError, JSON_HEADER_AT};
pub use layout::Layout;
pub use read::{
    Flow, Frame, FrameKind, Identity, ReadError, open_flow, open_identified, open_message,
    struct_text,
};
pub use template::{Kind, Stamp, Template, TemplateError, number_len};
