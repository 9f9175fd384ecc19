//! `assert`: what must be true.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `assert`.
pub struct Assert;

/// Fails unless an expression is true, or all of a list of them: `assert: steps.count.total == 3`.
///
/// Expressions are bare, without `{{ }}`. Beside another kind, `assert` is about the `result` of that step.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// Nothing.
#[derive(Serialize, JsonSchema)]
pub struct Output {}

impl StepKind for Assert {
    const NAME: &'static str = "assert";
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- assert:
    - steps.one.payload.result == steps.other.payload.result
    - steps.one.status_code == 200
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    /// The engine evaluates the expressions, as it does those beside other kinds.
    async fn run(_cx: Context, _input: Input) -> Result<Output, StepError> {
        Ok(Output {})
    }
}
