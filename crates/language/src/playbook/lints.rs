//! What works and is likely to be a mistake all the same.

use super::load::Reader;
use super::model::{Action, Step};
use super::runtimes::{self, Runtime};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::{Entry, Node};
use crate::spec::{FORM, NAME, RUNTIME, SHOWN, STORED, Spec};
use crate::template::{self, Expression, Template, TemplateKind};

/// Errors that a step is meant to meet, so that a name that is taken is no mistake.
const EXPECTS: &[&str] = &["expect_error", "allow_error"];

impl Reader<'_, '_> {
    /// Inputs and variables that nothing reads.
    pub(super) fn lint_unused(&mut self) {
        if self.unread {
            return;
        }
        let mut lints = Vec::new();
        for (name, facts) in self
            .scope
            .inputs
            .iter()
            .filter(|(name, it)| !it.used && !self.is_used_ahead("inputs", name))
        {
            lints.push(
                Diagnostic::new(Code::UnusedInput, format!("nothing reads the input `{name}`"))
                    .at(facts.span)
                    .label("asked for in vain")
                    .help(format!("leave it out, or read it: `inputs.{name}`")),
            );
        }
        for (name, facts) in self
            .scope
            .vars
            .iter()
            .filter(|(name, it)| !it.used && !self.is_used_ahead("vars", name))
        {
            lints.push(
                Diagnostic::new(
                    Code::UnusedVariable,
                    format!("nothing reads the variable `{name}`"),
                )
                .at(facts.span)
                .label("computed in vain")
                .help(format!("leave it out, or read it: `vars.{name}`")),
            );
        }
        self.faults.extend(lints);
    }

    /// Whether the name itself says that nothing reads it, or something does too early.
    fn is_used_ahead(&self, space: &'static str, name: &str) -> bool {
        named_unused(name) || self.scope.ahead.contains(&(space, name.to_owned()))
    }

    /// A condition that is known before anything runs.
    pub(super) fn lint_condition(&mut self, when: &Expression) {
        if !when.references().is_empty() {
            return;
        }
        let value = when.evaluate(&template::Scope::new());
        if value.is_ok_and(|value| !value.unknown && !value.is_true()) {
            self.fault(
                Diagnostic::new(Code::UnreachableStep, "this step never runs")
                    .at(when.span())
                    .label("never true")
                    .help("leave the step out, or write the condition that it depends on"),
            );
        }
    }

    /// A step behind one that fails whatever happens.
    pub(super) fn lint_unreachable(&mut self, node: &Node, end: Span) {
        let place = node.as_mapping().and_then(<[Entry]>::first);
        self.fault(
            Diagnostic::new(Code::UnreachableStep, "this step is never reached")
                .at(place.map_or(node.span, |entry| entry.key.span))
                .label("never runs, nor what follows it")
                .also(end, "fails whatever happens")
                .help("leave it out, or put a `when` on the step before it"),
        );
    }

    pub(super) fn lint_poll(&mut self, key: Span) {
        self.fault(
            Diagnostic::new(Code::PollWithoutTimeout, "this `poll` does not say when to give up")
                .at(key)
                .label("gives up after 1m")
                .help("add `timeout: 2m`, or `defaults: {poll: {timeout: 2m}}` at the top"),
        );
    }

    /// Text that everybody sees.
    pub(super) fn lint_shown(&mut self, what: &str, template: &Template) {
        for span in self.secrets_in(template) {
            self.fault(
                Diagnostic::new(Code::SecretShown, format!("`{what}` shows a secret"))
                    .at(span)
                    .label("shows as `***`")
                    .help("leave it out: a secret is masked wherever it would be shown"),
            );
        }
    }

    /// An expression whose value everybody sees.
    pub(super) fn lint_shown_value(&mut self, what: &str, expression: &Expression) {
        if self.scope.shape_of_expression(expression).secret {
            self.fault(
                Diagnostic::new(Code::SecretShown, format!("`{what}` shows a secret"))
                    .at(expression.span())
                    .label("shows as `***`")
                    .help("leave it out: a secret is masked wherever it would be shown"),
            );
        }
    }

    /// What the marks on the fields of a kind's input say of the values given.
    pub(super) fn lint_fields(&mut self, spec: &Spec, node: &Node, input: &Template, step: &Node) {
        let Some(properties) = spec.input.get("properties").and_then(|it| it.as_object()) else {
            return;
        };
        let TemplateKind::Mapping(values) = input.kind() else { return };
        for (entry, value) in node.as_mapping().unwrap_or_default().iter().zip(values) {
            let (name, value) = (entry.key.name.as_str(), &value.value);
            let Some(schema) = properties.get(name) else { continue };
            let marked =
                |mark: &str| schema.get(mark).and_then(serde_json::Value::as_bool) == Some(true);
            if marked(SHOWN) {
                self.lint_shown(&format!("{}.{name}", spec.name), value);
            }
            let form = schema.get(FORM).and_then(serde_json::Value::as_str);
            let is_name = marked(NAME) || form.is_some_and(|form| form.ends_with("-name"));
            if let Some(variable) = env_read_by(value).filter(|_| is_name) {
                self.secret_name(name, &variable, value);
            } else if marked(STORED) || marked(NAME) {
                self.lint_stored(name, value);
            }
            if marked(NAME) {
                self.lint_name(entry, value, node, step);
            }
            if marked(RUNTIME) {
                self.lint_runtime(&entry.value);
            }
        }
    }

    fn lint_stored(&mut self, field: &str, template: &Template) {
        for span in self.secrets_in(template) {
            self.fault(
                Diagnostic::new(
                    Code::SecretStored,
                    format!("`{field}` keeps a secret where others can read it"),
                )
                .at(span)
                .label("stored as plain text")
                .help("hand it on where it is needed, or store the name of a secret in AWS Secrets Manager"),
            );
        }
    }

    /// A name made of a variable of the environment, of which nobody has said that it is no secret.
    fn secret_name(&mut self, field: &str, variable: &str, template: &Template) {
        let input = variable.to_ascii_lowercase();
        for span in self.secrets_in(template) {
            self.fault(
                Diagnostic::new(
                    Code::SecretInName,
                    format!("`{field}` reads `env.{variable}`, which is treated as a secret"),
                )
                .at(span)
                .label("names are written to the journal, and seen by everybody")
                .help(format!(
                    "say that it is none, `public_env: [{variable}]` at the top, or declare `inputs: {{{input}: {{default: \"{{{{ env.{variable} }}}}\"}}}}` and read `inputs.{input}`"
                )),
            );
        }
    }

    fn lint_name(&mut self, entry: &Entry, template: &Template, input: &Node, step: &Node) {
        let adopts = input.get("if_exists").and_then(Node::as_str) == Some("adopt");
        let expects = EXPECTS.iter().any(|key| step.get(key).is_some());
        // What is no text is no name, which has been said.
        if entry.value.as_str().is_none()
            || adopts
            || expects
            || !self.scope.shape_of_template(template).fixed
        {
            return;
        }
        let field = &entry.key.name;
        let help = match (entry.value.as_str(), template.kind()) {
            (Some(text), TemplateKind::Literal) => {
                format!("write \"{}-{{{{ run.id }}}}\"", text.trim_end_matches('-'))
            }
            (_, TemplateKind::Expression(expression)) if expression.path().is_some() => {
                format!("put `{{{{ run.id }}}}` into what `{}` is", expression.source())
            }
            _ => "put `{{ run.id }}` into it".to_owned(),
        };
        self.fault(
            Diagnostic::new(Code::FixedName, format!("two runs would want the same `{field}`"))
                .at(entry.value.span)
                .label("the same in every run")
                .help(help),
        );
    }

    fn lint_runtime(&mut self, node: &Node) {
        let Some(name) = node.as_str().filter(|text| !super::fields::is_templated(text)) else {
            return;
        };
        match runtimes::of(name) {
            Runtime::Current => {}
            Runtime::Deprecated { since, instead } => self.fault(
                Diagnostic::new(
                    Code::DeprecatedRuntime,
                    format!("the runtime `{name}` has been deprecated since {since}"),
                )
                .at(node.span)
                .label("AWS refuses new functions with it sooner or later")
                .help(format!("write `runtime: {instead}`")),
            ),
            Runtime::Unknown => {
                let help = match did_you_mean(name, runtimes::current()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "check its name; a newer one than this program is all right".to_owned(),
                };
                self.fault(
                    Diagnostic::new(
                        Code::UnknownRuntime,
                        format!("`{name}` is no runtime that is known"),
                    )
                    .at(node.span)
                    .label("unknown runtime")
                    .help(help),
                );
            }
        }
    }

    /// Where secrets are read in a template.
    fn secrets_in(&self, template: &Template) -> Vec<Span> {
        match template.kind() {
            TemplateKind::Literal => Vec::new(),
            TemplateKind::Expression(expression) => {
                let secret = self.scope.shape_of_expression(expression).secret;
                secret.then(|| template.span()).into_iter().collect()
            }
            TemplateKind::Text(text) => text
                .references()
                .iter()
                .filter(|it| !it.optional && self.scope.shape_of(&it.path).secret)
                .map(|it| it.span)
                .collect(),
            TemplateKind::Sequence(items) => {
                items.iter().flat_map(|item| self.secrets_in(item)).collect()
            }
            TemplateKind::Mapping(entries) => {
                entries.iter().flat_map(|entry| self.secrets_in(&entry.value)).collect()
            }
        }
    }
}

/// A variable of the environment that a template reads.
fn env_read_by(template: &Template) -> Option<String> {
    let references = template.references();
    references.iter().find_map(|reference| match reference.path.as_slice() {
        [root, name, ..] if root == "env" => Some(name.clone()),
        _ => None,
    })
}

/// Whether a name itself says that nothing reads it.
fn named_unused(name: &str) -> bool {
    name.starts_with('_')
}

/// Where a step fails whatever happens, if it does.
pub(super) fn end_of(step: &Step) -> Option<Span> {
    let sometimes = step.when.is_some() || step.for_each.is_some();
    if sometimes || !step.expect_error.is_empty() || !step.allow_error.is_empty() {
        return None;
    }
    match &step.action {
        Action::Kind { spec, .. } => (spec.name == "fail").then_some(step.kind_span),
        Action::Block { steps, rescue, .. } if rescue.is_empty() => steps.iter().find_map(end_of),
        Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => {
            steps.iter().find_map(end_of)
        }
        _ => None,
    }
}
