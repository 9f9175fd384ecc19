//! What a function's environment variables may be.

use std::collections::BTreeMap;

use serde_json::json;

use super::errors::invalid;
use super::names::VALIDATION;
use crate::protocol::AwsError;

const LONGEST: usize = 4096;

/// Variables that Lambda sets itself.
const RESERVED: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(super) fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), AwsError> {
    for name in variables.keys() {
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let others =
            bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && name.len() > 1;
        // Reserved names may begin with an underscore; they are refused below, in other words.
        if !(first && others || RESERVED.contains(&name.as_str())) {
            return Err(AwsError::bad_request(
                VALIDATION,
                format!(
                    "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys \
                     must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+] \
                     ('{name}')"
                ),
            ));
        }
    }
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = json!(variables).to_string();
    if measured.len() > LONGEST {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<(), String> {
        let variables = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        check_variables(&variables).map_err(|error| error.message)
    }

    #[test]
    fn variables_have_limits() {
        assert_eq!(check("TABLE_NAME", "t"), Ok(()));
        assert!(check("AWS_REGION", "x").expect_err("reserved").ends_with("AWS_REGION"));
        assert!(check("_HANDLER", "x").expect_err("reserved").ends_with("_HANDLER"));
        assert!(check("1A", "x").is_err());
        assert!(check("A-B", "x").is_err());
        assert!(check("LARGE", &"x".repeat(LONGEST)).expect_err("large").contains("4KB limit"));
    }
}
