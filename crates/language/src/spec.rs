//! What a step kind says of itself: pure data, made from the derives on its input and output.

use serde_json::Value;

use crate::types::resolve;

/// Marks a field of an output as a secret: `#[schemars(extend("x-secret" = true))]`.
pub const SECRET: &str = "x-secret";

/// Marks a field of an output that a dry run knows, because it repeats an input:
/// `#[schemars(extend("x-known" = true))]`.
pub const KNOWN: &str = "x-known";

/// Marks a field of an input that names a file or directory, relative to the playbook:
/// `#[schemars(extend("x-file" = true))]`.
pub const FILE: &str = "x-file";

/// Marks a field that is marked with [`FILE`] and cannot name a directory: `#[schemars(extend("x-no-directory" = true))]`.
pub const NO_DIRECTORY: &str = "x-no-directory";

/// Says where in AWS's answer a field of an output comes from, as the call and a JMESPath in its answer:
/// `#[schemars(extend("x-from" = "iam:CreateRole Role.Arn"))]`. Where the field is a map, `KEY` stands for the key.
pub const FROM: &str = "x-from";
/// Marks a field of an input as the name of what the step makes, which nobody else may have:
/// `#[schemars(extend("x-name" = true))]`.
pub const NAME: &str = "x-name";

/// Marks a field of an input whose value stays where others can read it:
/// `#[schemars(extend("x-stored" = true))]`.
pub const STORED: &str = "x-stored";

/// Marks a field of an input that is shown: `#[schemars(extend("x-shown" = true))]`.
pub const SHOWN: &str = "x-shown";

/// Marks a field of an input that is the runtime of a function: `#[schemars(extend("x-runtime" = true))]`.
pub const RUNTIME: &str = "x-runtime";

/// Marks a text of an input as a length of time, such as `1m 30s`:
/// `#[schemars(extend("x-duration" = true))]`.
pub const DURATION: &str = "x-duration";

/// Marks the input of a kind that puts a question, which nobody answers where there is no person and no `default`:
/// `#[schemars(extend("x-asks" = true))]`.
pub const ASKS: &str = "x-asks";

/// Marks a field of an input, or each item of one, as a name or an ARN that AWS gives a form, by the name of that form:
/// `#[schemars(extend("x-form" = "role-arn"))]`.
pub const FORM: &str = "x-form";

/// Marks a field of an input as the handler of a function, by the name of the field that holds its code:
/// `#[schemars(extend("x-handler" = "code"))]`.
pub const HANDLER: &str = "x-handler";

/// Marks a field of an input as an expression of DynamoDB: `#[schemars(extend("x-expression" = true))]`.
pub const EXPRESSION: &str = "x-expression";

/// Marks a field of an input as the file of a template of CloudFormation: `#[schemars(extend("x-template" = true))]`.
pub const TEMPLATE: &str = "x-template";

/// What the clean-up does about something that a step has left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It takes it away.
    Removed,
    /// It puts back what was there before.
    Restored,
    /// It takes it away, or puts back what it has replaced.
    RemovedOrRestored,
}

/// What a step kind leaves behind, of one type.
#[derive(Debug, Clone, Copy)]
pub struct Creates {
    /// Such as `AWS::IAM::Role`.
    pub type_name: &'static str,
    /// IAM actions that undoing it takes.
    pub undo: &'static [&'static str],
    /// What the clean-up does about it.
    pub disposition: Disposition,
}

/// What an operation of AWS does to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationEffect {
    /// It makes something.
    Creates,
    /// It makes something that was there into something else, or takes it away.
    Changes,
    /// It looks, or makes something happen of which nothing stays.
    Nothing,
}

/// What only kinds that are one operation of AWS, `service:Operation`, say of themselves.
#[derive(Debug, Clone)]
pub struct OperationSpec {
    /// What it does to what is there.
    pub effect: OperationEffect,
    /// The operation that is known to take back what it makes, such as `sqs:DeleteQueue`.
    pub undo: Option<String>,
    /// Whether its answer comes in pages.
    pub pages: bool,
    /// The waiters of its service.
    pub waiters: Vec<&'static str>,
    /// Why it cannot be called, as the end of a sentence that begins with its name.
    pub unsupported: Option<&'static str>,
}

/// What there is to say of a name that looks like an operation of AWS and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOperation {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What a step kind says of itself.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Such as `create-role`.
    pub name: &'static str,
    /// One line: the first of the documentation of the input.
    pub summary: String,
    /// The rest of that documentation, possibly empty.
    pub details: String,
    /// JSON Schema of the input.
    pub input: Value,
    /// JSON Schema of the output.
    pub output: Value,
    /// The fields of the input that are marked with [`SECRET`].
    pub secret_inputs: Vec<String>,
    /// Those of the output.
    pub secret_outputs: Vec<String>,
    /// The field that a bare scalar stands for: `print: text` is `print: {message: text}`.
    pub shorthand: Option<&'static str>,
    /// The AWS calls that it may make, in order, such as `iam:CreateRole`; empty for kinds that talk to no one.
    pub calls: &'static [&'static str],
    /// Those that it makes once something has gone wrong, to say why.
    pub calls_on_failure: &'static [&'static str],
    /// IAM actions that running it takes.
    pub permissions: &'static [&'static str],
    /// IAM actions that undoing it takes.
    pub undo_permissions: Vec<&'static str>,
    /// What it leaves behind, if anything; first what the kind is about.
    pub makes: Vec<Creates>,
    /// An example step, as YAML.
    pub example: &'static str,
    /// What it says beyond that where it is one operation of AWS.
    pub operation: Option<OperationSpec>,
}

impl Spec {
    /// The schema of one output field.
    #[must_use]
    pub fn output_field(&self, name: &str) -> Option<&Value> {
        self.output.get("properties")?.get(name)
    }

    /// Whether an output field is marked with [`SECRET`].
    #[must_use]
    pub fn is_secret_output(&self, field: &str) -> bool {
        self.secret_outputs.iter().any(|name| name == field)
    }

    /// Whether an output field is marked with [`SECRET`] or [`KNOWN`].
    #[must_use]
    pub fn output_has(&self, field: &str, mark: &str) -> bool {
        self.output_field(field).and_then(|schema| schema.get(mark)).and_then(Value::as_bool)
            == Some(true)
    }
}

/// Visits every part of a value that its schema marks with [`SECRET`].
pub fn each_secret<'v>(
    root: &Value,
    schema: &Value,
    value: &'v Value,
    visit: &mut dyn FnMut(&str, &'v Value),
) {
    each_secret_below(root, schema, ("", value), DEPTH, visit);
}

/// Schemas that refer to themselves without end are not followed further than this.
const DEPTH: usize = 64;

fn each_secret_below<'v>(
    root: &Value,
    schema: &Value,
    (name, value): (&str, &'v Value),
    depth: usize,
    visit: &mut dyn FnMut(&str, &'v Value),
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if schema.get(SECRET).and_then(Value::as_bool) == Some(true) {
        return visit(name, value);
    }
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(next) = target.and_then(|target| resolve(root, target)) {
        return each_secret_below(root, next, (name, value), depth, visit);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let known = schema.get("properties").and_then(|known| known.get(name));
                if let Some(inner) = known.or_else(|| schema.get("additionalProperties")) {
                    each_secret_below(root, inner, (name, field), depth, visit);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for item in items {
                    each_secret_below(root, inner, (name, item), depth, visit);
                }
            }
        }
        _ => {}
    }
}

/// The fields of a schema that carry a mark.
#[must_use]
pub fn marked(schema: &Value, mark: &str) -> Vec<String> {
    let fields = schema.get("properties").and_then(Value::as_object);
    let has = |field: &Value| field.get(mark).and_then(Value::as_bool) == Some(true);
    let marked = fields.into_iter().flatten().filter(|(_, field)| has(field));
    marked.map(|(name, _)| name.clone()).collect()
}

/// The step kinds there are, as far as a reader of playbooks needs to know them.
pub trait Kinds {
    /// Every kind's name, in order.
    fn names(&self) -> Vec<&'static str>;
    /// Whether DynamoDB keeps a word for itself, in capital letters.
    fn is_reserved(&self, word: &str) -> bool {
        let _ = word;
        false
    }
    /// What the kind of that name says of itself.
    fn spec(&self, name: &str) -> Option<&'static Spec>;
    /// What there is to say of a name that looks like an operation of AWS and is none.
    fn unknown_operation(&self, _name: &str) -> Option<UnknownOperation> {
        None
    }
}
