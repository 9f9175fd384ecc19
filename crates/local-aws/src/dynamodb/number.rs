//! Numbers as DynamoDB keeps them: decimal, exact, 38 digits.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::error::validation;
use crate::protocol::AwsError;

const MOST_DIGITS: usize = 38;
/// Of the first digit, in scientific notation.
const LARGEST_EXPONENT: i32 = 125;
const SMALLEST_EXPONENT: i32 = -130;

/// `±0.DIGITS × 10^exponent`, without zeros at either end of the digits; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Number {
    fn new(negative: bool, mut digits: Vec<u8>, mut exponent: i32) -> Result<Self, AwsError> {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        exponent = exponent.saturating_sub(i32::try_from(zeros).unwrap_or(i32::MAX));
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Ok(Self { negative: false, digits, exponent: 0 });
        }
        if digits.len() > MOST_DIGITS {
            return Err(validation(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        let scientific = exponent.saturating_sub(1);
        if scientific > LARGEST_EXPONENT {
            return Err(validation(
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ));
        }
        if scientific < SMALLEST_EXPONENT {
            return Err(validation(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            ));
        }
        Ok(Self { negative, digits, exponent })
    }

    /// The sum.
    pub fn plus(&self, other: &Self) -> Result<Self, AwsError> {
        let places = self.fraction_digits().max(other.fraction_digits());
        let (left, right) = (self.scaled(places), other.scaled(places));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&left, &right))
        } else if compare(&left, &right) == Ordering::Less {
            (other.negative, subtract(&right, &left))
        } else {
            (self.negative, subtract(&left, &right))
        };
        let whole = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        Self::new(negative, digits, whole.saturating_sub(places))
    }

    /// The difference.
    pub fn minus(&self, other: &Self) -> Result<Self, AwsError> {
        let mut opposite = other.clone();
        opposite.negative = !opposite.negative && !opposite.digits.is_empty();
        self.plus(&opposite)
    }

    /// What it counts towards an item's size: about a byte for two digits.
    #[must_use]
    pub fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }

    fn fraction_digits(&self) -> i32 {
        let digits = i32::try_from(self.digits.len()).unwrap_or(i32::MAX);
        digits.saturating_sub(self.exponent).max(0)
    }

    /// The digits of the number times `10^places`, which makes it whole.
    fn scaled(&self, places: i32) -> Vec<u8> {
        let length = usize::try_from(self.exponent.saturating_add(places)).unwrap_or_default();
        let mut digits = self.digits.clone();
        digits.resize(length.max(digits.len()), 0);
        digits
    }
}

fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let significant =
        |digits: &[u8]| digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let left = left.get(significant(left)..).unwrap_or_default();
    let right = right.get(significant(right)..).unwrap_or_default();
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = columns(left, right)
        .map(|(left, right)| {
            let total = left + right + carry;
            carry = total / 10;
            total % 10
        })
        .collect();
    sum.push(carry);
    sum.reverse();
    sum
}

/// `left` is not the smaller one.
fn subtract(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrowed = 0;
    let mut difference: Vec<u8> = columns(left, right)
        .map(|(left, right)| {
            let less = right + borrowed;
            borrowed = u8::from(left < less);
            left + 10 * borrowed - less
        })
        .collect();
    difference.reverse();
    difference
}

/// Digits of the same place, the lowest first.
fn columns<'a>(left: &'a [u8], right: &'a [u8]) -> impl Iterator<Item = (u8, u8)> + 'a {
    let length = left.len().max(right.len());
    let padded = move |digits: &'a [u8]| {
        digits.iter().rev().copied().chain(std::iter::repeat(0)).take(length)
    };
    padded(left).zip(padded(right))
}

impl FromStr for Number {
    type Err = AwsError;

    fn from_str(text: &str) -> Result<Self, AwsError> {
        let refused = || {
            if text.is_empty() {
                return validation("The parameter cannot be converted to a numeric value");
            }
            validation(format!("The parameter cannot be converted to a numeric value: {text}"))
        };
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent).ok_or_else(refused)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Option<Vec<u8>> = whole
            .chars()
            .chain(fraction.chars())
            .map(|character| character.to_digit(10).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.filter(|digits| !digits.is_empty()).ok_or_else(refused)?;
        let places = i32::try_from(whole.len()).map_err(|_| refused())?;
        Self::new(negative, digits, exponent.saturating_add(places))
    }
}

/// Exponents that no number has are cut to one that no number has either.
fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if text.starts_with('-') { -100_000 } else { 100_000 };
    is_number.then(|| text.parse().unwrap_or(beyond).clamp(-100_000, 100_000))
}

impl fmt::Display for Number {
    /// In plain notation, as DynamoDB returns numbers however they were written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return formatter.write_str("0");
        }
        if self.negative {
            formatter.write_str("-")?;
        }
        let shown = |digit: &u8| char::from(b'0' + digit);
        let whole = usize::try_from(self.exponent).unwrap_or_default();
        let integer: String =
            self.digits.iter().map(shown).chain(std::iter::repeat('0')).take(whole).collect();
        formatter.write_str(if integer.is_empty() { "0" } else { &integer })?;
        let fraction = self.digits.get(whole..).unwrap_or_default();
        if !fraction.is_empty() {
            let zeros = usize::try_from(-self.exponent).unwrap_or_default();
            let fraction: String = fraction.iter().map(shown).collect();
            write!(formatter, ".{}{fraction}", "0".repeat(zeros))?;
        }
        Ok(())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude =
            || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        sign(self)
            .cmp(&sign(other))
            .then_with(|| if self.negative { magnitude().reverse() } else { magnitude() })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect(text)
    }

    #[test]
    fn numbers_lose_nothing_but_their_notation() {
        for (written, kept) in [
            ("1", "1"),
            ("-1.50", "-1.5"),
            ("0.00120", "0.0012"),
            ("+007", "7"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("12.5E-4", "0.00125"),
            (".5", "0.5"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(number(written).to_string(), kept);
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for (written, part) in [
            ("", "cannot be converted to a numeric value"),
            ("abc", "numeric value: abc"),
            ("1e", "numeric value: 1e"),
            ("1 ", "numeric value: 1 "),
            ("123456789012345678901234567890123456789", "more than 38 significant digits"),
            ("1e126", "Number overflow"),
            ("1e99999999999", "Number overflow"),
            ("1e-131", "Number underflow"),
        ] {
            let refused = written.parse::<Number>().expect_err(written);
            assert!(refused.message.contains(part), "{}", refused.message);
        }
    }

    #[test]
    fn order_is_by_value() {
        let sorted = ["-100", "-2", "-1.5", "0", "0.5", "2", "10", "1e20"];
        for pair in sorted.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        assert_eq!(number("1.0"), number("1"));
    }

    #[test]
    fn arithmetic_is_exact() {
        for (left, right, sum) in [
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("-5", "3", "-2"),
            ("999", "1", "1000"),
            ("1e20", "1", "100000000000000000001"),
            ("0.05", "-1", "-0.95"),
        ] {
            assert_eq!(number(left).plus(&number(right)).expect("fits").to_string(), sum);
        }
        assert_eq!(number("3").minus(&number("5.5")).expect("fits").to_string(), "-2.5");
        let beyond = number("1e100").plus(&number("1")).expect_err("101 digits");
        assert!(beyond.message.contains("38 significant digits"));
    }
}
