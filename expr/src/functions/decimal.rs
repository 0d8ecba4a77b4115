//! Arithmetic of decimal fractions: exact, so that 0.1 and 0.2 are 0.3.
//!
//! A double stands for the shortest decimal number that reads back as it. Results are
//! doubles again. Quotients have 16 decimals.

use num_bigint::{BigInt, Sign};

use super::Function;
use super::Param::Any;
use super::numbers::to_float;
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("addf", &[], |cx, args| {
        folded(cx, &Value::Float(0.0), args.0, Decimal::plus)
    })
    .and_more(Any),
    Function::of("add1f", &[Any], |cx, args| {
        folded(cx, args.get(0), &[Value::Float(1.0)], Decimal::plus)
    }),
    Function::of("subf", &[Any], |cx, args| {
        folded(cx, args.get(0), args.from(1), Decimal::minus)
    })
    .and_more(Any),
    Function::of("mulf", &[Any], |cx, args| {
        folded(cx, args.get(0), args.from(1), Decimal::times)
    })
    .and_more(Any),
    Function::of("divf", &[Any], |cx, args| {
        folded(cx, args.get(0), args.from(1), Decimal::over)
    })
    .and_more(Any),
];

/// Decimals of a quotient.
const PLACES: i64 = 16;

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug)]
struct Decimal {
    digits: BigInt,
    exponent: i64,
}

type Operation = fn(Decimal, &Decimal) -> Option<Decimal>;

fn folded<'v>(
    cx: &Cx<'_>,
    first: &Value<'_>,
    others: &[Value<'_>],
    operation: Operation,
) -> Result<Value<'v>, Fault> {
    let decimal = |value| {
        let number = to_float(cx, value)?;
        Decimal::of(number).ok_or_else(|| Fault::refused(format!("no decimal number: {number}")))
    };
    let mut result = decimal(first)?;
    for other in others {
        let other = decimal(other)?;
        cx.meter.make(result.reach(&other))?;
        result =
            operation(result, &other).ok_or_else(|| Fault::refused("decimal division by 0"))?;
    }
    Ok(Value::Float(result.double()))
}

impl Decimal {
    /// `None` for what is infinite or no number.
    fn of(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let decimals = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
        Some(Self {
            digits: mantissa.replace('.', "").parse().ok()?,
            exponent: exponent.parse::<i64>().ok()? - decimals as i64,
        })
    }

    /// Bytes that an operation on the two makes at most, with what it takes on the way.
    fn reach(&self, other: &Self) -> usize {
        let bits = self.digits.bits() + other.digits.bits();
        let apart = self.exponent.abs_diff(other.exponent);
        let bytes = bits / 8 + apart / 2 + 64;
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// The digits at a lower exponent.
    fn digits_at(&self, exponent: i64) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }

    fn plus(self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let digits = self.digits_at(exponent) + other.digits_at(exponent);
        Some(Self { digits, exponent })
    }

    fn minus(self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let digits = self.digits_at(exponent) - other.digits_at(exponent);
        Some(Self { digits, exponent })
    }

    fn times(self, other: &Self) -> Option<Self> {
        Some(Self {
            digits: self.digits * &other.digits,
            exponent: self.exponent + other.exponent,
        })
    }

    /// To 16 decimals, half away from zero; `None` by 0.
    fn over(self, other: &Self) -> Option<Self> {
        if other.digits.sign() == Sign::NoSign {
            return None;
        }
        // self / other * 10^16 as a fraction of whole numbers.
        let shift = self.exponent - other.exponent + PLACES;
        let above = &self.digits * power_of_ten(shift);
        let below = &other.digits * power_of_ten(-shift);
        let negative = (above.sign() == Sign::Minus) != (below.sign() == Sign::Minus);
        let (above, below) = (above.magnitude(), below.magnitude());
        // Half is added before what is left is cut off.
        let quotient = (above * 2_u32 + below) / (below * 2_u32);
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Some(Self {
            digits: BigInt::from_biguint(sign, quotient),
            exponent: -PLACES,
        })
    }

    /// The nearest double; infinity beyond them.
    fn double(&self) -> f64 {
        let text = format!("{}e{}", self.digits, self.exponent);
        text.parse().unwrap_or(f64::NAN)
    }
}

/// 1 for what is not positive.
fn power_of_ten(exponent: i64) -> BigInt {
    let exponent = u32::try_from(exponent).unwrap_or(0);
    BigInt::from(10).pow(exponent)
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn sums_and_products_are_exact() {
        gives(
            "{{ addf 0.1 0.2 }} {{ subf 1 0.9 }} {{ mulf 1.1 1.1 }}",
            "0.3 0.1 1.21",
        );
        gives(
            "{{ addf }} {{ addf 1e300 1 -1e300 }} {{ mulf 1e-200 1e-200 }}",
            "0 1 0",
        );
        gives(
            "{{ mulf 1e-200 1e-200 1e300 }} {{ mulf 1e200 1e200 }}",
            "1e-100 +Inf",
        );
        gives(r#"{{ addf "x" nil true "1.5" }}"#, "2.5");
        gives("{{ subf -0.0 }}", "0");
    }

    #[test]
    fn a_quotient_has_sixteen_decimals() {
        gives(
            "{{ divf 2 3 }} {{ divf -2 3 }}",
            "0.6666666666666667 -0.6666666666666667",
        );
        gives("{{ divf 1 30000000000 }}", "3.33333e-11");
        gives(
            "{{ divf 1 1e17 }} {{ divf 5 1e17 }} {{ divf -5 1e17 }}",
            "0 1e-16 -1e-16",
        );
        gives(
            "{{ divf 1e300 1e-300 }} {{ divf 1 }} {{ divf 10 4 5 }}",
            "+Inf 1 0.5",
        );
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for source in [
            "{{ divf 1 0 }}",
            "{{ divf 0 0 }}",
            r#"{{ addf "inf" }}"#,
            r#"{{ mulf 1 "nan" }}"#,
        ] {
            refuses(source);
        }
    }
}
