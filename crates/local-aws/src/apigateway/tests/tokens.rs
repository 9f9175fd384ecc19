//! Tokens of user pools, before HTTP APIs and REST APIs.

use std::time::Duration;

use super::*;

const PASSWORD: &str = "Secret-123";

struct Pool {
    id: String,
    client: String,
    id_token: String,
    access_token: String,
}

impl Here {
    async fn cognito(&self, operation: &str, input: Value) -> Value {
        let name = format!("cognito-idp:{operation}");
        self.client.operation(&name, &input).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A pool with a user who has signed in.
    async fn pool(&self) -> Pool {
        let pool = self.cognito("CreateUserPool", json!({"PoolName": "p"})).await;
        let id = pool["UserPool"]["Id"].as_str().expect("an id").to_owned();
        let input = json!({
            "UserPoolId": id, "ClientName": "c", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        });
        let client = self.cognito("CreateUserPoolClient", input).await;
        let client = client["UserPoolClient"]["ClientId"].as_str().expect("an id").to_owned();
        let user = json!({"UserPoolId": id, "Username": "ada", "MessageAction": "SUPPRESS"});
        self.cognito("AdminCreateUser", user).await;
        let password = json!({
            "UserPoolId": id, "Username": "ada", "Password": PASSWORD, "Permanent": true,
        });
        self.cognito("AdminSetUserPassword", password).await;
        let sign_in = json!({
            "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ada", "PASSWORD": PASSWORD},
        });
        let tokens = self.cognito("InitiateAuth", sign_in).await["AuthenticationResult"].clone();
        let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        Pool { id, client, id_token: token("IdToken"), access_token: token("AccessToken") }
    }
}

#[tokio::test]
async fn an_http_api_takes_tokens_of_a_user_pool() {
    let here = Here::start().await;
    let pool = here.pool().await;
    let id = here.api(&[], json!({})).await;
    here.function(Some(&id)).await;
    let integrations = here.call("GetIntegrations", json!({"ApiId": id})).await;
    let integration = integrations["Items"][0]["IntegrationId"].as_str().expect("an id");
    let issuer = format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool.id);
    let scope = "aws.cognito.signin.user.admin";
    for (path, audience, scopes) in [
        ("any", pool.client.as_str(), json!([])),
        ("scoped", &pool.client, json!([scope])),
        ("admin", &pool.client, json!(["shop/admin"])),
        ("other", "another", json!([])),
    ] {
        let authorizer = json!({
            "ApiId": id, "Name": path, "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": issuer, "Audience": [audience]},
        });
        let authorizer = here.call("CreateAuthorizer", authorizer).await;
        let route = json!({
            "ApiId": id, "RouteKey": format!("GET /{path}"),
            "Target": format!("integrations/{integration}"), "AuthorizationType": "JWT",
            "AuthorizationScopes": scopes, "AuthorizerId": authorizer["AuthorizerId"],
        });
        here.call("CreateRoute", route).await;
    }
    let ask = async |path: &str, token: &str| {
        let token = format!("Authorization: {token}");
        here.ask(&format!("GET /_api/{id}/{path}"), &[&token], "").await
    };
    let refused = |(status, head, body): (u16, String, String), why: &str| {
        assert!(head.contains(why), "{why}: {head}");
        (status, body)
    };
    let unauthorized = (401, r#"{"message":"Unauthorized"}"#.to_owned());
    let (bearer, access) = (format!("Bearer {}", pool.id_token), &pool.access_token);
    let (status, _, body) = ask("any", &bearer).await;
    assert_eq!(status, 201, "{body}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let jwt = &event["requestContext"]["authorizer"]["jwt"];
    assert_eq!((&jwt["claims"]["token_use"], &jwt["scopes"]), (&json!("id"), &Value::Null));
    assert_eq!(jwt["claims"]["cognito:username"], "ada");
    let (status, _, body) = ask("scoped", access).await;
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(status, 201);
    assert_eq!(event["requestContext"]["authorizer"]["jwt"]["scopes"], json!([scope]));
    let forbidden = (403, r#"{"message":"Forbidden"}"#.to_owned());
    assert_eq!(refused(ask("admin", access).await, "insufficient_scope"), forbidden);
    assert_eq!(refused(ask("other", &bearer).await, "valid audience"), unauthorized);
    assert_eq!(refused(ask("any", "Bearer nonsense").await, "invalid_token"), unauthorized);
    let (signed, _) = bearer.rsplit_once('.').expect("a signature");
    assert_eq!(refused(ask("any", &format!("{signed}.AAAA")).await, "signature"), unauthorized);
    let none = here.ask(&format!("GET /_api/{id}/any"), &[], "").await;
    assert_eq!((none.0, none.2), unauthorized);
    here.aws.account().clock().advance(Duration::from_hours(2));
    assert_eq!(refused(ask("any", &bearer).await, "expired"), unauthorized);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_rest_api_takes_tokens_of_a_user_pool() {
    let here = Here::start().await;
    let (pool, other) = (here.pool().await, here.pool().await);
    let api = here.rest("CreateRestApi", json!({"name": "a"})).await;
    let (id, root) = (api["id"].as_str().expect("an id"), &api["rootResourceId"]);
    here.function(Some(id)).await;
    let arn = format!("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{}", pool.id);
    let authorizer = json!({
        "restApiId": id, "name": "pool", "type": "COGNITO_USER_POOLS", "providerARNs": [arn],
    });
    let authorizer = here.rest("CreateAuthorizer", authorizer).await;
    let uri = format!(
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    );
    for (method, scopes) in [
        ("GET", json!([])),
        ("PUT", json!(["aws.cognito.signin.user.admin"])),
        ("POST", json!(["shop/admin"])),
    ] {
        let of = json!({"restApiId": id, "resourceId": root, "httpMethod": method});
        let own = json!({
            "authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer["id"],
            "authorizationScopes": scopes,
        });
        here.rest("PutMethod", with(of.clone(), &own)).await;
        let own = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri});
        here.rest("PutIntegration", with(of, &own)).await;
    }
    here.rest("CreateDeployment", json!({"restApiId": id, "stageName": "prod"})).await;
    let ask = async |method: &str, token: &str| {
        let token = format!("Authorization: {token}");
        let (status, _, body) =
            here.ask(&format!("{method} /_api/{id}/prod/"), &[&token], "").await;
        (status, body)
    };
    let (status, body) = ask("GET", &pool.id_token).await;
    assert_eq!(status, 201, "{body}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let claims = &event["requestContext"]["authorizer"]["claims"];
    assert_eq!(claims["cognito:username"], "ada");
    assert!(claims["exp"].as_str().is_some_and(|at| at.contains(" UTC ")), "{claims}");
    assert_eq!(ask("PUT", &format!("Bearer {}", pool.access_token)).await.0, 201);
    let unauthorized = (401, r#"{"message":"Unauthorized"}"#.to_owned());
    for (method, token) in [
        ("GET", &pool.access_token),
        ("PUT", &pool.id_token),
        ("POST", &pool.access_token),
        ("GET", &other.id_token),
        ("GET", &"nonsense".to_owned()),
    ] {
        assert_eq!(ask(method, token).await, unauthorized, "{method} {token}");
    }
    here.aws.account().clock().advance(Duration::from_hours(2));
    let expired = (401, r#"{"message":"The incoming token has expired"}"#.to_owned());
    assert_eq!(ask("GET", &pool.id_token).await, expired);
    here.aws.shutdown().await;
}
