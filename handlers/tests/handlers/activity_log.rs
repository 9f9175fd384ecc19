use std::time::{Duration, SystemTime};

use handlers::activity_log;
use serde_json::{Value, json};

use crate::server::Server;
use crate::stage::{Log, POST_AUTHENTICATION, changed, parsed, users};

async fn answer(server: &Server, event: Value) -> Value {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_420_800_250);
    let event = activity_log::handle(&users(server), parsed(event), now).await;
    serde_json::to_value(event).unwrap()
}

fn documented() -> Value {
    serde_json::from_str(POST_AUTHENTICATION).unwrap()
}

#[tokio::test]
async fn a_sign_in_is_logged_and_written_and_the_event_comes_back() {
    let server = Server::scripted([(200, json!({}))]);
    let log = Log::start();
    let mut sent = documented();
    let event = answer(&server, sent.clone()).await;
    sent["request"]["clientMetadata"] = json!({});
    assert_eq!(event, sent);

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "DynamoDB_20120810.UpdateItem");
    assert_eq!(
        requests[0].body,
        json!({
            "TableName": "known-users",
            "Key": {"UserEmail": {"S": "test_email_1@example.com"}},
            "UpdateExpression": "SET #user_name = :user_name, #last_login = :last_login",
            "ExpressionAttributeNames": {"#user_name": "UserName", "#last_login": "LastLogin"},
            "ExpressionAttributeValues": {
                ":user_name": {"S": "test_user_1"},
                ":last_login": {"M": {
                    "UserPoolId": {"S": "eu-central-1_EXAMPLE"},
                    "ClientId": {"S": "1example23456789"},
                    "Time": {"S": "2026-11-23T08:00:00Z"},
                }},
            },
        })
    );
    assert_eq!(
        log.lines(),
        [
            "INFO Received PostAuthentication_Authentication for user \"test_user_1\"",
            "INFO Signed in: {\"UserName\":\"test_user_1\",\"UserEmail\":\"test_email_1@example.com\",\
             \"LastLogin\":{\"UserPoolId\":\"eu-central-1_EXAMPLE\",\"ClientId\":\"1example23456789\",\
             \"Time\":\"2026-11-23T08:00:00Z\"}}",
            "INFO Wrote the sign-in to table known-users",
        ]
    );
}

#[tokio::test]
async fn a_table_that_cannot_be_written_keeps_nobody_out() {
    let refusal = json!({
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "Message": "User is not authorized to perform: dynamodb:UpdateItem",
    });
    let server = Server::scripted([(400, refusal)]);
    let log = Log::start();
    let event = answer(&server, documented()).await;
    assert_eq!(event["response"], json!({}));
    let text = log.text();
    assert!(text.contains("ERROR The sign-in cannot be written to table known-users"), "{text}");
    assert!(text.contains("AccessDeniedException: User is not authorized"), "{text}");
}

#[tokio::test]
async fn without_an_email_there_is_nothing_to_write_under() {
    let server = Server::scripted([]);
    let log = Log::start();
    let sent = changed(POST_AUTHENTICATION, "/request/userAttributes", json!({"sub": "1"}));
    answer(&server, sent).await;
    assert!(server.requests().is_empty());
    assert!(log.text().contains("WARN There is no e-mail address"));
}

#[tokio::test]
async fn other_sources_are_left_alone() {
    let server = Server::scripted([]);
    let source = "PostAuthentication_Newer";
    let event = answer(&server, changed(POST_AUTHENTICATION, "/triggerSource", source)).await;
    assert_eq!(event["triggerSource"], source);
    assert!(server.requests().is_empty());
}
