use handlers::KnownUsers;
use serde_json::json;

use crate::server::Server;
use crate::stage::{environment, users};

#[tokio::test]
async fn an_item_without_a_user_name_is_an_error_that_names_what_lacks() {
    let item = json!({"Item": {"UserEmail": {"S": "a@example.com"}, "UserName": {"N": "7"}}});
    let server = Server::scripted([(200, item)]);
    let error = users(&server).find_by_email("a@example.com").await.unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.ends_with("an item of table known-users has no text `UserName`"), "{shown}");
    assert_eq!(error.to_string(), "the known users are not kept as they should be");
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let fault = json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"});
    let server = Server::scripted([(500, fault), (200, json!({}))]);
    assert_eq!(users(&server).find_by_email("a@example.com").await.unwrap(), None);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn every_variable_that_is_missing_or_empty_is_named() {
    let server = Server::scripted([]);
    for wanted in ["TABLE_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        for left in [None, Some(String::new())] {
            let variable = |name: &'static str| {
                let mut all = environment(&server).into_iter();
                if name == wanted {
                    left.clone()
                } else {
                    all.find(|(known, _)| *known == name).map(|(_, value)| value)
                }
            };
            let error = KnownUsers::from_variables(variable).unwrap_err();
            assert_eq!(error.to_string(), format!("the environment variable {wanted} is not set"));
        }
    }
}
