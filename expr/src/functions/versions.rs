//! Semantic versions: reading one, and asking whether one satisfies a constraint.

use std::sync::Arc;

use super::Param::Text as Txt;
use super::constraint::Constraint;
use super::{Args, Function};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;
use crate::version::Version;

pub(super) const TABLE: &[Function] = &[
    Function::of("semver", &[Txt], |cx, args| {
        Ok(Value::Version(Arc::new(version(cx, args, 0)?)))
    }),
    Function::of("semverCompare", &[Txt, Txt], |cx, args| {
        let constraint = constraint(cx, args)?;
        let version = version(cx, args, 1)?;
        Ok(Value::Bool(constraint.holds(&version)))
    }),
];

fn version(cx: &Cx<'_>, args: Args<'_, '_>, i: usize) -> Result<Version, Fault> {
    cx.meter.make(args.text(i).len())?;
    Version::parse(&args.lossy(i)).ok_or_else(|| Fault::refused("invalid semantic version"))
}

fn constraint(cx: &Cx<'_>, args: Args<'_, '_>) -> Result<Constraint, Fault> {
    let text = args.lossy(0);
    // A comparison may be two bytes, and is some hundred when it is read.
    cx.meter.make(text.len().saturating_mul(64))?;
    Constraint::parse(&text).ok_or_else(|| Fault::refused(format!("improper constraint: {text}")))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn a_version_tells_its_parts_and_order() {
        gives(
            r#"{{ semver "v1.2-a+b" }} {{ (semver "v1.2").Original }}"#,
            "1.2.0-a+b v1.2",
        );
        gives(r#"{{ semver "1.4.3" | (semver "1.2.3").Compare }}"#, "-1");
    }

    #[test]
    fn what_is_no_version_or_constraint_is_refused() {
        refuses(r#"{{ semver "1.2.3.4" }}"#);
        refuses(r#"{{ semverCompare "bad" "1.0.0" }}"#);
        refuses(r#"{{ semverCompare "1" "bad" }}"#);
        gives(
            r#"{{ semverCompare "^1" "1.5" }} {{ semverCompare "^1" "2" }}"#,
            "true false",
        );
    }
}
