//! The event that a REST API hands a function.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::address;
use super::super::event::{SOURCE_IP, headers_of, last, millis, or_null, several, time_text};
use super::{Asked, Fields};

/// The event of a function that answers.
pub(super) fn proxy(asked: &Asked<'_>, granted: Option<&Fields>) -> Value {
    let mut event = request(asked);
    if let Some(granted) = granted {
        event["requestContext"]["authorizer"] = Value::Object(granted.clone());
    }
    for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
        if event[name].as_object().is_some_and(Map::is_empty) {
            event[name] = Value::Null;
        }
    }
    event["pathParameters"] = or_null(&asked.path_parameters);
    event["stageVariables"] = or_null(&asked.variables);
    let bytes = &asked.request.body;
    let is_binary = asked.is_binary(asked.request.header("content-type").unwrap_or_default());
    let is_base64 = is_binary && !bytes.is_empty();
    event["body"] = if bytes.is_empty() {
        Value::Null
    } else if is_base64 {
        json!(BASE64_STANDARD.encode(bytes))
    } else {
        // What is no text is spoilt, as it is on AWS.
        json!(String::from_utf8_lossy(bytes))
    };
    event["isBase64Encoded"] = json!(is_base64);
    event
}

/// What authorizers of requests see of it, too: no body, and maps where there are none.
pub(super) fn request(asked: &Asked<'_>) -> Value {
    let request = asked.request;
    let headers: Vec<(String, String)> = headers_of(asked.account, request, asked.at)
        .into_iter()
        .filter(|(name, _)| name != "content-length")
        .map(|(name, value)| (title_case(&name), value))
        .collect();
    json!({
        "resource": asked.resource_text("path"),
        "path": asked.path,
        "httpMethod": request.method.as_str(),
        "headers": last(&headers),
        "multiValueHeaders": several(&headers),
        "queryStringParameters": last(&request.query),
        "multiValueQueryStringParameters": several(&request.query),
        "pathParameters": asked.path_parameters,
        "stageVariables": asked.variables,
        "requestContext": context(asked),
    })
}

fn context(asked: &Asked<'_>) -> Value {
    let request = asked.request;
    let mut context = json!({
        "resourceId": asked.resource_text("id"),
        "resourcePath": asked.resource_text("path"),
        "httpMethod": request.method.as_str(),
        "extendedRequestId": asked.id,
        "requestTime": time_text(asked.at),
        "path": format!("/{}{}", asked.stage, asked.path),
        "accountId": asked.account.id,
        "protocol": "HTTP/1.1",
        "stage": asked.stage,
        "domainPrefix": asked.api,
        "requestTimeEpoch": millis(asked.at),
        "requestId": asked.id,
        "identity": {
            "cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null,
            "caller": null, "sourceIp": SOURCE_IP, "principalOrgId": null, "accessKey": null,
            "cognitoAuthenticationType": null, "cognitoAuthenticationProvider": null,
            "userArn": null, "userAgent": request.header("user-agent"), "user": null,
        },
        "domainName": address::name(asked.api, &asked.account.region),
        "deploymentId": asked.deployment,
        "apiId": asked.api,
    });
    if let Some(name) = asked.method.get("operationName") {
        context["operationName"] = name.clone();
    }
    context
}

/// REST APIs hand names on as they were sent, which is not known any more here: they are as clients mostly write them.
fn title_case(name: &str) -> String {
    let mut is_start = true;
    let upper = |c: char| {
        let c = if is_start { c.to_ascii_uppercase() } else { c };
        is_start = c == '-';
        c
    };
    name.chars().map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::title_case;

    #[test]
    fn names_of_headers_begin_with_capitals() {
        for (name, title) in [("x-api-key", "X-Api-Key"), ("host", "Host"), ("", "")] {
            assert_eq!(title_case(name), title);
        }
    }
}
