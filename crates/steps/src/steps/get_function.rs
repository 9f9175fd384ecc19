//! `get-function`: what Lambda knows of a function.

use std::collections::BTreeMap;

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::function::{self, Found};
use crate::resources::planned::Planned;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `get-function`.
pub struct GetFunction;

/// Describes a Lambda function.
///
/// A function that is not there is the error `ResourceNotFoundException`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
}

/// What Lambda knows of the function.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.FunctionArn"))]
    arn: String,
    /// Its runtime, such as `python3.13`.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Runtime"))]
    runtime: Option<String>,
    /// Its handler.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Handler"))]
    handler: Option<String>,
    /// The ARN of its role.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Role"))]
    role: Option<String>,
    /// What it is for.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Description"))]
    description: String,
    /// `Active`, `Pending`, `Inactive`, `Failed`, …
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.State"))]
    state: String,
    /// `Successful`, `InProgress` or `Failed`.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.LastUpdateStatus"))]
    last_update_status: String,
    /// The longest that it may run, in seconds.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Timeout"))]
    timeout: Option<i32>,
    /// Its memory in megabytes.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.MemorySize"))]
    memory_size: Option<i32>,
    /// `x86_64` or `arm64`.
    architectures: Vec<String>,
    /// Its environment variables.
    environment: BTreeMap<String, String>,
    /// Its version; `$LATEST` unless another was asked for.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.Version"))]
    version: String,
    /// The digest of its package.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.CodeSha256"))]
    code_sha256: String,
    /// The size of its package in bytes.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.CodeSize"))]
    code_size: i64,
    /// When it was last changed.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.LastModified"))]
    last_modified: String,
    /// What changes with every change of it.
    #[schemars(extend("x-from" = "lambda:GetFunction Configuration.RevisionId"))]
    revision_id: String,
    /// Its tags.
    tags: BTreeMap<String, String>,
}

impl StepKind for GetFunction {
    const NAME: &'static str = "get-function";
    const CALLS: &'static [&'static str] = &["lambda:GetFunction"];
    const PERMISSIONS: &'static [&'static str] = &["lambda:GetFunction", "lambda:ListTags"];
    const EXAMPLE: &'static str = "\
- id: described
  get-function:
    function_name: \"{{ steps.function.function_name }}\"
  assert: result.state == 'Active'
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let found = function::look(&cx, &input.function_name, Planned::There).await?;
        let found = found.ok_or_else(|| function::missing(&input.function_name))?;
        Ok(output(input.function_name, found))
    }
}

fn output(function_name: String, found: Found) -> Output {
    let Found { configuration, tags, .. } = found;
    let architectures = configuration.architectures().iter();
    Output {
        function_name,
        runtime: configuration.runtime().map(|runtime| runtime.as_str().to_owned()),
        architectures: architectures.map(|it| it.as_str().to_owned()).collect(),
        state: configuration.state().map(State::as_str).unwrap_or_default().to_owned(),
        last_update_status: configuration
            .last_update_status()
            .map(LastUpdateStatus::as_str)
            .unwrap_or_default()
            .to_owned(),
        environment: function::variables(&configuration),
        timeout: configuration.timeout,
        memory_size: configuration.memory_size,
        code_size: configuration.code_size,
        arn: configuration.function_arn.unwrap_or_default(),
        handler: configuration.handler,
        role: configuration.role,
        description: configuration.description.unwrap_or_default(),
        version: configuration.version.unwrap_or_default(),
        code_sha256: configuration.code_sha256.unwrap_or_default(),
        last_modified: configuration.last_modified.unwrap_or_default(),
        revision_id: configuration.revision_id.unwrap_or_default(),
        tags: tags.into_iter().collect(),
    }
}
