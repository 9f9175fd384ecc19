//! `PutParameter`, `DeleteParameter`, `DeleteParameters`.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{VALIDATION, no_parameter, unsupported, validation};
use super::names::{Reference, check_key, check_new};
use super::parameter::{Parameter, Version};
use super::tags::{self, Tag};
use super::{Context, PARAMETER, State};
use crate::protocol::{AwsError, Constraints};

const STANDARD: &str = "Standard";
const ADVANCED: &str = "Advanced";
const INTELLIGENT: &str = "Intelligent-Tiering";
const LONGEST_STANDARD: usize = 4096;
const LONGEST_ADVANCED: usize = 8192;
/// How many names `DeleteParameters` and `GetParameters` take.
pub(super) const MOST_NAMES: usize = 10;

/// The body of `PutParameter`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutParameter {
    name: Option<String>,
    value: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    description: Option<String>,
    key_id: Option<String>,
    overwrite: bool,
    allowed_pattern: Option<String>,
    tags: Vec<Tag>,
    tier: Option<String>,
    policies: Option<String>,
    data_type: Option<String>,
}

/// The bodies of `DeleteParameter` and `DeleteParameters`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteParameters {
    name: Option<String>,
    names: Option<Vec<String>>,
}

impl PutParameter {
    fn check(&self) -> Result<(&str, &str), AwsError> {
        let (name, value) = (self.name.as_deref(), self.value.as_deref());
        let mut constraints = Constraints::new()
            .present("name", name.is_some())
            .present("value", value.is_some())
            .length("description", self.description.as_deref().unwrap_or_default(), 0, 1024)
            .length("allowedPattern", self.allowed_pattern.as_deref().unwrap_or_default(), 0, 1024);
        if let Some(kind) = &self.kind {
            constraints =
                constraints.one_of("type", kind, &["String", "StringList", "SecureString"]);
        }
        if let Some(tier) = &self.tier {
            constraints = constraints.one_of("tier", tier, &[STANDARD, ADVANCED, INTELLIGENT]);
        }
        constraints.check(VALIDATION)?;
        let (name, value) = (name.unwrap_or_default(), value.unwrap_or_default());
        check_new(name)?;
        check_key(self.key_id.as_deref())?;
        if self.policies.as_deref().is_some_and(|policies| !["", "[]"].contains(&policies)) {
            return Err(unsupported("Policies of parameters"));
        }
        if let Some(other) = self.data_type.as_deref().filter(|it| *it != "text") {
            return Err(unsupported(&format!("the data type {other}")));
        }
        if value.is_empty() {
            Constraints::new().length("value", value, 1, LONGEST_ADVANCED).check(VALIDATION)?;
        }
        if value.contains("{{") && value.contains("}}") {
            return Err(validation(
                "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
            ));
        }
        self.check_pattern(value)?;
        Ok((name, value))
    }

    fn check_pattern(&self, value: &str) -> Result<(), AwsError> {
        let Some(pattern) = self.allowed_pattern.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        let regex = Regex::new(pattern).map_err(|_| {
            AwsError::bad_request(
                "InvalidAllowedPatternException",
                format!("The regular expression {pattern} is not valid."),
            )
        })?;
        if regex.is_match(value) {
            return Ok(());
        }
        Err(AwsError::bad_request(
            "ParameterPatternMismatchException",
            format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
        ))
    }

    /// The tier that the value will have.
    fn tier(&self, value: &str, before: Option<&Version>) -> Result<&'static str, AwsError> {
        let was_advanced = before.is_some_and(|before| before.tier == ADVANCED);
        let length = value.chars().count();
        let tier = match self.tier.as_deref() {
            Some(ADVANCED) => ADVANCED,
            Some(INTELLIGENT) if length > LONGEST_STANDARD || was_advanced => ADVANCED,
            None if was_advanced => ADVANCED,
            Some(STANDARD) if was_advanced => {
                return Err(validation(
                    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                     advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                     parameter and recreate it as a standard parameter.",
                ));
            }
            _ => STANDARD,
        };
        match tier {
            STANDARD if length > LONGEST_STANDARD => Err(validation(format!(
                "Standard tier parameters support a maximum parameter value of {LONGEST_STANDARD} characters. To create a \
                 larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, \
                 see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
            ))),
            ADVANCED if length > LONGEST_ADVANCED => Err(validation(format!(
                "Advanced tier parameters support a maximum parameter value of {LONGEST_ADVANCED} characters."
            ))),
            tier => Ok(tier),
        }
    }
}

impl State {
    /// `PutParameter`
    pub fn put_parameter(
        &mut self,
        request: &PutParameter,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let (name, value) = request.check()?;
        let given = tags::checked(&request.tags)?;
        if request.overwrite && !given.is_empty() {
            return Err(validation(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
                 remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
                 RemoveTagsFromResource.",
            ));
        }
        let before = self.parameters.get(name);
        if before.is_some() && !request.overwrite {
            return Err(AwsError::bad_request(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        let before = before.map(|parameter| &parameter.latest);
        let kind = request.kind.clone().or_else(|| before.map(|before| before.kind.clone()));
        let kind = kind.ok_or_else(|| {
            validation("A parameter type is required when you create a parameter.")
        })?;
        let kept = |given: &Option<String>, before: Option<&Option<String>>| {
            given.clone().or_else(|| before.cloned().flatten())
        };
        let version = Version {
            number: before.map_or(1, |before| before.number + 1),
            kind,
            value: value.to_owned(),
            description: kept(&request.description, before.map(|before| &before.description)),
            allowed_pattern: request.allowed_pattern.clone().filter(|pattern| !pattern.is_empty()),
            tier: request.tier(value, before)?,
            data_type: "text".to_owned(),
            modified: context.now,
            author: context.caller_arn.clone(),
        };
        let shown = json!({"Version": version.number, "Tier": version.tier});
        match self.parameters.get_mut(name) {
            Some(parameter) => parameter.put(version),
            None => {
                self.outbox.created(PARAMETER, name);
                let parameter = Parameter { tags: given, latest: version, earlier: Vec::new() };
                self.parameters.insert(name.to_owned(), parameter);
            }
        }
        Ok(shown)
    }

    /// `DeleteParameter`
    pub fn delete_parameter(
        &mut self,
        request: &DeleteParameters,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let name = request.name.as_deref();
        Constraints::new().present("name", name.is_some()).check(VALIDATION)?;
        let reference = Reference::read(name.unwrap_or_default(), context);
        if self.remove(&reference) { Ok(json!({})) } else { Err(no_parameter()) }
    }

    /// `DeleteParameters`
    pub fn delete_parameters(
        &mut self,
        request: &DeleteParameters,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let names = checked_names(request.names.as_deref())?;
        let mut ended: BTreeMap<bool, Vec<&String>> = BTreeMap::new();
        for name in names {
            let deleted = self.remove(&Reference::read(name, context));
            ended.entry(deleted).or_default().push(name);
        }
        let of = |deleted: bool| ended.get(&deleted).cloned().unwrap_or_default();
        Ok(json!({"DeletedParameters": of(true), "InvalidParameters": of(false)}))
    }

    fn remove(&mut self, reference: &Reference) -> bool {
        let is_whole = reference.selector.is_empty();
        let deleted = is_whole && self.parameters.remove(&reference.name).is_some();
        if deleted {
            self.outbox.deleted(PARAMETER, &reference.name);
        }
        deleted
    }
}

/// The names of a request for several parameters.
pub(super) fn checked_names(names: Option<&[String]>) -> Result<&[String], AwsError> {
    let given = names.unwrap_or_default();
    let shown = format!("[{}]", given.join(", "));
    let constraints = Constraints::new().present("names", names.is_some());
    let constraints = match names {
        Some(_) => constraints.count("names", &shown, given.len(), 1, MOST_NAMES),
        None => constraints,
    };
    constraints.check(VALIDATION)?;
    Ok(given)
}
