//! `fail`: an end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::{Context, Nothing, StepError, StepKind};

/// `fail`.
pub struct Fail;

/// Fails. Everything that the run made is removed, as after every failure.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What to say.
    #[schemars(extend("x-shown" = true))]
    message: String,
    /// The word that `rescue` sees as `error.code`.
    #[serde(default = "failed")]
    code: String,
}

fn failed() -> String {
    "Failed".to_owned()
}

/// Nothing: it never returns.
#[derive(Serialize, JsonSchema)]
pub struct Output {}

impl StepKind for Fail {
    const NAME: &'static str = "fail";
    const SHORTHAND: Option<&'static str> = Some("message");
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- when: steps.sign_up.user_confirmed == false
  fail: The trigger did not confirm the user.
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(_cx: Context, input: Input) -> Result<Output, StepError> {
        Err(StepError::failed(input.code, input.message))
    }
}
