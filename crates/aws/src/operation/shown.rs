//! What is shown of a call: its members, without what is secret, and with what is not known yet.

use aws_model::wire::{Call, Request};
use aws_model::{Found, Kind, Location, Member, Service};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::OperationCall;
use crate::captured::MASK;

/// What is shown of a call in place of what its request would tell.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) parameters: Value,
}

/// Whether the answer is whatever somebody has stored or a function has said.
pub(super) fn returns_bytes(found: &Found) -> bool {
    let output = found.operation.output.as_ref();
    let structure = output.and_then(|output| found.service.structure_of(output));
    structure.and_then(aws_model::Structure::payload_member).is_some_and(|payload| {
        matches!(found.service.shape_of(payload).kind, Kind::Blob | Kind::String)
    })
}

pub(super) fn preset(call: &OperationCall<'_>, written: &Call<'_>) -> Preset {
    let Found { service, operation } = &call.found;
    let parameters = masked(&call.found, call.shown.unwrap_or(call.input));
    let in_body = |name: &str| {
        let member = service.input_of(operation).iter().find(|member| member.name == name);
        member.is_some_and(|member| member.traits.location.is_none())
    };
    let body = match &parameters {
        Value::Object(members) => {
            let members: Map<String, Value> = members
                .iter()
                .filter(|(name, _)| in_body(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            if members.is_empty() { Value::Null } else { Value::Object(members) }
        }
        _ => Value::Null,
    };
    // What is secret in a path or a query is masked there as well.
    let request = written.request(&stand_ins_for(&call.found, &parameters, true));
    let path = request.map_or_else(|_| operation.uri.to_owned(), |request| path(&request));
    Preset { path, body, parameters }
}

fn path(request: &Request) -> String {
    percent_decode_str(&request.target()).decode_utf8_lossy().into_owned()
}

/// An input without what the model says is secret. What is not known yet is no secret.
#[must_use]
pub fn masked(found: &Found, input: &Value) -> Value {
    let Some(root) = &found.operation.input else { return input.clone() };
    let mask = |value: &Value| match value {
        Value::String(text) if text.contains('⟨') => value.clone(),
        _ => Value::from(MASK),
    };
    aws_model::secrets::masked(found.service, root, input, &mask)
}

/// An input that can be written although parts of it are not known yet: what stands for them is of their type. Texts stay as
/// they are, but for those that become part of a host's name.
#[must_use]
pub fn stand_ins(found: &Found, input: &Value) -> Value {
    stand_ins_for(found, input, false)
}

fn stand_ins_for(found: &Found, input: &Value, shown: bool) -> Value {
    match &found.operation.input {
        Some(root) => Filled { service: found.service, shown }.value(root, input),
        None => input.clone(),
    }
}

struct Filled<'s> {
    service: &'s Service,
    /// Whether it is for people, and not for the wire.
    shown: bool,
}

impl Filled<'_> {
    fn value(&self, member: &Member, value: &Value) -> Value {
        let shape = self.service.shape_of(member);
        match (&shape.kind, value) {
            (_, Value::String(text)) if is_standing_in(text) => self.unknown(member, text),
            (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
                let filled = map.iter().map(|(name, value)| {
                    let filled = match structure.member(name) {
                        Some(member) => self.value(member, value),
                        None => value.clone(),
                    };
                    (name.clone(), filled)
                });
                Value::Object(filled.collect())
            }
            (Kind::List(of), Value::Array(items)) => {
                items.iter().map(|item| self.value(of, item)).collect()
            }
            (Kind::Map(parts), Value::Object(map)) => Value::Object(
                map.iter().map(|(key, value)| (key.clone(), self.value(&parts.1, value))).collect(),
            ),
            _ => value.clone(),
        }
    }

    /// What stands for a value of which nothing is known but its shape.
    fn unknown(&self, member: &Member, text: &str) -> Value {
        let names_a_host = member.traits.context_param().is_some() || member.traits.host_label;
        let shape = self.service.shape_of(member);
        match &shape.kind {
            Kind::String if names_a_host && !self.shown => json!("unknown"),
            Kind::String if member.traits.location == Some(Location::Header) && !self.shown => {
                json!("unknown")
            }
            Kind::String => Value::from(text),
            Kind::Integer | Kind::Long | Kind::Float | Kind::Double => json!(0),
            Kind::Boolean => json!(false),
            Kind::Blob => json!(""),
            Kind::Timestamp => json!("1970-01-01T00:00:00Z"),
            Kind::List(_) => json!([]),
            Kind::Structure(structure) if structure.document => Value::from(text),
            Kind::Map(_) | Kind::Structure(_) => json!({}),
        }
    }
}

/// Whether a text stands for something that is not known yet, or for what is not shown.
fn is_standing_in(text: &str) -> bool {
    text.contains('⟨') || text == MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Found {
        aws_model::find(name).expect("it is there")
    }

    #[test]
    fn what_is_not_known_has_a_stand_in_of_its_type() {
        let send = found("sqs:SendMessage");
        let input = json!({"QueueUrl": "⟨steps.q.QueueUrl⟩", "MessageBody": "a ⟨b⟩", "DelaySeconds": "⟨steps.d.n⟩"});
        let filled = stand_ins(&send, &input);
        assert_eq!(filled["MessageBody"], "a ⟨b⟩");
        assert_eq!(filled["DelaySeconds"], 0);
        let put = found("s3:PutObject");
        let input = json!({"Bucket": "⟨steps.b.Bucket⟩", "Key": "k", "Body": "⟨x⟩"});
        let filled = stand_ins(&put, &input);
        assert_eq!(filled, json!({"Bucket": "unknown", "Key": "k", "Body": ""}));
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let sign_up = found("cognito-idp:SignUp");
        let input = json!({"ClientId": "⟨steps.c.id⟩", "Username": "u", "Password": "hunter22"});
        let shown = masked(&sign_up, &input);
        assert_eq!(shown, json!({"ClientId": "⟨steps.c.id⟩", "Username": MASK, "Password": MASK}));
    }

    #[test]
    fn objects_are_whatever_somebody_has_stored() {
        assert!(returns_bytes(&found("s3:GetObject")));
        assert!(returns_bytes(&found("lambda:Invoke")));
        assert!(!returns_bytes(&found("sqs:ReceiveMessage")));
    }
}
