//! `update-function-configuration`: another configuration for a Lambda function.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::function;
use crate::resources::function_configuration::{
    FunctionConfiguration, Settings, apply, change_foreign,
};
use crate::resources::scalar::Variable;
use engine::step::{Context, StepError, StepKind};

/// `update-function-configuration`.
pub struct UpdateFunctionConfiguration;

/// Changes the configuration of a Lambda function, and waits until the change has taken effect.
///
/// Only what is given changes; `environment` and `layers` are replaced as a whole. Where this run did not make the
/// function, what is changed is put back when the run is over, unless somebody has changed it since. The environment of
/// such a function can only be changed where it has none: variables may hold secrets, and the journal never does.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// The ARN of the role that it runs as.
    #[schemars(extend("x-form" = "role-arn"))]
    role: Option<String>,
    /// Its handler.
    handler: Option<String>,
    /// Its runtime, such as `python3.13`.
    #[schemars(extend("x-runtime" = true))]
    runtime: Option<String>,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// The longest that it may run, in seconds.
    #[schemars(range(min = 1, max = 900))]
    timeout: Option<i32>,
    /// Its memory in megabytes.
    #[schemars(range(min = 128, max = 10240))]
    memory_size: Option<i32>,
    /// Its environment variables, all of them.
    #[schemars(extend("x-stored" = true, "x-form" = "environment"))]
    environment: Option<BTreeMap<String, Variable>>,
    /// ARNs of its layer versions, all of them.
    layers: Option<Vec<String>>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionConfiguration FunctionArn"))]
    arn: String,
    /// When it was changed.
    last_modified: String,
    /// What changes with every change of it.
    revision_id: String,
}

impl StepKind for UpdateFunctionConfiguration {
    const NAME: &'static str = "update-function-configuration";
    const CALLS: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:UpdateFunctionConfiguration"];
    const PERMISSIONS: &'static [&'static str] = &[
        "lambda:GetFunction",
        "lambda:ListTags",
        "lambda:UpdateFunctionConfiguration",
        "iam:PassRole",
    ];
    const EXAMPLE: &'static str = "\
- update-function-configuration:
    function_name: \"{{ steps.function.function_name }}\"
    environment: {LOG_LEVEL: DEBUG}
";

    type Input = Input;
    type Output = Output;
    type Created = FunctionConfiguration;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (function_name, settings) = wanted(input);
        if settings == Settings::default() {
            return Err(StepError::input(
                "function_name",
                "there is nothing to change",
                "give what is to change, such as `environment: {LOG_LEVEL: DEBUG}`",
            ));
        }
        let found = function::settled(&cx, &function_name).await?;
        let configuration = if found.is_ours(&cx)? {
            apply(&cx, &function_name, &settings, None).await?;
            function::updated(&cx, &function_name).await?.configuration
        } else {
            change_foreign(&cx, &function_name, &settings, &found.configuration).await?
        };
        Ok(Output {
            function_name,
            arn: configuration.function_arn.unwrap_or_default(),
            last_modified: configuration.last_modified.unwrap_or_default(),
            revision_id: configuration.revision_id.unwrap_or_default(),
        })
    }
}

/// What a step wants, and of which function.
fn wanted(input: Input) -> (String, Settings) {
    let texts = |variables: BTreeMap<String, Variable>| {
        variables.into_iter().map(|(name, value)| (name, value.0)).collect()
    };
    let settings = Settings {
        role: input.role,
        handler: input.handler,
        runtime: input.runtime,
        description: input.description,
        timeout: input.timeout,
        memory_size: input.memory_size,
        environment: input.environment.map(texts),
        layers: input.layers,
    };
    (input.function_name, settings)
}
