//! Policy documents: what makes one valid, and whom a trust policy lets in.

use serde_json::{Map, Value};

use super::AccountPrincipal;
use super::error::{limit_exceeded, malformed};
use super::wildcard::is_action_like;
use crate::protocol::AwsError;

const TRUST_LIMIT: usize = 2048;
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

/// The size that IAM counts: white space is free.
pub(super) fn size(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

/// Checks a role's trust policy.
pub(super) fn check_trust(document: &str) -> Result<(), AwsError> {
    let policy = parse(document, "This policy contains invalid Json")?;
    check_version(&policy)?;
    let found = statements(&policy);
    if found.is_empty() {
        return Err(malformed("Could not parse the policy: Statement is empty!"));
    }
    for statement in found {
        check_trust_statement(statement)?;
    }
    if size(document) > TRUST_LIMIT {
        return Err(limit_exceeded("ACLSizePerRole", TRUST_LIMIT));
    }
    Ok(())
}

fn check_trust_statement(statement: &Value) -> Result<(), AwsError> {
    let statement =
        statement.as_object().ok_or_else(|| malformed("This policy contains invalid Json"))?;
    for field in ["Resource", "NotResource"] {
        if statement.contains_key(field) {
            return Err(malformed(format!("Has prohibited field {field}")));
        }
    }
    if let Some(field) = unknown_field(statement) {
        return Err(malformed(format!("Unknown field {field}")));
    }
    match statement.get("Effect").map(Value::as_str) {
        Some(Some("Allow" | "Deny")) => {}
        Some(other) => {
            return Err(malformed(format!("Invalid effect: {}", other.unwrap_or_default())));
        }
        None => return Err(malformed("Missing required field Effect")),
    }
    match statement.get("Principal").or_else(|| statement.get("NotPrincipal")) {
        Some(principal) => check_principal(principal)?,
        None => return Err(malformed("Missing required field Principal")),
    }
    let actions = statement.get("Action").map(strings).unwrap_or_default();
    if actions.is_empty() {
        return Err(malformed("Missing required field Action"));
    }
    if actions
        .iter()
        .any(|pattern| !TRUST_ACTIONS.iter().any(|action| is_action_like(pattern, action)))
    {
        return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    Ok(())
}

fn check_principal(principal: &Value) -> Result<(), AwsError> {
    let invalid = |kind: &str, name: &str| {
        let kind = kind.to_uppercase();
        malformed(format!("Invalid principal in policy: \"{kind}\":\"{name}\""))
    };
    let Some(kinds) = principal.as_object() else {
        return match principal.as_str() {
            Some("*") => Ok(()),
            other => Err(invalid("AWS", other.unwrap_or_default())),
        };
    };
    let mut count = 0;
    for (kind, names) in kinds {
        for name in strings(names) {
            count += 1;
            let valid = match kind.as_str() {
                "AWS" => is_account_principal(name),
                "Service" => is_service_principal(name),
                "Federated" | "CanonicalUser" => !name.is_empty(),
                _ => false,
            };
            if !valid {
                return Err(invalid(kind, name));
            }
        }
    }
    if count == 0 {
        return Err(malformed(
            "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: \
             The passed in policy has a statement with no principals!",
        ));
    }
    Ok(())
}

fn is_account_principal(name: &str) -> bool {
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if name == "*" || is_account(name) {
        return true;
    }
    let mut parts = name.splitn(6, ':');
    let head = (parts.next(), parts.next(), parts.next(), parts.next());
    let account = parts.next().unwrap_or_default();
    matches!(head, (Some("arn"), Some(partition), Some("iam" | "sts"), Some("")) if partition.starts_with("aws"))
        && is_account(account)
        && parts.next().is_some_and(|resource| {
            resource == "root"
                || ["user/", "role/", "assumed-role/", "federated-user/"]
                    .iter()
                    .any(|kind| resource.len() > kind.len() && resource.starts_with(kind))
        })
}

fn is_service_principal(name: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"].iter().any(|suffix| {
        name.strip_suffix(suffix).is_some_and(|service| {
            !service.is_empty()
                && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
    })
}

/// The roles of an account that a policy lets in, by their ARNs.
pub(super) fn own_roles(document: &str, account_id: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(document).unwrap_or_default();
    let own = format!(":iam::{account_id}:");
    statements(&policy)
        .into_iter()
        .filter_map(|statement| statement.get("Principal")?.get("AWS"))
        .flat_map(strings)
        .filter(|name| name.split_once(&own).is_some_and(|(_, name)| name.starts_with("role/")))
        .map(str::to_owned)
        .collect()
}

/// Whether a trust policy lets a service in. Its conditions are taken for met: they compare the caller's account and
/// source, and there is only one of each here.
pub(super) fn trusts(document: &str, service: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(document) else {
        return false;
    };
    let decides = |effect: &str| {
        statements(&policy).into_iter().any(|statement| {
            decides_on_assuming(statement, effect)
                && statement
                    .get("Principal")
                    .and_then(|principal| principal.get("Service"))
                    .is_some_and(|services| strings(services).contains(&service))
        })
    };
    decides("Allow") && !decides("Deny")
}

/// Whether a trust policy lets somebody of an account in. Of conditions, the external id is understood; a statement with
/// any other allows nothing, and denies.
pub(super) fn trusts_account(document: &str, caller: &AccountPrincipal) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(document) else {
        return false;
    };
    let names = |principal: &Value| match principal.get("AWS") {
        Some(names) => strings(names).iter().any(|name| caller.names.iter().any(|own| own == name)),
        None => principal == "*",
    };
    let decides = |effect: &str, unknown: bool| {
        statements(&policy).into_iter().any(|statement| {
            let condition = statement.get("Condition");
            decides_on_assuming(statement, effect)
                && statement.get("Principal").is_some_and(names)
                && condition.is_none_or(|one| holds(one, caller).unwrap_or(unknown))
        })
    };
    decides("Allow", false) && !decides("Deny", true)
}

fn decides_on_assuming(statement: &Value, effect: &str) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
        && statement.get("Action").is_some_and(|actions| {
            strings(actions).iter().any(|pattern| is_action_like(pattern, "sts:assumerole"))
        })
}

/// Whether a condition holds; nothing where it is not known.
fn holds(condition: &Value, caller: &AccountPrincipal) -> Option<bool> {
    let mut all = true;
    for (operator, keys) in condition.as_object()? {
        for (key, expected) in keys.as_object()? {
            if operator != "StringEquals" || !key.eq_ignore_ascii_case("sts:ExternalId") {
                return None;
            }
            let given = caller.external_id.as_deref();
            all &= given.is_some_and(|given| strings(expected).contains(&given));
        }
    }
    Some(all)
}

fn parse(document: &str, message: &str) -> Result<Value, AwsError> {
    match serde_json::from_str::<Value>(document) {
        Ok(policy) if policy.is_object() => Ok(policy),
        _ => Err(malformed(message)),
    }
}

fn check_version(policy: &Value) -> Result<(), AwsError> {
    match policy.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => Ok(()),
        Some(_) => Err(malformed("The policy must contain a valid version string.")),
    }
}

/// One statement may stand without its list.
pub(super) fn statements(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(found)) => found.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn unknown_field(statement: &Map<String, Value>) -> Option<&str> {
    const KNOWN: [&str; 9] = [
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
    statement.keys().map(String::as_str).find(|field| !KNOWN.contains(field))
}

/// One text may stand without its list.
pub(super) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}}"#;

    fn refusal(result: Result<(), AwsError>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "accepted".to_owned())
    }

    #[test]
    fn a_trust_policy_lets_in_the_services_it_names() {
        assert_eq!(check_trust(LAMBDA), Ok(()));
        assert!(trusts(LAMBDA, "lambda.amazonaws.com"));
        assert!(!trusts(LAMBDA, "events.amazonaws.com"));
        assert!(trusts(&LAMBDA.replace("sts:AssumeRole", "sts:*"), "lambda.amazonaws.com"));
        assert!(!trusts(
            &LAMBDA.replace("sts:AssumeRole", "sts:TagSession"),
            "lambda.amazonaws.com"
        ));
    }

    #[test]
    fn a_trust_policy_lets_in_the_accounts_it_names() {
        let policy = |principal: &str, condition: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{condition}}}}}"#
            )
        };
        let caller = |external_id: Option<&str>| AccountPrincipal {
            names: vec!["arn:aws:iam::111111111111:root".to_owned(), "111111111111".to_owned()],
            external_id: external_id.map(str::to_owned),
        };
        let root = r#"{"AWS":"arn:aws:iam::111111111111:root"}"#;
        assert!(trusts_account(&policy(root, ""), &caller(None)));
        assert!(trusts_account(&policy(r#""*""#, ""), &caller(None)));
        assert!(!trusts_account(&policy(r#"{"AWS":"222222222222"}"#, ""), &caller(None)));
        assert!(!trusts_account(LAMBDA, &caller(None)));
        let secret = r#","Condition":{"StringEquals":{"sts:ExternalId":"e"}}"#;
        assert!(trusts_account(&policy(root, secret), &caller(Some("e"))));
        assert!(!trusts_account(&policy(root, secret), &caller(Some("f"))));
        assert!(!trusts_account(&policy(root, secret), &caller(None)));
        let other = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        assert!(!trusts_account(&policy(root, other), &caller(None)));
    }

    #[test]
    fn deny_wins_over_allow() {
        let statement = |effect: &str| {
            format!(
                r#"{{"Effect":"{effect}","Principal":{{"Service":"lambda.amazonaws.com"}},"Action":"sts:AssumeRole"}}"#
            )
        };
        let policy = format!(r#"{{"Statement":[{},{}]}}"#, statement("Allow"), statement("Deny"));
        assert_eq!(check_trust(&policy), Ok(()));
        assert!(!trusts(&policy, "lambda.amazonaws.com"));
    }

    #[test]
    fn a_faulty_trust_policy_is_refused_by_what_is_wrong() {
        for (replace, with, message) in [
            ("{\"Version\"", "{Version", "This policy contains invalid Json"),
            ("2012-10-17", "2012-10-18", "The policy must contain a valid version string."),
            ("\"Allow\"", "\"Permit\"", "Invalid effect: Permit"),
            ("\"Effect\":\"Allow\",", "", "Missing required field Effect"),
            ("\"Action\":\"sts:AssumeRole\"", "\"Sid\":\"x\"", "Missing required field Action"),
            (
                "sts:AssumeRole",
                "lambda:*",
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ),
            ("\"Effect\"", "\"Resource\":\"*\",\"Effect\"", "Has prohibited field Resource"),
            ("\"Effect\"", "\"Colour\":\"*\",\"Effect\"", "Unknown field Colour"),
            (
                "lambda.amazonaws.com",
                "lambda",
                "Invalid principal in policy: \"SERVICE\":\"lambda\"",
            ),
            ("\"Principal\"", "\"NotAction\"", "Missing required field Principal"),
        ] {
            let expected = format!("MalformedPolicyDocument: {message}");
            assert_eq!(refusal(check_trust(&LAMBDA.replacen(replace, with, 1))), expected);
        }
    }

    #[test]
    fn white_space_does_not_count_towards_the_size() {
        assert_eq!(check_trust(&LAMBDA.replace(',', &format!(",{}", " ".repeat(3000)))), Ok(()));
        let long = LAMBDA.replace("ec2", &"e".repeat(2048));
        assert_eq!(
            refusal(check_trust(&long)),
            "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048"
        );
    }
}
