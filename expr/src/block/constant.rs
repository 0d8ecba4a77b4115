//! Programs that give the same whatever the packet: evaluated once, when they are compiled
//! (spec 4.4).

use super::Program;
use super::Surroundings;
use crate::compile::{Dialect, Mode};
use crate::limits::Limits;
use crate::value::{Tree, Value};

/// Steps that are worth spending on a constant when a Story is loaded.
const FUEL: u64 = 10_000;
/// Bytes that are worth making for one.
const MEMORY: u64 = 256 << 10;

/// 2024-07-21 13:03:07.654321, a Sunday afternoon: unlike 1970 in each part of a date.
const ANOTHER_TIME: i64 = 1_721_566_987_654_321_000;

/// The value of a program that reads nothing and asks neither time nor chance; `None` also
/// where it fails, which is then told with each packet.
pub(super) fn constant(
    program: &Program,
    (mode, dialect): (Mode, Dialect),
    limits: &Limits,
) -> Option<Value<'static>> {
    if !program.reads().is_empty() {
        return None;
    }
    // `with` has no function that gives another value each time.
    let is_steady = mode == Mode::With
        || program.is_literal()
        || Program::compile(program.source(), (Mode::With, dialect), limits).is_ok();
    if !is_steady {
        return None;
    }
    let limits = Limits {
        fuel: limits.fuel.min(FUEL),
        memory_bytes: limits.memory_bytes.min(MEMORY),
        ..*limits
    };
    let nothing = Value::map(Tree::new());
    let at = |now_nanos| {
        let surroundings = Surroundings {
            now_nanos,
            ..Surroundings::default()
        };
        let cx = surroundings.of(&limits);
        program.evaluate(&nothing, &cx).ok().map(Value::into_owned)
    };
    // What is no date stands for the current time in some functions: what shows it shows at two
    // moments that differ in everything that can be shown.
    let value = at(0)?;
    if at(ANOTHER_TIME)? != value {
        return None;
    }
    let is_utf8 = value
        .as_text()
        .is_none_or(|text| std::str::from_utf8(text).is_ok());
    is_utf8.then_some(value)
}
