//! Questions that steps put.

use serde_json::Value;

use engine::step::{Answer, Context, Question, StepError};

/// Puts a question; the answer, and whether it is the default.
pub(crate) async fn put(cx: &Context, question: Question) -> Result<(Value, bool), StepError> {
    match cx.ask(question.clone()).await? {
        Answer::Given(answer) => Ok((answer, false)),
        Answer::Default(answer) => match question.check(&answer) {
            Ok(()) => Ok((answer, true)),
            Err(reason) => Err(StepError::input(
                "default",
                format!("the default {reason}"),
                "give a default that would do as an answer, or none",
            )),
        },
        Answer::NotAsked => Ok((Value::from(cx.later("answer")), false)),
    }
}
