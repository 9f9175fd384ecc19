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
            None => unproven(),
        },
        Err(StepError::Call(refusal)) if R::is_taken(&refusal) => refusal,
        Err(error) => return Err(entry.error(error)),
    };
    look(cx, resource, entry, refusal).await
}

/// Decides by a look whose it is that has the name.
async fn look<R: Unique, T>(
    cx: &Context,
    resource: &R,
    entry: Entry,
    refusal: CallError,
) -> Result<Creation<T, R::Found>, StepError> {
    let code = refusal.code.clone().unwrap_or_default();
    let earlier = cx.made_before(&entry, |other: &R| resource.is_same(other));
    let found = match resource.find(cx).await {
        Ok(Some(found)) => found,
        // What made the earlier one is seen to by its own entry.
        _ if earlier => {
            entry.refused(&code)?;
            return Ok(Creation::Taken(refusal, None));
        }
        // What is not seen may be there all the same.
        Ok(None) => return open(entry, refusal, None),
        Err(unseen) => {
            note(entry, unseen)?;
            return Ok(Creation::Taken(refusal, None));
        }
    };
    if earlier {
        entry.refused(&code)?;
        return Ok(Creation::Taken(refusal, Some(found)));
    }
    match resource.whose(cx, &found).await {
        Ok(Owner::ThisRun) => {
            entry.done(&R::ids(&found))?;
            Ok(Creation::Found(found))
        }
        Ok(Owner::AnotherRun(_)) => {
            entry.refused(&code)?;
            Ok(Creation::Taken(refusal, Some(found)))
        }
        Ok(Owner::Unknown) if refusal.outcome == Outcome::Refused && !R::LOOKED_BEFORE => {
            entry.refused(&code)?;
            Ok(Creation::Taken(refusal, Some(found)))
        }
        // Tags that are not seen yet do not tell.
        Ok(Owner::Unknown) => open(entry, refusal, Some(found)),
        Err(unseen) => {
            note(entry, unseen)?;
            Ok(Creation::Taken(refusal, Some(found)))
        }
    }
}

/// Leaves the entry open: the clean-up looks again.
fn open<T, F>(
    entry: Entry,
    refusal: CallError,
    found: Option<F>,
) -> Result<Creation<T, F>, StepError> {
    note(entry, refusal.clone())?;
    Ok(Creation::Taken(refusal, found))
}

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
