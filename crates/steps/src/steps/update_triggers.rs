//! `update-triggers`: the functions that a user pool calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::user_pool_triggers::triggers::{self, Triggers, Wanted};
use crate::resources::user_pool_triggers::{self, UserPoolTriggers};
use engine::step::{Context, StepError, StepKind};

/// `update-triggers`.
pub struct UpdateTriggers;

/// Sets or takes away functions that a user pool calls, and changes nothing else of the pool.
///
/// Cognito resets every setting that an update does not mention. This step therefore reads the pool, sends every setting
/// back with the triggers changed, reads the pool again, and fails if anything but the triggers has changed.
///
/// When the run is over, each trigger that it changed is put back to what it was, unless somebody has changed it since;
/// the pool's other settings stay as they are then.
///
/// A function that is to be called must allow it: see `add-permission`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// Triggers by Cognito's names; one that is not mentioned stays, `null` takes one away.
    triggers: Wanted,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-known" = true))]
    user_pool_id: String,
    /// The pool's ARN.
    arn: String,
    /// All of its triggers now, by Cognito's names: an ARN, or `LambdaArn` and `LambdaVersion`.
    triggers: Value,
    /// All of its triggers before.
    previous: Value,
}

impl StepKind for UpdateTriggers {
    const NAME: &'static str = "update-triggers";
    const CALLS: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:GetUserPoolMfaConfig",
        "cognito-idp:UpdateUserPool",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:GetUserPoolMfaConfig",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:TagResource",
        "iam:PassRole",
    ];
    const EXAMPLE: &'static str = "\
- update-triggers:
    user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"
    triggers:
      PreSignUp: \"{{ steps.function.arn }}\"
      UserMigration: null
";

    type Input = Input;
    type Output = Output;
    type Created = UserPoolTriggers;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let changes = input.triggers.changes();
        if changes.is_empty() {
            return Err(StepError::input(
                "triggers",
                "there is no trigger to change",
                "name one, such as `PreSignUp: \"{{ steps.<id>.arn }}\"`",
            ));
        }
        let changed = user_pool_triggers::update(&cx, &input.user_pool_id, changes).await?;
        Ok(Output {
            user_pool_id: input.user_pool_id,
            triggers: as_value(&triggers::of_sdk(changed.pool.lambda_config())),
            previous: as_value(&changed.previous),
            arn: changed.pool.arn.unwrap_or_else(|| cx.later("arn")),
        })
    }
}

fn as_value(triggers: &Triggers) -> Value {
    serde_json::to_value(triggers).unwrap_or_default()
}
