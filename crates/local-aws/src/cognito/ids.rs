//! Identifiers and times, in the forms that Cognito gives them.

use std::iter::repeat_with;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::protocol::timestamp::epoch_millis;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const ANY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What follows the region in a pool's identifier.
pub(super) fn pool_suffix() -> String {
    random(ANY, 9)
}

pub(super) fn client_id() -> String {
    random(LOWER, 26)
}

pub(super) fn client_secret() -> String {
    random(LOWER, 52)
}

/// A session or refresh token: opaque to whoever holds it.
pub(super) fn opaque(length: usize) -> String {
    random(ANY, length)
}

/// A secret of an authenticator app.
pub(super) fn base32(length: usize) -> String {
    random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
}

/// Six digits.
pub(super) fn code() -> String {
    random(b"0123456789", 6)
}

fn random(alphabet: &[u8], length: usize) -> String {
    repeat_with(|| fastrand::choice(alphabet).map_or('0', |byte| char::from(*byte)))
        .take(length)
        .collect()
}

/// Seconds since 1970 with their milliseconds, as JSON 1.1 writes times.
pub(super) fn timestamp(time: SystemTime) -> Value {
    let millis = epoch_millis(time);
    #[allow(clippy::cast_precision_loss)] // Exact until the year 287396.
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}

/// Whole seconds since 1970, as tokens have them.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
