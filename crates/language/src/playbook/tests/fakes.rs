//! Step kinds and a disk for the tests.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::playbook::files::tidy;
use crate::playbook::{FileKind, Files};
use crate::spec::{Kinds, Spec};

/// Creates a role.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct CreateRole {
    /// The role's name.
    role_name: String,
    /// The service that may assume the role.
    trust_service: Option<String>,
    /// ARNs of managed policies.
    #[serde(default)]
    managed_policies: Vec<String>,
    /// How long a session may last.
    max_session: Option<u32>,
    /// What to do where there is one.
    #[serde(default)]
    if_exists: IfExists,
    /// Tags.
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// The policy document.
    policy: Option<Policy>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
enum IfExists {
    /// An error.
    #[default]
    Fail,
    /// It is used.
    Adopt,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum Policy {
    File { path: String },
    Inline(Statement),
    Name(String),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Statement {
    effect: String,
    action: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[allow(clippy::struct_field_names)]
struct Role {
    arn: String,
    role_name: String,
    path: Option<String>,
    sessions: u32,
}

/// Creates a function.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct CreateFunction {
    /// The function's name.
    function_name: String,
    /// The role's ARN.
    role: String,
    /// The handler's file.
    #[schemars(extend("x-file" = true))]
    code: Option<String>,
    /// Seconds until it is stopped.
    #[schemars(range(min = 1, max = 900))]
    timeout: Option<u16>,
    /// Whether to trace.
    #[serde(default)]
    trace: bool,
    /// Share of the traffic.
    weight: Option<f64>,
    /// The environment.
    #[serde(default)]
    environment: HashMap<String, String>,
}

#[derive(Serialize, JsonSchema)]
struct Function {
    function_name: String,
    configuration: Configuration,
}

#[derive(Serialize, JsonSchema)]
struct Configuration {
    memory: u32,
}

/// Invokes a function.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Invoke {
    /// The function's name.
    function_name: String,
    /// The event.
    payload: Option<Value>,
    /// The alias.
    #[schemars(length(min = 2, max = 5), regex(pattern = "^[a-z]+$"))]
    qualifier: Option<String>,
    /// How long to wait.
    #[schemars(extend("x-duration" = true))]
    wait: Option<String>,
    /// Where to look.
    #[schemars(length(min = 1, max = 2))]
    targets: Option<Vec<Target>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[allow(dead_code)]
enum Target {
    Function { name: String },
    Queue { url: String, size: i32 },
}

#[derive(Serialize, JsonSchema)]
struct Invoked {
    payload: Value,
    log: Vec<String>,
}

/// Shows a message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Print {
    /// What to show.
    message: Value,
}

#[derive(Serialize, JsonSchema)]
struct Printed {}

/// Lists functions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct ListFunctions {
    /// How many.
    limit: Option<u32>,
}

pub(super) struct FakeKinds;

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.into()
}

fn spec<I: JsonSchema, O: JsonSchema>(name: &'static str, shorthand: Option<&'static str>) -> Spec {
    let input = schema::<I>(SchemaSettings::draft2020_12());
    let summary = input.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    Spec {
        name,
        summary,
        details: String::new(),
        output: schema::<O>(SchemaSettings::draft2020_12().for_serialize()),
        input,
        secret_inputs: Vec::new(),
        secret_outputs: Vec::new(),
        shorthand,
        calls: &[],
        permissions: &[],
        calls_on_failure: &[],
        undo_permissions: Vec::new(),
        makes: Vec::new(),
        example: "",
        operation: None,
    }
}

fn specs() -> &'static [Spec] {
    static SPECS: OnceLock<Vec<Spec>> = OnceLock::new();
    SPECS.get_or_init(|| {
        vec![
            spec::<CreateFunction, Function>("create-function", None),
            spec::<CreateRole, Role>("create-role", None),
            spec::<Invoke, Invoked>("invoke", None),
            spec::<ListFunctions, Invoked>("list-functions", None),
            spec::<Print, Printed>("print", Some("message")),
        ]
    })
}

impl Kinds for FakeKinds {
    fn names(&self) -> Vec<&'static str> {
        specs().iter().map(|spec| spec.name).collect()
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        specs().iter().find(|spec| spec.name == name)
    }
}

/// Files under `/project`, whose playbooks are in `/project/books`.
#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<PathBuf, String>,
    links: BTreeMap<PathBuf, PathBuf>,
    libraries: BTreeMap<String, PathBuf>,
}

impl Disk {
    pub(super) fn with(name: &str, text: &str) -> Self {
        let disk = Self::default().and("../handlers/add.py", "").and("/etc/passwd", "root");
        disk.and(name, text)
    }

    pub(super) fn and(mut self, name: &str, text: &str) -> Self {
        self.files.insert(tidy(&Path::new("/project/books").join(name)), text.to_owned());
        self
    }

    pub(super) fn library(mut self, name: &str, directory: &str) -> Self {
        self.libraries.insert(name.to_owned(), PathBuf::from(directory));
        self
    }

    pub(super) fn link(mut self, name: &str, target: &str) -> Self {
        self.links.insert(tidy(&Path::new("/project/books").join(name)), PathBuf::from(target));
        self
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        let real = self.canonical(path).ok_or("no such file")?;
        self.files.get(&real).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let path = tidy(path);
        if self.files.contains_key(&path) {
            return Some(FileKind::File);
        }
        self.files.keys().any(|file| file.starts_with(&path)).then_some(FileKind::Directory)
    }

    fn root_of(&self, _: &Path) -> PathBuf {
        PathBuf::from("/project")
    }

    fn libraries(&self) -> BTreeMap<String, PathBuf> {
        self.libraries.clone()
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(tidy(directory)).ok());
        let first = inside.filter_map(|file| file.components().next());
        first.filter_map(|it| it.as_os_str().to_str().map(str::to_owned)).collect()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let path = tidy(path);
        let path = self.links.get(&path).cloned().unwrap_or(path);
        self.kind(&path).map(|_| path)
    }
}
