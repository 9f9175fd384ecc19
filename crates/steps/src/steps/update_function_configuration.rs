//! `update-function-configuration`: another configuration for a Lambda function.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::operation::update_function_configuration::UpdateFunctionConfigurationOutput;
use aws_sdk_lambda::types::{Environment, FunctionConfiguration as Described, Layer, Runtime};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::create_function::{Planned, ROLE_BACKOFF, Variable, role_is_unknown};
use super::get_function::{self, is_busy};
use engine::step::{Context, Disposition, Resource, StepError, StepKind, Undone};

/// `update-function-configuration`.
pub struct UpdateFunctionConfiguration;

/// Changes the configuration of a Lambda function, and waits until the change has taken effect.
///
/// Only what is given changes; `environment` and `layers` are replaced as a whole. Where this run did not make the
/// function, what is changed is put back when the run is over, unless somebody has changed it since. The environment of
/// such a function can only be changed where it has none: variables may hold secrets, and the journal never does.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// The ARN of the role that it runs as.
    role: Option<String>,
    /// Its handler.
    handler: Option<String>,
    /// Its runtime, such as `python3.13`.
    #[schemars(extend("x-runtime" = true))]
    runtime: Option<String>,
    /// What it is for.
    #[schemars(extend("x-stored" = true))]
    description: Option<String>,
    /// The longest that it may run, in seconds.
    #[schemars(range(min = 1, max = 900))]
    timeout: Option<i32>,
    /// Its memory in megabytes.
    #[schemars(range(min = 128, max = 10240))]
    memory_size: Option<i32>,
    /// Its environment variables, all of them.
    #[schemars(extend("x-stored" = true))]
    environment: Option<BTreeMap<String, Variable>>,
    /// ARNs of its layer versions, all of them.
    layers: Option<Vec<String>>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The function's name, as the step gives it.
    #[schemars(extend("x-known" = true))]
    function_name: String,
    /// Its ARN.
    #[schemars(extend("x-from" = "lambda:UpdateFunctionConfiguration FunctionArn"))]
    arn: String,
    /// When it was changed.
    last_modified: String,
    /// What changes with every change of it.
    revision_id: String,
}

/// What can be changed of a function; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    role: Option<String>,
    handler: Option<String>,
    runtime: Option<String>,
    description: Option<String>,
    timeout: Option<i32>,
    memory_size: Option<i32>,
    environment: Option<BTreeMap<String, String>>,
    layers: Option<Vec<String>>,
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
}

/// What tells the run's change from a later one where the values may not be looked at.
#[derive(Serialize, Deserialize)]
pub struct Revision {
    revision_id: Option<String>,
}

impl StepKind for UpdateFunctionConfiguration {
    const NAME: &'static str = "update-function-configuration";
    const CALLS: &'static [&'static str] =
        &["lambda:GetFunction", "lambda:UpdateFunctionConfiguration"];
    const PERMISSIONS: &'static [&'static str] = &[
        "lambda:GetFunction",
        "lambda:ListTags",
        "lambda:UpdateFunctionConfiguration",
        "iam:PassRole",
    ];
    const EXAMPLE: &'static str = "\
- update-function-configuration:
    function_name: \"{{ steps.function.function_name }}\"
    environment: {LOG_LEVEL: DEBUG}
";

    type Input = Input;
    type Output = Output;
    type Created = FunctionConfiguration;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let (function_name, wanted) = Settings::wanted(input);
        if wanted == Settings::default() {
            return Err(StepError::input(
                "function_name",
                "there is nothing to change",
                "give what is to change, such as `environment: {LOG_LEVEL: DEBUG}`",
            ));
        }
        let found = get_function::settled(&cx, &function_name).await?;
        let configuration = if found.is_ours(&cx)? {
            apply(&cx, &function_name, &wanted).await?;
            get_function::updated(&cx, &function_name).await?.configuration
        } else {
            change_foreign(&cx, &function_name, &wanted, &found.configuration).await?
        };
        Ok(Output {
            function_name,
            arn: configuration.function_arn.unwrap_or_default(),
            last_modified: configuration.last_modified.unwrap_or_default(),
            revision_id: configuration.revision_id.unwrap_or_default(),
        })
    }
}

/// Changes a function that the run did not make, so that it can be put back.
async fn change_foreign(
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
    };
    let entry = cx.intend(&changed)?;
    if let Err(error) = apply(cx, function_name, wanted).await {
        return Err(entry.error(error));
    }
    // Lambda gives a function another revision when the change has taken effect.
    let updated = get_function::updated(cx, function_name).await;
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
    /// What a step wants, and of which function.
    fn wanted(input: Input) -> (String, Self) {
        let texts = |variables: BTreeMap<String, Variable>| {
            variables.into_iter().map(|(name, value)| (name, value.0)).collect()
        };
        let settings = Self {
            role: input.role,
            handler: input.handler,
            runtime: input.runtime,
            description: input.description,
            timeout: input.timeout,
            memory_size: input.memory_size,
            environment: input.environment.map(texts),
            layers: input.layers,
        };
        (input.function_name, settings)
    }

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
            environment: wanted.environment.as_ref().map(|_| get_function::variables(function)),
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

async fn apply(cx: &Context, function_name: &str, settings: &Settings) -> Result<(), StepError> {
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
                .set_layers(settings.layers.clone());
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
        if get_function::look(&cx, &self.function_name, Planned::There).await?.is_none() {
            return Ok(Undone::AlreadyGone);
        }
        let function = get_function::settled(&cx, &self.function_name).await?;
        if Settings::found(&function.configuration, &self.previous) == self.previous {
            return Ok(Undone::AlreadyGone);
        }
        if !self.is_as_left(&function.configuration, ids.as_ref()) {
            return Ok(Undone::Changed {
                reason: "somebody has configured it anew since".to_owned(),
            });
        }
        apply(&cx, &self.function_name, &self.previous).await?;
        get_function::updated(&cx, &self.function_name).await?;
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
