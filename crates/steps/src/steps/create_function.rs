//! `create-function`: a Lambda function and its log group.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::types::{Architecture, Environment, FunctionCode, Runtime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deployment_package::{Code, Package, default_architecture};
use crate::resources::function::{self, Function, Processor, environment_of, log_group_of};
use crate::resources::log_group::{self, LogGroup};
use crate::resources::ownership::run_tags;
use crate::resources::scalar::Variable;
use engine::step::{Context, Creates, StepError, StepKind, creates};

/// `create-function`.
pub struct CreateFunction;

/// Creates a Lambda function from a file, a directory, a zip or a Rust program, and waits until it can be invoked.
///
/// Its log group `/aws/lambda/NAME` is created first, so that it is deleted with the function when the run is over; a
/// log group that is there already is left as it is. A function of that name that is there already is an error.
///
/// A role that was made a moment ago is not known to Lambda yet: the step tries again for up to two minutes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name, unique in the account and region.
    #[schemars(extend("x-name" = true, "x-form" = "function-name"))]
    function_name: String,
    /// Its runtime, such as `python3.13` or `provided.al2023`.
    #[schemars(extend("x-runtime" = true))]
    runtime: String,
    /// Its handler, such as `FILE.FUNCTION`; `bootstrap` for programs.
    #[schemars(extend("x-handler" = "code"))]
    handler: String,
    /// The ARN of the role that it runs as.
    #[schemars(extend("x-form" = "role-arn"))]
    role: String,
    /// Its code.
    code: Code,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// The longest that it may run, in seconds; 3 when absent.
    #[schemars(range(min = 1, max = 900))]
    timeout: Option<i32>,
    /// Its memory in megabytes; 128 when absent.
    #[schemars(range(min = 128, max = 10240))]
    memory_size: Option<i32>,
    /// Its environment variables.
    #[serde(default)]
    #[schemars(extend("x-stored" = true, "x-form" = "environment"))]
    environment: BTreeMap<String, Variable>,
    /// `x86_64` or `arm64`; when absent `x86_64`, or with `--local` this machine's.
    architectures: Option<Vec<Processor>>,
    /// Whether to publish version 1 of it, too.
    #[serde(default)]
    publish: bool,
    /// Tags beside the run's own.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
    /// ARNs of layer versions.
    #[serde(default)]
    layers: Vec<String>,
    /// After how many days events in its log group are deleted.
    #[serde(default = "one_day")]
    #[schemars(extend("enum" = log_group::RETENTION))]
    log_group_retention_days: i32,
}

fn one_day() -> i32 {
    1
}

/// What the function is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "lambda:CreateFunction FunctionArn"))]
    arn: String,
    /// `Active`, once it can be invoked.
    state: String,
    /// `$LATEST`, or the version that was published.
    #[schemars(extend("x-from" = "lambda:CreateFunction Version"))]
    version: String,
    /// The digest of its package.
    #[schemars(extend("x-from" = "lambda:CreateFunction CodeSha256"))]
    code_sha256: String,
    /// The size of its package in bytes.
    #[schemars(extend("x-from" = "lambda:CreateFunction CodeSize"))]
    code_size: i64,
    /// The name of its log group.
    #[schemars(extend("x-known" = true))]
    log_group: String,
    /// When it was made.
    last_modified: String,
    /// What changes with every change of it.
    revision_id: String,
}

impl StepKind for CreateFunction {
    const NAME: &'static str = "create-function";
    const CALLS: &'static [&'static str] = &[
        "logs:CreateLogGroup",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "lambda:CreateFunction",
        "lambda:GetFunction",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "logs:CreateLogGroup",
        "logs:TagResource",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "iam:PassRole",
        "lambda:CreateFunction",
        "lambda:TagResource",
        "lambda:GetFunction",
        "lambda:ListTags",
    ];
    const ALSO_CREATES: &'static [Creates] = &[creates::<LogGroup>()];
    const EXAMPLE: &'static str = "\
- id: function
  create-function:
    function_name: playbook-{{ run.id }}
    runtime: python3.13
    handler: lambda_handler_basic.lambda_handler
    code: ../handlers/lambda_handler_basic.py
    role: \"{{ steps.role.arn }}\"
    environment: {LOG_LEVEL: INFO}
";

    type Input = Input;
    type Output = Output;
    type Created = Function;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let architectures = match &input.architectures {
            Some(processors) => processors.iter().map(|it| it.of_sdk()).collect(),
            None => vec![default_architecture(cx.run.on_this_machine)],
        };
        let architecture = architectures.first().unwrap_or(&Architecture::X8664);
        let package = input.code.package(&cx, architecture).await?;
        let log_group = log_group_of(&input.function_name);
        let retention = Some(input.log_group_retention_days);
        log_group::create(&cx, &log_group, retention, &input.tags).await?;
        let request = || request(&cx, &input, &package, &architectures);
        let version = function::create(&cx, &input.function_name, request).await?;
        let configuration = function::active(&cx, &input.function_name).await?.configuration;
        Ok(Output {
            function_name: input.function_name,
            state: configuration.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            version: version.or(configuration.version).unwrap_or_default(),
            code_size: configuration.code_size,
            arn: configuration.function_arn.unwrap_or_default(),
            code_sha256: configuration.code_sha256.unwrap_or_default(),
            log_group,
            last_modified: configuration.last_modified.unwrap_or_default(),
            revision_id: configuration.revision_id.unwrap_or_default(),
        })
    }
}

/// A function's environment; none at all where there are no variables.
fn environment(variables: &BTreeMap<String, Variable>) -> Option<Environment> {
    (!variables.is_empty()).then(|| environment_of(variables))
}

fn tags(cx: &Context, given: &BTreeMap<String, String>) -> HashMap<String, String> {
    given.clone().into_iter().chain(run_tags(cx)).collect()
}

fn request(
    cx: &Context,
    input: &Input,
    package: &Package,
    architectures: &[Architecture],
) -> CreateFunctionFluentBuilder {
    cx.aws
        .lambda()
        .create_function()
        .function_name(&input.function_name)
        .runtime(Runtime::from(input.runtime.as_str()))
        .role(&input.role)
        .handler(&input.handler)
        .code(FunctionCode::builder().zip_file(package.blob()).build())
        .set_description(input.description.clone())
        .set_timeout(input.timeout)
        .set_memory_size(input.memory_size)
        .set_environment(environment(&input.environment))
        .set_architectures(Some(architectures.to_vec()))
        .set_publish(input.publish.then_some(true))
        .set_layers((!input.layers.is_empty()).then(|| input.layers.clone()))
        .set_tags(Some(tags(cx, &input.tags)))
}
