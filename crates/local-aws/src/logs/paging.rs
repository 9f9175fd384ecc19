//! Pages of groups and streams.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{INVALID_PARAMETER, invalid_token};
use crate::protocol::{AwsError, Constraints};

const LIMIT: i64 = 50;

/// Cuts a page out of items that are in order, each with a key that no other has and that does not change from page
/// to page.
pub(super) fn cut<T>(
    items: Vec<(String, T)>,
    limit: Option<i64>,
    token: Option<&str>,
    is_after: impl Fn(&str, &str) -> bool,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let limit = limit.unwrap_or(LIMIT);
    Constraints::new().range("limit", limit, 1, LIMIT).check(INVALID_PARAMETER)?;
    let last_seen = token.map(decode).transpose()?;
    let mut rest = items
        .into_iter()
        .filter(|(key, _)| last_seen.as_deref().is_none_or(|last| is_after(key, last)))
        .peekable();
    let page: Vec<(String, T)> =
        rest.by_ref().take(usize::try_from(limit).unwrap_or_default()).collect();
    let more = rest.peek().is_some();
    let next = page.last().filter(|_| more).map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
    Ok((page.into_iter().map(|(_, item)| item).collect(), next))
}

fn decode(token: &str) -> Result<String, AwsError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid_token())?;
    String::from_utf8(bytes).map_err(|_| invalid_token())
}
