//! Names and ARNs of groups and streams.

use super::Context;
use super::error::{INVALID_PARAMETER, invalid_parameter, not_found};
use crate::protocol::{AwsError, Constraints};

const GROUP: &str = "logGroupName";
const STREAM: &str = "logStreamName";

/// The value of a member that must be there.
pub(super) fn required<'v, T>(member: &str, value: Option<&'v T>) -> Result<&'v T, AwsError> {
    value.ok_or_else(|| {
        let checked = Constraints::new().present(member, false).check(INVALID_PARAMETER);
        checked.err().unwrap_or_else(|| invalid_parameter(format!("{member} is missing")))
    })
}

/// A group's name, which must be there and be one.
pub(super) fn group_name(name: Option<&String>) -> Result<&str, AwsError> {
    let name = required(GROUP, name)?;
    let matches = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte));
    Constraints::new()
        .length(GROUP, name, 1, 512)
        .pattern(GROUP, name, r"[\.\-_/#A-Za-z0-9]+", matches)
        .check(INVALID_PARAMETER)?;
    Ok(name)
}

/// A stream's name, which must be there and be one.
pub(super) fn stream_name(name: Option<&String>) -> Result<&str, AwsError> {
    let name = required(STREAM, name)?;
    let matches = !name.contains([':', '*']);
    Constraints::new()
        .length(STREAM, name, 1, 512)
        .pattern(STREAM, name, "[^:*]*", matches)
        .check(INVALID_PARAMETER)?;
    Ok(name)
}

/// The group that a request names, by its name or by a name or ARN.
pub(super) fn group_of<'r>(
    name: Option<&'r String>,
    identifier: Option<&'r String>,
    context: &Context,
) -> Result<&'r str, AwsError> {
    match (name, identifier) {
        (Some(_), Some(_)) => Err(invalid_parameter(
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )),
        (name, None) => group_name(name),
        (None, Some(identifier)) if identifier.starts_with("arn:") => {
            group_of_arn(identifier, context).ok_or_else(|| not_found("log group"))
        }
        (None, identifier) => group_name(identifier),
    }
}

/// The name inside a group's ARN, with or without `:*`, when it is of this account and region.
pub(super) fn group_of_arn<'r>(arn: &'r str, context: &Context) -> Option<&'r str> {
    let name = arn.strip_prefix(&group_arn("", context))?;
    Some(name.strip_suffix(":*").unwrap_or(name))
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`
pub(super) fn group_arn(name: &str, context: &Context) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", context.region, context.account_id)
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME:log-stream:STREAM`
pub(super) fn stream_arn(group: &str, stream: &str, context: &Context) -> String {
    format!("{}:log-stream:{stream}", group_arn(group, context))
}
