//! A person who goes through a run step by step, or looks around after it has failed.

use std::sync::atomic::Ordering;

use super::Engine;
use super::fault::{Fault, Stop};
use super::frame::Place;
use super::prompter::Answers;
use crate::event::{Owner, StepRef, What};
use crate::step::{Answer, Question, QuestionType, StepError};
use language::playbook::{Action, Step};

const RUN: &str = "run";
const SKIP: &str = "skip";
const SHOW: &str = "show its input";
const REST: &str = "run the rest";
const STOP: &str = "stop and clean up";

impl Engine {
    /// Asks before a step, where a person goes through them one by one. Says whether to run it.
    pub(super) async fn wanted(
        &self,
        step: &Step,
        place: &Place,
        at: &StepRef,
    ) -> Result<bool, Stop> {
        let Action::Kind { input, .. } = &step.action else { return Ok(true) };
        while self.stepping.load(Ordering::Relaxed) {
            let question = Question {
                name: "step".to_owned(),
                prompt: format!("{} {}", at.number, at.title),
                answer: QuestionType::Choice,
                choices: [RUN, SKIP, SHOW, REST, STOP].map(str::to_owned).to_vec(),
                default: Some(RUN.into()),
                ..Question::default()
            };
            match self.put(question, Owner::Step(at.clone())).await.as_deref() {
                Ok(RUN) => return Ok(true),
                Ok(SKIP) => return Ok(false),
                Ok(SHOW) => {
                    let shown = self.render(input, &place.scope).map(|input| input.shown());
                    let text = match shown {
                        Ok(shown) => format!("{shown:#}"),
                        Err(fault) => fault.message,
                    };
                    self.tell(at, What::Printed { text });
                }
                Ok(REST) => self.stepping.store(false, Ordering::Relaxed),
                Ok(_) | Err(_) => return Err(Stop::Interrupted),
            }
        }
        Ok(true)
    }

    /// The answer to a question as text.
    async fn put(&self, question: Question, owner: Owner) -> Result<String, Fault> {
        let prompter = self.prompter(owner, Answers::default());
        match crate::step::ask(prompter, question, &self.setup.interrupt).await {
            Ok(Answer::Given(value) | Answer::Default(value)) => {
                Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
            Ok(Answer::NotAsked) => Ok(RUN.to_owned()),
            Err(StepError::Interrupted) => Err(Fault::interrupted()),
            Err(error) => Err(Fault::of_step(&error, |_| None)),
        }
    }

    /// Waits after a failure until a person has looked around; says whether to clean up.
    pub(super) async fn pause_after_failure(&self) -> bool {
        if self.setup.journal.count_pending() == 0 {
            return true;
        }
        if let Some(endpoint) = &self.setup.endpoint {
            let text =
                format!("the run has failed; what it has made can be looked at at {endpoint}");
            self.setup.sink.emit(Owner::Run, What::Warned { text });
        }
        let prompt = "The run has failed. Remove everything that it has made?";
        self.confirm_cleanup(prompt, Owner::Run).await.unwrap_or(true)
    }
}
