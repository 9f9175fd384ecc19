//! Names of parameters, and what is asked of them beside.

use super::Context;
use super::error::{VALIDATION, unsupported, validation};
use crate::protocol::{AwsError, Constraints};

const MOST_LEVELS: usize = 15;
const LONGEST: usize = 2048;

/// A parameter as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// The bare name.
    pub(super) name: String,
    /// `:3`, of `NAME:3`; empty where nothing follows the name.
    pub(super) selector: String,
}

impl Reference {
    /// Reads a name or an ARN, perhaps with a version behind it.
    pub(super) fn read(text: &str, context: &Context) -> Self {
        let prefix = context.arn("");
        let text = match text.strip_prefix(prefix.trim_end_matches('/')) {
            // The ARN of `/a/b` ends in `/a/b`, and that of `a` in `/a`.
            Some(path) if path.trim_start_matches('/').contains('/') => path,
            Some(path) => path.trim_start_matches('/'),
            None => text,
        };
        let (name, selector) = match text.split_once(':') {
            Some((name, selector)) => (name, format!(":{selector}")),
            None => (text, String::new()),
        };
        Self { name: name.to_owned(), selector }
    }

    /// The version that is asked for; none is the newest one.
    pub(super) fn version(&self) -> Option<&str> {
        self.selector.strip_prefix(':')
    }
}

/// Refuses a name that no new parameter can have.
pub(super) fn check_new(name: &str) -> Result<(), AwsError> {
    Constraints::new().length("name", name, 1, LONGEST).check(VALIDATION)?;
    let bare = name.trim_start_matches('/').to_lowercase();
    let is_path = name.contains('/');
    if is_path && !name.starts_with('/') {
        return Err(validation("Parameter name must be a fully qualified name."));
    }
    if is_path && bare.starts_with("aws") {
        let message = format!("No access to reserved parameter name: {name}.");
        return Err(AwsError::bad_request("AccessDeniedException", message));
    }
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|one| one.is_ascii_alphanumeric() || "._-".contains(one))
    };
    let parts: Vec<&str> = name.strip_prefix('/').unwrap_or(name).split('/').collect();
    let is_reserved = bare.starts_with("aws") || bare.starts_with("ssm");
    if is_reserved || !parts.iter().all(|part| is_plain(part)) {
        let reserved = if is_path { "\"ssm\"" } else { "\"aws\" or \"ssm\"" };
        return Err(validation(format!(
            "Parameter name: can't be prefixed with {reserved} (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following \
             3 symbols .-_"
        )));
    }
    if parts.len() > MOST_LEVELS {
        return Err(AwsError::bad_request(
            "HierarchyLevelLimitExceededException",
            format!(
                "A hierarchy can have a maximum of {MOST_LEVELS} levels. For more information, see Requirements and \
                 constraints for parameter names in the AWS Systems Manager User Guide."
            ),
        ));
    }
    Ok(())
}

/// Refuses a path under which no parameters can be.
pub(super) fn check_path(path: &str) -> Result<(), AwsError> {
    let rest = path.strip_prefix('/');
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "._-/".contains(one);
    let reserved = |rest: &str| rest.to_lowercase().starts_with("ssm");
    if rest.is_some_and(|rest| rest.chars().all(is_plain) && !reserved(rest)) {
        return Ok(());
    }
    Err(validation(
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \
         \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the \
         following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if \
         specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.",
    ))
}

/// Whether a parameter is under a path, directly or at any depth.
pub(super) fn is_under(name: &str, path: &str, recursive: bool) -> bool {
    let path = path.trim_end_matches('/');
    let rest = name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| !rest.is_empty() && (recursive || !rest.contains('/')))
}

/// Refuses keys of one's own: there is no KMS here.
pub(super) fn check_key(key: Option<&str>) -> Result<(), AwsError> {
    match key {
        None | Some("alias/aws/ssm") => Ok(()),
        Some(_) => Err(unsupported("KeyId: it has the key alias/aws/ssm alone")),
    }
}
