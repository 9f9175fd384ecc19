//! The partitions of AWS, and which one a region is in.

use std::sync::OnceLock;

use regex_lite::Regex;
use serde_json::Value;

use super::lines;

struct Partition {
    outputs: Value,
    regions: Vec<String>,
    pattern: Option<Regex>,
}

fn partitions() -> &'static [Partition] {
    static PARTITIONS: OnceLock<Vec<Partition>> = OnceLock::new();
    PARTITIONS.get_or_init(|| {
        let said: Value =
            lines().first().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let read = |partition: &Value| {
            let mut outputs = partition["outputs"].clone();
            outputs["name"] = partition["id"].clone();
            Partition {
                outputs,
                regions: partition["regions"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(region, _)| region.clone())
                    .collect(),
                pattern: partition["regionRegex"]
                    .as_str()
                    .and_then(|pattern| Regex::new(pattern).ok()),
            }
        };
        said["partitions"].as_array().into_iter().flatten().map(read).collect()
    })
}

/// What the partition of a region says of itself: its name, its hosts' suffix, what it knows. A region that is in none counts to
/// the first.
pub fn partition_of(region: &str) -> &'static Value {
    let all = partitions();
    let listed = all.iter().find(|partition| partition.regions.iter().any(|own| own == region));
    let alike = || {
        all.iter().find(|partition| {
            partition.pattern.as_ref().is_some_and(|pattern| pattern.is_match(region))
        })
    };
    listed.or_else(alike).or(all.first()).map_or(&Value::Null, |partition| &partition.outputs)
}
