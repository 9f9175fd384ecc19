//! `add-permission`: somebody else's right to invoke a Lambda function.

use aws_sdk_lambda::operation::add_permission::AddPermissionOutput;
use aws_sdk_lambda::operation::get_policy::GetPolicyOutput;
use aws_sdk_lambda::operation::remove_permission::RemovePermissionOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::create_function::{Planned, ROLE_BACKOFF};
use super::create_role::names_role_of;
use super::get_function::is_busy;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::{Context, Resource, StepError, StepKind, Undone};

/// `add-permission`.
pub struct AddPermission;

/// Allows a service or an account to invoke a Lambda function.
///
/// A user pool that is to call a function as a trigger needs this, with the pool's ARN as `source_arn`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// Who may: a service such as `cognito-idp.amazonaws.com`, an account's number, or an ARN.
    principal: String,
    /// What it may do.
    #[serde(default = "invoke_function")]
    action: String,
    /// The ARN of what it may do so for, such as that of a user pool.
    source_arn: Option<String>,
    /// The number of the account that this must belong to.
    source_account: Option<String>,
    /// The statement's name in the function's policy; made from the run's id and the step's when absent.
    statement_id: Option<String>,
}

fn invoke_function() -> String {
    "lambda:InvokeFunction".to_owned()
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// The statement's name in the function's policy.
    #[schemars(extend("x-known" = true))]
    statement_id: String,
    /// The statement, as Lambda keeps it.
    statement: Value,
}

/// A permission that the run added.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Permission {
    pub(super) function_name: String,
    statement_id: String,
    principal: String,
    action: String,
    source_arn: Option<String>,
    source_account: Option<String>,
}

/// The statement as Lambda made it.
#[derive(Serialize, Deserialize)]
pub struct PermissionIds {
    statement: Value,
}

impl StepKind for AddPermission {
    const NAME: &'static str = "add-permission";
    const CALLS: &'static [&'static str] = &["lambda:GetPolicy", "lambda:AddPermission"];
    const PERMISSIONS: &'static [&'static str] = &["lambda:GetPolicy", "lambda:AddPermission"];
    const EXAMPLE: &'static str = "\
- add-permission:
    function_name: \"{{ steps.function.function_name }}\"
    principal: cognito-idp.amazonaws.com
    source_arn: arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_EXAMPLE
";

    type Input = Input;
    type Output = Output;
    type Created = Permission;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let named = input.statement_id.is_some();
        let permission = Permission {
            statement_id: input.statement_id.unwrap_or_else(|| statement_id(&cx.run.id, &cx.step)),
            function_name: input.function_name,
            principal: input.principal,
            action: input.action,
            source_arn: input.source_arn,
            source_account: input.source_account,
        };
        // A name without the run's id proves nothing afterwards, so it must be free now.
        if named && look(&cx, &permission, Planned::Gone).await?.is_some() {
            return Err(exists(&permission));
        }
        let statement = add(&cx, &permission).await?;
        let Permission { function_name, statement_id, .. } = permission;
        Ok(Output { function_name, statement_id, statement })
    }
}

/// A name that tells whose the statement is; such names hold letters, digits, `-` and `_` alone.
fn statement_id(run: &str, step: &str) -> String {
    let clean = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }
    };
    format!("playbook-{run}-{step}").chars().map(clean).take(100).collect()
}

fn exists(permission: &Permission) -> StepError {
    StepError::Failed {
        code: "ResourceConflictException".to_owned(),
        message: format!(
            "the policy of the function {} has a statement {} already",
            permission.function_name, permission.statement_id
        ),
        help: Some("give this step a `statement_id` of its own".to_owned()),
        details: Vec::new(),
    }
}

async fn add(cx: &Context, permission: &Permission) -> Result<Value, StepError> {
    let entry = cx.intend(permission)?;
    let names_own = names_role_of(cx, &permission.principal, "");
    let passes =
        |error: &CallError| is_passing(error) || (names_own && principal_is_unknown(error));
    let added = cx.while_refused(ROLE_BACKOFF, passes, || call(cx, permission)).await;
    let statement = match added {
        Ok(output) => output.statement.map(|text| parsed(&text)).unwrap_or_default(),
        Err(StepError::Call(error)) if is_busy(&error) => {
            // Every attempt was answered, and the first one found the statement there: somebody else's.
            if error.outcome == Outcome::Refused {
                entry.refused("ResourceConflictException")?;
                return Err(exists(permission));
            }
            match look(cx, permission, Planned::There).await {
                Ok(Some(statement)) if permission.is(&statement) => statement,
                Ok(_) | Err(_) => return Err(entry.error(error)),
            }
        }
        Err(error) => return Err(entry.error(error)),
    };
    entry.done(&PermissionIds { statement: statement.clone() })?;
    Ok(statement)
}

/// Another change of the function is under way; a statement that is there already does not pass by itself.
fn is_passing(error: &CallError) -> bool {
    is_busy(error) && !error.message.contains("already exists")
}

/// Whether Lambda has not heard of a principal yet. It says as much of one that does not exist.
fn principal_is_unknown(error: &CallError) -> bool {
    error.is("InvalidParameterValueException") && error.message.contains("principal was invalid")
}

async fn call(cx: &Context, permission: &Permission) -> Result<AddPermissionOutput, CallError> {
    let request = cx
        .aws
        .lambda()
        .add_permission()
        .function_name(&permission.function_name)
        .statement_id(&permission.statement_id)
        .action(&permission.action)
        .principal(&permission.principal)
        .set_source_arn(permission.source_arn.clone())
        .set_source_account(permission.source_account.clone());
    let placeholder = || {
        let statement = permission.as_statement().to_string();
        Ok(AddPermissionOutput::builder().statement(statement).build())
    };
    cx.aws.call(request.send(), placeholder).await
}

/// The statement of that name in the function's policy.
async fn look(
    cx: &Context,
    permission: &Permission,
    planned: Planned,
) -> Result<Option<Value>, CallError> {
    let request = cx.aws.lambda().get_policy().function_name(&permission.function_name);
    let placeholder = || {
        let policy = match planned {
            Planned::There => json!({"Statement": [permission.as_statement()]}),
            Planned::Gone => json!({"Statement": []}),
        };
        Ok(GetPolicyOutput::builder().policy(policy.to_string()).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => {
            Ok(statement_of(&output.policy.unwrap_or_default(), &permission.statement_id))
        }
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn statement_of(policy: &str, statement_id: &str) -> Option<Value> {
    let policy = parsed(policy);
    let statements = policy.get("Statement")?.as_array()?;
    statements.iter().find(|statement| statement["Sid"] == statement_id).cloned()
}

impl Permission {
    /// As Lambda writes it, as far as that can be known.
    fn as_statement(&self) -> Value {
        let principal = if self.principal.ends_with(".amazonaws.com") {
            json!({"Service": self.principal})
        } else {
            json!({"AWS": self.principal})
        };
        let mut statement = json!({
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
        });
        if let Some(arn) = &self.source_arn {
            statement["Condition"]["ArnLike"]["AWS:SourceArn"] = json!(arn);
        }
        if let Some(account) = &self.source_account {
            statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = json!(account);
        }
        statement
    }

    /// Whether a statement says what this one does. Lambda turns an account's number into an ARN.
    fn is(&self, statement: &Value) -> bool {
        let principal = match &statement["Principal"] {
            Value::String(text) => Some(text.as_str()),
            map => map.as_object().and_then(|map| map.values().next()).and_then(Value::as_str),
        };
        let same_principal = principal.is_some_and(|found| {
            found == self.principal || found.ends_with(&format!(":iam::{}:root", self.principal))
        });
        statement["Sid"] == self.statement_id
            && statement["Effect"] == "Allow"
            && statement["Action"] == self.action
            && same_principal
            && condition(statement, "AWS:SourceArn") == self.source_arn.as_deref()
            && condition(statement, "AWS:SourceAccount") == self.source_account.as_deref()
    }
}

fn condition<'a>(statement: &'a Value, key: &str) -> Option<&'a str> {
    let operators = statement.get("Condition")?.as_object()?;
    operators
        .values()
        .filter_map(Value::as_object)
        .flatten()
        .find(|(found, _)| found.eq_ignore_ascii_case(key))
        .and_then(|(_, value)| value.as_str())
}

impl Resource for Permission {
    const TYPE: &'static str = "AWS::Lambda::Permission";
    const UNDO: &'static [&'static str] = &["lambda:GetPolicy", "lambda:RemovePermission"];
    type Ids = PermissionIds;

    fn label(&self) -> String {
        format!("{} on {}", self.statement_id, self.function_name)
    }

    async fn undo(self, cx: Context, ids: Option<PermissionIds>) -> Result<Undone, StepError> {
        let Some(statement) = look(&cx, &self, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        let ours = match ids {
            Some(ids) if ids.statement.is_object() => {
                ids.statement == statement || self.is(&statement)
            }
            _ => self.is(&statement),
        };
        if !ours {
            let reason = "the statement of that name says something else now".to_owned();
            return Ok(Undone::Changed { reason });
        }
        let removed = cx
            .while_refused(Backoff::seconds(60), is_busy, || async {
                let request = cx
                    .aws
                    .lambda()
                    .remove_permission()
                    .function_name(&self.function_name)
                    .statement_id(&self.statement_id);
                cx.aws.call(request.send(), || Ok(RemovePermissionOutput::builder().build())).await
            })
            .await;
        match removed {
            Ok(_) => Ok(Undone::Deleted),
            Err(error) if error.is("ResourceNotFoundException") => Ok(Undone::AlreadyGone),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a";

    fn permission(principal: &str) -> Permission {
        Permission {
            function_name: "adder".to_owned(),
            statement_id: "playbook-7-allow".to_owned(),
            principal: principal.to_owned(),
            action: invoke_function(),
            source_arn: Some(POOL.to_owned()),
            source_account: None,
        }
    }

    fn from_lambda() -> Value {
        json!({
            "Sid": "playbook-7-allow", "Effect": "Allow",
            "Principal": {"Service": "cognito-idp.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:adder",
            "Condition": {"ArnLike": {"AWS:SourceArn": POOL}},
        })
    }

    #[test]
    fn a_statement_is_ours_when_it_says_the_same() {
        assert!(permission("cognito-idp.amazonaws.com").is(&from_lambda()));
        assert!(!permission("s3.amazonaws.com").is(&from_lambda()));
        for (field, other) in [
            ("Sid", json!("other")),
            ("Effect", json!("Deny")),
            ("Action", json!("lambda:*")),
            ("Condition", json!({"ArnLike": {"AWS:SourceArn": "*"}})),
            (
                "Condition",
                json!({"ArnLike": {"AWS:SourceArn": POOL}, "StringEquals": {"AWS:SourceAccount": "1"}}),
            ),
            ("Condition", Value::Null),
        ] {
            let mut changed = from_lambda();
            changed[field] = other;
            assert!(!permission("cognito-idp.amazonaws.com").is(&changed), "{changed}");
        }
    }

    #[test]
    fn accounts_come_back_as_arns() {
        let mut statement = from_lambda();
        statement["Principal"] = json!({"AWS": "arn:aws:iam::123456789012:root"});
        assert!(permission("123456789012").is(&statement));
        assert!(!permission("2").is(&statement));
        statement["Principal"] = json!("*");
        assert!(permission("*").is(&statement));
    }

    #[test]
    fn a_planned_statement_is_its_own() {
        for principal in ["cognito-idp.amazonaws.com", "123456789012"] {
            let permission =
                Permission { source_account: Some("1".to_owned()), ..permission(principal) };
            let policy =
                json!({"Statement": [from_lambda(), permission.as_statement()]}).to_string();
            assert!(statement_of(&policy, "absent").is_none());
            assert!(permission.is(&permission.as_statement()));
            assert!(statement_of(&policy, "playbook-7-allow").is_some());
        }
        assert!(statement_of("no json", "playbook-7-allow").is_none());
    }

    #[test]
    fn statement_names_hold_only_what_lambda_allows() {
        assert_eq!(statement_id("7f3a", "allow cognito"), "playbook-7f3a-allow-cognito");
        assert_eq!(statement_id("7", &"x".repeat(200)).len(), 100);
    }
}
