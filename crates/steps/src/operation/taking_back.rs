//! The clean-up of what an operation has made or changed, from the journal alone.

use serde_json::Value;

use engine::aws::model::Found;
use engine::aws::operation::OperationCall;
use engine::step::context::Backoff;
use engine::step::{Context, Owner, StepError, Undone};

use super::finder::{self, Search};
use super::found;
use super::look::{self, Seen, is_gone};
use super::made::{Ids, Made, UndoCall};
use super::waiting;

/// How long what has been deleted is looked at until it is gone.
const GONE: Backoff = Backoff::seconds(300);

/// Takes back what the journal says was done.
pub(super) async fn undo(
    cx: Context,
    made: Value,
    ids: Option<Value>,
) -> Result<Undone, StepError> {
    let unreadable = |error: serde_json::Error| {
        StepError::failed(
            "JournalUnreadable",
            format!("the journal's entry is not understood: {error}"),
        )
    };
    let made: Made = serde_json::from_value(made).map_err(unreadable)?;
    let ids: Option<Ids> = ids.map(serde_json::from_value).transpose().map_err(unreadable)?;
    let Some(operation) = found(&made.operation) else {
        let message = format!("this version of playbook does not know {}", made.operation);
        return Err(StepError::failed("UnknownType", message));
    };
    if let Some(own) = &made.undo {
        return own_undo(&cx, &made, own, ids.as_ref()).await;
    }
    by_table(&cx, &operation, &made, ids).await
}

/// What the playbook itself has said.
async fn own_undo(
    cx: &Context,
    made: &Made,
    intended: &UndoCall,
    ids: Option<&Ids>,
) -> Result<Undone, StepError> {
    let own = match ids.and_then(|ids| ids.own.as_ref()) {
        Some(own) => own,
        None if holds_unknown(&intended.input) && !cx.presumes() => {
            let reason = format!(
                "what takes it back, {}, needs something of the reply, which was lost",
                intended.operation
            );
            return Ok(Undone::Unproven { reason });
        }
        None => intended,
    };
    if ids.is_none() && !made.is_named_after(cx) && !cx.presumes() {
        let reason = format!("its name does not hold the run's id {}", cx.run.id);
        return Ok(Undone::Unproven { reason });
    }
    let Some(undoing) = found(&own.operation) else {
        let message = format!("this version of playbook does not know {}", own.operation);
        return Err(StepError::failed("UnknownType", message));
    };
    let undone = call(cx, &undoing, &own.input).await?;
    if let (Some(wait), true) = (&own.wait, undone != Undone::AlreadyGone) {
        let facts = [&own.input];
        waiting::wait(cx, &undoing, &wait.name, wait.input.as_ref(), &facts).await?;
    }
    Ok(undone)
}

fn holds_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('⟨'),
        Value::Array(items) => items.iter().any(holds_unknown),
        Value::Object(map) => map.values().any(holds_unknown),
        _ => false,
    }
}

/// What the model knows.
async fn by_table(
    cx: &Context,
    operation: &Found,
    made: &Made,
    ids: Option<Ids>,
) -> Result<Undone, StepError> {
    if operation.operation.undo.is_none() {
        let message = format!("nothing is known that takes back {}", made.operation);
        return Err(StepError::failed("UnknownType", message));
    }
    let Some(ids) = ids else {
        return match whose(cx, operation, made).await? {
            Whose::Ours(outputs) => all(cx, operation, made, outputs).await,
            Whose::Decided(undone) => Ok(undone),
        };
    };
    if made.tagged {
        match look::look(cx, operation, made, Some(&ids)).await? {
            Seen::Gone => return Ok(Undone::AlreadyGone),
            Seen::There(owner @ (Owner::AnotherRun(_) | Owner::Somebody)) => {
                if let Some(spared) = owner.spared(cx) {
                    return Ok(spared);
                }
            }
            Seen::There(_) | Seen::Unseen => {}
        }
    }
    let undone = by_ids(cx, operation, &ids).await?;
    let may_be_two = made.tagged && made.name(operation).is_some();
    if may_be_two && made.is_another_each_time(operation) && !cx.presumes() {
        // Whatever stands in front of AWS may have handed the request on twice. Who may not list what is there is not kept from
        // deleting what is known.
        if let Ok(Search::Found(others)) = finder::find(cx, operation, made).await {
            all(cx, operation, made, others.into_iter().map(Some).collect()).await?;
        }
    }
    Ok(undone)
}

/// Takes back everything of which this is known of the output, or all that the input tells.
async fn all(
    cx: &Context,
    operation: &Found,
    made: &Made,
    outputs: Vec<Option<Value>>,
) -> Result<Undone, StepError> {
    let given = made.given();
    let undo = operation.operation.undo.as_ref();
    let mut undone = Undone::AlreadyGone;
    for output in outputs {
        let read = undo.and_then(|undo| undo.read.as_ref()?.input(&given, output.as_ref()));
        let ids = Ids {
            undo: undo.and_then(|undo| undo.input(&given, output.as_ref())).map(Value::Object),
            read: read.map(Value::Object),
            ..Ids::default()
        };
        undone = by_ids(cx, operation, &ids).await?;
    }
    Ok(undone)
}

/// Takes back the one thing that has these ids.
async fn by_ids(cx: &Context, operation: &Found, ids: &Ids) -> Result<Undone, StepError> {
    let Some(undo) = operation.operation.undo.as_ref() else { return Ok(Undone::AlreadyGone) };
    let Some(input) = &ids.undo else {
        let reason = format!("{} needs an id that is not known", undo.operation);
        return Ok(Undone::Unproven { reason });
    };
    let Some(opposite) = operation.service.operation(undo.operation) else {
        return Err(StepError::failed("UnknownType", format!("there is no {}", undo.operation)));
    };
    let opposite = Found { service: operation.service, operation: opposite };
    let undone = call(cx, &opposite, input).await?;
    if undone != Undone::AlreadyGone {
        until_gone(cx, operation, ids).await?;
    }
    Ok(undone)
}

/// Whose something is of which the reply was lost.
enum Whose {
    /// It is the run's: what a look has found of the output, where that is needed. A request that arrived twice may have made
    /// two.
    Ours(Vec<Option<Value>>),
    /// It is not there, somebody else's, or nothing tells.
    Decided(Undone),
}

async fn whose(cx: &Context, operation: &Found, made: &Made) -> Result<Whose, StepError> {
    let is_known_before =
        operation.operation.undo.as_ref().is_some_and(engine::aws::model::Undo::is_known_before);
    if !is_known_before {
        return Ok(match finder::find(cx, operation, made).await? {
            Search::Found(outputs) => Whose::Ours(outputs.into_iter().map(Some).collect()),
            Search::Nothing => Whose::Decided(Undone::AlreadyGone),
            // It goes with what it lies in.
            Search::Unclear(_) if made.within => Whose::Decided(Undone::AlreadyGone),
            Search::Unclear(reason) => Whose::Decided(Undone::Unproven { reason }),
        });
    }
    if made.tagged {
        match look::look(cx, operation, made, None).await? {
            Seen::Gone => return Ok(Whose::Decided(Undone::AlreadyGone)),
            Seen::There(owner) => match owner.spared(cx) {
                None => return Ok(Whose::Ours(vec![None])),
                Some(spared) => return Ok(Whose::Decided(spared)),
            },
            // Nothing shows its tags, neither by its name nor in a list: then its name is what tells.
            Seen::Unseen => {}
        }
    }
    if made.within || made.is_named_after(cx) || cx.presumes() {
        return Ok(Whose::Ours(vec![None]));
    }
    let reason = format!("its name does not hold the run's id {}", cx.run.id);
    Ok(Whose::Decided(Undone::Unproven { reason }))
}

/// Calls what takes something back. What is still held by something else is let go of in a while.
async fn call(cx: &Context, undoing: &Found, input: &Value) -> Result<Undone, StepError> {
    let passes = |error: &engine::aws::CallError| {
        let code = error.code.as_deref().unwrap_or_default();
        [
            "DependencyViolation",
            "InUse",
            "DeleteConflict",
            "NotEmpty",
            "OperationAborted",
            "ConflictException",
        ]
        .iter()
        .any(|word| code.contains(word))
    };
    let called = cx.while_refused(Backoff::seconds(60), passes, || {
        let call = OperationCall { found: *undoing, input, shown: None, once: false };
        cx.aws.operation(call, || Value::Null)
    });
    match called.await {
        Ok(_) => {
            let verbs = [
                "Delete",
                "Terminate",
                "Remove",
                "Deregister",
                "Detach",
                "Release",
                "Schedule",
                "Un",
                "Disassociate",
                "Revoke",
                "AdminDelete",
            ];
            let takes_away = verbs.iter().any(|verb| undoing.operation.name.starts_with(verb));
            Ok(if takes_away { Undone::Deleted } else { Undone::Restored })
        }
        Err(StepError::Call(error)) if is_gone(&error) => Ok(Undone::AlreadyGone),
        Err(error) => Err(error),
    }
}

/// Words for states in which something is as good as gone.
const ENDED: [&str; 7] = [
    "DELETED",
    "TERMINATED",
    "INACTIVE",
    "PENDINGDELETION",
    "DELETING",
    "SHUTTING-DOWN",
    "DELETE_COMPLETE",
];

/// Waits until what was deleted is no more seen.
async fn until_gone(cx: &Context, operation: &Found, ids: &Ids) -> Result<(), StepError> {
    let Some(undo) = operation.operation.undo.as_ref() else { return Ok(()) };
    let (Some(read), Some(input)) = (undo.read.as_ref(), &ids.read) else { return Ok(()) };
    if let Some(waiter) = undo.gone.filter(|_| !cx.presumes()) {
        let facts = [input, input];
        return match waiting::wait(cx, operation, waiter, None, &facts).await {
            Err(StepError::Failed { code, .. }) if code == "WaiterInput" => Ok(()),
            other => other,
        };
    }
    let Some(reader) = operation.service.operation(read.operation) else { return Ok(()) };
    let reader = Found { service: operation.service, operation: reader };
    let what = format!("{} until it is gone", read.operation);
    cx.until(&what, GONE, || async {
        let call = OperationCall { found: reader, input, shown: None, once: false };
        match cx.aws.operation(call, || Value::Null).await {
            // A head has nothing inside, whatever it is of.
            Ok(answer) if answer.is_null() => Ok(Some(())),
            Ok(answer) if !read.operation.starts_with("Head") && is_ended(&answer) => Ok(Some(())),
            Ok(_) => Ok(None),
            Err(error) if is_gone(&error) => Ok(Some(())),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Whether an answer lists nothing, or only what has ended.
fn is_ended(answer: &Value) -> bool {
    let Some(map) = answer.as_object() else { return true };
    let lists = map.values().filter_map(Value::as_array);
    // Some servers answer with nothing at all where there is nothing.
    if map.values().all(Value::is_null) {
        return true;
    }
    let all_empty = lists.clone().count() > 0 && lists.clone().all(Vec::is_empty);
    all_empty || says_ended(answer)
}

fn says_ended(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let is_state = name.ends_with("status") || name.ends_with("state") || name == "name";
            let ended = value
                .as_str()
                .is_some_and(|text| ENDED.contains(&text.to_ascii_uppercase().as_str()));
            is_state && ended || !value.is_string() && says_ended(value)
        }),
        Value::Array(items) => !items.is_empty() && items.iter().all(says_ended),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_ended;

    #[test]
    fn what_has_ended_is_gone() {
        assert!(is_ended(&json!({"Reservations": []})));
        assert!(is_ended(
            &json!({"Reservations": [{"Instances": [{"State": {"Name": "terminated"}}]}]})
        ));
        assert!(!is_ended(
            &json!({"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}]})
        ));
        assert!(!is_ended(&json!({"Role": {"RoleName": "a"}})));
        assert!(is_ended(&json!({"WorkGroup": null})));
        assert!(is_ended(&json!({"clusters": [{"status": "INACTIVE"}]})));
    }
}
