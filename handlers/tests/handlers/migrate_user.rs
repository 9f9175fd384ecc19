use handlers::migrate_user;
use serde_json::{Value, json};

use crate::server::Server;
use crate::stage::{Log, USER_MIGRATION, changed, parsed, users};

async fn answer(server: &Server, event: Value) -> Value {
    let event = migrate_user::handle(&users(server), parsed(event)).await.unwrap();
    serde_json::to_value(event).unwrap()
}

fn documented() -> Value {
    serde_json::from_str(USER_MIGRATION).unwrap()
}

fn untouched() -> Value {
    json!({
        "userAttributes": {},
        "forceAliasCreation": false,
        "enableSMSMFA": null,
        "finalUserStatus": null,
        "messageAction": null,
        "desiredDeliveryMediums": null,
    })
}

#[tokio::test]
async fn a_known_user_is_migrated_from_whatever_page_it_is_on() {
    let key = json!({"UserEmail": {"S": "test_email_1@example.com"}});
    let item = json!({
        "UserEmail": {"S": "test_email_2@example.com"},
        "UserName": {"S": "test_user_2"},
        "LastLogin": {"M": {"Time": {"S": "2026-11-23T08:00:00Z"}}},
    });
    let server = Server::scripted([
        (200, json!({"Items": [], "Count": 0, "ScannedCount": 7, "LastEvaluatedKey": key})),
        (200, json!({"Items": [item], "Count": 1, "ScannedCount": 3})),
    ]);
    let log = Log::start();
    let event = answer(&server, documented()).await;
    assert_eq!(
        event["response"],
        json!({
            "userAttributes": {"email": "test_email_2@example.com", "email_verified": "true"},
            "forceAliasCreation": false,
            "enableSMSMFA": null,
            "finalUserStatus": "RESET_REQUIRED",
            "messageAction": "SUPPRESS",
            "desiredDeliveryMediums": null,
        })
    );
    assert_eq!(event["request"], documented()["request"]);

    let scan = json!({
        "TableName": "known-users",
        "FilterExpression": "#user_name = :user_name",
        "ExpressionAttributeNames": {"#user_name": "UserName"},
        "ExpressionAttributeValues": {":user_name": {"S": "test_user_2"}},
        "ConsistentRead": true,
    });
    let mut next = scan.clone();
    next["ExclusiveStartKey"] = key;
    let asked: Vec<_> =
        server.requests().into_iter().map(|request| (request.target, request.body)).collect();
    let operation = "DynamoDB_20120810.Scan".to_owned();
    assert_eq!(asked, [(operation.clone(), scan), (operation, next)]);
    assert_eq!(
        log.lines(),
        [
            "INFO Received UserMigration_Authentication for user \"test_user_2\"",
            "INFO Looking up user \"test_user_2\" in table known-users",
            "INFO User \"test_user_2\" is known with e-mail \"test_email_2@example.com\": migrated, a new password is required",
        ]
    );
}

#[tokio::test]
async fn an_unknown_user_is_not_migrated() {
    let server = Server::scripted([(200, json!({"Items": [], "Count": 0, "ScannedCount": 3}))]);
    let log = Log::start();
    let event = answer(&server, documented()).await;
    assert_eq!(event["response"], untouched());
    assert!(log.text().contains("User \"test_user_2\" is not known: not migrated"));
}

#[tokio::test]
async fn other_sources_are_left_alone() {
    let server = Server::scripted([]);
    for source in ["UserMigration_ForgotPassword", "UserMigration_Newer"] {
        let event = answer(&server, changed(USER_MIGRATION, "/triggerSource", source)).await;
        assert_eq!(event["response"], untouched());
    }
    assert!(server.requests().is_empty());
}

#[test]
fn nothing_shows_a_request() {
    let event: migrate_user::Event = parsed(documented());
    let shown = format!("{event:?} {event:#?}");
    assert!(shown.contains("test_user_2") && shown.contains("(withheld)"));
    assert!(!shown.contains("Tr0ub4dor"));
}
