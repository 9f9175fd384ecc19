//! A dry run asks nobody.

use serde_json::Value;

use super::UnattendedPrompter;
use engine::step::{Answer, Prompter, Question, StepError};

/// Answers as the real run would without a person, where that needs no person; the rest is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanningPrompter {
    /// The real run would ask at this terminal.
    AtTerminal,
    /// The real run would have nobody to ask.
    Unattended(UnattendedPrompter),
}

impl Prompter for PlanningPrompter {
    fn ask(&self, question: &Question) -> Result<Answer, StepError> {
        match self {
            Self::AtTerminal => Ok(Answer::NotAsked),
            Self::Unattended(_) if is_unknown(question.default.as_ref()) => Ok(Answer::NotAsked),
            Self::Unattended(unattended) => {
                Ok(unattended.ask(question).unwrap_or(Answer::NotAsked))
            }
        }
    }
}

/// Whether a default is made from something that does not exist yet.
fn is_unknown(default: Option<&Value>) -> bool {
    default.and_then(Value::as_str).is_some_and(|text| text.contains('⟨'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(prompter: PlanningPrompter, default: Option<serde_json::Value>) -> Option<Answer> {
        prompter.ask(&Question { default, ..Question::default() }).ok()
    }

    #[test]
    fn at_a_terminal_every_answer_is_open() {
        assert_eq!(answer(PlanningPrompter::AtTerminal, Some(json!("x"))), Some(Answer::NotAsked));
    }

    #[test]
    fn unattended_only_what_has_no_default_is_open() {
        let unattended = PlanningPrompter::Unattended(UnattendedPrompter);
        assert_eq!(answer(unattended, Some(json!("x"))), Some(Answer::Default(json!("x"))));
        assert_eq!(answer(unattended, None), Some(Answer::NotAsked));
        assert_eq!(answer(unattended, Some(json!("⟨steps.role.arn⟩"))), Some(Answer::NotAsked));
    }
}
