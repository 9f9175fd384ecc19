//! The names that the steps of one playbook file see.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::Engine;
use super::fault::Fault;
use super::outputs::plan;
use crate::event::{Failure, OnlyIf, StepRef};
use crate::journal::Journal;
use crate::step::{QuestionType, Seq};
use language::diagnostic::Code;
use language::playbook::{Input, Playbook};
use language::template::{Evaluated, Namespace, Reference, Scope, from_json, to_json, unknown};

/// The names that the steps of one playbook file see, and what those steps have made.
pub(super) struct Frame<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) directory: Arc<Path>,
    pub(super) root: Arc<Path>,
    inputs: Namespace,
    vars: Namespace,
    pub(super) steps: Namespace,
    scope: Scope,
    /// Which entries of the journal a step's outputs come from.
    makers: Mutex<BTreeMap<String, BTreeSet<Seq>>>,
    /// Entries that this file's inputs come from.
    inherited: BTreeSet<Seq>,
    around: Around,
    depth: usize,
}

/// What step of a run it is, as far as the steps around it tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// Their numbers, such as `5[1].`.
    numbers: String,
    /// Their ids, such as `deploy/`.
    path: String,
    /// The rounds of those that loop.
    rounds: Vec<Option<u32>>,
}

impl Around {
    /// What stands in a step.
    fn inside(at: &StepRef) -> Self {
        let StepRef { number, path, rounds, .. } = at;
        Self { numbers: format!("{number}."), path: format!("{path}/"), rounds: rounds.clone() }
    }
}

/// Where steps stand: what is around them, their depth, the names they see.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) around: Around,
    pub(super) depth: usize,
    pub(super) scope: Scope,
    pub(super) keep: bool,
    /// Entries that the loop they stand in comes from.
    pub(super) depends: BTreeSet<Seq>,
    /// In a dry run: what has to happen first, for them to run.
    pub(super) only_if: Option<OnlyIf>,
    /// In a dry run: where what they make is written down, if it is none of what the run surely makes.
    pub(super) aside: Option<Journal>,
    /// In a run that goes on: why those of them that are not over failed before, where what comes after has begun.
    pub(super) failed_before: Option<Box<Failure>>,
}

impl Place {
    /// The step at an index, of that id.
    pub(super) fn step(&self, index: usize, id: Option<&str>, kind: &str) -> StepRef {
        let place = index + 1;
        let own = id.map_or_else(|| place.to_string(), str::to_owned);
        StepRef {
            path: format!("{}{own}", self.around.path),
            rounds: self.around.rounds.clone(),
            number: format!("{}{place}", self.around.numbers),
            depth: self.depth,
            id: id.map(str::to_owned),
            title: id.unwrap_or(kind).to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// What the numbers of the steps begin with.
    pub(super) fn numbers(&self) -> &str {
        &self.around.numbers
    }

    /// One deeper, in a step.
    pub(super) fn beneath(&self, at: &StepRef) -> Self {
        Self { around: Around::inside(at), depth: self.depth + 1, ..self.clone() }
    }

    /// In a named part of the step around.
    pub(super) fn part(&self, name: &str) -> Self {
        let mut place = self.clone();
        place.around.numbers.extend([name, "."]);
        place.around.path.extend([name, "/"]);
        place
    }

    /// In a round of the step around, counted from 1.
    pub(super) fn round(&self, round: u32) -> Self {
        let mut place = self.clone();
        place.around.numbers.pop();
        let _ = write!(place.around.numbers, "[{}].", round - 1);
        place.around.rounds.push(Some(round));
        place
    }
}

impl<'a> Frame<'a> {
    /// The frame of the playbook that is run.
    pub(super) fn main(engine: &Engine, playbook: &'a Playbook) -> Result<Self, Fault> {
        let overrides = &engine.setup.overrides;
        let frame = Self::new(engine, playbook, BTreeSet::new(), Around::default(), 0);
        frame.fill_inputs(engine, &engine.setup.inputs)?;
        frame.fill_vars(engine, overrides)?;
        Ok(frame)
    }

    /// The frame of an included playbook.
    pub(super) fn included(
        engine: &Engine,
        playbook: &'a Playbook,
        given: &Evaluated,
        depends: BTreeSet<Seq>,
        place: &Place,
    ) -> Result<Self, Fault> {
        let frame = Self::new(engine, playbook, depends, place.around.clone(), place.depth);
        frame.fill_included(engine, given)?;
        frame.fill_vars(engine, &BTreeMap::new())?;
        Ok(frame)
    }

    fn new(
        engine: &Engine,
        playbook: &'a Playbook,
        inherited: BTreeSet<Seq>,
        around: Around,
        depth: usize,
    ) -> Self {
        let inputs = Namespace::new();
        let steps = Namespace::new();
        let vars = Namespace::new();
        let mut scope = Scope::new();
        scope.set("inputs", &inputs);
        scope.set("vars", &vars);
        scope.set("steps", &steps);
        scope.set("run", &engine.run);
        scope.set("env", engine.env_namespace(&playbook.public_env));
        Self {
            playbook,
            directory: Arc::from(playbook.directory.as_path()),
            root: Arc::from(playbook.root.as_path()),
            inputs,
            vars,
            steps,
            scope,
            makers: Mutex::default(),
            inherited,
            around,
            depth,
        }
    }

    /// Where the file's own steps stand.
    pub(super) fn top(&self) -> Place {
        Place {
            around: self.around.clone(),
            depth: self.depth,
            scope: self.scope.clone(),
            keep: false,
            depends: BTreeSet::new(),
            only_if: None,
            aside: None,
            failed_before: None,
        }
    }

    /// The same names for steps that may never run, or run at the same time as others: what they return, nobody else sees.
    pub(super) fn aside(&self) -> Self {
        let makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let steps = self.steps.copied();
        let mut scope = self.scope.child();
        scope.set("steps", &steps);
        Self {
            playbook: self.playbook,
            directory: Arc::clone(&self.directory),
            root: Arc::clone(&self.root),
            inputs: self.inputs.clone(),
            vars: self.vars.clone(),
            steps,
            scope,
            makers: Mutex::new(makers),
            inherited: self.inherited.clone(),
            around: self.around.clone(),
            depth: self.depth,
        }
    }

    /// Takes in what steps in a copy of these names have come to.
    pub(super) fn take_in(&self, other: &Self) {
        for id in other.steps.names() {
            if let Some(outputs) = other.steps.get(&id) {
                self.steps.insert(id, outputs);
            }
        }
        let made = other.makers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (id, sources) in made {
            self.remember(&id, sources);
        }
    }

    fn fill_inputs(&self, engine: &Engine, given: &BTreeMap<String, Json>) -> Result<(), Fault> {
        for input in &self.playbook.inputs {
            match given.get(&input.question.name) {
                // At a terminal, what a person will say is not known in a dry run.
                Some(value) if engine.setup.aws.is_dry_run() => {
                    let path = format!("inputs.{}", input.question.name);
                    self.set_input(engine, input, Evaluated::open(plan(value, &path)));
                }
                Some(value) => {
                    self.set_input(engine, input, Evaluated::open(from_json(value)));
                }
                None => self.default_input(engine, input)?,
            }
        }
        Ok(())
    }

    fn fill_included(&self, engine: &Engine, given: &Evaluated) -> Result<(), Fault> {
        for input in &self.playbook.inputs {
            let name = &input.question.name;
            let Some(value) = given.field(name) else {
                self.default_input(engine, input)?;
                continue;
            };
            if !given.unknown
                && let Err(wanted) = input.question.check(&to_json(&value.value))
            {
                let message = format!("input `{name}` {wanted}");
                return Err(Fault::new("InvalidInput", Code::StepFailed, message));
            }
            self.set_input(engine, input, value);
        }
        Ok(())
    }

    fn default_input(&self, engine: &Engine, input: &Input) -> Result<(), Fault> {
        match &input.default {
            Some(template) => {
                // Whoever declares an input says by its type whether it is a secret, wherever its default comes from.
                let references = template.references();
                let mut roots = references.iter().filter_map(|it| it.path.first());
                let open = input.question.answer != QuestionType::Secret
                    && !roots.any(|root| root == "inputs");
                let default = if open {
                    let Evaluated { value, unknown, .. } = template.render(&self.scope)?;
                    Evaluated { unknown, ..Evaluated::open(value) }
                } else {
                    engine.render(template, &self.scope)?
                };
                self.set_input(engine, input, default);
            }
            // Only a dry run gets here without a value: nobody is asked then.
            None => {
                let name = format!("inputs.{}", input.question.name);
                self.inputs.insert(&input.question.name, unknown(name));
            }
        }
        Ok(())
    }

    /// Gives an input its value.
    pub(super) fn set_input(&self, engine: &Engine, input: &Input, value: Evaluated) {
        let value = if input.question.answer == QuestionType::Secret {
            engine.setup.sink.redactor().learn_inside(&to_json(&value.value));
            Evaluated::hidden(value.value)
        } else {
            value
        };
        self.inputs.insert_evaluated(&input.question.name, &value);
    }

    fn fill_vars(&self, engine: &Engine, overrides: &BTreeMap<String, Json>) -> Result<(), Fault> {
        for (name, template) in &self.playbook.vars {
            match overrides.get(name) {
                Some(value) => self.vars.insert(name, from_json(value)),
                None => self.vars.insert_evaluated(name, &engine.render(template, &self.scope)?),
            }
        }
        Ok(())
    }

    /// The entries of the journal that these references come from.
    pub(super) fn sources_of<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
    ) -> BTreeSet<Seq> {
        let makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sources = BTreeSet::new();
        for reference in references {
            match reference.path.first().map(String::as_str) {
                Some("steps") => {
                    let made = reference.path.get(1).and_then(|id| makers.get(id));
                    sources.extend(made.into_iter().flatten());
                }
                Some("inputs" | "vars") => sources.extend(&self.inherited),
                _ => {}
            }
        }
        sources
    }

    /// Remembers which entries a step's outputs come from.
    pub(super) fn remember(&self, id: &str, sources: impl IntoIterator<Item = Seq>) {
        let mut makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner);
        makers.entry(id.to_owned()).or_default().extend(sources);
    }

    /// Everything that this file's steps have made, for whoever included it.
    pub(super) fn all_sources(&self) -> BTreeSet<Seq> {
        let makers = self.makers.lock().unwrap_or_else(PoisonError::into_inner);
        makers.values().flatten().copied().collect()
    }
}
