//! What a parameter is.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Context;
use crate::protocol::timestamp::epoch_millis;

/// How many versions are kept; the oldest goes when there would be one more.
const MOST_VERSIONS: usize = 100;
pub(super) const SECURE: &str = "SecureString";
pub(super) const KEY: &str = "alias/aws/ssm";

/// A parameter with its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) tags: BTreeMap<String, String>,
    /// The oldest first; there is always one.
    pub(super) latest: Version,
    pub(super) earlier: Vec<Version>,
}

/// One version of a parameter.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) description: Option<String>,
    pub(super) allowed_pattern: Option<String>,
    pub(super) tier: &'static str,
    pub(super) data_type: String,
    pub(super) modified: SystemTime,
    /// The ARN of who wrote it.
    pub(super) author: String,
}

impl std::fmt::Debug for Version {
    /// Values can be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Version").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Parameter {
    /// Puts a version over all others.
    pub(super) fn put(&mut self, version: Version) {
        let before = std::mem::replace(&mut self.latest, version);
        self.earlier.push(before);
        let too_many = (self.earlier.len() + 1).saturating_sub(MOST_VERSIONS);
        self.earlier.drain(..too_many);
    }

    /// All versions, the oldest first.
    pub(super) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.earlier.iter().chain([&self.latest])
    }

    /// The version of that number; the newest where none is said.
    pub(super) fn version(&self, number: Option<&str>) -> Option<&Version> {
        let Some(number) = number else { return Some(&self.latest) };
        let number: u64 = number.parse().ok()?;
        self.versions().find(|version| version.number == number)
    }

    /// What two snapshots of the account are compared by.
    pub(super) fn snapshot(&self) -> Value {
        let version = |version: &Version| {
            json!({
                "Version": version.number,
                "Type": version.kind,
                "Value": version.shown(false),
                "Tier": version.tier,
                "Description": version.description,
                "AllowedPattern": version.allowed_pattern,
            })
        };
        let versions: Vec<Value> = self.versions().map(version).collect();
        json!({"Tags": self.tags, "Versions": versions})
    }
}

impl Version {
    /// The value; of a secret that is not to be decrypted, something that says as little as its ciphertext would.
    pub(super) fn shown(&self, decrypted: bool) -> String {
        if self.kind != SECURE || decrypted {
            return self.value.clone();
        }
        let digest = Sha256::new_with_prefix(self.number.to_be_bytes()).chain_update(&self.value);
        format!("AQICAHh{}", STANDARD.encode(digest.finalize()))
    }

    /// As `GetParameter` shows it.
    pub(super) fn render(
        &self,
        name: &str,
        selector: &str,
        decrypted: bool,
        context: &Context,
    ) -> Value {
        let mut shown = json!({
            "Name": name,
            "Type": self.kind,
            "Value": self.shown(decrypted),
            "Version": self.number,
            "LastModifiedDate": seconds(self.modified),
            "ARN": context.arn(name),
            "DataType": self.data_type,
        });
        if !selector.is_empty() {
            shown["Selector"] = json!(selector);
        }
        shown
    }

    /// As `DescribeParameters` shows it.
    pub(super) fn describe(&self, name: &str, context: &Context) -> Value {
        let mut shown = self.facts(name);
        shown["ARN"] = json!(context.arn(name));
        shown
    }

    /// As `GetParameterHistory` shows it.
    pub(super) fn history(&self, name: &str, decrypted: bool) -> Value {
        let mut shown = self.facts(name);
        shown["Value"] = json!(self.shown(decrypted));
        shown["Labels"] = json!([]);
        shown
    }

    fn facts(&self, name: &str) -> Value {
        let mut shown = json!({
            "Name": name,
            "Type": self.kind,
            "LastModifiedDate": seconds(self.modified),
            "LastModifiedUser": self.author,
            "Version": self.number,
            "Tier": self.tier,
            "Policies": [],
            "DataType": self.data_type,
        });
        let key = (self.kind == SECURE).then(|| KEY.to_owned());
        for (member, value) in [
            ("Description", &self.description),
            ("AllowedPattern", &self.allowed_pattern),
            ("KeyId", &key),
        ] {
            if let Some(value) = value {
                shown[member] = json!(value);
            }
        }
        shown
    }
}

/// Seconds since 1970 with their milliseconds, as JSON 1.1 writes times.
fn seconds(time: SystemTime) -> Value {
    let millis = epoch_millis(time.max(UNIX_EPOCH));
    #[allow(clippy::cast_precision_loss)] // Exact until the year 287396.
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
