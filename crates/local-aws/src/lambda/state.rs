//! Functions and what belongs to them. Pure: the time comes in with each request, and what happens by itself is computed from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::aliases::Alias;
use super::configuration::Configuration;
use super::errors::{conflict, no_function};
use super::names::{LATEST, Place, Target};
use super::permissions::Policy;
use super::runtime::{Deployment, LogFormat};
use super::urls::Url;
use crate::account;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::latency::LatencyProfile;
use crate::ids::uuid;
use crate::protocol::AwsError;

/// How long AWS takes to create a function.
const CREATION: Duration = Duration::from_secs(3);
/// How long AWS takes to update one.
const UPDATE: Duration = Duration::from_secs(2);

/// Sorts before every character of a name.
pub(super) const KEY_SEPARATOR: char = '\n';

/// What a request is answered in view of.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Where this Lambda is.
    pub place: Place<'a>,
    /// Now.
    pub now: SystemTime,
    /// How fast things happen.
    pub latency: LatencyProfile,
}

/// All functions.
#[derive(Debug, Default)]
pub struct State {
    pub(super) functions: BTreeMap<String, Function>,
    generations: u64,
    pub(super) outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "lambda";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) latest: Version,
    /// By number.
    pub(super) published: BTreeMap<u64, Version>,
    /// The number of the version that was published last; numbers are never given twice.
    pub(super) last_published: u64,
    pub(super) tags: BTreeMap<String, String>,
    /// By qualifier; the function's own under none.
    pub(super) policies: BTreeMap<Option<String>, Policy>,
    pub(super) reserved_concurrency: Option<u32>,
    pub(super) aliases: BTreeMap<String, Alias>,
    /// By alias; that of the latest version under none.
    pub(super) urls: BTreeMap<Option<String>, Url>,
}

/// One version of a function.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// `$LATEST` or a number.
    pub(super) name: String,
    pub(super) configuration: Configuration,
    pub(super) code: Code,
    pub(super) revision_id: String,
    pub(super) last_modified: SystemTime,
    pub(super) active_at: SystemTime,
    /// When the last update is through.
    pub(super) updated_at: SystemTime,
    generation: u64,
    /// What serves until the last update is through.
    superseded: Option<Box<(Configuration, Code, u64)>>,
}

/// A deployment package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) zip: Bytes,
    pub(super) sha256: String,
}

/// How a version is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Updating,
    Ready,
}

impl Code {
    pub(super) fn new(zip: Bytes) -> Self {
        let sha256 = STANDARD.encode(Sha256::digest(&zip));
        Self { zip, sha256 }
    }
}

impl Version {
    pub(super) fn new(
        configuration: Configuration,
        code: Code,
        generation: u64,
        context: Context<'_>,
    ) -> Self {
        let active_at = context.now + context.latency.scale(CREATION);
        Self {
            name: LATEST.to_owned(),
            configuration,
            code,
            revision_id: uuid(),
            last_modified: context.now,
            active_at,
            updated_at: active_at,
            generation,
            superseded: None,
        }
    }

    /// The place of this version in lists: `$LATEST`, then by number.
    pub(super) fn sort_key(&self, function_name: &str) -> String {
        let number: u64 = self.name.parse().unwrap_or(0);
        format!("{function_name}{KEY_SEPARATOR}{number:020}")
    }

    pub(super) fn phase(&self, now: SystemTime) -> Phase {
        if now < self.active_at {
            Phase::Pending
        } else if now < self.updated_at {
            Phase::Updating
        } else {
            Phase::Ready
        }
    }

    /// Refuses what cannot be done while something else is being done.
    pub(super) fn check_settled(&self, arn: &str, now: SystemTime) -> Result<(), AwsError> {
        match self.phase(now) {
            Phase::Ready => Ok(()),
            Phase::Updating => Err(conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
            ))),
            Phase::Pending => Err(pending()),
        }
    }

    /// Begins an update.
    pub(super) fn change(
        &mut self,
        generation: u64,
        context: Context<'_>,
        change: impl FnOnce(&mut Configuration, &mut Code),
    ) {
        let before = (self.configuration.clone(), self.code.clone(), self.generation);
        change(&mut self.configuration, &mut self.code);
        self.superseded = Some(Box::new(before));
        self.generation = generation;
        self.updated_at = context.now + context.latency.scale(UPDATE);
        self.last_modified = context.now;
        self.revision_id = uuid();
    }

    /// Makes this a version that is through with everything, except its creation.
    pub(super) fn settle(&mut self, generation: u64, now: SystemTime) {
        self.generation = generation;
        self.superseded = None;
        self.updated_at = now.max(self.active_at);
    }

    /// What an invocation now would run.
    pub(super) fn deployment(&self, function_name: &str, context: Context<'_>) -> Deployment {
        let (configuration, code, generation) = match self.superseded.as_deref() {
            Some((configuration, code, generation)) if context.now < self.updated_at => {
                (configuration, code, *generation)
            }
            _ => (&self.configuration, &self.code, self.generation),
        };
        let is_json = configuration.log_format == "JSON";
        Deployment {
            function_name: function_name.to_owned(),
            version: self.name.clone(),
            generation,
            runtime: configuration.runtime.clone(),
            runtime_version_arn: runtime_version_arn(&configuration.runtime, context.place.region),
            handler: configuration.handler.clone(),
            role_arn: configuration.role.clone(),
            memory_mb: configuration.memory_size,
            timeout: Duration::from_secs(configuration.timeout.into()),
            variables: configuration.environment.clone().unwrap_or_default(),
            log_group: configuration.log_group.clone(),
            log_format: if is_json { LogFormat::Json } else { LogFormat::Text },
            log_level: configuration.application_log_level.clone(),
            code: code.zip.clone(),
            code_sha256: code.sha256.clone(),
        }
    }
}

impl Function {
    /// The version that a qualifier names.
    pub(super) fn version(&self, qualifier: Option<&str>) -> Option<&Version> {
        match qualifier {
            None | Some(LATEST) => Some(&self.latest),
            Some(name) => match name.parse() {
                Ok(number) => self.published.get(&number),
                Err(_) => self.aliased(name),
            },
        }
    }
}

impl State {
    /// A number that no environment has been started under.
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }

    /// The function and the version that a target names; `named` is how an error names it.
    pub(super) fn find(
        &self,
        target: &Target,
        named: &str,
    ) -> Result<(&Function, &Version), AwsError> {
        let function = self.functions.get(&target.name).ok_or_else(|| no_function(named))?;
        let version =
            function.version(target.qualifier.as_deref()).ok_or_else(|| no_function(named))?;
        Ok((function, version))
    }

    /// The function of a target whose qualifier, if any, is `$LATEST`.
    pub(super) fn function_mut(
        &mut self,
        target: &Target,
        place: Place<'_>,
    ) -> Result<&mut Function, AwsError> {
        let arn = target.arn(place);
        self.functions.get_mut(&target.name).ok_or_else(|| no_function(&arn))
    }

    /// What an invocation of that target would run now.
    pub fn deployment(
        &self,
        target: &Target,
        context: Context<'_>,
    ) -> Result<Arc<Deployment>, AwsError> {
        // AWS names the version in this error even where the caller did not.
        let qualifier = target.qualifier.as_deref().unwrap_or(LATEST);
        let arn = context.place.function_arn(&target.name, Some(qualifier));
        let (_, version) = self.find(target, &arn)?;
        if version.phase(context.now) == Phase::Pending {
            return Err(pending());
        }
        Ok(Arc::new(version.deployment(&target.name, context)))
    }

    /// How many invocations of that function may run at a time, if that has been limited.
    #[must_use]
    pub fn reserved_concurrency(&self, name: &str) -> Option<u32> {
        self.functions.get(name)?.reserved_concurrency
    }

    /// Functions, policies and tags, in a form that two calls can be compared by.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let functions = self.functions.iter().map(|(name, function)| {
            let policies: BTreeMap<&str, Value> = function
                .policies
                .iter()
                .map(|(qualifier, policy)| {
                    (qualifier.as_deref().unwrap_or_default(), policy.document())
                })
                .collect();
            let versions: Vec<Value> = function
                .published
                .values()
                .chain([&function.latest])
                .map(Version::snapshot)
                .collect();
            let aliases: BTreeMap<&str, Value> = function
                .aliases
                .iter()
                .map(|(name, one)| (name.as_str(), one.snapshot()))
                .collect();
            let urls: BTreeMap<&str, Value> = function
                .urls
                .iter()
                .map(|(alias, url)| (alias.as_deref().unwrap_or_default(), url.snapshot()))
                .collect();
            let mut function = json!({
                "versions": versions,
                "policies": policies,
                "tags": function.tags,
                "reserved_concurrency": function.reserved_concurrency,
            });
            if !aliases.is_empty() {
                function["aliases"] = json!(aliases);
            }
            if !urls.is_empty() {
                function["urls"] = json!(urls);
            }
            (name.clone(), function)
        });
        Value::Object(functions.collect())
    }
}

impl Version {
    fn snapshot(&self) -> Value {
        let configuration = &self.configuration;
        json!({
            "version": self.name,
            "code_sha256": self.code.sha256,
            "runtime": configuration.runtime,
            "handler": configuration.handler,
            "role": configuration.role,
            "description": configuration.description,
            "timeout": configuration.timeout,
            "memory_size": configuration.memory_size,
            "environment": configuration.environment,
            "kms_key_arn": configuration.kms_key_arn,
            "tracing": configuration.tracing_mode,
            "dead_letter_target": configuration.dead_letter_target,
            "ephemeral_storage": configuration.ephemeral_storage,
            "snap_start": configuration.snap_start,
            "architecture": configuration.architecture,
            "logging": configuration.logging(),
        })
    }
}

fn pending() -> AwsError {
    conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
}

/// The same for the same runtime, as on AWS for a while.
pub(super) fn runtime_version_arn(runtime: &str, region: &str) -> String {
    let digest = Sha256::digest(runtime);
    let digits = digest.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    format!("arn:aws:lambda:{region}::runtime:{digits}")
}
