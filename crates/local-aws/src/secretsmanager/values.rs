//! The values of secrets, version by version.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::manage::name_of;
use super::secret::{CURRENT, Content, seconds};
use super::{State, invalid_request};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

pub(super) fn get(context: Context<'_>, input: &Get) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.usable(&input.secret_id, context.now())?;
    let found = secret.version(input.version_id.as_deref(), input.version_stage.as_deref());
    let (id, version) = found?;
    let mut output = json!({
        "ARN": secret.arn,
        "Name": name,
        "VersionId": id,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created),
    });
    version.content.put_into(&mut output);
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    secret_id: String,
    client_request_token: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
    version_stages: Option<BTreeSet<String>>,
}

pub(super) fn put(context: Context<'_>, input: Put) -> Result<Value, AwsError> {
    let content = Content::read(input.secret_string, input.secret_binary)?;
    let content = content
        .ok_or_else(|| invalid_request("You must provide either SecretString or SecretBinary."))?;
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.usable(&input.secret_id, context.now())?;
    let stages = input.version_stages.unwrap_or_else(|| BTreeSet::from([CURRENT.to_owned()]));
    let token = input.client_request_token.unwrap_or_else(uuid);
    secret.add(token.clone(), content, stages.clone(), context.now())?;
    Ok(json!({"ARN": secret.arn, "Name": name, "VersionId": token, "VersionStages": stages}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Versions {
    secret_id: String,
}

pub(super) fn versions(context: Context<'_>, input: &Versions) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.find(&input.secret_id, context.now())?;
    let shown: Vec<Value> = secret
        .versions
        .iter()
        .map(|(id, version)| {
            json!({
                "VersionId": id, "VersionStages": version.stages, "CreatedDate": seconds(version.created),
            })
        })
        .collect();
    Ok(json!({"ARN": secret.arn, "Name": name, "Versions": shown}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MoveStage {
    secret_id: String,
    version_stage: String,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

pub(super) fn move_stage(context: Context<'_>, input: &MoveStage) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.usable(&input.secret_id, context.now())?;
    let (from, to) = (input.remove_from_version_id.as_deref(), input.move_to_version_id.as_deref());
    secret.move_stage(&input.version_stage, from, to)?;
    Ok(json!({"ARN": secret.arn, "Name": name}))
}
