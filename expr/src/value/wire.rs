//! Values read straight from the bytes of a `google.protobuf.Struct`.
//!
//! Owns offsets' worth of nothing: a struct or list is its bytes, walked anew for every look.
//! The bytes were checked when the packet came in; what is malformed all the same reads as the
//! end. Of a key that comes twice the last one counts.

use memchr::memmem;
use transport_proto::wire::Cursor;

use super::{List, Map, Text, Tree, Value};

/// Tags inside `Struct` and its entries, `Value` and `ListValue`.
mod tag {
    pub(super) const FIELDS: u32 = 0x0a;
    pub(super) const KEY: u32 = 0x0a;
    pub(super) const VALUE: u32 = 0x12;
    pub(super) const NULL: u32 = 0x08;
    pub(super) const NUMBER: u32 = 0x11;
    pub(super) const TEXT: u32 = 0x1a;
    pub(super) const BOOL: u32 = 0x20;
    pub(super) const STRUCT: u32 = 0x2a;
    pub(super) const LIST: u32 = 0x32;
    pub(super) const VALUES: u32 = 0x0a;
}

/// The bytes of a `Struct`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireStruct<'v>(&'v [u8]);

impl<'v> WireStruct<'v> {
    pub(crate) fn new(bytes: &'v [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Value<'v>> {
        let mut found = None;
        self.each(|name, value| {
            if name == key {
                found = Some(value);
            }
        });
        found.map(decode)
    }

    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        let mut any = false;
        self.each(|_, _| any = true);
        !any
    }

    pub(crate) fn tree(&self) -> Tree<'v> {
        let mut tree = Tree::new();
        self.each(|key, value| {
            tree.insert(Text::Borrowed(key), decode(value));
        });
        tree
    }

    pub(crate) fn holds(&self, needle: &[u8]) -> bool {
        memmem::find(self.0, needle).is_some()
    }

    /// Calls `visit` with the key and the undecoded value of each entry.
    fn each(&self, mut visit: impl FnMut(&'v [u8], &'v [u8])) {
        let mut cursor = Cursor::new(self.0);
        while let Some((found, body)) = part(&mut cursor) {
            if found == tag::FIELDS {
                let (key, value) = entry(body);
                visit(key, value);
            }
        }
    }
}

/// The bytes of a `ListValue`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireList<'v>(&'v [u8]);

impl<'v> WireList<'v> {
    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value<'v>> + use<'v> {
        let mut cursor = Cursor::new(self.0);
        std::iter::from_fn(move || {
            loop {
                let (found, body) = part(&mut cursor)?;
                if found == tag::VALUES {
                    return Some(decode(body));
                }
            }
        })
    }
}

/// The next field of a message: its tag, and its bytes where it has a length.
fn part<'v>(cursor: &mut Cursor<'v>) -> Option<(u32, &'v [u8])> {
    if cursor.is_done() {
        return None;
    }
    let found = cursor.tag().ok()?;
    if found & 7 == 2 {
        return Some((found, cursor.len_bytes().ok()?));
    }
    cursor.skip(found).ok()?;
    Some((found, &[]))
}

/// Key and undecoded value of an entry.
fn entry(body: &[u8]) -> (&[u8], &[u8]) {
    let mut cursor = Cursor::new(body);
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some((found, bytes)) = part(&mut cursor) {
        match found {
            tag::KEY => key = bytes,
            tag::VALUE => value = bytes,
            _ => {}
        }
    }
    (key, value)
}

/// Decodes a `Value`; one without a kind is null.
fn decode(body: &[u8]) -> Value<'_> {
    let mut cursor = Cursor::new(body);
    let mut value = Value::Nil;
    while !cursor.is_done() {
        let Ok(found) = cursor.tag() else { break };
        let next = match found {
            tag::NUMBER => {
                let at = cursor.at();
                body.get(at..at + 8)
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(|bytes| Value::Float(f64::from_le_bytes(bytes)))
                    .filter(|_| cursor.skip(found).is_ok())
            }
            tag::NULL => cursor.varint().ok().map(|_| Value::Nil),
            tag::BOOL => cursor.varint().ok().map(|bit| Value::Bool(bit != 0)),
            tag::TEXT => cursor
                .len_bytes()
                .ok()
                .map(|bytes| Value::Text(Text::Borrowed(bytes))),
            tag::STRUCT => cursor
                .len_bytes()
                .ok()
                .map(|bytes| Value::Map(Map::of_wire(WireStruct(bytes)))),
            tag::LIST => cursor
                .len_bytes()
                .ok()
                .map(|bytes| Value::List(List::of_wire(WireList(bytes)))),
            other => cursor.skip(other).ok().map(|()| value.clone()),
        };
        let Some(next) = next else { break };
        value = next;
    }
    value
}
