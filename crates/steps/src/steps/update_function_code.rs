//! `update-function-code`: other code for a Lambda function.

use aws_sdk_lambda::operation::update_function_code::UpdateFunctionCodeOutput;
use aws_sdk_lambda::types::Architecture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deployment_package::{Code, Package};
use crate::resources::function::{self, Found, Processor, is_busy};
use crate::resources::ownership::run_tag;
use engine::step::context::Backoff;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `update-function-code`.
pub struct UpdateFunctionCode;

/// Replaces the code of a Lambda function, and waits until the new code runs.
///
/// The code of a function that this run did not make cannot be put back when the run is over. It is therefore left
/// alone, unless `if_foreign: overwrite` says that it may be lost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// Its new code.
    code: Code,
    /// `x86_64` or `arm64`; as it is when absent.
    architectures: Option<Vec<Processor>>,
    /// Whether to publish a version of it, too.
    #[serde(default)]
    publish: bool,
    /// What to do when this run did not make the function.
    #[serde(default)]
    if_foreign: IfForeign,
}

/// What to do when this run did not make the function.
#[derive(Deserialize, Serialize, JsonSchema, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum IfForeign {
    /// Fail.
    #[default]
    Fail,
    /// Replace its code for good.
    Overwrite,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionCode FunctionArn"))]
    arn: String,
    /// `$LATEST`, or the version that was published.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionCode Version"))]
    version: String,
    /// The digest of its package.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionCode CodeSha256"))]
    code_sha256: String,
    /// The size of its package in bytes.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionCode CodeSize"))]
    code_size: i64,
    /// When it was changed.
    last_modified: String,
    /// What changes with every change of it.
    revision_id: String,
}

impl StepKind for UpdateFunctionCode {
    const NAME: &'static str = "update-function-code";
    const CALLS: &'static [&'static str] = &["lambda:GetFunction", "lambda:UpdateFunctionCode"];
    const PERMISSIONS: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:ListTags", "lambda:UpdateFunctionCode"];
    const EXAMPLE: &'static str = "\
- update-function-code:
    function_name: \"{{ steps.function.function_name }}\"
    code: ../handlers/lambda_handler_calculator.py
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let architectures: Option<Vec<Architecture>> =
            input.architectures.as_ref().map(|all| all.iter().map(|it| it.of_sdk()).collect());
        let (found, package) = prepare(&cx, &input, architectures.as_deref()).await?;
        if input.if_foreign == IfForeign::Fail && !found.is_ours(&cx)? {
            return Err(foreign(&cx, &input.function_name));
        }
        let version = update(&cx, &input, &package, architectures).await?.version;
        let configuration = function::updated(&cx, &input.function_name).await?.configuration;
        Ok(Output {
            function_name: input.function_name,
            version: version.or(configuration.version).unwrap_or_default(),
            code_size: configuration.code_size,
            arn: configuration.function_arn.unwrap_or_default(),
            code_sha256: configuration.code_sha256.unwrap_or_default(),
            last_modified: configuration.last_modified.unwrap_or_default(),
            revision_id: configuration.revision_id.unwrap_or_default(),
        })
    }
}

/// The function, once nothing is under way with it, and its new package. Nothing is called while the code is wrong,
/// unless what to build depends on the function.
async fn prepare(
    cx: &Context,
    input: &Input,
    architectures: Option<&[Architecture]>,
) -> Result<(Found, Package), StepError> {
    let given = architectures.and_then(<[_]>::first);
    if given.is_none() && input.code.is_built() {
        let found = function::settled(cx, &input.function_name).await?;
        let package = input.code.package(cx, &found.architecture()).await?;
        return Ok((found, package));
    }
    let package = input.code.package(cx, given.unwrap_or(&Architecture::X8664)).await?;
    Ok((function::settled(cx, &input.function_name).await?, package))
}

async fn update(
    cx: &Context,
    input: &Input,
    package: &Package,
    architectures: Option<Vec<Architecture>>,
) -> Result<UpdateFunctionCodeOutput, StepError> {
    cx.while_refused(Backoff::seconds(60), is_busy, || async {
        let request = cx
            .aws
            .lambda()
            .update_function_code()
            .function_name(&input.function_name)
            .zip_file(package.blob())
            .set_architectures(architectures.clone())
            .set_publish(input.publish.then_some(true));
        let placeholder =
            || Ok(UpdateFunctionCodeOutput::builder().version(cx.later("version")).build());
        cx.aws.call(request.send(), placeholder).await
    })
    .await
}

fn foreign(cx: &Context, function_name: &str) -> StepError {
    let (key, value) = run_tag(cx);
    StepError::Failed {
        code: "ForeignFunction".to_owned(),
        message: format!("this run did not make the function {function_name}: it has no tag {key}={value}"),
        help: Some(
            "its code could not be put back afterwards; write `if_foreign: overwrite` where it may be lost".to_owned(),
        ),
        details: Vec::new(),
    }
}
