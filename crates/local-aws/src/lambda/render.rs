//! A function's state as responses show it.

use serde_json::{Map, Value, json};

use super::names::Place;
use super::state::{Context, Phase, Version, runtime_version_arn};
use crate::protocol::timestamp::iso8601_millis;

const REASON: &str = "The function is being created.";

/// Which of a configuration's members a response has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All of them.
    Full,
    /// As in lists: nothing of the state.
    Listed,
    /// As from `CreateFunction`: nothing of an update.
    Created,
}

/// A `FunctionConfiguration`. `qualified` puts the version into the ARN.
pub(super) fn configuration(
    name: &str,
    version: &Version,
    qualified: bool,
    detail: Detail,
    context: Context<'_>,
) -> Value {
    let mut members = base(name, version, qualified, context.place);
    if detail != Detail::Listed {
        let arn = runtime_version_arn(&version.configuration.runtime, context.place.region);
        members.insert("RuntimeVersionConfig".to_owned(), json!({"RuntimeVersionArn": arn}));
        let phase = version.phase(context.now);
        members.extend(state(phase));
        if detail == Detail::Full {
            members.extend(update(phase));
        }
    }
    Value::Object(members)
}

fn base(name: &str, version: &Version, qualified: bool, place: Place<'_>) -> Map<String, Value> {
    let configuration = &version.configuration;
    let arn = place.function_arn(name, qualified.then_some(version.name.as_str()));
    let members = json!({
        "FunctionName": name,
        "FunctionArn": arn,
        "Runtime": configuration.runtime,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": version.code.zip.len(),
        "Description": configuration.description,
        "Timeout": configuration.timeout,
        "MemorySize": configuration.memory_size,
        "LastModified": iso8601_millis(version.last_modified),
        "CodeSha256": version.code.sha256,
        "Version": version.name,
        "TracingConfig": {"Mode": configuration.tracing_mode},
        "RevisionId": version.revision_id,
        "PackageType": "Zip",
        "Architectures": [configuration.architecture],
        "EphemeralStorage": {"Size": configuration.ephemeral_storage},
        "SnapStart": {"ApplyOn": configuration.snap_start, "OptimizationStatus": "Off"},
        "LoggingConfig": configuration.logging(),
    });
    let Value::Object(mut members) = members else {
        return Map::new();
    };
    if let Some(variables) = &configuration.environment {
        members.insert("Environment".to_owned(), json!({"Variables": variables}));
    }
    if let Some(key) = &configuration.kms_key_arn {
        members.insert("KMSKeyArn".to_owned(), json!(key));
    }
    if let Some(target) = &configuration.dead_letter_target {
        members.insert("DeadLetterConfig".to_owned(), json!({"TargetArn": target}));
    }
    members
}

fn state(phase: Phase) -> Vec<(String, Value)> {
    match phase {
        Phase::Pending => vec![
            ("State".to_owned(), json!("Pending")),
            ("StateReason".to_owned(), json!(REASON)),
            ("StateReasonCode".to_owned(), json!("Creating")),
        ],
        Phase::Updating | Phase::Ready => vec![("State".to_owned(), json!("Active"))],
    }
}

/// AWS calls an update "created", too.
fn update(phase: Phase) -> Vec<(String, Value)> {
    match phase {
        Phase::Pending | Phase::Updating => vec![
            ("LastUpdateStatus".to_owned(), json!("InProgress")),
            ("LastUpdateStatusReason".to_owned(), json!(REASON)),
            ("LastUpdateStatusReasonCode".to_owned(), json!("Creating")),
        ],
        Phase::Ready => vec![("LastUpdateStatus".to_owned(), json!("Successful"))],
    }
}
