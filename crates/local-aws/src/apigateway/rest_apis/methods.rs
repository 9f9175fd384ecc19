//! What can be done at a path, and what its answers declare.

use serde_json::{Map, Value, json};

use super::patch::{self, Kind, Rule};
use super::{Content, Fields, add, bad_request, conflict, fields_of, lacks, not_found, text, with};
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const WHOSE: [&str; 3] = ["restApiId", "resourceId", "httpMethod"];
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "ANY"];
const CHANGES: &[Rule] = &[
    ("authorizationType", Kind::Text),
    ("authorizerId", Kind::Text),
    ("authorizationScopes", Kind::List),
    ("apiKeyRequired", Kind::Flag),
    ("operationName", Kind::Text),
    ("requestValidatorId", Kind::Text),
    ("requestParameters", Kind::Flags),
    ("requestModels", Kind::Texts),
];
const RESPONSE_CHANGES: &[Rule] =
    &[("responseParameters", Kind::Flags), ("responseModels", Kind::Texts)];

/// The methods of a resource, by name.
pub(super) fn of(resource: &mut Fields) -> &mut Fields {
    let methods = resource.entry("resourceMethods");
    map_of(methods.or_insert_with(|| json!({})))
}

/// A value as the map that it is.
pub(super) fn map_of(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it is a map")
}

/// The error for an expression that maps what is not there.
pub(super) fn wrong_mapping(expression: &str) -> AwsError {
    bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {expression}]"
    ))
}

/// `PutMethod`.
pub(super) fn put(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let name = text(&input, "httpMethod").to_owned();
        if !METHODS.contains(&name.as_str()) {
            return Err(bad_request(format!(
                "Invalid HttpMethod specified. Valid options are {}",
                METHODS.join(",")
            )));
        }
        let mut fields = fields_of(input.clone(), &WHOSE[..2]);
        add(&mut fields, json!({"apiKeyRequired": false}));
        settle(&api.content, &fields)?;
        let methods = of(api.resource(&input)?);
        if methods.contains_key(&name) {
            return Err(conflict("Method already exists for this resource"));
        }
        methods.insert(name, Value::Object(fields.clone()));
        Ok(Value::Object(fields))
    })
}

fn settle(content: &Content, fields: &Fields) -> Result<(), AwsError> {
    let text =
        |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let authorizer = text("authorizerId").and_then(|id| content.authorizers.get(id));
    let kind = authorizer.and_then(|it| it.get("type")).and_then(Value::as_str);
    match (text("authorizationType").unwrap_or("NONE"), kind) {
        ("NONE", _)
        | ("CUSTOM", Some("TOKEN" | "REQUEST"))
        | ("COGNITO_USER_POOLS", Some("COGNITO_USER_POOLS")) => {}
        ("CUSTOM" | "COGNITO_USER_POOLS", _) => {
            return Err(bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
            ));
        }
        ("AWS_IAM", _) => return Err(lacks("authorizationType AWS_IAM of REST APIs")),
        (other, _) => {
            return Err(bad_request(format!(
                "Invalid Authorization type specified: {other}. Valid options are NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS"
            )));
        }
    }
    if fields.get("apiKeyRequired") == Some(&json!(true)) {
        return Err(lacks("API keys"));
    }
    if text("requestValidatorId").is_some_and(|id| !content.validators.contains_key(id)) {
        return Err(bad_request("Invalid Request Validator identifier specified"));
    }
    models_are_there(content, fields, "requestModels")?;
    let parameters = fields.get("requestParameters").and_then(Value::as_object);
    let is_parameter = |name: &&String| {
        let starts = ["header.", "querystring.", "path."];
        let rest = name.strip_prefix("method.request.");
        rest.is_some_and(|rest| {
            starts.iter().any(|it| rest.len() > it.len() && rest.starts_with(it))
        })
    };
    let mut names = parameters.into_iter().flatten().map(|(name, _)| name);
    match names.find(|name| !is_parameter(name)) {
        Some(wrong) => Err(wrong_mapping(wrong)),
        None => Ok(()),
    }
}

fn models_are_there(content: &Content, fields: &Fields, member: &str) -> Result<(), AwsError> {
    let models = fields.get(member).and_then(Value::as_object);
    for name in models.into_iter().flatten().filter_map(|(_, name)| name.as_str()) {
        if !content.models.contains_key(name) {
            return Err(bad_request(format!("Invalid model identifier specified: {name}")));
        }
    }
    Ok(())
}

/// `GetMethod`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| Ok(Value::Object(api.method(&input)?.clone())))
}

/// `UpdateMethod`.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = api.method(&input)?.clone();
        patch::apply(&mut fields, &input, CHANGES)?;
        settle(&api.content, &fields)?;
        api.method(&input)?.clone_from(&fields);
        Ok(Value::Object(fields))
    })
}

/// `DeleteMethod`.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        api.method(&input)?;
        of(api.resource(&input)?).remove(text(&input, "httpMethod"));
        Ok(json!({}))
    })
}

/// The statuses that a method declares.
fn responses(method: &mut Fields) -> &mut Map<String, Value> {
    map_of(method.entry("methodResponses").or_insert_with(|| json!({})))
}

/// The status of an input, which is one.
pub(super) fn status_of(input: &Value) -> Result<&str, AwsError> {
    let status = text(input, "statusCode");
    let is_status = status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status));
    if is_status { Ok(status) } else { Err(bad_request("Invalid status code specified")) }
}

/// One of a map, by the status of an input.
pub(super) fn by_status<'m>(
    map: &'m mut Map<String, Value>,
    input: &Value,
) -> Result<&'m mut Fields, AwsError> {
    let found = map.get_mut(text(input, "statusCode")).and_then(Value::as_object_mut);
    found.ok_or_else(|| not_found("Invalid Response status code specified"))
}

/// `PutMethodResponse`.
pub(super) fn put_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let status = status_of(&input)?.to_owned();
        let fields = fields_of(input.clone(), &WHOSE);
        settle_response(&api.content, &fields)?;
        let responses = responses(api.method(&input)?);
        if responses.contains_key(&status) {
            return Err(conflict("Response already exists for this resource"));
        }
        responses.insert(status, Value::Object(fields.clone()));
        Ok(Value::Object(fields))
    })
}

fn settle_response(content: &Content, fields: &Fields) -> Result<(), AwsError> {
    models_are_there(content, fields, "responseModels")?;
    let parameters = fields.get("responseParameters").and_then(Value::as_object);
    for (name, _) in parameters.into_iter().flatten() {
        if !name.starts_with("method.response.header.") {
            return Err(wrong_mapping(name));
        }
    }
    Ok(())
}

/// `GetMethodResponse`.
pub(super) fn get_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let method = api.method(&input)?;
        Ok(Value::Object(by_status(responses(method), &input)?.clone()))
    })
}

/// `UpdateMethodResponse`.
pub(super) fn update_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let mut fields = by_status(responses(api.method(&input)?), &input)?.clone();
        patch::apply(&mut fields, &input, RESPONSE_CHANGES)?;
        settle_response(&api.content, &fields)?;
        by_status(responses(api.method(&input)?), &input)?.clone_from(&fields);
        Ok(Value::Object(fields))
    })
}

/// `DeleteMethodResponse`.
pub(super) fn delete_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let responses = responses(api.method(&input)?);
        by_status(responses, &input)?;
        responses.remove(text(&input, "statusCode"));
        Ok(json!({}))
    })
}
