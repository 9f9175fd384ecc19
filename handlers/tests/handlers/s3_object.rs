use std::net::TcpListener;

use aws_lambda_events::event::s3::S3Event;
use handlers::events::{Error, s3_object};
use handlers::s3;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::server::Server;
use crate::stage::{Log, S3, changed, environment, parsed, refusal, without};

async fn handle(server: &Server, event: Value) -> Result<(), Error> {
    handle_in(&environment(server), event).await
}

async fn handle_in(environment: &[(&'static str, String)], event: Value) -> Result<(), Error> {
    let variable = |wanted: &'static str| {
        environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
    };
    let client = s3::client(variable).unwrap();
    s3_object::handle(&client, &parsed(event)).await
}

fn with_key(key: &str) -> Value {
    changed(S3, "/Records/0/s3/object/key", key)
}

#[tokio::test]
async fn the_documented_object_is_asked_for_and_its_type_logged() {
    let server = Server::scripted([(200, json!("image/jpeg"))]);
    let log = Log::start();
    handle(&server, serde_json::from_str(S3).unwrap()).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method, "HEAD");
    assert_eq!(requests[0].path, "/amzn-s3-demo-bucket/b21b84d653bb07b05b1e6b33684dc11b");
    assert_eq!(
        log.lines(),
        [
            "INFO Object amzn-s3-demo-bucket/b21b84d653bb07b05b1e6b33684dc11b is of type image/jpeg",
            "INFO Processed: 1 of 1",
        ]
    );
}

#[tokio::test]
async fn keys_are_decoded_once() {
    for (encoded, key, path) in [
        ("red+flower.jpg", "red flower.jpg", "red%20flower.jpg"),
        ("a%2Bb%2520c", "a+b%20c", "a%2Bb%2520c"),
        ("f%C3%BCr/%E2%82%AC.txt", "für/€.txt", "f%C3%BCr/%E2%82%AC.txt"),
        ("a%0Ab", "a\\nb", "a%0Ab"),
    ] {
        let server = Server::scripted([(200, json!("text/plain"))]);
        let log = Log::start();
        handle(&server, with_key(encoded)).await.unwrap();
        assert_eq!(server.requests()[0].path, format!("/amzn-s3-demo-bucket/{path}"));
        let line = format!("INFO Object amzn-s3-demo-bucket/{key} is of type text/plain");
        assert_eq!(log.lines()[0], line);
    }
}

#[tokio::test]
async fn a_bucket_is_never_part_of_the_name_of_a_host_that_is_not_aws() {
    let server = Server::scripted([(200, json!("text/plain"))]);
    let mut environment = environment(&server);
    let endpoint = format!("http://localhost:{}", server.address().port());
    environment.push(("AWS_ENDPOINT_URL_S3", endpoint));
    handle_in(&environment, with_key("k")).await.unwrap();
    assert_eq!(server.requests()[0].path, "/amzn-s3-demo-bucket/k");
}

#[tokio::test]
async fn every_record_is_looked_at() {
    let server = Server::scripted([(200, json!("a/a")), (200, json!("b/b"))]);
    let mut event = with_key("one");
    let mut second = event["Records"][0].clone();
    second["s3"]["object"]["key"] = json!("two");
    event["Records"].as_array_mut().unwrap().push(second);
    let log = Log::start();
    handle(&server, event).await.unwrap();
    assert_eq!(
        log.lines(),
        [
            "INFO Object amzn-s3-demo-bucket/one is of type a/a",
            "INFO Object amzn-s3-demo-bucket/two is of type b/b",
            "INFO Processed: 2 of 2",
        ]
    );
}

#[tokio::test]
async fn an_object_that_is_not_there_or_not_to_be_seen_is_an_error() {
    for (status, reason) in [(404, "NotFound"), (403, "HTTP status 403")] {
        let server = Server::scripted([(status, Value::Null)]);
        let told = Diagnostic::from(handle(&server, with_key("a+b")).await.unwrap_err());
        assert_eq!(told.error_type, "S3.Unavailable");
        assert_eq!(
            told.error_message,
            format!("the head of object amzn-s3-demo-bucket/a b cannot be read: {reason}")
        );
    }
}

#[tokio::test]
async fn an_s3_that_is_not_there_is_an_error_that_says_why() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let variable = |name: &'static str| match name {
        "AWS_ENDPOINT_URL_S3" => Some(format!("http://127.0.0.1:{port}")),
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        name => name.starts_with("AWS_").then(|| "x".to_owned()),
    };
    let client = s3::client(variable).unwrap();
    let error = s3_object::handle(&client, &parsed(with_key("k"))).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the head of object amzn-s3-demo-bucket/k cannot be read: "),
        "{text}"
    );
    assert!(text.contains("Connection refused"), "{text}");
}

#[tokio::test]
async fn records_that_name_no_object_ask_for_nothing() {
    let server = Server::scripted([]);
    for (event, reason) in [
        (
            with_key("%FF"),
            "the key of object amzn-s3-demo-bucket/%FF is not UTF-8 once it is decoded",
        ),
        (with_key(""), "record 1 has no `object.key`"),
        (without(S3, "/Records/0/s3/object", "key"), "record 1 has no `object.key`"),
        (without(S3, "/Records/0/s3/bucket", "name"), "record 1 has no `bucket.name`"),
    ] {
        assert_eq!(handle(&server, event).await.unwrap_err().to_string(), reason);
    }
    let log = Log::start();
    handle(&server, json!({"Records": []})).await.unwrap();
    assert_eq!(log.lines(), ["INFO Processed: 0 of 0"]);
    assert!(server.requests().is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(refusal::<S3Event>(without(S3, "/Records/0", "s3")), "missing field `s3`");
}

#[test]
fn what_lambda_sets_must_be_there() {
    let error = s3::client(|_| None).unwrap_err();
    assert_eq!(error.to_string(), "the environment variable AWS_ACCESS_KEY_ID is not set");
}
