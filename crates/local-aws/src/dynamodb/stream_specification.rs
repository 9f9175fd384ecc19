//! What a table's stream is asked to be.

use serde::Deserialize;

use super::error::{VALIDATION, validation};
use crate::protocol::{AwsError, Constraints};

/// What a table's stream is asked to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StreamSpecification {
    stream_enabled: bool,
    stream_view_type: Option<String>,
}

/// What the records of the stream show, where there is to be one.
pub(super) fn stream_view(
    specification: Option<&StreamSpecification>,
) -> Result<Option<String>, AwsError> {
    let Some(specification) = specification.filter(|one| one.stream_enabled) else {
        return Ok(None);
    };
    let view = specification.stream_view_type.as_deref().ok_or_else(|| {
        validation("One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true")
    })?;
    let views = ["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"];
    Constraints::new()
        .one_of("streamSpecification.streamViewType", view, &views)
        .check(VALIDATION)?;
    Ok(Some(view.to_owned()))
}
