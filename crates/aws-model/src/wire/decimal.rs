//! Numbers as text, as boto3 writes them.

use std::fmt::Write;

use serde_json::{Number, Value};

/// The shortest text that reads as the same number: `1.0`, `0.0001`, `1e-05`, `1e+16`.
pub(crate) fn text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let mut plain = format!("{number}");
        if !plain.contains('.') {
            plain.push_str(".0");
        }
        return plain;
    }
    let mut text = digits.to_owned();
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing to a String does not fail.
    let _ = write!(text, "e{sign}{:02}", exponent.abs());
    text
}

/// A number as text: an integer with all its digits.
pub(crate) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => text(float),
        _ => number.to_string(),
    }
}

/// The value that a number is; a number that JSON cannot say is its name.
pub(crate) fn value(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::String(text(number)), Value::Number)
}

/// The number that a value of a float or double is.
pub(crate) fn read(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(name) => special(name),
        _ => None,
    }
}

/// The number that JSON cannot say.
pub(crate) fn special(name: &str) -> Option<f64> {
    match name {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The value of a number that came with 32 bits: the decimal that it was written from, not the binary one beside it.
pub(crate) fn single(number: f32) -> Value {
    value(number.to_string().parse().unwrap_or_else(|_| f64::from(number)))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn numbers_are_written_as_boto3_writes_them() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e16, "1e+16"),
            (123_456_789.5, "123456789.5"),
        ];
        for (number, expected) in cases {
            assert_eq!(text(number), expected);
        }
        assert_eq!(text(-1.5e300), "-1.5e+300");
        assert_eq!(text(1e15), "1000000000000000.0");
        assert_eq!(text(f64::NEG_INFINITY), "-Infinity");
    }
}
