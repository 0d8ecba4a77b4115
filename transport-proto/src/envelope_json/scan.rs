//! Reading JSON without making anything of it: one pass, a bit of memory a level, no recursion.

use std::ops::Range;

use smallvec::SmallVec;

use super::{MAX_DEPTH, MalformedJson};

/// A member of the outermost object.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The comma before it; the opening quote of the name, if it is the first.
    pub(super) comma: usize,
    /// The opening quote of its name.
    pub(super) quote: usize,
    /// One past the closing quote of its name.
    name_end: usize,
    pub(super) value: Range<usize>,
}

impl Found {
    /// The name as it is written, without quotes.
    pub(super) fn name<'j>(&self, json: &'j [u8]) -> &'j [u8] {
        json.get(self.quote + 1..self.name_end - 1)
            .unwrap_or_default()
    }
}

/// The members of the outermost object, in order. After the last one, or the first error, it ends;
/// without an error all of the bytes have been read.
#[derive(Debug)]
pub(super) struct Members<'j> {
    scanner: Scanner<'j>,
    /// One past the opening brace.
    pub(super) open: usize,
    first: bool,
    over: bool,
}

impl<'j> Members<'j> {
    pub(super) fn of(json: &'j [u8]) -> Result<Self, MalformedJson> {
        let mut scanner = Scanner { json, at: 0 };
        scanner.spaces();
        if !scanner.take(b'{') {
            // Is it JSON at all?
            one_value(json)?;
            return Err(MalformedJson::NoObject);
        }
        Ok(Self {
            open: scanner.at,
            scanner,
            first: true,
            over: false,
        })
    }

    fn read(&mut self) -> Result<Option<Found>, MalformedJson> {
        let scanner = &mut self.scanner;
        scanner.spaces();
        let comma = scanner.at;
        if scanner.take(b'}') {
            scanner.end()?;
            return Ok(None);
        }
        if !std::mem::take(&mut self.first) {
            scanner.expect(b',')?;
            scanner.spaces();
        }
        let quote = scanner.at;
        scanner.string()?;
        let name_end = scanner.at;
        scanner.colon()?;
        let start = scanner.at;
        scanner.value(1)?;
        Ok(Some(Found {
            comma,
            quote,
            name_end,
            value: start..scanner.at,
        }))
    }
}

impl Iterator for Members<'_> {
    type Item = Result<Found, MalformedJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read();
        self.over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// Whether `json` is one value and nothing else.
pub(super) fn one_value(json: &[u8]) -> Result<(), MalformedJson> {
    let mut scanner = Scanner { json, at: 0 };
    scanner.spaces();
    scanner.value(0)?;
    scanner.end()
}

#[derive(Debug)]
struct Scanner<'j> {
    json: &'j [u8],
    at: usize,
}

/// Objects (true) and lists that are open, a bit each.
#[derive(Default)]
struct Open {
    bits: SmallVec<[u64; 4]>,
    depth: usize,
}

impl Open {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.bits.len() {
            self.bits.push(0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits = *bits & !(1 << bit) | u64::from(object) << bit;
        }
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost is an object; none if nothing is open.
    fn innermost(&self) -> Option<bool> {
        let last = self.depth.checked_sub(1)?;
        let bits = self.bits.get(last / 64)?;
        Some(bits >> (last % 64) & 1 == 1)
    }
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn wrong<T>(&self) -> Result<T, MalformedJson> {
        Err(MalformedJson::Syntax { offset: self.at })
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), MalformedJson> {
        if self.take(byte) {
            Ok(())
        } else {
            self.wrong()
        }
    }

    fn spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), MalformedJson> {
        self.spaces();
        if self.at == self.json.len() {
            Ok(())
        } else {
            self.wrong()
        }
    }

    fn colon(&mut self) -> Result<(), MalformedJson> {
        self.spaces();
        self.expect(b':')?;
        self.spaces();
        Ok(())
    }

    /// A value, inside `around` objects and lists.
    fn value(&mut self, around: usize) -> Result<(), MalformedJson> {
        let mut open = Open::default();
        loop {
            // Here a value begins.
            match self.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    if around + open.depth >= MAX_DEPTH {
                        return Err(MalformedJson::Depth { offset: self.at });
                    }
                    self.at += 1;
                    self.spaces();
                    let object = byte == b'{';
                    open.push(object);
                    if self.peek() != Some(if object { b'}' } else { b']' }) {
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.word(b"true")?,
                Some(b'f') => self.word(b"false")?,
                Some(b'n') => self.word(b"null")?,
                _ => return self.wrong(),
            }
            if !self.after_value(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Closes what closes; whether another value begins here.
    fn after_value(&mut self, open: &mut Open) -> Result<bool, MalformedJson> {
        while let Some(object) = open.innermost() {
            self.spaces();
            if self.take(b',') {
                self.spaces();
                if object {
                    self.key()?;
                }
                return Ok(true);
            }
            self.expect(if object { b'}' } else { b']' })?;
            open.pop();
        }
        Ok(false)
    }

    fn key(&mut self) -> Result<(), MalformedJson> {
        self.string()?;
        self.colon()
    }

    fn word(&mut self, word: &[u8]) -> Result<(), MalformedJson> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn string(&mut self) -> Result<(), MalformedJson> {
        self.expect(b'"')?;
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            self.at += plain.unwrap_or(rest.len());
            if self.take(b'"') {
                return Ok(());
            }
            self.expect(b'\\')?;
            match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => {
                    self.at += 1;
                    for _ in 0..4 {
                        if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                            return self.wrong();
                        }
                        self.at += 1;
                    }
                }
                _ => return self.wrong(),
            }
        }
    }

    fn number(&mut self) -> Result<(), MalformedJson> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// At least one.
    fn digits(&mut self) -> Result<(), MalformedJson> {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin {
            self.wrong()
        } else {
            Ok(())
        }
    }
}
