//! Tokens to a tree, or the first thing that is wrong with them.
//!
//! Owns the walk over the tokens and what is known on the way: variables in sight, templates
//! defined, nesting. [`nodes`] reads text, actions and control structures, [`pipeline`] what
//! stands inside an action, [`operand`] one value of it. Never evaluates anything, never asks
//! which roots may be read.

mod nodes;
mod operand;
mod pipeline;

use std::collections::HashMap;

use super::lexer::{Kind, Token, tokens};
use super::tree::{Nodes, ROOT, Variable};
use crate::functions::Set;
use nodes::Ended;

/// A parsed text.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) nodes: Nodes,
    /// No function but those of the language itself is named, anywhere in the text.
    pub(super) only_builtins: bool,
    /// The text is one action from its first byte to its last: not even a comment besides.
    pub(super) is_one_action: bool,
}

/// Why a text is no template: where (column of the source, from 1) and a near name.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) column: usize,
    pub(super) message: String,
    pub(super) near: Option<String>,
}

/// Parses a text with the functions of `set`.
pub(super) fn parse(text: &str, set: Set, nesting: usize) -> Result<Parsed, Wrong> {
    let mut parser = Parser {
        tokens: tokens(text),
        at: 0,
        set,
        nesting,
        depth: 0,
        height: 0,
        ranges: 0,
        names: HashMap::from([("$".to_owned(), ROOT)]),
        visible: vec![ROOT],
        templates: HashMap::new(),
        only_builtins: true,
    };
    let nodes = parser.whole()?;
    Ok(Parsed {
        nodes,
        only_builtins: parser.only_builtins,
        is_one_action: is_one_action(text, &parser.tokens),
    })
}

fn is_one_action(text: &str, tokens: &[Token<'_>]) -> bool {
    let opens = tokens.iter().filter(|token| token.kind == Kind::Open);
    let begins = tokens
        .first()
        .is_some_and(|token| token.kind == Kind::Open && token.at == 0);
    let ends = tokens.iter().rev().nth(1).is_some_and(|token| {
        token.kind == Kind::Close && token.at + token.text.len() == text.len()
    });
    begins && ends && opens.count() == 1
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    set: Set,
    nesting: usize,
    /// Structures and parentheses that are open.
    depth: usize,
    /// Levels of parentheses and lookups in brackets that the operand read last has.
    height: usize,
    ranges: usize,
    names: HashMap<String, Variable>,
    visible: Vec<Variable>,
    /// Templates defined so far, and whether they are empty.
    templates: HashMap<Vec<u8>, bool>,
    only_builtins: bool,
}

impl<'t> Parser<'t> {
    fn token(&self) -> Token<'t> {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens[self.at.min(last)]
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.token();
        self.at += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.token().kind == Kind::Space {
            self.at += 1;
        }
    }

    fn next_word(&mut self) -> Token<'t> {
        self.skip_space();
        self.next()
    }

    fn peek_word(&mut self) -> Token<'t> {
        self.skip_space();
        self.token()
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> Wrong {
        Wrong {
            column: at + 1,
            message: message.into(),
            near: None,
        }
    }

    fn unexpected(&self, token: Token<'_>, context: &str) -> Wrong {
        match token.kind {
            Kind::Wrong => self.wrong(token.at, token.text),
            Kind::End => self.wrong(token.at, format!("unexpected end in {context}")),
            _ => self.wrong(
                token.at,
                format!("unexpected {:?} in {context}", token.text),
            ),
        }
    }

    fn enter(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > self.nesting {
            return Err(self.wrong(self.token().at, "nested too deep"));
        }
        Ok(())
    }

    fn expect_close(&mut self, context: &str) -> Result<(), Wrong> {
        let token = self.next_word();
        if token.kind == Kind::Close {
            Ok(())
        } else {
            Err(self.unexpected(token, context))
        }
    }

    fn whole(&mut self) -> Result<Nodes, Wrong> {
        let (nodes, ended) = self.nodes(true)?;
        if ended == Ended::Text {
            return Ok(nodes);
        }
        Err(self.wrong(self.token().at, "unexpected end or else"))
    }
}
