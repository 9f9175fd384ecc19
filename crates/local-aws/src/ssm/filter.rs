//! `ParameterFilters`.

use serde::Deserialize;

use super::error::{VALIDATION, unsupported, validation};
use super::names::{check_path, is_under};
use super::parameter::{KEY, Parameter, SECURE};
use crate::protocol::{AwsError, Constraints};

/// One filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Filter {
    key: String,
    option: Option<String>,
    values: Vec<String>,
}

/// Refuses filters that there are not.
pub(super) fn check_filters(filters: &[Filter], keys: &[&str]) -> Result<(), AwsError> {
    for (index, filter) in filters.iter().enumerate() {
        filter.check(keys)?;
        if filters.iter().take(index).any(|other| other.key == filter.key) {
            return Err(AwsError::bad_request(
                "InvalidFilterKey",
                format!("The following filter is duplicated in the request: {}.", filter.key),
            ));
        }
    }
    Ok(())
}

impl Filter {
    fn is_of_tag(&self) -> bool {
        self.key.starts_with("tag:")
    }

    fn options(&self) -> &'static [&'static str] {
        match self.key.as_str() {
            "Name" => &["BeginsWith", "Equals", "Contains"],
            "Path" => &["Recursive", "OneLevel"],
            "Type" | "KeyId" => &["Equals", "BeginsWith"],
            _ => &["Equals"],
        }
    }

    fn check(&self, keys: &[&str]) -> Result<(), AwsError> {
        let shown = format!("[{}]", self.values.join(", "));
        Constraints::new()
            .length("parameterFilters.key", &self.key, 1, 132)
            .count("parameterFilters.values", &shown, self.values.len(), 0, 50)
            .check(VALIDATION)?;
        if self.key == "Label" {
            return Err(unsupported("labels of parameters"));
        }
        // By tags, parameters can be described, and not got.
        if !(keys.contains(&self.key.as_str()) || self.is_of_tag() && keys.contains(&"Name")) {
            let message = format!(
                "The following filter key is not valid: {}. Valid filter keys include: [{}].",
                self.key,
                keys.join(", ")
            );
            return Err(AwsError::bad_request("InvalidFilterKey", message));
        }
        if let Some(option) = self.option.as_deref()
            && !self.options().contains(&option)
        {
            let message = format!(
                "The following filter option is not valid: {option}. Valid options include: [{}].",
                self.options().join(", ")
            );
            return Err(AwsError::bad_request("InvalidFilterOption", message));
        }
        if self.values.is_empty() && !self.is_of_tag() {
            let message = format!(
                "The following filter values are missing : null for filter key {}",
                self.key
            );
            return Err(AwsError::bad_request("InvalidFilterValue", message));
        }
        if self.key == "Path" {
            self.values.iter().try_for_each(|path| check_path(path))?;
        }
        if self.key == "Type"
            && self.values.iter().any(|it| !["String", "StringList", SECURE].contains(&it.as_str()))
        {
            return Err(validation(
                "Filters Type must be one of String, StringList and SecureString.",
            ));
        }
        Ok(())
    }

    /// Whether a parameter passes.
    pub(super) fn lets_in(&self, name: &str, parameter: &Parameter) -> bool {
        let latest = &parameter.latest;
        let any = |test: &dyn Fn(&str) -> bool| self.values.iter().any(|value| test(value));
        if let Some(key) = self.key.strip_prefix("tag:") {
            let value = parameter.tags.get(key);
            return value
                .is_some_and(|value| self.values.is_empty() || self.values.contains(value));
        }
        match (self.key.as_str(), self.option.as_deref()) {
            ("Path", option) => any(&|path| is_under(name, path, option == Some("Recursive"))),
            ("Name", Some("BeginsWith")) => any(&|start| bare(name).starts_with(bare(start))),
            ("Name", Some("Contains")) => any(&|part| name.contains(part)),
            ("Name", _) => any(&|whole| bare(name) == bare(whole)),
            ("Type", Some("BeginsWith")) => any(&|start| latest.kind.starts_with(start)),
            ("Type", _) => any(&|kind| latest.kind == kind),
            ("KeyId", _) => latest.kind == SECURE && any(&|key| key == KEY),
            ("Tier", _) => any(&|tier| latest.tier == tier),
            _ => any(&|kind| latest.data_type == kind),
        }
    }
}

/// Filters find `/a` by `a`, and the other way round.
fn bare(name: &str) -> &str {
    name.trim_start_matches('/')
}
