//! `GlobalSecondaryIndexUpdates`: indexes that come, change and go.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::creation::{AttributeDefinition, CreateTable, IndexRequest, Throughput, provisioned};
use super::error::{invalid_values, not_found, validation};
use super::readiness::WarmThroughput;
use super::table::{Index, Table};
use crate::protocol::AwsError;

/// One change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct IndexUpdate {
    create: Option<IndexRequest>,
    update: Option<IndexChange>,
    delete: Option<IndexName>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct IndexChange {
    index_name: String,
    provisioned_throughput: Option<Throughput>,
    warm_throughput: Option<WarmThroughput>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct IndexName {
    index_name: String,
}

impl Table {
    /// The indexes as they are after the changes.
    pub(super) fn updated_indexes(
        &self,
        updates: &[IndexUpdate],
        definitions: &[AttributeDefinition],
        on_demand: bool,
    ) -> Result<BTreeMap<String, Index>, AwsError> {
        let mut indexes = self.indexes.clone();
        let changes = updates.iter().filter(|one| one.create.is_some() || one.delete.is_some());
        if changes.count() > 1 {
            return Err(AwsError::bad_request(
                "LimitExceededException",
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
            ));
        }
        for update in updates {
            match (&update.create, &update.update, &update.delete) {
                (Some(create), None, None) => {
                    let index = CreateTable::added_index(self, create, definitions, on_demand)?;
                    let name = &create.index_name;
                    if indexes.insert(name.clone(), index).is_some() {
                        return Err(invalid_values(&format!("Index {name} already exists")));
                    }
                }
                (None, Some(change), None) => {
                    let index = indexes.get_mut(&change.index_name).ok_or_else(not_found)?;
                    if change.provisioned_throughput.is_some() {
                        index.throughput = provisioned(on_demand, change.provisioned_throughput)?;
                    }
                    if let Some(warm) = change.warm_throughput {
                        index.warm_throughput = warm.checked(index.warm_throughput)?;
                    }
                }
                (None, None, Some(delete)) => {
                    indexes.remove(&delete.index_name).ok_or_else(not_found)?;
                }
                _ => {
                    return Err(validation(
                        "One or more parameter values were invalid: Only one of Create, Update and Delete can be \
                         specified in a GlobalSecondaryIndexUpdate",
                    ));
                }
            }
        }
        Ok(indexes)
    }
}
