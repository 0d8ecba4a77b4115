//! Fields of values: keys of objects, and what dates and versions tell of themselves.

use smallvec::SmallVec;

use super::eval::Eval;
use super::tree::Operand;
use crate::fault::Fault;
use crate::functions::methods;
use crate::value::{MapType, Text, Value};

impl<'e, 'v> Eval<'e, 'v> {
    /// Walks `path` from `receiver`; the last name gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Value<'v>,
        (mut receiver, path): (Value<'v>, &'v [Box<str>]),
        (args, last): (&'v [Operand], Option<Value<'v>>),
    ) -> Result<Value<'v>, Fault> {
        let Some((name, before)) = path.split_last() else {
            return Ok(receiver);
        };
        for name in before {
            receiver = self.field(&receiver, name, &[])?;
        }
        if args.is_empty() && last.is_none() {
            return self.field(&receiver, name, &[]);
        }
        let mut values: SmallVec<[Value<'v>; 2]> = SmallVec::new();
        for operand in args {
            values.push(self.plain_arg(dot, operand)?);
        }
        values.extend(last);
        self.field(&receiver, name, &values)
    }

    fn plain_arg(&mut self, dot: &Value<'v>, operand: &'v Operand) -> Result<Value<'v>, Fault> {
        self.operand(dot, operand, (&[], None))
            .map_err(|fault| fault.at(operand.column))
    }

    fn field(
        &mut self,
        receiver: &Value<'v>,
        name: &str,
        args: &[Value<'v>],
    ) -> Result<Value<'v>, Fault> {
        match receiver {
            // What is no value at all has every field, and each is no value.
            Value::Absent => Ok(Value::Absent),
            Value::Nil => Err(Fault::type_error(format!(
                "nil pointer evaluating interface {{}}.{name}"
            ))),
            Value::Map(map) => {
                if !args.is_empty() {
                    return Err(Fault::type_error(format!(
                        "{name} is not a method but has arguments"
                    )));
                }
                self.cx.meter.look(map.weight())?;
                Ok(map.get(name.as_bytes()).unwrap_or(match map.kind() {
                    MapType::Any => Value::Nil,
                    MapType::Texts => Value::Text(Text::Borrowed(&[])),
                }))
            }
            other => methods::call(other, name, args).unwrap_or_else(|| {
                Err(Fault::type_error(format!(
                    "can't evaluate field {name} in type {}",
                    other.type_name()
                )))
            }),
        }
    }
}
