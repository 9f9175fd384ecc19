//! Tags of APIs and stages.

use serde_json::{Map, Value, json};

use super::{not_found, text};
use crate::apigateway::State;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

/// Does something with the fields of the API or stage that an ARN names: `arn:aws:apigateway:REGION::/apis/ID[/stages/NAME]`.
fn with<T>(
    context: Context<'_>,
    input: &Value,
    act: impl FnOnce(&mut Map<String, Value>) -> T,
) -> Result<T, AwsError> {
    let arn = text(input, "ResourceArn");
    let missing = || not_found(format!("Invalid resource ARN specified: {arn}"));
    let path = arn.split_once("::").map(|(_, path)| path).unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/').skip(1);
    let mut state = context.account.state::<State>();
    let api = state.http.get_mut(parts.next().unwrap_or_default()).ok_or_else(missing)?;
    let fields = match (parts.next(), parts.next()) {
        (None, _) => &mut api.fields,
        (Some("stages"), Some(stage)) => api.stages.get_mut(stage).ok_or_else(missing)?,
        _ => return Err(missing()),
    };
    Ok(act(fields))
}

fn tags(fields: &mut Map<String, Value>) -> &mut Value {
    fields.entry("Tags").or_insert_with(|| json!({}))
}

/// `TagResource`.
pub(super) fn tag(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |fields| {
        let given = input["Tags"].as_object().cloned().unwrap_or_default();
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
            let keys = input["TagKeys"].as_array().cloned().unwrap_or_default();
            tags.retain(|key, _| !keys.contains(&json!(key)));
        }
        json!({})
    })
}

/// `GetTags`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |fields| json!({"Tags": tags(fields)}))
}
