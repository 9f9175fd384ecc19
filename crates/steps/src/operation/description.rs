//! What an operation says of itself: made from its model when it is first asked for, and kept.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use engine::aws::model::{self, Effect, Found, Kind, Member, effect};
use engine::aws::operation::unsupported;
use engine::language::spec::{OperationEffect, OperationSpec, UnknownOperation};
use engine::step::Spec;

use super::{found, is_operation, schema};

/// What the operation of that name says of itself.
pub(crate) fn spec(name: &str) -> Option<&'static Spec> {
    static SPECS: OnceLock<Mutex<HashMap<&'static str, &'static Spec>>> = OnceLock::new();
    if !is_operation(name) {
        return None;
    }
    let specs = SPECS.get_or_init(Mutex::default);
    let mut specs = specs.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spec) = specs.get(name) {
        return Some(spec);
    }
    let spec: &'static Spec = Box::leak(Box::new(describe(&found(name)?)));
    specs.insert(spec.name, spec);
    Some(spec)
}

/// What each operation of a service says of itself, by name.
///
/// # Errors
/// There is no such service; it is said which may have been meant.
pub fn operations_of(service: &str) -> Result<Vec<&'static Spec>, UnknownOperation> {
    let Some(model) = model::service(service) else {
        let help = match model::nearest_services(service).as_slice() {
            [] => "write the service as the AWS CLI does, such as `sqs`".to_owned(),
            near => format!("did you mean {}?", listed(near.iter().copied())),
        };
        return Err(UnknownOperation { message: format!("unknown AWS service `{service}`"), help });
    };
    let names = model.operations.iter().map(|operation| format!("{service}:{}", operation.name));
    Ok(names.filter_map(|name| spec(&name)).collect())
}

/// What there is to say of a name that looks like an operation and is none.
pub(crate) fn unknown(name: &str) -> Option<UnknownOperation> {
    if !is_operation(name) {
        return None;
    }
    let unknown = model::find(name).err()?;
    let help = match unknown.candidates() {
        [] => match name.split_once(':').map(|(service, _)| (service, model::service(service))) {
            Some((service, Some(_))) => {
                format!("`playbook steps --service {service}` lists its operations")
            }
            Some((service, None)) => match model::nearest_services(service).as_slice() {
                [] => "write the service as the AWS CLI does, such as `sqs:CreateQueue`".to_owned(),
                near => format!("did you mean the service {}?", listed(near.iter().copied())),
            },
            None => return None,
        },
        [first] => format!("did you mean `{first}`?"),
        several => format!("did you mean {}?", listed(several.iter().map(String::as_str))),
    };
    Some(UnknownOperation { message: unknown.to_string(), help })
}

/// `a`, `b` or `c`.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn describe(found: &Found) -> Spec {
    let (service, operation) = (found.service, found.operation);
    let name: &'static str = format!("{}:{}", service.name, operation.name).leak();
    let undo = operation.undo.as_ref();
    let effect = match effect(operation) {
        Effect::Creates => OperationEffect::Creates,
        Effect::Changes => OperationEffect::Changes,
        Effect::Reads | Effect::Acts => OperationEffect::Nothing,
    };
    let mut waiters: Vec<&'static str> = service.waiters.iter().map(|waiter| waiter.name).collect();
    waiters.sort_unstable();
    let facts = OperationSpec {
        effect,
        undo: undo.map(|undo| format!("{}:{}", service.name, undo.operation)),
        pages: operation.pages.is_some(),
        waiters,
        unsupported: unsupported(found),
    };
    let calls: &'static [&'static str] = Box::leak(Box::new([name]));
    Spec {
        name,
        summary: format!("Calls `{}` of {}.", operation.name, service.metadata.full_name),
        details: details(found, &facts),
        input: schema::input(found),
        output: schema::output(found),
        secret_inputs: Vec::new(),
        secret_outputs: Vec::new(),
        shorthand: None,
        calls,
        calls_on_failure: &[],
        permissions: &[],
        undo_permissions: Vec::new(),
        makes: Vec::new(),
        example: example(found, name).leak(),
        operation: Some(facts),
    }
}

/// What of the step keys it takes, and what becomes of what it does.
fn details(found: &Found, facts: &OperationSpec) -> String {
    let mut text = String::new();
    if let Some(reason) = facts.unsupported {
        let _ = write!(text, "It cannot be a step: it {reason}. ");
    }
    match (&facts.undo, facts.effect) {
        (Some(undo), _) => {
            let _ = write!(text, "The clean-up takes it back with `{undo}`");
            if found.operation.undo.as_ref().is_some_and(|undo| undo.upsert) {
                text.push_str("; what was there before is never overwritten");
            }
            text.push_str(". ");
        }
        (None, OperationEffect::Creates) => {
            text.push_str("What it makes is not known how to take back: the step says `undo`, or `keep: true`. ");
        }
        (None, OperationEffect::Changes) => {
            text.push_str("It changes what is there: the step says `undo`, or `keep: true`. ");
        }
        (None, OperationEffect::Nothing) => {}
    }
    if facts.pages {
        text.push_str("Its answer comes in pages: `pages: all` joins them, a number so many. ");
    }
    if !facts.waiters.is_empty() {
        let own = listed(facts.waiters.iter().copied());
        let _ = write!(text, "`wait` takes {own}. ");
    }
    text.trim_end().to_owned()
}

/// A step with what the operation needs at least.
fn example(found: &Found, name: &str) -> String {
    let required = |member: &&Member| member.required && !member.traits.idempotency_token;
    let members = found.service.input_of(found.operation).iter().filter(required);
    let mut text = format!("- {name}:");
    let mut any = false;
    for member in members {
        any = true;
        let _ = write!(text, "\n    {}: {}", member.name, sample(found, member));
    }
    text.push_str(if any { "\n" } else { " {}\n" });
    text
}

fn sample(found: &Found, member: &Member) -> String {
    let shape = found.service.shape_of(member);
    match &shape.kind {
        Kind::Structure(_) | Kind::Map(_) => "{…}".to_owned(),
        Kind::List(_) => "[…]".to_owned(),
        Kind::String => match shape.enumeration.first() {
            Some(first) => (*first).to_owned(),
            None if member.name.ends_with("Name") => "\"demo-{{ run.id }}\"".to_owned(),
            None => "…".to_owned(),
        },
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double => {
            shape.min.as_ref().map_or_else(|| "1".to_owned(), ToString::to_string)
        }
        Kind::Boolean => "true".to_owned(),
        Kind::Blob => "{file: …}".to_owned(),
        Kind::Timestamp => "2026-01-31T12:00:00Z".to_owned(),
    }
}
