//! `confirm`: yes or no.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::question;
use engine::step::{Context, Nothing, Question, QuestionType, StepError, StepKind};

/// `confirm`.
pub struct Confirm;

/// Asks whoever runs the playbook a question whose answer is yes or no.
///
/// Where nobody is there to ask, the answer is the default.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What to ask.
    #[schemars(extend("x-shown" = true))]
    prompt: String,
    /// The answer when nothing is said.
    #[serde(default)]
    default: bool,
}

/// What came of the question.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// Whether it was confirmed: true or false.
    answer: Value,
}

impl StepKind for Confirm {
    const NAME: &'static str = "confirm";
    const SHORTHAND: Option<&'static str> = Some("prompt");
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: again
  confirm: Do you want to calculate again?
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let question = Question {
            name: cx.step.to_string(),
            prompt: input.prompt,
            answer: QuestionType::Boolean,
            default: Some(Value::Bool(input.default)),
            ..Question::default()
        };
        let (answer, _) = question::put(&cx, question).await?;
        Ok(Output { answer })
    }
}
