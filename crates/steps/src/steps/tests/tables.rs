//! Kinds for tables through the client of a dry run.

use serde_json::{Value, json};

use super::dry_run::DryRun;
use crate::steps::kind;
use engine::step::{Answer, StepError, Undone};

fn item(number: usize) -> Value {
    json!({"UserEmail": format!("{number}@example.com"), "Visits": number})
}

async fn with_table() -> DryRun {
    let dry = DryRun::new(Answer::NotAsked).await;
    let table = json!({"table_name": "people", "key": {"UserEmail": "string"}});
    let output = dry.run("create-table", table).await.expect("planned");
    assert_eq!(output["status"], "ACTIVE");
    let body = &dry.bodies()[0];
    assert_eq!(body["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(body["KeySchema"], json!([{"AttributeName": "UserEmail", "KeyType": "HASH"}]));
    assert_eq!(body["Tags"], json!([{"Key": "playbook:run", "Value": "7f3a"}]));
    dry.has_called_as_told("create-table");
    dry
}

#[tokio::test]
async fn an_item_is_put_and_taken_away_before_its_table() {
    let dry = with_table().await;
    let input = json!({"table_name": "people", "item": item(7)});
    let output = dry.run("put-item", input).await.expect("planned");
    assert_eq!((&output["item"], &output["previous"]), (&item(7), &Value::Null));
    let bodies = dry.bodies();
    assert_eq!(bodies[0]["Key"], json!({"UserEmail": {"S": "7@example.com"}}));
    assert_eq!(
        bodies[1]["Item"],
        json!({"UserEmail": {"S": "7@example.com"}, "Visits": {"N": "7"}})
    );
    assert_eq!(dry.operations(), ["dynamodb:GetItem", "dynamodb:PutItem"]);
    let ends = [
        ("AWS::DynamoDB::Item UserEmail=7@example.com of people", Undone::Deleted),
        ("AWS::DynamoDB::Table people", Undone::Deleted),
    ];
    assert_eq!(dry.undo().await, ends.map(|(what, end)| (what.to_owned(), end)));
    assert_eq!(
        dry.operations(),
        [
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeTable",
        ]
    );
}

#[tokio::test]
async fn many_items_go_twenty_five_at_a_time() {
    let dry = with_table().await;
    let items: Vec<_> = (0..60).map(item).collect();
    let input = json!({"table_name": "people", "items": items});
    let output = dry.run("batch-write-items", input).await.expect("planned");
    assert_eq!(output["count"], 60);
    let written: Vec<_> = dry
        .bodies()
        .iter()
        .filter_map(|body| body["RequestItems"]["people"].as_array().map(Vec::len))
        .collect();
    assert_eq!(written, [25, 25, 10]);
    let pair = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"];
    assert_eq!(dry.operations(), [pair, pair, pair].concat());
    let ends = dry.undo().await;
    assert_eq!(ends.len(), 4);
    assert_eq!(ends[0].0, "AWS::DynamoDB::Item 10 items of people");
    assert!(ends.iter().all(|(_, end)| *end == Undone::Deleted), "{ends:?}");
    let undo = ["batch-write-items", "create-table"];
    let allowed =
        undo.map(|name| (kind(name).expect("a kind").spec)().undo_permissions.clone()).concat();
    let called = dry.operations();
    assert!(called.contains(&"dynamodb:BatchGetItem".to_owned()));
    for operation in called {
        assert!(allowed.contains(&operation.as_str()), "{operation} is not in {allowed:?}");
    }
}

#[tokio::test]
async fn nothing_is_called_for_no_items_or_for_wrong_ones() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let none = json!({"table_name": "people", "items": []});
    dry.run("batch-write-items", none).await.expect("nothing to do");
    let wrong = json!({"table_name": "people", "items": [item(1), {"a": {"$set": []}}]});
    let error = dry.run("batch-write-items", wrong).await.expect_err("refused");
    assert!(matches!(error, StepError::Input { field, .. } if field == ["items", "1", "a"]));
    assert!(dry.operations().is_empty());
    let dry = with_table().await;
    let keyless = json!({"table_name": "people", "item": {"UserName": "ann"}});
    let error = dry.run("put-item", keyless).await.expect_err("refused");
    assert!(error.to_string().contains("`UserEmail`"), "{error}");
    assert!(dry.operations().is_empty());
}

#[tokio::test]
async fn deleting_an_item_that_the_run_made_settles_its_entry() {
    let dry = with_table().await;
    let input = json!({"table_name": "people", "item": item(7)});
    dry.run("put-item", input).await.expect("planned");
    let key = json!({"UserEmail": "7@example.com"});
    let input = json!({"table_name": "people", "key": key});
    let output = dry.run("delete-item", input).await.expect("planned");
    assert_eq!(output["item"], item(7));
    let left: Vec<_> = dry.undo().await.into_iter().map(|(what, _)| what).collect();
    assert_eq!(left, ["AWS::DynamoDB::Table people"]);
}

#[tokio::test]
async fn deleting_an_item_that_was_there_puts_it_back() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({"table_name": "people", "key": {"UserEmail": "7@example.com"}});
    dry.run("delete-item", input).await.expect("planned");
    dry.has_called_as_told("delete-item");
    let ends: Vec<_> = dry.undo().await.into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, [Undone::Restored]);
    assert_eq!(dry.operations(), ["dynamodb:GetItem", "dynamodb:PutItem"]);
}

#[tokio::test]
async fn values_are_sent_typed_and_read_plain() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({
        "table_name": "people", "filter_expression": "#n = :n", "limit": 5,
        "expression_attribute_names": {"#n": "UserName"}, "expression_attribute_values": {":n": "ann"},
    });
    let output = dry.run("scan", input).await.expect("planned");
    assert_eq!(output, json!({"items": [], "count": 0, "scanned_count": 0}));
    assert_eq!(dry.bodies()[0]["ExpressionAttributeValues"], json!({":n": {"S": "ann"}}));
    let input = json!({
        "table_name": "people", "key_condition_expression": "UserEmail = :e", "typed": true,
        "expression_attribute_values": {":e": {"S": "ann@example.com"}},
    });
    dry.run("query", input).await.expect("planned");
    let key = json!({"UserEmail": "ann@example.com"});
    let found =
        dry.run("get-item", json!({"table_name": "people", "key": key})).await.expect("planned");
    assert_eq!(found["found"], true);
    assert_eq!(dry.operations(), ["dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem"]);
}

#[tokio::test]
async fn a_key_that_only_aws_knows_is_shown_as_such() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({"table_name": "⟨steps.stack.outputs.TableName⟩", "item": item(7)});
    dry.run("put-item", input).await.expect("planned");
    let key = dry.bodies()[1]["Key"].as_object().and_then(|key| key.keys().next().cloned());
    assert_eq!(key.as_deref(), Some("⟨key of steps.stack.outputs.TableName⟩"));
    dry.has_called_as_told("put-item");
}
