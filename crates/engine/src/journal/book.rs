//! The journal as steps see it: on disk in a real run, in memory in a dry run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::entry::{Entry, EntryState, History, Record, Target};
use super::file::{Journal, JournalError};
use crate::event::ResourceRef;
use crate::redactor::{Redactor, StepSecrets};
use crate::step::{Ledger, LedgerError, Seq};

/// All entries of a run. Clones share them.
#[derive(Clone)]
pub struct Book {
    store: Arc<Mutex<Store>>,
    redactor: Redactor,
    /// When what this process has made was made.
    made: Arc<Mutex<BTreeMap<Seq, Instant>>>,
}

/// What has become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Made(ResourceRef),
    /// A step took it away again.
    Settled(ResourceRef),
}

/// Who hears of changes.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

enum Store {
    /// A dry run makes nothing, so nothing need outlive it.
    Memory(History),
    File(Journal),
}

impl Store {
    fn append(&mut self, record: &Record) -> Result<(), LedgerError> {
        match self {
            Self::Memory(history) => history.apply(record).map_err(|illegal| {
                LedgerError::Unwritable { path: PathBuf::new(), reason: illegal.to_string() }
            }),
            Self::File(journal) => {
                journal.append(record).map_err(|error| unwritable(journal, &error))
            }
        }
    }

    fn history(&self) -> &History {
        match self {
            Self::Memory(history) => history,
            Self::File(journal) => journal.history(),
        }
    }
}

fn unwritable(journal: &Journal, error: &JournalError) -> LedgerError {
    let reason = match error {
        JournalError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    LedgerError::Unwritable { path: journal.path().to_owned(), reason }
}

impl Book {
    /// A book that is gone when the process is. `head` is the first record.
    #[must_use]
    pub fn in_memory(head: &Record, redactor: Redactor) -> Self {
        let mut history = History::default();
        // An empty history takes any head.
        let _ = history.apply(head);
        Self::of(Store::Memory(history), redactor)
    }

    /// A book in memory that says what a journal says, to try something on.
    #[must_use]
    pub fn copy_of(history: &History, redactor: Redactor) -> Self {
        Self::of(Store::Memory(history.clone()), redactor)
    }

    /// A book that outlives the process.
    #[must_use]
    pub fn on_disk(journal: Journal, redactor: Redactor) -> Self {
        Self::of(Store::File(journal), redactor)
    }

    fn of(store: Store, redactor: Redactor) -> Self {
        Self { store: Arc::new(Mutex::new(store)), redactor, made: Arc::default() }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secrets that must not be written.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Appends a record.
    ///
    /// # Errors
    /// [`LedgerError`] when it could not be written.
    pub fn append(&self, record: &Record) -> Result<(), LedgerError> {
        self.store().append(record)
    }

    /// How long ago something was made; no time at all where another process made it, and nobody knows.
    #[must_use]
    pub fn age(&self, seq: Seq) -> Duration {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(&seq).map_or(Duration::ZERO, Instant::elapsed)
    }

    /// All that it says so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.store().history().clone()
    }

    /// The entries that clean-up has to see to, latest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Entry> {
        self.store().history().pending().cloned().collect()
    }

    /// What undoing an entry takes by now.
    #[must_use]
    pub fn made(&self, seq: Seq) -> Option<Value> {
        let store = self.store();
        let entry = store.history().entries.iter().find(|entry| entry.seq == seq);
        entry.map(|entry| entry.made.clone())
    }

    /// Where the run's calls went.
    #[must_use]
    pub fn target(&self) -> Target {
        let store = self.store();
        let opened = store.history().opened.as_ref();
        opened.map(|opened| opened.target.clone()).unwrap_or_default()
    }

    /// The entries that are to stay.
    #[must_use]
    pub fn kept(&self) -> Vec<Entry> {
        let is_kept = |entry: &&Entry| entry.keep && !matches!(entry.state, EntryState::Over);
        self.store().history().entries.iter().filter(is_kept).cloned().collect()
    }

    /// Removes the file of a run that has left nothing to know.
    pub fn discard(&self) {
        let mut store = self.store();
        if let Store::File(journal) =
            std::mem::replace(&mut *store, Store::Memory(History::default()))
        {
            // A journal that cannot be removed is found closed, which says the same.
            let _ = journal.remove();
        }
    }

    /// The book, as one step writes in it.
    #[must_use]
    pub fn for_step(
        &self,
        step: &str,
        depends: Vec<Seq>,
        keep: bool,
        on_change: OnChange,
    ) -> StepLedger {
        let made = Mutex::new(Vec::new());
        let undone = None;
        let step = step.to_owned();
        let secrets = StepSecrets::default();
        StepLedger { book: self.clone(), step, depends, keep, on_change, made, undone, secrets }
    }

    /// The book, as undoing an entry writes in it.
    #[must_use]
    pub fn for_undo(&self, entry: &Entry) -> StepLedger {
        let ledger = self.for_step(&entry.step, Vec::new(), entry.keep, Arc::new(|_| ()));
        StepLedger { undone: Some(entry.seq), ..ledger }
    }
}

/// The book, as one step writes in it.
pub struct StepLedger {
    book: Book,
    step: String,
    /// What the step was made from: entries of the steps that it refers to.
    depends: Vec<Seq>,
    keep: bool,
    on_change: OnChange,
    made: Mutex<Vec<Seq>>,
    /// What is being undone.
    undone: Option<Seq>,
    /// What the step was given that must not be written.
    secrets: StepSecrets,
}

impl StepLedger {
    /// The same, which writes none of these down either.
    #[must_use]
    pub fn hiding(self, secrets: StepSecrets) -> Self {
        Self { secrets, ..self }
    }

    fn holds_secret_inside(&self, value: &Value) -> bool {
        self.book.redactor.finds_secret_inside(value) || self.secrets.stand_in(value)
    }

    fn masked(&self, text: &str) -> String {
        self.book.redactor.redact(&self.secrets.mask_text(text)).into_owned()
    }

    fn tell(&self, seq: Seq, change: impl FnOnce(ResourceRef) -> Change) {
        let resource = {
            let store = self.book.store();
            let entry = store.history().entries.iter().find(|entry| entry.seq == seq);
            entry.map(Entry::resource)
        };
        if let Some(resource) = resource {
            (self.on_change)(change(resource));
        }
    }

    /// The entries that the step has written.
    #[must_use]
    pub fn made(&self) -> Vec<Seq> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Ledger for StepLedger {
    fn intend(&self, kind: &'static str, label: &str, made: Value) -> Result<Seq, LedgerError> {
        if self.holds_secret(label) || self.holds_secret_inside(&made) {
            let label = format!("{kind} {}", self.masked(label));
            return Err(LedgerError::Secret { label });
        }
        let mut own = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut depends = self.depends.clone();
        depends.extend(own.iter().copied());
        let mut store = self.book.store();
        let seq = store.history().entries.len() as Seq + 1;
        store.append(&Record::Intent {
            seq,
            kind: kind.to_owned(),
            name: label.to_owned(),
            step: self.step.clone(),
            made,
            depends,
            keep: self.keep,
        })?;
        own.push(seq);
        Ok(seq)
    }

    fn done(&self, seq: Seq, ids: Value) -> Result<(), LedgerError> {
        self.book.append(&Record::Done { seq, ids })?;
        let mut made = self.book.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(seq, Instant::now());
        drop(made);
        self.tell(seq, Change::Made);
        Ok(())
    }

    fn failed(&self, seq: Seq, code: &str) -> Result<(), LedgerError> {
        self.book.append(&Record::Failed { seq, code: code.to_owned() })
    }

    fn unknown(&self, seq: Seq, reason: &str) -> Result<(), LedgerError> {
        let reason = self.masked(reason);
        self.book.append(&Record::Unknown { seq, reason })
    }

    fn settled(&self, seq: Seq) -> Result<(), LedgerError> {
        self.book.append(&Record::Settled { seq })?;
        self.tell(seq, Change::Settled);
        Ok(())
    }

    fn amend(&self, made: Value) -> Result<(), LedgerError> {
        match self.undone {
            Some(seq) => self.book.append(&Record::Amended { seq, made }),
            None => Ok(()),
        }
    }

    fn open(&self, kind: &'static str) -> Vec<(Seq, Value)> {
        let store = self.book.store();
        let entries = store.history().entries.iter().rev();
        entries
            .filter(|entry| entry.kind == kind && !matches!(entry.state, EntryState::Over))
            .map(|entry| (entry.seq, entry.made.clone()))
            .collect()
    }

    fn holds_secret(&self, text: &str) -> bool {
        self.holds_secret_inside(&Value::from(text))
    }
}
