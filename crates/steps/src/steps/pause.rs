//! `pause`: time for the reader.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::length::Length;
use engine::step::{Context, Nothing, Question, StepError, StepKind};

/// `pause`.
pub struct Pause;

/// Waits for some time, or for whoever runs the playbook.
///
/// To wait for AWS, `poll` on the step that looks is better: it ends as soon as it can. A dry run does not wait.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// How long, such as `2s`; with a `prompt`, how long at most.
    duration: Option<Length>,
    /// What to say while waiting for the return key. Where nobody is there, the run goes on.
    #[schemars(extend("x-shown" = true))]
    prompt: Option<String>,
}

/// Nothing.
#[derive(Serialize, JsonSchema)]
pub struct Output {}

impl StepKind for Pause {
    const NAME: &'static str = "pause";
    const SHORTHAND: Option<&'static str> = Some("duration");
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- pause: {prompt: Look at the function in the console; press return to go on}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        match (input.prompt, input.duration) {
            (None, Some(length)) => cx.sleep(length.0).await?,
            (Some(prompt), length) => {
                let question = Question {
                    name: cx.step.to_string(),
                    prompt,
                    default: Some(Value::from("")),
                    backoff: length.and_then(|length| SignedDuration::try_from(length.0).ok()),
                    ..Question::default()
                };
                cx.ask(question).await?;
            }
            (None, None) => {
                return Err(StepError::input(
                    "duration",
                    "pause needs a `duration` or a `prompt`",
                    "write `pause: 2s`",
                ));
            }
        }
        Ok(Output {})
    }
}
