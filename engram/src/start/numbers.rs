//! JSON values as the Go SDK prints them into its environment: what a binding's payload
//! says with a number instead of a string arrives in this form (spec 3).

use transport_proto::json::{Kind, Value};

/// A string as it is, a number by its shortest digits and from 1000000 on with an
/// exponent, anything else as JSON.
pub(super) fn shown(value: Value<'_>) -> String {
    match (value.kind(), value.number()) {
        (Kind::Text, _) => value.text().unwrap_or_default(),
        (_, Some(number)) => number.parse().map_or_else(|_| number.to_owned(), float),
        (Kind::Null, _) => "<nil>".to_owned(),
        _ => String::from_utf8_lossy(value.raw()).into_owned(),
    }
}

fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) && number != 0.0 => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_tiny_numbers_have_an_exponent() {
        let text = |number: &str| shown(Value::parse(number.as_bytes()).expect("a number"));
        let shown = [
            "999999", "1000000", "20971520", "-1", "1.5", "0", "1e21", "0.00001",
        ]
        .map(text);
        let expected = [
            "999999",
            "1e+06",
            "2.097152e+07",
            "-1",
            "1.5",
            "0",
            "1e+21",
            "1e-05",
        ];
        assert_eq!(shown, expected);
    }
}
