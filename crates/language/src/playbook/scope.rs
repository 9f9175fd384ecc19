//! The names that can be seen from one place of a playbook.

mod control_flow;
mod may_fail;
mod names;
mod outputs;
mod shapes;

use std::cell::Cell;
use std::collections::HashSet;

pub(super) use control_flow::{Condition, ControlFlow, List};
pub(super) use may_fail::MayFail;
pub(super) use names::Names;
pub(super) use outputs::Outputs;
pub(super) use shapes::{Rendered, as_written};

use super::fields::quoted;
use super::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::question::QuestionType;
use crate::template::Reference;
use crate::types::Types;
use outputs::{check_output, unknown_output};

/// A loop around a place.
#[derive(Debug, Clone)]
pub(super) enum Loop {
    /// `for_each`, which has an `item`.
    Items(Shape),
    /// `repeat`, which does not know how often it will go round.
    Rounds,
}

/// What may be named in a section of a playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Section {
    /// The default of an input: `run`, `env` and earlier inputs.
    Defaults,
    /// A variable: no steps.
    Vars,
    /// Everything.
    #[default]
    Steps,
}

/// What is known of an input.
#[derive(Debug)]
pub(super) struct InputFacts {
    pub(super) shape: Shape,
    pub(super) span: Span,
    pub(super) used: bool,
}

/// What is known of a variable.
#[derive(Debug)]
pub(super) struct VarFacts {
    pub(super) shape: Shape,
    pub(super) span: Span,
    pub(super) used: bool,
}

/// What is known of a step that stands before.
#[derive(Debug)]
pub(super) struct StepFacts {
    pub(super) outputs: Outputs,
    pub(super) flow: ControlFlow,
}

/// The names that can be seen from one place of a playbook.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) section: Section,
    /// The inputs declared so far.
    pub(super) inputs: Names<InputFacts>,
    pub(super) all_inputs: HashSet<String>,
    pub(super) vars: Names<VarFacts>,
    pub(super) all_vars: HashSet<String>,
    /// The variables of the environment that are no secrets.
    pub(super) public_env: HashSet<String>,
    /// The steps that stand before.
    pub(super) steps: Names<StepFacts>,
    pub(super) all_steps: HashSet<String>,
    /// The steps that run at the same time as this place.
    pub(super) beside: HashSet<String>,
    /// The steps that this place is part of.
    pub(super) around: Vec<String>,
    /// Where this place stands among the steps.
    pub(super) flow: ControlFlow,
    /// The loops that are around, the innermost last.
    pub(super) loops: Vec<Loop>,
    /// Whether this is the `when` of a step with `for_each`.
    pub(super) before_loop: bool,
    /// How many `rescue` lists are around.
    pub(super) rescues: usize,
    /// What the step itself returned, in `assert`, `until` and `outputs`.
    pub(super) result: Option<Outputs>,
    /// Whether the step may have failed, in its `assert` and `outputs`.
    pub(super) may_fail: MayFail,
    /// The input or variable whose value is being read.
    pub(super) defining: Option<String>,
    /// Whether the inputs, or the variables, could not be read, so that nobody knows which there are.
    pub(super) unread: HashSet<&'static str>,
    /// The names that a loop was to give its items, as it does in other languages; they have been told of.
    pub(super) misnamed_items: HashSet<String>,
    /// What is read before it is declared.
    pub(super) ahead: HashSet<(&'static str, String)>,
    /// How often it has been guessed what was meant.
    guesses: Cell<usize>,
}

/// Comparing names takes time, and a file with more mistakes than these has another problem.
const MOST_GUESSES: usize = 300;

const ROOTS: &[&str] = &["inputs", "vars", "steps", "run", "env"];
/// The names under `run`.
pub const RUN_FACTS: &[&str] = &["id", "started", "region", "account", "local", "inbox"];
const ITEMS: &[&str] = &["index", "index0", "first", "last", "length"];
const ROUNDS: &[&str] = &["index", "index0", "first"];

/// Where segment `index` of a reference stands.
fn segment(reference: &Reference, index: usize) -> Span {
    reference.parts.get(index).copied().unwrap_or(reference.span)
}

fn fault(code: Code, message: String, span: Span, label: &str, help: String) -> Diagnostic {
    let fault = Diagnostic::new(code, message).at(span).label(label);
    if help.is_empty() { fault } else { fault.help(help) }
}

impl Scope {
    /// What is wrong with a reference, if anything.
    pub(super) fn check(&self, reference: &Reference) -> Option<Diagnostic> {
        let (root, rest) = reference.path.split_first()?;
        match root.as_str() {
            "inputs" => self.check_input(reference, rest.first()?),
            "vars" => self.check_var(reference, rest.first()?),
            "steps" => self.check_step(reference, rest),
            "run" => check_member(reference, "run", rest.first()?, RUN_FACTS),
            "env" => None,
            "loop" if matches!(self.loops.last(), Some(Loop::Rounds)) => {
                check_member(reference, "loop", rest.first()?, ROUNDS)
            }
            "loop" if !self.loops.is_empty() => {
                check_member(reference, "loop", rest.first()?, ITEMS)
            }
            "item" if self.item().is_some() => self.check_inside(reference, 1),
            "item" | "loop" => Some(self.outside_loop(reference, root)),
            "result" => self.check_result(reference, rest),
            "error" if self.has_error() => {
                self.check_inside(reference, 1).or_else(|| self.check_own_error(reference))
            }
            "error" => Some(fault(
                Code::MisplacedReference,
                "`error` exists only inside `rescue`, and in `assert` and `outputs` beside `expect_error` or `allow_error`"
                    .to_owned(),
                segment(reference, 0),
                "no error to speak of here",
                "move the step under `rescue:`, or name the error in `expect_error`".to_owned(),
            )),
            _ if self.misnamed_items.contains(root) => None,
            _ => Some(self.unknown_root(reference, root)),
        }
    }

    /// The name that was probably meant; after many mistakes nobody guesses any more.
    pub(super) fn guess<'n>(
        &self,
        word: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        let guesses = self.guesses.get();
        self.guesses.set(guesses + 1);
        if guesses < MOST_GUESSES { did_you_mean(word, names) } else { None }
    }

    fn outside_loop(&self, reference: &Reference, root: &str) -> Diagnostic {
        let inside = if root == "item" { "`for_each`" } else { "`for_each` and `repeat`" };
        let help = if self.before_loop {
            "`for_each` is read once, before the loop"
        } else {
            "put `for_each: <list>` on this step or on the block around it"
        };
        fault(
            Code::MisplacedReference,
            format!("`{root}` exists only inside {inside}"),
            segment(reference, 0),
            "no such loop around this",
            help.to_owned(),
        )
    }

    fn check_input(&self, reference: &Reference, name: &str) -> Option<Diagnostic> {
        if self.inputs.has(name) {
            return self.check_inside(reference, 2);
        }
        let span = segment(reference, 1);
        if self.unread.contains("inputs") {
            return None;
        }
        if self.section == Section::Defaults && self.defining.as_deref() == Some(name) {
            return Some(reads_itself("input", name, span));
        }
        if self.all_inputs.contains(name) {
            return Some(fault(
                Code::LaterReference,
                format!("input `{name}` has no value yet"),
                span,
                "declared further down",
                format!("move `{name}` above the input that needs it"),
            ));
        }
        let help = match self.guess(name, self.inputs.near()) {
            Some(near) => format!("did you mean `inputs.{near}`?"),
            None => format!("declare it at the top: `inputs: {{{name}: {{prompt: …}}}}`"),
        };
        let message = format!("there is no input `{name}`");
        Some(fault(Code::UnknownReference, message, span, "not declared under `inputs`", help))
    }

    fn check_var(&self, reference: &Reference, name: &str) -> Option<Diagnostic> {
        if self.section == Section::Defaults {
            return Some(fault(
                Code::MisplacedReference,
                "the default of an input cannot use `vars`".to_owned(),
                segment(reference, 0),
                "computed after the inputs are known",
                "use `run`, `env` and the inputs above, or make it a variable".to_owned(),
            ));
        }
        if self.vars.has(name) {
            return self.check_inside(reference, 2);
        }
        let span = segment(reference, 1);
        if self.unread.contains("vars") {
            return None;
        }
        if self.section == Section::Vars && self.defining.as_deref() == Some(name) {
            return Some(reads_itself("variable", name, span));
        }
        if self.all_vars.contains(name) {
            return Some(fault(
                Code::LaterReference,
                format!("variable `{name}` has no value yet"),
                span,
                "computed further down",
                format!("move `{name}` above the variable that needs it"),
            ));
        }
        let help = match self.guess(name, self.vars.near()) {
            Some(near) => format!("did you mean `vars.{near}`?"),
            None => format!("declare it at the top: `vars: {{{name}: …}}`"),
        };
        let message = format!("there is no variable `{name}`");
        Some(fault(Code::UnknownReference, message, span, "not declared under `vars`", help))
    }

    fn check_step(&self, reference: &Reference, rest: &[String]) -> Option<Diagnostic> {
        if self.section != Section::Steps {
            let what = if self.section == Section::Vars {
                "a variable"
            } else {
                "the default of an input"
            };
            return Some(fault(
                Code::MisplacedReference,
                format!("{what} cannot use `steps`"),
                segment(reference, 0),
                "known before the first step runs",
                "use the step's output where it is needed, or give that step `outputs:`".to_owned(),
            ));
        }
        let (id, path) = rest.split_first()?;
        match self.steps.get(id) {
            Some(facts) => check_output(reference, id, &facts.outputs, path)
                .or_else(|| self.check_inside(reference, 3))
                .or_else(|| self.check_control_flow(reference, id, facts))
                .or_else(|| self.check_allowed(reference, id, facts)),
            None => Some(self.unknown_step(reference, id)),
        }
    }

    fn unknown_step(&self, reference: &Reference, id: &str) -> Diagnostic {
        let span = segment(reference, 1);
        if self.around.iter().any(|around| around == id) {
            let own = self.around.last().is_some_and(|own| own == id) && self.result.is_some();
            let help = if own {
                let field = reference.path.get(2).map_or("<field>", String::as_str);
                format!("write `result.{field}`")
            } else {
                "its outputs exist when it is done".to_owned()
            };
            let message = format!("step `{id}` is not done here");
            return fault(Code::LaterReference, message, span, "this is part of that step", help);
        }
        if self.beside.contains(id) {
            return fault(
                Code::LaterReference,
                format!("step `{id}` runs at the same time"),
                span,
                "not done yet",
                format!("move this step behind the `parallel` that step `{id}` stands in"),
            );
        }
        if self.all_steps.contains(id) {
            return fault(
                Code::LaterReference,
                format!("step `{id}` comes later"),
                span,
                "not done yet",
                format!("move step `{id}` above this one"),
            );
        }
        let near = self.guess(id, self.steps.near());
        let help = match near {
            Some(near) => format!("did you mean `steps.{near}`?"),
            None if !id.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_') => {
                "steps are named, not counted: give that one an `id`, and write `steps.<id>`"
                    .to_owned()
            }
            None if self.steps.is_empty() => format!("give the step that makes it `id: {id}`"),
            None => format!("the steps before this one are {}", self.steps.listed()),
        };
        fault(
            Code::UnknownReference,
            format!("there is no step `{id}`"),
            span,
            "no step has this id",
            help,
        )
    }

    fn check_result(&self, reference: &Reference, path: &[String]) -> Option<Diagnostic> {
        let Some(outputs) = &self.result else {
            return Some(fault(
                Code::MisplacedReference,
                "`result` exists only in `assert`, `until` and `outputs` of a step that returns something"
                    .to_owned(),
                segment(reference, 0),
                "no result here",
                "name the step: `steps.<id>.<field>`".to_owned(),
            ));
        };
        if self.may_fail == MayFail::Expected {
            return Some(may_fail::no_result(reference));
        }
        let field = path.first()?;
        if outputs.lookup(field).is_some() {
            return self.check_inside(reference, 2).or_else(|| self.check_own_result(reference));
        }
        Some(unknown_output(reference, 1, field, "this step", outputs))
    }

    fn unknown_root(&self, reference: &Reference, root: &str) -> Diagnostic {
        let written = reference.path.join(".");
        let found = [
            ("steps", self.steps.has(root)),
            ("inputs", self.inputs.has(root)),
            ("vars", self.vars.has(root)),
        ];
        let help = if matches!(root, "null" | "nil" | "NULL" | "Null" | "undefined") {
            "write `none`".to_owned()
        } else if matches!(root, "yes" | "on" | "TRUE") {
            "write `true`".to_owned()
        } else if matches!(root, "no" | "off" | "FALSE") {
            "write `false`".to_owned()
        } else if let Some((space, _)) = found.iter().find(|(_, found)| *found) {
            format!("did you mean `{space}.{written}`?")
        } else if let Some(near) = did_you_mean(root, self.roots()) {
            let rest = written.get(root.len()..).unwrap_or_default();
            format!("did you mean `{near}{rest}`?")
        } else if let Some(near) = self.near_name(root) {
            let rest = written.get(root.len()..).unwrap_or_default();
            format!("did you mean `{near}{rest}`?")
        } else {
            "say where it comes from: `inputs.…`, `vars.…`, `steps.<id>.…`, `run.…` or `env.…`; \
             text stands in quotes"
                .to_owned()
        };
        fault(
            Code::UnknownName,
            format!("`{root}` is no name that is known here"),
            segment(reference, 0),
            "comes from nowhere",
            help,
        )
    }

    /// The words that paths can begin with here.
    fn roots(&self) -> impl Iterator<Item = &'static str> {
        let here = [
            ("result", self.result.is_some()),
            ("item", self.item().is_some()),
            ("loop", !self.loops.is_empty()),
            ("error", self.has_error()),
        ];
        let here = here.into_iter().filter(|(_, there)| *there).map(|(root, _)| root);
        ROOTS.iter().copied().chain(here)
    }

    fn near_name(&self, root: &str) -> Option<String> {
        let all = self.inputs.near().chain(self.vars.near()).chain(self.steps.near());
        let near = self.guess(root, all)?;
        let space = if self.inputs.has(near) {
            "inputs"
        } else if self.vars.has(near) {
            "vars"
        } else {
            "steps"
        };
        Some(format!("{space}.{near}"))
    }
}

fn reads_itself(what: &str, name: &str, span: Span) -> Diagnostic {
    fault(
        Code::LaterReference,
        format!("{what} `{name}` reads itself"),
        span,
        "has no value yet",
        "write a value, or read another name".to_owned(),
    )
}

/// The types that an answer may have.
pub(super) fn answer_types(answer: QuestionType) -> Types {
    match answer {
        QuestionType::String | QuestionType::Choice | QuestionType::Secret => Types::STRING,
        QuestionType::Integer => Types::INTEGER,
        QuestionType::Number => Types::NUMBER.or(Types::INTEGER),
        QuestionType::Boolean => Types::BOOLEAN,
        QuestionType::List => Types::ARRAY,
        QuestionType::Map => Types::OBJECT,
    }
}

fn check_member(
    reference: &Reference,
    root: &str,
    name: &str,
    known: &[&str],
) -> Option<Diagnostic> {
    if known.contains(&name) {
        return None;
    }
    let help = match did_you_mean(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{root}.{near}`?"),
        None => format!("there are {}", quoted(known.iter().copied())),
    };
    let message = format!("there is no `{root}.{name}`");
    Some(fault(Code::UnknownReference, message, segment(reference, 1), "unknown", help))
}
