//! Decimal numbers as DynamoDB compares them: by value, however they are written.

/// A decimal number: its digits without zeros at either end, times a power of ten.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads numbers such as `-12.50` and `3e-7`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let dropped = i64::try_from(all.len() - all.trim_end_matches('0').len()).ok()?;
        let fraction = i64::try_from(fraction.len()).ok()?;
        let exponent = i64::from(exponent) - fraction + dropped;
        Some(Self { negative, digits: digits.to_owned(), exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("-0.50", "-5E-1"),
            ("0", "-0.000"),
            ("+7", "007"),
            ("1e+20", "100000000000000000000"),
            (".5", "0.5"),
        ] {
            assert!(Decimal::parse(one).is_some());
            assert_eq!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
        }
        for (one, other) in [("1", "-1"), ("1", "10"), ("1.01", "1.1"), ("12", "21")] {
            assert_ne!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in
            ["", "-", ".", "e5", "1e", "1 ", "0x1", "1.2.3", "NaN", "inf", "--1", "1e99999999999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
