//! Templates tried in the tests of the functions.

use crate::block::{Block, Surroundings};
use crate::chance::Chance;
use crate::compile::{Dialect, Mode};
use crate::fault::Fault;
use crate::format;
use crate::limits::{Limits, Meter};
use crate::template::Cx;
use crate::value::{Fields, Text, Value};

/// No variables.
#[derive(Debug)]
struct Nothing;

impl Fields for Nothing {
    fn field<'v>(&'v self, _: &[u8]) -> Option<Value<'v>> {
        None
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        Vec::new()
    }
}

/// The context of an evaluation.
pub(super) fn context(limits: &Limits) -> Cx<'_> {
    Cx {
        limits,
        meter: Meter::new(limits),
        chance: Chance::new(1),
        now: 0,
    }
}

/// What a template gives, as it prints. It is 2024-05-06 12:53:20.
pub(super) fn value(source: &str) -> Result<String, Fault> {
    let to = (Mode::Runtime, Dialect::Template);
    let block = Block::compile(&Value::owned(source), to, Limits::default())
        .unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let surroundings = Surroundings {
        now_nanos: 1_715_000_000_000_000_000,
        seed: 1,
    };
    let value = block.evaluate(&Nothing, &surroundings)?;
    Ok(String::from_utf8_lossy(&format::print(&value)).into_owned())
}

#[track_caller]
pub(super) fn gives(source: &str, wanted: &str) {
    assert_eq!(value(source).as_deref(), Ok(wanted), "{source}");
}

/// That a template fails, and not for want of fuel or memory.
#[track_caller]
pub(super) fn refuses(source: &str) {
    let found = value(source);
    assert!(
        matches!(
            found,
            Err(Fault::Refused { .. } | Fault::Type { .. } | Fault::Offloaded(_))
        ),
        "{source}: {found:?}"
    );
}

mod tests {
    use proptest::prelude::*;

    use super::value;
    use crate::functions::{Param, Set, all};

    const BOOLS: &[&str] = &["true", "false"];
    const INTS: &[&str] = &[
        "0",
        "1",
        "-1",
        "3",
        "7",
        "400",
        "9223372036854775807",
        "-9223372036854775808",
        "'a'",
    ];
    const FLOATS: &[&str] = &[
        "0.0",
        "-0.5",
        "2.345",
        "1e308",
        "5e-324",
        "(float64 \"nan\")",
    ];
    const TEXTS: &[&str] = &[
        r#""""#,
        r#"" ""#,
        r#""a""#,
        r#""Grüße 世界 🎉""#,
        r#"(trunc 3 "aéé")"#,
        r#"(trunc -1 "é")"#,
        r#""a,b,,c""#,
        r#"",""#,
        r#""2006-01-02""#,
        r#""Mon Jan _2 15:04:05.000 MST 2006 -07:00""#,
        r#""2024-02-30""#,
        r#""1h-1m""#,
        r#""-9223372036854775808""#,
        r#""0x1p-1074""#,
        r#""^1.x || >=2 - 3""#,
        r#""1.2.3-rc.1+b""#,
        r#""AA==""#,
        r#""AA======""#,
        r#""/../a//b.c/""#,
        r#""{\"a\":[1,null]}""#,
        r#""HTTP2xx_-9Foo""#,
        r#""Europe/Berlin""#,
        r#""%5d%v%q""#,
    ];
    const MAPS: &[&str] = &[
        "nil",
        "(dict)",
        r#"(dict "a" (dict "b" nil) "$bubuStorageRef" 1)"#,
        r#"(dict "$bubuStorageRef" "k")"#,
    ];
    const DATES: &[&str] = &["now", r#"(toDate "2006" "bad")"#];
    const OTHERS: &[&str] = &[
        "1i",
        "(list)",
        r#"(list 1 nil "b" (list 2.5))"#,
        "(rest (list))",
        r#"(splitList "," "b,a")"#,
        r#"(split "," "b,a")"#,
        r#"(semver "1.2.3-a")"#,
        r#"(now.Sub (toDate "2006" "bad"))"#,
        "now.Month",
        "(int64 -1)",
        r#"(index "a" 0)"#,
    ];

    /// Values that a parameter takes.
    fn argument(param: Param) -> BoxedStrategy<&'static str> {
        let pool = match param {
            Param::Any => [BOOLS, INTS, FLOATS, TEXTS, MAPS, DATES, OTHERS].concat(),
            Param::Text => TEXTS.to_vec(),
            Param::Int => INTS.to_vec(),
            Param::Float => FLOATS.to_vec(),
            Param::Bool => BOOLS.to_vec(),
            Param::Map => MAPS.to_vec(),
            Param::Moment => DATES.to_vec(),
        };
        prop::sample::select(pool).boxed()
    }

    /// A call of any function with arguments of the types it takes.
    fn call() -> impl Strategy<Value = String> {
        let functions: Vec<_> = all(Set::All).collect();
        let function = (prop::sample::select(functions), 0..4_usize);
        function.prop_flat_map(|(function, more)| {
            let more = function.rest.map_or(0, |_| more);
            let count = function.params.len() + more;
            let arguments: Vec<_> = (0..count).map(|i| argument(function.param(i))).collect();
            arguments.prop_map(|arguments| format!("{} {}", function.name, arguments.join(" ")))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn no_arguments_make_a_function_panic(inner in call(), outer in call()) {
            let source = format!("{{{{ {inner} }}}}");
            prop_assert_eq!(value(&source), value(&source));
            let source = format!("{{{{ {outer} ({inner}) }}}}");
            prop_assert_eq!(value(&source), value(&source));
        }
    }
}
