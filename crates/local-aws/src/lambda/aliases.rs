//! Aliases: names for versions, which may send a part of the invocations to another version.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{conflict, invalid, no_function, not_found, stale_revision};
use super::names::{LATEST, Target};
use super::state::{Function, Version};
use super::{Lambda, State};
use crate::ids::uuid;
use crate::protocol::AwsError;
use crate::server::modelled::{Context, Operation, typed};

/// A name for a version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alias {
    version: String,
    description: String,
    /// How much of the invocations goes to other versions.
    weights: BTreeMap<String, f64>,
    revision_id: String,
}

impl Alias {
    /// The version of one invocation.
    pub(super) fn pick(&self) -> &str {
        let mut place = fastrand::f64();
        for (version, weight) in &self.weights {
            if place < *weight {
                return version;
            }
            place -= weight;
        }
        &self.version
    }

    fn shown(&self, name: &str, arn: &str) -> Value {
        let mut shown = json!({
            "AliasArn": arn,
            "Name": name,
            "FunctionVersion": self.version,
            "Description": self.description,
            "RevisionId": self.revision_id,
        });
        if !self.weights.is_empty() {
            shown["RoutingConfig"] = json!({"AdditionalVersionWeights": self.weights});
        }
        shown
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({"version": self.version, "description": self.description, "weights": self.weights})
    }

    /// Whether it leads to a version.
    pub(super) fn names(&self, version: &str) -> bool {
        self.version == version || self.weights.contains_key(version)
    }
}

impl Function {
    /// The version that an alias leads to, this time.
    pub(super) fn aliased(&self, name: &str) -> Option<&Version> {
        let version = self.aliases.get(name)?.pick();
        if version == LATEST {
            return Some(&self.latest);
        }
        self.published.get(&version.parse().ok()?)
    }

    fn check_version(&self, version: &str, arn: &str) -> Result<(), AwsError> {
        let is_there = version == LATEST
            || version.parse().is_ok_and(|number| self.published.contains_key(&number));
        if is_there { Ok(()) } else { Err(no_function(&format!("{arn}:{version}"))) }
    }
}

pub(super) const OPERATIONS: [Operation; 5] = [
    Operation::now("CreateAlias", |context, input| create(context, &typed(input)?)),
    Operation::now("DeleteAlias", |context, input| delete(context, &typed(input)?)),
    Operation::now("GetAlias", |context, input| get(context, &typed(input)?)),
    Operation::now("ListAliases", |context, input| list(context, &typed(input)?)),
    Operation::now("UpdateAlias", |context, input| update(context, &typed(input)?)),
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    function_name: String,
    name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Routing {
    additional_version_weights: BTreeMap<String, f64>,
}

impl Request {
    fn target(&self, lambda: &Lambda) -> Result<Target, AwsError> {
        Target::parse(&self.function_name, None, lambda.place())
    }

    fn weights(&self, main: &str) -> Result<Option<BTreeMap<String, f64>>, AwsError> {
        let Some(routing) = &self.routing_config else { return Ok(None) };
        let weights = &routing.additional_version_weights;
        if weights.len() > 1 {
            return Err(invalid(
                "Number of items in AdditionalVersionWeights cannot be greater than 1",
            ));
        }
        if !weights.is_empty() && main == LATEST {
            return Err(invalid(
                "$LATEST is not supported for an alias pointing to more than 1 version",
            ));
        }
        for (version, weight) in weights {
            if version == LATEST || version == main {
                return Err(invalid(format!(
                    "Invalid function version {version}. Function version {main} is already included in routing configuration."
                )));
            }
            if !(0.0..=1.0).contains(weight) {
                return Err(invalid(format!(
                    "Weight {weight} of version {version} must be from 0 to 1."
                )));
            }
        }
        Ok(Some(weights.clone()))
    }
}

fn no_alias(arn: &str) -> AwsError {
    not_found(format!("Cannot find alias arn: {arn}"))
}

fn create(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let arn = lambda.place().function_arn(&target.name, None);
    let own = lambda.place().function_arn(&target.name, Some(&request.name));
    let version = request.function_version.clone().unwrap_or_default();
    let weights = request.weights(&version)?.unwrap_or_default();
    let mut state = context.account.state::<State>();
    let function = state.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
    function.check_version(&version, &arn)?;
    for other in weights.keys() {
        function.check_version(other, &arn)?;
    }
    if function.aliases.contains_key(&request.name) {
        return Err(conflict(format!("Alias already exists: {own}")));
    }
    let alias = Alias {
        version,
        description: request.description.clone().unwrap_or_default(),
        weights,
        revision_id: uuid(),
    };
    let shown = alias.shown(&request.name, &own);
    function.aliases.insert(request.name.clone(), alias);
    Ok(shown)
}

fn update(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let arn = lambda.place().function_arn(&target.name, None);
    let own = lambda.place().function_arn(&target.name, Some(&request.name));
    let mut state = context.account.state::<State>();
    let function = state.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
    let mut alias = function.aliases.get(&request.name).cloned().ok_or_else(|| no_alias(&own))?;
    if request.revision_id.as_ref().is_some_and(|given| *given != alias.revision_id) {
        return Err(stale_revision("GetAlias"));
    }
    if let Some(version) = &request.function_version {
        function.check_version(version, &arn)?;
        alias.version.clone_from(version);
    }
    if let Some(description) = &request.description {
        alias.description.clone_from(description);
    }
    if let Some(weights) = request.weights(&alias.version)? {
        for other in weights.keys() {
            function.check_version(other, &arn)?;
        }
        alias.weights = weights;
    }
    alias.revision_id = uuid();
    let shown = alias.shown(&request.name, &own);
    function.aliases.insert(request.name.clone(), alias);
    Ok(shown)
}

fn get(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let own = lambda.place().function_arn(&target.name, Some(&request.name));
    let state = context.account.state::<State>();
    let alias = state.functions.get(&target.name).and_then(|one| one.aliases.get(&request.name));
    alias.map(|alias| alias.shown(&request.name, &own)).ok_or_else(|| no_alias(&own))
}

/// `DeleteAlias`: one that is not there is deleted already.
fn delete(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let mut state = context.account.state::<State>();
    if let Some(function) = state.functions.get_mut(&target.name) {
        function.aliases.remove(&request.name);
        function.policies.remove(&Some(request.name.clone()));
        function.urls.remove(&Some(request.name.clone()));
    }
    Ok(json!({}))
}

fn list(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let arn = lambda.place().function_arn(&target.name, None);
    let state = context.account.state::<State>();
    let function = state.functions.get(&target.name).ok_or_else(|| no_function(&arn))?;
    let mut found = function.aliases.iter().filter(|(name, alias)| {
        request.function_version.as_ref().is_none_or(|version| alias.names(version))
            && request.marker.as_ref().is_none_or(|after| *name > after)
    });
    let page: Vec<_> = found.by_ref().take(request.max_items.unwrap_or(50).clamp(1, 50)).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|(name, alias)| {
            alias.shown(name, &lambda.place().function_arn(&target.name, Some(name)))
        })
        .collect();
    let mut output = json!({"Aliases": shown});
    if let (Some((last, _)), true) = (page.last(), found.next().is_some()) {
        output["NextMarker"] = json!(last);
    }
    Ok(output)
}
