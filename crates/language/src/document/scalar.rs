use super::NodeKind;

/// What a plain scalar stands for, or `None` where it is a string.
pub(super) fn resolve_plain(text: &str) -> Option<NodeKind> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(NodeKind::Null),
        "true" | "True" | "TRUE" => Some(NodeKind::Bool(true)),
        "false" | "False" | "FALSE" => Some(NodeKind::Bool(false)),
        _ => integer(text).or_else(|| float(text)),
    }
}

fn integer(text: &str) -> Option<NodeKind> {
    let value = if let Some(digits) = text.strip_prefix("0x") {
        radix(digits, 16)?
    } else if let Some(digits) = text.strip_prefix("0o") {
        radix(digits, 8)?
    } else {
        if !is_plain_integer(text) {
            return None;
        }
        text.parse().ok()?
    };
    let fits = i64::try_from(value).is_ok() || u64::try_from(value).is_ok();
    fits.then_some(NodeKind::Integer(value))
}

fn radix(digits: &str, radix: u32) -> Option<i128> {
    let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    plain.then(|| i128::from_str_radix(digits, radix).ok()).flatten()
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits && (digits == "0" || !digits.starts_with('0'))
}

fn float(text: &str) -> Option<NodeKind> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    let is_float = has_digits && digits(whole) && digits(fraction) && exponent_is_number;
    if !is_float || leading_zero || (exponent.is_none() && !mantissa.contains('.')) {
        return None;
    }
    let is_exact = crate::template::is_exact_decimal(text);
    is_exact.then(|| text.parse().ok().map(NodeKind::Float)).flatten()
}

/// Whether a text that is no number here is one all the same, of more digits than can be kept.
pub(super) fn is_inexact_number(text: &str) -> bool {
    if is_plain_integer(text) {
        return true;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let starts = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let after_zero = unsigned.strip_prefix('0');
    let leading_zero = after_zero.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    let plain = text.bytes().all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
    starts && plain && !leading_zero && text.parse::<f64>().is_ok()
}
