//! Which function a request is for: a name, part of an ARN, or an ARN, each perhaps with a qualifier.

use super::errors::{invalid, not_found};
use crate::protocol::{AwsError, Constraints};

pub(super) const LATEST: &str = "$LATEST";

/// The code of errors that AWS raises before Lambda sees the request.
pub(super) const VALIDATION: &str = "ValidationException";

const NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";
const NEW_NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
const QUALIFIER_PATTERN: &str = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";

/// Where this Lambda is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Twelve digits.
    pub account_id: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
}

impl Place<'_> {
    /// The ARN of a function, or of a version of one.
    #[must_use]
    pub fn function_arn(&self, name: &str, qualifier: Option<&str>) -> String {
        let Self { account_id, region } = self;
        let arn = format!("arn:aws:lambda:{region}:{account_id}:function:{name}");
        qualifier.map_or_else(|| arn.clone(), |qualifier| format!("{arn}:{qualifier}"))
    }
}

/// The function that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The bare name.
    pub name: String,
    /// What was asked for of it, if anything in particular.
    pub qualifier: Option<String>,
}

impl Target {
    /// Reads the function's name out of a path and the qualifier out of a query.
    pub fn parse(text: &str, qualifier: Option<&str>, place: Place<'_>) -> Result<Self, AwsError> {
        let parts = split(text);
        let mut constraints = Constraints::new().length("functionName", text, 1, 256).pattern(
            "functionName",
            text,
            NAME_PATTERN,
            parts.is_some(),
        );
        if let Some(qualifier) = qualifier {
            constraints = check_qualifier(constraints, qualifier);
        }
        constraints.check(VALIDATION)?;
        let Some(parts) = parts else {
            return Err(not_found("The resource you requested does not exist."));
        };
        parts.check_place(place)?;
        match (parts.qualifier, qualifier) {
            (Some(own), Some(given)) if own != given => Err(invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            (own, given) => Ok(Self {
                name: parts.name.to_owned(),
                qualifier: own.or(given).map(str::to_owned),
            }),
        }
    }

    /// Reads the name that a function is to have.
    pub fn parse_new(text: &str, place: Place<'_>) -> Result<String, AwsError> {
        let parts = split(text).filter(|parts| !parts.name.contains('.'));
        Constraints::new()
            .length("functionName", text, 1, 140)
            .pattern("functionName", text, NEW_NAME_PATTERN, parts.is_some())
            .check(VALIDATION)?;
        let Some(parts) = parts else {
            return Err(invalid("The function's name is not valid."));
        };
        parts.check_place(place)?;
        Constraints::new()
            .length("functionName", parts.name, 1, 64)
            .check("InvalidParameterValueException")?;
        Ok(parts.name.to_owned())
    }

    /// The target's ARN, as the request named it.
    #[must_use]
    pub fn arn(&self, place: Place<'_>) -> String {
        place.function_arn(&self.name, self.qualifier.as_deref())
    }
}

struct Parts<'a> {
    region: Option<&'a str>,
    account_id: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

impl Parts<'_> {
    fn check_place(&self, place: Place<'_>) -> Result<(), AwsError> {
        if let Some(region) = self.region.filter(|region| *region != place.region) {
            return Err(not_found(format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                place.region
            )));
        }
        match self.account_id {
            Some(account_id) if account_id != place.account_id => Err(AwsError::new(
                403,
                "AccessDeniedException",
                format!(
                    "The local AWS of playbook has one account, {}, not {account_id}.",
                    place.account_id
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn split(text: &str) -> Option<Parts<'_>> {
    let (whole_arn, rest) = match text.strip_prefix("arn:") {
        Some(rest) => {
            let (partition, rest) = rest.split_once(':')?;
            (partition.starts_with("aws"), rest.strip_prefix("lambda:")?)
        }
        None => (true, text),
    };
    let words: Vec<&str> = rest.split(':').collect();
    let mut words = words.as_slice();
    let mut take = |wanted: fn(&str) -> bool| match words {
        [first, others @ ..] if !others.is_empty() && wanted(first) => {
            words = others;
            Some(*first)
        }
        _ => None,
    };
    let region = take(is_region);
    let account_id = take(is_account_id);
    let _marker = take(|word| word == "function");
    let (name, qualifier) = match words {
        [name] => (*name, None),
        [name, qualifier] => (*name, Some(*qualifier)),
        _ => return None,
    };
    let valid = whole_arn
        && !name.is_empty()
        && name.bytes().all(|byte| is_name_byte(byte) || byte == b'.')
        && qualifier.is_none_or(|qualifier| qualifier == LATEST || is_plain(qualifier));
    valid.then_some(Parts { region, account_id, name, qualifier })
}

fn check_qualifier(constraints: Constraints, qualifier: &str) -> Constraints {
    let plain =
        !qualifier.is_empty() && qualifier.bytes().all(|byte| is_name_byte(byte) || byte == b'$');
    constraints.length("qualifier", qualifier, 1, 128).pattern(
        "qualifier",
        qualifier,
        QUALIFIER_PATTERN,
        plain,
    )
}

pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn is_account_id(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`.
fn is_region(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let letters =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [places @ .., number] => {
            (2..=3).contains(&places.len())
                && places.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { account_id: "123456789012", region: "us-east-1" };

    fn parsed(text: &str, qualifier: Option<&str>) -> Result<(String, Option<String>), String> {
        Target::parse(text, qualifier, PLACE)
            .map(|target| (target.name, target.qualifier))
            .map_err(|error| error.code)
    }

    #[test]
    fn every_form_of_a_name_is_understood() {
        let f = |qualifier: Option<&str>| Ok(("f-1_x".to_owned(), qualifier.map(str::to_owned)));
        assert_eq!(parsed("f-1_x", None), f(None));
        assert_eq!(parsed("f-1_x:$LATEST", None), f(Some("$LATEST")));
        assert_eq!(parsed("f-1_x:7", Some("7")), f(Some("7")));
        assert_eq!(parsed("f-1_x", Some("prod")), f(Some("prod")));
        assert_eq!(parsed("123456789012:function:f-1_x", None), f(None));
        assert_eq!(parsed("123456789012:f-1_x", None), f(None));
        assert_eq!(parsed("function:f-1_x", None), f(None));
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f-1_x";
        assert_eq!(parsed(arn, None), f(None));
        assert_eq!(parsed(&format!("{arn}:3"), None), f(Some("3")));
        assert_eq!(parsed("function", None), Ok(("function".to_owned(), None)));
    }

    #[test]
    fn what_is_no_name_is_refused_as_aws_refuses_it() {
        let invalid = [
            "",
            "*",
            "my-function!",
            "f:invalid!",
            "arn:aws:ec2:us-east-1:123456789012:instance:i-1",
        ];
        for text in invalid {
            assert_eq!(parsed(text, None), Err(VALIDATION.to_owned()), "{text}");
        }
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:1:2";
        assert_eq!(parsed(arn, None), Err(VALIDATION.to_owned()));
        assert_eq!(parsed("f", Some("invalid!")), Err(VALIDATION.to_owned()));
        assert_eq!(parsed("f:1", Some("2")), Err("InvalidParameterValueException".to_owned()));
        let elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        assert_eq!(parsed(elsewhere, None), Err("ResourceNotFoundException".to_owned()));
    }

    #[test]
    fn new_names_are_shorter() {
        assert_eq!(Target::parse_new("f", PLACE).as_deref(), Ok("f"));
        let long = Target::parse_new(&"a".repeat(65), PLACE).expect_err("too long");
        assert_eq!(long.code, "InvalidParameterValueException");
        let longer = Target::parse_new(&"a".repeat(141), PLACE).expect_err("far too long");
        assert_eq!(longer.code, VALIDATION);
        assert!(Target::parse_new("a.b", PLACE).is_err());
    }
}
