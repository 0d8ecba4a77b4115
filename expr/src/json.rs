//! JSON text: parsed as the engine parses it (doubles, last key wins, a lone surrogate is
//! U+FFFD), written compact or indented.

use crate::fault::Fault;
use crate::format::float;
use crate::limits::Meter;
use crate::value::{Text, Tree, Value};

/// Nesting that a text may have.
const MAX_DEPTH: usize = 512;

/// Parses one JSON text with space around it; `None` where it is none.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Value<'static>> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value<'static>> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::owned),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Nil),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], value: Value<'static>) -> Option<Value<'static>> {
        self.text
            .get(self.at..)?
            .starts_with(word)
            .then(|| self.at += word.len())?;
        Some(value)
    }

    fn object(&mut self, depth: usize) -> Option<Value<'static>> {
        self.eat(b'{')?;
        let mut tree = Tree::new();
        self.space();
        if self.eat(b'}').is_some() {
            return Some(Value::map(tree));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.eat(b':')?;
            self.space();
            tree.insert(Text::from(key), self.value(depth + 1)?);
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(Value::map(tree));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value<'static>> {
        self.eat(b'[')?;
        let mut values = Vec::new();
        self.space();
        if self.eat(b']').is_some() {
            return Some(Value::list(values));
        }
        loop {
            self.space();
            values.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                return Some(Value::list(values));
            }
        }
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        self.eat(b'"')?;
        let mut out = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            let plain = self.text.get(start..self.at)?;
            out.extend_from_slice(String::from_utf8_lossy(plain).as_bytes());
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(out);
                }
                b'\\' => self.escape(&mut out)?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at += 1;
        let byte = self.peek()?;
        self.at += 1;
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let rune = self.unit()?;
                out.extend_from_slice(self.pair(rune).encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        out.push(plain);
        Some(())
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// The character of an escape, together with a second half that follows it.
    fn pair(&mut self, first: u32) -> char {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if (0xd800..0xdc00).contains(&first) && rest.starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            match self.unit() {
                Some(second) if (0xdc00..0xe000).contains(&second) => {
                    let rune = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return char::from_u32(rune).unwrap_or(char::REPLACEMENT_CHARACTER);
                }
                _ => self.at = before,
            }
        }
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn number(&mut self) -> Option<Value<'static>> {
        let start = self.at;
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = std::str::from_utf8(self.text.get(start..self.at)?).ok()?;
        let number: f64 = text.parse().ok()?;
        number.is_finite().then_some(Value::Float(number))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// How JSON is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Two spaces a level, one entry a line.
    pub indented: bool,
    /// `<`, `>` and `&` as escapes.
    pub html_safe: bool,
}

/// Appends `value` as JSON.
///
/// # Errors
/// [`Fault::Refused`] for a number that JSON cannot say.
pub fn write(value: &Value<'_>, style: Style, out: &mut Vec<u8>) -> Result<(), Fault> {
    write_value(value, (style, None), 0, out)
}

/// The same, paid for as it grows.
pub(crate) fn write_metered(
    value: &Value<'_>,
    style: Style,
    meter: &Meter,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    write_value(value, (style, Some(meter)), 0, out)
}

fn write_value(
    value: &Value<'_>,
    to: (Style, Option<&Meter>),
    level: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let style = to.0;
    if let Some(meter) = to.1 {
        meter.make(16 + value.weight() + value.as_text().map_or(0, <[u8]>::len))?;
    }
    match value {
        Value::Absent | Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(bit) => out.extend_from_slice(if *bit { b"true" } else { b"false" }),
        Value::Int(_, number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Uint(_, number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) if number.is_finite() => {
            out.extend_from_slice(float::json(*number).as_bytes());
        }
        Value::Float(_) | Value::Complex(..) => {
            return Err(Fault::refused("json: unsupported value"));
        }
        Value::Text(text) => write_text(text.bytes(), style, out),
        Value::Moment(moment) => write_text(moment.rfc3339().as_bytes(), style, out),
        Value::Version(version) => write_text(version.to_string().as_bytes(), style, out),
        Value::List(list) if list.is_unmade() => out.extend_from_slice(b"null"),
        Value::Map(map) if map.is_unmade() => out.extend_from_slice(b"null"),
        Value::List(list) => {
            let values = list.values();
            out.push(b'[');
            for (i, value) in values.iter().enumerate() {
                open_entry(i, style, level + 1, out);
                write_value(value, to, level + 1, out)?;
            }
            close(values.is_empty(), style, level, out);
            out.push(b']');
        }
        Value::Map(map) => {
            let tree = map.tree();
            out.push(b'{');
            for (i, (key, value)) in tree.iter().enumerate() {
                open_entry(i, style, level + 1, out);
                write_text(key.bytes(), style, out);
                out.extend_from_slice(if style.indented { b": " } else { b":" });
                write_value(value, to, level + 1, out)?;
            }
            close(tree.is_empty(), style, level, out);
            out.push(b'}');
        }
    }
    Ok(())
}

fn open_entry(i: usize, style: Style, level: usize, out: &mut Vec<u8>) {
    if i > 0 {
        out.push(b',');
    }
    if style.indented {
        new_line(level, out);
    }
}

fn close(empty: bool, style: Style, level: usize, out: &mut Vec<u8>) {
    if style.indented && !empty {
        new_line(level, out);
    }
}

fn new_line(level: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', 2 * level));
}

fn write_text(text: &[u8], style: Style, out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            write_char(c, style, out);
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

fn write_char(c: char, style: Style, out: &mut Vec<u8>) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\x08' => out.extend_from_slice(b"\\b"),
        '\x0c' => out.extend_from_slice(b"\\f"),
        '\u{2028}' | '\u{2029}' => escape(c, out),
        '<' | '>' | '&' if style.html_safe => escape(c, out),
        c if (c as u32) < 0x20 => escape(c, out),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn escape(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
}
