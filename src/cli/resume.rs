//! `playbook run --resume`: takes up a run that has ended before its clean-up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::args::RunArgs;
use super::exit::Exit;
use super::output::Output;
use super::state;
use aws::has_profile;
use engine::journal::{Began, JournalError, JournalFile, JournalState, Opened, history};
use engine::run::Past;
use engine::step::QuestionType;
use language::diagnostic::did_you_mean;
use language::playbook::Playbook;

/// A run that is to go on.
pub(super) struct Resumption {
    pub(super) opened: Opened,
    pub(super) past: Arc<Past>,
    /// Until somebody writes in it.
    journal: Mutex<Option<JournalFile>>,
}

impl Resumption {
    /// The journal, once.
    pub(super) fn take_journal(&self) -> Option<JournalFile> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Has the run go back to a step.
    pub(super) fn go_back_to(
        self,
        id: &str,
        playbook: &Playbook,
        output: Output,
    ) -> Result<Self, Exit> {
        let place = place_of(id, playbook, output)?;
        let Self { opened, past, journal } = self;
        let run = &opened.run;
        if past.furthest() <= place {
            let message = format!("run {run} has not come as far as step `{id}`");
            let help = "leave `--start-at` out: it goes on where it has ended";
            return Err(output.fail(&message, Some(help)));
        }
        let mut past = Arc::into_inner(past).unwrap_or_default();
        past.start_from(place + 1);
        Ok(Self { opened, past: Arc::new(past), journal })
    }

    /// The values that the run was begun with. One that is given must be the same.
    pub(super) fn same_as_before(
        &self,
        what: &str,
        before: impl Fn(&Began) -> &Map<String, Value>,
        given: &mut BTreeMap<String, Value>,
        output: Output,
    ) -> Result<(), Exit> {
        let Some(before) = self.past.began().map(before) else { return Ok(()) };
        let run = &self.opened.run;
        for (name, value) in before {
            match given.get(name) {
                Some(other) if other != value => {
                    let message = format!(
                        "the {what} `{name}` is {other}, and run {run} was begun with {value}"
                    );
                    let help = "leave it out, or begin another run";
                    return Err(output.fail(&message, Some(help)));
                }
                Some(_) => {}
                None => {
                    given.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(())
    }
}

/// What a run is begun with, as far as it may be kept: no secret, nor what holds one.
pub(super) fn began(
    playbook: &Playbook,
    inputs: &BTreeMap<String, Value>,
    variables: &BTreeMap<String, Value>,
) -> Began {
    let is_secret = |name: &str| {
        playbook
            .inputs
            .iter()
            .map(|input| &input.question)
            .any(|question| question.name == name && question.answer == QuestionType::Secret)
    };
    let secrets: Vec<&str> = inputs
        .iter()
        .filter(|(name, _)| is_secret(name))
        .filter_map(|(_, value)| value.as_str())
        .filter(|secret| !secret.is_empty())
        .collect();
    let open = |values: &BTreeMap<String, Value>| -> Map<String, Value> {
        let kept = values.iter().filter(|(name, value)| {
            let text = value.to_string();
            !is_secret(name) && !secrets.iter().any(|secret| text.contains(secret))
        });
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let file = std::path::absolute(&playbook.file).unwrap_or_else(|_| playbook.file.clone());
    Began { file, inputs: open(inputs), variables: open(variables) }
}

/// The place of a step at the top, counted from 0.
pub(super) fn place_of(id: &str, playbook: &Playbook, output: Output) -> Result<usize, Exit> {
    let ids = || playbook.steps.iter().filter_map(|step| step.id.as_deref());
    if let Some(place) = playbook.steps.iter().position(|step| step.id.as_deref() == Some(id)) {
        return Ok(place);
    }
    let help = match did_you_mean(id, ids()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`--start-at` takes the `id` of a step that stands in no other".to_owned(),
    };
    let message = format!("no step at the top of {} has the id `{id}`", playbook.file.display());
    Err(output.fail(&message, Some(&help)))
}

const SERVE: &str =
    "against `playbook serve` a run can go on: --endpoint-url http://127.0.0.1:4566";

/// Takes up the run that is to go on, if one is: the command line with what the journal says, and the run.
pub(super) async fn take_up(
    args: &RunArgs,
    output: Output,
) -> Result<(RunArgs, Option<Resumption>), Exit> {
    let Some(run) = &args.resume else { return Ok((args.clone(), None)) };
    let directory = state::directory().map_err(|error| output.fail(&error, None))?;
    let journal = JournalFile::resume(&directory, run)
        .map_err(|error| output.fail(&error.to_string(), Some(help(&error))))?;
    let past = past(&directory, run, journal.state(), output)?;
    let Some(opened) = journal.state().opened.clone() else {
        let message = format!("run {run} has ended before it began");
        return Err(output.fail(&message, Some("begin another run")));
    };
    let mut args = args.clone();
    if args.files.is_empty() {
        args.files.extend(past.began().map(|began| began.file.clone()));
    }
    same_place(&mut args, &opened, output)?;
    args.profile = match (args.profile, &opened.profile) {
        (None, Some(own)) if has_profile(own).await => Some(own.clone()),
        (named, _) => named,
    };
    args.attempt_timeout = args.attempt_timeout.or(Some(opened.attempt()));
    args.expect_account = args.expect_account.or(Some(opened.target.account.clone()));
    let journal = Mutex::new(Some(journal));
    Ok((args, Some(Resumption { opened, past: Arc::new(past), journal })))
}

/// What the run has done, where it can go on.
fn past(directory: &Path, run: &str, state: &JournalState, output: Output) -> Result<Past, Exit> {
    let fail = |message: String, help: &str| Err(output.fail(&message, Some(help)));
    if state.opened.as_ref().is_some_and(|opened| opened.target.local) {
        let message = format!("run {run} was in an AWS of its own process, which has gone with it");
        return fail(message, SERVE);
    }
    if state.is_finished() {
        let message = format!("run {run} is over, and nothing of it is left to go on with");
        return fail(message, "begin another run");
    }
    let lines = history::read(directory, run)
        .map_err(|error| output.fail(&error.to_string(), Some(help(&error))))?;
    let past = Past::of(run, &lines);
    if past.is_cleaned_up(state) {
        let message =
            format!("the clean-up of run {run} has begun: what its steps made is not all there");
        return fail(
            message,
            &format!("finish it with `playbook cleanup {run}`, and begin another run"),
        );
    }
    if past.is_empty() {
        let message = format!("what run {run} has done is not known: it has no history");
        return fail(message, &format!("`playbook cleanup {run}` removes what it has made"));
    }
    Ok(past)
}

fn help(error: &JournalError) -> &'static str {
    match error {
        JournalError::Alive { .. } => "wait for it to end, or stop it",
        JournalError::NoSuchRun { .. } => "`playbook runs` lists the journalled runs",
        JournalError::Untrusted { distrust, .. } => distrust.help(),
        JournalError::Broken { .. } | JournalError::Io { .. } | JournalError::Illegal { .. } => {
            "nothing was called"
        }
    }
}

/// A run goes on where it was. What the command line says must be the same.
fn same_place(args: &mut RunArgs, opened: &Opened, output: Output) -> Result<(), Exit> {
    let Opened { run, target, .. } = opened;
    if args.local {
        let message = format!("run {run} cannot go on with `--local`: that AWS is a new one");
        return Err(
            output.fail(&message, Some("leave `--local` out: the journal says where it was"))
        );
    }
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    let endpoint = target.endpoint.as_deref();
    let differs = [
        (args.region.as_deref().filter(|it| *it != target.region), Some(target.region.as_str())),
        (args.endpoint_url.as_deref().filter(|it| Some(bare(it)) != endpoint.map(bare)), endpoint),
    ];
    for (said, own) in differs {
        if let Some(said) = said {
            let own = own.unwrap_or("AWS itself");
            let message = format!("run {run} was at {own}, and the command line says {said}");
            let help = "leave it out: the journal says where the run was";
            return Err(output.fail(&message, Some(help)));
        }
    }
    args.region = Some(target.region.clone());
    args.endpoint_url.clone_from(&target.endpoint);
    Ok(())
}
