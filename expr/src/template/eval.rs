//! Walks a tree over the variables of one packet.
//!
//! Owns the variables' stack and the output of one evaluation; everything else it borrows.

use smallvec::SmallVec;

use super::tree::{Command, Node, Operand, Pipe, ROOT, Term, Variable};
use crate::chance::Chance;
use crate::fault::{Bound, Fault};
use crate::format;
use crate::limits::{Limits, Meter};
use crate::value::Value;

/// What an evaluation has besides its variables.
#[derive(Debug)]
pub(crate) struct Cx<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) meter: Meter,
    pub(crate) chance: Chance,
    /// The current time in nanoseconds since 1970.
    pub(crate) now: i64,
}

/// One evaluation.
pub(super) struct Eval<'e, 'v> {
    pub(super) cx: &'e Cx<'e>,
    /// Variables in the order of their declaration; the first is `$`.
    stack: SmallVec<[(Variable, Value<'v>); 2]>,
    out: Vec<u8>,
}

/// How a list of nodes ended.
enum Flow {
    On,
    Break,
    Continue,
}

impl<'e, 'v> Eval<'e, 'v> {
    pub(super) fn new(cx: &'e Cx<'e>, root: Value<'v>) -> Self {
        Self {
            cx,
            stack: SmallVec::from_iter([(ROOT, root)]),
            out: Vec::new(),
        }
    }

    /// Renders nodes to text.
    pub(super) fn render(mut self, nodes: &'v [Node]) -> Result<Vec<u8>, Fault> {
        let root = self.root();
        self.walk(&root, nodes)?;
        Ok(self.out)
    }

    /// The value of a pipeline on its own.
    pub(super) fn value(mut self, pipe: &'v Pipe) -> Result<Value<'v>, Fault> {
        let root = self.root();
        self.pipe(&root, pipe)
    }

    fn root(&self) -> Value<'v> {
        self.stack
            .first()
            .map_or(Value::Absent, |(_, root)| root.clone())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.out.len() + bytes.len() > self.cx.limits.output_bytes {
            return Err(Fault::Limit(Bound::Output));
        }
        self.cx.meter.make(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn print(&mut self, value: &Value<'v>) -> Result<(), Fault> {
        match value {
            Value::Text(text) => self.write(text.bytes()),
            Value::Absent => self.write(b"<no value>"),
            Value::Nil => self.write(b"<nil>"),
            other => {
                let text = format::metered(other, self.cx)?;
                self.write(&text)
            }
        }
    }

    fn walk(&mut self, dot: &Value<'v>, nodes: &'v [Node]) -> Result<Flow, Fault> {
        for node in nodes {
            self.cx.meter.burn(1)?;
            let flow = match node {
                Node::Text(text) => {
                    self.write(text)?;
                    Flow::On
                }
                Node::Action(pipe) => {
                    let value = self.pipe(dot, pipe)?;
                    if pipe.declares.is_empty() {
                        self.print(&value)?;
                    }
                    Flow::On
                }
                Node::If(pipe, then, otherwise) => {
                    self.branch(dot, pipe, (then, otherwise), false)?
                }
                Node::With(pipe, then, otherwise) => {
                    self.branch(dot, pipe, (then, otherwise), true)?
                }
                Node::Range(pipe, body, otherwise) => self.range(dot, pipe, body, otherwise)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
                Node::Include(name, column) => {
                    let message = format!("template inclusion is not supported ({name})");
                    return Err(Fault::type_error(message).at(*column));
                }
            };
            if !matches!(flow, Flow::On) {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn branch(
        &mut self,
        dot: &Value<'v>,
        pipe: &'v Pipe,
        (then, otherwise): (&'v [Node], &'v [Node]),
        moves_dot: bool,
    ) -> Result<Flow, Fault> {
        let mark = self.stack.len();
        let value = self.pipe(dot, pipe)?;
        let flow = if value.truth() {
            self.walk(if moves_dot { &value } else { dot }, then)?
        } else {
            self.walk(dot, otherwise)?
        };
        self.stack.truncate(mark);
        Ok(flow)
    }

    fn range(
        &mut self,
        dot: &Value<'v>,
        pipe: &'v Pipe,
        body: &'v [Node],
        otherwise: &'v [Node],
    ) -> Result<Flow, Fault> {
        let bottom = self.stack.len();
        let value = self.pipe(dot, pipe)?;
        self.cx.meter.look(value.weight())?;
        let mut ran = false;
        match &value {
            Value::Absent | Value::Nil => {}
            Value::Int(..) | Value::Uint(..) if pipe.declares.len() > 1 => {
                return Err(Fault::type_error(
                    "can't iterate over a number with more than one variable",
                )
                .at(column(pipe)));
            }
            Value::Int(kind, count) => {
                for i in 0..*count {
                    ran = true;
                    let element = Value::Int(*kind, i);
                    if self.turn(pipe, (Value::Absent, element), body)? {
                        break;
                    }
                }
            }
            Value::Uint(kind, count) => {
                for i in 0..*count {
                    ran = true;
                    let element = Value::Uint(*kind, i);
                    if self.turn(pipe, (Value::Absent, element), body)? {
                        break;
                    }
                }
            }
            Value::List(list) => {
                let values = list.values();
                for (i, element) in values.iter().enumerate() {
                    ran = true;
                    let index = Value::int(i as i64);
                    if self.turn(pipe, (index, element.clone()), body)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let tree = map.tree();
                for (key, element) in tree.iter() {
                    ran = true;
                    let key = Value::Text(key.clone());
                    if self.turn(pipe, (key, element.clone()), body)? {
                        break;
                    }
                }
            }
            other => {
                let message = format!("range can't iterate over {}", other.type_name());
                return Err(Fault::type_error(message).at(column(pipe)));
            }
        }
        if !ran {
            // A break in the other branch belongs to the range around this one.
            let flow = self.walk(dot, otherwise)?;
            self.stack.truncate(bottom);
            return Ok(flow);
        }
        self.stack.truncate(bottom);
        Ok(Flow::On)
    }

    /// One turn of a range; true when it was the last by a break.
    fn turn(
        &mut self,
        pipe: &'v Pipe,
        (index, element): (Value<'v>, Value<'v>),
        body: &'v [Node],
    ) -> Result<bool, Fault> {
        self.cx.meter.burn(1)?;
        let mark = self.stack.len();
        match (pipe.declares.as_slice(), pipe.assigns) {
            ([one], true) => self.assign(*one, element.clone())?,
            ([one, two], true) => {
                self.assign(*one, index)?;
                self.assign(*two, element.clone())?;
            }
            ([_], false) => self.replace_top(1, element.clone()),
            ([_, _], false) => {
                self.replace_top(1, element.clone());
                self.replace_top(2, index);
            }
            _ => {}
        }
        let flow = self.walk(&element, body)?;
        self.stack.truncate(mark);
        Ok(matches!(flow, Flow::Break))
    }

    fn replace_top(&mut self, below: usize, value: Value<'v>) {
        let at = self.stack.len().checked_sub(below);
        if let Some((_, slot)) = at.and_then(|at| self.stack.get_mut(at)) {
            *slot = value;
        }
    }

    fn assign(&mut self, variable: Variable, value: Value<'v>) -> Result<(), Fault> {
        match self
            .stack
            .iter_mut()
            .rev()
            .find(|(name, _)| *name == variable)
        {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            // A text may use what it only assigned, so this is found out here.
            None => Err(Fault::type_error("undefined variable")),
        }
    }

    fn variable(&self, variable: Variable) -> Result<Value<'v>, Fault> {
        self.stack
            .iter()
            .rev()
            .find(|(name, _)| *name == variable)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Fault::type_error("undefined variable"))
    }

    /// The value of a pipeline; a null becomes no value on its way out.
    pub(super) fn pipe(&mut self, dot: &Value<'v>, pipe: &'v Pipe) -> Result<Value<'v>, Fault> {
        let mut value = None;
        for command in &pipe.commands {
            let result = self.command(dot, command, value)?;
            value = Some(match result {
                Value::Nil => Value::Absent,
                other => other,
            });
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.declares {
            if pipe.assigns {
                self.assign(*variable, value.clone())?;
            } else {
                self.stack.push((*variable, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        dot: &Value<'v>,
        command: &'v Command,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>, Fault> {
        let Some((first, args)) = command.operands.split_first() else {
            return Ok(Value::Absent);
        };
        self.operand(dot, first, (args, last))
            .map_err(|fault| fault.at(first.column))
    }

    /// The value of an operand that is given arguments (what follows it, and the result of
    /// the command before).
    pub(super) fn operand(
        &mut self,
        dot: &Value<'v>,
        operand: &'v Operand,
        (args, last): (&'v [Operand], Option<Value<'v>>),
    ) -> Result<Value<'v>, Fault> {
        self.cx.meter.burn(1)?;
        let has_args = !args.is_empty() || last.is_some();
        match &operand.term {
            Term::Field(path) => self.fields(dot, (dot.clone(), path), (args, last)),
            Term::Variable(variable, path) if !path.is_empty() => {
                let receiver = self.variable(*variable)?;
                self.fields(dot, (receiver, path), (args, last))
            }
            Term::Chain(inner, path) => {
                if matches!(inner.term, Term::Nil) {
                    return Err(Fault::type_error("a field of nil"));
                }
                let receiver = self.operand(dot, inner, (&[], None))?;
                self.fields(dot, (receiver, path), (args, last))
            }
            Term::Function(function) => self.call(dot, function, (args, last)),
            _ if has_args => Err(Fault::type_error(
                "can't give an argument to a non-function",
            )),
            Term::Variable(variable, _) => self.variable(*variable),
            Term::Pipe(pipe) => self.pipe(dot, pipe),
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Err(Fault::type_error("nil is not a command")),
            Term::Bool(value) => Ok(Value::Bool(*value)),
            Term::Number(number) => ideal(number),
            Term::Text(text) => Ok(Value::Text(crate::value::Text::Borrowed(text))),
        }
    }
}

fn column(pipe: &Pipe) -> usize {
    pipe.commands
        .first()
        .and_then(|command| command.operands.first())
        .map_or(0, |operand| operand.column)
}

/// The value of a number where nothing asks for a type.
pub(super) fn ideal<'v>(number: &super::number::Number) -> Result<Value<'v>, Fault> {
    if let Some((real, imaginary)) = number.complex {
        return Ok(Value::Complex(real, imaginary));
    }
    match (number.reads_as_float, number.float, number.int) {
        (true, Some(float), _) => Ok(Value::Float(float)),
        (_, _, Some(int)) => Ok(Value::int(int)),
        _ => Err(Fault::type_error("number overflows int")),
    }
}
