//! The checks of a request's members, in AWS's wording; unlike other services, Cognito never repeats a sensitive value.

use super::error::invalid;
use crate::protocol::AwsError;

/// What a text must be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    min: usize,
    max: usize,
    /// As AWS's model writes it.
    pattern: &'static str,
    matches: fn(&str) -> bool,
    sensitive: bool,
}

const PRINTABLE: &str = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+";
const NAME: &str = r"[\w\s+=,.@-]+";

pub(super) const USERNAME: Text = text(1, 128, PRINTABLE, is_unspaced, true);
pub(super) const PASSWORD: Text = text(0, 256, r"[\S]+", is_unspaced, true);
pub(super) const CLIENT_ID: Text = text(1, 128, r"[\w+]+", is_id, true);
pub(super) const POOL_ID: Text = text(1, 55, r"[\w-]+_[0-9a-zA-Z]+", is_pool_id, false);
pub(super) const NAMED: Text = text(1, 128, NAME, is_name, false);
pub(super) const CODE: Text = text(1, 2048, r"[\S]+", is_unspaced, false);
pub(super) const TOKEN: Text = text(0, usize::MAX, "[A-Za-z0-9-_=.]+", is_token, true);
pub(super) const SESSION: Text = text(20, 4096, "", |_| true, true);
pub(super) const LAMBDA_ARN: Text = text(20, 2048, ARN, is_arn, false);
pub(super) const ATTRIBUTE: Text = text(1, 20, PRINTABLE, is_unspaced, false);
pub(super) const GROUP: Text = text(1, 128, PRINTABLE, is_unspaced, false);
pub(super) const DESCRIPTION: Text = text(0, 2048, "", |_| true, false);
pub(super) const ROLE_ARN: Text = text(20, 2048, ARN, is_arn, false);
pub(super) const TOTP_CODE: Text = text(6, 6, "[0-9]+", is_digits, true);
pub(super) const SMS_TEXT: Text = text(6, 140, r".*\{####\}.*", has_code, false);
pub(super) const EMAIL_TEXT: Text = text(6, 20_000, EMAIL_PATTERN, has_code, false);
pub(super) const INVITE_SMS: Text = text(6, 140, "(?s).*", |_| true, false);
pub(super) const INVITE_EMAIL: Text = text(6, 20_000, PRINTABLE, |_| true, false);
pub(super) const SUBJECT: Text = text(1, 140, PRINTABLE, |_| true, false);
pub(super) const FILTER: Text = text(0, 256, "", |_| true, false);

const ARN: &str = r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?";
const EMAIL_PATTERN: &str =
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*";

const fn text(
    min: usize,
    max: usize,
    pattern: &'static str,
    matches: fn(&str) -> bool,
    sensitive: bool,
) -> Text {
    Text { min, max, pattern, matches, sensitive }
}

fn is_unspaced(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_id(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+'))
}

fn is_pool_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(region, id)| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        !region.is_empty()
            && region.chars().all(is_word)
            && !id.is_empty()
            && id.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_=.".contains(c))
}

fn is_arn(text: &str) -> bool {
    let is_word =
        |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "_+=/,.@-".contains(c));
    let parts: Vec<&str> = text.split(':').collect();
    let [arn, partition, service, region, account, rest @ ..] = parts.as_slice() else {
        return false;
    };
    *arn == "arn"
        && [partition, service]
            .into_iter()
            .chain(rest)
            .all(|part| !part.is_empty() && is_word(part))
        && is_word(region)
        && !account.is_empty()
        && account.chars().all(|c| c.is_ascii_digit())
        && (1..=3).contains(&rest.len())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn has_code(text: &str) -> bool {
    text.contains("{####}")
}

/// Collects what is wrong: AWS reports everything in one go.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<String>);

impl Checks {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A member that must be there.
    pub(super) fn required(mut self, member: &str, value: Option<&str>, text: &Text) -> Self {
        if value.is_none() {
            self.0.push(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ));
        }
        self.optional(member, value, text)
    }

    /// A member that may be there.
    pub(super) fn optional(mut self, member: &str, value: Option<&str>, text: &Text) -> Self {
        let Some(value) = value else { return self };
        let length = value.chars().count();
        let mut broken = Vec::new();
        if !(text.matches)(value) {
            broken.push(format!("satisfy regular expression pattern: {}", text.pattern));
        }
        if length < text.min {
            broken.push(format!("have length greater than or equal to {}", text.min));
        }
        if length > text.max {
            broken.push(format!("have length less than or equal to {}", text.max));
        }
        let shown = if text.sensitive { "Value".to_owned() } else { format!("Value '{value}'") };
        self.0.extend(broken.into_iter().map(|constraint| {
            format!("{shown} at '{member}' failed to satisfy constraint: Member must {constraint}")
        }));
        self
    }

    /// A number's bounds.
    pub(super) fn range(mut self, member: &str, value: Option<i64>, min: i64, max: i64) -> Self {
        let Some(value) = value else { return self };
        let bound = if value < min {
            format!("greater than or equal to {min}")
        } else if value > max {
            format!("less than or equal to {max}")
        } else {
            return self;
        };
        self.0.push(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {bound}"
        ));
        self
    }

    /// An enumeration.
    pub(super) fn one_of(mut self, member: &str, value: Option<&str>, allowed: &[&str]) -> Self {
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            self.0.push(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                allowed.join(", ")
            ));
        }
        self
    }

    /// A list of words of an enumeration.
    pub(super) fn all_of(mut self, member: &str, values: &[String], allowed: &[&str]) -> Self {
        if values.iter().any(|value| !allowed.contains(&value.as_str())) {
            self.0.push(format!(
                "Value '[{}]' at '{member}' failed to satisfy constraint: Member must satisfy constraint: [Member must \
                 satisfy enum value set: [{}]]",
                values.join(", "),
                allowed.join(", ")
            ));
        }
        self
    }

    /// The error, when anything was wrong.
    pub(super) fn finish(self) -> Result<(), AwsError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        Err(invalid(format!("{count} validation {errors} detected: {}", self.0.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_value_is_never_repeated() {
        let error = Checks::new()
            .required("password", Some("a b"), &PASSWORD)
            .required("userPoolId", Some("nothing"), &POOL_ID)
            .required("username", None, &USERNAME)
            .finish()
            .expect_err("three errors");
        assert_eq!(
            error.message,
            "3 validation errors detected: Value at 'password' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\S]+; Value 'nothing' at 'userPoolId' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+; Value null at 'username' failed to satisfy \
             constraint: Member must not be null"
        );
    }

    #[test]
    fn arns_are_of_functions_or_of_their_versions() {
        for good in [
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:f:1",
        ] {
            assert!(is_arn(good), "{good}");
        }
        for bad in
            ["f", "arn:aws:lambda::x:function:f", "arn:aws:lambda:r:1", "arn:aws:l:r:1:a:b:c:d"]
        {
            assert!(!is_arn(bad), "{bad}");
        }
    }
}
