//! The JSON Schema of a playbook, for editors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::actions::ASSERT;
use super::controls::{CONTROLS, Control};
use super::declared::BESIDE_BLOCK;
use crate::question::QuestionType;
use crate::spec::{Kinds, Spec};

mod templates;

use templates::with_templates;

const TEMPLATE: &str = "#/$defs/template";

/// The JSON Schema (2020-12) of a whole playbook, made of the step keys and of what every kind says of its input.
///
/// Of a service that has some of `operations`, no others are let through; of the other services any are, with anything in them.
#[must_use]
pub fn json_schema(kinds: &dyn Kinds, operations: &[&Spec]) -> Value {
    let specs: Vec<&Spec> = kinds.names().into_iter().filter_map(|name| kinds.spec(name)).collect();
    let mut definitions = fixed_definitions();
    for spec in &specs {
        define_kind(spec, &mut definitions);
    }
    for operation in operations {
        define_operation(operation, &mut definitions);
    }
    let mut step = step(&specs);
    add_operations(&mut step, operations);
    definitions.insert("step".to_owned(), step);
    definitions.insert("operation".to_owned(), json!({"type": ["object", "null"]}));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playbook",
        "description": "A scenario that is run against AWS, and cleaned up.",
        "type": "object",
        "properties": top_properties(),
        "required": ["name", "steps"],
        "additionalProperties": false,
        "$defs": definitions
    })
}

/// The keys of a playbook.
pub(super) fn top_properties() -> Value {
    json!({
            "version": {"description": "The version of the language.", "const": 1},
            "name": {"description": "The name of the playbook.", "type": "string", "minLength": 1},
            "description": {"description": "What the playbook shows.", "type": "string"},
            "tags": {"description": "Words to find the playbook by.", "type": "array", "items": {"type": "string"}},
            "public_env": {
                "description": "The variables of the environment that are no secrets; all others are treated as such.",
                "type": "array",
                "items": {"type": "string", "minLength": 1}
            },
            "inputs": {
                "description": "What a person or CI gives.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name"},
                "additionalProperties": {"$ref": "#/$defs/input"}
            },
            "matrix": {
                "description": "Lists of which the playbook is run with every combination, each run by itself.",
                "type": "object",
                "properties": {
                    "inputs": {
                        "description": "The values of inputs, by name.",
                        "type": "object",
                        "additionalProperties": {"type": "array", "minItems": 1}
                    },
                    "regions": {"description": "Regions.", "type": "array", "items": {"type": "string"}, "minItems": 1},
                    "profiles": {
                        "description": "Profiles of the AWS configuration, and so accounts and roles.",
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 1
                    }
                },
                "additionalProperties": false
            },
            "vars": {
                "description": "What is computed once, in order, before the first step.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name"}
            },
            "defaults": {"description": "What steps do where they do not say otherwise.", "$ref": "#/$defs/defaults"},
            "steps": {"description": "What is done, in order.", "$ref": "#/$defs/steps"},
            "outputs": {"description": "What an including playbook sees.", "$ref": "#/$defs/outputs"}
    })
}

fn fixed_definitions() -> Map<String, Value> {
    let types = [
        QuestionType::String,
        QuestionType::Integer,
        QuestionType::Number,
        QuestionType::Boolean,
        QuestionType::Choice,
        QuestionType::Secret,
        QuestionType::List,
        QuestionType::Map,
    ];
    let definitions = json!({
        "name": {"title": "name", "type": "string", "pattern": "^[a-z_][a-z0-9_]*$"},
        "template": {"title": "template", "description": "Text with `{{ }}` in it.", "type": "string", "pattern": "\\{\\{|\\{%"},
        "expression": {"title": "expression", "description": "A bare expression, without braces.", "type": ["string", "boolean"]},
        "duration": {
            "title": "duration",
            "description": "Such as `500ms`, `1s` or `1m 30s`.",
            "type": "string",
            "pattern": "^\\s*[0-9.]+\\s*[a-zA-Zµ]|^P"
        },
        "codes": {"title": "error code or list of them", "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
        "outputs": {
            "title": "map of expressions",
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name"},
            "additionalProperties": {"$ref": "#/$defs/expression"}
        },
        "defaults": defaults(),
        "steps": {"title": "list of steps", "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
        "input": {
            "title": "input",
            "type": "object",
            "properties": {
                "type": {"description": "The type of the answer.", "enum": types.map(QuestionType::as_str), "default": "string"},
                "prompt": {"description": "What to ask.", "type": "string"},
                "description": {"description": "More than fits in the prompt.", "type": "string"},
                "default": {"description": "The value when nothing is given."},
                "choices": {"description": "What to choose from, for `choice`.", "type": "array", "items": {"type": "string"}, "minItems": 1},
                "pattern": {"description": "A regular expression that the whole answer must match, for `string` and `secret`.", "type": "string"},
                "min": {"description": "The least number allowed, for `integer` and `number`.", "type": "number"},
                "max": {"description": "The greatest number allowed, for `integer` and `number`.", "type": "number"},
                "min_length": {"description": "The least number of characters, for `string` and `secret`.", "type": "integer", "minimum": 0},
                "twice": {"description": "Whether it is asked for twice, for `secret`.", "type": "boolean"},
                "items": {"description": "What each item of a `list`, or each value of a `map`, must be: a type, or a JSON Schema.", "type": ["string", "object"]},
                "schema": {"description": "A JSON Schema of the whole `list` or `map`.", "type": ["object", "boolean"]}
            },
            "additionalProperties": false
        }
    });
    match definitions {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "retry": {
                "description": "How steps that call AWS are tried again.",
                "type": "object",
                "properties": {
                    "on": {"description": "The error codes that are worth another try; any, where there are none.", "$ref": "#/$defs/codes"},
                    "attempts": {"description": "How many tries in all.", "type": "integer", "minimum": 1, "default": 5},
                    "every": {"description": "The wait before the second try; then it doubles.", "$ref": "#/$defs/duration", "default": "1s"}
                },
                "additionalProperties": false
            },
            "timeout": {"description": "How long one attempt of a step that calls AWS may take.", "$ref": "#/$defs/duration"},
            "poll": {
                "description": "What `poll` does where it does not say otherwise.",
                "type": "object",
                "properties": {
                    "every": {"description": "The wait between tries.", "$ref": "#/$defs/duration", "default": "1s"},
                    "timeout": {"description": "When to give up.", "$ref": "#/$defs/duration", "default": "1m"}
                },
                "additionalProperties": false
            }
        },
        "additionalProperties": false
    })
}

fn step(specs: &[&Spec]) -> Value {
    let mut properties = match step_properties() {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let mut controls = controls();
    let kinds = specs.iter().map(|spec| spec.name).filter(|kind| *kind != ASSERT);
    let verbs: Vec<&str> = kinds.chain(controls.keys().map(String::as_str)).collect();
    let mut one_of: Vec<Value> = verbs.iter().map(|verb| verb_of(verb)).collect();
    let operation = json!({"propertyNames": {"not": {"pattern": OPERATION}}});
    let has_operation = json!({"not": operation});
    let mut others: Vec<Value> = one_of.clone();
    one_of.push(has_operation.clone());
    others.push(has_operation);
    one_of.push(json!({"required": [ASSERT], "not": {"anyOf": others}}));
    // Beside `for_each` it is a number, alone a kind.
    if let (Some(beside), Some(kind)) =
        (properties.remove(PARALLEL_KIND), controls.remove(PARALLEL_KIND))
    {
        properties.insert(PARALLEL_KIND.to_owned(), json!({"anyOf": [kind, beside]}));
    }
    properties.append(&mut controls);
    // `assert` is a key of the step keys already, and alone a kind.
    for spec in specs.iter().filter(|spec| spec.name != ASSERT) {
        let reference = format!("#/$defs/{}", spec.name);
        let page = hover(&spec.summary, &spec.details, spec.example);
        let property =
            json!({"description": spec.summary, "markdownDescription": page, "$ref": reference});
        properties.insert(spec.name.to_owned(), property);
    }
    json!({
        "title": "step",
        "description": "One step: its kind, and what every step may have beside it.",
        "type": "object",
        "properties": properties,
        "patternProperties": {(OPERATION): {
            "description": "An operation of AWS, with its members as AWS spells them.",
            "$ref": "#/$defs/operation"
        }},
        "additionalProperties": false,
        "dependentRequired": BESIDE_BLOCK.iter().map(|key| (*key, ["block"])).collect::<BTreeMap<_, _>>(),
        "oneOf": one_of
    })
}

/// Offers operations of AWS by name; of their services, no others are let through then.
fn add_operations(step: &mut Value, operations: &[&Spec]) {
    let mut services: Vec<&str> =
        operations.iter().filter_map(|spec| Some(spec.name.split_once(':')?.0)).collect();
    services.dedup();
    if services.is_empty() {
        return;
    }
    if let Value::Object(patterns) = &mut step["patternProperties"]
        && let Some(any) = patterns.remove(OPERATION)
    {
        let others =
            format!("^(?!(?:{}):){}", services.join("|"), OPERATION.trim_start_matches('^'));
        patterns.insert(others, any);
    }
    for spec in operations {
        let reference = format!("#/$defs/{}", spec.name);
        let page = hover(&spec.summary, &spec.details, spec.example);
        step["properties"][spec.name] =
            json!({"description": spec.summary, "markdownDescription": page, "$ref": reference});
        step["properties"]["undo"]["properties"][spec.name] = json!({"$ref": reference});
    }
}

/// Names of operations, such as `sqs:CreateQueue`.
const OPERATION: &str = "^[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*$";

/// The kind whose name is also a key of the step keys.
pub(super) const PARALLEL_KIND: &str = "parallel";

/// Whether a step is of a kind.
fn verb_of(kind: &str) -> Value {
    if kind == PARALLEL_KIND {
        return json!({"required": [kind], "properties": {kind: {"type": "object"}}});
    }
    json!({"required": [kind]})
}

/// The keys of a step, those that only a block has with them.
pub(super) fn step_properties() -> Value {
    json!({
        "id": {"description": "The name by which later steps read the outputs: `steps.<id>.<field>`.", "$ref": "#/$defs/name"},
        "name": {"description": "What the step does, for people.", "type": "string"},
        "when": {"description": "The step runs only if this is true. Beside `for_each`, it is asked in each round where it reads `item` or `loop`.", "$ref": "#/$defs/expression"},
        "for_each": {
            "description": "The step runs once for each item; `item` and `loop` say which.",
            "anyOf": [{"type": "string"}, {"type": "array"}]
        },
        "parallel": {"description": "Beside `for_each`: how many rounds run at the same time. None of them sees what another returns.", "type": "integer", "minimum": 1},
        "retry": {
            "description": "The step is tried again when it fails.",
            "type": "object",
            "properties": {
                "on": {"description": "The error codes that are worth another try; any, where there are none.", "$ref": "#/$defs/codes"},
                "attempts": {"description": "How many tries in all.", "default": 5, "anyOf": [{"type": "integer", "minimum": 1}, {"$ref": TEMPLATE}]},
                "every": {"description": "The wait before the second try; then it doubles.", "$ref": "#/$defs/duration", "default": "1s"},
                "ask": {"description": "The input to ask for again before the next try.", "type": "string"}
            },
            "additionalProperties": false
        },
        "poll": {
            "description": "The step is done again until its result is as expected.",
            "type": "object",
            "properties": {
                "until": {"description": "What must be true of `result`.", "$ref": "#/$defs/expression"},
                "every": {"description": "The wait between tries.", "$ref": "#/$defs/duration", "default": "1s"},
                "timeout": {"description": "When to give up.", "$ref": "#/$defs/duration", "default": "1m"}
            },
            "required": ["until"],
            "additionalProperties": false
        },
        "timeout": {"description": "How long one attempt may take.", "$ref": "#/$defs/duration"},
        "expect_error": {"description": "The error codes of which one must come; success fails the step. It then has the output `error`, and no others.", "$ref": "#/$defs/codes"},
        "allow_error": {"description": "The error codes that are as good as success. The output `error` is `{code, message, help, details}`, or none where it succeeded.", "$ref": "#/$defs/codes"},
        "assert": {
            "description": "What must be true of `result`; beside `expect_error` and `allow_error`, of `error`.",
            "anyOf": [{"$ref": "#/$defs/expression"}, {"type": "array", "items": {"$ref": "#/$defs/expression"}}]
        },
        "outputs": {"description": "Further outputs, made from `result`; beside `expect_error` and `allow_error`, from `error`.", "$ref": "#/$defs/outputs"},
        "keep": {"description": "What the step makes is not removed.", "type": "boolean", "default": false},
        "pages": {
            "description": "Of an operation of AWS: how many pages of its answer are joined.",
            "anyOf": [{"const": "all"}, {"type": "integer", "minimum": 1}]
        },
        "wait": {
            "description": "Of an operation of AWS: the waiter of its service that the step ends with, alone or with its input.",
            "anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]
        },
        "undo": {
            "description": "Of an operation of AWS: the operation that takes back what the step does; it reads `result`.",
            "type": "object",
            "properties": {"wait": {"description": "The waiter that ends once it is gone.", "anyOf": [{"type": "string"}, {"type": "object"}]}},
            "minProperties": 1
        },
        "rescue": {"description": "Steps for when one in the block has failed.", "$ref": "#/$defs/steps"},
        "always": {"description": "Steps that run whatever happened in the block.", "$ref": "#/$defs/steps"}
    })
}

fn controls() -> Map<String, Value> {
    let with_description = |control: &Control| {
        let mut schema = control.schema();
        if let Value::Object(fields) = &mut schema {
            fields.insert("title".to_owned(), control.name.into());
            fields.insert("description".to_owned(), control.summary.into());
            let page = hover(control.summary, control.details, control.example);
            fields.insert("markdownDescription".to_owned(), page.into());
        }
        (control.name.to_owned(), schema)
    };
    CONTROLS.iter().map(with_description).collect()
}

/// What an editor shows of a kind.
fn hover(summary: &str, details: &str, example: &str) -> String {
    let details = if details.is_empty() { String::new() } else { format!("\n\n{details}") };
    format!("{summary}{details}\n\n```yaml\n{}\n```", example.trim_end())
}

/// What may stand beside a step's kind, as the fields of an object, with the definitions that they refer to.
#[must_use]
pub fn step_keys() -> Value {
    with_definitions(step_properties())
}

/// What an input may say of itself, in the same way.
#[must_use]
pub fn input_keys() -> Value {
    fixed_definitions().remove("input").unwrap_or_default()
}

/// What a control kind takes, in the same way; those of a block stand beside it.
#[must_use]
pub fn control_keys(control: &Control) -> Value {
    let schema = control.schema();
    if schema.get("properties").is_some() {
        let mut schema = schema;
        if let Value::Object(fields) = &mut schema {
            fields.insert("$defs".to_owned(), fixed_definitions().into());
        }
        return schema;
    }
    let mut keys =
        json!({control.name: {"description": control.summary, "$ref": schema.get("$ref")}});
    if let (Value::Object(keys), Value::Object(step_keys)) = (&mut keys, step_properties()) {
        let beside = BESIDE_BLOCK.iter().filter(|_| control.name == "block");
        keys.extend(
            beside
                .filter_map(|key| step_keys.get_key_value(*key))
                .map(|(k, v)| (k.clone(), v.clone())),
        );
    }
    let mut object = with_definitions(keys);
    if let Value::Object(object) = &mut object {
        object.insert("required".to_owned(), json!([control.name]));
    }
    object
}

fn with_definitions(properties: Value) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false, "$defs": fixed_definitions()})
}

/// Adds an operation's input. The shapes of a service are defined once for all of its operations.
fn define_operation(spec: &Spec, definitions: &mut Map<String, Value>) {
    let service = spec.name.split_once(':').map_or(spec.name, |(service, _)| service);
    define(spec, service, definitions);
}

/// Adds a kind's input and all that it refers to.
fn define_kind(spec: &Spec, definitions: &mut Map<String, Value>) {
    define(spec, spec.name, definitions);
}

fn define(spec: &Spec, prefix: &str, definitions: &mut Map<String, Value>) {
    let name = spec.name;
    let Value::Object(mut input) = with_templates(&spec.input, prefix, &spec.input) else {
        definitions.insert(name.to_owned(), Value::Bool(true));
        return;
    };
    if let Some(Value::Object(own)) = input.remove("$defs") {
        for (definition, schema) in own {
            definitions.insert(format!("{prefix}.{definition}"), schema);
        }
    }
    input.insert("title".to_owned(), name.into());
    let has_required =
        input.get("required").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    let field = spec.shorthand.and_then(|field| input.get("properties")?.get(field));
    let mut either: Vec<Value> = field.cloned().into_iter().collect();
    if !has_required {
        either.push(json!({"type": "null"}));
    }
    let schema = if either.is_empty() {
        Value::Object(input)
    } else {
        either.insert(0, Value::Object(input));
        json!({"title": name, "description": spec.summary, "anyOf": either})
    };
    definitions.insert(name.to_owned(), schema);
}
