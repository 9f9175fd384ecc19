//! Capacity units, for those who ask.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::VALIDATION;
use super::value::item_size;
use super::writes::Outcome;
use crate::protocol::{AwsError, Constraints};

/// What `ReturnConsumedCapacity` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capacity {
    None,
    Total,
    Indexes,
}

impl Capacity {
    pub(super) fn read(given: Option<&str>) -> Result<Self, AwsError> {
        let given = given.unwrap_or("NONE");
        Constraints::new()
            .one_of("returnConsumedCapacity", given, &["INDEXES", "TOTAL", "NONE"])
            .check(VALIDATION)?;
        Ok(match given {
            "TOTAL" => Self::Total,
            "INDEXES" => Self::Indexes,
            _ => Self::None,
        })
    }

    /// `ConsumedCapacity` of a transaction on several tables; `kind` is what its units are called beside the sum.
    pub(super) fn consumed_by_all(self, used: &BTreeMap<String, f64>, kind: &str) -> Option<Value> {
        let shown: Option<Vec<Value>> = used
            .iter()
            .map(|(table, units)| {
                let mut shown = self.consumed(table, *units)?;
                shown[kind] = json!(units);
                Some(shown)
            })
            .collect();
        shown.map(Value::Array)
    }

    /// `ConsumedCapacity`, where it was asked for.
    pub(super) fn consumed(self, table: &str, units: f64) -> Option<Value> {
        let mut shown = json!({"TableName": table, "CapacityUnits": units});
        match self {
            Self::None => return None,
            Self::Total => {}
            Self::Indexes => shown["Table"] = json!({"CapacityUnits": units}),
        }
        Some(shown)
    }
}

/// Whether `ReturnItemCollectionMetrics` is what it may be; no collection is large enough here to be told.
pub(super) fn check_metrics(given: Option<&str>) -> Result<(), AwsError> {
    let given = given.unwrap_or("NONE");
    Constraints::new()
        .one_of("returnItemCollectionMetrics", given, &["SIZE", "NONE"])
        .check(VALIDATION)
}

/// A unit for each started kilobyte of the larger of the two items.
pub(super) fn of_write(outcome: &Outcome) -> f64 {
    let sizes = [&outcome.old, &outcome.new].map(|item| item.as_ref().map_or(0, item_size));
    units(sizes.into_iter().max().unwrap_or_default(), 1024)
}

/// A unit for each four started kilobytes, half of it where the read may be stale.
pub(super) fn of_read(bytes: usize, consistent: bool) -> f64 {
    units(bytes, 4096) * if consistent { 1.0 } else { 0.5 }
}

fn units(bytes: usize, block: usize) -> f64 {
    let blocks = bytes.div_ceil(block).max(1);
    u32::try_from(blocks).map_or(f64::MAX, f64::from)
}
