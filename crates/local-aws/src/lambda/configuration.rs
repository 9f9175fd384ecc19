//! A function's configuration: what requests say, what is kept, what is checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{invalid, unsupported};
use super::names::VALIDATION;
use super::variables::check_variables;
use crate::protocol::{AwsError, Constraints};

/// The runtimes that Lambda lists when it refuses one.
const RUNTIMES: &str = "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2";

/// Those that Lambda had once: functions that have one go on, new ones are refused.
const RETIRED: [&str; 24] = [
    "dotnet5.0",
    "dotnet7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs8.x",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
    "nodejs6.x",
];

const RUNTIME_SHAPE: &str = r"^(nodejs\d+\.(x|\d+)|python\d\.\d+|java\d+(\.al\d+)?|ruby\d\.\d+|dotnet(core)?\d+(\.\d+)?|provided(\.al\d+)?|go1\.x)$";

const ROLE_PATTERN: &str = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";

/// The settings that `CreateFunction` and `UpdateFunctionConfiguration` share; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Settings {
    runtime: Option<String>,
    role: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<i64>,
    memory_size: Option<i64>,
    environment: Option<Environment>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    tracing_config: Option<TracingConfig>,
    dead_letter_config: Option<DeadLetterConfig>,
    ephemeral_storage: Option<EphemeralStorage>,
    snap_start: Option<SnapStart>,
    logging_config: Option<LoggingConfig>,
    layers: Option<Vec<String>>,
    /// What this AWS does not have; refused rather than ignored.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TracingConfig {
    mode: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EphemeralStorage {
    size: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SnapStart {
    apply_on: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingConfig {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

/// A function's configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration {
    pub(super) runtime: String,
    pub(super) handler: String,
    pub(super) role: String,
    pub(super) description: String,
    pub(super) timeout: u32,
    pub(super) memory_size: u32,
    /// Absent until it has been given.
    pub(super) environment: Option<BTreeMap<String, String>>,
    pub(super) kms_key_arn: Option<String>,
    pub(super) tracing_mode: String,
    pub(super) dead_letter_target: Option<String>,
    pub(super) ephemeral_storage: u32,
    pub(super) snap_start: String,
    pub(super) log_format: String,
    pub(super) application_log_level: Option<String>,
    pub(super) system_log_level: Option<String>,
    pub(super) log_group: String,
    pub(super) architecture: String,
}

impl Settings {
    /// Checks everything that can be checked without the function.
    pub(super) fn check(&self) -> Result<(), AwsError> {
        self.check_members()?;
        if let Some(name) =
            self.others.iter().find(|(_, value)| !is_nothing(value)).map(|(name, _)| name)
        {
            return Err(unsupported(&format!("'{name}'")));
        }
        if self.layers.as_ref().is_some_and(|layers| !layers.is_empty()) {
            return Err(unsupported("layers"));
        }
        if let Some(runtime) = &self.runtime {
            check_runtime(runtime)?;
        }
        match self.environment.as_ref().and_then(|environment| environment.variables.as_ref()) {
            Some(variables) => check_variables(variables),
            None => Ok(()),
        }
    }

    fn check_members(&self) -> Result<(), AwsError> {
        let mut constraints = Constraints::new();
        if let Some(role) = &self.role {
            constraints = constraints.pattern("role", role, ROLE_PATTERN, is_role_arn(role));
        }
        if let Some(handler) = &self.handler {
            let solid = !handler.is_empty() && !handler.contains(char::is_whitespace);
            constraints = constraints
                .length("handler", handler, 0, 128)
                .pattern("handler", handler, r"[^\s]+", solid);
        }
        if let Some(description) = &self.description {
            constraints = constraints.length("description", description, 0, 256);
        }
        if let Some(timeout) = self.timeout {
            constraints = constraints.range("timeout", timeout, 1, 900);
        }
        if let Some(memory) = self.memory_size {
            constraints = constraints.range("memorySize", memory, 128, 10_240);
        }
        if let Some(size) = self.ephemeral_storage.as_ref().and_then(|storage| storage.size) {
            constraints = constraints.range("ephemeralStorage.size", size, 512, 10_240);
        }
        if let Some(mode) = self.tracing_config.as_ref().and_then(|config| config.mode.as_ref()) {
            constraints =
                constraints.one_of("tracingConfig.mode", mode, &["Active", "PassThrough"]);
        }
        if let Some(apply) = self.snap_start.as_ref().and_then(|config| config.apply_on.as_ref()) {
            constraints =
                constraints.one_of("snapStart.applyOn", apply, &["PublishedVersions", "None"]);
        }
        if let Some(logging) = &self.logging_config {
            constraints = logging.check(constraints);
        }
        constraints.check(VALIDATION)
    }

    /// The configuration of a function that is created with these settings.
    pub(super) fn into_configuration(
        self,
        name: &str,
        architecture: String,
    ) -> Result<Configuration, AwsError> {
        if self.runtime.is_none() || self.handler.is_none() {
            return Err(invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        let mut configuration = Configuration {
            runtime: String::new(),
            handler: String::new(),
            role: String::new(),
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            environment: None,
            kms_key_arn: None,
            tracing_mode: "PassThrough".to_owned(),
            dead_letter_target: None,
            ephemeral_storage: 512,
            snap_start: "None".to_owned(),
            log_format: "Text".to_owned(),
            application_log_level: None,
            system_log_level: None,
            log_group: format!("/aws/lambda/{name}"),
            architecture,
        };
        self.apply(&mut configuration);
        Ok(configuration)
    }

    /// Changes what is given.
    pub(super) fn apply(self, to: &mut Configuration) {
        set(&mut to.runtime, self.runtime);
        set(&mut to.handler, self.handler);
        set(&mut to.role, self.role);
        set(&mut to.description, self.description);
        set(&mut to.timeout, self.timeout.and_then(|value| u32::try_from(value).ok()));
        set(&mut to.memory_size, self.memory_size.and_then(|value| u32::try_from(value).ok()));
        if let Some(environment) = self.environment {
            to.environment = Some(environment.variables.unwrap_or_default());
        }
        if let Some(key) = self.kms_key_arn {
            to.kms_key_arn = Some(key).filter(|key| !key.is_empty());
        }
        set(&mut to.tracing_mode, self.tracing_config.and_then(|config| config.mode));
        if let Some(target) = self.dead_letter_config.and_then(|config| config.target_arn) {
            to.dead_letter_target = Some(target).filter(|target| !target.is_empty());
        }
        let size = self.ephemeral_storage.and_then(|storage| storage.size);
        set(&mut to.ephemeral_storage, size.and_then(|value| u32::try_from(value).ok()));
        set(&mut to.snap_start, self.snap_start.and_then(|config| config.apply_on));
        if let Some(logging) = self.logging_config {
            logging.apply(to);
        }
    }

    /// The role that is asked for.
    pub(super) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }
}

impl LoggingConfig {
    fn check(&self, mut constraints: Constraints) -> Constraints {
        let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        if let Some(format) = &self.log_format {
            constraints = constraints.one_of("loggingConfig.logFormat", format, &["JSON", "Text"]);
        }
        if let Some(level) = &self.application_log_level {
            constraints = constraints.one_of("loggingConfig.applicationLogLevel", level, &levels);
        }
        if let Some(level) = &self.system_log_level {
            let levels = ["DEBUG", "INFO", "WARN"];
            constraints = constraints.one_of("loggingConfig.systemLogLevel", level, &levels);
        }
        if let Some(group) = &self.log_group {
            let plain =
                group.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte));
            constraints = constraints.length("loggingConfig.logGroup", group, 1, 512).pattern(
                "loggingConfig.logGroup",
                group,
                r"[\.\-_/#A-Za-z0-9]+",
                plain,
            );
        }
        constraints
    }

    fn apply(self, to: &mut Configuration) {
        let is_json = self.log_format.as_deref() == Some("JSON");
        if self.log_format.is_some() {
            let level = is_json.then(|| "INFO".to_owned());
            to.application_log_level.clone_from(&level);
            to.system_log_level = level;
        }
        set(&mut to.log_format, self.log_format);
        set(&mut to.log_group, self.log_group);
        if to.log_format == "JSON" {
            to.application_log_level =
                self.application_log_level.or(to.application_log_level.take());
            to.system_log_level = self.system_log_level.or(to.system_log_level.take());
        }
    }
}

impl Configuration {
    /// What `LoggingConfig` says.
    pub(super) fn logging(&self) -> Value {
        let mut logging = json!({"LogFormat": self.log_format, "LogGroup": self.log_group});
        if let Some(level) = &self.application_log_level {
            logging["ApplicationLogLevel"] = json!(level);
        }
        if let Some(level) = &self.system_log_level {
            logging["SystemLogLevel"] = json!(level);
        }
        logging
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

fn is_role_arn(role: &str) -> bool {
    let parts = || {
        let rest = role.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(":iam::")?;
        let (account, name) = rest.split_once(":role")?;
        Some((partition, account, name))
    };
    parts().is_some_and(|(partition, account, name)| {
        (partition.is_empty() || partition.starts_with("aws"))
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte))
    })
}

/// Runtimes come and go: what looks like one of a family that Lambda has is taken for one.
fn check_runtime(runtime: &str) -> Result<(), AwsError> {
    if RETIRED.contains(&runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
             recommend you use a supported runtime while creating or updating functions."
        )));
    }
    let known = regex_lite::Regex::new(RUNTIME_SHAPE).is_ok_and(|shape| shape.is_match(runtime));
    if known {
        return Ok(());
    }
    Err(invalid(format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{RUNTIMES}] or \
         be a valid ARN"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: Value) -> Result<(), String> {
        let settings: Settings = serde_json::from_value(settings).expect("settings");
        settings.check().map_err(|error| error.message)
    }

    #[test]
    fn runtimes_are_open_but_not_anything() {
        for runtime in
            ["python3.99", "nodejs26.x", "java8.al2", "provided.al2029", "dotnet10", "ruby4.0"]
        {
            assert_eq!(check(json!({"Runtime": runtime})), Ok(()), "{runtime}");
        }
        for runtime in ["PYTHON3.9", "non-existent-runtime", "python", "python9x", "cobol7"] {
            let message = check(json!({"Runtime": runtime})).expect_err(runtime);
            assert!(
                message.starts_with(&format!("Value {runtime} at 'runtime' failed")),
                "{message}"
            );
        }
    }

    #[test]
    fn retired_runtimes_are_refused_in_words_of_their_own() {
        for runtime in ["python3.7", "nodejs14.x", "go1.x", "java8", "provided"] {
            let message = check(json!({"Runtime": runtime})).expect_err(runtime);
            let expected = format!("The runtime parameter of {runtime} is no longer supported");
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    fn bounds_are_those_of_aws() {
        assert_eq!(
            check(json!({"MemorySize": 127})).expect_err("too little"),
            "1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: Member must have \
             value greater than or equal to 128"
        );
        assert!(check(json!({"Timeout": 901})).is_err());
        assert_eq!(check(json!({"Timeout": 900, "MemorySize": 10240})), Ok(()));
        assert_eq!(
            check(json!({"Role": "r1"})).expect_err("no ARN"),
            "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"
        );
    }

    #[test]
    fn what_this_aws_lacks_is_refused_not_ignored() {
        assert_eq!(check(json!({"VpcConfig": {"SubnetIds": []}})), Ok(()));
        assert!(check(json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}})).is_err());
        assert!(check(json!({"Layers": ["arn:aws:lambda:us-east-1:1:layer:l:1"]})).is_err());
    }
}
