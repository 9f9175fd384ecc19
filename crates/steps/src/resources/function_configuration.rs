//! Configurations of Lambda functions that the run did not make.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::operation::update_function_configuration::UpdateFunctionConfigurationOutput;
use aws_sdk_lambda::types::{Environment, FunctionConfiguration as Described, Layer, Runtime};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::function::{self, is_busy, role_is_unknown};
use super::planned::Planned;
use super::role::ROLE_BACKOFF;
use engine::step::{Context, Disposition, Resource, StepError, Undone};

/// What can be changed of a function; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) role: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) runtime: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) timeout: Option<i32>,
    pub(crate) memory_size: Option<i32>,
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) layers: Option<Vec<String>>,
}

/// A configuration that the run changed, of a function that it did not make.
#[derive(Serialize, Deserialize)]
pub struct FunctionConfiguration {
    function_name: String,
    previous: Settings,
    /// The digest of what the run made of it, as far as that is not secret.
    changed_to: String,
    /// The variables whose values are secret: short ones could be guessed from a digest.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    secret: BTreeSet<String>,
    /// Whether nobody but this run can have made that of it: it holds the run's id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tells: bool,
}

/// What tells the run's change from a later one where the values may not be looked at.
#[derive(Serialize, Deserialize)]
pub struct Revision {
    revision_id: Option<String>,
}

/// Changes a function that the run did not make, so that it can be put back.
pub(crate) async fn change_foreign(
    cx: &Context,
    function_name: &str,
    wanted: &Settings,
    found: &Described,
) -> Result<Described, StepError> {
    let previous = Settings::found(found, wanted);
    if previous.environment.as_ref().is_some_and(|variables| !variables.is_empty()) {
        return Err(foreign_environment(function_name));
    }
    let variables = wanted.environment.iter().flatten();
    let secret = variables.filter(|(_, value)| cx.holds_secret(value)).map(|(name, _)| name);
    let secret: BTreeSet<String> = secret.cloned().collect();
    let changed = FunctionConfiguration {
        function_name: function_name.to_owned(),
        previous,
        changed_to: wanted.digest(&secret),
        secret,
        tells: serde_json::to_string(wanted).unwrap_or_default().contains(cx.run.id.as_str()),
    };
    let entry = cx.intend(&changed)?;
    if let Err(error) = apply(cx, function_name, wanted, found.revision_id()).await {
        return Err(entry.error(error));
    }
    // Lambda gives a function another revision when the change has taken effect.
    let updated = function::updated(cx, function_name).await;
    let revision_id =
        updated.as_ref().ok().and_then(|found| found.configuration.revision_id.clone());
    entry.done(&Revision { revision_id })?;
    Ok(updated?.configuration)
}

/// Variables hold passwords as often as not, and the journal never does.
fn foreign_environment(function_name: &str) -> StepError {
    StepError::Failed {
        code: "ForeignFunction".to_owned(),
        message: format!(
            "this run did not make {function_name}, and its environment could not be put back without writing it to the journal"
        ),
        help: Some("leave out `environment`, or change a function that the run makes".to_owned()),
        details: Vec::new(),
    }
}

impl Settings {
    /// What a function has, as far as `wanted` changes it.
    fn found(function: &Described, wanted: &Self) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let layers =
            || function.layers().iter().filter_map(Layer::arn).map(str::to_owned).collect();
        Self {
            role: wanted.role.as_ref().map(|_| text(function.role())),
            handler: wanted.handler.as_ref().map(|_| text(function.handler())),
            runtime: wanted.runtime.as_ref().map(|_| text(function.runtime().map(Runtime::as_str))),
            description: wanted.description.as_ref().map(|_| text(function.description())),
            timeout: wanted.timeout.and(function.timeout()),
            memory_size: wanted.memory_size.and(function.memory_size()),
            environment: wanted.environment.as_ref().map(|_| function::variables(function)),
            layers: wanted.layers.as_ref().map(|_| layers()),
        }
    }

    /// The digest of what is given, less the values of the `secret` variables.
    fn digest(&self, secret: &BTreeSet<String>) -> String {
        let mut settings = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = settings.as_object_mut() {
            // Nor does a field count that only a later version knows.
            fields.retain(|_, value| !value.is_null());
        }
        if let Some(variables) = settings.get_mut("environment").and_then(Value::as_object_mut) {
            for (_, value) in variables.iter_mut().filter(|(name, _)| secret.contains(*name)) {
                *value = Value::Null;
            }
        }
        BASE64_STANDARD.encode(Sha256::digest(settings.to_string()))
    }
}

/// Changes a function; where a revision is given, only as long as nobody else has.
pub(crate) async fn apply(
    cx: &Context,
    function_name: &str,
    settings: &Settings,
    revision_id: Option<&str>,
) -> Result<(), StepError> {
    let environment = settings.environment.as_ref().map(|variables| {
        let variables = variables.clone().into_iter().collect();
        Environment::builder().set_variables(Some(variables)).build()
    });
    cx.while_refused(
        ROLE_BACKOFF,
        |error| is_busy(error) || role_is_unknown(error),
        || async {
            let request = cx
                .aws
                .lambda()
                .update_function_configuration()
                .function_name(function_name)
                .set_role(settings.role.clone())
                .set_handler(settings.handler.clone())
                .set_runtime(settings.runtime.as_deref().map(Runtime::from))
                .set_description(settings.description.clone())
                .set_timeout(settings.timeout)
                .set_memory_size(settings.memory_size)
                .set_environment(environment.clone())
                .set_layers(settings.layers.clone())
                .set_revision_id(revision_id.map(str::to_owned));
            let placeholder = || Ok(UpdateFunctionConfigurationOutput::builder().build());
            cx.aws.call(request.send(), placeholder).await
        },
    )
    .await
    .map(drop)
}

impl FunctionConfiguration {
    /// Whether the function is as the run left it: what can be compared is the same, and where something cannot be, nobody
    /// has changed the function since, as far as its revision is known.
    fn is_as_left(&self, found: &Described, left: Option<&Revision>) -> bool {
        let left = left.and_then(|left| left.revision_id.as_deref());
        let same_revision = left.is_none() || left == found.revision_id();
        Settings::found(found, &self.previous).digest(&self.secret) == self.changed_to
            && (self.secret.is_empty() || same_revision)
    }
}

impl Resource for FunctionConfiguration {
    const TYPE: &'static str = "AWS::Lambda::FunctionConfiguration";
    const UNDO: &'static [&'static str] = &[
        "lambda:GetFunction",
        "lambda:ListTags",
        "lambda:UpdateFunctionConfiguration",
        "iam:PassRole",
    ];
    const DISPOSITION: Disposition = Disposition::Restored;
    type Ids = Revision;

    fn label(&self) -> String {
        self.function_name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<Revision>) -> Result<Undone, StepError> {
        if function::look(&cx, &self.function_name, Planned::There).await?.is_none() {
            return Ok(Undone::AlreadyGone);
        }
        let function = function::settled(&cx, &self.function_name).await?;
        if Settings::found(&function.configuration, &self.previous) == self.previous {
            return Ok(Undone::AlreadyGone);
        }
        if !self.is_as_left(&function.configuration, ids.as_ref()) {
            return Ok(Undone::Changed {
                reason: "somebody has configured it anew since".to_owned(),
            });
        }
        if ids.is_none() && !self.tells {
            let reason = "it is as this run was about to configure it, which somebody else may have done as well".to_owned();
            return Ok(Undone::Unproven { reason });
        }
        let revision_id = function.configuration.revision_id();
        match apply(&cx, &self.function_name, &self.previous, revision_id).await {
            Ok(()) => {}
            // A request that is sent again finds what the first one has done.
            Err(error) if error.is("PreconditionFailedException") => {
                let now = function::settled(&cx, &self.function_name).await?;
                if Settings::found(&now.configuration, &self.previous) != self.previous {
                    let reason = "somebody has configured it anew since".to_owned();
                    return Ok(Undone::Changed { reason });
                }
            }
            Err(error) => return Err(error),
        }
        function::updated(&cx, &self.function_name).await?;
        Ok(Undone::Restored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::EnvironmentResponse;

    fn described(level: &str) -> Described {
        let environment = EnvironmentResponse::builder().variables("LOG_LEVEL", level).build();
        Described::builder()
            .environment(environment)
            .timeout(3)
            .memory_size(128)
            .description("adds")
            .build()
    }

    fn wanted(level: &str) -> Settings {
        let environment = BTreeMap::from([("LOG_LEVEL".to_owned(), level.to_owned())]);
        Settings { environment: Some(environment), timeout: Some(9), ..Settings::default() }
    }

    #[test]
    fn only_what_changes_is_kept() {
        let previous = Settings::found(&described("INFO"), &wanted("DEBUG"));
        let expected = Settings { timeout: Some(3), ..wanted("INFO") };
        assert_eq!(previous, expected);
    }

    #[test]
    fn a_function_without_variables_gets_none_back() {
        let previous = Settings::found(&Described::builder().timeout(3).build(), &wanted("DEBUG"));
        assert_eq!(previous.environment, Some(BTreeMap::new()));
    }

    fn changed(level: &str, secret: &[&str]) -> FunctionConfiguration {
        let secret = secret.iter().map(|name| (*name).to_owned()).collect();
        FunctionConfiguration {
            function_name: "adder".to_owned(),
            previous: Settings::found(&described("INFO"), &wanted(level)),
            changed_to: wanted(level).digest(&secret),
            secret,
            tells: false,
        }
    }

    fn left(revision_id: &str) -> Revision {
        Revision { revision_id: Some(revision_id.to_owned()) }
    }

    #[test]
    fn what_the_run_made_of_it_is_known_by_its_digest() {
        let mut after = described("DEBUG");
        after.timeout = Some(9);
        after.revision_id = Some("later".to_owned());
        let made = changed("DEBUG", &[]);
        assert!(made.is_as_left(&after, Some(&left("earlier"))), "its code may have changed");
        after.timeout = Some(10);
        assert!(!made.is_as_left(&after, Some(&left("earlier"))));
    }

    #[test]
    fn a_secret_cannot_be_guessed_from_the_digest() {
        let secret = &["LOG_LEVEL"][..];
        assert_eq!(changed("1234", secret).changed_to, changed("5678", secret).changed_to);
        assert_ne!(changed("1234", &[]).changed_to, changed("5678", &[]).changed_to);
    }

    /// Whether somebody has given a secret another value can only be told by the revision.
    #[test]
    fn a_secret_is_compared_by_the_revision() {
        let mut after = described("5678");
        after.timeout = Some(9);
        after.revision_id = Some("mine".to_owned());
        let made = changed("1234", &["LOG_LEVEL"]);
        assert!(made.is_as_left(&after, Some(&left("mine"))));
        assert!(made.is_as_left(&after, None), "nobody lived to see the revision");
        assert!(!made.is_as_left(&after, Some(&left("earlier"))));
        after.timeout = Some(10);
        assert!(!made.is_as_left(&after, Some(&left("mine"))));
    }

    #[test]
    fn fields_that_are_not_given_do_not_count() {
        let one = Settings { timeout: Some(9), ..Settings::default() };
        let text = BASE64_STANDARD.encode(Sha256::digest(r#"{"timeout":9}"#));
        assert_eq!(one.digest(&BTreeSet::new()), text);
    }
}
