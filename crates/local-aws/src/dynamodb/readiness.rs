//! What a table is to be ready for, and what it is encrypted with.

use serde::Deserialize;

use super::Context;
use super::error::{VALIDATION, invalid_values};
use crate::protocol::{AwsError, Constraints};

/// What a table or index is to be ready for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct WarmThroughput {
    read_units_per_second: Option<i64>,
    write_units_per_second: Option<i64>,
}

/// What a table is to be encrypted with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EncryptionRequest {
    enabled: bool,
    #[serde(rename = "SSEType")]
    sse_type: Option<String>,
    #[serde(rename = "KMSMasterKeyId")]
    kms_master_key_id: Option<String>,
}

impl WarmThroughput {
    /// What the table is ready for then; it may only become more.
    pub(super) fn checked(self, current: (u64, u64)) -> Result<(u64, u64), AwsError> {
        let least = |given: Option<i64>, current: u64, what: &str| match given {
            None => Ok(current),
            Some(given) => match u64::try_from(given) {
                Ok(given) if given >= current => Ok(given),
                _ => Err(invalid_values(&format!(
                    "Requested {what} for WarmThroughput for table is lower than the current value: it cannot be \
                     decreased. Current value: {current}, requested value: {given}"
                ))),
            },
        };
        Ok((
            least(self.read_units_per_second, current.0, "ReadUnitsPerSecond")?,
            least(self.write_units_per_second, current.1, "WriteUnitsPerSecond")?,
        ))
    }
}

impl EncryptionRequest {
    /// The ARN of the key; none where DynamoDB's own serves.
    pub(super) fn key(&self, context: &Context) -> Result<Option<String>, AwsError> {
        if let Some(kind) = &self.sse_type {
            Constraints::new()
                .one_of("sSESpecification.sSEType", kind, &["AES256", "KMS"])
                .check(VALIDATION)?;
        }
        if !self.enabled {
            return match &self.kms_master_key_id {
                Some(_) => Err(invalid_values(
                    "KMSMasterKeyId must be specified only when SSE is enabled with SSEType KMS",
                )),
                None => Ok(None),
            };
        }
        let given = self.kms_master_key_id.as_deref().unwrap_or("alias/aws/dynamodb");
        Ok(Some(if given.starts_with("arn:") {
            given.to_owned()
        } else {
            let kind = if given.starts_with("alias/") { "" } else { "key/" };
            format!("{}{kind}{given}", context.arn_of("kms"))
        }))
    }
}
