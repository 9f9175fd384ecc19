//! The trait of a step kind, and its row in the registry.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::Context;
use super::error::StepError;
use super::resource::{Place, Resource, Undone, creates};
use language::spec::{Creates, SECRET, Spec, marked};

/// A step kind. The documentation of [`StepKind::Input`] is the kind's manual page: its first line the summary, the rest
/// the details; that of its fields describes the inputs.
pub trait StepKind: 'static {
    /// Such as `create-role`.
    const NAME: &'static str;
    /// The field that a bare scalar stands for.
    const SHORTHAND: Option<&'static str> = None;
    /// All AWS calls that `run` may make, in order, such as `iam:CreateRole`.
    const CALLS: &'static [&'static str];
    /// Those that it makes once something has gone wrong, to say why.
    const CALLS_ON_FAILURE: &'static [&'static str] = &[];
    /// IAM actions that `run` takes; those of `undo` stand with what it undoes.
    const PERMISSIONS: &'static [&'static str];
    /// What it leaves behind beside [`StepKind::Created`].
    const ALSO_CREATES: &'static [Creates] = &[];
    /// An example step, as YAML.
    const EXAMPLE: &'static str;

    /// What a playbook gives.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What later steps see as `steps.<id>.*`.
    type Output: Serialize + JsonSchema + Send;
    /// What it leaves behind; [`super::Nothing`] if nothing.
    type Created: Resource;

    /// Does it.
    fn run(
        cx: Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, StepError>> + Send;
}

type Running<T> = Pin<Box<dyn Future<Output = Result<T, StepError>> + Send>>;

/// A step kind's row in the registry.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Such as `create-role`.
    pub name: &'static str,
    /// The type of what it leaves behind; empty if nothing.
    pub makes: &'static str,
    /// What it says of itself.
    pub spec: fn() -> &'static Spec,
    /// Does it.
    pub run: fn(Context, Value) -> Running<Value>,
    /// Undoes it, from what the journal holds.
    pub undo: fn(Context, Value, Option<Value>) -> Running<Undone>,
    /// The ARN of what it leaves behind, from what the journal holds, where AWS makes ARNs of names.
    pub arn: fn(&Value, &Place<'_>) -> Option<String>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Kind {
    /// The row of `K`, whose specification is made when it is first asked for and kept in `cell`.
    #[must_use]
    pub const fn of<K: StepKind>(spec: fn() -> &'static Spec) -> Self {
        Self {
            name: K::NAME,
            makes: <K::Created as Resource>::TYPE,
            spec,
            run: run::<K>,
            undo: undo::<K>,
            arn: arn::<K>,
        }
    }
}

/// What `K` says of itself, made once.
pub fn spec_of<K: StepKind>(cell: &'static OnceLock<Spec>) -> &'static Spec {
    cell.get_or_init(|| {
        let input = schema::<K::Input>(SchemaSettings::draft2020_12());
        let output = schema::<K::Output>(SchemaSettings::draft2020_12().for_serialize());
        let text = input.get("description").and_then(Value::as_str).unwrap_or_default();
        let (summary, details) = text.split_once("\n\n").unwrap_or((text, ""));
        let made = creates::<K::Created>();
        let made = (!made.type_name.is_empty()).then_some(made);
        let makes: Vec<Creates> = made.into_iter().chain(K::ALSO_CREATES.iter().copied()).collect();
        let mut undo_permissions: Vec<&'static str> = Vec::new();
        for action in makes.iter().flat_map(|it| it.undo) {
            if !undo_permissions.contains(action) {
                undo_permissions.push(action);
            }
        }
        Spec {
            name: K::NAME,
            summary: summary.replace('\n', " "),
            details: details.to_owned(),
            shorthand: K::SHORTHAND,
            calls: K::CALLS,
            calls_on_failure: K::CALLS_ON_FAILURE,
            permissions: K::PERMISSIONS,
            undo_permissions,
            makes,
            example: K::EXAMPLE,
            operation: None,
            secret_inputs: marked(&input, SECRET),
            secret_outputs: marked(&output, SECRET),
            input,
            output,
        }
    })
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.into()
}

fn run<K: StepKind>(cx: Context, input: Value) -> Running<Value> {
    Box::pin(async move {
        let input: K::Input = typed(&cx, &input)?;
        let unread = cx.unread;
        let output = K::run(cx, input).await?;
        if unread {
            return Ok(Value::Null);
        }
        serde_json::to_value(output)
            .map_err(|error| StepError::failed("InvalidOutput", error.to_string()))
    })
}

fn typed<T: DeserializeOwned>(cx: &Context, input: &Value) -> Result<T, StepError> {
    // Keeping track of the path costs more than the reading, and is of use only where something is wrong.
    if let Ok(typed) = T::deserialize(input) {
        return Ok(typed);
    }
    serde_path_to_error::deserialize(input).map_err(|error| {
        let mut unknown = Vec::new();
        unknown_in(cx, input, &mut unknown);
        if !unknown.is_empty() {
            return StepError::NotPlannable { unknown };
        }
        let field = error.path().iter().map(ToString::to_string).collect();
        let (message, help) = super::wording::of(&error.into_inner().to_string());
        StepError::Input { field, message, help }
    })
}

/// The values in an input that do not exist yet.
fn unknown_in(cx: &Context, input: &Value, found: &mut Vec<String>) {
    match input {
        Value::String(text) if cx.is_unknown(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| unknown_in(cx, item, found)),
        Value::Object(fields) => fields.values().for_each(|field| unknown_in(cx, field, found)),
        _ => {}
    }
}

fn undo<K: StepKind>(cx: Context, made: Value, ids: Option<Value>) -> Running<Undone> {
    Box::pin(async move {
        let unreadable = |error: serde_json::Error| {
            StepError::failed(
                "JournalUnreadable",
                format!("the journal's entry is not understood: {error}"),
            )
        };
        let made: K::Created = serde_json::from_value(made).map_err(unreadable)?;
        let ids = ids.map(serde_json::from_value).transpose().map_err(unreadable)?;
        made.undo(cx, ids).await
    })
}

fn arn<K: StepKind>(made: &Value, place: &Place<'_>) -> Option<String> {
    serde_json::from_value::<K::Created>(made.clone()).ok()?.arn(place)
}
