//! Operations on whole tables.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::creation::{
    AttributeDefinition, StreamSpecification, Throughput, check_class, provisioned, stream_view,
};
use super::error::{VALIDATION, in_use, no_table, not_found, unsupported, validation};
use super::index_updates::IndexUpdate;
use super::names::table_name;
use super::number::Number;
use super::readiness::{EncryptionRequest, WarmThroughput};
use super::table::{Table, seconds};
use super::value::AttributeValue;
use super::writes::Outcome;
use super::{Context, State, TABLE};
use crate::protocol::{AwsError, Constraints};

/// How long AWS takes to delete a table.
const DELETION: Duration = Duration::from_secs(5);
const PAGE: usize = 100;
/// How long AWS takes to delete what has expired, at least: it says "within a few days".
const EXPIRY: Duration = Duration::from_mins(10);
/// What expired longer ago than five years is left alone: a time in milliseconds, or none at all.
const LONG_AGO: i64 = 5 * 365 * 24 * 60 * 60;

/// A request for one table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TableRequest {
    table_name: Option<String>,
}

/// What `ListTables` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTables {
    exclusive_start_table_name: Option<String>,
    limit: Option<i64>,
}

/// What `UpdateTable` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateTable {
    table_name: Option<String>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<Throughput>,
    deletion_protection_enabled: Option<bool>,
    table_class: Option<String>,
    stream_specification: Option<StreamSpecification>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    global_secondary_index_updates: Option<Vec<IndexUpdate>>,
    replica_updates: Option<Value>,
    multi_region_consistency: Option<Value>,
    global_table_witness_updates: Option<Value>,
    on_demand_throughput: Option<Value>,
    warm_throughput: Option<WarmThroughput>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<EncryptionRequest>,
}

/// What `UpdateTimeToLive` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateTimeToLive {
    table_name: Option<String>,
    time_to_live_specification: TimeToLive,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TimeToLive {
    enabled: bool,
    attribute_name: String,
}

/// What `UpdateContinuousBackups` is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateContinuousBackups {
    table_name: Option<String>,
    point_in_time_recovery_specification: PointInTimeRecovery,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PointInTimeRecovery {
    point_in_time_recovery_enabled: bool,
    recovery_period_in_days: Option<i64>,
}

impl State {
    /// The table, whatever its state.
    fn table(
        &mut self,
        given: Option<&str>,
        context: &Context,
    ) -> Result<(String, &mut Table), AwsError> {
        let name = table_name(given, context)?;
        match self.tables.get_mut(&name) {
            Some(table) => Ok((name, table)),
            None => Err(no_table(&name)),
        }
    }

    /// The table, where items can be read and written.
    pub(super) fn active(
        &self,
        given: Option<&str>,
        context: &Context,
    ) -> Result<(String, &Table), AwsError> {
        let name = table_name(given, context)?;
        let table = self
            .tables
            .get(&name)
            .filter(|table| table.status(context.now) == "ACTIVE")
            .ok_or_else(not_found)?;
        Ok((name, table))
    }

    /// `DescribeTable`
    pub fn describe_table(
        &mut self,
        request: &TableRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (name, table) = self.table(request.table_name.as_deref(), context)?;
        Ok(json!({"Table": table.describe(&name, context)}))
    }

    /// `DeleteTable`
    pub fn delete_table(
        &mut self,
        request: &TableRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (name, table) = self.table(request.table_name.as_deref(), context)?;
        let busy = |what: &str| {
            in_use(format!(
                "Attempt to change a resource which is still in use: Table is being {what}: {name}"
            ))
        };
        match table.status(context.now) {
            "CREATING" => return Err(busy("created")),
            "DELETING" => return Err(busy("deleted")),
            _ => {}
        }
        if table.settings.deletion_protection {
            return Err(validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                 protection first.",
            ));
        }
        table.deleted_at = Some(context.now + context.latency.scale(DELETION));
        let shown = table.describe(&name, context);
        self.outbox.deleted(TABLE, name);
        Ok(json!({"TableDescription": shown}))
    }

    /// `ListTables`
    pub fn list_tables(&self, request: &ListTables) -> Result<Value, AwsError> {
        let limit = request.limit.unwrap_or(100);
        Constraints::new().range("limit", limit, 1, 100).check(VALIDATION)?;
        let after = request.exclusive_start_table_name.as_deref().unwrap_or_default();
        let mut rest = self.tables.keys().filter(|name| name.as_str() > after);
        let limit = usize::try_from(limit).unwrap_or(PAGE);
        let page: Vec<&String> = rest.by_ref().take(limit).collect();
        let mut shown = json!({"TableNames": page});
        if let (Some(last), true) = (page.last(), rest.next().is_some()) {
            shown["LastEvaluatedTableName"] = json!(last);
        }
        Ok(shown)
    }

    /// `UpdateTable`
    pub fn update_table(
        &mut self,
        request: &UpdateTable,
        context: &Context,
    ) -> Result<Value, AwsError> {
        for (given, what) in [
            (&request.replica_updates, "ReplicaUpdates"),
            (&request.multi_region_consistency, "MultiRegionConsistency"),
            (&request.global_table_witness_updates, "GlobalTableWitnessUpdates"),
            (&request.on_demand_throughput, "OnDemandThroughput"),
        ] {
            if given.is_some() {
                return Err(unsupported(what));
            }
        }
        let (name, table) = self.table(request.table_name.as_deref(), context)?;
        if table.status(context.now) != "ACTIVE" {
            return Err(in_use(format!(
                "Attempt to change a resource which is still in use: Table is being created or deleted: {name}"
            )));
        }
        let mut settings = table.settings.clone();
        if let Some(mode) = &request.billing_mode {
            Constraints::new()
                .one_of("billingMode", mode, &["PROVISIONED", "PAY_PER_REQUEST"])
                .check(VALIDATION)?;
            settings.on_demand = mode == "PAY_PER_REQUEST";
        }
        let switched = settings.on_demand != table.settings.on_demand;
        if request.provisioned_throughput.is_some() || switched {
            settings.throughput = provisioned(settings.on_demand, request.provisioned_throughput)?;
        }
        if let Some(protected) = request.deletion_protection_enabled {
            settings.deletion_protection = protected;
        }
        if let Some(class) = &request.table_class {
            check_class(class)?;
            settings.class = Some(class.clone());
        }
        if request.stream_specification.is_some() {
            settings.stream = stream_view(request.stream_specification.as_ref())?;
        }
        if let Some(warm) = request.warm_throughput {
            settings.warm_throughput = warm.checked(settings.warm_throughput)?;
        }
        if let Some(encryption) = &request.sse_specification {
            settings.encryption = encryption.key(context)?;
        }
        let definitions = request.attribute_definitions.as_deref().unwrap_or_default();
        let updates = request.global_secondary_index_updates.as_deref().unwrap_or_default();
        let indexes = table.updated_indexes(updates, definitions, settings.on_demand)?;
        table.indexes = indexes;
        table.settings = settings;
        let mut shown = table.describe(&name, context);
        // The response comes before anything has happened, however fast it happens.
        shown["TableStatus"] = json!("UPDATING");
        Ok(json!({"TableDescription": shown}))
    }

    /// `DescribeTimeToLive`
    pub fn describe_time_to_live(
        &mut self,
        request: &TableRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (_, table) = self.table(request.table_name.as_deref(), context)?;
        Ok(match &table.settings.time_to_live {
            Some(name) => json!({
                "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": name},
            }),
            None => json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}),
        })
    }

    /// Takes away what has expired. AWS does it within days; here it takes as long as other things that it does by and by.
    pub(super) fn expire(&mut self, context: &Context) {
        let until = context.now - context.latency.scale(EXPIRY);
        let seconds = crate::protocol::timestamp::epoch_millis(until).div_euclid(1000);
        let expired: Vec<(String, Outcome)> = self
            .tables
            .iter()
            .filter_map(|(name, table)| Some((name, table, table.settings.time_to_live.as_ref()?)))
            .flat_map(|(name, table, attribute)| {
                let over = table.items.iter().filter(move |(_, item)| {
                    matches!(item.get(attribute), Some(AttributeValue::Number(number)) if expires(number, seconds))
                });
                over.map(|(key, item)| {
                    let old = Some(item.clone());
                    (name.clone(), Outcome { key: key.clone(), old, new: None })
                })
            })
            .collect();
        for (name, outcome) in expired {
            self.commit(name, outcome);
        }
    }

    /// `UpdateTimeToLive`
    pub fn update_time_to_live(
        &mut self,
        request: &UpdateTimeToLive,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (_, table) = self.table(request.table_name.as_deref(), context)?;
        let TimeToLive { enabled, attribute_name } = &request.time_to_live_specification;
        Constraints::new()
            .length("timeToLiveSpecification.attributeName", attribute_name, 1, 255)
            .check(VALIDATION)?;
        let current = &mut table.settings.time_to_live;
        if *enabled == current.is_some() {
            let state = if *enabled { "enabled" } else { "disabled" };
            return Err(validation(format!("TimeToLive is already {state}")));
        }
        *current = enabled.then(|| attribute_name.clone());
        Ok(json!({
            "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute_name},
        }))
    }

    /// `DescribeContinuousBackups`
    pub fn describe_continuous_backups(
        &mut self,
        request: &TableRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (_, table) = self.backed_up(request.table_name.as_deref(), context)?;
        Ok(continuous_backups(table, context))
    }

    /// `UpdateContinuousBackups`
    pub fn update_continuous_backups(
        &mut self,
        request: &UpdateContinuousBackups,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (_, table) = self.backed_up(request.table_name.as_deref(), context)?;
        let specification = &request.point_in_time_recovery_specification;
        let days = specification.recovery_period_in_days.unwrap_or(35);
        Constraints::new()
            .range("pointInTimeRecoverySpecification.recoveryPeriodInDays", days, 1, 35)
            .check(VALIDATION)?;
        table.settings.point_in_time_recovery =
            specification.point_in_time_recovery_enabled.then_some(days);
        Ok(continuous_backups(table, context))
    }

    fn backed_up(
        &mut self,
        given: Option<&str>,
        context: &Context,
    ) -> Result<(String, &mut Table), AwsError> {
        self.table(given, context).map_err(|error| {
            if error.code != "ResourceNotFoundException" {
                return error;
            }
            let name = given.unwrap_or_default();
            AwsError::bad_request("TableNotFoundException", format!("Table not found: {name}"))
        })
    }
}

fn expires(number: &Number, now: i64) -> bool {
    let seconds = number.to_string().parse::<f64>().unwrap_or_default();
    // Whole seconds are enough: the comparison is with what was minutes ago.
    #[allow(clippy::cast_possible_truncation, reason = "saturates, which is beyond either bound")]
    let seconds = seconds as i64;
    seconds < now && seconds > now - LONG_AGO
}

fn continuous_backups(table: &Table, context: &Context) -> Value {
    let days = table.settings.point_in_time_recovery;
    let mut recovery = json!({
        "PointInTimeRecoveryStatus": if days.is_some() { "ENABLED" } else { "DISABLED" },
    });
    if let Some(days) = days {
        recovery["EarliestRestorableDateTime"] = seconds(table.created);
        recovery["LatestRestorableDateTime"] = seconds(context.now);
        recovery["RecoveryPeriodInDays"] = json!(days);
    }
    json!({
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        },
    })
}
