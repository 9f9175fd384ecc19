//! Function URLs: addresses at which a function answers whoever may ask it.

mod front;

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) use front::{answer_signed, is_for_a_url, page};

use super::errors::{conflict, invalid, no_function, not_found, unsupported};
use super::names::Target;
use super::{Lambda, State};
use crate::account::Account;
use crate::protocol::AwsError;
use crate::server::modelled::{Context, Operation, typed};

/// The URL of a function, or of an alias of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Url {
    /// What its address begins with.
    id: String,
    /// `NONE` or `AWS_IAM`.
    auth_type: String,
    cors: Option<Value>,
    created: SystemTime,
    modified: SystemTime,
}

impl Url {
    fn shown(&self, account: &Account, arn: &str) -> Value {
        let mut shown = json!({
            "FunctionUrl": front::url(account, &self.id),
            "FunctionArn": arn,
            "AuthType": self.auth_type,
            "CreationTime": time_text(self.created),
            "LastModifiedTime": time_text(self.modified),
            "InvokeMode": "BUFFERED",
        });
        if let Some(cors) = &self.cors {
            shown["Cors"] = cors.clone();
        }
        shown
    }

    pub(super) fn snapshot(&self) -> Value {
        json!({"id": self.id, "auth_type": self.auth_type, "cors": self.cors})
    }
}

/// Such as `2026-05-01T12:00:00.000000Z`.
fn time_text(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
        .unwrap_or_default()
}

pub(super) const OPERATIONS: [Operation; 5] = [
    Operation::now("CreateFunctionUrlConfig", |context, input| create(context, typed(input)?)),
    Operation::now("DeleteFunctionUrlConfig", |context, input| delete(context, &typed(input)?)),
    Operation::now("GetFunctionUrlConfig", |context, input| get(context, &typed(input)?)),
    Operation::now("ListFunctionUrlConfigs", |context, input| list(context, &typed(input)?)),
    Operation::now("UpdateFunctionUrlConfig", |context, input| update(context, typed(input)?)),
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    function_name: String,
    qualifier: Option<String>,
    auth_type: Option<String>,
    cors: Option<Value>,
    invoke_mode: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

impl Request {
    /// The function, and its alias, if one is named; nothing else has URLs of its own.
    fn target(&self, lambda: &Lambda) -> Result<Target, AwsError> {
        let target = Target::parse(&self.function_name, self.qualifier.as_deref(), lambda.place())?;
        let is_alias = |qualifier: &String| {
            !qualifier.starts_with('$') && !qualifier.bytes().all(|byte| byte.is_ascii_digit())
        };
        if let Some(qualifier) = target.qualifier.as_ref().filter(|it| !is_alias(it)) {
            return Err(AwsError::bad_request(
                super::names::VALIDATION,
                format!(
                    "1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: Member must \
                     satisfy regular expression pattern: (?!^\\d+$)^[0-9a-zA-Z-_]+$"
                ),
            ));
        }
        Ok(target)
    }

    fn check(&self) -> Result<(), AwsError> {
        if self.invoke_mode.as_deref() == Some("RESPONSE_STREAM") {
            return Err(unsupported("the InvokeMode RESPONSE_STREAM of function URLs"));
        }
        let cors = self.cors.as_ref();
        let origins = cors.and_then(|cors| cors["AllowOrigins"].as_array());
        let is_origin = |origin: &Value| {
            origin.as_str().is_some_and(|text| text == "*" || text.contains("://"))
        };
        match origins.into_iter().flatten().find(|origin| !is_origin(origin)) {
            Some(origin) => Err(invalid(format!("Invalid origin in AllowOrigins: {origin}"))),
            None => Ok(()),
        }
    }

    /// What is said of CORS; an empty map says nothing.
    fn cors(&self) -> Option<Value> {
        self.cors.clone().filter(|cors| cors.as_object().is_some_and(|it| !Map::is_empty(it)))
    }
}

fn no_url() -> AwsError {
    not_found("The resource you requested does not exist.")
}

fn create(context: Context<'_>, request: Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    request.check()?;
    let arn = target.arn(lambda.place());
    let mut state = context.account.state::<State>();
    state.find(&target, &arn)?;
    let function = state.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
    if function.urls.contains_key(&target.qualifier) {
        return Err(conflict(format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this \
             Lambda function"
        )));
    }
    let url = Url {
        id: crate::random::text(32).to_ascii_lowercase(),
        cors: request.cors(),
        auth_type: request.auth_type.unwrap_or_default(),
        created: context.now(),
        modified: context.now(),
    };
    let mut shown = url.shown(context.account, &arn);
    if let Some(members) = shown.as_object_mut() {
        members.remove("LastModifiedTime");
    }
    function.urls.insert(target.qualifier, url);
    Ok(shown)
}

/// Does something with a URL that is there, and returns it as it is then.
fn with(
    context: Context<'_>,
    request: &Request,
    act: impl FnOnce(&mut Url),
) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let mut state = context.account.state::<State>();
    let function = state.functions.get_mut(&target.name).ok_or_else(no_url)?;
    let url = function.urls.get_mut(&target.qualifier).ok_or_else(no_url)?;
    act(url);
    Ok(url.shown(context.account, &target.arn(lambda.place())))
}

fn get(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    with(context, request, |_| ())
}

fn update(context: Context<'_>, request: Request) -> Result<Value, AwsError> {
    request.check()?;
    with(context, &request, |url| {
        url.modified = context.now();
        if let Some(kind) = &request.auth_type {
            url.auth_type.clone_from(kind);
        }
        if request.cors.is_some() {
            url.cors = request.cors();
        }
    })
}

fn delete(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let target = request.target(&Lambda::of(context.account))?;
    let mut state = context.account.state::<State>();
    let function = state.functions.get_mut(&target.name).ok_or_else(no_url)?;
    function.urls.remove(&target.qualifier).map(|_| json!({})).ok_or_else(no_url)
}

fn list(context: Context<'_>, request: &Request) -> Result<Value, AwsError> {
    let lambda = Lambda::of(context.account);
    let target = request.target(&lambda)?;
    let arn = lambda.place().function_arn(&target.name, None);
    let state = context.account.state::<State>();
    let function = state.functions.get(&target.name).ok_or_else(|| no_function(&arn))?;
    let after = request.marker.as_deref();
    let mut found = function.urls.iter().filter(|(alias, _)| {
        after.is_none_or(|after| alias.as_deref().unwrap_or_default() > after)
    });
    let page: Vec<_> = found.by_ref().take(request.max_items.unwrap_or(50).clamp(1, 50)).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|(alias, url)| {
            let arn = lambda.place().function_arn(&target.name, alias.as_deref());
            url.shown(context.account, &arn)
        })
        .collect();
    let mut output = json!({ "FunctionUrlConfigs": shown });
    if let (Some((last, _)), true) = (page.last(), found.next().is_some()) {
        output["NextMarker"] = json!(last.as_deref().unwrap_or_default());
    }
    Ok(output)
}
