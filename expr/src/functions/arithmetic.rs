//! Arithmetic of whole numbers, which wrap round at 64 bits, and of doubles.
//!
//! Any value is taken for the number it stands for. Exact decimal fractions are
//! [`decimal`](super::decimal).

use super::Param::{Any, Float, Int};
use super::numbers::{to_float, to_int};
use super::{Args, Function};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("add", &[], |cx, args| {
        folded(cx, 0, args.0, i64::wrapping_add)
    })
    .and_more(Any),
    Function::of("add1", &[Any], |cx, args| {
        folded(cx, 1, args.0, i64::wrapping_add)
    }),
    Function::of("sub", &[Any, Any], |cx, args| {
        reduced(cx, args, i64::wrapping_sub)
    }),
    Function::of("mul", &[Any], |cx, args| {
        reduced(cx, args, i64::wrapping_mul)
    })
    .and_more(Any),
    Function::of("div", &[Any, Any], |cx, args| {
        divided(cx, args, i64::wrapping_div)
    }),
    Function::of("mod", &[Any, Any], |cx, args| {
        divided(cx, args, i64::wrapping_rem)
    }),
    Function::of("max", &[Any], |cx, args| reduced(cx, args, Ord::max)).and_more(Any),
    Function::of("biggest", &[Any], |cx, args| reduced(cx, args, Ord::max)).and_more(Any),
    Function::of("min", &[Any], |cx, args| reduced(cx, args, Ord::min)).and_more(Any),
    Function::of("maxf", &[Any], |cx, args| extreme(cx, args, larger)).and_more(Any),
    Function::of("minf", &[Any], |cx, args| {
        extreme(cx, args, |one, two| -larger(-one, -two))
    })
    .and_more(Any),
    Function::of("ceil", &[Any], |cx, args| {
        Ok(Value::Float(to_float(cx, args.get(0))?.ceil()))
    }),
    Function::of("floor", &[Any], |cx, args| {
        Ok(Value::Float(to_float(cx, args.get(0))?.floor()))
    }),
    Function::of("round", &[Any, Int], |cx, args| {
        let from = if args.len() > 2 { args.float(2) } else { 0.5 };
        let number = to_float(cx, args.get(0))?;
        Ok(Value::Float(round(number, args.int(1), from)))
    })
    .and_more(Float),
];

fn folded<'v>(
    cx: &Cx<'_>,
    first: i64,
    others: &[Value<'v>],
    operation: fn(i64, i64) -> i64,
) -> Result<Value<'v>, Fault> {
    cx.meter.burn(others.len() as u64)?;
    let mut result = first;
    for other in others {
        result = operation(result, to_int(cx, other)?);
    }
    Ok(Value::int64(result))
}

fn reduced<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    operation: fn(i64, i64) -> i64,
) -> Result<Value<'v>, Fault> {
    folded(cx, to_int(cx, args.get(0))?, args.from(1), operation)
}

fn divided<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    operation: fn(i64, i64) -> i64,
) -> Result<Value<'v>, Fault> {
    if to_int(cx, args.get(1))? == 0 {
        return Err(Fault::refused("integer divide by zero"));
    }
    reduced(cx, args, operation)
}

fn extreme<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    choose: fn(f64, f64) -> f64,
) -> Result<Value<'v>, Fault> {
    cx.meter.burn(args.len() as u64)?;
    let mut result = to_float(cx, args.get(0))?;
    for other in args.from(1) {
        result = choose(result, to_float(cx, other)?);
    }
    Ok(Value::Float(result))
}

/// The larger of two; infinity before what is no number, that before all else, 0 before -0.
fn larger(one: f64, two: f64) -> f64 {
    if one == f64::INFINITY || two == f64::INFINITY {
        f64::INFINITY
    } else if one.is_nan() || two.is_nan() {
        f64::NAN
    } else if one == two {
        // Of 0 and -0 the sum is 0.
        if one == 0.0 { one + two } else { one }
    } else {
        one.max(two)
    }
}

/// To so many decimals (before the point if negative), up where the fraction beyond them is
/// at least `from` and down otherwise. So negative numbers go down: -2.4 is -3.
fn round(number: f64, decimals: i64, from: f64) -> f64 {
    let scale = power_of_ten(decimals);
    let scaled = number * scale;
    let rounded = if scaled.fract() >= from {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    rounded / scale
}

fn power_of_ten(exponent: i64) -> f64 {
    let (mut power, mut square) = (1.0_f64, 10.0_f64);
    let mut bits = exponent.unsigned_abs();
    while bits > 0 {
        if bits & 1 == 1 {
            power *= square;
        }
        square *= square;
        bits >>= 1;
    }
    if exponent < 0 { 1.0 / power } else { power }
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn division_by_nothing_is_refused_and_of_the_least_wraps_round() {
        refuses("{{ div 1 0.9 }}");
        refuses(r#"{{ mod 1 "x" }}"#);
        gives("{{ div -9223372036854775808 -1 }}", "-9223372036854775808");
        gives("{{ mod -9223372036854775808 -1 }}", "0");
        gives("{{ add 9223372036854775807 1 }}", "-9223372036854775808");
    }

    #[test]
    fn what_is_no_number_wins_over_all_but_infinity() {
        gives(
            r#"{{ maxf 1 "nan" }} {{ maxf "inf" "nan" }} {{ minf "nan" "-inf" }}"#,
            "NaN +Inf -Inf",
        );
        gives("{{ maxf -0.0 0 }} {{ minf 0 -0.0 }}", "0 -0");
    }

    #[test]
    fn rounding_looks_at_the_fraction_alone() {
        gives(
            "{{ round -2.4 0 }} {{ round -2.6 0 }} {{ round -2.0 0 }} {{ round 2.5 0 }}",
            "-3 -3 -2 3",
        );
        gives(
            "{{ round 125 -1 }} {{ round 1.005 2 }} {{ round 1 400 }}",
            "130 1 NaN",
        );
    }
}
