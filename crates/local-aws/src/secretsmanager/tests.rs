use serde_json::{Value, json};

use crate::SERVICES;
use crate::account::client::Caller;
use crate::account::{Account, AccountOptions};
use crate::protocol::AwsError;

fn open() -> Account {
    let options = AccountOptions {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        ..AccountOptions::default()
    };
    Account::open(options, SERVICES.to_vec())
}

async fn call(account: &Account, operation: &str, input: Value) -> Result<Value, AwsError> {
    let client = account.client(Caller::Requester(None));
    client.operation(&format!("secretsmanager:{operation}"), &input).await
}

#[tokio::test]
async fn versions_have_stages_and_the_last_one_is_current() {
    let account = open();
    let made =
        call(&account, "CreateSecret", json!({"Name": "db/password", "SecretString": "one"})).await;
    let made = made.expect("created");
    let arn = made["ARN"].as_str().unwrap_or_default().to_owned();
    assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db/password-"));
    let put = json!({"SecretId": arn, "SecretString": "two"});
    let put = call(&account, "PutSecretValue", put).await.expect("put");
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));
    let get = async |input: Value| call(&account, "GetSecretValue", input).await.expect("a value");
    assert_eq!(get(json!({"SecretId": "db/password"})).await["SecretString"], "two");
    let before = get(json!({"SecretId": "db/password", "VersionStage": "AWSPREVIOUS"})).await;
    assert_eq!(
        (&before["SecretString"], &before["VersionId"]),
        (&json!("one"), &made["VersionId"])
    );
    let back = json!({
        "SecretId": arn, "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": put["VersionId"], "MoveToVersionId": made["VersionId"],
    });
    call(&account, "UpdateSecretVersionStage", back).await.expect("moved");
    assert_eq!(get(json!({"SecretId": arn})).await["SecretString"], "one");
    let binary = json!({"SecretId": arn, "SecretBinary": "AAE="});
    call(&account, "PutSecretValue", binary).await.expect("put");
    assert_eq!(get(json!({"SecretId": arn})).await["SecretBinary"], "AAE=");
    assert!(!account.snapshot()["secretsmanager"].to_string().contains("one"));
}

#[tokio::test]
async fn what_is_deleted_can_be_restored_unless_it_is_gone_at_once() {
    let account = open();
    call(&account, "CreateSecret", json!({"Name": "s", "SecretString": "x"}))
        .await
        .expect("created");
    let one = json!({"SecretId": "s"});
    call(&account, "DeleteSecret", one.clone()).await.expect("deleted");
    let refused = call(&account, "GetSecretValue", one.clone()).await.expect_err("marked");
    assert_eq!(refused.code, "InvalidRequestException");
    let again = call(&account, "CreateSecret", json!({"Name": "s", "SecretString": "x"})).await;
    assert!(again.expect_err("taken").message.contains("already scheduled for deletion"));
    call(&account, "RestoreSecret", one.clone()).await.expect("restored");
    let now = json!({"SecretId": "s", "ForceDeleteWithoutRecovery": true});
    call(&account, "DeleteSecret", now).await.expect("gone");
    let missing = call(&account, "DescribeSecret", one).await.expect_err("gone");
    assert_eq!(
        missing.to_string(),
        "ResourceNotFoundException: Secrets Manager can't find the specified secret."
    );
    assert_eq!(account.snapshot()["secretsmanager"], json!({}));
}

#[tokio::test]
async fn a_password_has_what_it_is_asked_to_have() {
    let account = open();
    let input =
        json!({"PasswordLength": 12, "ExcludePunctuation": true, "ExcludeCharacters": "abc"});
    let made = call(&account, "GetRandomPassword", input).await.expect("a password");
    let password = made["RandomPassword"].as_str().unwrap_or_default();
    assert_eq!(password.chars().count(), 12);
    assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric() && !b"abc".contains(&byte)));
    assert!(password.bytes().any(|byte| byte.is_ascii_digit()));
}
