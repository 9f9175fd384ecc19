//! What names, paths and descriptions may look like.

use super::error::{VALIDATION, validation};
use crate::protocol::{AwsError, Constraints};

/// A name of a role or a policy.
pub(super) fn check_name(member: &str, name: &str, max: usize) -> Result<(), AwsError> {
    Constraints::new().length(member, name, 1, max).check(VALIDATION)?;
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)) {
        return Ok(());
    }
    Err(validation(format!(
        "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}

/// A path: `/`, or text between slashes.
pub(super) fn check_path(path: &str) -> Result<(), AwsError> {
    Constraints::new().length("path", path, 1, 512).check(VALIDATION)?;
    if path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(());
    }
    Err(validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
         characters and/or / characters.",
    ))
}

/// A description, in Latin-1.
pub(super) fn check_description(description: &str) -> Result<(), AwsError> {
    let matches = description
        .chars()
        .all(|character| matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'));
    let pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
    Constraints::new()
        .length("description", description, 0, 1000)
        .pattern("description", description, pattern, matches)
        .check(VALIDATION)
}

/// The ARN of a policy: at least its length is right.
pub(super) fn check_policy_arn(arn: &str) -> Result<(), AwsError> {
    Constraints::new().length("policyArn", arn, 20, 2048).check(VALIDATION)?;
    let is_policy =
        arn.starts_with("arn:aws") && arn.contains(":iam::") && arn.contains(":policy/");
    if is_policy {
        return Ok(());
    }
    Err(super::error::invalid_input(format!("ARN {arn} is not valid.")))
}
