//! What a step is handed: the client of AWS, the journal, a person to ask, and backoff.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::event::CodeForm;
use crate::regular_file;
use aws::{Aws, CallError, Outcome};

use super::error::StepError;
use super::interrupt::Interrupt;
use super::ledger::{Ledger, Seq};
use super::operation::OperationKeys;
use super::resource::Resource;
use language::question::{Answer, Question};

/// Facts about the run, the same for every step.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// `run.id`.
    pub id: String,
    /// `run.started`, RFC 3339.
    pub started: String,
    /// `run.region`.
    pub region: String,
    /// `run.account`; not known in a dry run.
    pub account: Option<String>,
    /// `run.local`.
    pub local: bool,
    /// Whether what answers is on this machine: handlers run here, and nothing shows up late.
    pub on_this_machine: bool,
    /// `--allow-admin`: policies that allow everything may be attached.
    pub allow_admin: bool,
}

impl RunFacts {
    /// The key of the tag that everything a run makes carries.
    pub const TAG_KEY: &'static str = "playbook:run";
    /// The key of the tag on what a playbook wants to stay.
    pub const KEEP_KEY: &'static str = "playbook:keep";
}

/// Who answers questions. Blocks until there is an answer.
pub trait Prompter: Send + Sync {
    /// Puts the question.
    ///
    /// # Errors
    /// [`StepError::Interrupted`] when the person stops the run instead, [`StepError::Failed`] with code `NoAnswer` when
    /// nobody is there and the question has no default.
    fn ask(&self, question: &Question) -> Result<Answer, StepError>;
}

/// What a step says while it runs.
#[derive(Debug, Clone)]
pub enum Progress {
    /// It waits for something.
    Waiting(String),
    /// It tries again: why, and after how long.
    Retrying {
        /// The refusal.
        reason: String,
        /// The wait.
        after: Duration,
    },
    /// Text for the person, to stay on the screen.
    Said(String),
    /// Something that may surprise, to stay on the screen.
    Warned(String),
    /// In a dry run: the next call sends what a file holds, as it is.
    Uploads {
        /// As the playbook names it.
        file: String,
        /// Where it is.
        path: PathBuf,
    },
    /// In a dry run: the code of a function was packed.
    Packed {
        /// As the playbook names it.
        code: String,
        /// Where it is.
        path: PathBuf,
        /// What it is.
        form: CodeForm,
    },
}

/// How long to wait for something that AWS does in its own time.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// When to give up.
    pub limit: Duration,
}

impl Backoff {
    /// For what takes AWS seconds: a quarter of a second at first, two at most.
    #[must_use]
    pub const fn seconds(limit: u64) -> Self {
        Self {
            first: Duration::from_millis(25),
            longest: Duration::from_secs(2),
            limit: Duration::from_secs(limit),
        }
    }
}

/// How long somebody who asks has to leave the terminal as it was, once the run is to stop.
const LEAVING: Duration = Duration::from_millis(500);

/// Puts a question without blocking the run's other work. Once the run is to stop, whoever asks is given a moment to leave
/// the terminal as it was.
///
/// # Errors
/// See [`Prompter::ask`].
pub async fn ask(
    prompter: Arc<dyn Prompter>,
    question: Question,
    interrupt: &Interrupt,
) -> Result<Answer, StepError> {
    let mut asked = tokio::task::spawn_blocking(move || prompter.ask(&question));
    let stopped = || Err(StepError::Interrupted);
    tokio::select! {
        answer = &mut asked => answer.unwrap_or_else(|_| stopped()),
        () = interrupt.wait() => {
            let _ = tokio::time::timeout(LEAVING, asked).await;
            stopped()
        }
    }
}

/// What a step is handed.
#[derive(Clone)]
pub struct Context {
    /// The client of AWS.
    pub aws: Aws,
    /// Facts about the run.
    pub run: Arc<RunFacts>,
    /// The directory that files named in the playbook are relative to.
    pub directory: Arc<Path>,
    /// The directory that they must lie under.
    pub root: Arc<Path>,
    /// Where entries of the journal go.
    pub ledger: Arc<dyn Ledger>,
    /// Who answers questions.
    pub prompter: Arc<dyn Prompter>,
    /// Who hears what the step says while it runs.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// The wish to stop.
    pub interrupt: Interrupt,
    /// The step's kind, or that of the journal's entry.
    pub kind: Arc<str>,
    /// What a step that is one operation of AWS is told beside its input.
    pub keys: Option<Arc<OperationKeys>>,
    /// The step's id, or its kind where it has none: what names values that are not known yet.
    pub step: Arc<str>,
    /// What names that the program makes itself have of the step and its round.
    pub slug: Arc<str>,
    /// Whether nobody will see what it returns.
    pub unread: bool,
    /// How long to wait for anything at the most, whatever it usually takes.
    pub longest_wait: Option<Duration>,
}

impl Context {
    /// A name for what the step makes, which no other step of the run and no other round has, of up to `most` characters.
    #[must_use]
    pub fn own_name(&self, most: usize) -> String {
        super::own_name::own_name(&self.run.id, &self.slug, most)
    }

    /// The text of a file that the playbook names, as long as it lies under the playbook's root.
    ///
    /// # Errors
    /// What is wrong with it, to be put behind its path.
    pub fn text_of(&self, path: &str, most: u64) -> Result<String, String> {
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => "is not there".to_owned(),
            std::io::ErrorKind::InvalidData => "is no text".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        let root = self.root.canonicalize().map_err(unreadable)?;
        let file = self.directory.join(path).canonicalize().map_err(unreadable)?;
        if !file.starts_with(&root) {
            return Err("leads out of the project".to_owned());
        }
        regular_file::read_to_string(&file, most).map_err(unreadable)
    }

    /// Writes the intent to make `resource` to the journal, durably. Call AWS only after this has returned.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when it could not be written; make nothing then.
    pub fn intend<R: Resource>(&self, resource: &R) -> Result<Entry, StepError> {
        let made = serde_json::to_value(resource)
            .map_err(|error| StepError::failed("JournalUnwritable", error.to_string()))?;
        self.intend_as(R::TYPE, &resource.label(), made)
    }

    /// The same, for what has no type of its own.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when it could not be written; make nothing then.
    pub fn intend_as(
        &self,
        kind: &'static str,
        label: &str,
        made: Value,
    ) -> Result<Entry, StepError> {
        let seq = self.ledger.intend(kind, label, made)?;
        Ok(Entry { ledger: Arc::clone(&self.ledger), seq })
    }

    /// Writes to the journal, durably, what undoing takes from here on: once a part of it is done, what is there looks
    /// different. For undoing alone.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when it could not be written; do not go on then.
    pub fn amend<R: Resource>(&self, resource: &R) -> Result<(), StepError> {
        let made = serde_json::to_value(resource)
            .map_err(|error| StepError::failed("JournalUnwritable", error.to_string()))?;
        Ok(self.ledger.amend(made)?)
    }

    /// Whether a text holds a secret, so that nothing may be written to the journal from which it could be guessed.
    #[must_use]
    pub fn holds_secret(&self, text: &str) -> bool {
        self.ledger.holds_secret(text)
    }

    /// Says that a step of the playbook took away what the run had made, wherever `is_it` finds it.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when the journal could not be written.
    pub fn settle<R: Resource>(&self, is_it: impl Fn(&R) -> bool) -> Result<(), StepError> {
        for (seq, made) in self.ledger.open(R::TYPE) {
            if serde_json::from_value::<R>(made).is_ok_and(|resource| is_it(&resource)) {
                self.ledger.settled(seq)?;
            }
        }
        Ok(())
    }

    /// What the run has made of a type, and not taken away again.
    #[must_use]
    pub fn made<R: Resource>(&self) -> Vec<R> {
        let entries = self.ledger.open(R::TYPE).into_iter();
        entries.filter_map(|(_, made)| serde_json::from_value(made).ok()).collect()
    }

    /// Whether an earlier entry of the journal, still open, is the resource that `entry` was to make: then that one made
    /// it, whatever its tags say.
    pub fn made_before<R: Resource>(&self, entry: &Entry, is_it: impl Fn(&R) -> bool) -> bool {
        self.ledger.open(R::TYPE).into_iter().any(|(seq, made)| {
            seq != entry.seq
                && serde_json::from_value::<R>(made).is_ok_and(|resource| is_it(&resource))
        })
    }

    /// Whether what the step makes is to stay.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.ledger.keeps()
    }

    /// Puts a question to whoever is there, without blocking the run's other work.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub async fn ask(&self, question: Question) -> Result<Answer, StepError> {
        ask(Arc::clone(&self.prompter), question, &self.interrupt).await
    }

    /// Refuses to give a role everything, unless the run was told that it may.
    ///
    /// # Errors
    /// [`StepError::Failed`] with the code `AdministratorPolicy`.
    pub fn check_policy(&self, allows_everything: bool) -> Result<(), StepError> {
        if self.run.allow_admin || !allows_everything {
            return Ok(());
        }
        Err(StepError::Failed {
            code: "AdministratorPolicy".to_owned(),
            message: "this policy allows everything, and was not attached".to_owned(),
            help: Some(
                "name a policy that allows what is needed, or run with --allow-admin".to_owned(),
            ),
            details: Vec::new(),
        })
    }

    /// Shows text to the person.
    pub fn say(&self, text: impl Into<String>) {
        (self.progress)(Progress::Said(text.into()));
    }

    /// Shows text to the person as something to take note of.
    pub fn warn(&self, text: impl Into<String>) {
        (self.progress)(Progress::Warned(text.into()));
    }

    /// What stands for a value of this step that does not exist yet, in a dry run.
    #[must_use]
    pub fn later(&self, field: &str) -> String {
        language::template::marker(&format!("steps.{}.{field}", self.step))
    }

    /// Whether a text is, or holds, a value that does not exist yet, as texts do in a dry run alone.
    #[must_use]
    pub fn is_unknown(&self, text: &str) -> bool {
        self.aws.is_dry_run() && text.contains('⟨')
    }

    /// Whether there is nothing to look at, so that what a look would show is taken for granted.
    #[must_use]
    pub fn presumes(&self) -> bool {
        self.aws.is_dry_run()
    }

    /// Tells whoever reads a plan something of the next call that the call itself does not show.
    pub fn plan(&self, progress: Progress) {
        if self.aws.is_dry_run() {
            (self.progress)(progress);
        }
    }

    /// Does something on this machine that takes long or leaves something behind; a dry run takes the stand-in instead, as it
    /// does with calls.
    ///
    /// # Errors
    /// Those of what is done.
    pub async fn perform<T, E>(
        &self,
        effect: impl Future<Output = Result<T, E>>,
        stand_in: impl FnOnce() -> T,
    ) -> Result<T, E> {
        if self.aws.is_dry_run() {
            return Ok(stand_in());
        }
        effect.await
    }

    /// Waits, unless the run is to stop. A dry run does not wait.
    ///
    /// # Errors
    /// [`StepError::Interrupted`].
    pub async fn sleep(&self, duration: Duration) -> Result<(), StepError> {
        if self.aws.is_dry_run() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.interrupt.wait() => Err(StepError::Interrupted),
        }
    }

    fn limit(&self, backoff: Backoff) -> Duration {
        self.longest_wait.map_or(backoff.limit, |longest| backoff.limit.min(longest))
    }

    /// Looks again and again, with growing pauses, until `look` finds something. A dry run looks once.
    ///
    /// # Errors
    /// [`StepError::TimedOut`] at the limit, [`StepError::Interrupted`], and whatever `look` fails with.
    pub async fn until<T, L, F>(
        &self,
        what: &str,
        backoff: Backoff,
        mut look: L,
    ) -> Result<T, StepError>
    where
        L: FnMut() -> F,
        F: Future<Output = Result<Option<T>, StepError>>,
    {
        let limit = self.limit(backoff);
        let started = Instant::now();
        let mut pause = backoff.first;
        if self.aws.is_dry_run() {
            (self.progress)(Progress::Waiting(what.to_owned()));
        }
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if self.aws.is_dry_run() || started.elapsed() + pause > limit {
                return Err(StepError::TimedOut { what: what.to_owned(), limit });
            }
            (self.progress)(Progress::Waiting(what.to_owned()));
            self.sleep(pause).await?;
            pause = (pause * 2).min(backoff.longest);
        }
    }

    /// Calls again, with growing pauses, while AWS refuses for a reason that passes by itself.
    ///
    /// # Errors
    /// The last refusal at the limit, [`StepError::Interrupted`], and every refusal that does not pass. Where any of the calls
    /// may have had its effect, the error says so, whatever the last one says of itself.
    pub async fn while_refused<T, C, F>(
        &self,
        backoff: Backoff,
        passes: impl Fn(&CallError) -> bool,
        mut call: C,
    ) -> Result<T, StepError>
    where
        C: FnMut() -> F,
        F: Future<Output = Result<T, CallError>>,
    {
        let limit = self.limit(backoff);
        let started = Instant::now();
        let mut pause = backoff.first;
        let mut outcome = Outcome::Refused;
        loop {
            let refusal = match call().await {
                Err(error) if passes(&error) && started.elapsed() + pause <= limit => error,
                Err(error) => {
                    return Err(CallError { outcome: outcome.or(error.outcome), ..error }.into());
                }
                Ok(output) => return Ok(output),
            };
            outcome = outcome.or(refusal.outcome);
            (self.progress)(Progress::Retrying { reason: refusal.message.clone(), after: pause });
            self.sleep(pause).await?;
            pause = (pause * 2).min(backoff.longest);
        }
    }
}

/// An intent in the journal, waiting for its outcome. Dropped without one, it stays open: nobody knows, clean-up looks.
#[must_use = "the journal waits for the outcome"]
pub struct Entry {
    ledger: Arc<dyn Ledger>,
    seq: Seq,
}

impl Entry {
    /// It was made.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when the journal could not be written.
    pub fn done(self, ids: &impl Serialize) -> Result<(), StepError> {
        let ids = serde_json::to_value(ids).unwrap_or(Value::Null);
        Ok(self.ledger.done(self.seq, ids)?)
    }

    /// Nothing was made, as AWS's refusal or a look has shown.
    ///
    /// # Errors
    /// [`StepError::Ledger`] when the journal could not be written.
    pub fn refused(self, code: &str) -> Result<(), StepError> {
        Ok(self.ledger.failed(self.seq, code)?)
    }

    /// The call failed: whether something was made depends on how. Returns the error to pass on.
    pub fn error(self, error: impl Into<StepError>) -> StepError {
        let error = error.into();
        let written = match &error {
            StepError::Call(call) if call.outcome == Outcome::Refused => {
                self.ledger.failed(self.seq, error.code())
            }
            _ => return self.unsure(error),
        };
        match written {
            Ok(()) => error,
            Err(unwritten) => unwritten.into(),
        }
    }

    /// It may have been made, whatever the error is: that of a look at it says nothing of the call before. Returns the
    /// error to pass on.
    pub fn unsure(self, error: impl Into<StepError>) -> StepError {
        let error = error.into();
        match self.ledger.unknown(self.seq, &error.to_string()) {
            Ok(()) => error,
            Err(unwritten) => unwritten.into(),
        }
    }
}
