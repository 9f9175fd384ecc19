//! Whether a request may reach its route: by a token of a user pool, or by what a function says.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{Asked, event, granted_to_all, internal_error, invoke, message, policy};
use crate::account::Account;
use crate::apigateway::State;
use crate::http::Response;

/// What an authorizer has said of a caller.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::apigateway) enum Granted {
    /// Nobody was asked.
    Nobody,
    /// A token speaks for the caller.
    Token {
        /// As texts.
        claims: Map<String, Value>,
        /// Those of the token, where the route wants any.
        scopes: Option<Vec<String>>,
    },
    /// A function does.
    Function {
        /// Whom it takes the caller for.
        principal: Option<String>,
        /// What it has said beside.
        context: Map<String, Value>,
    },
}

impl Granted {
    /// As events of version 2.0 have it.
    pub(super) fn in_version_2(&self) -> Option<Value> {
        match self {
            Self::Nobody => None,
            Self::Token { claims, scopes } => {
                Some(json!({"jwt": {"claims": claims, "scopes": scopes}}))
            }
            Self::Function { context, .. } => Some(json!({ "lambda": context })),
        }
    }

    /// As events of version 1.0 have it.
    pub(super) fn in_version_1(&self) -> Value {
        match self {
            Self::Nobody => json!({"claims": null, "scopes": null}),
            Self::Token { claims, scopes } => json!({"claims": claims, "scopes": scopes}),
            Self::Function { principal, context } => {
                let mut facts = context.clone();
                facts.insert("principalId".to_owned(), json!(principal));
                Value::Object(facts)
            }
        }
    }
}

/// Lets a request through, or says what is answered instead.
pub(super) async fn grant(asked: &Asked<'_>) -> Result<Granted, Response> {
    let Some(authorizer) = &asked.authorizer else { return Ok(granted_to_all()) };
    let identity = identity(asked, authorizer).ok_or_else(unauthorized)?;
    if authorizer.get("AuthorizerType") == Some(&json!("JWT")) {
        return by_token(asked, authorizer, identity.first().map_or("", String::as_str));
    }
    let text = |name: &str| authorizer.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = format!("{}/{}/{}/{identity:?}", asked.api, asked.stage, text("AuthorizerId"));
    let kept = asked.account.state::<State>().verdicts.find(&key, asked.at);
    let answer = match kept {
        Some(answer) => answer,
        None => {
            let answer = ask(asked, authorizer, &identity).await?;
            let ttl = authorizer.get("AuthorizerResultTtlInSeconds").and_then(Value::as_u64);
            let mut state = asked.account.state::<State>();
            state.verdicts.keep(key, answer.clone(), asked.at, ttl.unwrap_or_default());
            answer
        }
    };
    // An answer that is kept may be a policy that says something else of this route.
    granted(asked, authorizer, &answer)?.ok_or_else(|| message(403, "Forbidden"))
}

fn unauthorized() -> Response {
    message(401, "Unauthorized")
}

/// What identifies the caller; nothing where any of it is missing.
fn identity(asked: &Asked<'_>, authorizer: &Map<String, Value>) -> Option<Vec<String>> {
    let sources = authorizer.get("IdentitySource").and_then(Value::as_array);
    let of = |source: &Value| {
        let source = source.as_str()?;
        let found = if let Some(name) = source.strip_prefix("$request.header.") {
            asked.request.header(&name.to_ascii_lowercase())
        } else if let Some(name) = source.strip_prefix("$request.querystring.") {
            asked.request.query_value(name)
        } else {
            Some(asked.route_key())
        };
        found.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    sources.into_iter().flatten().map(of).collect()
}

/// A token without the word that may stand before it.
pub(super) fn unprefixed(identity: &str) -> &str {
    let token = match identity.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer ") => &identity[7..],
        _ => identity,
    };
    token.trim()
}

fn by_token(
    asked: &Asked<'_>,
    authorizer: &Map<String, Value>,
    identity: &str,
) -> Result<Granted, Response> {
    let wanted = asked.route.get("AuthorizationScopes").and_then(Value::as_array);
    let wanted: Vec<&str> = wanted.into_iter().flatten().filter_map(Value::as_str).collect();
    let refused = |status: u16, text: &str, error: &str, description: &str| {
        let scope = wanted.join(" ");
        let challenge = format!(
            "Bearer scope=\"{scope}\" error=\"{error}\" error_description=\"{description}\""
        );
        message(status, text).with_header("www-authenticate", challenge)
    };
    let invalid = |why: &str| refused(401, "Unauthorized", "invalid_token", why);
    let claims = crate::cognito::verified_claims(unprefixed(identity))
        .ok_or_else(|| invalid("signature verification failed"))?;
    let configured = authorizer.get("JwtConfiguration").cloned().unwrap_or_default();
    if claims["iss"] != configured["Issuer"] {
        return Err(invalid("the token has an invalid issuer"));
    }
    let audience = [&claims["aud"], &claims["client_id"]];
    let allowed = configured["Audience"].as_array();
    if !allowed.into_iter().flatten().any(|one| audience.contains(&one)) {
        return Err(invalid("the token does not have a valid audience"));
    }
    let now = asked.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if claims["exp"].as_u64().is_none_or(|end| end <= now) {
        return Err(invalid("the token has expired"));
    }
    if claims["nbf"].as_u64().is_some_and(|start| start > now) {
        return Err(invalid("the token is not valid yet"));
    }
    let scopes: Vec<String> = claims["scope"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if !wanted.is_empty() && !scopes.iter().any(|scope| wanted.contains(&scope.as_str())) {
        let why = "the token does not have the required scope";
        return Err(refused(403, "Forbidden", "insufficient_scope", why));
    }
    let claims = claims.as_object().into_iter().flatten();
    let claims = claims.map(|(name, value)| (name.clone(), json!(claim_text(value)))).collect();
    Ok(Granted::Token { claims, scopes: (!wanted.is_empty()).then_some(scopes) })
}

/// A claim as API Gateway hands it on; a list as `[a b]`.
fn claim_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(claim_text).collect();
            format!("[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}

/// Asks a function; where it fails, there is an answer already.
async fn ask(
    asked: &Asked<'_>,
    authorizer: &Map<String, Value>,
    identity: &[String],
) -> Result<Value, Response> {
    let text = |name: &str| authorizer.get(name).and_then(Value::as_str).unwrap_or_default();
    let nobody = granted_to_all();
    let arn = asked.arn(&format!("{}{}", asked.request.method, asked.path));
    let mut event = if text("AuthorizerPayloadFormatVersion") == "1.0" {
        let mut event = event::request_1(asked, &nobody);
        event.insert("methodArn".to_owned(), json!(arn));
        event.insert("identitySource".to_owned(), json!(identity.join(",")));
        event.insert("authorizationToken".to_owned(), json!(identity.join(",")));
        event
    } else {
        let mut event = event::request_2(asked, &nobody);
        event.insert("routeArn".to_owned(), json!(arn));
        event.insert("identitySource".to_owned(), json!(identity));
        event
    };
    event.insert("type".to_owned(), json!("REQUEST"));
    let Account { id, region, .. } = asked.account;
    let source = format!(
        "arn:aws:execute-api:{region}:{id}:{}/authorizers/{}",
        asked.api,
        text("AuthorizerId")
    );
    let answer = invoke(asked, text("AuthorizerUri"), &Value::Object(event), source).await;
    answer.map_err(|_| internal_error())
}

/// What an answer grants of what is asked; what it refuses is none of the grants.
fn granted(
    asked: &Asked<'_>,
    authorizer: &Map<String, Value>,
    answer: &Value,
) -> Result<Option<Granted>, Response> {
    let arn = asked.arn(&format!("{}{}", asked.request.method, asked.path));
    let context = answer["context"].as_object().cloned().unwrap_or_default();
    if authorizer.get("EnableSimpleResponses") == Some(&json!(true)) {
        let is_authorized = answer["isAuthorized"].as_bool().ok_or_else(internal_error)?;
        return Ok(is_authorized.then_some(Granted::Function { principal: None, context }));
    }
    let allowed = policy::allows(&answer["policyDocument"], &arn).ok_or_else(internal_error)?;
    let principal = answer["principalId"].as_str().map(str::to_owned);
    Ok(allowed.then_some(Granted::Function { principal, context }))
}
