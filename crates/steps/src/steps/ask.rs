//! `ask`: a question to whoever runs the playbook.

use crate::question::put;
use engine::step::{Context, Nothing, Question, QuestionType, StepError, StepKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `ask`.
pub struct Ask;

/// Asks whoever runs the playbook a question.
///
/// Where nobody is there to ask, the answer is the default; without one the step fails. What is known before the run
/// starts is better declared under `inputs`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-asks" = true))]
pub struct Input {
    /// What to ask.
    #[schemars(extend("x-shown" = true))]
    prompt: String,
    /// What kind of answer.
    #[serde(default, rename = "type")]
    answer: QuestionType,
    /// What to choose from, for `type: choice`.
    #[serde(default)]
    choices: Vec<String>,
    /// The answer when nothing is said.
    default: Option<Value>,
    /// A regular expression that the whole text must match.
    pattern: Option<String>,
    /// The least number allowed.
    min: Option<f64>,
    /// The greatest number allowed.
    max: Option<f64>,
    /// The least number of characters.
    min_length: Option<usize>,
    /// Whether to ask for a secret twice.
    #[serde(default)]
    twice: bool,
}

/// What came of the question.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The answer.
    answer: Value,
    /// Whether it is the default.
    default: bool,
}

impl StepKind for Ask {
    const NAME: &'static str = "ask";
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: x
  ask: {prompt: Enter a number, type: integer, default: 7, min: 0}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.answer == QuestionType::Choice && input.choices.is_empty() {
            return Err(StepError::input(
                "choices",
                "there is nothing to choose from",
                "write `choices: [one, another]`",
            ));
        }
        let question = Question {
            name: cx.step.to_string(),
            prompt: input.prompt,
            answer: input.answer,
            choices: input.choices,
            default: input.default,
            pattern: input.pattern,
            min: input.min,
            max: input.max,
            min_length: input.min_length,
            twice: input.twice,
            schema: None,
            backoff: None,
        };
        let (answer, default) = put(&cx, question).await?;
        Ok(Output { answer, default })
    }
}
