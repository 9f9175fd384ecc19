//! Lengths of time, as a playbook writes them.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

/// How long something takes, such as `2s` or `1m 30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("x-duration" = true))]
pub(crate) struct Length(pub(crate) Duration);

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let length =
            text.parse::<SignedDuration>().ok().and_then(|length| Duration::try_from(length).ok());
        length
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no duration; write one such as 2s or 1m 30s"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read =
            |text: &str| Length::try_from(text.to_owned()).map(|length| length.0.as_millis());
        assert_eq!(read("2s"), Ok(2000));
        assert_eq!(read("1m 30s"), Ok(90_000));
        assert_eq!(read("250ms"), Ok(250));
        assert!(read("-2s").is_err());
        assert!(read("soon").is_err());
    }
}
