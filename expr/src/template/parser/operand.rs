//! Operands: a term, and the fields and keys that are asked of it.

use super::{Parser, Wrong};
use crate::functions::{self, Set};
use crate::template::bracket::spelled_out;
use crate::template::lexer::{Kind, Token};
use crate::template::number::Number;
use crate::template::quote::unquote;
use crate::template::tree::{Command, Operand, Path, Pipe, Term};

/// The name that a field's token holds.
fn name_of(token: Token<'_>) -> Box<str> {
    token.text.strip_prefix('.').unwrap_or(token.text).into()
}

impl Parser<'_> {
    /// An operand; `None` where none begins here.
    pub(super) fn operand(&mut self) -> Result<Option<Operand>, Wrong> {
        let at = self.peek_word().at;
        let before = std::mem::take(&mut self.height);
        let Some(mut term) = self.term()? else {
            self.height = before;
            return Ok(None);
        };
        loop {
            let token = self.token();
            term = match token.kind {
                Kind::Field | Kind::Root => self.with_fields(term, at)?,
                Kind::Key => self.looked_up(term, at)?,
                _ => break,
            };
        }
        self.height = self.height.max(before);
        let column = at + 1;
        Ok(Some(Operand { term, column }))
    }

    /// A term that begins at `at`, and the fields that follow here.
    fn with_fields(&mut self, term: Term, at: usize) -> Result<Term, Wrong> {
        let mut fields = Path::new();
        while matches!(self.token().kind, Kind::Field | Kind::Root) {
            fields.push(name_of(self.next()));
        }
        Ok(match term {
            Term::Field(mut path) => {
                path.append(&mut fields);
                Term::Field(path)
            }
            Term::Variable(variable, mut path) => {
                path.append(&mut fields);
                Term::Variable(variable, path)
            }
            literal if literal.is_literal() => {
                return Err(self.wrong(at, "unexpected . after a term"));
            }
            term => {
                let column = at + 1;
                Term::Chain(Box::new(Operand { term, column }), fields)
            }
        })
    }

    /// A term that begins at `at`, looked into with the key in brackets that follows: the
    /// call of `index` in parentheses.
    fn looked_up(&mut self, term: Term, at: usize) -> Result<Term, Wrong> {
        let token = self.next();
        let column = at + 1;
        if matches!(term, Term::Variable(..)) {
            return Err(self.wrong(token.at, "a variable takes no brackets: write index"));
        }
        // A lookup is a level of the tree around what it looks into, as a parenthesis is.
        self.height += 1;
        if self.depth + self.height > self.nesting {
            return Err(self.wrong(token.at, "nested too deep"));
        }
        let literal = token.text.trim_matches(['[', ']']);
        let key = if literal.starts_with('\'') {
            Number::of_rune(literal).map(Term::Number)
        } else {
            unquote(literal).map(|key| Term::Text(key.into()))
        };
        let key = key.ok_or_else(|| self.wrong(token.at, "malformed key"))?;
        let index = self.called("index", at)?;
        let command = Command {
            operands: vec![
                Operand {
                    term: Term::Function(index),
                    column,
                },
                Operand { term, column },
                Operand {
                    term: key,
                    column: token.at + 2,
                },
            ],
        };
        Ok(Term::Pipe(Pipe {
            commands: vec![command],
            ..Pipe::default()
        }))
    }

    fn term(&mut self) -> Result<Option<Term>, Wrong> {
        let token = self.next_word();
        let bad = |parser: &Self| parser.wrong(token.at, format!("malformed {}", token.text));
        Ok(Some(match token.kind {
            Kind::Name => Term::Function(self.called(token.text, token.at)?),
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => self.used(token)?,
            Kind::Field | Kind::Root => Term::Field(vec![name_of(token)]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::Rune => Term::Number(Number::of_rune(token.text).ok_or_else(|| bad(self))?),
            Kind::Complex => Term::Number(Number::of_pair(token.text).ok_or_else(|| bad(self))?),
            Kind::Number => Term::Number(Number::of_text(token.text).ok_or_else(|| bad(self))?),
            Kind::ParenOpen => {
                self.enter()?;
                let pipe = self.pipe(Kind::ParenClose, "parenthesized pipeline")?;
                self.depth -= 1;
                self.height += 1;
                Term::Pipe(pipe)
            }
            Kind::Quoted => Term::Text(unquote(token.text).ok_or_else(|| bad(self))?.into()),
            Kind::Raw => {
                let text = unquote(&spelled_out(token.text)).ok_or_else(|| bad(self))?;
                Term::Text(text.into())
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        }))
    }

    /// The function of a name that stands at `at`.
    fn called(&mut self, name: &str, at: usize) -> Result<&'static functions::Function, Wrong> {
        match functions::find(name, self.set) {
            Some(function) => {
                self.only_builtins &= function.builtin;
                Ok(function)
            }
            None if functions::find(name, Set::All).is_some() => {
                let message =
                    format!("{name} may not be used here: `with` gives the same for a whole run");
                Err(self.wrong(at, message))
            }
            None => {
                let near = functions::near(name, self.set);
                Err(Wrong {
                    near: near.map(str::to_owned),
                    ..self.wrong(at, format!("function {name:?} not defined"))
                })
            }
        }
    }

    fn used(&mut self, token: Token<'_>) -> Result<Term, Wrong> {
        match self.names.get(token.text) {
            Some(variable) if self.visible.contains(variable) => {
                Ok(Term::Variable(*variable, Path::new()))
            }
            _ => Err(self.wrong(token.at, format!("undefined variable {:?}", token.text))),
        }
    }
}
