//! Calls: how many arguments, of which types, and what becomes of a null among them.

use smallvec::SmallVec;

use super::eval::{Eval, ideal};
use super::tree::{Operand, Term};
use crate::fault::{Bound, Fault};
use crate::functions::{Args, Function, Param, Special};
use crate::value::{IntType, Map, MapType, Text, Value};

/// Levels that values may nest.
const MOST_DEPTH: u32 = 512;

impl<'e, 'v> Eval<'e, 'v> {
    pub(super) fn call(
        &mut self,
        dot: &Value<'v>,
        function: &'static Function,
        (args, last): (&'v [Operand], Option<Value<'v>>),
    ) -> Result<Value<'v>, Fault> {
        let given = args.len() + usize::from(last.is_some());
        let fixed = function.params.len();
        if given < fixed || (given > fixed && function.rest.is_none()) {
            return Err(Fault::type_error(format!(
                "wrong number of args for {}: want {}{fixed} got {given}",
                function.name,
                if function.rest.is_some() {
                    "at least "
                } else {
                    ""
                },
            )));
        }
        match function.special {
            Special::And => return self.short_circuit(dot, false, (args, last)),
            Special::Or => return self.short_circuit(dot, true, (args, last)),
            Special::None => {}
        }
        let mut values: SmallVec<[Value<'v>; 4]> = SmallVec::with_capacity(given);
        for (i, operand) in args.iter().enumerate() {
            let param = function.param(i);
            let value = self
                .arg(dot, operand, param)
                .map_err(|fault| fault.at(operand.column))?;
            values.push(value);
        }
        if let Some(last) = last {
            values.push(fit(last, function.param(given - 1))?);
        }
        let weight: usize = values.iter().map(Value::weight).sum();
        self.cx.meter.look(weight)?;
        let result = (function.run)(self.cx, Args(&values))?;
        // What is nested without limit could neither be printed nor dropped.
        if result.depth() > MOST_DEPTH {
            return Err(Fault::Limit(Bound::Depth));
        }
        Ok(result)
    }

    fn short_circuit(
        &mut self,
        dot: &Value<'v>,
        stops_at: bool,
        (args, last): (&'v [Operand], Option<Value<'v>>),
    ) -> Result<Value<'v>, Fault> {
        let mut value = Value::Nil;
        for operand in args {
            value = self
                .arg(dot, operand, Param::Any)
                .map_err(|fault| fault.at(operand.column))?;
            if value.truth() == stops_at {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// The value of an argument for a parameter.
    fn arg(
        &mut self,
        dot: &Value<'v>,
        operand: &'v Operand,
        param: Param,
    ) -> Result<Value<'v>, Fault> {
        let wrong = || Err(Fault::type_error(format!("expected {}", param.name())));
        match (&operand.term, param) {
            (Term::Nil, Param::Any) => Ok(Value::Nil),
            (Term::Nil, Param::Map) => Ok(Value::Map(Map::unmade())),
            (Term::Nil, _) => Err(Fault::type_error(format!(
                "cannot assign nil to {}",
                param.name()
            ))),
            (Term::Bool(value), Param::Any | Param::Bool) => Ok(Value::Bool(*value)),
            (Term::Text(text), Param::Any | Param::Text) => Ok(Value::Text(Text::Borrowed(text))),
            (Term::Number(number), Param::Any) => ideal(number),
            (Term::Number(number), Param::Int) => match number.int {
                Some(int) => Ok(Value::int(int)),
                None => wrong(),
            },
            (Term::Number(number), Param::Float) => match number.float {
                Some(float) => Ok(Value::Float(float)),
                None => wrong(),
            },
            (Term::Bool(_) | Term::Text(_) | Term::Number(_), _) => wrong(),
            _ => fit(self.operand(dot, operand, (&[], None))?, param),
        }
    }
}

/// A value for a parameter of a type, which converts nothing.
fn fit<'v>(value: Value<'v>, param: Param) -> Result<Value<'v>, Fault> {
    let fits = match (&value, param) {
        (Value::Absent, Param::Any) => return Ok(Value::Nil),
        (Value::Absent, Param::Map) => return Ok(Value::Map(Map::unmade())),
        (_, Param::Any) => true,
        (Value::Text(_), Param::Text)
        | (Value::Int(IntType::Int, _), Param::Int)
        | (Value::Float(_), Param::Float)
        | (Value::Bool(_), Param::Bool)
        | (Value::Moment(_), Param::Moment) => true,
        (Value::Map(map), Param::Map) => map.kind() == MapType::Any,
        _ => false,
    };
    if fits {
        Ok(value)
    } else {
        Err(Fault::type_error(format!(
            "wrong type for value; expected {}; got {}",
            param.name(),
            value.type_name()
        )))
    }
}
