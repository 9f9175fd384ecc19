//! `PublishVersion`, `ListVersionsByFunction`, and reserved concurrency.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{invalid, no_function};
use super::functions::{check_revision, page};
use super::names::{LATEST, Target};
use super::render::{Detail, configuration};
use super::state::{Context, Function, State, Version};
use crate::ids::uuid;
use crate::protocol::AwsError;

/// What remains for functions without a reservation.
const LEAST_UNRESERVED: u32 = 100;
const CONCURRENCY: u32 = 1000;

/// The body of `PublishVersion`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PublishVersion {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

/// The body of `PutFunctionConcurrency`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutFunctionConcurrency {
    reserved_concurrent_executions: Option<u32>,
}

impl Function {
    /// Publishes the latest version, unless it is what was published last.
    pub(super) fn publish(
        &mut self,
        description: Option<String>,
        generation: u64,
        context: Context<'_>,
    ) -> &Version {
        let number = match self.published.get(&self.last_published) {
            Some(last) if self.is_unchanged_since(last) => self.last_published,
            _ => self.last_published + 1,
        };
        self.last_published = number;
        let latest = &self.latest;
        self.published.entry(number).or_insert_with(|| {
            let mut version = latest.clone();
            version.name = number.to_string();
            version.revision_id = uuid();
            version.settle(generation, context.now);
            if let Some(description) = description {
                version.configuration.description = description;
            }
            version
        })
    }

    fn is_unchanged_since(&self, published: &Version) -> bool {
        let mut configuration = self.latest.configuration.clone();
        configuration.description.clone_from(&published.configuration.description);
        configuration == published.configuration && self.latest.code == published.code
    }
}

impl State {
    /// `PublishVersion`.
    pub fn publish_version(
        &mut self,
        target: &Target,
        request: PublishVersion,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let arn = context.place.function_arn(&target.name, None);
        let generation = self.next_generation();
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        check_revision(request.revision_id.as_deref(), &function.latest)?;
        let current = &function.latest.code.sha256;
        if let Some(given) = request.code_sha256.filter(|given| given != current) {
            return Err(invalid(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with \
                 the CodeSHA256 in $LATEST."
            )));
        }
        function.latest.check_settled(&arn, context.now)?;
        let version = function.publish(request.description, generation, context);
        Ok(configuration(&target.name, version, true, Detail::Full, context))
    }

    /// `ListVersionsByFunction`.
    pub fn list_versions(
        &self,
        target: &Target,
        marker: Option<&str>,
        max_items: Option<&str>,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let arn = context.place.function_arn(&target.name, None);
        let function = self.functions.get(&target.name).ok_or_else(|| no_function(&arn))?;
        let versions = [&function.latest].into_iter().chain(function.published.values());
        let items = versions.map(|version| {
            let shown = configuration(&target.name, version, true, Detail::Listed, context);
            (version.sort_key(&target.name), shown)
        });
        page("Versions", items.collect(), marker, max_items)
    }

    /// `PutFunctionConcurrency`.
    pub fn put_concurrency(
        &mut self,
        target: &Target,
        request: &PutFunctionConcurrency,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        check_unqualified(target)?;
        let others: u32 = self
            .functions
            .iter()
            .filter(|(name, _)| **name != target.name)
            .filter_map(|(_, function)| function.reserved_concurrency)
            .sum();
        let arn = context.place.function_arn(&target.name, Some(LATEST));
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        let Some(reserved) = request.reserved_concurrent_executions else {
            return Err(invalid("ReservedConcurrentExecutions is mandatory."));
        };
        if others.saturating_add(reserved) > CONCURRENCY - LEAST_UNRESERVED {
            return Err(invalid(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
                 below its minimum value of [{LEAST_UNRESERVED}]."
            )));
        }
        function.reserved_concurrency = Some(reserved);
        Ok(json!({"ReservedConcurrentExecutions": reserved}))
    }

    /// `GetFunctionConcurrency`.
    pub fn get_concurrency(
        &self,
        target: &Target,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let arn = context.place.function_arn(&target.name, None);
        let function = self.functions.get(&target.name).ok_or_else(|| no_function(&arn))?;
        Ok(match function.reserved_concurrency {
            Some(reserved) => json!({"ReservedConcurrentExecutions": reserved}),
            None => json!({}),
        })
    }

    /// `DeleteFunctionConcurrency`.
    pub fn delete_concurrency(
        &mut self,
        target: &Target,
        context: Context<'_>,
    ) -> Result<(), AwsError> {
        check_unqualified(target)?;
        let arn = context.place.function_arn(&target.name, None);
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        function.reserved_concurrency = None;
        Ok(())
    }
}

fn check_unqualified(target: &Target) -> Result<(), AwsError> {
    if target.qualifier.is_none() {
        return Ok(());
    }
    Err(invalid(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please \
         specify either a function name or an unqualified function ARN.",
    ))
}
