//! What a step that is one operation of AWS is told beside its input.

use std::sync::Arc;

use serde_json::Value;

use super::error::StepError;
use language::playbook::{Pages, Undo, Wait};
use language::template::{Scope, Template, from_json, to_json, unknown};

/// What a step that is one operation of AWS is told beside its input.
#[derive(Clone, Debug, Default)]
pub struct OperationKeys {
    /// `pages`.
    pub pages: Option<Pages>,
    /// `wait`.
    pub wait: Option<Waiting>,
    /// `undo`.
    pub undo: Option<Undoing>,
    /// Whether what it makes stays.
    pub keep: bool,
}

/// A waiter, with its input where the playbook says it.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its name.
    pub name: String,
    /// Its input.
    pub input: Option<Rendered>,
}

/// The operation that takes back what a step does.
#[derive(Clone, Debug)]
pub struct Undoing {
    /// Such as `sqs:DeleteQueue`.
    pub operation: &'static str,
    /// Its input.
    pub input: Rendered,
    /// What ends once it is gone.
    pub wait: Option<Waiting>,
}

/// Part of a step that is rendered once its result is there, and before that as far as it can be.
#[derive(Clone)]
pub struct Rendered(Arc<Render>);

type Render = dyn Fn(Option<&Value>) -> Result<Value, StepError> + Send + Sync;

impl std::fmt::Debug for Rendered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Rendered")
    }
}

impl Rendered {
    /// A template with the names that the step sees.
    #[must_use]
    pub fn of(template: &Template, scope: &Scope) -> Self {
        let (template, scope) = (template.clone(), scope.clone());
        Self(Arc::new(move |result| {
            let mut scope = scope.child();
            match result {
                Some(result) => scope.set("result", from_json(result)),
                None => scope.set("result", unknown("result")),
            }
            let rendered = template.render(&scope).map_err(|error| StepError::Failed {
                code: "TemplateError".to_owned(),
                message: error.message,
                help: error.help,
                details: Vec::new(),
            })?;
            Ok(match to_json(&rendered.value) {
                Value::Null => Value::Object(serde_json::Map::new()),
                value => value,
            })
        }))
    }

    /// What it comes to. Without a result, markers stand for what is read of it.
    ///
    /// # Errors
    /// What cannot be rendered.
    pub fn render(&self, result: Option<&Value>) -> Result<Value, StepError> {
        (self.0)(result)
    }
}

impl OperationKeys {
    /// Those of a step.
    #[must_use]
    pub fn of(
        pages: Option<Pages>,
        wait: Option<&Wait>,
        undo: Option<&Undo>,
        keep: bool,
        scope: &Scope,
    ) -> Self {
        let waiting = |wait: &Wait| Waiting {
            name: wait.name.clone(),
            input: wait.input.as_ref().map(|input| Rendered::of(input, scope)),
        };
        let undoing = |undo: &Undo| Undoing {
            operation: undo.spec.name,
            input: Rendered::of(&undo.input, scope),
            wait: undo.wait.as_ref().map(waiting),
        };
        Self { pages, wait: wait.map(waiting), undo: undo.map(undoing), keep }
    }
}
