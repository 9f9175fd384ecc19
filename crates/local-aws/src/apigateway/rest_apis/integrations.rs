//! What answers a method: a function, or the API itself.

use serde_json::{Map, Value, json};

use super::methods::{by_status, map_of, status_of, wrong_mapping};
use super::patch::{self, Kind, Rule};
use super::{Fields, add, bad_request, fields_of, lacks, not_found, refuse, text, with};
use crate::apigateway::http_apis::function_of;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const WHOSE: [&str; 3] = ["restApiId", "resourceId", "httpMethod"];
/// The longest that a function may take.
const LONGEST_TIMEOUT: i64 = 29_000;
const REFUSED: [&str; 6] = [
    "cacheKeyParameters",
    "connectionId",
    "contentHandling",
    "credentials",
    "integrationTarget",
    "tlsConfig",
];
const CHANGES: &[Rule] = &[
    ("uri", Kind::Text),
    ("httpMethod", Kind::Text),
    ("timeoutInMillis", Kind::Number),
    ("passthroughBehavior", Kind::Text),
    ("requestTemplates", Kind::Texts),
];
const RESPONSE_CHANGES: &[Rule] = &[
    ("selectionPattern", Kind::Text),
    ("responseParameters", Kind::Texts),
    ("responseTemplates", Kind::Texts),
];

/// `PutIntegration`: instead of what was there.
pub(super) fn put(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let method = api.method(&input)?;
        let mut fields = fields_of(input.clone(), &WHOSE);
        if let Some(method) = fields.remove("integrationHttpMethod") {
            fields.insert("httpMethod".to_owned(), method);
        }
        add(
            &mut fields,
            json!({
                "cacheKeyParameters": [], "cacheNamespace": input["resourceId"],
                "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": LONGEST_TIMEOUT,
            }),
        );
        settle(&fields)?;
        method.insert("methodIntegration".to_owned(), Value::Object(fields.clone()));
        Ok(Value::Object(fields))
    })
}

fn settle(fields: &Fields) -> Result<(), AwsError> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_empty = |value: &Value| {
        value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
    };
    let mut said = fields.clone();
    said.retain(|_, value| !is_empty(value));
    refuse(&said, &REFUSED)?;
    if said.contains_key("requestParameters") {
        return Err(lacks("requestParameters of integrations of REST APIs"));
    }
    if text("connectionType") == "VPC_LINK" {
        return Err(lacks("VPC links"));
    }
    if text("responseTransferMode") == "STREAM" {
        return Err(lacks("responseTransferMode STREAM of REST APIs"));
    }
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&text("passthroughBehavior")) {
        return Err(bad_request(
            "Invalid pass through behavior specified. Valid values are [WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER]",
        ));
    }
    let timeout = fields.get("timeoutInMillis").and_then(Value::as_i64).unwrap_or_default();
    if !(50..=LONGEST_TIMEOUT).contains(&timeout) {
        return Err(bad_request("Timeout should be between 50 ms and 29000 ms"));
    }
    match text("type") {
        "MOCK" => {
            let templates = fields.get("requestTemplates").and_then(Value::as_object);
            is_plain(templates)
        }
        "AWS_PROXY" => function(text("uri"), text("httpMethod")),
        "AWS" => Err(lacks("AWS integrations of REST APIs, which are made of VTL templates")),
        kind => Err(lacks(&format!("{kind} integrations of REST APIs"))),
    }
}

fn function(uri: &str, method: &str) -> Result<(), AwsError> {
    if method.is_empty() {
        return Err(bad_request("Enumeration value for HttpMethod must be non-empty"));
    }
    if !uri.starts_with("arn:") {
        return Err(bad_request("Invalid ARN specified in the request"));
    }
    if !uri.contains(":path/") && !uri.contains(":action/") {
        return Err(bad_request("AWS ARN for integration must contain path or action"));
    }
    if function_of(uri).is_none() {
        return Err(bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ));
    }
    Ok(())
}

/// Refuses templates that say anything but what they are: those of VTL.
fn is_plain(templates: Option<&Map<String, Value>>) -> Result<(), AwsError> {
    let texts = templates.into_iter().flatten().filter_map(|(_, template)| template.as_str());
    match texts.into_iter().find(|text| text.contains(['$', '#'])) {
        Some(_) => Err(lacks("VTL: templates that contain $ or #")),
        None => Ok(()),
    }
}

/// The status that a template of a request says, such as `{"statusCode": 200}`. Names may lack their quotes.
pub(in crate::apigateway) fn status_of_template(template: &str) -> Option<u16> {
    let (_, rest) = template.split_once("statusCode")?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (100..600).contains(status))
}

fn of(method: &mut Fields) -> Result<&mut Fields, AwsError> {
    let integration = method.get_mut("methodIntegration").and_then(Value::as_object_mut);
    integration.ok_or_else(|| not_found("Invalid Integration identifier specified"))
}

/// `GetIntegration`.
pub(super) fn get(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| Ok(Value::Object(of(api.method(&input)?)?.clone())))
}

/// `UpdateIntegration`.
pub(super) fn update(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let integration = of(api.method(&input)?)?;
        let mut fields = integration.clone();
        patch::apply(&mut fields, &input, CHANGES)?;
        settle(&fields)?;
        integration.clone_from(&fields);
        Ok(Value::Object(fields))
    })
}

/// `DeleteIntegration`.
pub(super) fn delete(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let method = api.method(&input)?;
        of(method)?;
        method.remove("methodIntegration");
        Ok(json!({}))
    })
}

fn responses(method: &mut Fields) -> Result<&mut Map<String, Value>, AwsError> {
    Ok(map_of(of(method)?.entry("integrationResponses").or_insert_with(|| json!({}))))
}

/// `PutIntegrationResponse`: instead of what was there.
pub(super) fn put_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let status = status_of(&input)?.to_owned();
        let fields = fields_of(input.clone(), &WHOSE);
        let method = api.method(&input)?;
        settle_response(method, &fields)?;
        responses(method)?.insert(status, Value::Object(fields.clone()));
        Ok(Value::Object(fields))
    })
}

/// Headers are texts that stand there, for headers that the method declares.
fn settle_response(method: &Fields, fields: &Fields) -> Result<(), AwsError> {
    refuse(fields, &["contentHandling"])?;
    is_plain(fields.get("responseTemplates").and_then(Value::as_object))?;
    let status = fields.get("statusCode").and_then(Value::as_str).unwrap_or_default();
    let declared = method.get("methodResponses").and_then(|all| all.get(status));
    let declared = declared.and_then(|one| one.get("responseParameters")).cloned();
    let parameters = fields.get("responseParameters").and_then(Value::as_object);
    for (name, value) in parameters.into_iter().flatten() {
        if declared.as_ref().and_then(|declared| declared.get(name)).is_none() {
            return Err(wrong_mapping(name));
        }
        let value = value.as_str().unwrap_or_default();
        if value.len() < 2 || !value.starts_with('\'') || !value.ends_with('\'') {
            return Err(lacks(&format!(
                "mapping of {value} to a header; it has texts in single quotes"
            )));
        }
    }
    Ok(())
}

/// `GetIntegrationResponse`.
pub(super) fn get_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let responses = responses(api.method(&input)?)?;
        Ok(Value::Object(by_status(responses, &input)?.clone()))
    })
}

/// `UpdateIntegrationResponse`.
pub(super) fn update_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let method = api.method(&input)?;
        let mut fields = by_status(responses(method)?, &input)?.clone();
        patch::apply(&mut fields, &input, RESPONSE_CHANGES)?;
        settle_response(method, &fields)?;
        by_status(responses(method)?, &input)?.clone_from(&fields);
        Ok(Value::Object(fields))
    })
}

/// `DeleteIntegrationResponse`.
pub(super) fn delete_response(context: Context<'_>, input: Value) -> Result<Value, AwsError> {
    with(context, &input, |api| {
        let responses = responses(api.method(&input)?)?;
        by_status(responses, &input)?;
        responses.remove(text(&input, "statusCode"));
        Ok(json!({}))
    })
}

#[cfg(test)]
mod tests {
    use super::status_of_template;

    #[test]
    fn a_template_says_a_status() {
        for (template, status) in [
            (r#"{"statusCode": 200}"#, Some(200)),
            ("{ statusCode: 204 }", Some(204)),
            ("{'statusCode':404, 'x': 1}", Some(404)),
            (r#"{"statusCode": "200"}"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(status_of_template(template), status, "{template}");
        }
    }
}
