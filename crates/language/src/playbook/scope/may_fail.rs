//! Steps that may fail without ending the run, and what can be read of them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Scope, StepFacts, fault, segment};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::shape::Shape;
use crate::template::Reference;

/// Whether a step may fail without ending the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::playbook) enum MayFail {
    /// It may not.
    #[default]
    Never,
    /// `allow_error`
    Allowed,
    /// `expect_error`
    Expected,
}

impl MayFail {
    /// As the keys of a step say.
    pub(in crate::playbook) fn of(step: &Node) -> Self {
        if step.get("expect_error").is_some() {
            Self::Expected
        } else if step.get("allow_error").is_some() {
            Self::Allowed
        } else {
            Self::Never
        }
    }

    /// What the output `error` of such a step is.
    pub(super) fn error(self) -> Shape {
        match self {
            Self::Allowed => Shape::of_schema(&MAYBE, &MAYBE),
            Self::Never | Self::Expected => Shape::of_schema(&ERROR, &ERROR),
        }
    }
}

static ERROR: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "help": {"type": ["string", "null"]},
            "details": {"type": "array", "items": {"type": "string"}},
        },
        "additionalProperties": false,
    })
});

static MAYBE: LazyLock<Value> = LazyLock::new(|| json!({"anyOf": [&*ERROR, {"type": "null"}]}));

impl Scope {
    /// Whether there is an `error` here.
    pub(super) fn has_error(&self) -> bool {
        self.rescues > 0 || self.may_fail != MayFail::Never
    }

    /// What is wrong with reading the error of a step that may have succeeded.
    pub(super) fn check_own_error(&self, reference: &Reference) -> Option<Diagnostic> {
        let inside = self.may_fail == MayFail::Allowed && reference.path.len() > 1;
        let path = reference.path.join(".");
        (inside && !is_guarded(reference)).then(|| {
            may_be_missing(
                "this step may have succeeded where its error is read",
                reference,
                0,
                "`error` is none then",
                format!("write `{path} if error is not none else none`"),
            )
        })
    }

    /// What is wrong with reading the result of a step that may have failed.
    pub(super) fn check_own_result(&self, reference: &Reference) -> Option<Diagnostic> {
        let path = reference.path.join(".");
        (self.may_fail == MayFail::Allowed && !is_guarded(reference)).then(|| {
            may_be_missing(
                "this step may have failed where its result is read",
                reference,
                0,
                "`result` is empty then",
                format!("write `error is not none or {path} …`, or `{path} | default(\"…\")`"),
            )
        })
    }

    /// What is wrong with reading a step whose error was allowed, from another.
    pub(super) fn check_allowed(
        &self,
        reference: &Reference,
        id: &str,
        facts: &StepFacts,
    ) -> Option<Diagnostic> {
        let field = reference.path.get(2)?;
        if facts.outputs.may_fail != MayFail::Allowed
            || facts.outputs.each
            || is_guarded(reference)
            || self.flow.asks_about(id)
        {
            return None;
        }
        let path = reference.path.join(".");
        if field == "error" && reference.path.len() > 3 {
            return Some(may_be_missing(
                &format!("step `{id}` may have succeeded where its error is read"),
                reference,
                1,
                "`error` is none then",
                format!("write `when: steps.{id}.error is not none` on this step"),
            ));
        }
        facts.outputs.is_declared(field).then(|| {
            may_be_missing(
                &format!("step `{id}` may have failed where this is read"),
                reference,
                1,
                "has no outputs but `error` then",
                format!(
                    "write `{path} | default(\"…\")`, or `when: steps.{id}.error is none` on this step"
                ),
            )
        })
    }
}

fn is_guarded(reference: &Reference) -> bool {
    reference.optional || reference.conditional
}

fn may_be_missing(
    message: &str,
    reference: &Reference,
    index: usize,
    label: &str,
    help: String,
) -> Diagnostic {
    fault(Code::PossiblySkipped, message.to_owned(), segment(reference, index), label, help)
}

/// `result` of a step that returns nothing.
pub(super) fn no_result(reference: &Reference) -> Diagnostic {
    fault(
        Code::MisplacedReference,
        "a step with `expect_error` has no `result`".to_owned(),
        segment(reference, 0),
        "it passes only when it fails",
        "look at the error: `error.code` and `error.message`".to_owned(),
    )
}
