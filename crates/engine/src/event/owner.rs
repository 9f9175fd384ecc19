//! Whose an event is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use language::template::marker;

use super::ResourceRef;

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Owner {
    /// The run's own.
    Run,
    /// A step's, in one of its rounds where it loops.
    Step(StepRef),
    /// That of undoing an entry of the journal.
    Undo(ResourceRef),
}

impl Owner {
    /// The step, if it is one's.
    #[must_use]
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::Step(step) => Some(step),
            Self::Run | Self::Undo(_) => None,
        }
    }

    /// What is undone, if that is whose it is.
    #[must_use]
    pub fn undone(&self) -> Option<&ResourceRef> {
        match self {
            Self::Undo(resource) => Some(resource),
            Self::Run | Self::Step(_) => None,
        }
    }
}

/// Where a step stands, for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRef {
    /// The ids from the top down to it, such as `deploy/role`; a step without an id goes by its place in the list, counted
    /// from 1.
    pub path: String,
    /// The rounds of the loops that it stands in, the outermost first, counted from 1; nothing where a dry run does not
    /// know how many there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Option<u32>>,
    /// Unique within the run, as plans and reports number it: such as `3`, `5.2` (in a block), `5[1].1` (second round of a
    /// loop).
    pub number: String,
    /// How deep it is nested; 0 at the top.
    pub depth: usize,
    /// `id`.
    pub id: Option<String>,
    /// `name`, rendered; the id or kind where there is none.
    pub title: String,
    /// The kind.
    pub kind: String,
}

impl StepRef {
    /// What tells it from every other step of the run, and a round from the others, in a name that the program makes:
    /// such as `deploy-allow-2`. A step without an id goes by its kind and its place.
    #[must_use]
    pub fn slug(&self) -> String {
        let path = match (&self.id, self.path.rsplit_once('/')) {
            (Some(_), _) => self.path.replace('/', "-"),
            (None, Some((around, place))) => {
                format!("{}-{}-{place}", around.replace('/', "-"), self.kind)
            }
            (None, None) => format!("{}-{}", self.kind, self.path),
        };
        let rounds = self.rounds.iter().map(|round| match round {
            Some(round) => format!("-{round}"),
            None => format!("-{}", marker("loop.index")),
        });
        std::iter::once(path).chain(rounds).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(path: &str, id: Option<&str>, rounds: &[Option<u32>]) -> String {
        let step = StepRef {
            path: path.to_owned(),
            rounds: rounds.to_vec(),
            number: String::new(),
            depth: 0,
            id: id.map(str::to_owned),
            title: String::new(),
            kind: "add-permission".to_owned(),
        };
        step.slug()
    }

    #[test]
    fn each_step_and_each_round_has_a_name_of_its_own() {
        assert_eq!(slug("allow", Some("allow"), &[]), "allow");
        assert_eq!(slug("deploy/allow", Some("allow"), &[Some(2)]), "deploy-allow-2");
        assert_eq!(slug("deploy/3", None, &[Some(2), Some(1)]), "deploy-add-permission-3-2-1");
        assert_eq!(slug("4", None, &[]), "add-permission-4");
        assert_eq!(slug("allow", Some("allow"), &[None]), "allow-⟨loop.index⟩");
    }
}
