//! The whole service: requests in, responses out, functions that execute.

use std::io::{Cursor, Write};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Caller, Service};
use crate::http::{Request, Response};
use crate::iam::{self, CreateRole};
use crate::server::Service as _;
use crate::world::{Pace, World};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/p";
const ECHO: &str = "def handler(event, context):\n    print('called')\n    return {'got': event}\n";

fn service() -> Service {
    let endpoint = "http://127.0.0.1:1".to_owned();
    let region = "us-east-1".to_owned();
    let world = World::new("123456789012".to_owned(), region, Pace::None, endpoint);
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}}"#;
    let role =
        CreateRole { name: "r".to_owned(), trust: trust.to_owned(), ..CreateRole::default() };
    let context = iam::Context { account_id: world.account_id.clone(), now: world.now() };
    world.state().iam.create_role(role, &context).expect("a role");
    Service::new(Arc::new(world), Vec::new())
}

fn create(service: &Service, text: &str) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("m.py", SimpleFileOptions::default()).expect("an entry");
    writer.write_all(text.as_bytes()).expect("its content");
    let code = writer.finish().expect("a zip").into_inner();
    let body = json!({
        "FunctionName": "f",
        "Runtime": "python3.13",
        "Handler": "m.handler",
        "Role": ROLE,
        "Code": {"ZipFile": STANDARD.encode(code)},
    });
    let body = serde_json::from_value(body).expect("a body");
    let context = service.context();
    let created = service.world.state().lambda.create_function(body, context, &|_| true);
    created.expect("created");
}

async fn send(
    service: &Service,
    method: Method,
    path: &[&str],
    headers: &[(&'static str, &'static str)],
    body: &Value,
) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("a header"));
    }
    let request = Request {
        method,
        target: String::new(),
        path: path.iter().map(|&segment| segment.to_owned()).collect(),
        trailing_slash: false,
        query: Vec::new(),
        headers: map,
        body: Bytes::from(body.to_string()),
        request_id: "11111111-2222-4333-8444-555555555555".to_owned(),
        credential: None,
    };
    service.handle(&request).await
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

const INVOKE: [&str; 4] = ["2015-03-31", "functions", "f", "invocations"];

#[tokio::test]
async fn an_invocation_answers_with_result_version_and_log() {
    let service = service();
    create(&service, ECHO);
    let tail = [("x-amz-log-type", "Tail")];
    let response = send(&service, Method::POST, &INVOKE, &tail, &json!({"a": 1})).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.body, r#"{"got": {"a": 1}}"#);
    assert_eq!(header(&response, "X-Amz-Executed-Version"), Some("$LATEST"));
    assert_eq!(header(&response, "X-Amz-Function-Error"), None);
    let log = STANDARD.decode(header(&response, "X-Amz-Log-Result").unwrap_or_default());
    let log = String::from_utf8(log.expect("base64")).expect("text");
    let start =
        "START RequestId: 11111111-2222-4333-8444-555555555555 Version: $LATEST\ncalled\nEND";
    assert!(log.starts_with(start), "{log}");
    service.shutdown().await;
}

#[tokio::test]
async fn errors_of_functions_are_successful_responses() {
    let service = service();
    create(&service, "def handler(event, context):\n    return 1 / 0\n");
    let response = send(&service, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "X-Amz-Function-Error"), Some("Unhandled"));
    service.shutdown().await;
}

#[tokio::test]
async fn events_are_executed_later_and_dry_runs_never() {
    let service = service();
    create(&service, ECHO);
    let groups = || service.world.snapshot()["logs"].to_string();
    let dry =
        send(&service, Method::POST, &INVOKE, &[("x-amz-invocation-type", "DryRun")], &json!({}))
            .await;
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    assert!(!groups().contains("/aws/lambda/f"));
    let event =
        send(&service, Method::POST, &INVOKE, &[("x-amz-invocation-type", "Event")], &json!({}))
            .await;
    assert_eq!((event.status, event.body.len()), (202, 0));
    for _ in 0..500 {
        if groups().contains("/aws/lambda/f") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(groups().contains("/aws/lambda/f"));
    service.shutdown().await;
}

#[tokio::test]
async fn a_function_whose_role_is_gone_does_not_run() {
    let service = service();
    create(&service, ECHO);
    service.world.state().iam.delete_role("r").expect("deleted");
    let response = send(&service, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(response.status, 403);
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(body["Message"], "The role defined for the function cannot be assumed by Lambda.");
    assert!(!service.world.snapshot()["logs"].to_string().contains("/aws/lambda/f"));
    service.shutdown().await;
}

#[tokio::test]
async fn another_service_needs_a_permission() {
    let service = service();
    create(&service, ECHO);
    let caller = Caller {
        service: "cognito-idp.amazonaws.com",
        source_arn: POOL,
        source_account: "123456789012",
    };
    let refused = service.invoke("f", Bytes::from("1"), caller).await.expect_err("no policy");
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDeniedException"));
    let permission = json!({
        "StatementId": "pool",
        "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": POOL,
    });
    let policy = ["2015-03-31", "functions", "f", "policy"];
    let added = send(&service, Method::POST, &policy, &[], &permission).await;
    assert_eq!(added.status, 201);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let invocation = service.invoke(arn, Bytes::from("1"), caller).await.expect("allowed");
    assert_eq!(
        (invocation.function_error, invocation.payload),
        (None, Bytes::from(r#"{"got": 1}"#))
    );
    service.shutdown().await;
}

#[tokio::test]
async fn refusals_are_aws_errors() {
    let service = service();
    let missing = send(&service, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(missing.status, 404);
    assert_eq!(header(&missing, "x-amzn-ErrorType"), Some("ResourceNotFoundException"));
    let unknown = send(&service, Method::GET, &["2018-10-31", "layers"], &[], &json!({})).await;
    assert_eq!(header(&unknown, "x-amzn-ErrorType"), Some("UnknownOperationException"));
    create(&service, ECHO);
    let kind = [("x-amz-invocation-type", "Sometimes")];
    let bad = send(&service, Method::POST, &INVOKE, &kind, &json!({})).await;
    assert_eq!(header(&bad, "x-amzn-ErrorType"), Some("ValidationException"));
}

#[tokio::test]
async fn a_function_is_found_by_its_arn_and_gone_when_deleted() {
    let service = service();
    create(&service, ECHO);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let path = ["2015-03-31", "functions", arn];
    assert_eq!(send(&service, Method::GET, &path, &[], &json!({})).await.status, 200);
    let tags = ["2017-03-31", "tags", arn];
    let tag = json!({"Tags": {"playbook:run": "r"}});
    assert_eq!(send(&service, Method::POST, &tags, &[], &tag).await.status, 204);
    let listed = send(&service, Method::GET, &tags, &[], &json!({})).await;
    assert_eq!(listed.body, r#"{"Tags":{"playbook:run":"r"}}"#);
    assert_eq!(send(&service, Method::DELETE, &path, &[], &json!({})).await.status, 204);
    assert_eq!(send(&service, Method::DELETE, &path, &[], &json!({})).await.status, 404);
}
