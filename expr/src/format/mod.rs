//! How values print: plainly, and by verbs.

pub(crate) mod float;
mod integer;
mod printer;
mod verbs;

use crate::fault::Fault;
use crate::limits::{Limits, Meter};
use crate::template::Cx;
use crate::value::Value;

use printer::{Printer, Spec};

/// A value as `%v` prints it. Not metered: for text that people read.
#[must_use]
pub(crate) fn print(value: &Value<'_>) -> Vec<u8> {
    let meter = Meter::new(&Limits {
        fuel: u64::MAX,
        memory_bytes: u64::MAX,
        ..Limits::default()
    });
    let mut printer = Printer::new(&meter);
    // The meter cannot run out, and nothing else fails.
    let _ = printer.value(value, 'v', &Spec::default(), 0);
    printer.out
}

/// A value as `%v` prints it.
pub(crate) fn metered(value: &Value<'_>, cx: &Cx<'_>) -> Result<Vec<u8>, Fault> {
    let mut printer = Printer::new(&cx.meter);
    printer.value(value, 'v', &Spec::default(), 0)?;
    Ok(printer.out)
}

/// Values in a row; a space between two that are no texts.
pub(crate) fn sprint<'v>(values: &[Value<'_>], cx: &Cx<'_>) -> Result<Value<'v>, Fault> {
    let mut printer = Printer::new(&cx.meter);
    let mut after_text = true;
    for (i, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_));
        if i > 0 && !is_text && !after_text {
            printer.out.push(b' ');
        }
        printer.value(value, 'v', &Spec::default(), 0)?;
        after_text = is_text;
    }
    crate::functions::made(cx, printer.out)
}

/// Values in a row, a space between each, and a new line.
pub(crate) fn sprintln<'v>(values: &[Value<'_>], cx: &Cx<'_>) -> Result<Value<'v>, Fault> {
    let mut printer = Printer::new(&cx.meter);
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            printer.out.push(b' ');
        }
        printer.value(value, 'v', &Spec::default(), 0)?;
    }
    printer.out.push(b'\n');
    crate::functions::made(cx, printer.out)
}

/// Values by the verbs of a format.
pub(crate) fn sprintf<'v>(
    format: &[u8],
    values: &[Value<'_>],
    cx: &Cx<'_>,
) -> Result<Value<'v>, Fault> {
    let out = verbs::Run::new(format, values, &cx.meter).run()?;
    crate::functions::made(cx, out)
}
