//! Creating once what only one may have the name of: the intent, the call, a look where somebody has that name already, and
//! whose it is. A reply may be lost and the call be repeated, by the SDK or by anything between here and AWS: so "exists
//! already" may well speak of what the run itself has just made, and ends nothing before a look.

use std::future::Future;

use engine::aws::{CallError, Outcome};
use engine::step::{Context, Entry, Owner, Resource, StepError};

/// Something of whose name AWS allows only one.
pub(crate) trait Unique: Resource {
    /// What a look finds.
    type Found: Send + Sync;
    /// Whether a look before the call has found nothing. What is there afterwards without the run's tag may then be the
    /// run's own, which bears its tag late or never; otherwise it is taken for what was there before.
    const LOOKED_BEFORE: bool = false;

    /// Whether a refusal says that there is something of that name.
    fn is_taken(refusal: &CallError) -> bool;

    /// Whether both have the same name.
    fn is_same(&self, other: &Self) -> bool;

    /// Looks at what has the name.
    fn find(
        &self,
        cx: &Context,
    ) -> impl Future<Output = Result<Option<Self::Found>, StepError>> + Send;

    /// Who has made what was found.
    fn whose(
        &self,
        cx: &Context,
        found: &Self::Found,
    ) -> impl Future<Output = Result<Owner, StepError>> + Send;

    /// What tells it from a later one of that name.
    fn ids(found: &Self::Found) -> Self::Ids;
}

/// What came of creating something.
pub(crate) enum Creation<T, F> {
    /// The run made it: the reply.
    Created(T),
    /// The run made it, and the reply was lost: what a look found.
    Found(F),
    /// Something else has that name: the refusal, and what a look found.
    Taken(CallError, Option<F>),
}

/// Writes the intent down, calls, and closes the journal's entry by what is known then. `ids` finds in the reply what tells the
/// resource from a later one; where it finds nothing, the reply is no proof, and a look decides.
pub(crate) async fn create<R: Unique, T>(
    cx: &Context,
    resource: &R,
    call: impl Future<Output = Result<T, StepError>>,
    ids: impl Fn(&T) -> Option<R::Ids>,
) -> Result<Creation<T, R::Found>, StepError> {
    let entry = cx.intend(resource)?;
    let refusal = match call.await {
        Ok(reply) => match ids(&reply) {
            Some(ids) => {
                entry.done(&ids)?;
                return Ok(Creation::Created(reply));
            }
            None => return verify(cx, resource, entry).await,
        },
        Err(StepError::Call(refusal)) if R::is_taken(&refusal) => refusal,
        Err(error) => return Err(entry.error(error)),
    };
    let code = refusal.code.clone().unwrap_or_default();
    let is_final = refusal.outcome == Outcome::Refused && !R::LOOKED_BEFORE;
    let (found, owner) = match look(cx, resource, &entry).await {
        // An earlier one, of which the run knows, has an entry of its own.
        Look::Earlier(found) => {
            entry.refused(&code)?;
            return Ok(Creation::Taken(refusal, found));
        }
        Look::Found(found, owner) => (found, owner),
        // What is not seen may be there all the same.
        Look::Nothing => {
            note(entry, refusal.clone())?;
            return Ok(Creation::Taken(refusal, None));
        }
        Look::Unseen(found, unseen) => {
            note(entry, unseen)?;
            return Ok(Creation::Taken(refusal, found));
        }
    };
    match owner {
        Owner::ThisRun => {
            entry.done(&R::ids(&found))?;
            return Ok(Creation::Found(found));
        }
        // Tags that are not seen yet do not tell.
        Owner::Unknown if !is_final => note(entry, refusal.clone())?,
        Owner::Unknown | Owner::Somebody | Owner::AnotherRun(_) => entry.refused(&code)?,
    }
    Ok(Creation::Taken(refusal, Some(found)))
}

/// Decides by a look what a success that proves nothing was.
async fn verify<R: Unique, T>(
    cx: &Context,
    resource: &R,
    entry: Entry,
) -> Result<Creation<T, R::Found>, StepError> {
    match look(cx, resource, &entry).await {
        Look::Found(found, Owner::ThisRun) => {
            entry.done(&R::ids(&found))?;
            Ok(Creation::Found(found))
        }
        Look::Found(found, Owner::Somebody | Owner::AnotherRun(_)) => {
            entry.refused("AlreadyExists")?;
            Ok(Creation::Taken(unproven(), Some(found)))
        }
        Look::Earlier(found) => {
            entry.refused("AlreadyExists")?;
            Ok(Creation::Taken(unproven(), found))
        }
        Look::Unseen(_, unseen) => Err(entry.unsure(unseen)),
        Look::Found(_, Owner::Unknown) | Look::Nothing => Err(entry.unsure(unproven())),
    }
}

/// What a look has found.
enum Look<F> {
    /// The run has made something of that name before.
    Earlier(Option<F>),
    Found(F, Owner),
    Nothing,
    /// It failed, perhaps only when asked whose that is which it has found.
    Unseen(Option<F>, StepError),
}

async fn look<R: Unique>(cx: &Context, resource: &R, entry: &Entry) -> Look<R::Found> {
    let earlier = cx.made_before(entry, |other: &R| resource.is_same(other));
    match resource.find(cx).await {
        Ok(found) if earlier => Look::Earlier(found),
        Err(_) if earlier => Look::Earlier(None),
        Ok(None) => Look::Nothing,
        Err(unseen) => Look::Unseen(None, unseen),
        Ok(Some(found)) => match resource.whose(cx, &found).await {
            Ok(owner) => Look::Found(found, owner),
            Err(unseen) => Look::Unseen(Some(found), unseen),
        },
    }
}

/// Leaves the entry open: the clean-up looks again.
fn note(entry: Entry, error: impl Into<StepError>) -> Result<(), StepError> {
    match entry.unsure(error) {
        StepError::Ledger(unwritten) => Err(unwritten.into()),
        _ => Ok(()),
    }
}

/// Of a reply that proves nothing.
fn unproven() -> CallError {
    CallError {
        service: String::new(),
        operation: String::new(),
        code: Some("InvalidOutput".to_owned()),
        message: "the reply does not say what was made".to_owned(),
        status: None,
        request_id: None,
        outcome: Outcome::Unknown,
    }
}
