//! `stack-outputs`: the outputs of a CloudFormation stack that is there already.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::StackStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::stack;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `stack-outputs`.
pub struct StackOutputs;

/// Reads the outputs of a CloudFormation stack, and leaves the stack as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The stack's name or id.
    stack_name: String,
}

/// What the stack is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The stack's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    stack_name: String,
    /// Its id, which no other stack ever has.
    #[schemars(extend("x-from" = "cloudformation:DescribeStacks Stacks[0].StackId"))]
    stack_id: String,
    /// Its state, such as `CREATE_COMPLETE` or `UPDATE_COMPLETE`.
    #[schemars(extend("x-from" = "cloudformation:DescribeStacks Stacks[0].StackStatus"))]
    status: String,
    /// The outputs of its template, by name.
    #[schemars(extend("x-from" = "cloudformation:DescribeStacks Stacks[0].Outputs[?OutputKey=='KEY'].OutputValue|[0]"))]
    outputs: BTreeMap<String, String>,
}

impl StepKind for StackOutputs {
    const NAME: &'static str = "stack-outputs";
    const SHORTHAND: Option<&'static str> = Some("stack_name");
    const CALLS: &'static [&'static str] = &["cloudformation:DescribeStacks"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: stack
  stack-outputs: \"{{ inputs.stack }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let found = stack::look(&cx, &input.stack_name, StackStatus::CreateComplete).await?;
        let Some(stack) = found else {
            return Err(StepError::Failed {
                code: "ValidationError".to_owned(),
                message: format!("there is no stack {}", input.stack_name),
                help: Some(
                    "look at the name and the region; `deploy-stack` creates one".to_owned(),
                ),
                details: Vec::new(),
            });
        };
        Ok(Output {
            status: stack::status_of(&stack).to_owned(),
            outputs: stack::outputs_of(&stack),
            stack_id: stack.stack_id.unwrap_or_default(),
            stack_name: input.stack_name,
        })
    }
}
