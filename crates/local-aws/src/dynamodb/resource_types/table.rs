//! `AWS::DynamoDB::Table`

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::account::client::Client;
use crate::cloudformation::error::invalid;
use crate::cloudformation::intrinsics::CreatedResource;
use crate::cloudformation::properties::typed;
use crate::cloudformation::resource_type::{
    Order, Removal, ResourceType, gone_is_deleted, is_missing,
};
use crate::protocol::AwsError;

const SERVICE: &str = "dynamodb";
const ATTEMPTS: usize = 300;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
const PLAIN: [&str; 9] = [
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "SSESpecification",
    "TableClass",
];

pub(crate) const TYPE: ResourceType = ResourceType {
    name: "AWS::DynamoDB::Table",
    service: "DynamoDb",
    attributes: &["Arn", "StreamArn"],
    properties: &[
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "PointInTimeRecoverySpecification",
        "ProvisionedThroughput",
        "SSESpecification",
        "StreamSpecification",
        "TableClass",
        "TableName",
        "Tags",
        "TimeToLiveSpecification",
    ],
    required: &["KeySchema"],
    is_iam: false,
    iam_name: None,
    create: |order| Box::pin(create(order)),
    delete: |removal| Box::pin(delete(removal)),
};

fn input(order: &Order<'_>, names: &[&str]) -> Value {
    let numbers = ["ReadCapacityUnits", "WriteCapacityUnits"];
    let booleans = [
        "DeletionProtectionEnabled",
        "Enabled",
        "PointInTimeRecoveryEnabled",
        "SSEEnabled",
        "StreamEnabled",
    ];
    typed(order.pick(names), &numbers, &booleans)
}

async fn create(order: &Order<'_>) -> Result<CreatedResource, AwsError> {
    let name = order.name_or_generated("TableName", 255);
    let mut request = input(order, &PLAIN);
    request["TableName"] = json!(name);
    request["Tags"] = order.tag_list();
    // Unlike the API, the type has no `StreamEnabled`: whoever says what a stream shows wants one.
    if let Some(Value::Object(stream)) =
        input(order, &["StreamSpecification"]).get("StreamSpecification")
    {
        let mut stream: Map<String, Value> = stream.clone();
        stream.insert("StreamEnabled".to_owned(), json!(true));
        request["StreamSpecification"] = Value::Object(stream);
    }
    order.client.json(SERVICE, "CreateTable", &request).await?;
    match settle(order, &name).await {
        Ok(table) => {
            let attribute = |name: &str, member: &str| {
                let value = table.get(member).filter(|value| !value.is_null());
                value.map(|value| (name.to_owned(), value.clone()))
            };
            let all = [attribute("Arn", "TableArn"), attribute("StreamArn", "LatestStreamArn")];
            let attributes: BTreeMap<String, Value> = all.into_iter().flatten().collect();
            Ok(CreatedResource { physical_id: name, attributes })
        }
        Err(error) => {
            remove(order.client, &name).await?;
            Err(error)
        }
    }
}

async fn settle(order: &Order<'_>, name: &str) -> Result<Value, AwsError> {
    let described = json!({"TableName": name});
    let mut poller = order.client.account.poller(ATTEMPTS, BETWEEN_ATTEMPTS);
    while poller.again().await {
        let table = order.client.json(SERVICE, "DescribeTable", &described).await?;
        if table["Table"]["TableStatus"] == "ACTIVE" {
            configure(order, name).await?;
            return Ok(table["Table"].clone());
        }
    }
    Err(invalid(format!("Table {name} did not stabilize")))
}

async fn configure(order: &Order<'_>, name: &str) -> Result<(), AwsError> {
    for (property, operation) in [
        ("TimeToLiveSpecification", "UpdateTimeToLive"),
        ("PointInTimeRecoverySpecification", "UpdateContinuousBackups"),
    ] {
        let mut request = input(order, &[property]);
        let specification = request.get(property);
        let is_on = specification.is_some_and(|one| {
            ["Enabled", "PointInTimeRecoveryEnabled"]
                .iter()
                .any(|flag| one.get(flag) == Some(&json!(true)))
        });
        if is_on {
            request["TableName"] = json!(name);
            order.client.json(SERVICE, operation, &request).await?;
        }
    }
    Ok(())
}

async fn remove(client: &Client, name: &str) -> Result<(), AwsError> {
    let request = json!({"TableName": name});
    gone_is_deleted(client.json(SERVICE, "DeleteTable", &request).await)?;
    let mut poller = client.account.poller(ATTEMPTS, BETWEEN_ATTEMPTS);
    while poller.again().await {
        match client.json(SERVICE, "DescribeTable", &request).await {
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(invalid(format!("Table {name} did not stabilize")))
}

async fn delete(removal: &Removal<'_>) -> Result<(), AwsError> {
    remove(removal.client, removal.physical_id).await
}
