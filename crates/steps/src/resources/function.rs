//! Lambda functions: what Lambda knows of one, waiting until Lambda is done with it, its end.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::operation::create_function::CreateFunctionOutput;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::operation::delete_function::DeleteFunctionOutput;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    Architecture, Environment, FunctionConfiguration, LastUpdateStatus, Runtime, State, TagsError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::ownership::run_tag;
use super::planned::Planned;
use super::role::ROLE_BACKOFF;
use super::scalar::Variable;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Place, Resource, RunFacts, StepError, Undone};

/// A function that the run made.
#[derive(Serialize, Deserialize)]
pub struct Function {
    pub(crate) function_name: String,
}

/// What Lambda said of a function that it made.
#[derive(Serialize, Deserialize)]
pub struct FunctionIds {
    arn: String,
}

/// Creates a function, as `request` says. The version that was published, where Lambda says so.
pub(crate) async fn create(
    cx: &Context,
    function_name: &str,
    request: impl Fn() -> CreateFunctionFluentBuilder,
) -> Result<Option<String>, StepError> {
    let function = Function { function_name: function_name.to_owned() };
    let created = || {
        CreateFunctionOutput::builder()
            .function_name(function_name)
            .function_arn(cx.later("arn"))
            .version(cx.later("version"))
            .build()
    };
    let call = cx.while_refused(ROLE_BACKOFF, role_is_unknown, || async {
        cx.aws.call(request().send(), || Ok(created())).await
    });
    let ids = |output: &CreateFunctionOutput| {
        Some(FunctionIds { arn: output.function_arn().unwrap_or_default().to_owned() })
    };
    match creation::create(cx, &function, call, ids).await? {
        Creation::Created(output) => Ok(output.version),
        Creation::Found(_) => Ok(None),
        Creation::Taken(error, Some(_)) => Err(exists(error)),
        Creation::Taken(error, None) => Err(error.into()),
    }
}

impl Unique for Function {
    type Found = Found;

    fn is_taken(error: &CallError) -> bool {
        is_busy(error)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.function_name == other.function_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<Found>, StepError> {
        Ok(look(cx, &self.function_name, Planned::There).await?)
    }

    async fn whose(&self, cx: &Context, found: &Found) -> Result<Owner, StepError> {
        Ok(found.owner(cx)?)
    }

    fn ids(found: &Found) -> FunctionIds {
        let arn = found.configuration.function_arn().unwrap_or_default();
        FunctionIds { arn: arn.to_owned() }
    }
}

impl Resource for Function {
    const TYPE: &'static str = "AWS::Lambda::Function";
    const UNDO: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:ListTags", "lambda:DeleteFunction"];
    type Ids = FunctionIds;

    fn label(&self) -> String {
        self.function_name.clone()
    }

    fn arn(&self, place: &Place<'_>) -> Option<String> {
        Some(place.arn("lambda", &format!("function:{}", bare_name(&self.function_name))))
    }

    async fn undo(self, cx: Context, _ids: Option<FunctionIds>) -> Result<Undone, StepError> {
        let Some(found) = look(&cx, &self.function_name, Planned::There).await? else {
            return Ok(Undone::AlreadyGone);
        };
        // A function has no id but its name.
        if let Some(spared) = found.owner(&cx)?.spared(&cx) {
            return Ok(spared);
        }
        delete(&cx, &self.function_name).await
    }
}

fn exists(error: CallError) -> StepError {
    StepError::Failed {
        code: "ResourceConflictException".to_owned(),
        message: error.message,
        help: Some("choose another name; the function that is there was not touched".to_owned()),
        details: Vec::new(),
    }
}

/// A function, as Lambda describes it.
pub(crate) struct Found {
    pub(crate) configuration: FunctionConfiguration,
    pub(crate) tags: HashMap<String, String>,
    /// Lambda answers all the same where it cannot read the tags, and leaves them out.
    tags_error: Option<TagsError>,
}

impl Found {
    /// Who made it.
    pub(crate) fn owner(&self, cx: &Context) -> Result<Owner, CallError> {
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
    pub(crate) fn is_ours(&self, cx: &Context) -> Result<bool, CallError> {
        Ok(self.owner(cx)?.is_this_run())
    }

    /// Its processor architecture.
    pub(crate) fn architecture(&self) -> Architecture {
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
pub(crate) fn missing(function_name: &str) -> StepError {
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
pub(crate) async fn look(
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
pub(crate) async fn active(cx: &Context, function_name: &str) -> Result<Found, StepError> {
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

/// Deletes a function and waits until it is gone.
pub(crate) async fn delete(cx: &Context, function_name: &str) -> Result<Undone, StepError> {
    let deleted = cx
        .while_refused(Backoff::seconds(120), is_busy, || async {
            let request = cx.aws.lambda().delete_function().function_name(function_name);
            cx.aws.call(request.send(), || Ok(DeleteFunctionOutput::builder().build())).await
        })
        .await;
    match deleted {
        Ok(_) => {}
        Err(StepError::Call(error)) if error.is("ResourceNotFoundException") => {
            // The SDK repeats a call whose reply was lost; the repetition then finds nothing any more.
            if error.outcome == Outcome::Refused {
                return Ok(Undone::AlreadyGone);
            }
        }
        Err(error) => return Err(error),
    }
    let what = format!("deleting the function {function_name}");
    let gone = || async {
        let found = look(cx, function_name, Planned::Gone).await?;
        Ok(found.is_none().then_some(Undone::Deleted))
    };
    cx.until(&what, Backoff::seconds(300), gone).await
}

/// Waits until nothing is under way with a function, so that it may be changed.
pub(crate) async fn settled(cx: &Context, function_name: &str) -> Result<Found, StepError> {
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
pub(crate) async fn updated(cx: &Context, function_name: &str) -> Result<Found, StepError> {
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
pub(crate) fn is_busy(error: &CallError) -> bool {
    error.is("ResourceConflictException")
}

/// The bare name in a function's name, ARN or partial ARN.
pub(crate) fn bare_name(function_name: &str) -> &str {
    let name = match function_name.rsplit_once(":function:") {
        Some((_, name)) => name,
        None if function_name.starts_with("function:") => &function_name["function:".len()..],
        None => function_name,
    };
    name.split(':').next().unwrap_or(name)
}

/// A function's environment variables, in order.
pub(crate) fn variables(configuration: &FunctionConfiguration) -> BTreeMap<String, String> {
    let variables = configuration.environment().and_then(|environment| environment.variables());
    variables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum Processor {
    /// Intel's and AMD's.
    #[serde(rename = "x86_64")]
    X8664,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Processor {
    pub(crate) fn of_sdk(self) -> Architecture {
        match self {
            Self::X8664 => Architecture::X8664,
            Self::Arm64 => Architecture::Arm64,
        }
    }
}

/// The log group that Lambda writes to for a function, unless it is told otherwise.
pub(crate) fn log_group_of(function_name: &str) -> String {
    format!("/aws/lambda/{}", bare_name(function_name))
}

/// Whether Lambda has not heard of the role, or of its policies, yet. The error's code says as much of any wrong field.
pub(crate) fn role_is_unknown(error: &CallError) -> bool {
    let says = |words: &str| error.message.contains(words);
    error.is("InvalidParameterValueException")
        && (says("cannot be assumed by Lambda") || says("execution role does not have permissions"))
}

/// A function's environment.
pub(crate) fn environment_of(variables: &BTreeMap<String, Variable>) -> Environment {
    let variables: HashMap<_, _> =
        variables.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
    Environment::builder().set_variables(Some(variables)).build()
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
    fn the_log_group_of_a_function_bears_its_bare_name() {
        assert_eq!(log_group_of("adder"), "/aws/lambda/adder");
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:adder";
        assert_eq!(log_group_of(arn), "/aws/lambda/adder");
    }
}
