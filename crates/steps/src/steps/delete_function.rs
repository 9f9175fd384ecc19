//! `delete-function`: a Lambda function, until it is gone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::function::{self, Function, bare_name};
use crate::resources::ownership::{IfForeign, foreign};
use crate::resources::planned::Planned;
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
        let is_seen = input.if_foreign == IfForeign::Fail;
        if is_seen {
            let found = function::look(&cx, &input.function_name, Planned::There).await?;
            let found = found.ok_or_else(|| function::missing(&input.function_name))?;
            if !found.is_ours(&cx)? {
                let what = format!("the function {}", input.function_name);
                return Err(foreign(&cx, "ForeignFunction", &what));
            }
        }
        // A request that arrives twice finds nothing any more.
        let gone = function::delete(&cx, &input.function_name).await? == Undone::AlreadyGone;
        if gone && !is_seen {
            return Err(function::missing(&input.function_name));
        }
        let name = bare_name(&input.function_name);
        cx.settle::<Function>(|function| bare_name(&function.function_name) == name)?;
        Ok(Output { function_name: input.function_name })
    }
}
