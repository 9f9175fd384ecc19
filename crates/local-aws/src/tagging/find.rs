//! Resources by tag, and the tags that there are.

use std::collections::BTreeSet;

use aws_model::validate::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Account;
use crate::protocol::AwsError;
use crate::server::Tagged;
use crate::server::modelled::{Context, validation_exception};

/// How many resources a page has where nothing is said, and at the most.
const PAGE: usize = 100;

/// How many keys or values a page has.
const WORDS: usize = 1000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetResources {
    pagination_token: String,
    tag_filters: Vec<TagFilter>,
    resources_per_page: Option<usize>,
    tags_per_page: Option<usize>,
    resource_type_filters: Vec<String>,
    include_compliance_details: bool,
    exclude_compliant_resources: bool,
    #[serde(rename = "ResourceARNList")]
    arns: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagFilter {
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetTagKeys {
    pagination_token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetTagValues {
    pagination_token: String,
    key: String,
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::modelled("InvalidParameterException", message)
}

/// The word against an input that the model does not allow, under this service's name for it.
pub(super) fn refuse(problems: &[Problem], input: &Value) -> Option<AwsError> {
    let error = validation_exception(problems, input)?;
    Some(invalid(error.message))
}

/// All that has tags, in the order of the ARNs.
fn tagged(account: &Account) -> Vec<Tagged> {
    let services = account.services().iter();
    let mut found: Vec<Tagged> = services
        .flat_map(|service| service.tagged(account))
        .filter(|resource| !resource.tags.is_empty())
        .collect();
    found.sort_by(|one, other| one.arn.cmp(&other.arn));
    found
}

/// `GetResources`.
pub(super) fn resources(context: Context<'_>, input: &GetResources) -> Result<Value, AwsError> {
    check(input)?;
    let found = tagged(context.account).into_iter().filter(|resource| {
        let has = |filter: &TagFilter| {
            resource.tags.get(&filter.key).is_some_and(|value| {
                filter.values.is_empty() || filter.values.iter().any(|wanted| wanted == value)
            })
        };
        let types = &input.resource_type_filters;
        let named = input.arns.as_ref().is_none_or(|arns| arns.contains(&resource.arn));
        let typed = types.is_empty() || types.iter().any(|wanted| is_of(&resource.arn, wanted));
        named && typed && input.tag_filters.iter().all(has)
    });
    let shown: Vec<(String, Value)> = found
        .map(|resource| {
            let tags = resource.tags.iter();
            let tags: Vec<Value> =
                tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            let shown = json!({"ResourceARN": resource.arn, "Tags": tags});
            (resource.arn, shown)
        })
        .collect();
    let size = input.resources_per_page.unwrap_or(PAGE);
    let (page, token) = page(shown, &input.pagination_token, size)?;
    Ok(json!({"ResourceTagMappingList": page, "PaginationToken": token}))
}

fn check(input: &GetResources) -> Result<(), AwsError> {
    for (given, name) in [
        (input.tags_per_page.is_some(), "TagsPerPage"),
        (input.include_compliance_details, "IncludeComplianceDetails"),
        (input.exclude_compliant_resources, "ExcludeCompliantResources"),
    ] {
        if given {
            return Err(invalid(format!("The local AWS of playbook does not know {name}.")));
        }
    }
    if input.resources_per_page.is_some_and(|size| !(1..=PAGE).contains(&size)) {
        return Err(invalid("ResourcesPerPage must be between 1 and 100."));
    }
    let others = !input.tag_filters.is_empty()
        || !input.resource_type_filters.is_empty()
        || input.resources_per_page.is_some();
    if input.arns.is_some() && others {
        let message = "ResourceARNList cannot be used with TagFilters, ResourceTypeFilters or ResourcesPerPage.";
        return Err(invalid(message));
    }
    Ok(())
}

/// Whether an ARN is of a type such as `lambda:function`, or of a service such as `lambda`.
fn is_of(arn: &str, wanted: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    match wanted.split_once(':') {
        None => service == wanted,
        Some((of, kind)) => {
            let rest = resource.trim_start_matches('/').strip_prefix(kind);
            service == of
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        }
    }
}

/// So many from a token on, which names the last of the page before; and the token of the next page.
fn page<T>(all: Vec<(String, T)>, token: &str, size: usize) -> Result<(Vec<T>, String), AwsError> {
    let last = match token {
        "" => None,
        token => {
            let unknown = || {
                AwsError::modelled("PaginationTokenExpiredException", "The token is of no page.")
            };
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
            Some(String::from_utf8(bytes).map_err(|_| unknown())?)
        }
    };
    let mut rest = all.into_iter().filter(|(key, _)| last.as_ref().is_none_or(|last| key > last));
    let page: Vec<(String, T)> = rest.by_ref().take(size).collect();
    let token = match (page.last(), rest.next()) {
        (Some((last, _)), Some(_)) => URL_SAFE_NO_PAD.encode(last),
        _ => String::new(),
    };
    Ok((page.into_iter().map(|(_, shown)| shown).collect(), token))
}

fn words(all: BTreeSet<String>, token: &str) -> Result<(Vec<String>, String), AwsError> {
    page(all.into_iter().map(|word| (word.clone(), word)).collect(), token, WORDS)
}

/// `GetTagKeys`.
pub(super) fn keys(context: Context<'_>, input: &GetTagKeys) -> Result<Value, AwsError> {
    let all = tagged(context.account).into_iter().flat_map(|resource| resource.tags.into_keys());
    let (page, token) = words(all.collect(), &input.pagination_token)?;
    Ok(json!({"TagKeys": page, "PaginationToken": token}))
}

/// `GetTagValues`.
pub(super) fn values(context: Context<'_>, input: &GetTagValues) -> Result<Value, AwsError> {
    let all = tagged(context.account).into_iter();
    let all = all.filter_map(|mut resource| resource.tags.remove(&input.key));
    let (page, token) = words(all.collect(), &input.pagination_token)?;
    Ok(json!({"TagValues": page, "PaginationToken": token}))
}
