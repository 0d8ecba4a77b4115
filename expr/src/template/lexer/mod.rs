//! Text to tokens. Never fails: what is wrong is a last token that says so.
//!
//! Knows the two forms that the language itself has not (spec 4.1): roots without a dot, and
//! lookups in brackets.

mod words;

use crate::characters::is_letter_or_digit;

/// A token and its place in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the lexer cannot read; the text says why.
    Wrong,
    End,
    Text,
    Open,
    Close,
    Space,
    Bool,
    Char,
    Rune,
    Complex,
    Assign,
    Declare,
    Field,
    /// The name of a root without a dot.
    Root,
    /// A key in brackets, brackets and quotes included, right behind what it is looked up in.
    Key,
    Name,
    Keyword,
    Dot,
    Nil,
    ParenOpen,
    ParenClose,
    Number,
    Pipe,
    Raw,
    Quoted,
    Variable,
}

/// All tokens of a text; the last is [`Kind::End`] or [`Kind::Wrong`].
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        out: Vec::new(),
    };
    if let Err(Wrong { at, why }) = lexer.run() {
        lexer.out.push(Token {
            kind: Kind::Wrong,
            text: why,
            at,
        });
    }
    lexer.out
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    out: Vec<Token<'t>>,
}

struct Wrong {
    at: usize,
    why: &'static str,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether an action that begins so trims the text before it.
fn trims_left(rest: &str) -> bool {
    rest.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(is_space))
}

/// Length of the delimiter that closes an action here: with a trim marker 4, without 2.
fn close_len(rest: &str) -> usize {
    let mut chars = rest.chars();
    if chars.next().is_some_and(is_space) && chars.as_str().starts_with("-}}") {
        4
    } else if rest.starts_with("}}") {
        2
    } else {
        0
    }
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn emit(&mut self, kind: Kind, from: usize) {
        let text = self.text.get(from..self.at).unwrap_or_default();
        self.out.push(Token {
            kind,
            text,
            at: from,
        });
    }

    fn wrong(&self, why: &'static str) -> Wrong {
        Wrong { at: self.at, why }
    }

    fn run(&mut self) -> Result<(), Wrong> {
        while let Some(open) = self.rest().find("{{") {
            let text = &self.rest()[..open];
            let after = &self.rest()[open + 2..];
            let kept = if trims_left(after) {
                text.trim_end_matches(is_space)
            } else {
                text
            };
            if !kept.is_empty() {
                self.out.push(Token {
                    kind: Kind::Text,
                    text: kept,
                    at: self.at,
                });
            }
            self.at += open;
            self.action()?;
        }
        let from = self.at;
        self.at = self.text.len();
        if from < self.at {
            self.emit(Kind::Text, from);
        }
        self.emit(Kind::End, self.at);
        Ok(())
    }

    fn action(&mut self) -> Result<(), Wrong> {
        let from = self.at;
        self.at += 2;
        let marker = if trims_left(self.rest()) { 2 } else { 0 };
        if self
            .rest()
            .get(marker..)
            .is_some_and(|rest| rest.starts_with("/*"))
        {
            self.at += marker;
            return self.comment();
        }
        self.emit(Kind::Open, from);
        self.at += marker;
        let mut parens = 0_usize;
        loop {
            let len = close_len(self.rest());
            if len > 0 {
                if parens > 0 {
                    return Err(self.wrong("unclosed left paren"));
                }
                self.close(len);
                return Ok(());
            }
            if self.rest().is_empty() {
                return Err(Wrong {
                    at: from,
                    why: "unclosed action",
                });
            }
            self.token(&mut parens)?;
        }
    }

    fn close(&mut self, len: usize) {
        self.at += len - 2;
        let from = self.at;
        self.at += 2;
        self.emit(Kind::Close, from);
        if len == 4 {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    fn comment(&mut self) -> Result<(), Wrong> {
        let Some(end) = self.rest().get(2..).and_then(|rest| rest.find("*/")) else {
            return Err(self.wrong("unclosed comment"));
        };
        self.at += end + 4;
        let len = close_len(self.rest());
        if len == 0 {
            return Err(self.wrong("comment ends before closing delimiter"));
        }
        self.at += len;
        if len == 4 {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
        Ok(())
    }

    fn token(&mut self, parens: &mut usize) -> Result<(), Wrong> {
        let from = self.at;
        let Some(c) = self.bump() else {
            return Ok(());
        };
        let kind = match c {
            c if is_space(c) => self.space(),
            '=' => Kind::Assign,
            ':' if self.peek() == Some('=') => {
                self.at += 1;
                Kind::Declare
            }
            ':' => return Err(self.wrong("expected :=")),
            '|' => Kind::Pipe,
            '"' => self.quoted('"', Kind::Quoted)?,
            '\'' => self.quoted('\'', Kind::Rune)?,
            '`' => self.raw()?,
            '$' => self.path(Kind::Variable, Kind::Variable)?,
            '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                self.path(Kind::Field, Kind::Dot)?
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.at = from;
                self.number()?
            }
            c if is_letter_or_digit(c) => self.name(from)?,
            '[' if self.follows_word() && self.bracket_len(from) > 0 => {
                self.at = from + self.bracket_len(from);
                Kind::Key
            }
            '(' => {
                *parens += 1;
                Kind::ParenOpen
            }
            ')' => {
                *parens = parens
                    .checked_sub(1)
                    .ok_or_else(|| self.wrong("unexpected right paren"))?;
                Kind::ParenClose
            }
            ' '..='~' => Kind::Char,
            _ => return Err(self.wrong("unrecognized character in action")),
        };
        self.emit(kind, from);
        Ok(())
    }

    /// The rest of a run of spaces, less the one that belongs to a closing delimiter.
    fn space(&mut self) -> Kind {
        loop {
            let before = self.at - 1;
            if close_len(&self.text[before..]) == 4 {
                self.at = before;
                return Kind::Space;
            }
            if !self.peek().is_some_and(is_space) {
                return Kind::Space;
            }
            self.at += 1;
        }
    }
}
