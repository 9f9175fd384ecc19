//! The whole service: requests in, responses out, functions that execute.

use std::io::{Cursor, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Lambda, State};
use crate::SERVICES;
use crate::account::client::{Call, Caller, ServiceCaller};
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::http::{Request, Response};
use crate::iam::{self, CreateRole};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/p";
const ECHO: &str = "def handler(event, context):\n    print('called')\n    return {'got': event}\n";

fn open() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        latency: LatencyProfile::None,
        endpoint_url: "http://127.0.0.1:1".to_owned(),
        launcher: Vec::new(),
    };
    let account = Account::open(options, SERVICES.to_vec());
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}}"#;
    let role =
        CreateRole { name: "r".to_owned(), trust: trust.to_owned(), ..CreateRole::default() };
    let context = iam::Context { account_id: account.id.clone(), now: account.now() };
    account.state::<iam::State>().create_role(role, &context).expect("a role");
    account
}

fn package(text: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("m.py", SimpleFileOptions::default()).expect("an entry");
    writer.write_all(text.as_bytes()).expect("its content");
    writer.finish().expect("a zip").into_inner()
}

fn body(code: &Value) -> Value {
    json!({
        "FunctionName": "f",
        "Runtime": "python3.13",
        "Handler": "m.handler",
        "Role": ROLE,
        "Code": code,
    })
}

fn create(account: &Account, text: &str) {
    let body = body(&json!({"ZipFile": STANDARD.encode(package(text))}));
    let body = serde_json::from_value(body).expect("a body");
    let lambda = Lambda::of(account);
    let created = account.state::<State>().create_function(body, lambda.context(), &|_| true);
    created.expect("created");
}

async fn send(
    account: &Account,
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
        on_behalf_of: None,
    };
    account.service("lambda").expect("Lambda").handle(account, &request).await
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

const INVOKE: [&str; 4] = ["2015-03-31", "functions", "f", "invocations"];

#[tokio::test]
async fn an_invocation_answers_with_result_version_and_log() {
    let account = open();
    create(&account, ECHO);
    let tail = [("x-amz-log-type", "Tail")];
    let response = send(&account, Method::POST, &INVOKE, &tail, &json!({"a": 1})).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.body, r#"{"got": {"a": 1}}"#);
    assert_eq!(header(&response, "X-Amz-Executed-Version"), Some("$LATEST"));
    assert_eq!(header(&response, "X-Amz-Function-Error"), None);
    let log = STANDARD.decode(header(&response, "X-Amz-Log-Result").unwrap_or_default());
    let log = String::from_utf8(log.expect("base64")).expect("text");
    let start =
        "START RequestId: 11111111-2222-4333-8444-555555555555 Version: $LATEST\ncalled\nEND";
    assert!(log.starts_with(start), "{log}");
    account.shutdown().await;
}

#[tokio::test]
async fn errors_of_functions_are_successful_responses() {
    let account = open();
    create(&account, "def handler(event, context):\n    return 1 / 0\n");
    let response = send(&account, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "X-Amz-Function-Error"), Some("Unhandled"));
    account.shutdown().await;
}

#[tokio::test]
async fn events_are_executed_later_and_dry_runs_never() {
    let account = open();
    create(&account, ECHO);
    let groups = || account.snapshot()["logs"].to_string();
    let dry =
        send(&account, Method::POST, &INVOKE, &[("x-amz-invocation-type", "DryRun")], &json!({}))
            .await;
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    assert!(!groups().contains("/aws/lambda/f"));
    let event =
        send(&account, Method::POST, &INVOKE, &[("x-amz-invocation-type", "Event")], &json!({}))
            .await;
    assert_eq!((event.status, event.body.len()), (202, 0));
    for _ in 0..500 {
        if groups().contains("/aws/lambda/f") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(groups().contains("/aws/lambda/f"));
    account.shutdown().await;
}

#[tokio::test]
async fn a_function_whose_role_is_gone_does_not_run() {
    let account = open();
    create(&account, ECHO);
    account.state::<iam::State>().delete_role("r").expect("deleted");
    let response = send(&account, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(response.status, 403);
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(body["Message"], "The role defined for the function cannot be assumed by Lambda.");
    assert!(!account.snapshot()["logs"].to_string().contains("/aws/lambda/f"));
    account.shutdown().await;
}

#[tokio::test]
async fn another_service_needs_a_permission() {
    let account = open();
    create(&account, ECHO);
    let caller = ServiceCaller {
        principal: "cognito-idp.amazonaws.com".to_owned(),
        source_arn: POOL.to_owned(),
        source_account: "123456789012".to_owned(),
    };
    let pool = account.client(Caller::Service(caller));
    let call = |function: &str| {
        let path = ["2015-03-31", "functions", function, "invocations"];
        Call::rest(Method::POST, &path, Some(&json!(1)))
    };
    let refused = pool.call("lambda", call("f")).await.expect_err("no policy");
    assert_eq!((refused.status, refused.code.as_str()), (403, "AccessDeniedException"));
    let permission = json!({
        "StatementId": "pool",
        "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": POOL,
    });
    let policy = ["2015-03-31", "functions", "f", "policy"];
    let added = send(&account, Method::POST, &policy, &[], &permission).await;
    assert_eq!(added.status, 201);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let answer = pool.call("lambda", call(arn)).await.expect("allowed");
    assert_eq!(answer.header("X-Amz-Function-Error"), None);
    assert_eq!(answer.body(), r#"{"got": 1}"#);
    account.shutdown().await;
}

#[tokio::test]
async fn refusals_are_aws_errors() {
    let account = open();
    let missing = send(&account, Method::POST, &INVOKE, &[], &json!({})).await;
    assert_eq!(missing.status, 404);
    assert_eq!(header(&missing, "x-amzn-ErrorType"), Some("ResourceNotFoundException"));
    let unknown = send(&account, Method::GET, &["2018-10-31", "layers"], &[], &json!({})).await;
    assert_eq!(header(&unknown, "x-amzn-ErrorType"), Some("UnknownOperationException"));
    create(&account, ECHO);
    let kind = [("x-amz-invocation-type", "Sometimes")];
    let bad = send(&account, Method::POST, &INVOKE, &kind, &json!({})).await;
    assert_eq!(header(&bad, "x-amzn-ErrorType"), Some("ValidationException"));
}

#[tokio::test]
async fn a_function_is_found_by_its_arn_and_gone_when_deleted() {
    let account = open();
    create(&account, ECHO);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let path = ["2015-03-31", "functions", arn];
    assert_eq!(send(&account, Method::GET, &path, &[], &json!({})).await.status, 200);
    let tags = ["2017-03-31", "tags", arn];
    let tag = json!({"Tags": {"playbook:run": "r"}});
    assert_eq!(send(&account, Method::POST, &tags, &[], &tag).await.status, 204);
    let listed = send(&account, Method::GET, &tags, &[], &json!({})).await;
    assert_eq!(listed.body, r#"{"Tags":{"playbook:run":"r"}}"#);
    assert_eq!(send(&account, Method::DELETE, &path, &[], &json!({})).await.status, 204);
    assert_eq!(send(&account, Method::DELETE, &path, &[], &json!({})).await.status, 404);
}

#[tokio::test]
async fn code_comes_from_a_bucket() {
    let account = open();
    let client = account.client(Caller::Requester(None));
    let put = async |path: &[&str], body: Vec<u8>| {
        let call = Call::rest(Method::PUT, path, None).with_body(Bytes::from(body));
        client.call("s3", call).await.expect("written")
    };
    put(&["code-of-f"], Vec::new()).await;
    put(&["code-of-f", "one", "f.zip"], package(ECHO)).await;
    put(&["code-of-f", "text"], b"no zip".to_vec()).await;
    let functions = ["2015-03-31", "functions"];
    let refused = async |code: Value| {
        let error = client.rest("lambda", Method::POST, &functions, Some(&body(&code))).await;
        error.expect_err("refused").to_string()
    };
    assert_eq!(
        refused(json!({"S3Bucket": "no-such-bucket", "S3Key": "k"})).await,
        "InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: \
         The specified bucket does not exist"
    );
    assert_eq!(
        refused(json!({"S3Bucket": "code-of-f", "S3Key": "two/f.zip"})).await,
        "InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The \
         specified key does not exist."
    );
    let not_a_zip = refused(json!({"S3Bucket": "code-of-f", "S3Key": "text"})).await;
    assert!(not_a_zip.contains("Could not unzip uploaded file."), "{not_a_zip}");
    let version = json!({"S3Bucket": "code-of-f", "S3Key": "one/f.zip", "S3ObjectVersion": "v"});
    assert!(refused(version).await.contains("S3ObjectVersion"));
    let both = json!({"S3Bucket": "b", "S3Key": "k", "ZipFile": "UEs="});
    assert!(refused(both).await.contains("when providing a ZipFile"));
    assert!(refused(json!({"S3Bucket": "b"})).await.contains("Please provide a source"));

    let code = json!({"S3Bucket": "code-of-f", "S3Key": "one/f.zip"});
    client.rest("lambda", Method::POST, &functions, Some(&body(&code))).await.expect("created");
    let answer = send(&account, Method::POST, &INVOKE, &[], &json!(1)).await;
    assert_eq!(answer.body, r#"{"got": 1}"#);
    put(&["code-of-f", "two"], package("def handler(event, context):\n    return 2\n")).await;
    let update = ["2015-03-31", "functions", "f", "code"];
    let code = json!({"S3Bucket": "code-of-f", "S3Key": "two"});
    client.rest("lambda", Method::PUT, &update, Some(&code)).await.expect("updated");
    let answer = send(&account, Method::POST, &INVOKE, &[], &json!(1)).await;
    assert_eq!(answer.body, "2");
    account.shutdown().await;
}
