//! Views into a checked JSON text.

use super::escape::unescaped;
use super::scan::{JsonError, Scanner};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`.
    True,
    /// `false`.
    False,
    /// A number, of any size.
    Number,
    /// A string.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The word for it in error texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True | Self::False => "bool",
            Self::Number => "number",
            Self::Text => "string",
            Self::List => "array",
            Self::Object => "object",
        }
    }
}

/// One value of a checked text, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    raw: &'a [u8],
}

impl<'a> Value<'a> {
    /// Checks a whole text: one value and white space.
    ///
    /// # Errors
    /// [`JsonError`] where it is no JSON.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(text);
        while scanner.next()?.is_some() {}
        Ok(Self {
            raw: text.trim_ascii(),
        })
    }

    /// Its bytes, without surrounding white space; not always UTF-8.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.raw.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The text of a string; what is no UTF-8 and lone surrogates are U+FFFD. `None`
    /// for other values.
    #[must_use]
    pub fn text(self) -> Option<String> {
        (self.kind() == Kind::Text).then(|| unescaped(self.raw))
    }

    /// A number as it was written; `None` for other values.
    #[must_use]
    pub fn number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number)
            .then(|| std::str::from_utf8(self.raw).ok())
            .flatten()
    }

    /// The members of an object in the order of the text, duplicates included; none for
    /// other values.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(Parts::of(self, Kind::Object))
    }

    /// The items of a list; none for other values.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items(Parts::of(self, Kind::List))
    }

    /// The last member whose name is `name` in any letter case, as Go looks for it.
    #[must_use]
    pub fn member_any_case(self, name: &str) -> Option<Value<'a>> {
        self.members()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .last()
    }
}

/// The values inside an object or a list.
#[derive(Clone, Debug)]
struct Parts<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    fn of(value: Value<'a>, kind: Kind) -> Self {
        let inside = value.raw.len().saturating_sub(1);
        let raw = if value.kind() == kind {
            value.raw.get(1..inside).unwrap_or_default()
        } else {
            &[]
        };
        Self { raw, at: 0 }
    }

    /// The next value, up to the comma, colon or end after it.
    fn next(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let (mut depth, mut quoted) = (0_usize, false);
        loop {
            let byte = self.raw.get(self.at).copied();
            self.at += 1;
            match byte {
                None => break,
                Some(b'\\') if quoted => self.at += 1,
                Some(b'"') => quoted = !quoted,
                Some(_) if quoted => {}
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth = depth.saturating_sub(1),
                Some(b',' | b':') if depth == 0 => break,
                Some(_) => {}
            }
        }
        let end = (self.at - 1).min(self.raw.len());
        let raw = self.raw.get(start..end).unwrap_or_default().trim_ascii();
        (!raw.is_empty()).then_some(Value { raw })
    }
}

/// Names and values of an object.
#[derive(Clone, Debug)]
pub struct Members<'a>(Parts<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (String, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.next()?;
        Some((unescaped(name.raw), self.0.next()?))
    }
}

/// Values of a list.
#[derive(Clone, Debug)]
pub struct Items<'a>(Parts<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
