//! Which table a request is for: a name or an ARN.

use super::Context;
use super::error::{VALIDATION, not_found, validation};
use crate::protocol::{AwsError, Constraints};

const PATTERN: &str = "[a-zA-Z0-9_.-]+";

/// Whether a name has no characters but those that names have.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The name of a table that is to be made.
pub(super) fn check_new_name(name: Option<&str>) -> Result<String, AwsError> {
    let Some(name) = name else {
        return Err(validation(
            "The parameter 'TableName' is required but was not present in the request",
        ));
    };
    if !(3..=255).contains(&name.len()) {
        return Err(validation(
            "TableName must be at least 3 characters long and at most 255 characters long",
        ));
    }
    Constraints::new().pattern("tableName", name, PATTERN, is_plain(name)).check(VALIDATION)?;
    Ok(name.to_owned())
}

/// The name of the table that a request names; an ARN of another account or region names no table of this one.
pub(super) fn table_name(given: Option<&str>, context: &Context) -> Result<String, AwsError> {
    Constraints::new().present("tableName", given.is_some()).check(VALIDATION)?;
    let given = given.unwrap_or_default();
    let own = given.strip_prefix(context.table_arn("").as_str());
    if own.is_none() && given.starts_with("arn:") {
        return Err(not_found());
    }
    let name = own.unwrap_or(given);
    Constraints::new()
        .length("tableName", name, 1, 1024)
        .pattern("tableName", name, PATTERN, is_plain(name))
        .check(VALIDATION)?;
    Ok(name.to_owned())
}
