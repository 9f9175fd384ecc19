//! The operations, as requests call them.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::*;
use crate::protocol::AwsError;

mod additions;

struct Dynamo {
    state: State,
    context: Context,
}

impl Dynamo {
    fn new() -> Self {
        Self {
            state: State::default(),
            context: Context {
                account_id: "123456789012".to_owned(),
                region: "eu-west-1".to_owned(),
                now: UNIX_EPOCH + Duration::from_hours(500_000),
                latency: LatencyProfile::Real,
            },
        }
    }

    /// With a table `users` (key `id`) and a table `orders` (key `user`, `number`; an index on `state`).
    fn with_tables() -> Self {
        let mut dynamo = Self::new();
        dynamo.ok("CreateTable", &users());
        let orders = json!({
            "TableName": "orders",
            "AttributeDefinitions": [
                {"AttributeName": "user", "AttributeType": "S"},
                {"AttributeName": "number", "AttributeType": "N"},
                {"AttributeName": "state", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "user", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-state",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        dynamo.ok("CreateTable", &orders);
        dynamo.later(5);
        dynamo
    }

    fn later(&mut self, seconds: u64) {
        self.context.now += Duration::from_secs(seconds);
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, AwsError> {
        operations::call(&mut self.state, operation, input.to_string().as_bytes(), &self.context)
    }

    fn ok(&mut self, operation: &str, input: &Value) -> Value {
        self.call(operation, input).expect(operation)
    }

    fn refused(&mut self, operation: &str, input: &Value) -> AwsError {
        self.call(operation, input).expect_err(operation)
    }

    fn put(&mut self, table: &str, item: &Value) {
        self.ok("PutItem", &json!({"TableName": table, "Item": item}));
    }

    fn order(&mut self, user: &str, number: u32, state: &str) {
        let number = number.to_string();
        self.put(
            "orders",
            &json!({"user": {"S": user}, "number": {"N": number}, "state": {"S": state}, "extra": {"BOOL": true}}),
        );
    }
}

fn users() -> Value {
    json!({
        "TableName": "users",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        "Tags": [{"Key": "stage", "Value": "test"}],
    })
}

#[test]
fn a_table_comes_and_goes_slowly() {
    let mut dynamo = Dynamo::new();
    let created = dynamo.ok("CreateTable", &users());
    assert_eq!(created["TableDescription"]["TableStatus"], "CREATING");
    let again = dynamo.refused("CreateTable", &users());
    assert_eq!(again.to_string(), "ResourceInUseException: Table already exists: users");
    let name = json!({"TableName": "users"});
    let put = json!({"TableName": "users", "Item": {"id": {"S": "a"}}});
    let early = dynamo.refused("PutItem", &put);
    assert_eq!(early.to_string(), "ResourceNotFoundException: Requested resource not found");
    let busy = dynamo.refused("DeleteTable", &name);
    assert!(busy.message.ends_with("Table is being created: users"), "{busy}");

    dynamo.later(5);
    let table = dynamo.ok("DescribeTable", &name);
    assert_eq!(table["Table"]["TableStatus"], "ACTIVE");
    assert_eq!(table["Table"]["TableArn"], "arn:aws:dynamodb:eu-west-1:123456789012:table/users");
    dynamo.ok("PutItem", &put);
    let deleted = dynamo.ok("DeleteTable", &name);
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    assert_eq!(
        dynamo.refused("GetItem", &json!({"TableName": "users", "Key": {"id": {"S": "a"}}})).code,
        "ResourceNotFoundException"
    );
    assert_ne!(dynamo.state.snapshot(dynamo.context.now), json!({}));
    dynamo.later(5);
    assert_eq!(dynamo.state.snapshot(dynamo.context.now), json!({}));
    let gone = dynamo.refused("DescribeTable", &name);
    assert_eq!(gone.message, "Requested resource not found: Table: users not found");
}

#[test]
fn a_table_that_cannot_be_is_refused() {
    for (pointer, value, message) in [
        (
            "/TableName",
            json!("ab"),
            "TableName must be at least 3 characters long and at most 255 characters long",
        ),
        (
            "/KeySchema/0/AttributeName",
            json!("other"),
            "One or more parameter values were invalid: Some index key attributes are not defined in \
             AttributeDefinitions. Keys: [other], AttributeDefinitions: [id]",
        ),
        (
            "/AttributeDefinitions",
            json!([{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "x", "AttributeType": "S"}]),
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match \
             number of attributes defined in AttributeDefinitions",
        ),
        (
            "/ProvisionedThroughput",
            Value::Null,
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be \
             specified when BillingMode is PROVISIONED",
        ),
    ] {
        let mut request = users();
        *request.pointer_mut(pointer).expect(pointer) = value;
        let refused = Dynamo::new().refused("CreateTable", &request);
        assert_eq!(refused.to_string(), format!("ValidationException: {message}"));
    }
}

#[test]
fn items_are_put_changed_and_deleted_under_conditions() {
    let mut dynamo = Dynamo::with_tables();
    let key = json!({"id": {"S": "a"}});
    dynamo.put("users", &json!({"id": {"S": "a"}, "n": {"N": "1"}}));
    let guarded = json!({
        "TableName": "users", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let refused = dynamo.refused("PutItem", &guarded);
    assert_eq!(
        refused.to_string(),
        "ConditionalCheckFailedException: The conditional request failed"
    );
    assert_eq!(refused.fields["Item"]["n"], json!({"N": "1"}));
    let updated = dynamo.ok(
        "UpdateItem",
        &json!({
            "TableName": "users", "Key": key, "UpdateExpression": "SET n = n + :one", "ReturnValues": "UPDATED_NEW",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }),
    );
    assert_eq!(updated, json!({"Attributes": {"n": {"N": "2"}}}));
    let deleted = dynamo.ok(
        "DeleteItem",
        &json!({"TableName": "users", "Key": key, "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL"}),
    );
    assert_eq!(deleted["Attributes"]["n"], json!({"N": "2"}));
    assert_eq!(deleted["ConsumedCapacity"], json!({"TableName": "users", "CapacityUnits": 1.0}));
    assert_eq!(dynamo.ok("GetItem", &json!({"TableName": "users", "Key": key})), json!({}));
}

#[test]
fn keys_must_be_whole_and_of_their_type() {
    let mut dynamo = Dynamo::with_tables();
    for (item, message) in [
        (json!({}), "One or more parameter values were invalid: Missing the key id in the item"),
        (
            json!({"id": {"N": "1"}}),
            "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N",
        ),
        (
            json!({"id": {"S": ""}}),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty string value. Key: id",
        ),
        (
            json!({"id": {"S": "x"}, "big": {"S": "x".repeat(400 * 1024)}}),
            "Item size has exceeded the maximum allowed size",
        ),
    ] {
        let refused = dynamo.refused("PutItem", &json!({"TableName": "users", "Item": item}));
        assert_eq!(refused.message, message);
    }
    let other = json!({"TableName": "users", "Key": {"other": {"S": "a"}}});
    let refused = dynamo.refused("GetItem", &other);
    assert_eq!(refused.message, "The provided key element does not match the schema");
    let update = json!({
        "TableName": "users", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET id = :x",
        "ExpressionAttributeValues": {":x": {"S": "b"}},
    });
    assert_eq!(
        dynamo.refused("UpdateItem", &update).message,
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"
    );
}

#[test]
fn a_query_reads_one_partition_in_order() {
    let mut dynamo = Dynamo::with_tables();
    for number in [10, 2, 1, 33] {
        dynamo.order("ann", number, "open");
    }
    dynamo.order("bob", 5, "open");
    let mut query = json!({
        "TableName": "orders", "KeyConditionExpression": "#u = :u AND #n >= :n", "ProjectionExpression": "#n",
        "ExpressionAttributeNames": {"#u": "user", "#n": "number"},
        "ExpressionAttributeValues": {":u": {"S": "ann"}, ":n": {"N": "2"}},
    });
    let numbers = |page: &Value| -> Vec<String> {
        let items = page["Items"].as_array().expect("items");
        items
            .iter()
            .map(|item| item["number"]["N"].as_str().expect("a number").to_owned())
            .collect()
    };
    assert_eq!(numbers(&dynamo.ok("Query", &query)), ["2", "10", "33"]);
    query["ScanIndexForward"] = json!(false);
    query["Limit"] = json!(2);
    let first = dynamo.ok("Query", &query);
    assert_eq!(numbers(&first), ["33", "10"]);
    assert_eq!(first["LastEvaluatedKey"], json!({"number": {"N": "10"}, "user": {"S": "ann"}}));
    query["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    let second = dynamo.ok("Query", &query);
    assert_eq!((numbers(&second), second.get("LastEvaluatedKey")), (vec!["2".to_owned()], None));
}

#[test]
fn an_index_has_keys_of_its_own() {
    let mut dynamo = Dynamo::with_tables();
    dynamo.order("ann", 1, "open");
    dynamo.order("bob", 2, "open");
    dynamo.order("bob", 3, "done");
    let page = dynamo.ok(
        "Query",
        &json!({
            "TableName": "orders", "IndexName": "by-state", "KeyConditionExpression": "#s = :s", "Limit": 1,
            "ExpressionAttributeNames": {"#s": "state"}, "ExpressionAttributeValues": {":s": {"S": "open"}},
        }),
    );
    assert_eq!(page["Count"], 1);
    assert_eq!(page["LastEvaluatedKey"].as_object().expect("a key").len(), 3);
    assert_eq!(page["Items"][0].get("extra"), None, "an index of keys has nothing else");
    let missing = json!({"TableName": "orders", "IndexName": "nope"});
    let refused = dynamo.refused("Scan", &missing);
    assert_eq!(refused.message, "The table does not have the specified index: nope");
}

#[test]
fn queries_that_cannot_be_are_refused() {
    let mut dynamo = Dynamo::with_tables();
    for (condition, message) in [
        ("#n = :n", "Query condition missed key schema element: user"),
        ("#u > :u", "Query key condition not supported"),
        ("#u = :u OR #n = :n", "Invalid operator used in KeyConditionExpression: OR"),
        (
            "#u = :n",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ] {
        let query = json!({
            "TableName": "orders", "KeyConditionExpression": condition,
            "FilterExpression": "#u <> :u AND #n <> :n",
            "ExpressionAttributeNames": {"#u": "user", "#n": "number"},
            "ExpressionAttributeValues": {":u": {"S": "ann"}, ":n": {"N": "2"}},
        });
        assert_eq!(dynamo.refused("Query", &query).message, message);
    }
    let query = json!({
        "TableName": "orders", "KeyConditionExpression": "#u = :u", "FilterExpression": "#u = :u",
        "ExpressionAttributeNames": {"#u": "user"}, "ExpressionAttributeValues": {":u": {"S": "ann"}},
    });
    assert_eq!(
        dynamo.refused("Query", &query).message,
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: user"
    );
}

#[test]
fn a_scan_reads_everything_page_by_page() {
    let mut dynamo = Dynamo::with_tables();
    for number in 0..7 {
        dynamo.put(
            "users",
            &json!({"id": {"S": format!("user-{number}")}, "n": {"N": number.to_string()}}),
        );
    }
    let mut seen = Vec::new();
    let mut start = Value::Null;
    loop {
        let page = dynamo.ok(
            "Scan",
            &json!({
                "TableName": "users", "Limit": 3, "ExclusiveStartKey": start, "FilterExpression": "n < :limit",
                "ExpressionAttributeValues": {":limit": {"N": "5"}},
            }),
        );
        seen.extend(
            page["Items"].as_array().expect("items").iter().map(|item| item["id"]["S"].clone()),
        );
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            break;
        }
    }
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, ["user-0", "user-1", "user-2", "user-3", "user-4"]);
    let segment = |dynamo: &mut Dynamo, segment: u32| {
        dynamo.ok("Scan", &json!({"TableName": "users", "Segment": segment, "TotalSegments": 2}))["Count"]
            .as_u64()
            .expect("a count")
    };
    assert_eq!(segment(&mut dynamo, 0) + segment(&mut dynamo, 1), 7);
}

#[test]
fn batches_are_small_and_without_duplicates() {
    let mut dynamo = Dynamo::with_tables();
    let put = |id: String| json!({"PutRequest": {"Item": {"id": {"S": id}}}});
    let batch = |count: usize| -> Value {
        let writes: Vec<Value> = (0..count).map(|number| put(format!("{number}"))).collect();
        json!({"RequestItems": {"users": writes}})
    };
    assert_eq!(dynamo.ok("BatchWriteItem", &batch(25)), json!({"UnprocessedItems": {}}));
    let refused = dynamo.refused("BatchWriteItem", &batch(26));
    assert!(
        refused.message.contains("Member must have length less than or equal to 25"),
        "{refused}"
    );
    let twice = json!({"RequestItems": {"users": [put("a".into()), {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}});
    let refused = dynamo.refused("BatchWriteItem", &twice);
    assert_eq!(refused.message, "Provided list of item keys contains duplicates");
    let read = dynamo.ok(
        "BatchGetItem",
        &json!({"RequestItems": {"users": {"Keys": [{"id": {"S": "3"}}, {"id": {"S": "none"}}]}}}),
    );
    assert_eq!(read["Responses"], json!({"users": [{"id": {"S": "3"}}]}));
}

#[test]
fn a_transaction_does_everything_or_nothing() {
    let mut dynamo = Dynamo::with_tables();
    dynamo.put("users", &json!({"id": {"S": "a"}}));
    let item = |id: &str, condition: &str| {
        json!({"Put": {"TableName": "users", "Item": {"id": {"S": id}, "new": {"BOOL": true}},
                       "ConditionExpression": condition}})
    };
    let mut request = json!({
        "TransactItems": [item("b", "attribute_not_exists(id)"), item("a", "attribute_not_exists(id)")],
        "ClientRequestToken": "t",
    });
    let refused = dynamo.refused("TransactWriteItems", &request);
    assert_eq!(refused.code, "TransactionCanceledException");
    assert!(refused.message.ends_with("[None, ConditionalCheckFailed]"), "{refused}");
    assert_eq!(
        refused.fields["CancellationReasons"][1]["Message"],
        "The conditional request failed"
    );
    let get = json!({"TableName": "users", "Key": {"id": {"S": "b"}}});
    assert_eq!(dynamo.ok("GetItem", &get), json!({}));

    request["TransactItems"][1]["Put"]["ConditionExpression"] = json!("attribute_exists(id)");
    dynamo.ok("TransactWriteItems", &request);
    assert_eq!(dynamo.ok("GetItem", &get)["Item"]["new"], json!({"BOOL": true}));
    dynamo.ok("TransactWriteItems", &request);
    request["TransactItems"] = json!([item("c", "attribute_not_exists(id)")]);
    assert_eq!(
        dynamo.refused("TransactWriteItems", &request).code,
        "IdempotentParameterMismatchException"
    );
    let twice = json!({"TransactItems": [item("x", "attribute_not_exists(id)"), item("x", "attribute_not_exists(id)")]});
    assert_eq!(
        dynamo.refused("TransactWriteItems", &twice).message,
        "Transaction request cannot include multiple operations on one item"
    );
}

#[test]
fn tags_that_a_table_is_made_with_are_listed_late() {
    let mut dynamo = Dynamo::new();
    dynamo.ok("CreateTable", &users());
    let request = json!({"ResourceArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/users"});
    assert_eq!(dynamo.ok("ListTagsOfResource", &request), json!({"Tags": []}));
    dynamo.later(2);
    let tags = dynamo.ok("ListTagsOfResource", &request);
    assert_eq!(tags, json!({"Tags": [{"Key": "stage", "Value": "test"}]}));
}

#[test]
fn tags_and_settings_are_kept() {
    let mut dynamo = Dynamo::with_tables();
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/users";
    dynamo.ok("TagResource", &json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}]}));
    dynamo.ok("UntagResource", &json!({"ResourceArn": arn, "TagKeys": ["stage"]}));
    let tags = dynamo.ok("ListTagsOfResource", &json!({"ResourceArn": arn}));
    assert_eq!(tags, json!({"Tags": [{"Key": "a", "Value": "1"}]}));
    let name = json!({"TableName": "users"});
    let ttl = json!({"TableName": "users", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    dynamo.ok("UpdateTimeToLive", &ttl);
    assert_eq!(dynamo.refused("UpdateTimeToLive", &ttl).message, "TimeToLive is already enabled");
    let described = dynamo.ok("DescribeTimeToLive", &name);
    assert_eq!(described["TimeToLiveDescription"]["AttributeName"], "until");
    dynamo.ok("UpdateTable", &json!({"TableName": "users", "DeletionProtectionEnabled": true}));
    assert!(dynamo.refused("DeleteTable", &name).message.contains("protected against deletion"));
    let backups = dynamo.ok("DescribeContinuousBackups", &name);
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(recovery["PointInTimeRecoveryStatus"], "DISABLED");
}

#[test]
fn what_is_not_here_is_named() {
    let mut dynamo = Dynamo::with_tables();
    let unknown = dynamo.refused("ExecuteStatement", &json!({}));
    assert_eq!(unknown.code, "UnknownOperationException");
    let replicas = json!({"TableName": "users", "ReplicaUpdates": []});
    assert!(
        dynamo
            .refused("UpdateTable", &replicas)
            .message
            .contains("does not support ReplicaUpdates")
    );
    let missing = dynamo.refused("PutItem", &json!({}));
    assert!(
        missing.message.starts_with("2 validation errors detected: Value null at 'tableName'"),
        "{missing}"
    );
}
