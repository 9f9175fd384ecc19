use handlers::{Error, auto_confirm};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::server::{Request, Server};
use crate::stage::{Log, PRE_SIGN_UP, changed, parsed, users};

async fn answer(server: &Server, event: Value) -> Result<Value, Error> {
    let event = auto_confirm::handle(&users(server), parsed(event)).await?;
    Ok(serde_json::to_value(event).unwrap())
}

fn documented() -> Value {
    serde_json::from_str(PRE_SIGN_UP).unwrap()
}

fn item(user_name: &str) -> Value {
    json!({"Item": {"UserEmail": {"S": "test_email_1@example.com"}, "UserName": {"S": user_name}}})
}

#[tokio::test]
async fn a_known_user_is_confirmed_and_the_email_verified() {
    let server = Server::scripted([(200, item("test_user_1"))]);
    let log = Log::start();
    let event = answer(&server, documented()).await.unwrap();
    assert_eq!(
        event["response"],
        json!({"autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": false})
    );
    assert_eq!(
        server.requests(),
        [Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            target: "DynamoDB_20120810.GetItem".to_owned(),
            body: json!({
                "TableName": "known-users",
                "Key": {"UserEmail": {"S": "test_email_1@example.com"}},
                "ConsistentRead": true,
            }),
        }]
    );
    assert_eq!(
        log.lines(),
        [
            "INFO Received PreSignUp_SignUp for user \"test_user_1\"",
            "INFO Looking up e-mail \"test_email_1@example.com\" in table known-users",
            "INFO E-mail \"test_email_1@example.com\" is known as that of user \"test_user_1\": confirmed",
        ]
    );
}

#[tokio::test]
async fn what_is_not_the_response_comes_back_as_it_was() {
    let server = Server::scripted([(200, item("test_user_1"))]);
    let mut sent = documented();
    sent["newer"] = json!({"a": [1, 2]});
    sent["request"]["newer"] = json!("b");
    sent["callerContext"]["newer"] = json!(["c"]);
    let mut event = answer(&server, sent.clone()).await.unwrap();
    event["response"] = sent["response"].clone();
    // An absent map is as good as an empty one.
    event["request"]["validationData"] = Value::Null;
    sent["request"]["clientMetadata"] = json!({});
    assert_eq!(event, sent);
}

#[tokio::test]
async fn somebody_elses_email_confirms_nobody() {
    let server = Server::scripted([(200, item("test_user_2"))]);
    let log = Log::start();
    let event = answer(&server, documented()).await.unwrap();
    assert_eq!(event["response"], documented()["response"]);
    assert!(log.text().contains("as that of user \"test_user_2\", not \"test_user_1\""));
}

#[tokio::test]
async fn an_unknown_email_confirms_nobody() {
    let server = Server::scripted([(200, json!({}))]);
    let log = Log::start();
    let event = answer(&server, documented()).await.unwrap();
    assert_eq!(event["response"], documented()["response"]);
    assert!(log.text().contains("E-mail \"test_email_1@example.com\" is not known"));
}

#[tokio::test]
async fn without_an_email_nobody_is_looked_up() {
    let server = Server::scripted([]);
    for attributes in [json!({}), json!({"email": ""}), Value::Null] {
        let sent = changed(PRE_SIGN_UP, "/request/userAttributes", attributes);
        let event = answer(&server, sent).await.unwrap();
        assert_eq!(event["response"], documented()["response"]);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn other_sources_are_left_alone() {
    let server = Server::scripted([]);
    for source in ["PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider", "PreSignUp_Newer"] {
        let event = answer(&server, changed(PRE_SIGN_UP, "/triggerSource", source)).await.unwrap();
        assert_eq!(event["response"], documented()["response"]);
        assert_eq!(event["triggerSource"], source);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_failed_look_up_fails_the_sign_up_and_tells_details_to_the_log_alone() {
    let refusal = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        "message": "Requested resource not found",
    });
    let server = Server::scripted([(400, refusal)]);
    let error = answer(&server, documented()).await.unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "the known users cannot be reached now: ResourceNotFoundException: Requested resource not found"
    );
    let told = Diagnostic::from(error);
    assert_eq!(told.error_type, "KnownUsers.Unavailable");
    assert_eq!(told.error_message, "the known users cannot be reached now");
}
