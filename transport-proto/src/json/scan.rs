//! One pass over a JSON text, without recursion.

use std::ops::Range;

use super::Kind;

/// Most objects and lists that may stand inside each other, as in the Go SDK.
pub const MAX_DEPTH: usize = 10_000;

/// Why a text is no JSON: a fault of whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It stops too early.
    #[error("unexpected end of JSON input")]
    End,
    /// Something that cannot stand there.
    #[error("invalid character {} at byte {at}", shown(*.byte))]
    Byte {
        /// What stands there.
        byte: u8,
        /// Where, from 0.
        at: usize,
    },
    /// More than [`MAX_DEPTH`] objects and lists inside each other.
    #[error("exceeded max depth")]
    Depth,
}

fn shown(byte: u8) -> String {
    format!("{:?}", char::from(byte))
}

/// What comes next in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An object or a list begins.
    Open(Kind),
    /// The innermost one ends.
    Close,
    /// A name, quotes included; its value follows.
    Name(Range<usize>),
    /// A value that holds no others.
    Scalar(Kind, Range<usize>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ItemOrClose,
    /// After `{`.
    NameOrClose,
    /// After a comma in an object.
    Name,
    /// After a value.
    CommaOrClose,
}

/// Yields the events of a text and finds where it is no JSON.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What is open, outermost first; true for objects.
    open: Vec<bool>,
    expect: Expect,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            open: Vec::new(),
            expect: Expect::Value,
        }
    }

    /// The next event; `None` after the last, when nothing but white space is left.
    pub(super) fn next(&mut self) -> Result<Option<Event>, JsonError> {
        self.skip_space();
        if self.expect == Expect::CommaOrClose {
            let Some(object) = self.open.last().copied() else {
                return match self.peek() {
                    None => Ok(None),
                    Some(_) => Err(self.unfit()),
                };
            };
            if self.peek() != Some(b',') {
                return self.close(object);
            }
            self.at += 1;
            self.skip_space();
            self.expect = if object { Expect::Name } else { Expect::Value };
        }
        match (self.expect, self.peek()) {
            (Expect::ItemOrClose, Some(b']')) => self.close(false),
            (Expect::NameOrClose, Some(b'}')) => self.close(true),
            (Expect::NameOrClose | Expect::Name, _) => self.name(),
            _ => self.value(),
        }
    }

    fn name(&mut self) -> Result<Option<Event>, JsonError> {
        let name = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unfit());
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Some(Event::Name(name)))
    }

    fn value(&mut self) -> Result<Option<Event>, JsonError> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => return self.enter(Kind::Object),
            Some(b'[') => return self.enter(Kind::List),
            Some(b'"') => {
                self.string()?;
                Kind::Text
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word(b"true", Kind::True)?,
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => return Err(self.unfit()),
        };
        self.expect = Expect::CommaOrClose;
        Ok(Some(Event::Scalar(kind, start..self.at)))
    }

    fn enter(&mut self, kind: Kind) -> Result<Option<Event>, JsonError> {
        if self.open.len() == MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        let object = kind == Kind::Object;
        self.at += 1;
        self.open.push(object);
        self.expect = if object {
            Expect::NameOrClose
        } else {
            Expect::ItemOrClose
        };
        Ok(Some(Event::Open(kind)))
    }

    fn close(&mut self, object: bool) -> Result<Option<Event>, JsonError> {
        if self.peek() != Some(if object { b'}' } else { b']' }) {
            return Err(self.unfit());
        }
        self.at += 1;
        self.open.pop();
        self.expect = Expect::CommaOrClose;
        Ok(Some(Event::Close))
    }

    fn string(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        self.take(|byte| byte == b'"')?;
        loop {
            match self.take(|byte| byte >= 0x20)? {
                b'"' => return Ok(start..self.at),
                b'\\' => self.escape()?,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        if self.take(|byte| b"\"\\/bfnrtu".contains(&byte))? == b'u' {
            for _ in 0..4 {
                self.take(|byte| byte.is_ascii_hexdigit())?;
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.take(|byte| byte.is_ascii_digit())? != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.take(|byte| byte.is_ascii_digit())?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.take(|byte| byte.is_ascii_digit())?;
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, JsonError> {
        for expected in word {
            self.take(|byte| byte == *expected)?;
        }
        Ok(kind)
    }

    fn take(&mut self, fits: impl Fn(u8) -> bool) -> Result<u8, JsonError> {
        match self.peek() {
            Some(byte) if fits(byte) => {
                self.at += 1;
                Ok(byte)
            }
            _ => Err(self.unfit()),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unfit(&self) -> JsonError {
        match self.peek() {
            Some(byte) => JsonError::Byte { byte, at: self.at },
            None => JsonError::End,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}
