//! A playbook that has passed every check that needs no AWS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::diagnostic::Span;
use crate::question::Question;
use crate::spec::Spec;
use crate::template::{Expression, Template};

/// A playbook: names resolved, inputs typed, references checked.
#[derive(Debug)]
pub struct Playbook {
    /// The file, as it was named on the command line or by `include`.
    pub file: PathBuf,
    /// The directory that files named in it are relative to.
    pub directory: PathBuf,
    /// The directory that files named in it must lie under: the repository's root, or the playbook's directory.
    pub root: PathBuf,
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// `inputs`, in order.
    pub inputs: Vec<Input>,
    /// `public_env`: the variables of the environment that are no secrets.
    pub public_env: Vec<String>,
    /// `vars`, in order.
    pub vars: Vec<(String, Template)>,
    /// `steps`, in order.
    pub steps: Vec<Step>,
    /// `matrix`: what the playbook is run with, where the command line says nothing else; of no effect where it is included.
    pub matrix: Matrix,
    /// `outputs`: what an including playbook sees.
    pub outputs: Vec<(String, Expression)>,
}

/// Lists of which the playbook is run with every combination.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    /// The values of inputs.
    pub inputs: Vec<(String, Vec<Value>)>,
    /// Regions.
    pub regions: Vec<String>,
    /// Profiles of the AWS configuration, and so accounts and roles.
    pub profiles: Vec<String>,
}

/// What a person or CI gives.
#[derive(Debug)]
pub struct Input {
    /// The question; its `default` is empty, see [`Input::default`].
    pub question: Question,
    /// Whether the playbook says what to ask. One that has a default and no prompt is never asked for.
    pub asked: bool,
    /// `description`: more than fits in the prompt.
    pub description: Option<String>,
    /// The value when nothing is given; may refer to `run`, `env` and earlier inputs.
    pub default: Option<Template>,
    /// Where it is declared.
    pub span: Span,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// `id`.
    pub id: Option<String>,
    /// `name`.
    pub name: Option<Template>,
    /// Where it stands.
    pub span: Span,
    /// Where its kind stands.
    pub kind_span: Span,
    /// `when`, asked once, before any loop.
    pub when: Option<Expression>,
    /// `when` that reads `item` or `loop`: asked in each round.
    pub when_each: Option<Expression>,
    /// `for_each`.
    pub for_each: Option<ForEach>,
    /// `parallel` beside `for_each`: how many of its rounds run at the same time.
    pub parallel: Option<u32>,
    /// `retry`.
    pub retry: Option<Retry>,
    /// `poll`.
    pub poll: Option<Poll>,
    /// `timeout`: of one attempt.
    pub timeout: Option<Duration>,
    /// `expect_error`: the codes of which one must come.
    pub expect_error: Vec<String>,
    /// `allow_error`: the codes that are as good as success.
    pub allow_error: Vec<String>,
    /// `assert`.
    pub asserts: Vec<Expression>,
    /// `outputs`: further outputs, made from `result`.
    pub outputs: Vec<(String, Expression)>,
    /// `keep`: what it makes stays.
    pub keep: bool,
    /// `pages`: how many are joined.
    pub pages: Option<Pages>,
    /// `wait`: what the step ends with.
    pub wait: Option<Wait>,
    /// `undo`: what takes it back.
    pub undo: Option<Undo>,
    /// What it does.
    pub action: Action,
}

/// How many pages of an answer are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Every one.
    All,
    /// So many at most.
    Most(u32),
}

/// A waiter of AWS's model.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Its name.
    pub name: String,
    /// Its input, where the playbook says it; may read `result`.
    pub input: Option<Template>,
}

/// The operation that takes back what a step does.
#[derive(Debug, Clone)]
pub struct Undo {
    /// What the operation says of itself.
    pub spec: &'static Spec,
    /// Its input; may read `result`.
    pub input: Template,
    /// What ends once it is gone.
    pub wait: Option<Wait>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// A kind of the registry.
    Kind {
        /// What the kind says of itself.
        spec: &'static Spec,
        /// Its input.
        input: Template,
    },
    /// `block`, with `rescue` and `always` beside it.
    Block {
        /// Run in order.
        steps: Vec<Step>,
        /// Run when one of them failed.
        rescue: Vec<Step>,
        /// Run whatever happened.
        always: Vec<Step>,
    },
    /// `repeat`: at least once.
    Repeat {
        /// Evaluated after each round.
        until: Expression,
        /// Run in order, each round.
        steps: Vec<Step>,
        /// The most rounds; more fail the step.
        limit: u32,
    },
    /// `parallel`: at the same time.
    Parallel {
        /// None of them sees what another returns.
        steps: Vec<Step>,
        /// How many of them at once; all, where it does not say.
        max: Option<u32>,
    },
    /// `include`.
    Include {
        /// The included playbook.
        playbook: Arc<Playbook>,
        /// Its inputs.
        inputs: Template,
    },
    /// `cleanup`.
    Cleanup {
        /// The question that is asked first.
        confirm: Option<Template>,
    },
}

/// What a loop goes over.
#[derive(Debug)]
pub enum ForEach {
    /// A bare expression.
    Expression(Expression),
    /// A list written out.
    List(Template),
}

/// `retry`.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The codes that are worth another try; empty: any.
    pub on: Vec<String>,
    /// How many tries in all.
    pub attempts: u32,
    /// The same, where an expression says so.
    pub attempts_from: Option<Template>,
    /// The wait before the second try; doubled each time, up to 30 s.
    pub every: Duration,
    /// The input to ask for again before the next try.
    pub ask: Option<String>,
}

/// `poll`.
#[derive(Debug)]
pub struct Poll {
    /// Evaluated over `result` after each try.
    pub until: Expression,
    /// The wait between tries.
    pub every: Duration,
    /// When to give up.
    pub timeout: Duration,
}

impl Playbook {
    /// Visits every step, those inside other steps and those of included playbooks too, in the order of the file.
    pub fn walk(&self, visit: &mut dyn FnMut(&Step)) {
        walk(&self.steps, visit);
    }
}

fn walk(steps: &[Step], visit: &mut dyn FnMut(&Step)) {
    for step in steps {
        visit(step);
        match &step.action {
            Action::Kind { .. } | Action::Cleanup { .. } => {}
            Action::Block { steps, rescue, always } => {
                walk(steps, visit);
                walk(rescue, visit);
                walk(always, visit);
            }
            Action::Repeat { steps, .. } | Action::Parallel { steps, .. } => walk(steps, visit),
            Action::Include { playbook, .. } => playbook.walk(visit),
        }
    }
}

impl Step {
    /// Whether it may fail without ending the run.
    #[must_use]
    pub fn may_fail(&self) -> bool {
        !self.expect_error.is_empty() || !self.allow_error.is_empty()
    }

    /// The key that says what the step does.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.action {
            Action::Kind { spec, .. } => spec.name,
            Action::Block { .. } => "block",
            Action::Repeat { .. } => "repeat",
            Action::Parallel { .. } => "parallel",
            Action::Include { .. } => "include",
            Action::Cleanup { .. } => "cleanup",
        }
    }
}
