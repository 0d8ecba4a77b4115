//! Words of an action: literals, names, numbers, keys in brackets.

use super::{Kind, Lexer, Wrong, is_space};
use crate::characters::is_letter_or_digit;
use crate::template::bracket::bracket_len;

const KEYWORDS: [&str; 10] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];

impl Lexer<'_> {
    pub(super) fn quoted(&mut self, quote: char, kind: Kind) -> Result<Kind, Wrong> {
        loop {
            match self.bump() {
                Some('\\') => match self.bump() {
                    None | Some('\n') => return Err(self.wrong("unterminated literal")),
                    Some(_) => {}
                },
                None | Some('\n') => return Err(self.wrong("unterminated literal")),
                Some(c) if c == quote => return Ok(kind),
                Some(_) => {}
            }
        }
    }

    pub(super) fn raw(&mut self) -> Result<Kind, Wrong> {
        while let Some(c) = self.bump() {
            if c == '`' {
                return Ok(Kind::Raw);
            }
        }
        Err(self.wrong("unterminated raw literal"))
    }

    fn at_end_of_word(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some('[') => self.bracket_len(self.at) > 0,
            Some(c) => is_space(c) || self.rest().starts_with("}}"),
        }
    }

    /// Bytes of the lookup in brackets at a place; 0 where there is none.
    pub(super) fn bracket_len(&self, at: usize) -> usize {
        self.text.get(at..).map_or(0, bracket_len)
    }

    /// Whether the token before can be looked into.
    pub(super) fn follows_word(&self) -> bool {
        self.out.last().is_some_and(|last| {
            matches!(
                last.kind,
                Kind::Root
                    | Kind::Field
                    | Kind::Name
                    | Kind::Bool
                    | Kind::Nil
                    | Kind::ParenClose
                    | Kind::Key
            )
        })
    }

    pub(super) fn path(&mut self, kind: Kind, alone: Kind) -> Result<Kind, Wrong> {
        if self.at_end_of_word() {
            return Ok(alone);
        }
        self.word()?;
        Ok(kind)
    }

    fn word(&mut self) -> Result<(), Wrong> {
        while self.peek().is_some_and(is_letter_or_digit) {
            self.bump();
        }
        if self.at_end_of_word() {
            Ok(())
        } else {
            Err(self.wrong("unexpected character in a name"))
        }
    }

    pub(super) fn name(&mut self, from: usize) -> Result<Kind, Wrong> {
        self.word()?;
        Ok(match self.text.get(from..self.at).unwrap_or_default() {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            "inputs" | "packet" | "steps" => Kind::Root,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Name,
        })
    }

    pub(super) fn number(&mut self) -> Result<Kind, Wrong> {
        self.scan_number()?;
        if !matches!(self.peek(), Some('+' | '-')) {
            return Ok(Kind::Number);
        }
        self.scan_number()?;
        if self
            .text
            .get(..self.at)
            .is_some_and(|text| text.ends_with('i'))
        {
            Ok(Kind::Complex)
        } else {
            Err(self.wrong("bad number syntax"))
        }
    }

    fn accept(&mut self, set: &str) -> bool {
        let taken = self.peek().is_some_and(|c| set.contains(c));
        self.at += usize::from(taken);
        taken
    }

    fn run_of(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn scan_number(&mut self) -> Result<(), Wrong> {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.run_of(digits);
        if self.accept(".") {
            self.run_of(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.run_of("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_letter_or_digit) {
            return Err(self.wrong("bad number syntax"));
        }
        Ok(())
    }
}
