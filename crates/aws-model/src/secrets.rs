//! Which parts of a value are secret: the model's `sensitive` ones.

use std::collections::HashSet;

use serde_json::Value;

use crate::service::Service;
use crate::shape::{Kind, Member, ShapeId};

/// A value with its secret parts masked: `mask` says what is shown in the place of each.
pub fn masked(
    service: &Service,
    member: &Member,
    value: &Value,
    mask: &dyn Fn(&Value) -> Value,
) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    if member.traits.sensitive {
        return mask(value);
    }
    match (&service.shape_of(member).kind, value) {
        (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
            let shown = map.iter().map(|(name, value)| {
                let shown = structure
                    .member(name)
                    .map_or_else(|| value.clone(), |member| masked(service, member, value, mask));
                (name.clone(), shown)
            });
            Value::Object(shown.collect())
        }
        (Kind::List(of), Value::Array(items)) => {
            items.iter().map(|item| masked(service, of, item, mask)).collect()
        }
        (Kind::Map(parts), Value::Object(map)) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), masked(service, &parts.1, value, mask)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// Whether anything in a member may be secret.
pub fn any(service: &Service, member: &Member) -> bool {
    fn look(service: &Service, member: &Member, seen: &mut HashSet<ShapeId>) -> bool {
        if member.traits.sensitive {
            return true;
        }
        if !seen.insert(member.shape) {
            return false;
        }
        match &service.shape_of(member).kind {
            Kind::Structure(structure) => {
                structure.members.iter().any(|member| look(service, member, seen))
            }
            Kind::List(of) => look(service, of, seen),
            Kind::Map(parts) => look(service, &parts.0, seen) || look(service, &parts.1, seen),
            _ => false,
        }
    }
    look(service, member, &mut HashSet::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{any, masked};

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let found = crate::find("cognito-idp:InitiateAuth").expect("it is there");
        let root = found.operation.input.as_ref().expect("it has an input");
        let input = json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c", "AuthParameters": {"USERNAME": "u", "PASSWORD": "p"}});
        let shown = masked(found.service, root, &input, &|_| json!("***"));
        assert_eq!(
            shown,
            json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "***", "AuthParameters": "***"})
        );
        assert!(any(found.service, root));
        let list = crate::find("sqs:ListQueues").expect("it is there");
        assert!(!any(list.service, list.operation.input.as_ref().expect("it has an input")));
    }
}
