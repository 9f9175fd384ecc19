//! What came after the first: requests of old, changes of indexes, time to live, what may be selected.

use super::*;

#[test]
fn requests_of_old_say_what_expressions_say() {
    let mut dynamo = Dynamo::with_tables();
    let key = json!({"id": {"S": "a"}});
    dynamo.ok(
        "UpdateItem",
        &json!({
            "TableName": "users",
            "Key": key,
            "AttributeUpdates": {
                "n": {"Action": "ADD", "Value": {"N": "2"}},
                "s": {"Value": {"S": "x"}},
            },
            "Expected": {"id": {"Exists": false}},
        }),
    );
    let again = json!({
        "TableName": "users",
        "Key": key,
        "AttributeUpdates": {"s": {"Action": "DELETE"}},
        "Expected": {"n": {"ComparisonOperator": "LT", "AttributeValueList": [{"N": "2"}]}},
    });
    assert_eq!(dynamo.refused("UpdateItem", &again).code, "ConditionalCheckFailedException");
    let found = dynamo.ok(
        "Scan",
        &json!({
            "TableName": "users",
            "ScanFilter": {"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "x"}]}},
            "AttributesToGet": ["n"],
        }),
    );
    assert_eq!(found["Items"], json!([{"n": {"N": "2"}}]));
    let both = json!({
        "TableName": "users",
        "Key": key,
        "AttributeUpdates": {"s": {"Action": "DELETE"}},
        "UpdateExpression": "SET a = n",
    });
    let message = dynamo.refused("UpdateItem", &both).message;
    assert!(message.contains("Non-expression parameters: {AttributeUpdates}"), "{message}");
}

#[test]
fn an_index_may_have_keys_of_several_attributes_and_comes_and_goes() {
    let mut dynamo = Dynamo::with_tables();
    let create = json!({
        "TableName": "orders",
        "AttributeDefinitions": [
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
            {"AttributeName": "user", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-all",
            "KeySchema": [
                {"AttributeName": "state", "KeyType": "HASH"},
                {"AttributeName": "user", "KeyType": "RANGE"},
                {"AttributeName": "number", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }}],
    });
    dynamo.ok("UpdateTable", &create);
    for (user, number) in [("ann", 1), ("ann", 2), ("bob", 3)] {
        dynamo.order(user, number, "open");
    }
    let mut query = |condition: &str| {
        let used = |mut all: Value| {
            all.as_object_mut().expect("a map").retain(|name, _| condition.contains(name.as_str()));
            all
        };
        let values = used(json!({":s": {"S": "open"}, ":u": {"S": "ann"}, ":n": {"N": "1"}}));
        let names = used(json!({"#s": "state", "#u": "user", "#n": "number"}));
        dynamo.call(
            "Query",
            &json!({
                "TableName": "orders",
                "IndexName": "by-all",
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }),
        )
    };
    assert_eq!(query("#s = :s").expect("all")["Count"], 3);
    assert_eq!(query("#s = :s AND #u = :u AND #n > :n").expect("one")["Count"], 1);
    let gap = query("#s = :s AND #n > :n").expect_err("a gap").message;
    assert_eq!(gap, "Query condition missed key schema element: user");
    let delete = json!({"TableName": "orders", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-all"}}]});
    let table = dynamo.ok("UpdateTable", &delete);
    let indexes = table["TableDescription"]["GlobalSecondaryIndexes"].as_array().map(Vec::len);
    assert_eq!(indexes, Some(1));
}

#[test]
fn what_has_expired_goes_by_and_by() {
    let mut dynamo = Dynamo::with_tables();
    let ttl = json!({"TableName": "users", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    dynamo.ok("UpdateTimeToLive", &ttl);
    let now = crate::protocol::timestamp::epoch_millis(dynamo.context.now) / 1000;
    for (id, until) in [("soon", now + 60), ("later", now + 86_400), ("long-ago", 1)] {
        dynamo.put("users", &json!({"id": {"S": id}, "until": {"N": until.to_string()}}));
    }
    dynamo.later(3600);
    assert_eq!(dynamo.ok("Scan", &json!({"TableName": "users"}))["Count"], 2);
}

#[test]
fn what_is_selected_has_to_be_there() {
    let mut dynamo = Dynamo::with_tables();
    let scan = |more: &[(&str, &str)]| {
        let mut scan = json!({"TableName": "orders"});
        for (name, value) in more {
            scan[*name] = json!(value);
        }
        scan
    };
    for (more, expected) in [
        (
            vec![("Select", "SPECIFIC_ATTRIBUTES")],
            "Must specify the AttributesToGet or ProjectionExpression",
        ),
        (
            vec![("Select", "COUNT"), ("ProjectionExpression", "a")],
            "when choosing to get only the Count",
        ),
        (
            vec![("Select", "ALL_ATTRIBUTES"), ("IndexName", "by-state")],
            "its projection type is not ALL",
        ),
    ] {
        let message = dynamo.refused("Scan", &scan(&more)).message;
        assert!(message.contains(expected), "{message}");
    }
    let redundant = json!({"TableName": "orders", "FilterExpression": "((a = b))"});
    assert!(dynamo.refused("Scan", &redundant).message.contains("redundant parentheses"));
}
