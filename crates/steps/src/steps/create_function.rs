//! `create-function`: a Lambda function and its log group.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_lambda::operation::create_function::CreateFunctionOutput;
use aws_sdk_lambda::types::{Architecture, Environment, FunctionCode, Runtime};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::create_log_group::LogGroup;
use super::create_role::{run_tag, there_already};
use super::get_function::{self, bare_name, is_busy};
use super::{create_log_group, delete_function};
use crate::deployment_package::{Code, Package, default_architecture};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Creates, Resource, StepError, StepKind, Undone, creates};

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
    #[schemars(extend("x-name" = true))]
    function_name: String,
    /// Its runtime, such as `python3.13` or `provided.al2023`.
    #[schemars(extend("x-runtime" = true))]
    runtime: String,
    /// Its handler, such as `FILE.FUNCTION`; `bootstrap` for programs.
    handler: String,
    /// The ARN of the role that it runs as.
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
    #[schemars(extend("x-stored" = true))]
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
    #[schemars(extend("enum" = create_log_group::RETENTION))]
    log_group_retention_days: i32,
}

fn one_day() -> i32 {
    1
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) enum Processor {
    /// Intel's and AMD's.
    #[serde(rename = "x86_64")]
    X8664,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Processor {
    pub(super) fn of_sdk(self) -> Architecture {
        match self {
            Self::X8664 => Architecture::X8664,
            Self::Arm64 => Architecture::Arm64,
        }
    }
}

/// The value of an environment variable. Numbers and booleans become text.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Scalar")]
pub(super) struct Variable(pub(super) String);

/// What may be written as the value of an environment variable.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the value of an environment variable is text, a number or a boolean"
)]
enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// A boolean.
    Boolean(bool),
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text,
            Scalar::Number(number) => number.to_string(),
            Scalar::Boolean(boolean) => boolean.to_string(),
        }))
    }
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

/// A function that the run made.
#[derive(Serialize, Deserialize)]
pub struct Function {
    pub(super) function_name: String,
}

/// What Lambda said of a function that it made.
#[derive(Serialize, Deserialize)]
pub struct FunctionIds {
    arn: String,
}

/// What a look in a dry run finds.
#[derive(Clone, Copy)]
pub(super) enum Planned {
    /// What the run has made before.
    There,
    /// Nothing, since the run has just deleted it, or is about to make it.
    Gone,
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
        create_log_group::create(&cx, &log_group, retention, &input.tags).await?;
        let version = create(&cx, &input, &package, architectures).await?;
        let configuration = get_function::active(&cx, &input.function_name).await?.configuration;
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

/// The log group that Lambda writes to for a function, unless it is told otherwise.
pub(super) fn log_group_of(function_name: &str) -> String {
    format!("/aws/lambda/{}", bare_name(function_name))
}

/// Creates the function; the version that was published, where Lambda says so.
async fn create(
    cx: &Context,
    input: &Input,
    package: &Package,
    architectures: Vec<Architecture>,
) -> Result<Option<String>, StepError> {
    let function = Function { function_name: input.function_name.clone() };
    let entry = cx.intend(&function)?;
    let created = cx
        .while_refused(ROLE_BACKOFF, role_is_unknown, || async {
            let request = cx
                .aws
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
                .set_architectures(Some(architectures.clone()))
                .set_publish(input.publish.then_some(true))
                .set_layers((!input.layers.is_empty()).then(|| input.layers.clone()))
                .set_tags(Some(tags(cx, &input.tags)));
            cx.aws.call(request.send(), || Ok(placeholder(cx, input))).await
        })
        .await;
    match created {
        Ok(output) => {
            entry.done(&FunctionIds { arn: output.function_arn.unwrap_or_default() })?;
            Ok(output.version)
        }
        Err(StepError::Call(error)) if is_busy(&error) => {
            match get_function::look(cx, &input.function_name, Planned::There).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(found))
                    if found.is_ours(cx).is_ok_and(|ours| ours)
                        && !cx.made_before(&entry, |other: &Function| {
                            other.function_name == input.function_name
                        }) =>
                {
                    entry.done(&FunctionIds {
                        arn: found.configuration.function_arn.unwrap_or_default(),
                    })?;
                    Ok(None)
                }
                Ok(Some(_)) => {
                    there_already(entry, &error)?;
                    Err(exists(error))
                }
                Ok(None) | Err(_) => Err(entry.error(error)),
            }
        }
        Err(error) => Err(entry.error(error)),
    }
}

/// IAM tells Lambda of a new role within seconds, and at times within a minute.
pub(super) const ROLE_BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(8),
    limit: Duration::from_mins(2),
};

/// Whether Lambda has not heard of the role, or of its policies, yet. The error's code says as much of any wrong field.
pub(super) fn role_is_unknown(error: &CallError) -> bool {
    let says = |words: &str| error.message.contains(words);
    error.is("InvalidParameterValueException")
        && (says("cannot be assumed by Lambda") || says("execution role does not have permissions"))
}

fn exists(error: CallError) -> StepError {
    StepError::Failed {
        code: "ResourceConflictException".to_owned(),
        message: error.message,
        help: Some("choose another name; the function that is there was not touched".to_owned()),
        details: Vec::new(),
    }
}

/// A function's environment; none at all where there are no variables.
fn environment(variables: &BTreeMap<String, Variable>) -> Option<Environment> {
    (!variables.is_empty()).then(|| environment_of(variables))
}

/// A function's environment.
pub(super) fn environment_of(variables: &BTreeMap<String, Variable>) -> Environment {
    let variables: HashMap<_, _> =
        variables.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
    Environment::builder().set_variables(Some(variables)).build()
}

fn tags(cx: &Context, given: &BTreeMap<String, String>) -> HashMap<String, String> {
    given.clone().into_iter().chain([run_tag(cx)]).collect()
}

fn placeholder(cx: &Context, input: &Input) -> CreateFunctionOutput {
    CreateFunctionOutput::builder()
        .function_name(&input.function_name)
        .function_arn(cx.later("arn"))
        .version(cx.later("version"))
        .build()
}

impl Resource for Function {
    const TYPE: &'static str = "AWS::Lambda::Function";
    const UNDO: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:ListTags", "lambda:DeleteFunction"];
    type Ids = FunctionIds;

    fn label(&self) -> String {
        self.function_name.clone()
    }

    async fn undo(self, cx: Context, _ids: Option<FunctionIds>) -> Result<Undone, StepError> {
        let Some(found) = get_function::look(&cx, &self.function_name, Planned::There).await?
        else {
            return Ok(Undone::AlreadyGone);
        };
        if let Some(spared) = found.owner(&cx)?.spared(&cx) {
            return Ok(spared);
        }
        delete_function::delete(&cx, &self.function_name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::aws::Outcome;

    fn refusal(code: &str, message: &str) -> CallError {
        CallError {
            service: "lambda".to_owned(),
            operation: "CreateFunction".to_owned(),
            code: Some(code.to_owned()),
            message: message.to_owned(),
            status: Some(400),
            request_id: None,
            outcome: Outcome::Refused,
        }
    }

    #[test]
    fn only_a_role_that_is_too_new_is_worth_another_try() {
        let code = "InvalidParameterValueException";
        let assume = "The role defined for the function cannot be assumed by Lambda.";
        let execute = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2";
        assert!(role_is_unknown(&refusal(code, assume)));
        assert!(role_is_unknown(&refusal(code, execute)));
        assert!(!role_is_unknown(&refusal(
            code,
            "Unzipped size must be smaller than 262144000 bytes"
        )));
        assert!(!role_is_unknown(&refusal("AccessDeniedException", assume)));
    }

    #[test]
    fn variables_are_written_as_any_scalar() {
        let given = serde_json::json!({"A": "text", "B": 7, "C": 2.5, "D": true});
        let read: BTreeMap<String, Variable> = serde_json::from_value(given).expect("variables");
        let texts: Vec<_> = read.values().map(|value| value.0.as_str()).collect();
        assert_eq!(texts, ["text", "7", "2.5", "true"]);
        assert!(serde_json::from_value::<Variable>(serde_json::json!([1])).is_err());
        assert!(serde_json::from_value::<Variable>(serde_json::Value::Null).is_err());
    }

    #[test]
    fn the_log_group_of_a_function_bears_its_bare_name() {
        assert_eq!(log_group_of("adder"), "/aws/lambda/adder");
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:adder";
        assert_eq!(log_group_of(arn), "/aws/lambda/adder");
    }
}
