//! What a run can be seen to fail at before it calls anything.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::model::{Action, Playbook, Step};
use super::references::{of_playbook, of_step};
use crate::diagnostic::{Code, Diagnostic};
use crate::spec::ASKS;
use crate::template::{Expression, Reference, Template, TemplateKind};

/// How long a step that talks to AWS is thought to take.
const STEP: Duration = Duration::from_secs(15);

/// What is known of a run before its first call.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'c> {
    /// The variables of the environment.
    pub environment: &'c BTreeMap<String, String>,
    /// Whether the run is `--local`.
    pub local: bool,
}

impl Playbook {
    /// What this run would fail at whatever AWS answers.
    #[must_use]
    pub fn preflight(&self, circumstances: Circumstances<'_>) -> Vec<Diagnostic> {
        let mut faults = self.missing_variables(circumstances.environment);
        if !circumstances.local {
            faults.extend(self.inbox_readers().iter().map(local_only));
        }
        faults
    }

    /// The questions that nobody is there to answer, and that the run is certain to come to.
    #[must_use]
    pub fn unanswered(&self) -> Vec<Diagnostic> {
        self.certain_questions().into_iter().map(missing_answer).collect()
    }

    /// Values that let whoever has them do anything, by what `allows_everything` says of a policy.
    #[must_use]
    pub fn administrators(
        &self,
        allows_everything: &dyn Fn(&serde_json::Value) -> bool,
    ) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        self.walk(&mut |step| {
            if let Action::Kind { input, .. } = &step.action {
                look_for_administrator(input, allows_everything, &mut faults);
            }
        });
        faults
    }

    /// What a run and its clean-up may take, people's answers aside.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        let mut estimate = Duration::ZERO;
        self.walk(&mut |step| {
            if let Action::Kind { spec, .. } = &step.action
                && !spec.calls.is_empty()
            {
                estimate += step.timeout.unwrap_or(STEP);
                estimate += step.poll.as_ref().map_or(Duration::ZERO, |poll| poll.timeout);
            }
        });
        estimate
    }

    /// The environment is known before the first call, so what it lacks is said before.
    fn missing_variables(&self, environment: &BTreeMap<String, String>) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for reference in self.references() {
            let [root, name, ..] = reference.path.as_slice() else { continue };
            if root == "env" && !reference.optional && !environment.contains_key(name) {
                faults.push(
                    Diagnostic::new(
                        Code::MissingVariable,
                        format!("the environment has no `{name}`"),
                    )
                    .at(reference.span)
                    .label("is not set")
                    .help(format!("set {name}, or write `env.{name} | default(\"…\")`")),
                );
            }
        }
        faults
    }

    /// Where `run.inbox` is read whether or not the run is `--local`.
    fn inbox_readers(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        inbox_readers(self, &mut HashSet::new(), &mut found);
        found.sort_by_key(|it| (it.span.source, it.span.start));
        found
    }

    /// The steps that put a question without a default, and that the run comes to unless a step before them fails.
    fn certain_questions(&self) -> Vec<&Step> {
        let mut found = Vec::new();
        certain_questions(&self.steps, &mut HashSet::new(), &mut found);
        found
    }
}

/// `run.inbox` is known not to be there, so that is said before anything is made.
fn local_only(reference: &Reference) -> Diagnostic {
    Diagnostic::new(Code::LocalOnly, "`run.inbox` exists only with `--local`")
        .at(reference.span)
        .label("AWS sends its messages to their addressees")
        .help("add `when: run.local` to the step, or write `… if run.local else …`")
}

/// Whether anybody is there to ask is known before the first call.
fn missing_answer(step: &Step) -> Diagnostic {
    let question = step.id.as_deref().unwrap_or(step.kind());
    Diagnostic::new(Code::MissingAnswer, format!("nobody is there to answer `{question}`"))
        .at(step.kind_span)
        .label("asks, and has no default")
        .help("give it a `default`, or run at a terminal; `inputs` can be given beforehand")
}

fn look_for_administrator(
    template: &Template,
    allows_everything: &dyn Fn(&serde_json::Value) -> bool,
    faults: &mut Vec<Diagnostic>,
) {
    // What is templated is looked at by the step that is about to attach it.
    if template.literal().is_some_and(allows_everything) {
        faults.push(
            Diagnostic::new(Code::AdministratorPolicy, "this policy allows everything")
                .at(template.span())
                .label("a function with this role could do anything in the account")
                .help("name a policy that allows what is needed, or run with --allow-admin"),
        );
        return;
    }
    match template.kind() {
        TemplateKind::Sequence(items) => {
            for item in items {
                look_for_administrator(item, allows_everything, faults);
            }
        }
        TemplateKind::Mapping(entries) => {
            for entry in entries {
                look_for_administrator(&entry.value, allows_everything, faults);
            }
        }
        TemplateKind::Literal | TemplateKind::Expression(_) | TemplateKind::Text(_) => {}
    }
}

fn inbox_readers(
    playbook: &Playbook,
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<Reference>,
) {
    if !seen.insert(std::ptr::from_ref(playbook)) {
        return;
    }
    let mut all = Vec::new();
    of_playbook(playbook, &mut all);
    found.extend(all.into_iter().filter(is_inbox));
    inbox_readers_in(&playbook.steps, seen, found);
}

fn inbox_readers_in(
    steps: &[Step],
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<Reference>,
) {
    for step in steps.iter().filter(|step| !asks_whether_local(step)) {
        let mut own = Vec::new();
        of_step(step, &mut own);
        found.extend(own.into_iter().filter(is_inbox));
        match &step.action {
            Action::Kind { .. } | Action::Cleanup { .. } => {}
            Action::Block { steps, rescue, always } => {
                for list in [steps, rescue, always] {
                    inbox_readers_in(list, seen, found);
                }
            }
            Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => {
                inbox_readers_in(steps, seen, found);
            }
            Action::Include { playbook, .. } => inbox_readers(playbook, seen, found),
        }
    }
}

fn is_inbox(reference: &Reference) -> bool {
    let guarded = reference.optional || reference.conditional;
    !guarded && reads(reference, "inbox")
}

fn reads(reference: &Reference, name: &str) -> bool {
    matches!(reference.path.as_slice(), [root, member, ..] if root == "run" && member == name)
}

fn asks_whether_local(step: &Step) -> bool {
    let mut read = step.when.iter().chain(&step.when_each).flat_map(Expression::references);
    read.any(|it| reads(it, "local") || (it.optional && reads(it, "inbox")))
}

fn certain_questions<'p>(
    steps: &'p [Step],
    seen: &mut HashSet<*const Playbook>,
    found: &mut Vec<&'p Step>,
) {
    for step in steps.iter().filter(|step| step.when.is_none() && step.for_each.is_none()) {
        match &step.action {
            Action::Kind { .. } => found.extend(is_open_question(step).then_some(step)),
            Action::Block { steps, rescue, always } => {
                if rescue.is_empty() {
                    certain_questions(steps, seen, found);
                }
                certain_questions(always, seen, found);
            }
            Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => {
                certain_questions(steps, seen, found);
            }
            Action::Include { playbook, .. } => {
                if seen.insert(std::ptr::from_ref(&**playbook)) {
                    certain_questions(&playbook.steps, seen, found);
                }
            }
            Action::Cleanup { .. } => {}
        }
    }
}

/// Whether a step asks something to which only a person knows the answer.
fn is_open_question(step: &Step) -> bool {
    let Action::Kind { spec, input } = &step.action else { return false };
    let asks = spec.input.get(ASKS).and_then(serde_json::Value::as_bool) == Some(true);
    let answered = match input.kind() {
        TemplateKind::Mapping(_) => {
            input.get("default").is_some_and(|it| it.literal() != Some(&serde_json::Value::Null))
        }
        // A whole map that a template makes.
        TemplateKind::Expression(_) => spec.shorthand.is_none(),
        _ => false,
    };
    asks && !answered && !step.may_fail()
}
