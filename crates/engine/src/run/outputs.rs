//! What steps see: `run`, `env`, rendered inputs, the outputs of earlier steps.

use serde_json::{Map, Value as Json, json};

use super::fault::Fault;
use super::frame::Frame;
use super::{Engine, Setup};
use crate::event::Failure;
use crate::step::Spec;
use language::playbook::Step;
use language::spec::KNOWN;
use language::template::{
    Evaluated, Expression, Namespace, Scope, Template, TemplateKind, Value, from_json, to_json,
    to_text, unknown,
};

/// What a step has come to: as data, and as later steps see it.
pub(super) struct Outputs {
    pub(super) data: Json,
    pub(super) namespace: Namespace,
    /// The error that was expected, or allowed, and came.
    pub(super) expected: Option<Failure>,
}

impl Outputs {
    pub(super) fn none() -> Self {
        Self { data: Json::Object(Map::new()), namespace: Namespace::new(), expected: None }
    }
}

impl Engine {
    /// Nobody knows which variables of an environment are secret, so all are.
    pub(super) fn env_namespace(&self) -> Namespace {
        let env = Namespace::new();
        for (name, value) in &self.setup.environment {
            let value = if self.setup.aws.is_dry_run() {
                plan(&Json::from(value.as_str()), &format!("env.{name}"))
            } else {
                Value::from(value.as_str())
            };
            env.insert_secret(name, value);
        }
        env
    }

    /// Renders a template; what was made from a secret is a secret from now on.
    pub(super) fn render(&self, template: &Template, scope: &Scope) -> Result<Evaluated, Fault> {
        let evaluated = template.render(scope)?;
        if evaluated.secret {
            self.learn_leaves(template, scope)?;
        }
        Ok(evaluated)
    }

    /// Only what was made from a secret is one: not what stands beside it in the same map.
    fn learn_leaves(&self, template: &Template, scope: &Scope) -> Result<(), Fault> {
        match template.kind() {
            TemplateKind::Literal => {}
            TemplateKind::Sequence(items) => {
                for item in items {
                    self.learn_leaves(item, scope)?;
                }
            }
            TemplateKind::Mapping(entries) => {
                for entry in entries {
                    self.learn_leaves(&entry.value, scope)?;
                }
            }
            TemplateKind::Expression(expression) => {
                let leaf = template.render(scope)?;
                // A plain path leads to what is known already, and perhaps to harmless things beside it.
                if leaf.secret && is_path(expression) {
                    self.learn_environment(&to_text(&leaf.value));
                } else {
                    self.learn(&leaf);
                }
            }
            TemplateKind::Text(_) => self.learn(&template.render(scope)?),
        }
        Ok(())
    }

    /// Evaluates an expression; what was made from a secret is a secret from now on.
    pub(super) fn evaluate(
        &self,
        expression: &Expression,
        scope: &Scope,
    ) -> Result<Evaluated, Fault> {
        let evaluated = expression.evaluate(scope)?;
        self.learn(&evaluated);
        Ok(evaluated)
    }

    fn learn(&self, evaluated: &Evaluated) {
        if !evaluated.secret {
            return;
        }
        self.learn_environment(&to_text(&evaluated.value));
        self.setup.sink.redactor().learn_derived(&to_json(&evaluated.value));
    }

    /// What a kind says is secret in its input is so however it was written.
    pub(super) fn learn_secret_inputs(&self, spec: &Spec, input: &Json) {
        for name in &spec.secret_inputs {
            match input.get(name).and_then(Json::as_str) {
                Some(text) if !text.contains('⟨') => {
                    self.setup.sink.redactor().learn_derived(&Json::from(text));
                }
                _ => {}
            }
        }
    }

    /// Variables of the environment that stand in a text that was made from some.
    fn learn_environment(&self, text: &str) {
        for value in self.setup.environment.values() {
            if value.len() >= 4 && !value.starts_with('⟨') && text.contains(value.as_str()) {
                self.setup.sink.redactor().learn(value);
            }
        }
    }

    /// Whether anybody sees what a step returns: later steps, a report as data, the redactor.
    pub(super) fn is_read(&self, step: &Step, spec: &Spec) -> bool {
        is_named(step) || self.setup.aws.captures_bodies() || !spec.secret_outputs.is_empty()
    }

    /// What later steps see of what a kind returned.
    pub(super) fn outputs(
        &self,
        step: &Step,
        spec: &Spec,
        returned: Json,
        secret: bool,
    ) -> Outputs {
        let fields = match returned {
            Json::Object(fields) => fields,
            _ => Map::new(),
        };
        if self.setup.aws.is_dry_run() {
            return self.planned_outputs(step, spec, fields, secret);
        }
        let redactor = self.setup.sink.redactor();
        let namespace = Namespace::new();
        let named = is_named(step);
        for (name, value) in &fields {
            let marked = spec.is_secret_output(name);
            if marked {
                redactor.learn_derived(value);
            }
            if named {
                let hidden = secret || marked || redactor.finds_secret_inside(value);
                put(&namespace, name, from_json(value), hidden);
            }
        }
        Outputs { data: Json::Object(fields), namespace, expected: None }
    }

    /// A dry run has seen placeholders: only what repeats the input is known of them.
    fn planned_outputs(
        &self,
        step: &Step,
        spec: &Spec,
        mut fields: Map<String, Json>,
        secret: bool,
    ) -> Outputs {
        let known = |name: &str| spec.calls.is_empty() || spec.output_has(name, KNOWN);
        if let Some(declared) = spec.output.get("properties").and_then(Json::as_object) {
            for name in declared.keys() {
                fields.entry(name.clone()).or_insert(Json::Null);
            }
        }
        let who = step.id.as_deref().unwrap_or(spec.name);
        let redactor = self.setup.sink.redactor();
        let namespace = Namespace::new();
        let mut data = Map::new();
        for (name, value) in fields {
            let path = format!("steps.{who}.{name}");
            let seen = if known(&name) { plan(&value, &path) } else { unknown(path) };
            let marked = spec.is_secret_output(&name);
            if marked {
                redactor.learn_derived(&value);
            }
            let hidden = secret || marked || redactor.finds_secret_inside(&value);
            data.insert(name.clone(), to_json(&seen));
            put(&namespace, &name, seen, hidden);
        }
        Outputs { data: Json::Object(data), namespace, expected: None }
    }

    /// The `error` of a step that may fail: none where it did not.
    pub(super) fn own_error(&self, step: &Step, outputs: &Outputs) -> Option<OwnError> {
        if !step.may_fail() {
            return None;
        }
        let Some(failure) = &outputs.expected else {
            let who = step.id.as_deref().unwrap_or(step.kind());
            let value = if self.setup.aws.is_dry_run() {
                unknown(format!("steps.{who}.error"))
            } else {
                from_json(&Json::Null)
            };
            return Some(OwnError { value, secret: false });
        };
        let facts = error_facts(failure);
        let secret = self.setup.sink.redactor().finds_secret_inside(&facts);
        Some(OwnError { value: from_json(&facts), secret })
    }

    /// Adds the step's own `outputs`.
    pub(super) fn add_outputs(
        &self,
        step: &Step,
        scope: &Scope,
        outputs: &mut Outputs,
    ) -> Result<(), Fault> {
        for (name, expression) in &step.outputs {
            let value = self.evaluate(expression, scope)?;
            if let Json::Object(data) = &mut outputs.data {
                data.insert(name.clone(), to_json(&value.value));
            }
            outputs.namespace.insert_evaluated(name, &value);
        }
        Ok(())
    }

    /// The playbook's `outputs`.
    pub(super) fn playbook_outputs(&self, frame: &Frame<'_>) -> Result<Json, Fault> {
        let scope = frame.top().scope;
        let mut outputs = Map::new();
        for (name, expression) in &frame.playbook.outputs {
            outputs.insert(name.clone(), to_json(&self.evaluate(expression, &scope)?.value));
        }
        Ok(Json::Object(outputs))
    }
}

/// What a failed step says of its error, to later steps.
pub(super) fn error_facts(failure: &Failure) -> Json {
    // The code is beside it.
    let message = failure.message.strip_prefix(&format!("{}: ", failure.code));
    json!({
        "code": failure.code,
        "message": message.unwrap_or(&failure.message),
        "help": failure.help,
        "details": failure.details,
    })
}

/// The `error` of a step that may fail.
pub(super) struct OwnError {
    value: Value,
    secret: bool,
}

impl OwnError {
    /// Lets `assert` and `outputs` of the step see it.
    pub(super) fn show_in(&self, scope: &mut Scope) {
        if self.secret {
            scope.set_secret("error", self.value.clone());
        } else {
            scope.set("error", self.value.clone());
        }
    }

    /// Lets later steps see it.
    pub(super) fn publish(self, outputs: &Namespace) {
        put(outputs, "error", self.value, self.secret);
    }
}

/// Whether later steps can see what a step returns.
fn is_named(step: &Step) -> bool {
    step.id.is_some() || step.poll.is_some() || !step.outputs.is_empty() || !step.asserts.is_empty()
}

fn put(namespace: &Namespace, name: &str, value: Value, secret: bool) {
    if secret {
        namespace.insert_secret(name, value);
    } else {
        namespace.insert(name, value);
    }
}

/// `run.*`. A dry run does not know the account, and may not know the region.
pub(super) fn run_namespace(setup: &Setup) -> Namespace {
    let facts = &setup.facts;
    let run = Namespace::new();
    run.insert("id", facts.id.as_str());
    run.insert("started", facts.started.as_str());
    run.insert("local", facts.local);
    match &facts.account {
        Some(account) => run.insert("account", account.as_str()),
        None => run.insert("account", unknown("run.account")),
    }
    if setup.region_known {
        run.insert("region", facts.region.as_str());
    } else {
        run.insert("region", unknown("run.region"));
    }
    if facts.local {
        let inbox = if setup.aws.is_dry_run() {
            unknown("run.inbox")
        } else {
            Value::from(Vec::<Value>::new())
        };
        run.insert("inbox", inbox);
    }
    run
}

/// The scope of `assert`, `until` and `outputs`.
pub(super) fn with_result(scope: &Scope, result: &Namespace) -> Scope {
    let mut scope = scope.child();
    scope.set("result", result);
    scope
}

fn is_path(expression: &Expression) -> bool {
    expression.source().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

/// A value of a dry run: text that holds what is not known yet is itself not known yet.
pub(super) fn plan(value: &Json, path: &str) -> Value {
    match value {
        Json::String(text) => {
            let whole = text.strip_prefix('⟨').and_then(|rest| rest.strip_suffix('⟩'));
            match whole.filter(|inner| !inner.contains('⟨')) {
                Some(inner) => unknown(inner),
                None if text.contains('⟨') => unknown(path),
                None => Value::from(text.as_str()),
            }
        }
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| plan(item, &format!("{path}[{index}]")))
            .collect(),
        Json::Object(fields) => {
            let planned = Namespace::new();
            for (name, field) in fields {
                planned.insert(name, plan(field, &format!("{path}.{name}")));
            }
            Value::from(planned)
        }
        _ => from_json(value),
    }
}
