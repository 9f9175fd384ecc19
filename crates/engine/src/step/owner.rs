//! Whose something is, as its tags show.

use super::context::{Context, RunFacts};
use super::resource::Undone;

/// Whose something is, as far as its tags show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This run made it.
    ThisRun,
    /// Another run made it.
    AnotherRun(String),
    /// Somebody who is no run: it bears tags, which come with the creation, and the run's is not among them.
    Somebody,
    /// No run's tag is seen: nobody knows, since tags show up late.
    Unknown,
}

impl Owner {
    /// By the value of the tag that everything a run makes carries, if it is there.
    #[must_use]
    pub fn of(cx: &Context, tag: Option<&str>) -> Self {
        match tag {
            Some(run) if run == cx.run.id => Self::ThisRun,
            Some(run) => Self::AnotherRun(run.to_owned()),
            None => Self::Unknown,
        }
    }

    /// Whether this run is seen to have made it.
    #[must_use]
    pub fn is_this_run(&self) -> bool {
        *self == Self::ThisRun
    }

    /// How undoing ends, unless this run is seen to have made it.
    #[must_use]
    pub fn spared(self, cx: &Context) -> Option<Undone> {
        let key = RunFacts::TAG_KEY;
        match self {
            Self::ThisRun => None,
            Self::AnotherRun(run) => {
                Some(Undone::NotOurs { reason: format!("it carries the tag {key}={run}") })
            }
            Self::Somebody => {
                Some(Undone::NotOurs { reason: format!("its tags say nothing of {key}") })
            }
            Self::Unknown => {
                let reason = format!("it does not carry the tag {key}={}", cx.run.id);
                Some(Undone::Unproven { reason })
            }
        }
    }
}

/// How undoing ends where an id shows that somebody has made it anew.
#[must_use]
pub fn made_again() -> Undone {
    Undone::NotOurs { reason: "it was deleted and made again since".to_owned() }
}
