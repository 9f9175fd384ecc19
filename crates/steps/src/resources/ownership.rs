//! Whose something is: the tag on everything that a run makes, and what to do where it is missing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use engine::step::owner::made_again;
use engine::step::{Context, Owner, RunFacts, StepError, Undone};

/// What to do when this run did not make what is to be deleted.
#[derive(Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IfForeign {
    /// Fail.
    #[default]
    Fail,
    /// Delete it for good.
    Delete,
}

/// This run did not make what a step was about to delete.
pub(crate) fn foreign(cx: &Context, code: &str, what: &str) -> StepError {
    let (key, value) = run_tag(cx);
    StepError::Failed {
        code: code.to_owned(),
        message: format!("this run did not make {what}: it has no tag {key}={value}"),
        help: Some(
            "it could not be made again afterwards; write `if_foreign: delete` where it may be lost"
                .to_owned(),
        ),
        details: Vec::new(),
    }
}

/// The tag on everything that the run makes.
pub(crate) fn run_tag(cx: &Context) -> (String, String) {
    (RunFacts::TAG_KEY.to_owned(), cx.run.id.clone())
}

/// The tags on everything that the run makes: whose it is, and that it is to stay where the playbook says so, for whoever looks
/// without a journal.
pub(crate) fn run_tags(cx: &Context) -> impl Iterator<Item = (String, String)> {
    let keep = cx.keeps().then(|| (RunFacts::KEEP_KEY.to_owned(), "true".to_owned()));
    [run_tag(cx)].into_iter().chain(keep)
}

/// How undoing ends, unless what was found is the run's own. `known` says whether its id is the one that the journal has, and is
/// absent where the journal has none. Other runs' tags are heeded all the same: a journal is no authority.
pub(crate) fn spared(cx: &Context, known: Option<bool>, owner: Owner) -> Option<Undone> {
    match known {
        Some(false) => Some(made_again()),
        Some(true) if owner == Owner::Unknown => None,
        Some(true) | None => owner.spared(cx),
    }
}
