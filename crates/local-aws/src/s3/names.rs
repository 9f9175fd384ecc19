//! What buckets and objects may be called.

use std::net::Ipv4Addr;

use super::error;
use crate::protocol::AwsError;

const RESERVED_BEGINNINGS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_ENDS: [&str; 4] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3"];

/// The longest key, in bytes.
const LONGEST_KEY: usize = 1024;

/// Checks the name of a bucket that is to be made.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn check_bucket(name: &str) -> Result<(), AwsError> {
    let fits = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        })
        && [name.bytes().next(), name.bytes().last()]
            .into_iter()
            .flatten()
            .all(|byte| byte.is_ascii_alphanumeric())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_BEGINNINGS.iter().any(|reserved| name.starts_with(reserved))
        && !RESERVED_ENDS.iter().any(|reserved| name.ends_with(reserved));
    if fits { Ok(()) } else { Err(error::invalid_bucket_name(name)) }
}

/// Checks the key of an object that is to be made.
pub(super) fn check_key(key: &str) -> Result<(), AwsError> {
    if key.len() <= LONGEST_KEY {
        return Ok(());
    }
    Err(AwsError::bad_request("KeyTooLongError", "Your key is too long")
        .with("Size", key.len())
        .with("MaxSizeAllowed", LONGEST_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_called_what_a_host_may_be_called() {
        for name in ["abc", "a-b.c1", "123", &"a".repeat(63)] {
            assert_eq!(check_bucket(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "ab",
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            "a⟨b",
            &"a".repeat(64),
        ] {
            let refused = check_bucket(name).expect_err(name);
            assert_eq!(refused.code, "InvalidBucketName", "{name}");
        }
    }

    #[test]
    fn keys_are_at_most_1024_bytes_long() {
        assert_eq!(check_key(&"é".repeat(512)), Ok(()));
        assert_eq!(check_key(&"é".repeat(513)).expect_err("too long").code, "KeyTooLongError");
    }
}
