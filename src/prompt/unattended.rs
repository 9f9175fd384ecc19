//! Nobody is there to ask.

use engine::step::{Answer, Prompter, Question, StepError};

/// Answers with defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnattendedPrompter;

impl Prompter for UnattendedPrompter {
    fn ask(&self, question: &Question) -> Result<Answer, StepError> {
        match &question.default {
            Some(default) => Ok(Answer::Default(default.clone())),
            None => Err(no_answer(question)),
        }
    }
}

/// Nobody answers a question without a default.
pub(super) fn no_answer(question: &Question) -> StepError {
    let help = "give it a `default`, or run at a terminal";
    StepError::Failed {
        code: "NoAnswer".to_owned(),
        message: format!("nobody is there to answer `{}`: {}", question.name, question.prompt),
        help: Some(help.to_owned()),
        details: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::step::QuestionType;
    use serde_json::Value;

    fn question(answer: QuestionType, default: Option<Value>) -> Question {
        let (name, prompt) = ("again".to_owned(), "Calculate again?".to_owned());
        Question { name, prompt, answer, default, ..Question::default() }
    }

    #[test]
    fn defaults_answer() {
        let asked = question(QuestionType::Boolean, Some(Value::Bool(false)));
        let answer = UnattendedPrompter.ask(&asked);
        assert!(matches!(answer, Ok(Answer::Default(Value::Bool(false)))));
    }

    #[test]
    fn a_question_without_an_answer_says_what_to_do() {
        let Err(error) = UnattendedPrompter.ask(&question(QuestionType::Boolean, None)) else {
            panic!("there is no answer");
        };
        assert_eq!(error.code(), "NoAnswer");
        assert_eq!(error.to_string(), "nobody is there to answer `again`: Calculate again?");
        assert_eq!(error.help(), Some("give it a `default`, or run at a terminal"));
    }
}
