//! A call as it was seen on its way out, and how it ended.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// What a call does to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It makes something.
    Create,
    /// It changes something.
    Change,
    /// It takes something away.
    Delete,
    /// It only looks.
    Read,
    /// It makes something happen, such as an invocation or a sign-in.
    Act,
}

impl Effect {
    /// That of an operation, as far as its name tells. What no rule knows may well change something.
    #[must_use]
    pub fn of(operation: &str) -> Self {
        const READ: [&str; 10] = [
            "Get", "List", "Describe", "Scan", "Query", "Filter", "BatchGet", "Head", "Select",
            "Lookup",
        ];
        const DELETE: [&str; 7] =
            ["Delete", "Detach", "Remove", "Untag", "Unsubscribe", "BatchDelete", "Deregister"];
        const CREATE: [&str; 6] =
            ["Create", "SignUp", "Register", "PublishVersion", "PublishLayer", "Subscribe"];
        const ACT: [&str; 9] = [
            "Invoke",
            "Initiate",
            "Send",
            "Publish",
            "Start",
            "Respond",
            "ForgotPassword",
            "Receive",
            "PutEvents",
        ];
        let verb = operation.strip_prefix("Admin").unwrap_or(operation);
        let starts = |words: &[&str]| words.iter().any(|word| verb.starts_with(word));
        match () {
            () if starts(&READ) => Self::Read,
            () if starts(&DELETE) => Self::Delete,
            () if starts(&CREATE) => Self::Create,
            () if starts(&ACT) => Self::Act,
            () => Self::Change,
        }
    }
}

/// One call to AWS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// As the AWS CLI names it, such as `lambda`.
    pub service: String,
    /// Such as `CreateFunction`.
    pub operation: String,
    /// What it does to the account, as far as its name tells.
    pub effect: Effect,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path with the query, as sent but decoded.
    pub path: String,
    /// The body as data: the JSON document, or the fields of a form. Null where there is none, or where nobody looks.
    pub body: Value,
    /// What the call was made from, by the names of the API's members, wherever in the request they stand. Null where that
    /// is not known, or where nobody looks.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// How it ended; absent for a call that was only written down.
    pub outcome: Option<CallOutcome>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallOutcome {
    /// The error's code, if it failed.
    pub error: Option<String>,
    /// How long it took, in milliseconds, retries included.
    pub millis: u64,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether an attempt got no reply at all: it may still arrive, whatever a later one was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
}

/// What a package in a request's body is, for people: nobody reads base64.
pub(crate) fn describe_base64(text: &str) -> String {
    let Ok(bytes) = BASE64_STANDARD.decode(text) else {
        return format!("{} characters that are no base64", thousands(text.len() as u64));
    };
    match std::str::from_utf8(&bytes) {
        Ok(stand_in) if stand_in.starts_with('⟨') => stand_in.to_owned(),
        _ => {
            let digest = BASE64_STANDARD.encode(Sha256::digest(&bytes));
            format!("zip, {} bytes, sha256 {digest}", thousands(bytes.len() as u64))
        }
    }
}

/// A number of bytes as people read it, such as `12,345`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_tell_what_they_do() {
        let expected = [
            (Effect::Create, &["CreateRole", "SignUp", "AdminCreateUser", "PublishVersion"][..]),
            (
                Effect::Change,
                &[
                    "PutItem",
                    "AttachRolePolicy",
                    "UpdateUserPool",
                    "AddPermission",
                    "ConfirmSignUp",
                    "AdminSetUserPassword",
                ],
            ),
            (
                Effect::Delete,
                &["DeleteRole", "DetachRolePolicy", "RemovePermission", "AdminDeleteUser"],
            ),
            (
                Effect::Read,
                &["GetItem", "AdminGetUser", "FilterLogEvents", "DescribeTable", "BatchGetItem"],
            ),
            (
                Effect::Act,
                &["Invoke", "InitiateAuth", "AdminInitiateAuth", "ForgotPassword", "Publish"],
            ),
        ];
        for (effect, operations) in expected {
            for operation in operations {
                assert_eq!(Effect::of(operation), effect, "{operation}");
            }
        }
    }

    #[test]
    fn a_package_in_a_request_is_described_by_size_and_digest() {
        let text = BASE64_STANDARD.encode(vec![0; 1234]);
        let described = "zip, 1,234 bytes, sha256 rUf9nocVnWUaU7Pfuj7yAGhKntiMJSi2LhjziB/iA7A=";
        assert_eq!(describe_base64(&text), described);
        let empty = "zip, 0 bytes, sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(describe_base64(""), empty);
        let marker = "⟨zip of cargo handlers, bin adder⟩";
        assert_eq!(describe_base64(&BASE64_STANDARD.encode(marker)), marker);
        assert_eq!(describe_base64("no base64!"), "10 characters that are no base64");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
