//! `deploy-stack`: a CloudFormation stack.

mod events;
mod functions;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::operation::create_stack::CreateStackOutput;
use aws_sdk_cloudformation::operation::delete_stack::DeleteStackOutput;
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
use aws_sdk_cloudformation::primitives::DateTime;
use aws_sdk_cloudformation::types::{Capability, Parameter, Stack as Described, StackStatus, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::create_function::Variable;
use super::create_role::run_tag;
use engine::aws::{CallError, Outcome};
use engine::step::context::Backoff;
use engine::step::{
    Context, Entry, Owner, Progress, Resource, RunFacts, StepError, StepKind, Undone,
};

/// `deploy-stack`.
pub struct DeployStack;

/// Creates a CloudFormation stack from a template and waits until it is complete.
///
/// A stack of that name that is there already is an error. A stack that could not be created makes the step fail with
/// the reason that each failed resource gave. When the run is over, the stack is deleted with all that is in it, and with the
/// log groups that Lambda made for its functions; what its template wants to be kept (`DeletionPolicy: Retain`) is named then.
///
/// A template with a policy that allows everything is refused, unless the run is given `--allow-admin`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The stack's name, unique in the account and region.
    #[schemars(extend("x-name" = true))]
    stack_name: String,
    /// The template's file, relative to the playbook; at most 51,200 bytes.
    #[schemars(extend("x-file" = true, "x-no-directory" = true))]
    template: String,
    /// The template's parameters.
    #[serde(default)]
    parameters: BTreeMap<String, Argument>,
    /// What the template may do beyond the usual: `CAPABILITY_IAM`, `CAPABILITY_NAMED_IAM`,
    /// `CAPABILITY_AUTO_EXPAND`.
    #[serde(default)]
    capabilities: Vec<String>,
    /// Tags beside the run's own; what is in the stack gets them too.
    #[serde(default)]
    #[schemars(extend("x-stored" = true))]
    tags: BTreeMap<String, String>,
    /// After how many minutes CloudFormation gives up and rolls back.
    #[schemars(range(min = 1))]
    timeout_in_minutes: Option<u16>,
}

/// The value of a parameter. Numbers and booleans become text, lists are joined by commas.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "OneOrMany")]
struct Argument(String);

/// What may be written as the value of a parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the value of a parameter is text, a number, a boolean or a list of these"
)]
enum OneOrMany {
    /// One value.
    One(Variable),
    /// A list, for parameters of a list type.
    Many(Vec<Variable>),
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(Variable(value)) => value,
            OneOrMany::Many(values) => {
                values.into_iter().map(|value| value.0).collect::<Vec<_>>().join(",")
            }
        }))
    }
}

/// What the stack is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The stack's name.
    #[schemars(extend("x-known" = true))]
    stack_name: String,
    /// Its id, which no other stack ever has.
    #[schemars(extend("x-from" = "cloudformation:CreateStack StackId"))]
    stack_id: String,
    /// `CREATE_COMPLETE`.
    status: String,
    /// The outputs of its template, by name.
    #[schemars(extend("x-from" = "cloudformation:DescribeStacks Stacks[0].Outputs[?OutputKey=='KEY'].OutputValue|[0]"))]
    outputs: BTreeMap<String, String>,
}

/// A stack that the run made.
#[derive(Serialize, Deserialize)]
pub struct Stack {
    stack_name: String,
}

/// What tells this stack from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct StackIds {
    stack_id: String,
}

impl StepKind for DeployStack {
    const NAME: &'static str = "deploy-stack";
    const CALLS: &'static [&'static str] = &[
        "cloudformation:CreateStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cloudformation:CreateStack",
        "cloudformation:TagResource",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
    ];
    const EXAMPLE: &'static str = "\
- id: stack
  deploy-stack:
    stack_name: playbook-{{ run.id }}
    template: templates/user-pool.yaml
    parameters: {PoolName: \"playbook-{{ run.id }}\"}
    capabilities: [CAPABILITY_IAM]
";

    type Input = Input;
    type Output = Output;
    type Created = Stack;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let stack_id = create(&cx, &input).await?;
        let minutes = input.timeout_in_minutes.map_or(60, u64::from);
        let stack = created(&cx, &stack_id, &input.stack_name, minutes).await?;
        Ok(Output {
            status: status_of(&stack).to_owned(),
            outputs: outputs_of(&stack),
            stack_name: input.stack_name,
            stack_id,
        })
    }
}

async fn create(cx: &Context, input: &Input) -> Result<String, StepError> {
    let template = template::read(cx, &input.template).await?;
    template::check_policies(cx, &template, input.parameters.iter().map(|(k, v)| (k, &v.0)))?;
    let nth = cx.made::<Stack>().len();
    let entry = cx.intend(&Stack { stack_name: input.stack_name.clone() })?;
    let earlier =
        |entry: &Entry| cx.made_before(entry, |other: &Stack| other.stack_name == input.stack_name);
    let parameters = input.parameters.iter().map(|(name, Argument(value))| {
        Parameter::builder().parameter_key(name).parameter_value(value).build()
    });
    let tags = input.tags.clone().into_iter().chain([run_tag(cx)]);
    let request = cx
        .aws
        .cloudformation()
        .create_stack()
        .stack_name(&input.stack_name)
        .template_body(template)
        .set_parameters(Some(parameters.collect()))
        .set_capabilities(Some(
            input.capabilities.iter().map(|name| Capability::from(name.as_str())).collect(),
        ))
        .set_tags(Some(tags.map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()))
        .set_timeout_in_minutes(input.timeout_in_minutes.map(i32::from))
        .client_request_token(token(&cx.run.id, &cx.step, nth));
    let placeholder = || Ok(CreateStackOutput::builder().stack_id(cx.later("stack_id")).build());
    let stack_id = match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => output.stack_id.unwrap_or_else(|| input.stack_name.clone()),
        Err(error) if is_there(&error) && error.outcome == Outcome::Unknown && !earlier(&entry) => {
            match look(cx, &input.stack_name, StackStatus::CreateComplete).await {
                // The SDK repeats a call whose reply was lost; the repetition then finds what the first one made.
                Ok(Some(stack)) if owner(cx, &stack).is_this_run() => {
                    stack.stack_id.unwrap_or_else(|| input.stack_name.clone())
                }
                Ok(_) | Err(_) => return Err(entry.error(error)),
            }
        }
        Err(error) if is_there(&error) => {
            entry.refused("AlreadyExistsException")?;
            return Err(exists(error));
        }
        Err(error) => return Err(entry.error(error)),
    };
    entry.done(&StackIds { stack_id: stack_id.clone() })?;
    Ok(stack_id)
}

/// What makes a repeated request the same one. Such tokens hold letters, digits and `-` alone.
fn token(run: &str, step: &str, nth: usize) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let step: String = step.chars().take(60).collect();
    format!("playbook-{run}-{step}-{nth}").chars().map(clean).take(128).collect()
}

fn is_there(error: &CallError) -> bool {
    error.is("AlreadyExistsException") || error.is("TokenAlreadyExistsException")
}

fn exists(error: CallError) -> StepError {
    StepError::Failed {
        code: "AlreadyExistsException".to_owned(),
        message: error.message,
        help: Some(
            "choose another name, or read the outputs of the stack that is there with `stack-outputs`"
                .to_owned(),
        ),
        details: Vec::new(),
    }
}

/// Describes a stack, by name or id; a dry run sees one that the run has made, in the state that is `planned`.
pub(super) async fn look(
    cx: &Context,
    stack: &str,
    planned: StackStatus,
) -> Result<Option<Described>, CallError> {
    let request = cx.aws.cloudformation().describe_stacks().stack_name(stack);
    let placeholder = || {
        let (key, value) = run_tag(cx);
        let stack = Described::builder()
            .stack_id(cx.later("stack_id"))
            .tags(Tag::builder().key(key).value(value).build())
            .creation_time(DateTime::from_secs(0))
            .stack_status(planned);
        Ok(DescribeStacksOutput::builder().stacks(stack.build()).build())
    };
    match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => Ok(output.stacks.unwrap_or_default().into_iter().next()),
        // CloudFormation has no error of its own for this.
        Err(error) if error.is("ValidationError") && error.message.contains("does not exist") => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn owner(cx: &Context, stack: &Described) -> Owner {
    let tag = stack.tags().iter().find(|tag| tag.key() == Some(RunFacts::TAG_KEY));
    Owner::of(cx, tag.and_then(Tag::value))
}

/// The outputs of a stack, by name.
pub(super) fn outputs_of(stack: &Described) -> BTreeMap<String, String> {
    let outputs = stack.outputs().iter();
    outputs.filter_map(|it| Some((it.output_key.clone()?, it.output_value.clone()?))).collect()
}

/// The state of a stack, such as `CREATE_COMPLETE`.
pub(super) fn status_of(stack: &Described) -> &str {
    stack.stack_status().map(StackStatus::as_str).unwrap_or_default()
}

const fn backoff(minutes: u64) -> Backoff {
    Backoff {
        first: Duration::from_millis(25),
        longest: Duration::from_secs(5),
        // It ends by itself; the rest is for the way back.
        limit: Duration::from_secs(minutes * 60 + 15 * 60),
    }
}

/// Waits until a stack is no longer being changed.
async fn settled(
    cx: &Context,
    stack_id: &str,
    what: &str,
    minutes: u64,
    planned: StackStatus,
) -> Result<Option<Described>, StepError> {
    cx.until(what, backoff(minutes), || async {
        let found = look(cx, stack_id, planned.clone()).await?;
        let busy = found.as_ref().is_some_and(|it| status_of(it).ends_with("_IN_PROGRESS"));
        if !busy {
            return Ok(Some(found));
        }
        if let Some(event) = events::latest(cx, stack_id).await? {
            (cx.progress)(Progress::Waiting(format!("{what}: {event}")));
        }
        Ok(None)
    })
    .await
}

async fn created(
    cx: &Context,
    stack_id: &str,
    stack_name: &str,
    minutes: u64,
) -> Result<Described, StepError> {
    let what = format!("the creation of the stack {stack_name}");
    let found = settled(cx, stack_id, &what, minutes, StackStatus::CreateComplete).await?;
    let Some(stack) = found else {
        let message = format!("the stack {stack_name} was deleted while it was being created");
        return Err(StepError::failed("StackFailed", message));
    };
    if stack.stack_status() == Some(&StackStatus::CreateComplete) {
        return Ok(stack);
    }
    let mut details = events::failures(cx, stack_id).await?;
    if details.is_empty() {
        details.extend(stack.stack_status_reason.clone());
    }
    Err(StepError::Failed {
        code: "StackFailed".to_owned(),
        message: format!("the stack {stack_name} was not created: {}", status_of(&stack)),
        help: None,
        details,
    })
}

impl Resource for Stack {
    const TYPE: &'static str = "AWS::CloudFormation::Stack";
    const UNDO: &'static [&'static str] = &[
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DeleteStack",
        "cloudformation:ListStackResources",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:DeleteLogGroup",
    ];
    type Ids = StackIds;

    fn label(&self) -> String {
        self.stack_name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<StackIds>) -> Result<Undone, StepError> {
        let known = ids.map_or_else(|| self.stack_name.clone(), |ids| ids.stack_id);
        let Some(stack) = look(&cx, &known, StackStatus::CreateComplete).await? else {
            return Ok(Undone::AlreadyGone);
        };
        // A deletion that was interrupted may not have come to the log groups.
        let deleted = stack.stack_status() == Some(&StackStatus::DeleteComplete);
        // No two stacks ever have the same id; where the name alone is known, the tags tell.
        if known == self.stack_name
            && !deleted
            && let Some(spared) = owner(&cx, &stack).spared(&cx)
        {
            return Ok(spared);
        }
        let stack_id = stack.stack_id().unwrap_or(&known);
        let undone = match stack.stack_status() {
            Some(StackStatus::DeleteComplete) => Undone::AlreadyGone,
            Some(StackStatus::DeleteInProgress) => gone(&cx, stack_id, &self.stack_name).await?,
            _ => {
                delete(&cx, stack_id).await?;
                gone(&cx, stack_id, &self.stack_name).await?
            }
        };
        functions::take_logs_away(&cx, stack_id, stack.creation_time()).await?;
        Ok(undone)
    }
}

/// Without a token: the same one would make a second attempt, after one that failed, pass for the first.
async fn delete(cx: &Context, stack_id: &str) -> Result<(), StepError> {
    let passes = |error: &CallError| error.is("OperationInProgressException");
    cx.while_refused(Backoff::seconds(120), passes, || async {
        let request = cx.aws.cloudformation().delete_stack().stack_name(stack_id);
        cx.aws.call(request.send(), || Ok(DeleteStackOutput::builder().build())).await
    })
    .await
    .map(drop)
}

async fn gone(cx: &Context, stack_id: &str, stack_name: &str) -> Result<Undone, StepError> {
    let what = format!("the deletion of the stack {stack_name}");
    let stack = settled(cx, stack_id, &what, 60, StackStatus::DeleteComplete).await?;
    match stack {
        Some(stack) if stack.stack_status() != Some(&StackStatus::DeleteComplete) => {
            let reasons = events::failures(cx, stack_id).await?.join("; ");
            let message =
                format!("the stack {stack_name} was not deleted: {}: {reasons}", status_of(&stack));
            Err(StepError::failed("StackNotDeleted", message))
        }
        Some(_) => {
            // What a template wants to be kept is nobody's any more; whoever wrote it should hear of it.
            for kept in events::kept(cx, stack_id).await? {
                cx.warn(format!("the template of {stack_name} keeps {kept}"));
            }
            Ok(Undone::Deleted)
        }
        None => Ok(Undone::Deleted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_written_as_scalars_or_lists() {
        let given = json!({"a": "text", "b": 7, "c": true, "d": ["x", 1], "e": []});
        let read: BTreeMap<String, Argument> = serde_json::from_value(given).expect("parameters");
        let texts: Vec<_> = read.values().map(|Argument(text)| text.as_str()).collect();
        assert_eq!(texts, ["text", "7", "true", "x,1", ""]);
        for wrong in [json!(null), json!({"a": 1}), json!([[1]])] {
            assert!(serde_json::from_value::<Argument>(wrong).is_err());
        }
    }

    #[test]
    fn tokens_hold_only_what_cloudformation_allows_and_differ() {
        assert_eq!(token("7f3a", "the stack", 0), "playbook-7f3a-the-stack-0");
        assert_ne!(token("7f3a", &"x".repeat(300), 0), token("7f3a", &"x".repeat(300), 1));
        assert!(token("7f3a", &"x".repeat(300), 1).len() <= 128);
    }
}
