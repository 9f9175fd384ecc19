//! CloudFormation stacks.

mod events;
mod functions;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::operation::create_stack::CreateStackOutput;
use aws_sdk_cloudformation::operation::create_stack::builders::CreateStackFluentBuilder;
use aws_sdk_cloudformation::operation::delete_stack::DeleteStackOutput;
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput;
use aws_sdk_cloudformation::primitives::DateTime;
use aws_sdk_cloudformation::types::{Stack as Described, StackStatus, Tag};
use serde::{Deserialize, Serialize};

use super::creation::{self, Creation, Unique};
use super::ownership::{run_tag, spared};
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, Progress, Resource, RunFacts, StepError, Undone};

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

/// Creates a stack, as `request` says. Its id.
pub(crate) async fn create(
    cx: &Context,
    stack_name: &str,
    request: CreateStackFluentBuilder,
) -> Result<String, StepError> {
    let nth = cx.made::<Stack>().len();
    let request = request.stack_name(stack_name).client_request_token(token(cx, nth));
    let placeholder = || Ok(CreateStackOutput::builder().stack_id(cx.later("stack_id")).build());
    let call = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
    let id = |stack_id: Option<&str>| stack_id.unwrap_or(stack_name).to_owned();
    let ids = |output: &CreateStackOutput| Some(StackIds { stack_id: id(output.stack_id()) });
    match creation::create(cx, &Stack { stack_name: stack_name.to_owned() }, call, ids).await? {
        Creation::Created(output) => Ok(id(output.stack_id())),
        Creation::Found(stack) => Ok(id(stack.stack_id())),
        Creation::Taken(error, Some(_)) => Err(exists(error)),
        Creation::Taken(error, None) => Err(error.into()),
    }
}

impl Unique for Stack {
    type Found = Described;

    fn is_taken(error: &CallError) -> bool {
        is_there(error)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.stack_name == other.stack_name
    }

    async fn find(&self, cx: &Context) -> Result<Option<Described>, StepError> {
        Ok(look(cx, &self.stack_name, StackStatus::CreateComplete).await?)
    }

    async fn whose(&self, cx: &Context, found: &Described) -> Result<Owner, StepError> {
        Ok(owner(cx, found))
    }

    fn ids(found: &Described) -> StackIds {
        StackIds { stack_id: found.stack_id().unwrap_or_default().to_owned() }
    }
}

/// What makes a repeated request the same one. Such tokens hold letters, digits and `-` alone.
fn token(cx: &Context, nth: usize) -> String {
    let clean = |c: char| if c == '_' { '-' } else { c };
    format!("{}-{nth}", cx.own_name(100)).chars().map(clean).collect()
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
pub(crate) async fn look(
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
pub(crate) fn outputs_of(stack: &Described) -> BTreeMap<String, String> {
    let outputs = stack.outputs().iter();
    outputs.filter_map(|it| Some((it.output_key.clone()?, it.output_value.clone()?))).collect()
}

/// The state of a stack, such as `CREATE_COMPLETE`.
pub(crate) fn status_of(stack: &Described) -> &str {
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

pub(crate) async fn created(
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
        let by_id = (known != self.stack_name).then_some(true);
        if !deleted && let Some(spared) = spared(&cx, by_id, owner(&cx, &stack)) {
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
