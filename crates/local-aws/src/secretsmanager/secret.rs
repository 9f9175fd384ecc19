//! A secret, its versions and their stages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{invalid_parameter, invalid_request};
use crate::protocol::AwsError;
use crate::protocol::timestamp::epoch_millis;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
pub(super) const LARGEST: usize = 65_536;

/// A secret.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: SystemTime,
    pub(super) changed: SystemTime,
    pub(super) deleted: Option<SystemTime>,
    /// When it is gone for good.
    pub(super) gone_at: Option<SystemTime>,
    pub(super) versions: BTreeMap<String, Version>,
}

/// A version of a secret.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) content: Content,
    pub(super) stages: BTreeSet<String>,
    pub(super) created: SystemTime,
}

/// What is secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// In base64.
    Binary(String),
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl Content {
    /// What a request gives, if anything.
    pub(super) fn read(
        text: Option<String>,
        binary: Option<String>,
    ) -> Result<Option<Self>, AwsError> {
        let content = match (text, binary) {
            (Some(_), Some(_)) => {
                return Err(invalid_parameter(
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
            (Some(text), None) => Some(Self::Text(text)),
            (None, Some(binary)) => Some(Self::Binary(binary)),
            (None, None) => None,
        };
        let size = match &content {
            Some(Self::Text(text)) => text.len(),
            Some(Self::Binary(binary)) => binary.len() * 3 / 4,
            None => 0,
        };
        if size > LARGEST {
            return Err(invalid_parameter(format!(
                "Secret value is too long: {size} bytes, where there can be {LARGEST}."
            )));
        }
        Ok(content)
    }

    /// As an answer has it.
    pub(super) fn put_into(&self, output: &mut Value) {
        match self {
            Self::Text(text) => output["SecretString"] = json!(text),
            Self::Binary(binary) => output["SecretBinary"] = json!(binary),
        }
    }

    /// What tells it from another, and does not give it away.
    fn digest(&self) -> String {
        let (kind, text) = match self {
            Self::Text(text) => ("text", text),
            Self::Binary(binary) => ("binary", binary),
        };
        let digest = Sha256::digest(format!("{kind}\n{text}"));
        crate::sqs::deliver::hex(digest.get(..8).unwrap_or_default())
    }
}

/// Seconds since 1970, with their parts.
pub(super) fn seconds(time: SystemTime) -> Value {
    let millis = epoch_millis(time);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are few enough")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}

impl Secret {
    /// Adds a version, and gives it stages; that which was the current one is the previous one then.
    pub(super) fn add(
        &mut self,
        id: String,
        content: Content,
        stages: BTreeSet<String>,
        now: SystemTime,
    ) -> Result<(), AwsError> {
        if let Some(same) = self.versions.get(&id) {
            if same.content == content {
                return Ok(());
            }
            return Err(AwsError::modelled(
                "ResourceExistsException",
                format!(
                    "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
                    self.arn
                ),
            ));
        }
        for stage in &stages {
            self.free(stage);
        }
        self.versions.insert(id, Version { content, stages, created: now });
        // What has no stage can be asked for by nobody, and goes.
        self.versions.retain(|_, version| !version.stages.is_empty());
        self.changed = now;
        Ok(())
    }

    /// Takes a stage from whoever has it.
    fn free(&mut self, stage: &str) {
        let holder = self.versions.iter().find(|(_, version)| version.stages.contains(stage));
        let holder = holder.map(|(id, _)| id.clone());
        let Some(id) = holder else { return };
        if stage == CURRENT {
            for version in self.versions.values_mut() {
                version.stages.remove(PREVIOUS);
            }
        }
        if let Some(version) = self.versions.get_mut(&id) {
            version.stages.remove(stage);
            if stage == CURRENT {
                version.stages.insert(PREVIOUS.to_owned());
            }
        }
    }

    /// The version that is asked for, by identifier, by stage, or by neither.
    pub(super) fn version(
        &self,
        id: Option<&str>,
        stage: Option<&str>,
    ) -> Result<(&String, &Version), AwsError> {
        let wanted = stage.or(if id.is_none() { Some(CURRENT) } else { None });
        let found = self.versions.iter().find(|(own, version)| {
            id.is_none_or(|id| *own == id)
                && wanted.is_none_or(|stage| version.stages.contains(stage))
        });
        found.ok_or_else(|| {
            let which = match (id, wanted) {
                (Some(id), _) => format!("VersionId: {id}"),
                (None, stage) => format!("staging label: {}", stage.unwrap_or_default()),
            };
            AwsError::modelled(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {which}"),
            )
        })
    }

    /// Moves a stage from one version to another.
    pub(super) fn move_stage(
        &mut self,
        stage: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), AwsError> {
        let holder = self.versions.iter().find(|(_, version)| version.stages.contains(stage));
        let holder = holder.map(|(id, _)| id.clone());
        if holder.as_deref() != from && (holder.is_some() || from.is_some()) {
            return Err(invalid_parameter(format!(
                "The parameter RemoveFromVersionId must be the version that staging label {stage} is attached to."
            )));
        }
        if let Some(to) = to.filter(|to| !self.versions.contains_key(*to)) {
            return Err(AwsError::modelled(
                "ResourceNotFoundException",
                format!(
                    "Secrets Manager can't find the specified secret value for VersionId: {to}"
                ),
            ));
        }
        if to.is_none() && stage == CURRENT {
            return Err(invalid_request(
                "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
            ));
        }
        self.free(stage);
        if let Some(version) = to.and_then(|to| self.versions.get_mut(to)) {
            version.stages.insert(stage.to_owned());
            if stage == CURRENT {
                version.stages.remove(PREVIOUS);
            }
        }
        Ok(())
    }

    /// Which version has which stages.
    pub(super) fn stages(&self) -> Value {
        let stages = self.versions.iter().map(|(id, version)| (id.clone(), json!(version.stages)));
        Value::Object(stages.collect())
    }

    pub(super) fn snapshot(&self) -> Value {
        let current = self.version(None, None).ok().map(|(_, version)| version.content.digest());
        json!({
            "description": self.description,
            "kms_key": self.kms_key,
            "tags": self.tags,
            "versions": self.versions.len(),
            "current": current,
            "deleted": self.deleted.is_some(),
        })
    }
}
