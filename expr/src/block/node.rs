//! A block's value with programs in it.

use super::Program;
use super::wrapper::Wrapper;
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{Text, Tree, Value};

/// A value of a block: at hand, or yet to be evaluated. As deep as
/// [`Limits::depth`](crate::Limits::depth) allows.
#[derive(Debug)]
pub(super) enum Node {
    /// Holds no program.
    Literal(Value<'static>),
    Program(Box<Program>),
    List(Vec<Node>),
    Object(Vec<(Text<'static>, Node)>),
    Wrapper(Box<Wrapper>),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into the block: its texts must be UTF-8, as what carries it holds no others.
    Field,
    /// Into a variable, whose texts are bytes.
    Variable,
}

impl Place {
    /// The value of a program, if it may go here.
    pub(super) fn checked(self, value: Value<'_>) -> Result<Value<'_>, Fault> {
        if let (Self::Field, Value::Text(text)) = (self, &value) {
            check_utf8(text)?;
        }
        Ok(value)
    }
}

impl Node {
    pub(super) fn list(nodes: Vec<Self>) -> Self {
        match nodes.iter().map(Self::literal).collect() {
            Some(values) => Self::Literal(Value::list(values)),
            None => Self::List(nodes),
        }
    }

    pub(super) fn object(entries: Vec<(Text<'static>, Self)>) -> Self {
        let tree: Option<Tree<'static>> = entries
            .iter()
            .map(|(key, node)| Some((key.clone(), node.literal()?)))
            .collect();
        match tree {
            Some(tree) => Self::Literal(Value::map(tree)),
            None => Self::Object(entries),
        }
    }

    fn literal(&self) -> Option<Value<'static>> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// The value over the variables `root`.
    pub(super) fn evaluate<'v>(
        &'v self,
        root: &Value<'v>,
        cx: &Cx<'_>,
        place: Place,
    ) -> Result<Value<'v>, Fault> {
        cx.meter.burn(1)?;
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Program(program) => place.checked(program.evaluate(root, cx)?),
            Self::List(nodes) => nodes
                .iter()
                .map(|node| node.evaluate(root, cx, place))
                .collect::<Result<_, _>>()
                .map(Value::list),
            Self::Object(entries) => entries
                .iter()
                .map(|(key, node)| Ok((key.clone(), node.evaluate(root, cx, place)?)))
                .collect::<Result<Tree<'v>, Fault>>()
                .map(Value::map),
            Self::Wrapper(wrapper) => wrapper.evaluate(root, cx, place),
        }
    }
}

/// Fails for bytes that were cut in the middle of a character.
pub(super) fn check_utf8(text: &Text<'_>) -> Result<(), Fault> {
    match std::str::from_utf8(text.bytes()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::type_error(format!(
            "a text that is no UTF-8: {error}"
        ))),
    }
}
