//! A table: its schema, its settings, its items.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::Context;
use super::error::invalid_values;
use super::keys::{Key, KeySchema};
use super::value::{Item, item_size, write_item};
use crate::protocol::AwsError;

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) id: String,
    pub(super) created: SystemTime,
    /// When it can be used.
    pub(super) active_at: SystemTime,
    /// When it is gone.
    pub(super) deleted_at: Option<SystemTime>,
    pub(super) key: KeySchema,
    pub(super) indexes: BTreeMap<String, Index>,
    pub(super) settings: Settings,
    pub(super) tags: BTreeMap<String, String>,
    /// Until when those that it was made with are not listed.
    pub(super) tags_late_until: SystemTime,
    pub(super) items: BTreeMap<Key, Item>,
}

/// A secondary index.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) key: KeySchema,
    pub(super) global: bool,
    pub(super) projection: Projection,
    /// Read and write capacity of a global index of a provisioned table.
    pub(super) throughput: (u64, u64),
    /// Read and write units a second that a global index is ready for.
    pub(super) warm_throughput: (u64, u64),
}

/// What an index holds of each item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Projection {
    All,
    KeysOnly,
    Include(Vec<String>),
}

/// What can be changed about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) on_demand: bool,
    /// Read and write capacity of a provisioned table.
    pub(super) throughput: (u64, u64),
    pub(super) deletion_protection: bool,
    pub(super) class: Option<String>,
    /// What the stream's records show, where it has one.
    pub(super) stream: Option<String>,
    pub(super) time_to_live: Option<String>,
    /// For how many days, where it is on.
    pub(super) point_in_time_recovery: Option<i64>,
    /// Read and write units a second that it is ready for.
    pub(super) warm_throughput: (u64, u64),
    /// The ARN of the key that it is encrypted with, where it is not DynamoDB's own.
    pub(super) encryption: Option<String>,
}

impl Table {
    pub(super) fn status(&self, now: SystemTime) -> &'static str {
        if self.deleted_at.is_some() {
            "DELETING"
        } else if now < self.active_at {
            "CREATING"
        } else {
            "ACTIVE"
        }
    }

    pub(super) fn size(&self) -> usize {
        self.items.values().map(item_size).sum()
    }

    /// Refuses items that an index could not hold.
    pub(super) fn check_index_keys(&self, item: &Item, is_update: bool) -> Result<(), AwsError> {
        for (name, index) in &self.indexes {
            for attribute in index.key.attributes() {
                let Some(value) = item.get(&attribute.name) else {
                    continue;
                };
                if value.type_name() != attribute.kind {
                    return Err(invalid_values(&format!(
                        "Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {name}",
                        attribute.name,
                        attribute.kind,
                        value.type_name()
                    )));
                }
                if value.size() == 0 {
                    if is_update {
                        return Err(crate::dynamodb::error::validation(
                            "One or more parameter values are not valid. The update expression attempted to update \
                             a secondary index key to a value that is not supported. The AttributeValue for a key \
                             attribute cannot contain an empty string value.",
                        ));
                    }
                    return Err(crate::dynamodb::error::validation(format!(
                        "One or more parameter values are not valid. A value specified for a secondary index key is \
                         not supported. The AttributeValue for a key attribute cannot contain an empty string value. \
                         IndexName: {name}, IndexKey: {}",
                        attribute.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// As `DescribeTable` shows it; other operations call it `TableDescription`.
    pub(super) fn describe(&self, name: &str, context: &Context) -> Value {
        let arn = context.table_arn(name);
        let mut shown = json!({
            "AttributeDefinitions": self.attribute_definitions(),
            "TableName": name,
            "KeySchema": key_schema(&self.key),
            "TableStatus": self.status(context.now),
            "CreationDateTime": seconds(self.created),
            "ProvisionedThroughput": throughput(self.settings.throughput),
            "TableSizeBytes": self.size(),
            "ItemCount": self.items.len(),
            "TableArn": arn,
            "TableId": self.id,
            "DeletionProtectionEnabled": self.settings.deletion_protection,
            "WarmThroughput": {
                "ReadUnitsPerSecond": self.settings.warm_throughput.0,
                "WriteUnitsPerSecond": self.settings.warm_throughput.1,
                "Status": "ACTIVE",
            },
        });
        if self.settings.on_demand {
            shown["BillingModeSummary"] = json!({
                "BillingMode": "PAY_PER_REQUEST",
                "LastUpdateToPayPerRequestDateTime": seconds(self.created),
            });
        }
        if let Some(key) = &self.settings.encryption {
            shown["SSEDescription"] =
                json!({"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key});
        }
        if let Some(class) = &self.settings.class {
            shown["TableClassSummary"] = json!({"TableClass": class});
        }
        if let Some(view) = &self.settings.stream {
            let label = self.stream_label();
            shown["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view});
            shown["LatestStreamArn"] = json!(format!("{arn}/stream/{label}"));
            shown["LatestStreamLabel"] = json!(label);
        }
        for (member, global) in [("GlobalSecondaryIndexes", true), ("LocalSecondaryIndexes", false)]
        {
            let indexes: Vec<Value> = self
                .indexes
                .iter()
                .filter(|(_, index)| index.global == global)
                .map(|(index_name, index)| self.describe_index(&arn, index_name, index, context))
                .collect();
            if !indexes.is_empty() {
                shown[member] = Value::Array(indexes);
            }
        }
        shown
    }

    /// A stream is called by the time of its creation.
    pub(super) fn stream_label(&self) -> String {
        let time = jiff::Timestamp::try_from(self.created).unwrap_or(jiff::Timestamp::MAX);
        time.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string()
    }

    fn describe_index(&self, arn: &str, name: &str, index: &Index, context: &Context) -> Value {
        let items = self.items.values().filter(|item| index.key.find(item).is_some());
        let mut shown = json!({
            "IndexName": name,
            "KeySchema": key_schema(&index.key),
            "Projection": match &index.projection {
                Projection::All => json!({"ProjectionType": "ALL"}),
                Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
                Projection::Include(names) => {
                    json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
                }
            },
            "IndexSizeBytes": items.clone().map(item_size).sum::<usize>(),
            "ItemCount": items.count(),
            "IndexArn": format!("{arn}/index/{name}"),
        });
        if index.global {
            shown["IndexStatus"] = json!(self.status(context.now));
            shown["ProvisionedThroughput"] = throughput(index.throughput);
            shown["WarmThroughput"] = json!({
                "ReadUnitsPerSecond": index.warm_throughput.0,
                "WriteUnitsPerSecond": index.warm_throughput.1,
                "Status": "ACTIVE",
            });
        }
        shown
    }

    fn attribute_definitions(&self) -> Vec<Value> {
        let schemas = self.indexes.values().map(|index| &index.key);
        let attributes: BTreeMap<&str, &str> = schemas
            .chain([&self.key])
            .flat_map(KeySchema::attributes)
            .map(|attribute| (attribute.name.as_str(), attribute.kind.as_str()))
            .collect();
        attributes
            .into_iter()
            .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
            .collect()
    }

    /// What two snapshots of the account are compared by.
    pub(super) fn snapshot(&self) -> Value {
        let settings = &self.settings;
        let mut items: Vec<String> =
            self.items.values().map(|item| write_item(item).to_string()).collect();
        items.sort();
        let index = |index: &Index| {
            json!({
                "KeySchema": key_schema(&index.key),
                "Global": index.global,
                "Projection": format!("{:?}", index.projection),
            })
        };
        let indexes: BTreeMap<&String, Value> =
            self.indexes.iter().map(|(name, one)| (name, index(one))).collect();
        json!({
            "TableId": self.id,
            "KeySchema": key_schema(&self.key),
            "AttributeDefinitions": self.attribute_definitions(),
            "Indexes": indexes,
            "Settings": {
                "OnDemand": settings.on_demand,
                "Throughput": [settings.throughput.0, settings.throughput.1],
                "DeletionProtection": settings.deletion_protection,
                "Class": settings.class,
                "Stream": settings.stream,
                "TimeToLive": settings.time_to_live,
                "PointInTimeRecovery": settings.point_in_time_recovery,
                "WarmThroughput": [settings.warm_throughput.0, settings.warm_throughput.1],
                "Encryption": settings.encryption,
            },
            "Tags": self.tags,
            "Items": items,
        })
    }
}

pub(super) fn key_schema(key: &KeySchema) -> Value {
    let element = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let hash = key.hash.iter().map(|hash| element(&hash.name, "HASH"));
    Value::Array(hash.chain(key.range.iter().map(|range| element(&range.name, "RANGE"))).collect())
}

fn throughput((read, write): (u64, u64)) -> Value {
    json!({
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": read,
        "WriteCapacityUnits": write,
    })
}

/// Seconds since 1970, with milliseconds behind the point.
pub(super) fn seconds(time: SystemTime) -> Value {
    let millis = crate::protocol::timestamp::epoch_millis(time);
    let text = format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000));
    text.parse::<f64>().map_or(Value::Null, Value::from)
}
