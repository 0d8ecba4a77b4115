//! Nodes: text, actions, and the structures that hold others.

use super::{Parser, Wrong};
use crate::characters::trim_space;
use crate::template::lexer::Kind;
use crate::template::quote::unquote;
use crate::template::tree::{self, Node, Nodes};

/// How a list of nodes ended.
#[derive(PartialEq, Eq)]
pub(super) enum Ended {
    End,
    Else,
    Text,
}

enum Action {
    Node(Node),
    Nothing,
    Ended(Ended),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Parser<'_> {
    /// Nodes up to an `end`, an `else` (its token left where it begins a condition) or the
    /// end of the text.
    pub(super) fn nodes(&mut self, top: bool) -> Result<(Nodes, Ended), Wrong> {
        let mut nodes = Nodes::new();
        loop {
            let token = self.next_word();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.text.as_bytes().into())),
                Kind::Open => match self.action(top)? {
                    Action::Node(node) => nodes.push(node),
                    Action::Nothing => {}
                    Action::Ended(ended) => return Ok((nodes, ended)),
                },
                Kind::End if top => return Ok((nodes, Ended::Text)),
                _ => return Err(self.unexpected(token, "input")),
            }
        }
    }

    fn action(&mut self, top: bool) -> Result<Action, Wrong> {
        let token = self.peek_word();
        if token.kind != Kind::Keyword {
            let pipe = self.pipe(Kind::Close, "command")?;
            return Ok(Action::Node(Node::Action(pipe)));
        }
        self.at += 1;
        let node = match token.text {
            "if" => self.control(Control::If)?,
            "with" => self.control(Control::With)?,
            "range" => self.control(Control::Range)?,
            "break" | "continue" => {
                self.expect_close(token.text)?;
                if self.ranges == 0 {
                    return Err(self.wrong(token.at, format!("{} outside range", token.text)));
                }
                if token.text == "break" {
                    Node::Break
                } else {
                    Node::Continue
                }
            }
            "end" => {
                self.expect_close("end")?;
                return Ok(Action::Ended(Ended::End));
            }
            "else" => {
                let next = self.peek_word();
                if !(next.kind == Kind::Keyword && matches!(next.text, "if" | "with")) {
                    self.expect_close("else")?;
                }
                return Ok(Action::Ended(Ended::Else));
            }
            "template" => self.include(token.at)?,
            "block" => self.block(token.at)?,
            "define" if top => {
                self.define()?;
                return Ok(Action::Nothing);
            }
            _ => return Err(self.unexpected(token, "command")),
        };
        Ok(Action::Node(node))
    }

    fn control(&mut self, kind: Control) -> Result<Node, Wrong> {
        self.enter()?;
        let visible = self.visible.len();
        let context = match kind {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let pipe = self.pipe(Kind::Close, context)?;
        let is_range = usize::from(kind == Control::Range);
        self.ranges += is_range;
        let (body, ended) = self.nodes(false)?;
        self.ranges -= is_range;
        let mut otherwise = Nodes::new();
        if ended == Ended::Else {
            let next = self.token();
            let chained = next.kind == Kind::Keyword
                && ((kind == Control::If && next.text == "if")
                    || (kind == Control::With && next.text == "with"));
            if chained {
                self.at += 1;
                otherwise.push(self.control(kind)?);
            } else {
                let at = self.token().at;
                let (nodes, ended) = self.nodes(false)?;
                if ended != Ended::End {
                    return Err(self.wrong(at, "expected end"));
                }
                otherwise = nodes;
            }
        }
        self.visible.truncate(visible);
        self.depth -= 1;
        Ok(match kind {
            Control::If => Node::If(pipe, body, otherwise),
            Control::With => Node::With(pipe, body, otherwise),
            Control::Range => Node::Range(pipe, body, otherwise),
        })
    }

    fn template_name(&mut self, context: &str) -> Result<Vec<u8>, Wrong> {
        let token = self.next_word();
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return Err(self.unexpected(token, context));
        }
        unquote(token.text).ok_or_else(|| self.wrong(token.at, "invalid syntax"))
    }

    fn include(&mut self, at: usize) -> Result<Node, Wrong> {
        let name = self.template_name("template clause")?;
        if self.peek_word().kind == Kind::Close {
            self.at += 1;
        } else {
            self.pipe(Kind::Close, "template clause")?;
        }
        Ok(Node::Include(
            String::from_utf8_lossy(&name).into_owned(),
            at + 1,
        ))
    }

    fn block(&mut self, at: usize) -> Result<Node, Wrong> {
        let name = self.template_name("block clause")?;
        self.pipe(Kind::Close, "block clause")?;
        self.definition(name.clone(), at)?;
        Ok(Node::Include(
            String::from_utf8_lossy(&name).into_owned(),
            at + 1,
        ))
    }

    fn define(&mut self) -> Result<(), Wrong> {
        let at = self.token().at;
        let token = self.next_word();
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return Err(self.unexpected(token, "define clause"));
        }
        let name = unquote(token.text).ok_or_else(|| self.wrong(token.at, "invalid syntax"))?;
        self.expect_close("define clause")?;
        self.definition(name, at)
    }

    /// The body of a template of its own, which sees no variable of the text around it. What
    /// it says is checked and left out: nothing may include it.
    fn definition(&mut self, name: Vec<u8>, at: usize) -> Result<(), Wrong> {
        self.enter()?;
        let visible = std::mem::replace(&mut self.visible, vec![tree::ROOT]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, ended) = self.nodes(false)?;
        if ended != Ended::End {
            return Err(self.wrong(at, "unexpected else in define clause"));
        }
        self.visible = visible;
        self.ranges = ranges;
        self.depth -= 1;
        let empty = nodes
            .iter()
            .all(|node| matches!(node, Node::Text(text) if trim_space(text).is_empty()));
        if !empty && self.templates.get(&name) == Some(&false) {
            return Err(self.wrong(at, "multiple definition of a template"));
        }
        let before = self.templates.get(&name).copied().unwrap_or(true);
        self.templates.insert(name, empty && before);
        Ok(())
    }
}
