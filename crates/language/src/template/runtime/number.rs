//! Which numbers are kept exactly.

use minijinja::Error;
use minijinja::value::ValueKind;

use super::refusal;
use crate::template::Value;

/// From here on a double does not tell a whole number from the next.
pub(crate) const LARGEST_IN_DOUBLE: u128 = 1 << 53;

/// Whether a decimal, as JSON and YAML write them, is what a double gives back.
#[must_use]
pub fn is_exact_decimal(text: &str) -> bool {
    let Ok(value) = text.parse::<f64>() else { return false };
    if !value.is_finite() {
        return false;
    }
    digits(text) == digits(&format!("{value:e}"))
}

/// The digits of a decimal without what does not count, and the power of ten that the last of them stands for.
fn digits(text: &str) -> Option<(String, i64)> {
    let unsigned = text.trim_start_matches(['-', '+']);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let short = significant.trim_end_matches('0');
    let dropped = i64::try_from(significant.len() - short.len()).ok()?;
    let behind = i64::try_from(fraction.len()).ok()?;
    let power = if short.is_empty() { 0 } else { exponent - behind + dropped };
    Some((short.to_owned(), power))
}

/// The first number of a JSON text that cannot be kept as it is written, if any: more than 64 bits, or more digits than
/// a double has.
#[must_use]
pub fn inexact_in_json(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find(|it: char| it == '"' || it == '-' || it.is_ascii_digit()) {
        rest = rest.get(at..)?;
        if let Some(inside) = rest.strip_prefix('"') {
            rest = after_string(inside);
            continue;
        }
        let end = rest
            .find(|it: char| !(it.is_ascii_alphanumeric() || matches!(it, '-' | '+' | '.')))
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if !is_exact(number) {
            return Some(number);
        }
        rest = after;
    }
    None
}

fn after_string(inside: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return inside.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// Whether a number is kept as it is written.
#[must_use]
pub fn is_exact(number: &str) -> bool {
    if number.contains(['.', 'e', 'E']) {
        is_exact_decimal(number)
    } else {
        number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok()
    }
}

/// Refuses a number that cannot be handed on as it is.
pub(in crate::template) fn keep(value: &Value) -> Result<(), Error> {
    if value.kind() != ValueKind::Number {
        return Ok(());
    }
    if value.is_integer() {
        let fits = i64::try_from(value.clone()).is_ok() || u64::try_from(value.clone()).is_ok();
        return if fits {
            Ok(())
        } else {
            Err(refusal(
                "this is a whole number of more than 64 bits",
                "write `… | string` to keep its digits as text",
            ))
        };
    }
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_finite() => Ok(()),
        _ => Err(refusal("this is no finite number", "keep the calculation below 1.8e308")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_double_gives_back_is_exact() {
        for exact in ["0.1", "1.10", "1e3", "-2.50", "0.0", "1e-7", "9007199254740993e0", "1.5E+2"]
        {
            assert_eq!(is_exact_decimal(exact), exact != "9007199254740993e0", "{exact}");
        }
        for cut in ["0.1000000000000000055", "3.14159265358979323846", "1e400", "1e-400"] {
            assert!(!is_exact_decimal(cut), "{cut}");
        }
    }

    #[test]
    fn numbers_are_found_in_json_and_digits_of_texts_are_not() {
        let exact = r#"{"a": [1, -2.5e3, 18446744073709551615], "12345678901234567890123": "\"98765432109876543210987"}"#;
        assert_eq!(inexact_in_json(exact), None);
        let long = r#"{"a": [1, 12345678901234567890123]}"#;
        assert_eq!(inexact_in_json(long), Some("12345678901234567890123"));
        assert_eq!(inexact_in_json("0.12345678901234567890123"), Some("0.12345678901234567890123"));
    }
}
