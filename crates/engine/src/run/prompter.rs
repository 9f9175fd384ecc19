//! A prompter whose questions and answers are events.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::event::{Owner, What};
use crate::redactor::MASK;
use crate::sink::Sink;
use crate::step::{Answer, Prompter, Question, QuestionType, StepError};
use language::template::{from_json, marker, to_text};

/// The secrets that were answered.
pub(super) type Answers = Arc<Mutex<Vec<Json>>>;

/// Announces what `inner` is asked, and what came of it. Secrets are learned before anybody hears of them.
pub(super) struct Announced {
    pub(super) inner: Arc<dyn Prompter>,
    pub(super) sink: Sink,
    /// The secrets that were answered.
    pub(super) answers: Answers,
    /// Who asks.
    pub(super) owner: Owner,
}

impl Announced {
    fn tell(&self, what: What) {
        self.sink.emit(self.owner.clone(), what);
    }
}

impl Prompter for Announced {
    fn ask(&self, question: &Question) -> Result<Answer, StepError> {
        self.tell(What::Asking);
        let prompt = self.sink.redactor().redact(&question.prompt).into_owned();
        let question = &Question { prompt, ..question.clone() };
        let answer = self.inner.ask(question)?;
        let (value, default) = match &answer {
            Answer::Given(value) => (value, false),
            Answer::Default(value) => (value, true),
            Answer::NotAsked => {
                let prompt = question.prompt.clone();
                let open = marker("answer");
                self.tell(What::Answered { prompt, answer: open, default: false });
                return Ok(answer);
            }
        };
        let mut text = match value.as_bool() {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => to_text(&from_json(value)),
        };
        if question.answer == QuestionType::Secret {
            self.sink.redactor().learn(&text);
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(value.clone());
            MASK.clone_into(&mut text);
        }
        if !text.is_empty() {
            let prompt = question.prompt.clone();
            self.tell(What::Answered { prompt, answer: text, default });
        }
        Ok(answer)
    }
}
