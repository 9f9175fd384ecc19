//! `AddPermission`, `RemovePermission`, `GetPolicy`, and what a policy allows.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{conflict, invalid, no_function, not_found, stale_revision};
use super::names::{LATEST, Target, VALIDATION, is_plain};
use super::state::{Context, State};
use crate::iam::wildcard::is_arn_like;
use crate::ids::uuid;
use crate::protocol::{AwsError, Constraints};

const SOURCE_ARN_PATTERN: &str = r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";
const LARGEST_POLICY: usize = 20 * 1024;

/// The body of `AddPermission`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AddPermission {
    statement_id: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    revision_id: Option<String>,
}

/// A service that wants to call a function for one of its resources.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Such as `cognito-idp.amazonaws.com`.
    pub service: &'a str,
    /// The resource on whose behalf it calls.
    pub source_arn: &'a str,
    /// The account of that resource.
    pub source_account: &'a str,
}

/// The policy of a function or of one of its versions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    statements: Vec<Value>,
    revision_id: String,
}

impl Policy {
    /// The policy as IAM writes policies.
    pub(super) fn document(&self) -> Value {
        json!({"Version": "2012-10-17", "Id": "default", "Statement": self.statements})
    }

    fn allows(&self, caller: Caller<'_>) -> bool {
        self.statements.iter().any(|statement| allows(statement, caller))
    }
}

impl AddPermission {
    fn check(&self) -> Result<(&str, &str, &str), AwsError> {
        let mut constraints = Constraints::new()
            .present("statementId", self.statement_id.is_some())
            .present("action", self.action.is_some())
            .present("principal", self.principal.is_some());
        if let Some(id) = &self.statement_id {
            let plain = is_plain(id);
            constraints = constraints.length("statementId", id, 1, 100).pattern(
                "statementId",
                id,
                "([a-zA-Z0-9-_]+)",
                plain,
            );
        }
        if let Some(action) = &self.action {
            let pattern = "(lambda:[*]|lambda:[a-zA-Z]+|[*])";
            constraints = constraints.pattern("action", action, pattern, is_action(action));
        }
        if let Some(account) = &self.source_account {
            let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            constraints = constraints.pattern("sourceAccount", account, r"\d{12}", digits);
        }
        if let Some(arn) = &self.source_arn {
            let shape = Regex::new(&format!("^{SOURCE_ARN_PATTERN}$"));
            let matches = shape.is_ok_and(|shape| shape.is_match(arn));
            constraints = constraints.pattern("sourceArn", arn, SOURCE_ARN_PATTERN, matches);
        }
        if let Some(kind) = &self.function_url_auth_type {
            constraints = constraints.one_of("functionUrlAuthType", kind, &["NONE", "AWS_IAM"]);
        }
        constraints.check(VALIDATION)?;
        match (&self.statement_id, &self.action, &self.principal) {
            (Some(id), Some(action), Some(principal)) => Ok((id, action, principal)),
            _ => Err(invalid("StatementId, Action and Principal are mandatory.")),
        }
    }

    fn conditions(&self) -> Map<String, Value> {
        let equal = [
            ("AWS:SourceAccount", &self.source_account),
            ("lambda:EventSourceToken", &self.event_source_token),
            ("aws:PrincipalOrgID", &self.principal_org_id),
            ("lambda:FunctionUrlAuthType", &self.function_url_auth_type),
        ];
        let equal: Map<String, Value> = equal
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))))
            .collect();
        let mut conditions = Map::new();
        if !equal.is_empty() {
            conditions.insert("StringEquals".to_owned(), Value::Object(equal));
        }
        if let Some(via_url) = self.invoked_via_function_url {
            let flag = json!({"lambda:InvokedViaFunctionUrl": via_url.to_string()});
            conditions.insert("Bool".to_owned(), flag);
        }
        if let Some(arn) = &self.source_arn {
            conditions.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
        }
        conditions
    }
}

impl State {
    /// `AddPermission`.
    pub fn add_permission(
        &mut self,
        target: &Target,
        request: &AddPermission,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let (id, action, principal) = request.check()?;
        if target.qualifier.as_deref() == Some(LATEST) {
            return Err(invalid("We currently do not support adding policies for $LATEST."));
        }
        let arn = target.arn(context.place);
        self.find(target, &arn).map_err(|error| no_alias_or(error, target, &arn))?;
        let principal = principal_value(principal)?;
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        let current = function.policies.get(&target.qualifier);
        check_policy_revision(request.revision_id.as_deref(), current)?;
        if current.is_some_and(|policy| policy.statements.iter().any(|one| one["Sid"] == id)) {
            return Err(conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing \
                 statement."
            )));
        }
        let mut statement = json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": action,
            "Resource": arn,
        });
        let conditions = request.conditions();
        if !conditions.is_empty() {
            statement["Condition"] = Value::Object(conditions);
        }
        let mut statements = current.map(|policy| policy.statements.clone()).unwrap_or_default();
        statements.push(statement.clone());
        let policy = Policy { statements, revision_id: uuid() };
        let size = policy.document().to_string().len();
        if size > LARGEST_POLICY {
            return Err(AwsError::bad_request(
                "PolicyLengthExceededException",
                format!(
                    "The final policy size ({size}) is bigger than the limit ({LARGEST_POLICY})."
                ),
            ));
        }
        function.policies.insert(target.qualifier.clone(), policy);
        Ok(json!({"Statement": statement.to_string()}))
    }

    /// `RemovePermission`.
    pub fn remove_permission(
        &mut self,
        target: &Target,
        statement_id: &str,
        revision_id: Option<&str>,
        context: Context<'_>,
    ) -> Result<(), AwsError> {
        let arn = target.arn(context.place);
        let Some(function) = self.functions.get_mut(&target.name) else {
            return Err(not_found(format!("No policy found for: {arn}")));
        };
        let Some(policy) = function.policies.get_mut(&target.qualifier) else {
            return Err(not_found("No policy is associated with the given resource."));
        };
        check_policy_revision(revision_id, Some(policy))?;
        let Some(position) = policy.statements.iter().position(|one| one["Sid"] == statement_id)
        else {
            return Err(not_found(format!(
                "Statement {statement_id} is not found in resource policy."
            )));
        };
        policy.statements.remove(position);
        policy.revision_id = uuid();
        if policy.statements.is_empty() {
            function.policies.remove(&target.qualifier);
        }
        Ok(())
    }

    /// `GetPolicy`.
    pub fn get_policy(&self, target: &Target) -> Result<Value, AwsError> {
        let policy = self
            .functions
            .get(&target.name)
            .and_then(|function| function.policies.get(&target.qualifier))
            .ok_or_else(|| not_found("The resource you requested does not exist."))?;
        let document = policy.document().to_string();
        Ok(json!({"Policy": document, "RevisionId": policy.revision_id}))
    }

    /// Whether the function's policy lets that service call it.
    #[must_use]
    pub fn allows(&self, target: &Target, caller: Caller<'_>) -> bool {
        let qualifier = target.qualifier.clone().filter(|qualifier| qualifier != LATEST);
        let policies = self.functions.get(&target.name).map(|function| &function.policies);
        let policy = policies.and_then(|policies: &BTreeMap<_, Policy>| policies.get(&qualifier));
        policy.is_some_and(|policy| policy.allows(caller))
    }
}

/// Somebody who asks a function over its URL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor<'a> {
    /// The account of whoever has signed the request.
    pub(super) account: Option<&'a str>,
    /// `NONE` or `AWS_IAM`.
    pub(super) auth_type: &'a str,
}

impl State {
    /// Whether a policy lets somebody ask that function, or that alias of it, over its URL: that takes both actions.
    pub(super) fn allows_visitor(
        &self,
        name: &str,
        alias: Option<&String>,
        visitor: Visitor<'_>,
    ) -> bool {
        let policies = self.functions.get(name).map(|function| &function.policies);
        let policy = policies.and_then(|policies| policies.get(&alias.cloned()));
        policy.is_some_and(|policy| {
            ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
                .iter()
                .all(|action| policy.statements.iter().any(|one| lets_visit(one, action, visitor)))
        })
    }
}

fn lets_visit(statement: &Value, action: &str, visitor: Visitor<'_>) -> bool {
    let principal = &statement["Principal"];
    let is_for = match (principal.as_str(), principal["AWS"].as_str(), visitor.account) {
        (Some("*"), ..) | (_, Some("*"), _) => true,
        (_, Some(arn), Some(account)) => arn.split(':').nth(4) == Some(account),
        _ => false,
    };
    let is_action =
        statement["Action"].as_str().is_some_and(|it| [action, "lambda:*", "*"].contains(&it));
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut conditions = conditions.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, expected)| (operator.as_str(), key.as_str(), expected))
    });
    let holds = |operator: &str, key: &str, expected: &Value| match (operator, key) {
        ("StringEquals", "lambda:FunctionUrlAuthType") => expected == visitor.auth_type,
        ("Bool", "lambda:InvokedViaFunctionUrl") => expected == "true",
        _ => false,
    };
    is_for
        && is_action
        && conditions.all(|(operator, key, expected)| holds(operator, key, expected))
}

fn check_policy_revision(given: Option<&str>, policy: Option<&Policy>) -> Result<(), AwsError> {
    match (given, policy) {
        (Some(given), Some(policy)) if given != policy.revision_id => {
            Err(stale_revision("GetPolicy"))
        }
        (Some(_), None) => Err(stale_revision("GetPolicy")),
        _ => Ok(()),
    }
}

/// Where a version would be a number, AWS takes anything else for an alias.
fn no_alias_or(error: AwsError, target: &Target, arn: &str) -> AwsError {
    let is_alias = |qualifier: &String| {
        is_plain(qualifier) && qualifier.bytes().any(|byte| !byte.is_ascii_digit())
    };
    if target.qualifier.as_ref().is_some_and(is_alias) {
        return not_found(format!("Cannot find alias arn: {arn}"));
    }
    error
}

fn is_action(action: &str) -> bool {
    match action.strip_prefix("lambda:") {
        Some(name) => {
            name == "*" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        }
        None => action == "*",
    }
}

fn principal_value(principal: &str) -> Result<Value, AwsError> {
    let is_account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
    if principal == "*" {
        Ok(json!("*"))
    } else if is_account {
        Ok(json!({"AWS": format!("arn:aws:iam::{principal}:root")}))
    } else if principal.starts_with("arn:aws") && principal.contains(":iam::") {
        Ok(json!({"AWS": principal}))
    } else if principal.ends_with(".amazonaws.com") || principal.ends_with(".amazonaws.com.cn") {
        Ok(json!({"Service": principal}))
    } else {
        Err(invalid(
            "The provided principal was invalid. Please check the principal and try again.",
        ))
    }
}

fn allows(statement: &Value, caller: Caller<'_>) -> bool {
    let principal = &statement["Principal"];
    let for_caller = principal == "*" || principal["Service"] == caller.service;
    let action = statement["Action"].as_str().unwrap_or_default();
    let for_invoking = ["lambda:InvokeFunction", "lambda:*", "*"].contains(&action);
    for_caller && for_invoking && conditions_hold(&statement["Condition"], caller)
}

fn conditions_hold(conditions: &Value, caller: Caller<'_>) -> bool {
    let Some(operators) = conditions.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        let Some(keys) = keys.as_object() else {
            return false;
        };
        keys.iter().all(|(key, expected)| {
            let expected = expected.as_str().unwrap_or_default();
            match (operator.as_str(), key.to_ascii_lowercase().as_str()) {
                ("ArnLike", "aws:sourcearn") => is_arn_like(expected, caller.source_arn),
                ("StringEquals", "aws:sourceaccount") => expected == caller.source_account,
                ("Bool", "lambda:invokedviafunctionurl") => expected == "false",
                _ => false,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc";

    fn caller(source_arn: &str) -> Caller<'_> {
        Caller { service: "cognito-idp.amazonaws.com", source_arn, source_account: "123456789012" }
    }

    fn statement(condition: &Value) -> Value {
        json!({
            "Principal": {"Service": "cognito-idp.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": condition,
        })
    }

    #[test]
    fn a_source_arn_must_match() {
        let exact = statement(&json!({"ArnLike": {"AWS:SourceArn": POOL}}));
        assert!(allows(&exact, caller(POOL)));
        assert!(!allows(
            &exact,
            caller("arn:aws:cognito-idp:us-east-1:123456789012:userpool/other")
        ));
        let any = "arn:aws:cognito-idp:*:123456789012:userpool/*";
        assert!(allows(&statement(&json!({"ArnLike": {"AWS:SourceArn": any}})), caller(POOL)));
    }

    #[test]
    fn an_account_must_match() {
        let account = |id: &str| statement(&json!({"StringEquals": {"AWS:SourceAccount": id}}));
        assert!(allows(&account("123456789012"), caller(POOL)));
        assert!(!allows(&account("210987654321"), caller(POOL)));
    }

    #[test]
    fn other_services_and_unknown_conditions_are_not_let_in() {
        let open = statement(&Value::Null);
        assert!(allows(&open, caller(POOL)));
        assert!(!allows(&open, Caller { service: "s3.amazonaws.com", ..caller(POOL) }));
        assert!(!allows(
            &statement(&json!({"Bool": {"aws:SecureTransport": "true"}})),
            caller(POOL)
        ));
    }

    #[test]
    fn patterns_match_part_by_part() {
        assert!(is_arn_like("arn:aws:s3:::bucket*", "arn:aws:s3:::bucket/key"));
        assert!(is_arn_like("arn:aws:s3:::b?cket", "arn:aws:s3:::bucket"));
        assert!(!is_arn_like("arn:aws:s3:::b", "arn:aws:s3:::bucket"));
        assert!(!is_arn_like("arn:*", "arn:aws:s3:::bucket"));
        assert!(is_arn_like("arn:aws:x:r:a:*end", "arn:aws:x:r:a:endless/end"));
    }
}
