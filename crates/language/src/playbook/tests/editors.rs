//! The JSON Schema for editors.

use serde_json::Value;

use super::fakes::FakeKinds;
use crate::playbook::json_schema;

fn at<'s>(schema: &'s Value, pointer: &str) -> &'s Value {
    schema.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"))
}

fn references<'s>(schema: &'s Value, found: &mut Vec<&'s str>) {
    match schema {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let schema = json_schema(&FakeKinds, &[]);
    let mut found = Vec::new();
    references(&schema, &mut found);
    assert!(found.len() > 30);
    let lost: Vec<_> = found
        .iter()
        .filter(|target| schema.pointer(target.trim_start_matches('#')).is_none())
        .collect();
    assert_eq!(lost, Vec::<&&str>::new());
}

#[test]
fn a_step_has_every_kind_and_no_other_key() {
    let schema = json_schema(&FakeKinds, &[]);
    let step = at(&schema, "/$defs/step");
    assert_eq!(at(step, "/additionalProperties"), &Value::Bool(false));
    for verb in ["create-role", "print", "block", "repeat", "include", "cleanup"] {
        assert!(at(step, "/properties").get(verb).is_some(), "{verb}");
        assert!(
            at(step, "/oneOf")
                .as_array()
                .is_some_and(|verbs| verbs.contains(&serde_json::json!({"required": [verb]})))
        );
    }
    assert_eq!(at(step, "/properties/create-role/description"), "Creates a role.");
}

#[test]
fn a_template_may_stand_for_every_value() {
    let schema = json_schema(&FakeKinds, &[]);
    let role = at(&schema, "/$defs/create-role");
    let template = serde_json::json!({"$ref": "#/$defs/template"});
    assert_eq!(at(role, "/properties/max_session/anyOf/1"), &template);
    assert_eq!(at(role, "/properties/if_exists/anyOf/0/$ref"), "#/$defs/create-role.IfExists");
    assert_eq!(at(role, "/properties/if_exists/anyOf/1"), &template);
    assert_eq!(at(role, "/properties/role_name/type"), "string");
    assert_eq!(at(role, "/properties/role_name/description"), "The role's name.");
}

#[test]
fn shorthand_and_nothing_are_allowed_where_they_mean_something() {
    let schema = json_schema(&FakeKinds, &[]);
    assert_eq!(at(&schema, "/$defs/print/anyOf").as_array().map(Vec::len), Some(2));
    assert_eq!(at(&schema, "/$defs/list-functions/anyOf/1/type"), "null");
    assert!(at(&schema, "/$defs/create-role").get("anyOf").is_none());
}
