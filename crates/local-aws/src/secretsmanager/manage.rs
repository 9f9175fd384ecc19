//! Secrets themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::secret::{CURRENT, Content, Secret, seconds};
use super::{SECRET, State, invalid_parameter, invalid_request};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::Context;

const DAY: Duration = Duration::from_hours(24);

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    add_replica_regions: Option<Vec<Value>>,
}

pub(super) fn create(context: Context<'_>, input: Create) -> Result<Value, AwsError> {
    let (name, now) = (input.name, context.now());
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@!-".contains(&byte);
    if !name.bytes().all(letters) {
        return Err(AwsError::bad_request(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    if input.add_replica_regions.is_some_and(|regions| !regions.is_empty()) {
        return Err(invalid_parameter("The local AWS of playbook does not replicate secrets."));
    }
    let content = Content::read(input.secret_string, input.secret_binary)?;
    let token = input.client_request_token.unwrap_or_else(uuid);
    let mut state = context.account.state::<State>();
    state.forget_deleted(now);
    if let Some(there) = state.secrets.get(&name) {
        if there.gone_at.is_some() {
            return Err(invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        // The same request once more is no other.
        let same = there.versions.get(&token).map(|version| &version.content);
        if content.is_some() && same == content.as_ref() {
            return Ok(json!({"ARN": there.arn, "Name": name, "VersionId": token}));
        }
        return Err(AwsError::modelled(
            "ResourceExistsException",
            format!("The operation failed because the secret {name} already exists."),
        ));
    }
    let suffix: String = std::iter::repeat_with(fastrand::alphanumeric).take(6).collect();
    let mut secret = Secret {
        arn: context.arn("secretsmanager", &format!("secret:{name}-{suffix}")),
        description: input.description,
        kms_key: input.kms_key_id,
        tags: input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        created: now,
        changed: now,
        deleted: None,
        gone_at: None,
        versions: BTreeMap::new(),
    };
    let mut output = json!({"ARN": secret.arn, "Name": name});
    if let Some(content) = content {
        output["VersionId"] = json!(token);
        secret.add(token, content, BTreeSet::from([CURRENT.to_owned()]), now)?;
    }
    state.secrets.insert(name.clone(), secret);
    state.outbox.created(SECRET, name);
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    secret_id: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
}

pub(super) fn update(context: Context<'_>, input: Update) -> Result<Value, AwsError> {
    let now = context.now();
    let content = Content::read(input.secret_string, input.secret_binary)?;
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.usable(&input.secret_id, now)?;
    secret.description = input.description.or_else(|| secret.description.take());
    secret.kms_key = input.kms_key_id.or_else(|| secret.kms_key.take());
    secret.changed = now;
    let mut output = json!({"ARN": secret.arn, "Name": name});
    if let Some(content) = content {
        let token = input.client_request_token.unwrap_or_else(uuid);
        output["VersionId"] = json!(token);
        secret.add(token, content, BTreeSet::from([CURRENT.to_owned()]), now)?;
    }
    Ok(output)
}

/// The name of a secret that a request names in any way.
pub(super) fn name_of(
    state: &mut State,
    id: &str,
    context: Context<'_>,
) -> Result<String, AwsError> {
    let arn = state.find(id, context.now())?.arn.clone();
    let found = state.secrets.iter().find(|(_, secret)| secret.arn == arn);
    Ok(found.map(|(name, _)| name.clone()).unwrap_or_default())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    secret_id: String,
    recovery_window_in_days: Option<u32>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

pub(super) fn delete(context: Context<'_>, input: &Delete) -> Result<Value, AwsError> {
    let now = context.now();
    if input.force_delete_without_recovery && input.recovery_window_in_days.is_some() {
        return Err(invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = input.recovery_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(invalid_parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    }
    let mut state = context.account.state::<State>();
    let name = match name_of(&mut state, &input.secret_id, context) {
        // What is not there is deleted already, where it is to be gone at once.
        Err(_) if input.force_delete_without_recovery => {
            return Ok(json!({
                "ARN": context.arn("secretsmanager", &format!("secret:{}", input.secret_id)),
                "Name": input.secret_id, "DeletionDate": seconds(now),
            }));
        }
        found => found?,
    };
    let secret = state.find(&input.secret_id, now)?;
    if secret.gone_at.is_some() && !input.force_delete_without_recovery {
        return Err(invalid_request(
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        ));
    }
    let at = if input.force_delete_without_recovery { now } else { now + DAY * days };
    let was_deleted = secret.deleted.replace(now).is_some();
    secret.gone_at = Some(at);
    let output = json!({"ARN": secret.arn, "Name": name, "DeletionDate": seconds(at)});
    state.forget_deleted(now);
    if !was_deleted {
        state.outbox.deleted(SECRET, name);
    }
    Ok(output)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfId {
    secret_id: String,
}

pub(super) fn restore(context: Context<'_>, input: &OfId) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.find(&input.secret_id, context.now())?;
    secret.gone_at = None;
    let was_deleted = secret.deleted.take().is_some();
    let output = json!({"ARN": secret.arn, "Name": name});
    if was_deleted {
        state.outbox.created(SECRET, name);
    }
    Ok(output)
}

fn shown(name: &str, secret: &Secret) -> Value {
    let tags: Vec<Value> =
        secret.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut shown = json!({
        "ARN": secret.arn,
        "Name": name,
        "LastChangedDate": seconds(secret.changed),
        "CreatedDate": seconds(secret.created),
        "Tags": tags,
    });
    for (member, value) in [("Description", &secret.description), ("KmsKeyId", &secret.kms_key)] {
        if let Some(value) = value {
            shown[member] = json!(value);
        }
    }
    if let Some(deleted) = secret.deleted {
        shown["DeletedDate"] = seconds(deleted);
    }
    shown
}

pub(super) fn describe(context: Context<'_>, input: &OfId) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let name = name_of(&mut state, &input.secret_id, context)?;
    let secret = state.find(&input.secret_id, context.now())?;
    let mut output = shown(&name, secret);
    output["VersionIdsToStages"] = secret.stages();
    Ok(output)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    include_planned_deletion: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

impl Filter {
    fn fits(&self, name: &str, secret: &Secret) -> bool {
        let begins = |text: &str| self.values.iter().any(|value| text.starts_with(value));
        match self.key.as_str() {
            "name" => begins(name),
            "description" => secret.description.as_deref().is_some_and(begins),
            "tag-key" => secret.tags.keys().any(|key| begins(key)),
            "tag-value" => secret.tags.values().any(|value| begins(value)),
            _ => begins(name) || secret.description.as_deref().is_some_and(begins),
        }
    }
}

pub(super) fn list(context: Context<'_>, input: &List) -> Value {
    let mut state = context.account.state::<State>();
    state.forget_deleted(context.now());
    let mut found = state.secrets.iter().filter(|(name, secret)| {
        (input.include_planned_deletion || secret.gone_at.is_none())
            && input.next_token.as_ref().is_none_or(|after| *name > after)
            && input.filters.iter().all(|filter| filter.fits(name, secret))
    });
    let page: Vec<_> = found.by_ref().take(input.max_results.unwrap_or(100)).collect();
    let secrets: Vec<Value> = page
        .iter()
        .map(|(name, secret)| {
            let mut shown = shown(name, secret);
            shown["SecretVersionsToStages"] = secret.stages();
            shown
        })
        .collect();
    let mut output = json!({"SecretList": secrets});
    if let (Some((last, _)), true) = (page.last(), found.next().is_some()) {
        output["NextToken"] = json!(last);
    }
    output
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagRequest {
    secret_id: String,
    tags: Vec<Tag>,
}

pub(super) fn tag(context: Context<'_>, input: TagRequest) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let secret = state.usable(&input.secret_id, context.now())?;
    secret.tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagRequest {
    secret_id: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag(context: Context<'_>, input: &UntagRequest) -> Result<Value, AwsError> {
    let mut state = context.account.state::<State>();
    let secret = state.usable(&input.secret_id, context.now())?;
    secret.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}
