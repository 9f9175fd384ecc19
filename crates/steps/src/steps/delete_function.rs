//! `delete-function`: a Lambda function, until it is gone.

use aws_sdk_lambda::operation::delete_function::DeleteFunctionOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::{Function, Planned};
use super::delete_role::{IfForeign, foreign};
use super::get_function::{self, bare_name, is_busy};
use engine::aws::Outcome;
use engine::step::context::Backoff;
use engine::step::{Context, Nothing, StepError, StepKind, Undone};

/// `delete-function`.
pub struct DeleteFunction;

/// Deletes a Lambda function, and waits until it is gone.
///
/// A function that this run did not make is an error, and left alone, unless `if_foreign: delete` says that it may be lost.
///
/// Its log group stays. One that `create-function` made is deleted when the run is over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// What to do when this run did not make it.
    #[serde(default)]
    if_foreign: IfForeign,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
}

impl StepKind for DeleteFunction {
    const NAME: &'static str = "delete-function";
    const CALLS: &'static [&'static str] = &["lambda:GetFunction", "lambda:DeleteFunction"];
    const PERMISSIONS: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:ListTags", "lambda:DeleteFunction"];
    const EXAMPLE: &'static str = "\
- delete-function:
    function_name: \"{{ steps.function.function_name }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.if_foreign == IfForeign::Fail {
            let found = get_function::look(&cx, &input.function_name, Planned::There).await?;
            let found = found.ok_or_else(|| get_function::missing(&input.function_name))?;
            if !found.is_ours(&cx)? {
                let what = format!("the function {}", input.function_name);
                return Err(foreign(&cx, "ForeignFunction", &what));
            }
        }
        if delete(&cx, &input.function_name).await? == Undone::AlreadyGone {
            return Err(get_function::missing(&input.function_name));
        }
        let name = bare_name(&input.function_name);
        cx.settle::<Function>(|function| bare_name(&function.function_name) == name)?;
        Ok(Output { function_name: input.function_name })
    }
}

/// Deletes a function and waits until it is gone.
pub(super) async fn delete(cx: &Context, function_name: &str) -> Result<Undone, StepError> {
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
        let found = get_function::look(cx, function_name, Planned::Gone).await?;
        Ok(found.is_none().then_some(Undone::Deleted))
    };
    cx.until(&what, Backoff::seconds(300), gone).await
}
