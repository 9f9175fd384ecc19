//! The tree of an API's paths.

use serde_json::{Map, Value, json};

use super::patch::{self, Kind, Rule};
use super::{Content, Fields, bad_request, conflict, fields_of, not_found, page, text, with};
use crate::apigateway::id;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const CHANGES: &[Rule] = &[("pathPart", Kind::Text), ("parentId", Kind::Text)];

/// `CreateResource`: below another.
pub(super) fn create(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = fields_of(input.clone(), &["restApiId"]);
        let id = id(6);
        fields.insert("id".to_owned(), json!(id));
        settle(&api.content, &mut fields)?;
        let shown = shown(&fields, false);
        api.content.resources.insert(id, fields);
        Ok(shown)
    })
}

fn part_of(fields: &Fields) -> &str {
    fields.get("pathPart").and_then(Value::as_str).unwrap_or_default()
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

/// Whether it can stand where it says; says what its path is then.
fn settle(content: &Content, fields: &mut Fields) -> Result<(), AwsError> {
    let part = part_of(fields).to_owned();
    let inner = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    let inner = inner.map_or(part.as_str(), |name| name.strip_suffix('+').unwrap_or(name));
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    if inner.is_empty() || !inner.chars().all(is_letter) {
        return Err(bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
        ));
    }
    let parent = fields.get("parentId").and_then(Value::as_str).unwrap_or_default();
    let above = content
        .resources
        .get(parent)
        .ok_or_else(|| not_found("Invalid Resource identifier specified"))?;
    if part_of(above).ends_with("+}") {
        return Err(bad_request(format!(
            "Cannot create a child of a resource with a greedy path variable: {}",
            part_of(above)
        )));
    }
    let id = fields.get("id");
    let siblings = content.resources.values().filter(|other| {
        other.get("id") != id && other.get("parentId").and_then(Value::as_str) == Some(parent)
    });
    for sibling in siblings {
        let other = part_of(sibling);
        if other == part {
            return Err(conflict(format!(
                "Another resource with the same parent already has this name: {part}"
            )));
        }
        if is_variable(other) && is_variable(&part) && other.ends_with("+}") == part.ends_with("+}")
        {
            return Err(bad_request(format!(
                "A sibling ({other}) of this resource already has a variable path part -- only one is allowed"
            )));
        }
    }
    let before = above.get("path").and_then(Value::as_str).unwrap_or_default();
    let path = format!("{}/{part}", before.trim_end_matches('/'));
    fields.insert("path".to_owned(), json!(path));
    Ok(())
}

/// A resource as operations return it: its methods by name alone, unless they are asked for.
fn shown(fields: &Fields, with_methods: bool) -> Value {
    let mut shown = fields.clone();
    if !with_methods && let Some(Value::Object(methods)) = shown.get_mut("resourceMethods") {
        methods.values_mut().for_each(|method| *method = json!({}));
    }
    if shown.get("resourceMethods").and_then(Value::as_object).is_some_and(Map::is_empty) {
        shown.remove("resourceMethods");
    }
    Value::Object(shown)
}

fn wants_methods(input: &Value) -> bool {
    input["embed"].as_array().is_some_and(|embed| embed.contains(&json!("methods")))
}

/// `GetResource`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| Ok(shown(api.resource(&input)?, wants_methods(&input))))
}

/// `GetResources`.
pub(super) fn list(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    let items = with(context, &input, |api| {
        let resources = api.content.resources.values();
        Ok(resources.map(|one| shown(one, wants_methods(&input))).collect())
    })?;
    page(items, &input)
}

/// `UpdateResource`: another name, or another place.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = api.resource(&input)?.clone();
        let id = text(&input, "resourceId").to_owned();
        if !fields.contains_key("parentId") {
            return Err(bad_request("Cannot update the root resource"));
        }
        patch::apply(&mut fields, &input, CHANGES)?;
        let parent = fields.get("parentId").and_then(Value::as_str).unwrap_or_default();
        if below(&api.content, &id).iter().any(|one| one == parent) {
            return Err(bad_request("Cannot move a resource below itself"));
        }
        settle(&api.content, &mut fields)?;
        let shown = shown(&fields, false);
        api.content.resources.insert(id.clone(), fields);
        // Those below it have other paths now; each parent comes before its children.
        for child in below(&api.content, &id).into_iter().skip(1) {
            let Some(mut fields) = api.content.resources.get(&child).cloned() else { continue };
            settle(&api.content, &mut fields)?;
            api.content.resources.insert(child, fields);
        }
        Ok(shown)
    })
}

/// A resource and all below it, by id.
fn below(content: &Content, id: &str) -> Vec<String> {
    let mut found = vec![id.to_owned()];
    let mut at = 0;
    while let Some(parent) = found.get(at).cloned() {
        let children = content.resources.iter().filter(|(_, one)| {
            one.get("parentId").and_then(Value::as_str) == Some(parent.as_str())
        });
        found.extend(children.map(|(id, _)| id.clone()));
        at += 1;
    }
    found
}

/// `DeleteResource`: with all below it.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let resource = api.resource(&input)?;
        if !resource.contains_key("parentId") {
            return Err(bad_request("Root resource cannot be deleted"));
        }
        for id in below(&api.content, text(&input, "resourceId")) {
            api.content.resources.remove(&id);
        }
        Ok(json!({}))
    })
}
