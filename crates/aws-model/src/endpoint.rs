//! Where a service is: its endpoint rules, followed.
//!
//! A service's rules are a tree of conditions over parameters: the region, whether the endpoint is one of FIPS or dual-stack, one
//! given by hand, and what an operation's input adds, such as a bucket's name. [`Rules::resolve`] follows them; [`parameters`]
//! gathers what they ask for.

mod functions;
mod partition;

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::catalog::{entry_of, unpack};
use crate::service::{Operation, Service};
use crate::shape::Member;
use crate::wire::{Call, Request};
use functions::{Scope, holds, text_of, value_of};

pub use partition::partition_of;

/// The endpoint rules of a service.
#[derive(Debug, Clone)]
pub struct Rules(Value);

/// Where a request goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Scheme, host and perhaps a path.
    pub url: String,
    /// Headers that every request there has.
    pub headers: Vec<(String, String)>,
    /// What else the rules say.
    pub properties: Value,
}

/// How requests to an endpoint are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthScheme {
    /// `sigv4`, `sigv4a`, `sigv4-s3express`.
    pub name: String,
    /// What the signature is for, where it is not the service's own signing name.
    pub signing_name: Option<String>,
    /// The region of the signature, where it is not the endpoint's.
    pub signing_region: Option<String>,
    /// The path is not encoded a second time.
    pub disable_double_encoding: bool,
}

/// Why there is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The rules say why.
    #[error("{0}")]
    Refused(String),
    /// A parameter that the rules need is not given.
    #[error("the endpoint needs `{0}`")]
    Missing(String),
    /// No rule holds.
    #[error("no rule of the service says where it is")]
    NoRule,
    /// The rules say something that is not known here.
    #[error("the endpoint rules say {0}, which is not known here")]
    Unknown(String),
}

type Resolved<T> = Result<T, EndpointError>;

impl Rules {
    /// The rules of the service of that name.
    pub fn of(service: &str) -> Option<Self> {
        let entry = entry_of(service)?;
        let line = lines().get(entry.rules + 1)?.replace("@PREFIX@", entry.endpoint_prefix);
        serde_json::from_str(&line).ok().map(Self)
    }

    /// Rules in the spelling of the models.
    pub fn from_json(rules: Value) -> Self {
        Self(rules)
    }

    /// The names of the parameters that the rules ask for, each with the setting of a client that it comes from, if any.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let parameters = self.0["parameters"].as_object().into_iter().flatten();
        parameters.map(|(name, parameter)| (name.as_str(), parameter["builtIn"].as_str()))
    }

    /// The endpoint with those parameters.
    pub fn resolve(&self, given: &Map<String, Value>) -> Result<Endpoint, EndpointError> {
        let mut scope = Scope::new();
        for (name, parameter) in self.0["parameters"].as_object().into_iter().flatten() {
            let value = given
                .get(name)
                .filter(|value| !value.is_null())
                .or_else(|| parameter.get("default"));
            match value {
                Some(value) => drop(scope.insert(name.clone(), value.clone())),
                None if parameter["required"] == true => {
                    return Err(EndpointError::Missing(name.clone()));
                }
                None => {}
            }
        }
        follow(&self.0["rules"], &scope)?.ok_or(EndpointError::NoRule)
    }
}

/// The first line says the partitions, each other one the rules of the services that have it.
fn lines() -> &'static [&'static str] {
    static LINES: OnceLock<Vec<&'static str>> = OnceLock::new();
    LINES.get_or_init(|| {
        let packed = include_bytes!("../data/rules.z");
        let text: &'static str =
            unpack(packed, 1 << 20).expect("the packed rules are whole").leak();
        text.lines().collect()
    })
}

/// The endpoint that the first rule which holds says; nothing where none does.
fn follow(rules: &Value, scope: &Scope) -> Resolved<Option<Endpoint>> {
    for rule in rules.as_array().into_iter().flatten() {
        let mut scope = scope.clone();
        if !all_hold(&rule["conditions"], &mut scope)? {
            continue;
        }
        match rule["type"].as_str() {
            Some("endpoint") => return endpoint(&rule["endpoint"], &scope).map(Some),
            Some("error") => return Err(EndpointError::Refused(text_of(&rule["error"], &scope)?)),
            Some("tree") => match follow(&rule["rules"], &scope)? {
                Some(endpoint) => return Ok(Some(endpoint)),
                // Who has come into a tree does not come out again.
                None => return Err(EndpointError::NoRule),
            },
            other => return Err(EndpointError::Unknown(format!("{other:?}"))),
        }
    }
    Ok(None)
}

fn all_hold(conditions: &Value, scope: &mut Scope) -> Resolved<bool> {
    for condition in conditions.as_array().into_iter().flatten() {
        let value = value_of(condition, scope)?;
        if !holds(&value) {
            return Ok(false);
        }
        if let Some(name) = condition["assign"].as_str() {
            scope.insert(name.to_owned(), value);
        }
    }
    Ok(true)
}

fn endpoint(said: &Value, scope: &Scope) -> Resolved<Endpoint> {
    let mut headers = Vec::new();
    for (name, values) in said["headers"].as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            headers.push((name.clone(), text_of(value, scope)?));
        }
    }
    let properties = said
        .get("properties")
        .map_or_else(|| Ok(Value::Object(Map::new())), |said| filled(said, scope))?;
    Ok(Endpoint { url: text_of(&said["url"], scope)?, headers, properties })
}

/// What is said, with the templates in it filled.
fn filled(said: &Value, scope: &Scope) -> Resolved<Value> {
    match said {
        Value::String(_) => text_of(said, scope).map(Value::String),
        Value::Array(items) => {
            items.iter().map(|item| filled(item, scope)).collect::<Resolved<_>>().map(Value::Array)
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(name, item)| Ok((name.clone(), filled(item, scope)?)));
            entries.collect::<Resolved<_>>().map(Value::Object)
        }
        other => Ok(other.clone()),
    }
}

impl Endpoint {
    /// The whole URL of a request there. S3's endpoints have the bucket in them already, as part of the host or of the path.
    pub fn url(&self, call: &Call<'_>, request: &Request) -> String {
        let of_bucket =
            |member: &Member| member.name == "Bucket" && member.traits.context_param().is_some();
        let mut request = request.clone();
        if call.operation.uri.starts_with("/{Bucket}")
            && call.service.input_of(call.operation).iter().any(of_bucket)
        {
            let rest = request
                .path
                .get(1..)
                .and_then(|path| path.split_once('/'))
                .map_or("", |(_, rest)| rest);
            let below = self.url.split_once("://").is_some_and(|(_, url)| url.contains('/'));
            request.path =
                if rest.is_empty() && below { String::new() } else { format!("/{rest}") };
        }
        request.url(self.url.trim_end_matches('/'))
    }

    /// How requests there are signed, the best way first; none where the service's own way is meant.
    pub fn auth_schemes(&self) -> Vec<AuthScheme> {
        let schemes = self.properties["authSchemes"].as_array().into_iter().flatten();
        let text = |scheme: &Value, name: &str| scheme[name].as_str().map(str::to_owned);
        let read = |scheme: &Value| AuthScheme {
            name: text(scheme, "name").unwrap_or_default(),
            signing_name: text(scheme, "signingName"),
            signing_region: text(scheme, "signingRegion"),
            disable_double_encoding: scheme["disableDoubleEncoding"] == true,
        };
        schemes.map(read).collect()
    }
}

/// What a client is set to.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Its region.
    pub region: Option<String>,
    /// An endpoint given by hand.
    pub endpoint: Option<String>,
    /// It asks for endpoints that follow FIPS.
    pub use_fips: bool,
    /// It asks for endpoints that have IPv6 too.
    pub use_dual_stack: bool,
    /// S3: the bucket stands in the path, never in the host.
    pub force_path_style: bool,
    /// The account, where it is known.
    pub account_id: Option<String>,
}

/// What the rules of a service ask for, of a client's settings and an operation's input.
///
/// Parameters that come from an input by an expression, of DynamoDB's account endpoints alone, are left out: the endpoint is
/// then the region's, which serves every account.
pub fn parameters(
    service: &Service,
    operation: &Operation,
    input: &Value,
    rules: &Rules,
    settings: &Settings,
) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, built_in) in rules.parameters() {
        let value = match built_in {
            Some("AWS::Region") => settings.region.clone().map(Value::String),
            Some("SDK::Endpoint") => settings.endpoint.clone().map(Value::String),
            Some("AWS::UseFIPS") => Some(Value::Bool(settings.use_fips)),
            Some("AWS::UseDualStack") => Some(Value::Bool(settings.use_dual_stack)),
            Some("AWS::S3::ForcePathStyle") => Some(Value::Bool(settings.force_path_style)),
            Some("AWS::S3::UseArnRegion" | "AWS::S3Control::UseArnRegion") => {
                Some(Value::Bool(true))
            }
            Some("AWS::Auth::AccountId") => settings.account_id.clone().map(Value::String),
            Some("AWS::Auth::AccountIdEndpointMode") => Some(Value::String("preferred".to_owned())),
            _ => None,
        };
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value);
        }
    }
    for (name, said) in &operation.static_context_params {
        parameters.insert(name.clone(), said["value"].clone());
    }
    for member in service.input_of(operation) {
        if let (Some(name), Some(value)) = (member.traits.context_param(), input.get(member.name)) {
            parameters.insert(name.to_owned(), value.clone());
        }
    }
    parameters
}
