//! Whether a request has what its method asks for, where a validator looks.

use serde_json::{Value, json};

use super::schema::Schemas;
use super::{Asked, Refusal};

const KIND: &str = "BadRequestException";

pub(super) fn check(asked: &Asked<'_>) -> Result<(), Refusal> {
    let Some(validator) = asked.content.validators.get(asked.text("requestValidatorId")) else {
        return Ok(());
    };
    let looks_at = |what: &str| validator.get(what) == Some(&json!(true));
    if looks_at("validateRequestParameters") {
        let missing = missing(asked);
        if !missing.is_empty() {
            let text = format!("Missing required request parameters: [{}]", missing.join(", "));
            return Err(Refusal::late(400, KIND, &text));
        }
    }
    if looks_at("validateRequestBody") && !is_body_valid(asked) {
        return Err(Refusal::late(400, KIND, "Invalid request body"));
    }
    Ok(())
}

/// The parameters that are asked for and not there.
fn missing<'m>(asked: &'m Asked<'_>) -> Vec<&'m str> {
    let parameters = asked.method.get("requestParameters").and_then(Value::as_object);
    let parameters =
        parameters.into_iter().flatten().filter(|(_, is_required)| **is_required == true);
    let mut missing: Vec<&str> = parameters
        .filter_map(|(name, _)| {
            let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
            let is_there = match place {
                "header" => asked.request.header(&name.to_ascii_lowercase()).is_some_and(is_said),
                "querystring" => asked.request.query_value(name).is_some_and(is_said),
                _ => asked.path_parameters.contains_key(name),
            };
            (!is_there).then_some(name)
        })
        .collect();
    missing.sort_unstable();
    missing
}

fn is_said(text: &str) -> bool {
    !text.is_empty()
}

/// Whether the body is as the model of its media type says; one of a type without a model may be anything.
fn is_body_valid(asked: &Asked<'_>) -> bool {
    let kind = asked.request.header("content-type").unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let models = asked.method.get("requestModels").and_then(Value::as_object);
    let Some(models) = models.filter(|models| !models.is_empty()) else { return true };
    let named = models.get(kind).or_else(|| models.get("$default")).and_then(Value::as_str);
    let Some(name) = named else { return true };
    let model = |name: &str| {
        let schema = asked.content.models.get(name)?.get("schema")?.as_str()?;
        serde_json::from_str::<Value>(schema).ok()
    };
    let Some(root) = model(name) else { return true };
    let body = match asked.request.body.as_ref() {
        [] => Ok(json!({})),
        bytes => serde_json::from_slice::<Value>(bytes),
    };
    body.is_ok_and(|body| Schemas { root: &root, model: &model }.allow(&body))
}
