//! The values that a run starts with, and who answers its questions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::args::RunArgs;
use super::exit::Exit;
use super::output::{Output, Reporters, RunFormat};
use super::run::Session;
use super::signals::Wishes;
use crate::prompt::inputs::{Given, InputFault, Wanted, collect, flags, missing, to_ask};
use crate::prompt::{
    Hooks, PlanningPrompter, TerminalPrompter, UnattendedPrompter, restore_terminal,
};
use engine::event::Mode;
use engine::step::{Answer, Prompter, Question, QuestionType, StepError};
use language::diagnostic::did_you_mean;
use language::playbook::{Input, Playbook};
use language::template::{TemplateKind, marker};

const SIGINT: u8 = 2;
const SIGHUP: u8 = 1;

/// Who answers questions in this run.
#[derive(Clone)]
pub(super) struct Asking {
    prompter: Arc<dyn Prompter>,
    wishes: Wishes,
    /// Whether there is a person, and the run is to ask.
    person: bool,
    planning: bool,
}

impl Asking {
    pub(super) fn new(
        args: &RunArgs,
        mode: Mode,
        wishes: &Wishes,
        reporters: &Arc<Mutex<Reporters>>,
        output: Output,
    ) -> Self {
        let person = Output::has_person() && !args.no_input;
        let planning = mode == Mode::DryRun;
        let prompter: Arc<dyn Prompter> = match (planning, person) {
            (true, true) => Arc::new(PlanningPrompter::AtTerminal),
            (true, false) => Arc::new(PlanningPrompter::Unattended(UnattendedPrompter)),
            (false, false) => Arc::new(UnattendedPrompter),
            (false, true) => {
                let clear = reporters.lock().unwrap_or_else(PoisonError::into_inner).clearing();
                let express = |signal: u8| {
                    let wishes = wishes.clone();
                    Arc::new(move || wishes.express(signal))
                };
                let stop = wishes.interrupt();
                let hooks = Hooks {
                    before: clear,
                    interrupted: express(SIGINT),
                    hung_up: express(SIGHUP),
                    stopped: Arc::new(move || stop.requested()),
                };
                Arc::new(TerminalPrompter::new(hooks, output.colour_err()))
            }
        };
        Self { prompter, wishes: wishes.clone(), person, planning }
    }

    /// Whether only defaults answer.
    pub(super) fn nobody_answers(&self) -> bool {
        !self.person && !self.planning
    }

    pub(super) fn prompter(&self) -> Arc<dyn Prompter> {
        Arc::clone(&self.prompter)
    }

    /// Puts a question before the run has started; an interruption ends the program.
    async fn ask(&self, question: &Question, output: Output) -> Result<Value, Exit> {
        match engine::step::ask(self.prompter(), question.clone(), &self.wishes.interrupt()).await {
            Ok(Answer::Given(value) | Answer::Default(value)) => Ok(value),
            Ok(Answer::NotAsked) => Ok(Value::Null),
            Err(StepError::Interrupted) => {
                output.note("Interrupted; nothing was called.");
                restore_terminal();
                Err(Exit::from_code(128 + self.wishes.signal().unwrap_or(SIGINT)))
            }
            Err(error) => Err(output.fail(&error.to_string(), error.help())),
        }
    }
}

/// The inputs of one playbook that are given or asked for. What only another of `playbooks` knows is none of its own.
pub(super) async fn gather(
    session: &Session<'_>,
    playbook: &Playbook,
    playbooks: &[Arc<Playbook>],
) -> Result<BTreeMap<String, Value>, Exit> {
    let Session { args, output, asking, .. } = session;
    let output = *output;
    let own = questions(playbook);
    let others: Vec<Question> = playbooks.iter().flat_map(|other| questions(other)).collect();
    let is_own = |name: &str| own.iter().any(|question| question.name == name);
    let mut wanted: Vec<Wanted<'_>> = playbook
        .inputs
        .iter()
        .zip(&own)
        .map(|(input, question)| Wanted {
            question,
            // A default that is made from the run cannot be shown before there is one.
            asked: input.asked && (input.default.is_none() || question.default.is_some()),
            has_default: input.default.is_some(),
        })
        .collect();
    for question in others.iter().filter(|question| !is_own(&question.name)) {
        wanted.push(Wanted { question, asked: false, has_default: true });
    }
    let refuse = |faults: Vec<InputFault>| {
        for fault in &faults {
            let _ = output.fail(&fault.to_string(), Some(&fault.help()));
        }
        Exit::WRONG
    };
    let given = Given {
        flags: flags(&args.input).map_err(refuse)?,
        file: args.inputs.as_deref().map(|path| read(path, output)).transpose()?,
        environment: BTreeMap::clone(&session.environment),
    };
    let mut values = collect(&wanted, &given).map_err(refuse)?;
    values.retain(|name, _| is_own(name));
    if let Some(resumption) = &session.resumption {
        resumption.same_as_before("input", |began| &began.inputs, &mut values, output)?;
    }
    if args.output == RunFormat::Shell {
        // Secrets do not stand in a script, not even masked: it has variables for them.
        values.retain(|name, _| {
            !own.iter().any(|it| it.name == *name && it.answer == QuestionType::Secret)
        });
    }
    if asking.planning {
        // Without a person, defaults are what the real run takes; what has none is not known in either case.
        for question in to_ask(&wanted, &values).into_iter().filter(|_| asking.person) {
            let open = marker(&format!("inputs.{}", question.name));
            values.insert(question.name.clone(), open.into());
        }
        return Ok(values);
    }
    if !asking.person {
        let missing = missing(&wanted, &values);
        return if missing.is_empty() { Ok(values) } else { Err(refuse(missing)) };
    }
    for question in to_ask(&wanted, &values) {
        let answer = asking.ask(question, output).await?;
        values.insert(question.name.clone(), answer);
    }
    Ok(values)
}

/// Has whoever runs jobs mask the secrets among a playbook's inputs, in what other programs of the job say too.
pub(super) fn mask(playbook: &Playbook, values: &BTreeMap<String, Value>, output: Output) {
    let is_secret = |input: &&Input| input.question.answer == QuestionType::Secret;
    for input in playbook.inputs.iter().filter(is_secret) {
        if let Some(secret) = values.get(&input.question.name).and_then(Value::as_str) {
            output.mask(secret);
        }
    }
}

fn questions(playbook: &Playbook) -> Vec<Question> {
    let inputs = playbook.inputs.iter();
    inputs
        .map(|input| Question {
            default: input.default.as_ref().and_then(|default| default.literal().cloned()),
            ..input.question.clone()
        })
        .collect()
}

fn read(path: &std::path::Path, output: Output) -> Result<(std::path::PathBuf, String), Exit> {
    let text =
        engine::regular_file::read_to_string(path, super::disk::LONGEST).map_err(|error| {
            let message = format!("{}: {}", path.display(), super::disk::reason(&error));
            output.fail(&message, Some("name a YAML or JSON file that maps inputs to values"))
        })?;
    Ok((path.to_owned(), text))
}

/// `--set VAR=VALUE`.
pub(super) fn overrides(
    args: &RunArgs,
    playbook: &Playbook,
    output: Output,
) -> Result<BTreeMap<String, Value>, Exit> {
    let names = || playbook.vars.iter().map(|(name, _)| name.as_str());
    let mut overrides = BTreeMap::new();
    let mut refused = None;
    for argument in &args.set {
        match argument.split_once('=') {
            Some((name, text)) if names().any(|known| known == name) => {
                let question = Question {
                    name: name.to_owned(),
                    answer: type_of_variable(playbook, name),
                    ..Question::default()
                };
                match question.parse(text) {
                    Ok(value) => {
                        overrides.insert(name.to_owned(), value);
                    }
                    Err(why) => {
                        let message = format!("the variable `{name}`, given by --set, {why}");
                        let help = format!("write `--set {name}=VALUE`");
                        refused = Some(output.fail(&message, Some(&help)));
                    }
                }
            }
            Some((name, _)) => {
                let help = match did_you_mean(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("`vars` of this playbook has {}", listed(names())),
                };
                refused = Some(output.fail(&format!("there is no variable `{name}`"), Some(&help)));
            }
            None => {
                refused =
                    Some(output.fail(
                        "`--set` takes VAR=VALUE",
                        Some("such as `--set function_name=hello`"),
                    ));
            }
        }
    }
    refused.map_or(Ok(overrides), Err)
}

/// The type that a variable of the playbook has, as far as that can be seen; text otherwise.
fn type_of_variable(playbook: &Playbook, name: &str) -> QuestionType {
    let Some((_, template)) = playbook.vars.iter().find(|(known, _)| known == name) else {
        return QuestionType::String;
    };
    if let TemplateKind::Expression(expression) = template.kind()
        && let Some([root, input]) = expression.path()
        && root == "inputs"
    {
        let inputs = playbook.inputs.iter();
        let declared = inputs.map(|it| &it.question).find(|question| question.name == *input);
        return declared.map_or(QuestionType::String, |question| match question.answer {
            QuestionType::Choice | QuestionType::Secret => QuestionType::String,
            answer => answer,
        });
    }
    match template.literal() {
        Some(Value::Bool(_)) => QuestionType::Boolean,
        Some(Value::Number(number)) if number.is_f64() => QuestionType::Number,
        Some(Value::Number(_)) => QuestionType::Integer,
        Some(Value::Array(_)) => QuestionType::List,
        Some(Value::Object(_)) => QuestionType::Map,
        _ => QuestionType::String,
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
