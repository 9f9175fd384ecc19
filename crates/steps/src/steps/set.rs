//! `set`: values under a name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `set`.
pub struct Set;

/// Keeps values for later steps, which read them as `steps.<id>.<name>`.
///
/// What does not depend on a step is better declared under `vars`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Input(Map<String, Value>);

/// The same values.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-known" = true))]
pub struct Output(Map<String, Value>);

impl StepKind for Set {
    const NAME: &'static str = "set";
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: sum
  set: {value: \"{{ steps.one.payload.result + steps.other.payload.result }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(_cx: Context, input: Input) -> Result<Output, StepError> {
        Ok(Output(input.0))
    }
}
