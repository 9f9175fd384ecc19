//! What policies say of a call: those of roles, and those of resources.

use serde_json::Value;

use super::document::{statements, strings};
use super::wildcard::{is_action_like, is_arn_like, is_like};
use super::{State, managed};

/// Somebody wants to do something with a resource.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Who.
    pub who: Who<'a>,
    /// What, such as `sqs:SendMessage`.
    pub action: &'a str,
    /// The ARN of the resource.
    pub resource: &'a str,
    /// The resource on whose behalf a service asks.
    pub source_arn: Option<&'a str>,
    /// The account of that resource.
    pub source_account: Option<&'a str>,
}

/// Who wants to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// A service, such as `sns.amazonaws.com`.
    Service(&'a str),
    /// Somebody of an account: its twelve digits, and their own ARN.
    Account(&'a str, &'a str),
    /// The holder of the policy.
    Holder,
}

/// What a policy says of it: that it is allowed, or denied; nothing where it says nothing.
#[must_use]
pub fn decision(policy: &Value, access: &Access<'_>) -> Option<bool> {
    let found = statements(policy);
    let says =
        |effect: &str| found.iter().any(|one| one["Effect"] == effect && applies(one, access));
    if says("Deny") {
        return Some(false);
    }
    says("Allow").then_some(true)
}

/// The same, of a policy as it is written.
#[must_use]
pub fn decision_of(policy: &str, access: &Access<'_>) -> Option<bool> {
    let policy = serde_json::from_str::<Value>(policy).ok()?;
    decision(&policy, access)
}

impl State {
    /// Whether the policies of a role let it do that.
    ///
    /// Of some of AWS's own policies it is not known here what they say; such a policy is believed.
    #[must_use]
    pub fn role_allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        let Some(role) = self.role_of_arn(role_arn) else { return false };
        let who = Who::Holder;
        let access = Access { who, action, resource, source_arn: None, source_account: None };
        let inline = role.inline.values().map(|policy| decision_of(policy, &access));
        let attached = role.attached.iter().map(|arn| match managed::find(arn) {
            Some(policy) => {
                let document = policy.to_policy().document;
                if document.is_empty() { Some(true) } else { decision_of(&document, &access) }
            }
            None => self.own_policy(arn).and_then(|own| decision_of(&own.document, &access)),
        });
        let said: Vec<bool> = inline.chain(attached).flatten().collect();
        !said.is_empty() && said.into_iter().all(|allowed| allowed)
    }
}

fn applies(statement: &Value, access: &Access<'_>) -> bool {
    fits(statement, "Action", access.action)
        && fits(statement, "Resource", access.resource)
        && is_meant(statement, access.who)
        && statement.get("Condition").is_none_or(|condition| holds(condition, access))
}

/// Whether a text is among those of a field, or not among those of its opposite; a policy of a resource may leave out which.
fn fits(statement: &Value, field: &str, text: &str) -> bool {
    // Names of actions ignore case, those of resources do not.
    let is_like = if field == "Action" { is_action_like } else { is_like };
    let any = |patterns: &Value| strings(patterns).iter().any(|pattern| is_like(pattern, text));
    match (statement.get(field), statement.get(format!("Not{field}"))) {
        (Some(patterns), _) => any(patterns),
        (None, Some(patterns)) => !any(patterns),
        (None, None) => field == "Resource",
    }
}

fn is_meant(statement: &Value, who: Who<'_>) -> bool {
    if who == Who::Holder {
        return true;
    }
    let names = |principal: &Value| {
        if principal == "*" {
            return true;
        }
        match who {
            Who::Service(service) => principal.get("Service").is_some_and(|names| {
                strings(names).iter().any(|name| *name == service || *name == "*")
            }),
            Who::Account(id, arn) => principal.get("AWS").is_some_and(|names| {
                let root = format!("arn:aws:iam::{id}:root");
                strings(names).iter().any(|name| ["*", id, arn, &root].contains(name))
            }),
            Who::Holder => true,
        }
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => names(principal),
        (None, Some(principal)) => !names(principal),
        (None, None) => false,
    }
}

/// Whether every condition holds. A key that says nothing of this call is as one that is absent.
fn holds(condition: &Value, access: &Access<'_>) -> bool {
    let operators = condition.as_object().into_iter().flatten();
    let mut all = operators.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, values))
    });
    all.all(|(operator, key, values)| compare(operator, value_of(key, access), values))
}

fn value_of<'a>(key: &str, access: &Access<'a>) -> Option<&'a str> {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" => access.source_arn,
        "aws:sourceaccount" => access.source_account,
        "aws:principalarn" => match access.who {
            Who::Account(_, arn) => Some(arn),
            _ => None,
        },
        "aws:principalaccount" => match access.who {
            Who::Account(id, _) => Some(id),
            _ => None,
        },
        // What goes over the loopback interface is read by nobody else.
        "aws:securetransport" => Some("true"),
        _ => None,
    }
}

fn compare(operator: &str, found: Option<&str>, expected: &Value) -> bool {
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let expected: Vec<String> = match expected {
        Value::Bool(truth) => vec![truth.to_string()],
        other => strings(other).into_iter().map(str::to_owned).collect(),
    };
    let Some(found) = found else {
        let absent = operator == "Null" && expected.iter().any(|text| text == "true");
        return if_exists || absent || operator.contains("Not");
    };
    let any = |same: fn(&str, &str) -> bool| expected.iter().any(|text| same(text, found));
    let equal: fn(&str, &str) -> bool = |pattern, text| pattern == text;
    let same_letters: fn(&str, &str) -> bool = |pattern, text| pattern.eq_ignore_ascii_case(text);
    match operator {
        "StringEquals" => any(equal),
        "StringNotEquals" => !any(equal),
        "StringEqualsIgnoreCase" | "Bool" => any(same_letters),
        "StringNotEqualsIgnoreCase" => !any(same_letters),
        "StringLike" => any(is_like),
        "StringNotLike" => !any(is_like),
        "ArnLike" | "ArnEquals" => any(is_arn_like),
        "ArnNotLike" | "ArnNotEquals" => !any(is_arn_like),
        "Null" => expected.iter().any(|text| text == "false"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:q";

    fn access<'a>(who: Who<'a>, source: Option<&'a str>) -> Access<'a> {
        let action = "sqs:SendMessage";
        Access { who, action, resource: QUEUE, source_arn: source, source_account: None }
    }

    #[test]
    fn a_service_is_let_in_for_the_resource_that_is_named() {
        let policy = json!({"Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": QUEUE,
            "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:123456789012:t"}},
        }]});
        let topic = Some("arn:aws:sns:eu-west-1:123456789012:t");
        let sns = Who::Service("sns.amazonaws.com");
        assert_eq!(decision(&policy, &access(sns, topic)), Some(true));
        assert_eq!(decision(&policy, &access(sns, Some("arn:aws:sns:eu-west-1:1:t"))), None);
        assert_eq!(decision(&policy, &access(sns, None)), None);
        assert_eq!(decision(&policy, &access(Who::Service("s3.amazonaws.com"), topic)), None);
    }

    #[test]
    fn another_resource_may_differ_in_its_letters_alone() {
        let policy = |resource: &str| json!({"Statement": {"Effect": "Allow", "Action": "SQS:sendmessage", "Resource": resource}});
        let holder = access(Who::Holder, None);
        assert_eq!(decision(&policy(QUEUE), &holder), Some(true));
        assert_eq!(decision(&policy(&QUEUE.to_uppercase()), &holder), None);
    }

    #[test]
    fn what_is_denied_is_not_allowed() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": {"AWS": "123456789012"}, "NotAction": "sqs:Get*"},
            {"Effect": "Deny", "Principal": "*", "Action": "*",
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ]});
        let own = Who::Account("123456789012", "arn:aws:iam::123456789012:user/a");
        assert_eq!(decision(&policy, &access(own, None)), Some(false));
        let other = Who::Account("210987654321", "arn:aws:iam::210987654321:user/a");
        assert_eq!(decision(&policy, &access(other, None)), Some(true));
    }
}
