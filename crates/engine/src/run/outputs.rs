//! What steps see: `run`, `env`, rendered inputs, the outputs of earlier steps.

use serde_json::{Map, Value as Json, json};

use super::fault::Fault;
use super::frame::Frame;
use super::{Engine, Setup};
use crate::event::Failure;
use crate::redactor::{MASK, StepSecrets};
use crate::step::Spec;
use language::playbook::Step;
use language::spec::{KNOWN, SHOWN, each_secret, marked};
use language::template::{
    Evaluated, Expression, Mark, Namespace, Scope, Template, Value, from_json, to_json, unknown,
};

/// What a step was given.
#[derive(Default)]
pub(super) struct Given {
    /// Its input, where that is no plain data.
    evaluated: Option<Evaluated>,
    /// What of that only its origin tells to be secret.
    pub(super) secrets: StepSecrets,
}

impl Given {
    /// Whether any of it is secret.
    pub(super) fn is_secret(&self) -> bool {
        self.evaluated.as_ref().is_some_and(|it| it.secret) || !self.secrets.is_empty()
    }

    /// What may be shown of it, where it is no plain data.
    pub(super) fn shown(&self) -> Option<Json> {
        self.evaluated.as_ref().map(Evaluated::shown)
    }
}

/// What a step has come to: as data, and as later steps see it.
pub(super) struct Outputs {
    pub(super) data: Json,
    pub(super) namespace: Namespace,
    /// The error that was expected, or allowed, and came.
    pub(super) expected: Option<Failure>,
    /// What tells whether the step was given the same, where that is kept.
    pub(super) given: Option<String>,
}

impl Outputs {
    pub(super) fn none() -> Self {
        Self {
            data: Json::Object(Map::new()),
            namespace: Namespace::new(),
            expected: None,
            given: None,
        }
    }
}

impl Engine {
    /// Nobody knows which variables of an environment are secret, so all are but those that the playbook says are not.
    pub(super) fn env_namespace(&self, public: &[String]) -> Namespace {
        let env = Namespace::new();
        for (name, value) in &self.setup.environment {
            let value = if self.setup.aws.is_dry_run() {
                plan(&Json::from(value.as_str()), &format!("env.{name}"))
            } else {
                Value::from(value.as_str())
            };
            if public.contains(name) {
                env.insert(name, value);
            } else {
                env.insert_secret(name, value);
            }
        }
        env
    }

    /// Renders a template; what was made from a secret is a secret from now on.
    pub(super) fn render(&self, template: &Template, scope: &Scope) -> Result<Evaluated, Fault> {
        let evaluated = template.render(scope)?;
        self.learn(&evaluated);
        Ok(evaluated)
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
        for secret in &evaluated.secrets {
            self.setup.sink.redactor().learn_inside(&to_json(secret));
        }
    }

    /// Renders the input of a step.
    pub(super) fn given(
        &self,
        spec: &Spec,
        input: &Template,
        scope: &Scope,
    ) -> Result<(Given, Json), Fault> {
        let evaluated = match input.literal() {
            Some(_) => None,
            None => Some(self.render(input, scope)?),
        };
        let mut data = match (&evaluated, input.literal()) {
            (Some(evaluated), _) => expand_shorthand(spec, to_json(&evaluated.value)),
            (None, literal) => expand_shorthand(spec, literal.cloned().unwrap_or_default()),
        };
        let mut secrets = StepSecrets::default();
        if let Some(evaluated) = evaluated.as_ref().filter(|it| it.secret) {
            secrets = StepSecrets::of(evaluated);
            let shown = expand_shorthand(spec, evaluated.shown());
            for field in marked(&spec.input, SHOWN) {
                if let (Some(field), Some(shown)) = (data.get_mut(&field), shown.get(&field)) {
                    shown.clone_into(field);
                }
            }
        }
        // What a kind says is secret in its input is so however it was written.
        for name in &spec.secret_inputs {
            if let Some(secret) = data.get(name) {
                self.setup.sink.redactor().learn_inside(secret);
                secrets.add(name, secret);
            }
        }
        if spec.operation.is_some() {
            each_secret(&spec.input, &spec.input, &data, &mut |name, secret| {
                self.setup.sink.redactor().learn_inside(secret);
                secrets.add(name, secret);
            });
        }
        Ok((Given { evaluated, secrets }, data))
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
        given: &Given,
    ) -> Outputs {
        let fields = match returned {
            Json::Object(fields) => fields,
            _ => Map::new(),
        };
        if self.setup.aws.is_dry_run() {
            return self.planned_outputs(step, spec, fields, given);
        }
        let namespace = Namespace::new();
        let mut data = Map::new();
        for (name, value) in fields {
            let output = self.output(spec, &name, from_json(&value), given);
            data.insert(name.clone(), output.shown());
            namespace.insert_evaluated(name, &output);
        }
        Outputs { data: Json::Object(data), namespace, expected: None, given: None }
    }

    /// A dry run has seen placeholders: only what repeats the input is known of them.
    fn planned_outputs(
        &self,
        step: &Step,
        spec: &Spec,
        mut fields: Map<String, Json>,
        given: &Given,
    ) -> Outputs {
        let known = |name: &str| spec.calls.is_empty() || spec.output_has(name, KNOWN);
        if let Some(declared) = spec.output.get("properties").and_then(Json::as_object) {
            for name in declared.keys() {
                fields.entry(name.clone()).or_insert(Json::Null);
            }
        }
        let who = step.id.as_deref().unwrap_or(spec.name);
        let namespace = Namespace::new();
        let mut data = Map::new();
        for (name, value) in fields {
            let path = format!("steps.{who}.{name}");
            let seen = if known(&name) { plan(&value, &path) } else { unknown(path) };
            let output = self.output(spec, &name, seen, given);
            data.insert(name.clone(), output.shown());
            namespace.insert_evaluated(name, &output);
        }
        Outputs { data: Json::Object(data), namespace, expected: None, given: None }
    }

    /// An output with what is secret of it: what the kind says is, what went in as one, and what is known as one.
    pub(super) fn output(&self, spec: &Spec, name: &str, value: Value, given: &Given) -> Evaluated {
        if spec.is_secret_output(name) {
            self.setup.sink.redactor().learn_inside(&to_json(&value));
            return Evaluated::hidden(value);
        }
        if let Some(schema) = spec.output_field(name).filter(|_| spec.operation.is_some()) {
            let data = to_json(&value);
            let mut secrets = given.secrets.clone();
            each_secret(&spec.output, schema, &data, &mut |name, secret| {
                self.setup.sink.redactor().learn_inside(secret);
                secrets.add(name, secret);
            });
            return self.recognised(name, value, &secrets);
        }
        // Kinds that call nobody hand on what they were given.
        let handed_on = given.evaluated.as_ref().filter(|it| it.secret && spec.calls.is_empty());
        let field = handed_on.and_then(|input| input.field(name));
        if let Some(field) = field.filter(|field| to_json(&field.value) == to_json(&value)) {
            return field;
        }
        self.recognised(name, value, &given.secrets)
    }

    /// A value with the secrets that can be recognised in it.
    pub(super) fn recognised(&self, name: &str, value: Value, secrets: &StepSecrets) -> Evaluated {
        let redactor = self.setup.sink.redactor();
        if redactor.is_empty() && secrets.is_empty() {
            return Evaluated::open(value);
        }
        Evaluated::with_marks(value, &mut |path, scalar| {
            let data = to_json(scalar);
            let mut masked = data.clone();
            secrets.mask_under(
                std::iter::once(name).chain(path.iter().map(String::as_str)),
                &mut masked,
            );
            if masked == MASK && data != masked {
                return Mark::Hidden;
            }
            if data == masked && !redactor.finds_secret_inside(&data) {
                return Mark::Open;
            }
            masked.as_str().map_or(Mark::Hidden, |text| Mark::Shown(text.into()))
        })
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
            return Some(OwnError(Evaluated::open(value)));
        };
        Some(OwnError(self.error(failure)))
    }

    /// What later steps see of a failure, with the secrets that stand in it.
    pub(super) fn error(&self, failure: &Failure) -> Evaluated {
        self.recognised("error", from_json(&error_facts(failure)), &StepSecrets::default())
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
                data.insert(name.clone(), value.shown());
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
            outputs.insert(name.clone(), self.evaluate(expression, &scope)?.shown());
        }
        Ok(Json::Object(outputs))
    }
}

/// What a failed step says of its error, to later steps.
fn error_facts(failure: &Failure) -> Json {
    // The code is beside it.
    let code = format!("{}: ", failure.code);
    let message = match failure.message.strip_prefix(&code) {
        Some(message) => message.to_owned(),
        None => failure.message.replacen(&format!(": {code}"), ": ", 1),
    };
    json!({
        "code": failure.code,
        "message": message,
        "help": failure.help,
        "details": failure.details,
    })
}

/// The `error` of a step that may fail.
pub(super) struct OwnError(Evaluated);

impl OwnError {
    /// Lets `assert` and `outputs` of the step see it.
    pub(super) fn show_in(&self, scope: &mut Scope) {
        scope.set_evaluated("error", &self.0);
    }

    /// Lets later steps see it.
    pub(super) fn publish(self, outputs: &Namespace) {
        outputs.insert_evaluated("error", &self.0);
    }
}

/// Whether later steps can see what a step returns.
fn is_named(step: &Step) -> bool {
    step.id.is_some() || step.poll.is_some() || !step.outputs.is_empty() || !step.asserts.is_empty()
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

/// `print: text` is `print: {message: text}`; nothing at all is an empty map.
fn expand_shorthand(spec: &Spec, input: Json) -> Json {
    match (input, spec.shorthand) {
        (Json::Object(fields), _) => Json::Object(fields),
        (Json::Null, _) => Json::Object(Map::new()),
        (scalar, Some(field)) => Json::Object([(field.to_owned(), scalar)].into_iter().collect()),
        (other, None) => other,
    }
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
