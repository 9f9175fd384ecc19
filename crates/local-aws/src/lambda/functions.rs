//! `CreateFunction`, `GetFunction`, `ListFunctions`, `UpdateFunctionCode`, `UpdateFunctionConfiguration`, `DeleteFunction`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::code::{CodeSource, LARGEST_ZIP};
use super::configuration::Settings;
use super::errors::{conflict, invalid, no_function, stale_revision, unsupported};
use super::names::{LATEST, Target, VALIDATION};
use super::render::{Detail, configuration};
use super::state::{Context, Function, KEY_SEPARATOR, State, Version};
use super::tags::check_tags;
use crate::protocol::{AwsError, Constraints};

/// What functions are called among the types of resources.
const FUNCTION: &str = "AWS::Lambda::Function";
const MOST_LISTED: usize = 50;

/// The body of `CreateFunction`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateFunction {
    function_name: Option<String>,
    code: Option<CodeSource>,
    publish: Option<bool>,
    package_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    architectures: Option<Vec<String>>,
    #[serde(flatten)]
    settings: Settings,
}

/// The body of `UpdateFunctionCode`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateFunctionCode {
    #[serde(flatten)]
    code: CodeSource,
    architectures: Option<Vec<String>>,
    publish: Option<bool>,
    dry_run: Option<bool>,
    revision_id: Option<String>,
}

/// The body of `UpdateFunctionConfiguration`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateFunctionConfiguration {
    revision_id: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

/// Says whether Lambda can assume a role.
pub type CanAssume<'a> = &'a dyn Fn(&str) -> bool;

impl CreateFunction {
    fn check(&self) -> Result<(&str, &CodeSource, &str), AwsError> {
        let role = self.settings.role();
        Constraints::new()
            .present("functionName", self.function_name.is_some())
            .present("role", role.is_some())
            .present("code", self.code.is_some())
            .check(VALIDATION)?;
        check_architectures(self.architectures.as_deref())?;
        if self.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
            return Err(unsupported("functions that are container images"));
        }
        self.settings.check()?;
        match (self.function_name.as_deref(), self.code.as_ref(), role) {
            (Some(name), Some(code), Some(role)) => Ok((name, code, role)),
            _ => Err(invalid("FunctionName, Code and Role are mandatory.")),
        }
    }
}

impl CreateFunction {
    /// Where the code is, where the request says so.
    pub(super) fn code_mut(&mut self) -> Option<&mut CodeSource> {
        self.code.as_mut()
    }
}

impl UpdateFunctionCode {
    /// Where the code is.
    pub(super) fn code_mut(&mut self) -> &mut CodeSource {
        &mut self.code
    }
}

impl State {
    /// `CreateFunction`.
    pub fn create_function(
        &mut self,
        request: CreateFunction,
        context: Context<'_>,
        can_assume: CanAssume<'_>,
    ) -> Result<Value, AwsError> {
        let (name, source, role) = request.check()?;
        let name = Target::parse_new(name, context.place)?;
        let tags = request.tags.clone().unwrap_or_default();
        check_tags(&tags)?;
        let code = source.load()?;
        if self.functions.contains_key(&name) {
            return Err(conflict(format!("Function already exist: {name}")));
        }
        if !can_assume(role) {
            return Err(not_assumable());
        }
        let architecture = architecture(request.architectures);
        let settings = request.settings.into_configuration(&name, architecture)?;
        let latest = Version::new(settings, code, self.next_generation(), context);
        let mut function = Function {
            latest,
            published: BTreeMap::new(),
            last_published: 0,
            tags,
            policies: BTreeMap::new(),
            reserved_concurrency: None,
            aliases: BTreeMap::new(),
            urls: BTreeMap::new(),
        };
        // The response names the function, and the version that was published with it.
        let shown = match request.publish {
            Some(true) => function.publish(None, self.next_generation(), context).clone(),
            _ => function.latest.clone(),
        };
        let response = configuration(&name, &shown, false, Detail::Created, context);
        self.outbox.created(FUNCTION, &name);
        self.functions.insert(name, function);
        Ok(response)
    }

    /// `GetFunction`.
    pub fn get_function(&self, target: &Target, context: Context<'_>) -> Result<Value, AwsError> {
        let arn = target.arn(context.place);
        let (function, version) = self.find(target, &arn)?;
        let qualified = target.qualifier.is_some();
        let mut response = json!({
            "Configuration": configuration(&target.name, version, qualified, Detail::Full, context),
            "Code": {
                "RepositoryType": "S3",
                "Location": code_location(&target.name, version, context),
            },
        });
        if !function.tags.is_empty() {
            response["Tags"] = json!(function.tags);
        }
        if let Some(reserved) = function.reserved_concurrency {
            response["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
        }
        Ok(response)
    }

    /// `GetFunctionConfiguration`.
    pub fn get_function_configuration(
        &self,
        target: &Target,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let arn = target.arn(context.place);
        let (_, version) = self.find(target, &arn)?;
        let qualified = target.qualifier.is_some();
        Ok(configuration(&target.name, version, qualified, Detail::Full, context))
    }

    /// `ListFunctions`.
    pub fn list_functions(
        &self,
        every_version: bool,
        marker: Option<&str>,
        max_items: Option<&str>,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        let versions = self.functions.iter().flat_map(|(name, function)| {
            let published = function.published.values().filter(|_| every_version);
            [&function.latest].into_iter().chain(published).map(move |version| (name, version))
        });
        let items = versions.map(|(name, version)| {
            let shown = configuration(name, version, every_version, Detail::Listed, context);
            (version.sort_key(name), shown)
        });
        page("Functions", items.collect(), marker, max_items)
    }

    /// `UpdateFunctionCode`.
    pub fn update_function_code(
        &mut self,
        target: &Target,
        request: &UpdateFunctionCode,
        context: Context<'_>,
    ) -> Result<Value, AwsError> {
        check_architectures(request.architectures.as_deref())?;
        let arn = context.place.function_arn(&target.name, None);
        let (generation, published) = (self.next_generation(), self.next_generation());
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        check_revision(request.revision_id.as_deref(), &function.latest)?;
        let code = request.code.load()?;
        let changed = |version: &mut Version| {
            version.change(generation, context, |configuration, current| {
                *current = code;
                if let Some(architectures) = request.architectures.clone() {
                    configuration.architecture = architecture(Some(architectures));
                }
            });
        };
        if request.dry_run == Some(true) {
            let mut imagined = function.latest.clone();
            changed(&mut imagined);
            return Ok(configuration(&target.name, &imagined, false, Detail::Full, context));
        }
        function.latest.check_settled(&arn, context.now)?;
        changed(&mut function.latest);
        if request.publish == Some(true) {
            let version = function.publish(None, published, context);
            return Ok(configuration(&target.name, version, true, Detail::Full, context));
        }
        Ok(configuration(&target.name, &function.latest, false, Detail::Full, context))
    }

    /// `UpdateFunctionConfiguration`.
    pub fn update_function_configuration(
        &mut self,
        target: &Target,
        request: UpdateFunctionConfiguration,
        context: Context<'_>,
        can_assume: CanAssume<'_>,
    ) -> Result<Value, AwsError> {
        request.settings.check()?;
        let arn = context.place.function_arn(&target.name, None);
        let generation = self.next_generation();
        let function = self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
        check_revision(request.revision_id.as_deref(), &function.latest)?;
        function.latest.check_settled(&arn, context.now)?;
        if request.settings.role().is_some_and(|role| !can_assume(role)) {
            return Err(not_assumable());
        }
        let settings = request.settings;
        function.latest.change(generation, context, |configuration, _| {
            settings.apply(configuration);
        });
        Ok(configuration(&target.name, &function.latest, false, Detail::Full, context))
    }

    /// `DeleteFunction`; says whether the whole function is gone.
    pub fn delete_function(
        &mut self,
        target: &Target,
        context: Context<'_>,
    ) -> Result<bool, AwsError> {
        let arn = context.place.function_arn(&target.name, None);
        match target.qualifier.as_deref() {
            None => {
                self.functions.remove(&target.name).ok_or_else(|| no_function(&arn))?;
                self.outbox.deleted(FUNCTION, &target.name);
                Ok(true)
            }
            Some(LATEST) => {
                Err(invalid("$LATEST version cannot be deleted without deleting the function."))
            }
            Some(number) => {
                let function =
                    self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))?;
                let used = function.aliases.iter().find(|(_, alias)| alias.names(number));
                if let Some((alias, _)) = used {
                    return Err(conflict(format!(
                        "Version {number} cannot be deleted because it is used by alias {alias}."
                    )));
                }
                // A version that does not exist is deleted with success.
                if let Ok(number) = number.parse() {
                    function.published.remove(&number);
                }
                function.policies.remove(&target.qualifier);
                Ok(false)
            }
        }
    }

    /// `GetAccountSettings`.
    #[must_use]
    pub fn account_settings(&self) -> Value {
        let versions = self
            .functions
            .values()
            .flat_map(|function| function.published.values().chain([&function.latest]));
        let size: usize = versions.map(|version| version.code.zip.len()).sum();
        let reserved: u32 = self.functions.values().filter_map(|f| f.reserved_concurrency).sum();
        json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": LARGEST_ZIP,
                "ConcurrentExecutions": 1000,
                "UnreservedConcurrentExecutions": 1000_u32.saturating_sub(reserved),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": self.functions.len()},
        })
    }
}

/// One page of a list that is in the order of its keys, at most fifty long whatever was asked for.
pub(super) fn page(
    member: &str,
    items: Vec<(String, Value)>,
    marker: Option<&str>,
    max_items: Option<&str>,
) -> Result<Value, AwsError> {
    let count = match max_items.map(str::parse::<i64>) {
        None => MOST_LISTED,
        Some(Ok(count)) => {
            Constraints::new().range("maxItems", count, 1, 10_000).check(VALIDATION)?;
            usize::try_from(count).unwrap_or(MOST_LISTED).min(MOST_LISTED)
        }
        Some(Err(_)) => {
            return Err(AwsError::bad_request(
                "SerializationException",
                "MaxItems is not a number",
            ));
        }
    };
    let after = marker.map(read_marker).transpose()?;
    let mut rest =
        items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let (keys, shown): (Vec<String>, Vec<Value>) = rest.by_ref().take(count).unzip();
    let mut response = json!({member: shown});
    if let (Some(last), true) = (keys.last(), rest.next().is_some()) {
        response["NextMarker"] = json!(STANDARD.encode(last));
    }
    Ok(response)
}

fn read_marker(marker: &str) -> Result<String, AwsError> {
    let text = STANDARD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| text.contains(KEY_SEPARATOR)).ok_or_else(|| {
        invalid("The provided marker is not valid: use the NextMarker of a response.")
    })
}

fn check_architectures(architectures: Option<&[String]>) -> Result<(), AwsError> {
    let Some(architectures) = architectures else {
        return Ok(());
    };
    let shown = format!("[{}]", architectures.join(", "));
    Constraints::new()
        .count("architectures", &shown, architectures.len(), 1, 1)
        .check(VALIDATION)?;
    if architectures.iter().all(|name| name == "x86_64" || name == "arm64") {
        return Ok(());
    }
    Err(AwsError::bad_request(
        VALIDATION,
        format!(
            "1 validation error detected: Value '{shown}' at 'architectures' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        ),
    ))
}

fn architecture(given: Option<Vec<String>>) -> String {
    given.into_iter().flatten().next().unwrap_or_else(|| "x86_64".to_owned())
}

pub(super) fn check_revision(given: Option<&str>, version: &Version) -> Result<(), AwsError> {
    match given {
        Some(revision) if revision != version.revision_id => {
            Err(stale_revision("GetFunction/GetAlias"))
        }
        _ => Ok(()),
    }
}

fn not_assumable() -> AwsError {
    invalid("The role defined for the function cannot be assumed by Lambda.")
}

fn code_location(name: &str, version: &Version, context: Context<'_>) -> String {
    let place = context.place;
    format!(
        "https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com/snapshots/{account}/{name}-{revision}",
        region = place.region,
        account = place.account_id,
        revision = version.revision_id,
    )
}
