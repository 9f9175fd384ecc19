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

    /// Its ARN, where AWS makes it of the name.
    fn arn(&self, _place: &Place<'_>) -> Option<String> {
        None
    }

    /// Takes it away, or puts back what was there. Whatever it finds must be proven ours first: by tag, token or unique
    /// id, or by content that only this run can have written. Time proves nothing. `ids` is absent when nobody knows whether the call that made it succeeded. [`Undone::NotOurs`] takes proof,
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

/// Where something is, as far as ARNs say it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The account's twelve digits.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
}

impl Place<'_> {
    /// The ARN of something that has a region.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, Self { account, region }) = (self.partition(), self);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of something that has no region.
    #[must_use]
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    /// The part of AWS that the region belongs to.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        partition_of(self.region)
    }
}

/// The part of AWS that a region belongs to.
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
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
    /// again for a while, since tags show up late, and then counts as still there: it may be the run's.
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
