//! Times as AWS writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// `2026-11-23T05:00:00Z`, as XML responses have it.
#[must_use]
pub fn iso8601(time: SystemTime) -> String {
    format(time, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2026-11-23T05:00:00.000+0000`, as Lambda has it.
#[must_use]
pub fn iso8601_millis(time: SystemTime) -> String {
    format(time, "%Y-%m-%dT%H:%M:%S.%3f+0000")
}

/// `2026-11-23T05:00:00.000Z`, as S3 has it.
#[must_use]
pub fn iso8601_zulu(time: SystemTime) -> String {
    format(time, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// `Mon, 23 Nov 2026 05:00:00 GMT`, as HTTP headers have it.
#[must_use]
pub fn http_date(time: SystemTime) -> String {
    format(time, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Milliseconds since 1970, as Logs has them; negative before.
#[must_use]
pub fn epoch_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    }
}

fn format(time: SystemTime, pattern: &str) -> String {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX).strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_service_has_its_own_form() {
        let time = UNIX_EPOCH + Duration::from_millis(1_800_000_000_042);
        assert_eq!(iso8601(time), "2027-01-15T08:00:00Z");
        assert_eq!(iso8601_millis(time), "2027-01-15T08:00:00.042+0000");
        assert_eq!(iso8601_zulu(time), "2027-01-15T08:00:00.042Z");
        assert_eq!(http_date(time), "Fri, 15 Jan 2027 08:00:00 GMT");
        assert_eq!(epoch_millis(time), 1_800_000_000_042);
        assert_eq!(epoch_millis(UNIX_EPOCH - Duration::from_millis(5)), -5);
    }
}
