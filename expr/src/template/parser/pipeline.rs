//! Pipelines: the variables that they declare, and their commands.

use super::{Parser, Wrong};
use crate::template::lexer::Kind;
use crate::template::tree::{Command, Pipe, Variable};

impl Parser<'_> {
    fn variable(&mut self, name: &str) -> Variable {
        let next = self.names.len() as Variable;
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    /// Declarations at the beginning of a pipeline.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), Wrong> {
        loop {
            let token = self.peek_word();
            if token.kind != Kind::Variable {
                return Ok(());
            }
            let before = self.at;
            self.at += 1;
            let next = self.peek_word();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.at += 1;
                    pipe.assigns = next.kind == Kind::Assign;
                    let variable = self.variable(token.text);
                    pipe.declares.push(variable);
                    self.visible.push(variable);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.at += 1;
                    let variable = self.variable(token.text);
                    pipe.declares.push(variable);
                    self.visible.push(variable);
                    if context != "range" || pipe.declares.len() >= 2 {
                        return Err(
                            self.wrong(next.at, format!("too many declarations in {context}"))
                        );
                    }
                    let after = self.peek_word();
                    if !matches!(after.kind, Kind::Variable | Kind::Close | Kind::ParenClose) {
                        return Err(self.wrong(after.at, "range can only initialize variables"));
                    }
                }
                _ => {
                    self.at = before;
                    return Ok(());
                }
            }
        }
    }

    pub(super) fn pipe(&mut self, end: Kind, context: &str) -> Result<Pipe, Wrong> {
        let start = self.peek_word().at;
        let mut pipe = Pipe::default();
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_word();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Rune
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Root
                | Kind::Name
                | Kind::Number
                | Kind::Nil
                | Kind::Raw
                | Kind::Quoted
                | Kind::Variable
                | Kind::ParenOpen => {
                    self.at -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(self.wrong(start, format!("missing value for {context}")));
        }
        for command in pipe.commands.iter().skip(1) {
            if command
                .operands
                .first()
                .is_some_and(|first| first.term.is_literal())
            {
                return Err(self.wrong(start, "non executable command in pipeline"));
            }
        }
        Ok(pipe)
    }

    fn command(&mut self) -> Result<Command, Wrong> {
        let mut command = Command::default();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::Close | Kind::ParenClose => {
                    self.at -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return Err(self.unexpected(token, "operand")),
            }
        }
        if command.operands.is_empty() {
            return Err(self.wrong(self.token().at, "empty command"));
        }
        Ok(command)
    }
}
