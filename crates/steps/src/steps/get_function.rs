//! `get-function`: what Lambda knows of a function; and waiting until Lambda is done with it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    Architecture, FunctionConfiguration, LastUpdateStatus, Runtime, State, TagsError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::Planned;
use super::create_role::run_tag;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::{Context, Nothing, Owner, RunFacts, StepError, StepKind};

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
        let found = look(&cx, &input.function_name, Planned::There).await?;
        let found = found.ok_or_else(|| missing(&input.function_name))?;
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
        environment: variables(&configuration),
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

/// A function's environment variables, in order.
pub(super) fn variables(configuration: &FunctionConfiguration) -> BTreeMap<String, String> {
    let variables = configuration.environment().and_then(|environment| environment.variables());
    variables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A function, as Lambda describes it.
pub(super) struct Found {
    pub(super) configuration: FunctionConfiguration,
    tags: HashMap<String, String>,
    /// Lambda answers all the same where it cannot read the tags, and leaves them out.
    tags_error: Option<TagsError>,
}

impl Found {
    /// Who made it.
    pub(super) fn owner(&self, cx: &Context) -> Result<Owner, CallError> {
        match &self.tags_error {
            None => Ok(Owner::of(cx, self.tags.get(RunFacts::TAG_KEY).map(String::as_str))),
            Some(error) => Err(CallError {
                service: "lambda".to_owned(),
                operation: "ListTags".to_owned(),
                code: Some(error.error_code().to_owned()),
                message: format!("{}: {}", error.error_code(), error.message()),
                status: None,
                request_id: None,
                outcome: Outcome::Refused,
            }),
        }
    }

    /// Whether the run is seen to have made it.
    pub(super) fn is_ours(&self, cx: &Context) -> Result<bool, CallError> {
        Ok(self.owner(cx)?.is_this_run())
    }

    /// Its processor architecture.
    pub(super) fn architecture(&self) -> Architecture {
        self.configuration.architectures().first().cloned().unwrap_or(Architecture::X8664)
    }

    fn state(&self) -> Option<&State> {
        self.configuration.state()
    }

    fn update(&self) -> Option<&LastUpdateStatus> {
        self.configuration.last_update_status()
    }
}

/// There is no such function.
pub(super) fn missing(function_name: &str) -> StepError {
    StepError::Failed {
        code: "ResourceNotFoundException".to_owned(),
        message: format!("there is no function {function_name} in this region"),
        help: Some(
            "make it with `create-function`, or choose another region with --region".to_owned(),
        ),
        details: Vec::new(),
    }
}

/// Describes a function, if it is there.
pub(super) async fn look(
    cx: &Context,
    function_name: &str,
    planned: Planned,
) -> Result<Option<Found>, CallError> {
    let request = cx.aws.lambda().get_function().function_name(function_name);
    match cx.aws.call(request.send(), || Ok(placeholder(cx, function_name, planned))).await {
        Ok(GetFunctionOutput { configuration, tags, tags_error, .. }) => {
            let tags = tags.unwrap_or_default();
            Ok(configuration.map(|configuration| Found { configuration, tags, tags_error }))
        }
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

fn placeholder(cx: &Context, function_name: &str, planned: Planned) -> GetFunctionOutput {
    let configuration = FunctionConfiguration::builder()
        .function_name(function_name)
        .function_arn(cx.later("arn"))
        .runtime(Runtime::from(cx.later("runtime").as_str()))
        .state(State::Active)
        .last_update_status(LastUpdateStatus::Successful)
        .version("$LATEST")
        .code_sha256(cx.later("code_sha256"))
        .last_modified(cx.later("last_modified"))
        .revision_id(cx.later("revision_id"))
        .build();
    let (key, value) = run_tag(cx);
    match planned {
        Planned::There => {
            GetFunctionOutput::builder().configuration(configuration).tags(key, value).build()
        }
        Planned::Gone => GetFunctionOutput::builder().build(),
    }
}

/// Waits until a function that was just created can be invoked.
pub(super) async fn active(cx: &Context, function_name: &str) -> Result<Found, StepError> {
    let what = format!("creating the function {function_name}");
    let looked = || async {
        // Right after CreateFunction, a reader may not see the function yet.
        let Some(found) = look(cx, function_name, Planned::There).await? else {
            return Ok(None);
        };
        match found.state() {
            Some(State::Failed) => Err(failed(function_name, &found, Phase::Creation)),
            Some(State::Pending) => Ok(None),
            _ => Ok(Some(found)),
        }
    };
    cx.until(&what, Backoff::seconds(300), looked).await
}

/// Waits until nothing is under way with a function, so that it may be changed.
pub(super) async fn settled(cx: &Context, function_name: &str) -> Result<Found, StepError> {
    let what = format!("the change of the function {function_name}");
    let looked = || async {
        let found = look(cx, function_name, Planned::There).await?;
        let found = found.ok_or_else(|| missing(function_name))?;
        let busy = found.state() == Some(&State::Pending)
            || found.update() == Some(&LastUpdateStatus::InProgress);
        Ok((!busy).then_some(found))
    };
    cx.until(&what, Backoff::seconds(300), looked).await
}

/// Waits until a change that was just made has taken effect.
pub(super) async fn updated(cx: &Context, function_name: &str) -> Result<Found, StepError> {
    let found = settled(cx, function_name).await?;
    match found.update() {
        Some(LastUpdateStatus::Failed) => Err(failed(function_name, &found, Phase::Update)),
        _ => Ok(found),
    }
}

/// What a function failed in.
#[derive(Clone, Copy)]
enum Phase {
    Creation,
    Update,
}

fn failed(function_name: &str, found: &Found, phase: Phase) -> StepError {
    let configuration = &found.configuration;
    let (what, code, reason) = match phase {
        Phase::Creation => (
            "could not be created",
            configuration.state_reason_code().map(|code| code.as_str().to_owned()),
            configuration.state_reason(),
        ),
        Phase::Update => (
            "could not be updated",
            configuration.last_update_status_reason_code().map(|code| code.as_str().to_owned()),
            configuration.last_update_status_reason(),
        ),
    };
    StepError::failed(
        code.unwrap_or_else(|| "FunctionNotReady".to_owned()),
        format!(
            "the function {function_name} {what}: {}",
            reason.unwrap_or("Lambda gives no reason")
        ),
    )
}

/// The calls that Lambda refuses while it is still at work on the last one.
pub(super) fn is_busy(error: &CallError) -> bool {
    error.is("ResourceConflictException")
}

/// The bare name in a function's name, ARN or partial ARN.
pub(super) fn bare_name(function_name: &str) -> &str {
    let name = match function_name.rsplit_once(":function:") {
        Some((_, name)) => name,
        None if function_name.starts_with("function:") => &function_name["function:".len()..],
        None => function_name,
    };
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_arns() {
        assert_eq!(bare_name("adder"), "adder");
        assert_eq!(bare_name("adder:live"), "adder");
        assert_eq!(bare_name("function:adder"), "adder");
        assert_eq!(bare_name("123456789012:function:adder"), "adder");
        assert_eq!(bare_name("arn:aws:lambda:eu-central-1:123456789012:function:adder:7"), "adder");
    }

    #[test]
    fn a_failed_function_says_why() {
        let configuration = FunctionConfiguration::builder()
            .state(State::Failed)
            .state_reason_code(aws_sdk_lambda::types::StateReasonCode::InvalidSubnet)
            .state_reason("The subnet is gone.")
            .build();
        let found = Found { configuration, tags: HashMap::new(), tags_error: None };
        let error = failed("adder", &found, Phase::Creation);
        assert_eq!(error.code(), "InvalidSubnet");
        assert_eq!(
            error.to_string(),
            "the function adder could not be created: The subnet is gone."
        );
    }
}
