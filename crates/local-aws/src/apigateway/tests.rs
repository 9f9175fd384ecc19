//! APIs over real sockets, in front of functions that run.

mod rest;
mod stacks;
mod tokens;
mod urls;

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::account::client::{Caller, Client};
use crate::iam::{self, CreateRole};
use crate::{LatencyProfile, LocalAws, LocalOptions};

/// Answers with its event, or as the query says.
const HANDLER: &str = r#"
import json, time

def gate(event):
    token = event.get("authorizationToken") or event["headers"].get("X-Word")
    if token == "who":
        raise Exception("Unauthorized")
    if token == "break":
        return {"principalId": "ada"}
    effect = "Deny" if token == "never" else "Allow"
    arn = event["methodArn"].rsplit("/", 2)[0] + "/*"
    resource = arn if token != "elsewhere" else "arn:aws:execute-api:*:*:none/*"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": "ada", "context": {"level": 3, "seen": event["type"], "at": time.time()},
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }

def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "methodArn" in event:
        return gate(event)
    if event.get("type") == "REQUEST":
        return {"isAuthorized": event["identitySource"] == ["let me in"], "context": {"who": "ada", "level": 3}}
    if "fail" in query:
        raise ValueError("no")
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "bytes" in query:
        return {"statusCode": 200, "body": "AAEC", "isBase64Encoded": True, "headers": {"Content-Type": "image/png"}}
    if "plain" in query:
        return {"got": query["plain"]}
    return {"statusCode": 201, "headers": {"X-Kind": "test"}, "body": json.dumps(event)}
"#;
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

struct Here {
    aws: LocalAws,
    client: Client,
}

impl Here {
    async fn start() -> Self {
        let options = LocalOptions {
            port: 0,
            latency: LatencyProfile::None,
            region: "eu-west-1".to_owned(),
            account_id: "123456789012".to_owned(),
            launcher: Vec::new(),
            required: None,
        };
        let aws = LocalAws::start(options).await.expect("a free port");
        let client = aws.account().client(Caller::Requester(None));
        Self { aws, client }
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let name = format!("apigatewayv2:{operation}");
        self.client.operation(&name, &input).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    async fn rest(&self, operation: &str, input: Value) -> Value {
        let name = format!("apigateway:{operation}");
        self.client.operation(&name, &input).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    async fn rest_refused(&self, operation: &str, input: Value) -> (String, String) {
        let name = format!("apigateway:{operation}");
        let error = self.client.operation(&name, &input).await.expect_err("refused");
        (error.code, error.message)
    }

    async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let name = format!("apigatewayv2:{operation}");
        let error = self.client.operation(&name, &input).await.expect_err("refused");
        (error.code, error.message)
    }

    /// A function, which the API of that id may call.
    async fn function(&self, api: Option<&str>) {
        let account = self.aws.account();
        let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
        let role =
            CreateRole { name: "r".to_owned(), trust: trust.to_owned(), ..CreateRole::default() };
        let context = iam::Context { account_id: account.id.clone(), now: account.now() };
        account.state::<iam::State>().create_role(role, &context).expect("a role");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("m.py", SimpleFileOptions::default()).expect("an entry");
        zip.write_all(HANDLER.as_bytes()).expect("its content");
        let zip = BASE64_STANDARD.encode(zip.finish().expect("a zip").into_inner());
        let function = json!({
            "FunctionName": "f", "Runtime": "python3.13", "Handler": "m.handler", "Timeout": 30,
            "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": zip},
        });
        let path = ["2015-03-31", "functions"];
        self.client.rest("lambda", Method::POST, &path, Some(&function)).await.expect("a function");
        if let Some(api) = api {
            self.allow(api).await;
        }
    }

    async fn allow(&self, api: &str) {
        let permission = json!({
            "StatementId": "api", "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": format!("arn:aws:execute-api:eu-west-1:123456789012:{api}/*"),
        });
        let path = ["2015-03-31", "functions", "f", "policy"];
        let added = self.client.rest("lambda", Method::POST, &path, Some(&permission)).await;
        added.expect("a permission");
    }

    /// An API with an integration, and its routes to that.
    async fn api(&self, routes: &[&str], more: Value) -> String {
        let mut input = json!({"Name": "a", "ProtocolType": "HTTP"});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        let api = self.call("CreateApi", input).await;
        let id = api["ApiId"].as_str().expect("an id").to_owned();
        assert_eq!(api["ApiEndpoint"], format!("{}/_api/{id}", self.aws.endpoint_url()));
        let integration = json!({
            "ApiId": id, "IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION,
            "PayloadFormatVersion": "2.0",
        });
        let integration = self.call("CreateIntegration", integration).await;
        let target =
            format!("integrations/{}", integration["IntegrationId"].as_str().expect("an id"));
        for route in routes {
            let route = json!({"ApiId": id, "RouteKey": route, "Target": target});
            self.call("CreateRoute", route).await;
        }
        self.call("CreateStage", json!({"ApiId": id, "StageName": "$default", "AutoDeploy": true}))
            .await;
        id
    }

    /// Sends a request as it stands; status, head and body of the answer.
    async fn ask(&self, line: &str, headers: &[&str], body: &str) -> (u16, String, String) {
        let address = self.aws.endpoint_url().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        let mut lines = vec![format!("{line} HTTP/1.1"), "Connection: close".to_owned()];
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            lines.push(format!("Host: {address}"));
        }
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        lines.push(format!("Content-Length: {}", body.len()));
        let text = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
        stream.write_all(text.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }
}

#[tokio::test]
async fn a_request_becomes_an_event_and_its_result_an_answer() {
    let here = Here::start().await;
    let id = here.api(&["PUT /products/{id}", "GET /products"], json!({})).await;
    here.function(Some(&id)).await;
    let headers = ["Content-Type: application/json", "Cookie: a=1; b=2", "X-Two: 1", "X-Two: 2"];
    let line = format!("PUT /_api/{id}/products/a%20b?q=1&q=2&plus=a+b");
    let (status, head, body) = here.ask(&line, &headers, r#"{"n": 1}"#).await;
    assert_eq!(status, 201, "{body}");
    assert!(head.contains("x-kind: test") && head.contains("apigw-requestid: "), "{head}");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "PUT /products/{id}");
    assert_eq!(event["rawPath"], "/products/a b");
    assert_eq!(event["rawQueryString"], "q=1&q=2&plus=a+b");
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["headers"]["x-two"], "1,2");
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!(event["queryStringParameters"], json!({"q": "1,2", "plus": "a b"}));
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"n": 1}"#), &json!(false)));
    let context = &event["requestContext"];
    assert_eq!(context["accountId"], "123456789012");
    assert_eq!(context["domainName"], format!("{id}.execute-api.eu-west-1.amazonaws.com"));
    assert_eq!(context["http"]["method"], "PUT");
    assert_eq!(context["stage"], "$default");
    assert!(event.get("stageVariables").is_none() && context.get("authorizer").is_none());

    let name = format!("Host: {id}.execute-api.eu-west-1.amazonaws.com");
    let (status, _, body) = here.ask("GET /products?plain=yes", &[&name], "").await;
    assert_eq!((status, body.as_str()), (200, r#"{"got":"yes"}"#));
    let bytes = ["Content-Type: application/x-www-form-urlencoded"];
    let (_, _, body) = here.ask(&format!("PUT /_api/{id}/products/1"), &bytes, "a=1").await;
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT0x"), &json!(true)));
    here.aws.shutdown().await;
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_the_words_of_api_gateway() {
    let here = Here::start().await;
    let id = here.api(&["GET /x"], json!({})).await;
    here.function(None).await;
    let path = format!("/_api/{id}/x");
    let answer = |(status, _, body): (u16, String, String)| (status, body);
    let failed = (500, r#"{"message":"Internal Server Error"}"#.to_owned());
    let unknown = (404, r#"{"message":"Not Found"}"#.to_owned());
    assert_eq!(answer(here.ask(&format!("GET {path}"), &[], "").await), failed, "no permission");
    here.allow(&id).await;
    assert_eq!(here.ask(&format!("GET {path}"), &[], "").await.0, 201);
    assert_eq!(answer(here.ask(&format!("GET {path}?fail=1"), &[], "").await), failed);
    assert_eq!(answer(here.ask(&format!("POST {path}"), &[], "").await), unknown);
    assert_eq!(answer(here.ask(&format!("GET {path}/y"), &[], "").await), unknown);
    assert_eq!(answer(here.ask("GET /_api/abcdefghij/x", &[], "").await).0, 403);
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    assert_eq!(here.ask(&format!("GET {path}"), &[], &large).await.0, 413);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_stage_answers_as_it_was_deployed() {
    let here = Here::start().await;
    let id = here.api(&["GET /x"], json!({})).await;
    here.function(Some(&id)).await;
    let stage = json!({"ApiId": id, "StageName": "prod", "StageVariables": {"colour": "blue"}});
    here.call("CreateStage", stage).await;
    let path = format!("GET /_api/{id}/prod/x");
    assert_eq!(here.ask(&path, &[], "").await.0, 404, "nothing is deployed there");
    here.call("CreateDeployment", json!({"ApiId": id, "StageName": "prod"})).await;
    let (status, _, body) = here.ask(&path, &[], "").await;
    assert_eq!(status, 201);
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(event["rawPath"], "/prod/x");
    assert_eq!(event["stageVariables"], json!({"colour": "blue"}));
    let routes = here.call("GetRoutes", json!({"ApiId": id})).await;
    let route = routes["Items"][0]["RouteId"].clone();
    here.call("DeleteRoute", json!({"ApiId": id, "RouteId": route})).await;
    assert_eq!(here.ask(&path, &[], "").await.0, 201, "it was deployed");
    assert_eq!(here.ask(&format!("GET /_api/{id}/x"), &[], "").await.0, 404);
    here.call("DeleteApi", json!({"ApiId": id})).await;
    assert_eq!(here.ask(&path, &[], "").await.0, 403);
    here.aws.shutdown().await;
}

#[tokio::test]
async fn a_function_says_who_may() {
    let here = Here::start().await;
    let id = here.api(&[], json!({})).await;
    here.function(Some(&id)).await;
    let authorizer = json!({
        "ApiId": id, "Name": "gate", "AuthorizerType": "REQUEST", "AuthorizerUri": FUNCTION,
        "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
        "IdentitySource": ["$request.header.X-Word"],
    });
    let authorizer = here.call("CreateAuthorizer", authorizer).await;
    let integrations = here.call("GetIntegrations", json!({"ApiId": id})).await;
    let integration = integrations["Items"][0]["IntegrationId"].as_str().expect("an id");
    let route = json!({
        "ApiId": id, "RouteKey": "$default", "Target": format!("integrations/{integration}"),
        "AuthorizationType": "CUSTOM", "AuthorizerId": authorizer["AuthorizerId"],
    });
    here.call("CreateRoute", route).await;
    let path = format!("GET /_api/{id}/any/thing");
    let (status, _, body) = here.ask(&path, &["X-Word: let me in"], "").await;
    assert_eq!(status, 201);
    let event: Value = serde_json::from_str(&body).expect("JSON");
    let said = json!({"lambda": {"who": "ada", "level": 3}});
    assert_eq!(event["requestContext"]["authorizer"], said);
    let (status, _, body) = here.ask(&path, &["X-Word: please"], "").await;
    assert_eq!((status, body.as_str()), (403, r#"{"message":"Forbidden"}"#));
    let (status, _, body) = here.ask(&path, &[], "").await;
    assert_eq!((status, body.as_str()), (401, r#"{"message":"Unauthorized"}"#));
    let used =
        here.refused("DeleteIntegration", json!({"ApiId": id, "IntegrationId": integration})).await;
    assert_eq!(used.0, "ConflictException");
    here.aws.shutdown().await;
}

#[tokio::test]
async fn pages_reach_apis_and_nothing_else() {
    let here = Here::start().await;
    let cors = json!({"CorsConfiguration": {
        "AllowOrigins": ["https://shop.example"], "AllowMethods": ["GET"], "MaxAge": 5,
    }});
    let id = here.api(&["GET /x"], cors).await;
    here.function(Some(&id)).await;
    let path = format!("/_api/{id}/x");
    let page =
        ["Origin: https://shop.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"];
    let preflight = [page[0], page[1], page[2], "Access-Control-Request-Method: GET"];
    let (status, head, _) = here.ask(&format!("OPTIONS {path}"), &preflight, "").await;
    assert_eq!(status, 204, "{head}");
    for line in [
        "access-control-allow-origin: https://shop.example",
        "access-control-allow-methods: get",
        "access-control-max-age: 5",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let (status, head, _) = here.ask(&format!("GET {path}"), &page, "").await;
    assert_eq!(status, 201);
    assert!(head.contains("access-control-allow-origin: https://shop.example"), "{head}");
    let other = ["Origin: https://evil.example"];
    let (_, head, _) = here.ask(&format!("GET {path}"), &other, "").await;
    assert!(!head.contains("access-control-allow-origin"), "{head}");

    // What is not an API's stays closed to pages, whatever they make of the path.
    let operations = [
        ("POST /", "x-amz-target: AmazonSSM.GetParameter"),
        ("GET /2015-03-31/functions", "X-A: b"),
        ("GET /_playbook/inbox", "X-A: b"),
        ("GET /x/_api/2015-03-31/functions", "X-A: b"),
        ("GET //_api/2015-03-31/functions", "X-A: b"),
    ];
    for (line, header) in operations {
        let (status, head, _) = here.ask(line, &[page[0], page[1], page[2], header], "").await;
        assert_eq!(status, 403, "{line}: {head}");
    }
    // An API's name or path never leads to an operation.
    let name = format!("Host: {id}.execute-api.eu-west-1.amazonaws.com");
    let key = "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261123/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    for (line, host) in [
        ("GET /2015-03-31/functions".to_owned(), name.as_str()),
        ("GET /_playbook/inbox".to_owned(), name.as_str()),
        (format!("GET /_api/{id}/../../2015-03-31/functions"), "Host: localhost"),
        (format!("GET /_api/{id}/2015-03-31/functions"), "Host: 127.0.0.1"),
    ] {
        let (status, _, body) =
            here.ask(&line, &[host, key, "x-amz-target: AmazonSSM.GetParameter"], "").await;
        assert_eq!((status, body.as_str()), (404, r#"{"message":"Not Found"}"#), "{line}");
    }
    for host in ["Host: evil.example", "Host: x.execute-api.eu-west-1.evil.example"] {
        let (status, _, body) = here.ask(&format!("GET {path}"), &[host], "").await;
        assert_eq!(status, 403);
        assert!(body.contains("not web pages"), "{body}");
    }
    here.aws.shutdown().await;
}

/// What cannot be made of the API of that id: operation, input, code, and what is said.
fn refusals(id: &str) -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let bad = "BadRequestException";
    let route = |more: &Value| with(json!({"ApiId": id, "RouteKey": "GET /y"}), more);
    let integration = |more: &Value| {
        let plain = json!({
            "ApiId": id, "IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION,
            "PayloadFormatVersion": "1.0",
        });
        with(plain, more)
    };
    let jwt = json!({
        "ApiId": id, "Name": "t", "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": "https://example.org", "Audience": ["c"]},
    });
    let stage = |name: &str| json!({"ApiId": id, "StageName": name});
    vec![
        ("CreateApi", json!({"Name": "w", "ProtocolType": "WEBSOCKET"}), bad, "WEBSOCKET"),
        ("GetApi", json!({"ApiId": "none"}), "NotFoundException", "Invalid API identifier"),
        ("CreateRoute", route(&json!({"RouteKey": "GET /x"})), "ConflictException", "GET /x"),
        ("CreateRoute", route(&json!({"RouteKey": "x"})), bad, "not formatted properly"),
        ("CreateRoute", route(&json!({"AuthorizationType": "AWS_IAM"})), bad, "AWS_IAM"),
        ("CreateRoute", route(&json!({"Target": "integrations/none"})), bad, "integrations/none"),
        (
            "CreateIntegration",
            integration(&json!({"IntegrationType": "HTTP_PROXY"})),
            bad,
            "HTTP_PROXY",
        ),
        (
            "CreateIntegration",
            integration(&json!({"IntegrationUri": "arn:aws:sqs:::q"})),
            bad,
            "URI",
        ),
        (
            "CreateIntegration",
            integration(&json!({"RequestParameters": {"a": "b"}})),
            bad,
            "RequestParameters",
        ),
        ("CreateStage", stage("a b"), bad, "Stage name"),
        ("CreateStage", stage("$default"), "ConflictException", "$default"),
        ("CreateAuthorizer", jwt, bad, "Invalid issuer"),
        ("CreateDeployment", stage("none"), "NotFoundException", "none"),
    ]
}

fn with(mut input: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn what_an_api_cannot_be_is_refused() {
    let here = Here::start().await;
    let id = here.api(&["GET /x"], json!({})).await;
    for (operation, input, code, said) in refusals(&id) {
        let (got, message) = here.refused(operation, input).await;
        assert!(got == code && message.contains(said), "{operation}: {got}: {message}");
    }
    here.aws.shutdown().await;
}
