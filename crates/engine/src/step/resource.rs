//! What a step leaves behind, and how it is taken away again.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::error::StepError;
use language::spec::{Creates, Disposition};

/// Something that a step made or changed: what the journal holds of it before the call is made, and all that undoing
/// it takes. Recovery has the journal alone, so nothing that undoing needs may be missing here.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// CloudFormation's name for the type where it has one, such as `AWS::IAM::Role`. It is written to the journal:
    /// never change one that has been released.
    const TYPE: &'static str;
    /// IAM actions that undoing it takes.
    const UNDO: &'static [&'static str] = &[];
    /// What the clean-up does about it.
    const DISPOSITION: Disposition = Disposition::Removed;

    /// What is known only once the call has returned, such as a role's unique id.
    type Ids: Serialize + DeserializeOwned + Send;

    /// The name that a person knows it by.
    fn label(&self) -> String;

    /// Takes it away, or puts back what was there. Whatever it finds must be proven ours first: by tag, token or unique
    /// id. `ids` is absent when nobody knows whether the call that made it succeeded. [`Undone::NotOurs`] takes proof,
    /// too: another id, another run's tag; where there is proof of neither, it is [`Undone::Unproven`].
    ///
    /// # Errors
    /// Whatever kept it from being taken away; the rest of the clean-up goes on.
    fn undo(
        self,
        cx: Context,
        ids: Option<Self::Ids>,
    ) -> impl Future<Output = Result<Undone, StepError>> + Send;
}

/// What the language has to know of something of the type `R` that is left behind.
#[must_use]
pub const fn creates<R: Resource>() -> Creates {
    Creates { type_name: R::TYPE, undo: R::UNDO, disposition: R::DISPOSITION }
}

/// How an undo ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It was there and is gone.
    Deleted,
    /// The value from before the run is back.
    Restored,
    /// It was not there.
    AlreadyGone,
    /// Something of that name is there, but this run did not make it; it was not touched.
    NotOurs {
        /// How that was seen.
        reason: String,
    },
    /// Something of that name is there, and nothing shows whether this run made it; it was not touched. It is looked at
    /// again for a while, since tags show up late. Where the run is known to have made one of that name, it then counts
    /// as still there; otherwise as somebody else's.
    Unproven {
        /// What would have shown it.
        reason: String,
    },
    /// Somebody changed it since; it was not touched.
    Changed {
        /// What differs.
        reason: String,
    },
}

/// What a kind that makes nothing leaves behind.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub enum Nothing {}

impl Resource for Nothing {
    const TYPE: &'static str = "";
    type Ids = ();

    fn label(&self) -> String {
        match *self {}
    }

    async fn undo(self, _cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        match self {}
    }
}
