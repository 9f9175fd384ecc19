//! Timestamps, in every way that AWS's services write them.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Number, Value};

use super::{WireError, Wired, decimal, kind_of};
use crate::shape::TimestampFormat;

const NANOS: i128 = 1_000_000_000;

/// The moment that a value is: RFC 3339 text, an HTTP date, or seconds since 1970 as number or text.
pub fn parse_timestamp(value: &Value) -> Result<Timestamp, WireError> {
    let moment = match value {
        Value::Number(number) => seconds(&number.to_string()),
        Value::String(text) => parse_text(text.trim()),
        _ => None,
    };
    moment.ok_or_else(|| {
        let what =
            value.as_str().map_or_else(|| kind_of(value).to_owned(), |text| format!("`{text}`"));
        WireError::new(format!("expected a timestamp such as 2026-01-31T12:00:00Z, not {what}"))
    })
}

/// A moment as values have it.
pub fn rfc3339(moment: Timestamp) -> String {
    moment.to_string()
}

fn parse_text(text: &str) -> Option<Timestamp> {
    if text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && !text.contains(['T', 't', ':'])
        && let Some(moment) = seconds(text)
    {
        return Some(moment);
    }
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if let Ok(local) = text.parse::<jiff::civil::DateTime>() {
        // Without an offset: AWS means UTC.
        return local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    http_date(text)
}

/// `Sun, 02 Jan 2000 20:34:56.456 GMT`; the fraction is no part of the standard and yet comes.
fn http_date(text: &str) -> Option<Timestamp> {
    let parser = rfc2822::DateTimeParser::new();
    let Some((before, rest)) = text.split_once('.') else {
        return parser.parse_timestamp(text).ok();
    };
    let (digits, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
    let whole = parser.parse_timestamp(format!("{before}{after}")).ok()?;
    whole.checked_add(SignedDuration::from_nanos(fraction(digits)?)).ok()
}

fn fraction(digits: &str) -> Option<i64> {
    format!("{digits:0<9}").get(..9)?.parse().ok()
}

/// Seconds since 1970, to the last digit.
fn seconds(text: &str) -> Option<Timestamp> {
    let nanos = if text.contains(['e', 'E']) {
        let seconds: f64 = text.parse().ok()?;
        SignedDuration::try_from_secs_f64(seconds).ok()?.as_nanos()
    } else {
        let (negative, digits) =
            text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let nanos = whole.parse::<i128>().ok()?.checked_mul(NANOS)? + i128::from(fraction(part)?);
        if negative { -nanos } else { nanos }
    };
    Timestamp::from_nanosecond(nanos).ok()
}

/// A moment as text in some format.
pub(crate) fn text(moment: Timestamp, format: TimestampFormat) -> String {
    match format {
        TimestampFormat::Iso8601 => iso8601(moment),
        TimestampFormat::Unix => decimal::number_text(&unix(moment)),
        TimestampFormat::Rfc822 => moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    }
}

/// A moment as a JSON value in some format.
pub(crate) fn json(moment: Timestamp, format: TimestampFormat) -> Value {
    match format {
        TimestampFormat::Unix => Value::Number(unix(moment)),
        _ => Value::String(text(moment, format)),
    }
}

/// A moment as seconds since 1970: an integer where it is one.
pub(crate) fn unix(moment: Timestamp) -> Number {
    let nanos = moment.as_nanosecond();
    if nanos % NANOS == 0 {
        return Number::from(moment.as_second());
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:09}", (nanos / NANOS).abs(), (nanos % NANOS).abs());
    text.parse().ok().and_then(Number::from_f64).unwrap_or_else(|| Number::from(moment.as_second()))
}

/// Without a fraction, or with as many digits as boto3 writes; more only where they would be lost.
fn iso8601(moment: Timestamp) -> String {
    let format = match moment.subsec_nanosecond() {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        nanos if nanos % 1_000 == 0 => "%Y-%m-%dT%H:%M:%S.%6fZ",
        _ => "%Y-%m-%dT%H:%M:%S.%9fZ",
    };
    moment.strftime(format).to_string()
}

/// The moment that a value is, written as text.
pub(crate) fn encode(value: &Value, format: TimestampFormat) -> Wired<String> {
    Ok(text(parse_timestamp(value)?, format))
}

/// The moment that a text of the wire is, as values have it.
pub(crate) fn decode(value: &Value) -> Wired<Value> {
    Ok(Value::String(rfc3339(parse_timestamp(value)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{parse_timestamp, rfc3339, text};
    use crate::shape::TimestampFormat;

    fn read(value: &Value) -> String {
        rfc3339(parse_timestamp(value).expect("it is a moment"))
    }

    #[test]
    fn every_spelling_is_the_same_moment() {
        for value in [
            json!(1_422_172_800),
            json!("1422172800"),
            json!(1_422_172_800.0),
            json!("2015-01-25T08:00:00Z"),
            json!("2015-01-25T09:00:00+01:00"),
            json!("2015-01-25T08:00:00"),
            json!("Sun, 25 Jan 2015 08:00:00 GMT"),
            json!(1.422_172_8e9),
        ] {
            assert_eq!(read(&value), "2015-01-25T08:00:00Z", "{value}");
        }
        assert_eq!(read(&json!(1_422_172_800.123_456)), "2015-01-25T08:00:00.123456Z");
        assert_eq!(read(&json!("Sun, 25 Jan 2015 08:00:00.25 GMT")), "2015-01-25T08:00:00.25Z");
        assert_eq!(read(&json!(-1.5)), "1969-12-31T23:59:58.5Z");
        assert!(parse_timestamp(&json!("soon")).is_err());
        assert!(parse_timestamp(&json!([1])).is_err());
    }

    #[test]
    fn moments_are_written_as_boto3_writes_them() {
        let moment = parse_timestamp(&json!("2015-01-25T08:00:00.5Z")).expect("it is a moment");
        assert_eq!(text(moment, TimestampFormat::Iso8601), "2015-01-25T08:00:00.500000Z");
        assert_eq!(text(moment, TimestampFormat::Unix), "1422172800.5");
        assert_eq!(text(moment, TimestampFormat::Rfc822), "Sun, 25 Jan 2015 08:00:00 GMT");
    }
}
