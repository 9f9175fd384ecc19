//! The grammar of policies that say what their holder may do, with IAM's words for what breaks it.
//!
//! IAM reads a document several times, and the first reading that fails is what is told: the syntax, the version, what an
//! older parser makes of it, unique statement ids, actions, resources, the form of actions.

use serde_json::{Map, Value};

use super::error::malformed;
use crate::protocol::AwsError;

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

type Statement = Map<String, Value>;

/// Checks a policy.
pub(super) fn check(document: &str) -> Result<(), AwsError> {
    let policy: Value = serde_json::from_str(document).map_err(|_| malformed(SYNTAX))?;
    let statements = policy.as_object().and_then(syntax).ok_or_else(|| malformed(SYNTAX))?;
    if policy["Version"] != "2012-10-17" {
        return Err(malformed("Policy document must be version 2012-10-17 or greater."));
    }
    if statements.iter().any(|statement| {
        statement.contains_key("Principal") || statement.contains_key("NotPrincipal")
    }) {
        return Err(malformed("Policy document should not specify a principal."));
    }
    if !statements.iter().all(|statement| is_legacy(statement)) {
        return Err(malformed(LEGACY));
    }
    let fault = resource_fault(&statements)?;
    check_ids(&statements)?;
    let names = |statement: &Statement, keys: [&str; 2]| {
        keys.iter()
            .any(|key| statement.get(*key).is_some_and(|names| names != &Value::Array(vec![])))
    };
    if !statements.iter().all(|statement| names(statement, ["Action", "NotAction"])) {
        return Err(malformed("Policy statement must contain actions."));
    }
    if let Some(fault) = fault {
        return Err(malformed(fault));
    }
    statements
        .iter()
        .flat_map(|statement| texts(statement, ["Action", "NotAction"]))
        .try_for_each(check_action)?;
    if !statements.iter().all(|statement| names(statement, ["Resource", "NotResource"])) {
        return Err(malformed("Policy statement must contain resources."));
    }
    Ok(())
}

/// The statements of a document that is well formed.
fn syntax(policy: &Map<String, Value>) -> Option<Vec<&Statement>> {
    let known = policy.iter().all(|(key, value)| match key.as_str() {
        "Version" => value == "2012-10-17" || value == "2008-10-17",
        "Id" => value.is_string(),
        "Statement" | "Conditions" => true,
        _ => false,
    });
    let statements: Option<Vec<&Statement>> = match policy.get("Statement")? {
        Value::Object(one) => Some(vec![one]),
        Value::Array(many) => many.iter().map(Value::as_object).collect(),
        _ => None,
    };
    statements.filter(|statements| {
        known && !statements.is_empty() && statements.iter().all(|one| is_statement(one))
    })
}

fn is_statement(statement: &Statement) -> bool {
    let both =
        |one: &str, other: &str| statement.contains_key(one) && statement.contains_key(other);
    let effect = statement.get("Effect").and_then(Value::as_str).unwrap_or_default();
    statement.keys().all(|key| ELEMENTS.contains(&key.as_str()))
        && ["allow", "deny"].contains(&effect.to_ascii_lowercase().as_str())
        && !both("Action", "NotAction")
        && !both("Resource", "NotResource")
        && ["Action", "NotAction", "Resource", "NotResource"]
            .iter()
            .all(|key| statement.get(*key).is_none_or(is_text_or_texts))
        && statement.get("Sid").is_none_or(Value::is_string)
        && statement.get("Condition").is_none_or(is_condition)
}

fn is_text_or_texts(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(many) => many.iter().all(|one| one.is_string() || one.is_null()),
        _ => false,
    }
}

fn is_condition(condition: &Value) -> bool {
    condition.as_object().is_some_and(|operators| {
        operators.iter().all(|(operator, keys)| {
            keys.as_object().is_some_and(|keys| {
                let values = |value: &Value| !value.is_object() && !value.is_null();
                keys.values().all(values) && (keys.is_empty() || is_operator(operator))
            })
        })
    })
}

/// `StringEquals`, `ForAnyValue:StringLikeIfExists` and so on.
fn is_operator(operator: &str) -> bool {
    const PLAIN: [&str; 28] = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Null",
        "BinaryNotEquals",
    ];
    PLAIN.contains(&plain_operator(operator))
}

fn plain_operator(operator: &str) -> &str {
    let sets = ["ForAnyValue:", "ForAllValues:"];
    let operator = sets.iter().find_map(|set| operator.strip_prefix(set)).unwrap_or(operator);
    operator.strip_suffix("IfExists").unwrap_or(operator)
}

/// What the older parser minds: the spelling of effects, and dates.
fn is_legacy(statement: &Statement) -> bool {
    let effect = statement.get("Effect").and_then(Value::as_str);
    let dates = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let mut dates = dates
        .filter(|(operator, _)| plain_operator(operator).starts_with("Date"))
        .filter_map(|(_, keys)| keys.as_object())
        .flat_map(Map::values)
        .flat_map(|value| match value {
            Value::Array(many) => many.iter().collect(),
            one => vec![one],
        });
    matches!(effect, Some("Allow" | "Deny")) && dates.all(|date| date.as_str().is_some_and(is_date))
}

/// A date and time in any part that ISO 8601 allows, or seconds since 1970.
fn is_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if !text.contains('t') && !text.contains('-') {
        return text.parse::<i64>().is_ok_and(|seconds| seconds >= 0);
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    let (sign, date) = date.strip_prefix('-').map_or((1, date), |date| (-1, date));
    let mut parts = date.split('-');
    let within = |part: Option<&str>, least: i64, most: i64| {
        part.is_none_or(|part| part.parse::<i64>().is_ok_and(|n| (least..=most).contains(&n)))
    };
    let year = parts.next().and_then(|year| year.parse::<i64>().ok()).map(|year| year * sign);
    year.is_some_and(|year| (-292_275_054..=292_278_993).contains(&year))
        && within(parts.next(), 1, 12)
        && within(parts.next(), 1, 31)
        && parts.next().is_none()
        && is_time(time)
}

fn is_time(time: &str) -> bool {
    let number = |text: &str, most: u32| text.parse::<u32>().is_ok_and(|number| number <= most);
    let mut parts = time.splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let zone = |zone: &str| {
        let (hours, minutes) = zone.split_once(':').unwrap_or((zone, "00"));
        hours.len() == 2 && minutes.len() == 2 && number(hours, 23) && number(minutes, 59)
    };
    let whole_seconds = |seconds: &str| {
        let (plain, valid) = if let Some((plain, rest)) = seconds.split_once('z') {
            (plain, rest.is_empty())
        } else if let Some((plain, offset)) = seconds.split_once('+') {
            (plain, zone(offset))
        } else {
            (seconds, true)
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
        valid && number(whole, 59) && number(fraction, 999_999_999)
    };
    (hours.is_empty() || number(hours, 23))
        && minutes.is_none_or(|minutes| number(minutes, 59))
        && seconds.is_none_or(whole_seconds)
}

/// The texts of whichever of two elements is there.
fn texts<'a>(statement: &'a Statement, keys: [&str; 2]) -> Vec<&'a str> {
    let found = keys.iter().find_map(|key| statement.get(*key));
    match found {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What is wrong with a resource; an error where the older parser could not even read it.
fn resource_fault(statements: &[&Statement]) -> Result<Option<String>, AwsError> {
    let mut fault = None;
    for statement in statements {
        let mut resources = texts(statement, ["Resource", "NotResource"]);
        // Of several that are wrong, the last to be looked at is told.
        resources.sort_unstable_by(|one, other| other.cmp(one));
        for resource in &resources {
            fault = arn_fault(resource).or(fault);
        }
        let readable = |resource: &&str| {
            let colons = resource.matches(':').count();
            *resource == "*"
                || ((colons >= 5 || !resource.contains("::"))
                    && resource.split(':').nth(2).is_none_or(|vendor| !vendor.is_empty()))
        };
        if fault.is_none() && !resources.iter().all(readable) {
            return Err(malformed(LEGACY));
        }
    }
    Ok(fault)
}

fn arn_fault(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let Some((_, rest)) = resource.split_once(':') else {
        return Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    };
    let (partition, vendor_on) =
        rest.split_once(':').map_or((rest, None), |(p, rest)| (p, Some(rest)));
    if partition != "*" && !PARTITIONS.contains(&partition) {
        let mut parts = vendor_on.unwrap_or_default().splitn(4, ':');
        let vendor = parts.next().filter(|vendor| {
            !vendor.is_empty() || vendor_on.is_some_and(|rest| rest.contains(':'))
        });
        let [second, third, fourth] =
            [parts.next(), parts.next(), parts.next()].map(|part| part.unwrap_or("*"));
        let vendor = vendor.unwrap_or("*");
        return Some(format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{vendor}:{second}:{third}:{fourth}\"."
        ));
    }
    let Some(rest) = vendor_on else {
        return Some(
            "Resource vendor must be fully qualified and cannot contain regexes.".to_owned(),
        );
    };
    let mut parts = rest.splitn(4, ':');
    let (service, region) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (account, path) = (parts.next(), parts.next().unwrap_or_default());
    let has_region = !region.is_empty() || account.is_none();
    match service {
        "iam" if has_region => {
            Some(format!("IAM resource {resource} cannot contain region information."))
        }
        "iam" if path != "*" && !IAM_PATHS.iter().any(|start| path.starts_with(start)) => {
            Some(format!(
                "IAM resource path must either be \"*\" or start with {}.",
                IAM_PATHS.join(", ")
            ))
        }
        "s3" if has_region && !path.starts_with("accesspoint/") => {
            Some(format!("Resource {resource} can not contain region information."))
        }
        _ => None,
    }
}

fn check_ids(statements: &[&Statement]) -> Result<(), AwsError> {
    let mut ids: Vec<&str> = statements
        .iter()
        .filter_map(|statement| statement.get("Sid")?.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    if ids.iter().any(|id| !id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ));
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < all {
        return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
    }
    Ok(())
}

fn check_action(action: &str) -> Result<(), AwsError> {
    let mut parts = action.split(':');
    let vendor = parts.next().unwrap_or_default();
    match parts.count() {
        0 if vendor == "*" => return Ok(()),
        0 => {
            return Err(malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ));
        }
        1 => {}
        _ => return Err(malformed("Actions/Condition can contain only one colon.")),
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if vendor != "*" && !vendor.bytes().all(plain) {
        return Err(malformed(format!("Vendor {vendor} is not valid")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(document: &Value) -> Option<String> {
        check(&document.to_string()).err().map(|error| error.message)
    }

    /// A policy of one statement, with some members otherwise; null takes one away.
    fn policy(changes: Value) -> Value {
        let mut statement =
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
        for (key, value) in changes.as_object().cloned().unwrap_or_default() {
            let statement = statement.as_object_mut().expect("a map");
            if value.is_null() {
                statement.remove(&key);
            } else {
                statement.insert(key, value);
            }
        }
        json!({"Version": "2012-10-17", "Statement": statement})
    }

    #[test]
    fn what_iam_takes_is_taken() {
        for changes in [
            json!({}),
            json!({"Action": "*", "Resource": ["arn:aws:s3:::b", "*"]}),
            json!({"Action": null, "NotAction": "iam:*", "Resource": null, "NotResource": "*"}),
            json!({"Resource": "arn:aws:iam::*:user/${aws:username}", "Sid": ""}),
            json!({"Resource": "arn:aws:ec2:us-east-1::instance/*"}),
            json!({"Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a"]}}}),
            json!({"Condition": {"Bool": {"aws:SecureTransport": true}, "nothing": {}}}),
            json!({"Condition": {"DateLessThan": {"aws:CurrentTime": "2024-01-02T03:04:05.5+01:00"}}}),
        ] {
            assert_eq!(refusal(&policy(changes.clone())), None, "{changes}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused_in_iams_words() {
        let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        for (changes, expected) in [
            (json!({"Effect": "Permit"}), SYNTAX),
            (json!({"Effect": "allow"}), LEGACY),
            (json!({"Effect": null}), SYNTAX),
            (json!({"Colour": "red"}), SYNTAX),
            (json!({"Sid": 5}), SYNTAX),
            (json!({"NotAction": "s3:*"}), SYNTAX),
            (json!({"NotResource": "*"}), SYNTAX),
            (json!({"Action": {"a": 1}}), SYNTAX),
            (json!({"Condition": {"x": {"a": "1"}}}), SYNTAX),
            (json!({"Condition": {"StringEquals": "a"}}), SYNTAX),
            (json!({"Condition": {"DateLessThan": {"a": "yesterday"}}}), LEGACY),
            (json!({"Action": null}), "Policy statement must contain actions."),
            (json!({"Resource": []}), "Policy statement must contain resources."),
            (json!({"Action": "get"}), vendor),
            (json!({"Action": "s3:a:b"}), "Actions/Condition can contain only one colon."),
            (json!({"Action": "s 3:a"}), "Vendor s 3 is not valid"),
            (json!({"Resource": "b"}), "Resource b must be in ARN format or \"*\"."),
            (
                json!({"Resource": "arn:aws"}),
                "Resource vendor must be fully qualified and cannot contain regexes.",
            ),
            (json!({"Resource": "arn:aws:s3::b"}), LEGACY),
            (
                json!({"Resource": "arn:x:s3:::b"}),
                "Partition \"x\" is not valid for resource \"arn:x:s3:::b\".",
            ),
            (
                json!({"Resource": "arn:aws:s3:us-east-1::b"}),
                "Resource arn:aws:s3:us-east-1::b can not contain region information.",
            ),
            (json!({"Principal": "*"}), "Policy document should not specify a principal."),
        ] {
            assert_eq!(refusal(&policy(changes.clone())).as_deref(), Some(expected), "{changes}");
        }
        let old = json!({"Version": "2008-10-17", "Statement": policy(json!({}))["Statement"]});
        assert_eq!(
            refusal(&old).as_deref(),
            Some("Policy document must be version 2012-10-17 or greater.")
        );
    }

    #[test]
    fn ids_of_statements_are_unique_and_plain() {
        let two = |one: &str, other: &str| {
            let mut first = policy(json!({"Sid": one}));
            let second = policy(json!({"Sid": other}));
            first["Statement"] = json!([first["Statement"], second["Statement"]]);
            refusal(&first)
        };
        assert_eq!(two("a", "b"), None);
        assert_eq!(
            two("a", "a").as_deref(),
            Some("Statement IDs (SID) in a single policy must be unique.")
        );
        assert!(two("a-b", "c").is_some_and(|message| message.contains("alpha-numeric")));
    }
}
