//! A JSON object as a `google.protobuf.Struct`, without recursion.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};

use super::StructError;
use crate::json::escape::unescaped;
use crate::json::scan::{Event, Scanner};
use crate::json::value::Kind;
use crate::wire::{len_field_len, put_varint};

/// A value on its way from JSON to a Struct.
struct Node {
    /// The name that it has in its object.
    name: Option<String>,
    content: Content,
    children: Vec<usize>,
    /// Encoded bytes of its content (of a Struct, a list, or a scalar's field).
    len: usize,
}

enum Content {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List,
    Object,
}

/// Encodes the JSON object `text` as the body of a `google.protobuf.Struct`; `null` is
/// the empty one. Of a name that comes twice, the last value counts.
///
/// # Errors
/// [`StructError`] where it is no object of JSON, or a number is past a double.
pub fn to_struct(text: &[u8]) -> Result<BytesMut, StructError> {
    let mut nodes = parse(text)?;
    for at in (0..nodes.len()).rev() {
        let len = content_len(&nodes, at);
        if let Some(node) = nodes.get_mut(at) {
            node.len = len;
        }
    }
    let root = match nodes.first() {
        Some(Node {
            content: Content::Null,
            ..
        })
        | None => return Ok(BytesMut::new()),
        Some(root) => root,
    };
    let mut out = BytesMut::with_capacity(root.len);
    write(&nodes, &mut out);
    Ok(out)
}

/// Every value of the text; a value comes before those inside it.
fn parse(text: &[u8]) -> Result<Vec<Node>, StructError> {
    let mut scanner = Scanner::new(text);
    let mut nodes: Vec<Node> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut places: HashMap<(usize, String), usize> = HashMap::new();
    let mut name = None;
    while let Some(event) = scanner.next()? {
        let content = match event {
            Event::Name(range) => {
                name = Some(unescaped(text.get(range).unwrap_or_default()));
                continue;
            }
            Event::Close => {
                open.pop();
                continue;
            }
            Event::Open(Kind::Object) => Content::Object,
            Event::Open(_) => Content::List,
            Event::Scalar(kind, range) => scalar(kind, text.get(range).unwrap_or_default())?,
        };
        if nodes.is_empty() && !matches!(content, Content::Object | Content::Null) {
            return Err(StructError::NoObject(kind_of(&content)));
        }
        let at = nodes.len();
        if let Some(parent) = open.last().copied() {
            let place = name
                .clone()
                .and_then(|name| places.insert((parent, name), at));
            if let Some(parent) = nodes.get_mut(parent) {
                if place.is_some() {
                    parent.children.retain(|child| Some(*child) != place);
                }
                parent.children.push(at);
            }
        }
        if matches!(content, Content::Object | Content::List) {
            open.push(at);
        }
        nodes.push(Node {
            name: name.take(),
            content,
            children: Vec::new(),
            len: 0,
        });
    }
    Ok(nodes)
}

fn scalar(kind: Kind, raw: &[u8]) -> Result<Content, StructError> {
    Ok(match kind {
        Kind::True => Content::Bool(true),
        Kind::False => Content::Bool(false),
        Kind::Text => Content::Text(unescaped(raw)),
        Kind::Number => {
            let text = std::str::from_utf8(raw).unwrap_or_default();
            let number = text.parse().unwrap_or(f64::INFINITY);
            if !f64::is_finite(number) {
                return Err(StructError::Number(text.to_owned()));
            }
            Content::Number(number)
        }
        _ => Content::Null,
    })
}

fn kind_of(content: &Content) -> Kind {
    match content {
        Content::Null => Kind::Null,
        Content::Bool(_) => Kind::True,
        Content::Number(_) => Kind::Number,
        Content::Text(_) => Kind::Text,
        Content::List => Kind::List,
        Content::Object => Kind::Object,
    }
}

/// Bytes of a `Value` message around a node's content.
fn value_len(node: &Node) -> usize {
    match node.content {
        Content::Null | Content::Bool(_) => 2,
        Content::Number(_) => 9,
        Content::Text(_) | Content::List | Content::Object => len_field_len(node.len),
    }
}

/// Bytes of a map entry: name (left out when empty) and value.
fn entry_len(node: &Node) -> usize {
    let name = node.name.as_deref().unwrap_or_default().len();
    len_field_len(name) + len_field_len(value_len(node))
}

fn content_len(nodes: &[Node], at: usize) -> usize {
    let Some(node) = nodes.get(at) else { return 0 };
    let children = node.children.iter().filter_map(|child| nodes.get(*child));
    match &node.content {
        Content::Text(text) => text.len(),
        Content::List => children.map(|child| len_field_len(value_len(child))).sum(),
        Content::Object => children.map(|child| len_field_len(entry_len(child))).sum(),
        _ => 0,
    }
}

fn write(nodes: &[Node], out: &mut BytesMut) {
    let mut waiting: Vec<usize> = Vec::new();
    let push = |waiting: &mut Vec<usize>, node: &Node| waiting.extend(node.children.iter().rev());
    if let Some(root) = nodes.first() {
        push(&mut waiting, root);
    }
    while let Some(node) = waiting.pop().and_then(|at| nodes.get(at)) {
        if let Some(name) = &node.name {
            put_head(out, 0x0a, entry_len(node));
            put_head(out, 0x0a, name.len());
            out.extend_from_slice(name.as_bytes());
            put_head(out, 0x12, value_len(node));
        } else {
            put_head(out, 0x0a, value_len(node));
        }
        match &node.content {
            Content::Null => out.extend_from_slice(&[0x08, 0]),
            Content::Number(number) => {
                out.put_u8(0x11);
                out.put_f64_le(*number);
            }
            Content::Text(text) => {
                put_head(out, 0x1a, text.len());
                out.extend_from_slice(text.as_bytes());
            }
            Content::Bool(value) => out.extend_from_slice(&[0x20, u8::from(*value)]),
            Content::Object => put_head(out, 0x2a, node.len),
            Content::List => put_head(out, 0x32, node.len),
        }
        push(&mut waiting, node);
    }
}

fn put_head(out: &mut BytesMut, tag: u8, len: usize) {
    out.put_u8(tag);
    put_varint(out, len as u64);
}
