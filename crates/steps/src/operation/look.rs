//! A look at what an operation has made: whether it is there, and whose it is, as its tags show.

use serde_json::{Map, Value, json};

use engine::aws::model::{Effect, Found, Member, Next, Operation, effect};
use engine::aws::operation::OperationCall;
use engine::aws::{Aws, CallError, Outcome};
use engine::step::{Context, Owner, RunFacts, StepError};

use super::finder;
use super::made::{Ids, Made, arn_in, noun};

/// What a look has found.
pub(super) enum Seen {
    /// Nothing.
    Gone,
    /// It is there.
    There(Owner),
    /// There is no way to look, or none that this caller may go.
    Unseen,
}

/// Looks at what has been made. `ids` is absent where the reply was lost.
pub(super) async fn look(
    cx: &Context,
    found: &Found,
    made: &Made,
    ids: Option<&Ids>,
) -> Result<Seen, StepError> {
    let undo = found.operation.undo.as_ref();
    let read = undo.and_then(|undo| undo.read.as_ref());
    let input = match (ids.and_then(|ids| ids.read.clone()), read) {
        (Some(input), _) => Some(input),
        (None, Some(read)) => read.input(&made.given(), None).map(Value::Object),
        (None, None) => None,
    };
    let mut facts = made.given();
    if let (Value::Object(facts), Some(ids)) = (&mut facts, ids) {
        for known in [&ids.undo, &ids.read].into_iter().flatten().filter_map(Value::as_object) {
            facts.extend(known.clone());
        }
        if let Some(arn) = &ids.arn {
            facts.insert("Arn".to_owned(), Value::from(arn.as_str()));
        }
    }
    if let (Some(read), Some(input)) = (read, input) {
        let Some(reader) = found.service.operation(read.operation) else { return Ok(Seen::Unseen) };
        let reader = Found { service: found.service, operation: reader };
        match call(cx, &reader, &input).await {
            Ok(answer) if is_empty(&answer) => return Ok(Seen::Gone),
            Ok(answer) => {
                if let Some(tag) = tag_in(&answer) {
                    return Ok(Seen::There(Owner::of(cx, Some(&tag))));
                }
                if let (Value::Object(facts), Some(arn)) = (&mut facts, arn_in(&answer)) {
                    facts.entry("Arn").or_insert(Value::from(arn));
                }
                if !made.tagged {
                    return Ok(Seen::There(Owner::Unknown));
                }
            }
            Err(error) if is_gone(&error) => return Ok(Seen::Gone),
            Err(error) if is_denied(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !made.tagged {
        return Ok(Seen::Unseen);
    }
    match tag_of(cx, found, &facts).await? {
        Some(owner) => Ok(Seen::There(owner)),
        None => finder::look_among_all(cx, found, made).await,
    }
}

/// Whose something is, as the operation that lists its tags tells; nothing where there is no such operation.
pub(super) async fn tag_of(
    cx: &Context,
    found: &Found,
    facts: &Value,
) -> Result<Option<Owner>, StepError> {
    let mut asked = Vec::new();
    for operation in found.service.operations.iter().filter(|it| lists_tags(it)) {
        let lister = Found { service: found.service, operation };
        if let Some((input, guessed)) = filled(&lister, facts, noun(found.operation.name)) {
            asked.push((guessed, lister, input));
        }
    }
    // What is asked for by its own name comes before what is asked for by an ARN.
    asked.sort_by_key(|(guessed, ..)| *guessed);
    for (_, lister, input) in asked {
        match call(cx, &lister, &input).await {
            Ok(answer) => return Ok(Some(Owner::of(cx, tag_in(&answer).as_deref()))),
            Err(error) if is_gone(&error) || is_denied(&error) => {}
            // Of another thing, or not known to this server.
            Err(error) if error.status.is_some_and(|status| status == 400 || status >= 500) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn lists_tags(operation: &Operation) -> bool {
    let name = operation.name;
    ["List", "Get", "Describe"].iter().any(|verb| name.starts_with(verb))
        && name.contains("Tag")
        && effect(operation) == Effect::Reads
        && !operation.deprecated
}

/// The input of an operation that needs nothing but what is known: members of the same name, or an ARN; and how many of them are
/// taken for one.
fn filled(reader: &Found, facts: &Value, noun: &str) -> Option<(Value, usize)> {
    let facts = facts.as_object()?;
    let mut input = Map::new();
    let mut guessed = 0;
    for member in reader.service.input_of(reader.operation) {
        let same = facts.iter().find(|(key, _)| key.eq_ignore_ascii_case(member.name));
        match same {
            Some((_, value)) => drop(input.insert(member.name.to_owned(), value.clone())),
            None if member.required => {
                guessed += 1;
                input.insert(member.name.to_owned(), arn_for(member, facts, noun)?);
            }
            None => {}
        }
    }
    (!input.is_empty()).then_some((Value::Object(input), guessed))
}

/// The ARN of the thing itself: of what else it tells the ARN, the tags are another's.
fn arn_for(member: &Member, facts: &Map<String, Value>, noun: &str) -> Option<Value> {
    let name = member.name.to_ascii_lowercase();
    let takes_arn = name.ends_with("arn")
        || matches!(name.as_str(), "resource" | "resourceid" | "resourcename");
    let arns: Vec<(&String, &str)> = facts
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .filter(|(_, text)| text.starts_with("arn:"))
        .collect();
    let own = format!("{}arn", noun.to_ascii_lowercase());
    let is_own = |key: &str| matches!(key.to_ascii_lowercase(), key if key == "arn" || key == own);
    let arn = match arns.iter().find(|(key, _)| is_own(key)) {
        Some((_, arn)) => *arn,
        None => arns.first().filter(|_| arns.len() == 1)?.1,
    };
    // The ARN of a log group ends so where it stands for its streams.
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    takes_arn.then(|| Value::from(arn))
}

/// A call that only looks. What is not known in a dry run counts as the run's own.
pub(super) async fn call(cx: &Context, found: &Found, input: &Value) -> Result<Value, CallError> {
    let call = OperationCall { found: *found, input, shown: None, once: false };
    let tag = json!({"Tags": {RunFacts::TAG_KEY: cx.run.id}});
    cx.aws.operation(call, || tag).await
}

/// A call that only looks, by the operation's name, without a step.
pub(crate) async fn look_with(aws: &Aws, name: &str, input: &Value) -> Result<Value, CallError> {
    let Some(found) = super::found(name) else {
        let (service, operation) = name.split_once(':').unwrap_or((name, ""));
        return Err(CallError {
            service: service.to_owned(),
            operation: operation.to_owned(),
            code: Some("UnknownOperation".to_owned()),
            message: format!("this version of playbook does not know {name}"),
            status: None,
            request_id: None,
            outcome: Outcome::Refused,
        });
    };
    let call = OperationCall { found, input, shown: None, once: false };
    aws.operation(call, || Value::Null).await
}

/// The input of the next page, where there is one.
pub(crate) fn next_page(name: &str, input: &Value, answer: &Value) -> Option<Value> {
    let pages = super::found(name)?.operation.pages.as_ref()?;
    match pages.next(input.as_object()?, answer) {
        Ok(Next::Page(next)) => Some(Value::Object(next)),
        Ok(Next::Done | Next::Stuck) | Err(_) => None,
    }
}

/// Whether a server does not have an operation at all.
pub(crate) fn is_unknown_operation(error: &CallError) -> bool {
    let codes = ["InvalidAction", "UnknownOperation", "NotImplemented"];
    let is_one = |code: &String| codes.iter().any(|word| code.contains(word));
    error.code.as_ref().is_some_and(is_one) || matches!(error.status, Some(405 | 501))
}

/// The value of the run's tag, in whichever form an answer has its tags.
pub(super) fn tag_in(value: &Value) -> Option<String> {
    let key = RunFacts::TAG_KEY;
    match value {
        Value::Object(map) => {
            if let Some(value) = map.get(key).and_then(Value::as_str) {
                return Some(value.to_owned());
            }
            let is_key = |name: &String| name.to_ascii_lowercase().ends_with("key");
            let is_value = |name: &String| name.to_ascii_lowercase().ends_with("value");
            if map.iter().any(|(name, value)| is_key(name) && value == key) {
                let value = map.iter().find(|(name, _)| is_value(name));
                return value.and_then(|(_, value)| value.as_str()).map(str::to_owned);
            }
            map.values().find_map(tag_in)
        }
        Value::Array(items) => items.iter().find_map(tag_in),
        _ => None,
    }
}

/// Whether an answer lists nothing at all.
fn is_empty(answer: &Value) -> bool {
    let Some(map) = answer.as_object() else { return false };
    let lists: Vec<&Vec<Value>> = map.values().filter_map(Value::as_array).collect();
    !lists.is_empty()
        && lists.iter().all(|list| list.is_empty())
        && map.values().all(|value| value.is_array() || value.is_null())
}

/// Whether a refusal says that there is no such thing. That a server does not know the operation says nothing of that.
pub(crate) fn is_gone(error: &CallError) -> bool {
    let Some(code) = error.code.as_ref().filter(|_| !is_denied(error)) else { return false };
    let says = ["NotFound", "NoSuch", "NonExist", "DoesNotExist", "NotExist", "Unknown", "404"];
    says.iter().any(|word| code.contains(word))
        || error.status == Some(404)
        || error.status == Some(400) && error.message.contains("does not exist")
}

/// Whether a refusal says that there is something of that name already.
pub(super) fn is_taken(error: &CallError) -> bool {
    let Some(code) = &error.code else { return false };
    let says = ["Exists", "AlreadyOwnedByYou", "Duplicate", "InUse", "Conflict", "AlreadyExist"];
    says.iter().any(|word| code.contains(word))
}

/// Whether these credentials may not look, or the server does not know how.
fn is_denied(error: &CallError) -> bool {
    let Some(code) = &error.code else { return false };
    let says =
        ["AccessDenied", "Unauthorized", "NotImplemented", "InvalidAction", "UnknownOperation"];
    says.iter().any(|word| code.contains(word)) || matches!(error.status, Some(403 | 405 | 501))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_a_server_does_not_know_proves_nothing() {
        let refused = |code: &str, status: u16| CallError {
            service: "sqs".to_owned(),
            operation: "DeleteQueue".to_owned(),
            code: Some(code.to_owned()),
            message: code.to_owned(),
            status: Some(status),
            request_id: None,
            outcome: Outcome::Refused,
        };
        for code in ["QueueDoesNotExist", "ResourceNotFoundException", "NoSuchEntity"] {
            assert!(is_gone(&refused(code, 400)), "{code}");
        }
        for (code, status) in [("UnknownOperationException", 404), ("InvalidAction", 404)] {
            assert!(!is_gone(&refused(code, status)), "{code}");
        }
    }

    #[test]
    fn a_tag_is_found_in_every_form() {
        for answer in [
            json!({"Tags": {"playbook:run": "k3f9"}}),
            json!({"tagList": [{"key": "a", "value": "b"}, {"key": "playbook:run", "value": "k3f9"}]}),
            json!({"Vpcs": [{"VpcId": "v", "Tags": [{"Key": "playbook:run", "Value": "k3f9"}]}]}),
            json!({"Tags": [{"TagKey": "playbook:run", "TagValue": "k3f9"}]}),
        ] {
            assert_eq!(tag_in(&answer).as_deref(), Some("k3f9"), "{answer}");
        }
        assert_eq!(tag_in(&json!({"Tags": [{"Key": "run", "Value": "k3f9"}]})), None);
    }

    #[test]
    fn an_answer_that_lists_nothing_is_empty() {
        assert!(is_empty(&json!({"Vpcs": []})));
        assert!(!is_empty(&json!({"Vpcs": [{}]})));
        assert!(!is_empty(&json!({"Queue": {}, "Tags": []})));
        assert!(!is_empty(&json!({})));
    }
}
