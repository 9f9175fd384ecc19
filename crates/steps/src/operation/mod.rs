//! Any operation of AWS as a step kind, `service:Operation`: one row of the registry for all of them. What it takes, returns and
//! leaves behind is read from the model of its service, the first time that a playbook names one.

mod description;
mod finder;
mod look;
mod made;
mod members;
mod run;
mod schema;
mod taking_back;
mod waiting;
mod within;

use serde_json::Value;

use engine::aws::model::{self, Found};
use engine::step::{Kind, Place, Spec};

pub use description::operations_of;
pub(crate) use description::{spec, unknown};
pub(crate) use look::{is_gone, is_unknown_operation, look_with, next_page};

/// The row of every operation.
pub(crate) static OPERATION: Kind = Kind {
    name: "service:Operation",
    makes: "",
    spec: any,
    run: |cx, input| Box::pin(run::run(cx, input)),
    undo: |cx, made, ids| Box::pin(taking_back::undo(cx, made, ids)),
    arn,
};

/// Whether a name is that of an operation of AWS, as far as it looks like one.
pub(crate) fn is_operation(name: &str) -> bool {
    let Some((service, operation)) = name.split_once(':') else { return false };
    let is_word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    is_word(service) && is_word(operation)
}

/// The operation of that name; nothing where there is none, which nobody wonders at here.
pub(crate) fn found(name: &str) -> Option<Found> {
    let (service, operation) = name.split_once(':')?;
    let service = model::service(service)?;
    service.operation(operation).map(|operation| Found { service, operation })
}

/// What every operation says of itself, where nobody knows which is meant.
fn any() -> &'static Spec {
    static SPEC: std::sync::OnceLock<Spec> = std::sync::OnceLock::new();
    SPEC.get_or_init(|| Spec {
        name: "service:Operation",
        summary: "Calls any operation of AWS.".to_owned(),
        details: String::new(),
        input: Value::Bool(true),
        output: Value::Bool(true),
        secret_inputs: Vec::new(),
        secret_outputs: Vec::new(),
        shorthand: None,
        calls: &[],
        calls_on_failure: &[],
        permissions: &[],
        undo_permissions: Vec::new(),
        makes: Vec::new(),
        example: "- sqs:CreateQueue: {QueueName: \"jobs-{{ run.id }}\"}\n",
        operation: None,
    })
}

/// The ARN that the reply has told.
fn arn(made: &Value, _: &Place<'_>) -> Option<String> {
    let known = made.get("known")?.as_object()?;
    known
        .values()
        .filter_map(Value::as_str)
        .find(|text| text.starts_with("arn:"))
        .map(str::to_owned)
}
