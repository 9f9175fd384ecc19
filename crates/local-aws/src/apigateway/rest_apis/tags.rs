//! Tags of APIs and stages.

use serde_json::{Value, json};

use super::{Fields, not_found, text};
use crate::apigateway::State;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// Does something with the fields of what an ARN names: `arn:aws:apigateway:REGION::/restapis/ID[/stages/NAME]`.
fn with<T>(
    context: Context<'_>,
    input: &Value,
    act: impl FnOnce(&mut Fields) -> T,
) -> Result<T, AwsError> {
    let arn = text(input, "resourceArn");
    let missing = || not_found(format!("Invalid resource ARN specified: {arn}"));
    let path = arn.split_once("::").map(|(_, path)| path).unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/').skip(1);
    let mut state = context.account.state::<State>();
    let api = state.rest.get_mut(parts.next().unwrap_or_default()).ok_or_else(missing)?;
    let fields = match (parts.next(), parts.next()) {
        (None, _) => &mut api.fields,
        (Some("stages"), Some(stage)) => api.stages.get_mut(stage).ok_or_else(missing)?,
        _ => return Err(missing()),
    };
    Ok(act(fields))
}

fn tags(fields: &mut Fields) -> &mut Value {
    fields.entry("tags").or_insert_with(|| json!({}))
}

/// `TagResource`.
pub(super) fn tag(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |fields| {
        let given = input["tags"].as_object().cloned().unwrap_or_default();
        if let Value::Object(tags) = tags(fields) {
            tags.extend(given);
        }
        json!({})
    })
}

/// `UntagResource`.
pub(super) fn untag(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |fields| {
        if let Value::Object(tags) = tags(fields) {
            let keys = input["tagKeys"].as_array().cloned().unwrap_or_default();
            tags.retain(|key, _| !keys.contains(&json!(key)));
        }
        json!({})
    })
}

/// `GetTags`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |fields| json!({"tags": tags(fields)}))
}
