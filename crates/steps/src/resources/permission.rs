//! Rights to invoke Lambda functions.

use aws_sdk_lambda::operation::add_permission::AddPermissionOutput;
use aws_sdk_lambda::operation::get_policy::GetPolicyOutput;
use aws_sdk_lambda::operation::remove_permission::RemovePermissionOutput;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::is_busy;
use super::planned::Planned;
use super::role::{ROLE_BACKOFF, names_role_of};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Resource, StepError, Undone};

/// A permission that the run added.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Permission {
    pub(crate) function_name: String,
    pub(crate) statement_id: String,
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) source_arn: Option<String>,
    pub(crate) source_account: Option<String>,
}

/// The statement as Lambda made it.
#[derive(Serialize, Deserialize)]
pub struct PermissionIds {
    statement: Value,
}

/// Adds a permission; the statement, as Lambda keeps it.
pub(crate) async fn add(cx: &Context, permission: &Permission) -> Result<Value, StepError> {
    let entry = cx.intend(permission)?;
    let names_own = names_role_of(cx, &permission.principal, "");
    let passes =
        |error: &CallError| is_passing(error) || (names_own && principal_is_unknown(error));
    let added = cx.while_refused(ROLE_BACKOFF, passes, || call(cx, permission)).await;
    let statement = match added {
        Ok(output) => output.statement.map(|text| parsed(&text)).unwrap_or_default(),
        // A request may arrive twice: what it finds there may be what it has made itself.
        Err(StepError::Call(error)) if is_busy(&error) => {
            match look(cx, permission, Planned::There).await {
                Ok(Some(statement)) if !permission.is(&statement) => {
                    entry.refused("ResourceConflictException")?;
                    return Err(exists(permission));
                }
                Ok(Some(statement)) if permission.tells(cx) => statement,
                Ok(_) => return Err(entry.unsure(error)),
                Err(unseen) => {
                    entry.unsure(unseen);
                    return Err(error.into());
                }
            }
        }
        Err(error) => return Err(entry.error(error)),
    };
    entry.done(&PermissionIds { statement: statement.clone() })?;
    Ok(statement)
}

pub(crate) fn exists(permission: &Permission) -> StepError {
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
        let mut statement = permission.as_statement();
        statement["Resource"] = json!(cx.later("statement"));
        Ok(AddPermissionOutput::builder().statement(statement.to_string()).build())
    };
    cx.aws.call(request.send(), placeholder).await
}

/// The statement of that name in the function's policy.
pub(crate) async fn look(
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
    /// Whether nobody but this run can have added a statement that says the same.
    fn tells(&self, cx: &Context) -> bool {
        self.statement_id.contains(cx.run.id.as_str())
    }

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
        let known = ids.map(|ids| ids.statement).filter(Value::is_object);
        if known.as_ref() != Some(&statement) && !self.is(&statement) {
            let reason = "the statement of that name says something else now".to_owned();
            return Ok(Undone::Changed { reason });
        }
        if known.is_none() && !self.tells(&cx) {
            let reason = "neither its name nor anything else shows who has added it".to_owned();
            return Ok(Undone::Unproven { reason });
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
            action: "lambda:InvokeFunction".to_owned(),
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
}
