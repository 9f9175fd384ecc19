//! Whether a request may reach its method: by a token of a user pool, or by what a function says.

use std::time::{Duration, SystemTime};

use regex_lite::Regex;
use serde_json::{Value, json};

use super::super::authorize::unprefixed;
use super::super::call::{self, Failure};
use super::super::policy::{self, Verdict};
use super::{Asked, Fields, Refusal, event};
use crate::account::Account;
use crate::apigateway::State;
use crate::apigateway::http_apis::function_of;
use crate::apigateway::rest_apis::pool_issuer;

/// What an authorizer says of the caller, as events have it; nothing where nobody is asked. Or what is answered instead.
pub(super) async fn grant(asked: &Asked<'_>) -> Result<Option<Fields>, Refusal> {
    let kind = asked.text("authorizationType");
    if kind == "NONE" {
        return Ok(None);
    }
    let authorizer = asked.content.authorizers.get(asked.text("authorizerId"));
    let authorizer = authorizer.ok_or_else(misconfigured)?;
    let granted = if kind == "COGNITO_USER_POOLS" {
        by_token(asked, authorizer)?
    } else {
        by_function(asked, authorizer).await?
    };
    Ok(Some(granted))
}

fn unauthorized() -> Refusal {
    Refusal::new(401, "UnauthorizedException", "Unauthorized")
}

/// The authorizer could not be asked, or has said what is none of its answers.
fn misconfigured() -> Refusal {
    let body = json!({ "message": null }).to_string();
    Refusal { status: 500, kind: "AuthorizerConfigurationException", body }
}

fn denied(is_explicit: bool) -> Refusal {
    let explicit = if is_explicit { " with an explicit deny" } else { "" };
    let text = format!("User is not authorized to access this resource{explicit}");
    Refusal {
        status: 403,
        kind: "AccessDeniedException",
        body: json!({"Message": text}).to_string(),
    }
}

fn text<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a source of identity is in a request, if it is there.
fn identity(asked: &Asked<'_>, source: &str) -> Option<String> {
    let found = if let Some(name) = source.strip_prefix("method.request.header.") {
        asked.request.header(&name.to_ascii_lowercase()).map(str::to_owned)
    } else if let Some(name) = source.strip_prefix("method.request.querystring.") {
        asked.request.query_value(name).map(str::to_owned)
    } else if let Some(name) = source.strip_prefix("stageVariables.") {
        Some(text(&asked.variables, name).to_owned())
    } else {
        let name = source.strip_prefix("context.").unwrap_or_default();
        let pointer = format!("/requestContext/{}", name.replace('.', "/"));
        event::request(asked).pointer(&pointer).and_then(Value::as_str).map(str::to_owned)
    };
    found.filter(|value| !value.is_empty())
}

fn by_token(asked: &Asked<'_>, authorizer: &Fields) -> Result<Fields, Refusal> {
    let token = identity(asked, text(authorizer, "identitySource")).ok_or_else(unauthorized)?;
    is_like(authorizer, &token)?;
    let claims = crate::cognito::verified_claims(unprefixed(&token)).ok_or_else(unauthorized)?;
    let pools = authorizer.get("providerARNs").and_then(Value::as_array);
    let mut issuers = pools.into_iter().flatten().filter_map(|arn| pool_issuer(arn.as_str()?));
    if !issuers.any(|issuer| claims["iss"] == issuer.as_str()) {
        return Err(unauthorized());
    }
    let now = asked.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if claims["exp"].as_u64().is_none_or(|end| end <= now) {
        return Err(Refusal::new(401, "UnauthorizedException", "The incoming token has expired"));
    }
    let wanted = asked.method.get("authorizationScopes").and_then(Value::as_array);
    let wanted: Vec<&str> = wanted.into_iter().flatten().filter_map(Value::as_str).collect();
    let may = if wanted.is_empty() {
        claims["token_use"] == "id"
    } else {
        let scopes = claims["scope"].as_str().unwrap_or_default();
        claims["token_use"] == "access" && scopes.split(' ').any(|scope| wanted.contains(&scope))
    };
    if !may {
        return Err(unauthorized());
    }
    let claims = claims.as_object().into_iter().flatten();
    let claims: Fields =
        claims.map(|(name, value)| (name.clone(), json!(claim_text(name, value)))).collect();
    let mut granted = Fields::new();
    granted.insert("claims".to_owned(), Value::Object(claims));
    Ok(granted)
}

/// A claim as REST APIs hand it on: lists with commas, and the token's own times as dates.
fn claim_text(name: &str, value: &Value) -> String {
    match (name, value) {
        ("exp" | "iat", Value::Number(at)) => at
            .as_i64()
            .and_then(|at| jiff::Timestamp::from_second(at).ok())
            .map(|at| at.strftime("%a %b %d %H:%M:%S UTC %Y").to_string())
            .unwrap_or_default(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| claim_text("", item)).collect();
            items.join(",")
        }
        (_, other) => other.to_string(),
    }
}

/// Whether a token has the form that the authorizer wants; others are not even asked about.
fn is_like(authorizer: &Fields, token: &str) -> Result<(), Refusal> {
    let expression = text(authorizer, "identityValidationExpression");
    let pattern = Regex::new(&format!("^(?:{expression})$"));
    if expression.is_empty() || pattern.is_ok_and(|pattern| pattern.is_match(token)) {
        return Ok(());
    }
    Err(unauthorized())
}

async fn by_function(asked: &Asked<'_>, authorizer: &Fields) -> Result<Fields, Refusal> {
    let sources = text(authorizer, "identitySource").split(',').map(str::trim);
    let identities: Option<Vec<String>> =
        sources.filter(|source| !source.is_empty()).map(|one| identity(asked, one)).collect();
    let identities = identities.ok_or_else(unauthorized)?;
    let is_token = text(authorizer, "type") == "TOKEN";
    if is_token {
        is_like(authorizer, identities.first().map_or("", String::as_str))?;
    }
    let ttl = authorizer.get("authorizerResultTtlInSeconds").and_then(Value::as_u64);
    let ttl = ttl.unwrap_or_default();
    let key = format!("{}/{}/{}/{identities:?}", asked.api, asked.stage, text(authorizer, "id"));
    let kept = asked.account.state::<State>().verdicts.find(&key, asked.at);
    let answer = match kept {
        Some(answer) => answer,
        None => {
            let answer = ask(asked, authorizer, identities.first().filter(|_| is_token)).await?;
            let mut state = asked.account.state::<State>();
            state.verdicts.keep(key, answer.clone(), asked.at, ttl);
            answer
        }
    };
    granted(asked, &answer)
}

/// Asks a function.
async fn ask(
    asked: &Asked<'_>,
    authorizer: &Fields,
    token: Option<&String>,
) -> Result<Value, Refusal> {
    let arn = asked.arn(asked.request.method.as_str(), &asked.path);
    let event = match token {
        Some(token) => {
            json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": token})
        }
        None => {
            let mut event = event::request(asked);
            event["type"] = json!("REQUEST");
            event["methodArn"] = json!(arn);
            event
        }
    };
    let uri = asked.with_variables(text(authorizer, "authorizerUri"));
    let function = function_of(&uri).ok_or_else(misconfigured)?;
    let Account { id, region, .. } = asked.account;
    let source = format!(
        "arn:aws:execute-api:{region}:{id}:{}/authorizers/{}",
        asked.api,
        text(authorizer, "id")
    );
    let called = call::function(asked.account, function, &event, source);
    match tokio::time::timeout(Duration::from_secs(29), called).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Failure::Failed(error))) if error["errorMessage"] == "Unauthorized" => {
            Err(unauthorized())
        }
        Ok(Err(Failure::Failed(_))) | Err(_) => {
            let body = json!({ "message": null }).to_string();
            Err(Refusal { status: 500, kind: "AuthorizerFailureException", body })
        }
        Ok(Err(Failure::Refused)) => Err(misconfigured()),
    }
}

/// What an answer grants of what is asked. An answer that is kept says it of other methods, too.
fn granted(asked: &Asked<'_>, answer: &Value) -> Result<Fields, Refusal> {
    let principal = answer["principalId"].as_str().ok_or_else(misconfigured)?;
    let arn = asked.arn(asked.request.method.as_str(), &asked.path);
    match policy::verdict(&answer["policyDocument"], &arn).ok_or_else(misconfigured)? {
        Verdict::Allowed => {}
        Verdict::Denied => return Err(denied(true)),
        Verdict::Silent => return Err(denied(false)),
    }
    let mut granted = Fields::new();
    for (name, value) in answer["context"].as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null => continue,
            // Maps and lists are none of what a context may hold.
            Value::Array(_) | Value::Object(_) => return Err(misconfigured()),
        };
        granted.insert(name.clone(), json!(value));
    }
    granted.insert("principalId".to_owned(), json!(principal));
    granted.insert("integrationLatency".to_owned(), json!(0));
    Ok(granted)
}

#[cfg(test)]
mod tests {
    use super::claim_text;
    use serde_json::json;

    #[test]
    fn claims_are_texts() {
        assert_eq!(claim_text("exp", &json!(1_531_417_003)), "Thu Jul 12 17:36:43 UTC 2018");
        assert_eq!(claim_text("auth_time", &json!(1_531_413_403)), "1531413403");
        assert_eq!(claim_text("cognito:groups", &json!(["a", "b"])), "a,b");
        assert_eq!(claim_text("email_verified", &json!(true)), "true");
    }
}
