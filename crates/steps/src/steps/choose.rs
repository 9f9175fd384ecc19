//! `choose`: one of several.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::question;
use engine::step::{Context, Nothing, Question, QuestionType, StepError, StepKind};

/// `choose`.
pub struct Choose;

/// Lets whoever runs the playbook choose one of several texts.
///
/// Where nobody is there to ask, the default is chosen; without one the step fails.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-asks" = true))]
pub struct Input {
    /// What to ask.
    #[schemars(extend("x-shown" = true))]
    prompt: String,
    /// What to choose from.
    choices: Vec<String>,
    /// What is chosen when nothing is said.
    default: Option<String>,
}

/// What was chosen.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// What was chosen.
    answer: Value,
    /// Its place among the choices, from 0.
    index: Value,
}

impl StepKind for Choose {
    const NAME: &'static str = "choose";
    const CALLS: &'static [&'static str] = &[];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: operation
  choose: {prompt: Choose an operation, choices: [plus, minus, times, divided-by], default: plus}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.choices.is_empty() {
            return Err(StepError::input(
                "choices",
                "there is nothing to choose from",
                "write `choices: [one, another]`",
            ));
        }
        let question = Question {
            name: cx.step.to_string(),
            prompt: input.prompt,
            answer: QuestionType::Choice,
            choices: input.choices.clone(),
            default: input.default.map(Value::from),
            ..Question::default()
        };
        let (answer, _) = question::put(&cx, question).await?;
        let place = input.choices.iter().position(|choice| answer == choice.as_str());
        let index = place.map_or_else(|| Value::from(cx.later("index")), Value::from);
        Ok(Output { answer, index })
    }
}
