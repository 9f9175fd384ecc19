//! `GetParameter`, `GetParameters`, `GetParametersByPath`, `GetParameterHistory`, `DescribeParameters`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{VALIDATION, invalid_token, no_parameter, no_version, unsupported};
use super::filter::{Filter, check_filters};
use super::names::{Reference, check_path, is_under};
use super::parameter::Parameter;
use super::put::checked_names;
use super::{Context, State};
use crate::protocol::{AwsError, Constraints};

/// The bodies of all operations that read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ReadRequest {
    name: Option<String>,
    names: Option<Vec<String>>,
    path: Option<String>,
    recursive: bool,
    with_decryption: bool,
    parameter_filters: Vec<Filter>,
    filters: Option<Value>,
    shared: bool,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl ReadRequest {
    /// A page of what was found, and where the next one begins.
    fn page(&self, member: &str, found: Vec<Value>, largest: i64) -> Result<Value, AwsError> {
        let size = self.max_results.unwrap_or(largest);
        Constraints::new().range("maxResults", size, 1, largest).check(VALIDATION)?;
        let start = match self.next_token.as_deref() {
            None => 0,
            Some(token) => token.parse().map_err(|_| invalid_token())?,
        };
        let end = usize::saturating_add(start, usize::try_from(size).unwrap_or(usize::MAX));
        let is_last = end >= found.len();
        let page: Vec<Value> = found.into_iter().skip(start).take(end - start).collect();
        let mut shown = json!({member: page});
        if !is_last {
            shown["NextToken"] = json!(end.to_string());
        }
        Ok(shown)
    }
}

impl State {
    /// `GetParameter`
    pub fn get_parameter(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let name = request.name.as_deref();
        Constraints::new().present("name", name.is_some()).check(VALIDATION)?;
        let found = self.shown(name.unwrap_or_default(), request.with_decryption, context)?;
        Ok(json!({"Parameter": found}))
    }

    /// `GetParameters`: what is not there is listed beside.
    pub fn get_parameters(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let mut found = Vec::new();
        let mut invalid = Vec::new();
        for name in checked_names(request.names.as_deref())? {
            match self.shown(name, request.with_decryption, context) {
                Ok(shown) => found.push(shown),
                Err(_) => invalid.push(name),
            }
        }
        Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
    }

    fn shown(&self, text: &str, decrypted: bool, context: &Context) -> Result<Value, AwsError> {
        let reference = Reference::read(text, context);
        let parameter = self.parameters.get(&reference.name).ok_or_else(no_parameter)?;
        let asked = reference.version();
        let version = parameter
            .version(asked)
            .ok_or_else(|| no_version(&reference.name, asked.unwrap_or_default()))?;
        Ok(version.render(&reference.name, &reference.selector, decrypted, context))
    }

    /// `GetParametersByPath`
    pub fn get_parameters_by_path(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let path = request.path.as_deref();
        Constraints::new().present("path", path.is_some()).check(VALIDATION)?;
        let path = path.unwrap_or_default();
        check_path(path)?;
        check_filters(&request.parameter_filters, &["Type", "KeyId"])?;
        let under = |name: &str| is_under(name, path, request.recursive);
        let found = self.filtered(request, under).map(|(name, parameter)| {
            parameter.latest.render(name, "", request.with_decryption, context)
        });
        request.page("Parameters", found.collect(), 10)
    }

    /// `DescribeParameters`
    pub fn describe_parameters(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        if request.filters.as_ref().and_then(Value::as_array).is_some_and(|it| !it.is_empty()) {
            return Err(unsupported(
                "Filters of DescribeParameters: ParameterFilters say the same",
            ));
        }
        if request.shared {
            return Err(unsupported("parameters of other accounts"));
        }
        let keys = ["Name", "Type", "Path", "Tier", "DataType", "KeyId"];
        check_filters(&request.parameter_filters, &keys)?;
        let found = self
            .filtered(request, |_| true)
            .map(|(name, parameter)| parameter.latest.describe(name, context));
        request.page("Parameters", found.collect(), 50)
    }

    fn filtered(
        &self,
        request: &ReadRequest,
        is_asked_for: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&String, &Parameter)> {
        self.parameters.iter().filter(move |(name, parameter)| {
            is_asked_for(name)
                && request.parameter_filters.iter().all(|filter| filter.lets_in(name, parameter))
        })
    }

    /// `GetParameterHistory`
    pub fn get_parameter_history(
        &self,
        request: &ReadRequest,
        context: &Context,
    ) -> Result<Value, AwsError> {
        let name = request.name.as_deref();
        Constraints::new().present("name", name.is_some()).check(VALIDATION)?;
        let reference = Reference::read(name.unwrap_or_default(), context);
        let parameter = self.parameters.get(&reference.name).ok_or_else(no_parameter)?;
        let versions = parameter
            .versions()
            .map(|version| version.history(&reference.name, request.with_decryption));
        request.page("Parameters", versions.collect(), 50)
    }
}
