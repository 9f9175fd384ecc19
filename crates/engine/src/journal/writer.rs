//! The journal as steps see it: on disk in a real run, in memory in a dry run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::entry::{Entry, EntryState, JournalState, Opened, Record, Target};
use super::file::{JournalError, JournalFile};
use super::history::History;
use super::overlap;
use crate::event::ResourceRef;
use crate::redactor::{Redactor, StepSecrets};
use crate::step::{Ledger, LedgerError, LostAttempt, Seq};

/// All entries of a run. Clones share them.
#[derive(Clone)]
pub struct Journal {
    store: Arc<Mutex<Store>>,
    redactor: Redactor,
    /// When what this process has created was created.
    created: Arc<Mutex<BTreeMap<Seq, Instant>>>,
    /// How the run goes, where that is kept.
    history: Option<History>,
}

/// What has become of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was created.
    Created(ResourceRef),
    /// A step removed it again.
    Removed(ResourceRef),
}

/// Who hears of changes.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

enum Store {
    /// A dry run creates nothing, so nothing need outlive it.
    Memory(JournalState),
    File(JournalFile),
}

impl Store {
    fn append(&mut self, record: &Record) -> Result<(), LedgerError> {
        match self {
            Self::Memory(state) => state.apply(record).map_err(|illegal| LedgerError::Unwritable {
                path: PathBuf::new(),
                reason: illegal.to_string(),
            }),
            Self::File(journal) => {
                journal.append(record).map_err(|error| unwritable(journal, &error))
            }
        }
    }

    fn state(&self) -> &JournalState {
        match self {
            Self::Memory(state) => state,
            Self::File(journal) => journal.state(),
        }
    }

    /// Sees to it that what another unfinished run has written is not put back; names the run where that is not known.
    fn look_behind(&self, what: (&str, &str), undo: &mut Value) -> Option<String> {
        let Self::File(journal) = self else { return None };
        let opened = journal.state().opened.as_ref()?;
        let directory = journal.path().parent()?;
        overlap::look_behind(directory, &opened.run, &opened.target, what, undo)
    }
}

fn unwritable(journal: &JournalFile, error: &JournalError) -> LedgerError {
    let reason = match error {
        JournalError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    LedgerError::Unwritable { path: journal.path().to_owned(), reason }
}

impl Journal {
    /// A journal that is gone when the process is. `head` is the first record.
    #[must_use]
    pub fn in_memory(head: &Record, redactor: Redactor) -> Self {
        let mut state = JournalState::default();
        // An empty state takes any head.
        let _ = state.apply(head);
        Self::of(Store::Memory(state), redactor)
    }

    /// A journal in memory that says what a journal says, to try something on.
    #[must_use]
    pub fn copy_of(state: &JournalState, redactor: Redactor) -> Self {
        Self::of(Store::Memory(state.clone()), redactor)
    }

    /// A journal that outlives the process.
    #[must_use]
    pub fn on_disk(journal: JournalFile, redactor: Redactor) -> Self {
        Self::of(Store::File(journal), redactor)
    }

    /// The same with the history of the run beside it.
    #[must_use]
    pub fn with_history(self, history: History) -> Self {
        Self { history: Some(history), ..self }
    }

    fn of(store: Store, redactor: Redactor) -> Self {
        let (store, created) = (Arc::new(Mutex::new(store)), Arc::default());
        Self { store, redactor, created, history: None }
    }

    /// How the run goes, where that is kept.
    #[must_use]
    pub fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// The entries that a step has written, by its number.
    #[must_use]
    pub fn entries_of(&self, number: &str) -> Vec<Entry> {
        let store = self.store();
        let entries = store.state().entries.iter();
        entries.filter(|entry| entry.number == number).cloned().collect()
    }

    /// The number of the last entry.
    #[must_use]
    pub fn last_entry(&self) -> Seq {
        self.store().state().entries.len() as Seq
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

    /// How long ago something was created; no time at all where another process did, and nobody knows.
    #[must_use]
    pub fn age(&self, seq: Seq) -> Duration {
        let created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        created.get(&seq).map_or(Duration::ZERO, Instant::elapsed)
    }

    /// All that it says so far.
    #[must_use]
    pub fn state(&self) -> JournalState {
        self.store().state().clone()
    }

    /// The entries that clean-up has to see to, latest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Entry> {
        self.store().state().pending().cloned().collect()
    }

    /// How many entries clean-up has to see to.
    #[must_use]
    pub fn count_pending(&self) -> usize {
        self.store().state().pending().count()
    }

    /// What undoing an entry takes by now.
    #[must_use]
    pub fn undo_of(&self, seq: Seq) -> Option<Value> {
        self.store().state().entry(seq).map(|entry| entry.undo.clone())
    }

    /// Where the run's calls went.
    #[must_use]
    pub fn target(&self) -> Target {
        let store = self.store();
        let opened = store.state().opened.as_ref();
        opened.map(|opened| opened.target.clone()).unwrap_or_default()
    }

    /// How long each attempt of a call was given.
    #[must_use]
    pub fn attempt(&self) -> Duration {
        let store = self.store();
        store.state().opened.as_ref().map(Opened::attempt).unwrap_or_default()
    }

    /// The entries that are to stay.
    #[must_use]
    pub fn kept(&self) -> Vec<Entry> {
        let is_kept = |entry: &&Entry| entry.keep && entry.state != EntryState::Closed;
        self.store().state().entries.iter().filter(is_kept).cloned().collect()
    }

    /// Writes down that the run is over. The journal of a run that has left nothing is filed away with the other finished
    /// ones.
    ///
    /// # Errors
    /// [`LedgerError`] when it could not be written.
    pub fn close(&self, exit_code: u8) -> Result<(), LedgerError> {
        let mut store = self.store();
        store.append(&Record::Closed { exit_code })?;
        if let Store::File(journal) = &mut *store {
            // Where it cannot be moved, whoever looks next does that.
            let _ = journal.file_away();
        }
        Ok(())
    }

    /// Removes the file of a run that has left nothing to know.
    pub fn discard(&self) {
        let mut store = self.store();
        if let Store::File(journal) =
            std::mem::replace(&mut *store, Store::Memory(JournalState::default()))
        {
            // A journal that cannot be removed is found closed, which says the same.
            let _ = journal.remove();
        }
    }

    /// The journal, as one step writes in it.
    #[must_use]
    pub fn for_step(
        &self,
        step: &str,
        depends: Vec<Seq>,
        keep: bool,
        on_change: OnChange,
    ) -> StepJournal {
        let created = Mutex::new(Vec::new());
        let undone = None;
        let step = step.to_owned();
        let (journal, secrets) = (self.clone(), StepSecrets::default());
        let number = String::new();
        StepJournal { journal, step, number, depends, keep, on_change, created, undone, secrets }
    }

    /// The journal, as undoing an entry writes in it.
    #[must_use]
    pub fn for_undo(&self, entry: &Entry) -> StepJournal {
        let ledger = self.for_step(&entry.step, Vec::new(), entry.keep, Arc::new(|_| ()));
        StepJournal { undone: Some(entry.seq), ..ledger }
    }
}

/// The journal, as one step writes in it.
pub struct StepJournal {
    journal: Journal,
    step: String,
    /// What no other step of the run has.
    number: String,
    /// What the step was made from: entries of the steps that it refers to.
    depends: Vec<Seq>,
    keep: bool,
    on_change: OnChange,
    created: Mutex<Vec<Seq>>,
    /// What is being undone.
    undone: Option<Seq>,
    /// What the step was given that must not be written.
    secrets: StepSecrets,
}

impl StepJournal {
    /// The same, which writes none of these down either.
    #[must_use]
    pub fn hiding(self, secrets: StepSecrets) -> Self {
        Self { secrets, ..self }
    }

    /// The same of the step with that number.
    #[must_use]
    pub fn numbered(self, number: &str) -> Self {
        Self { number: number.to_owned(), ..self }
    }

    fn holds_secret_inside(&self, value: &Value) -> bool {
        self.journal.redactor.finds_secret_inside(value) || self.secrets.stand_in(value)
    }

    fn masked(&self, text: &str) -> String {
        self.journal.redactor.redact(&self.secrets.mask_text(text)).into_owned()
    }

    fn tell(&self, seq: Seq, change: impl FnOnce(ResourceRef) -> Change) {
        let resource = self.journal.store().state().entry(seq).map(Entry::resource);
        if let Some(resource) = resource {
            (self.on_change)(change(resource));
        }
    }

    /// The entries that the step has written.
    #[must_use]
    pub fn created(&self) -> Vec<Seq> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Ledger for StepJournal {
    fn keeps(&self) -> bool {
        self.keep
    }

    fn intend(&self, kind: &'static str, label: &str, undo: Value) -> Result<Seq, LedgerError> {
        if self.holds_secret(label) || self.holds_secret_inside(&undo) {
            let label = format!("{kind} {}", self.masked(label));
            return Err(LedgerError::Secret { label });
        }
        let mut own = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        let mut depends = self.depends.clone();
        depends.extend(own.iter().copied());
        let mut store = self.journal.store();
        let mut undo = undo;
        let beside = store.look_behind((kind, label), &mut undo);
        let seq = store.state().entries.len() as Seq + 1;
        store.append(&Record::Intent {
            seq,
            kind: kind.to_owned(),
            name: label.to_owned(),
            step: self.step.clone(),
            number: self.number.clone(),
            undo,
            depends,
            keep: self.keep,
            at: Some(Timestamp::now()),
            beside,
        })?;
        own.push(seq);
        Ok(seq)
    }

    fn done(&self, seq: Seq, ids: Value) -> Result<(), LedgerError> {
        self.journal.append(&Record::Done { seq, ids })?;
        let mut created = self.journal.created.lock().unwrap_or_else(PoisonError::into_inner);
        created.insert(seq, Instant::now());
        drop(created);
        self.tell(seq, Change::Created);
        Ok(())
    }

    fn failed(&self, seq: Seq, code: &str) -> Result<(), LedgerError> {
        self.journal.append(&Record::Failed { seq, code: code.to_owned() })
    }

    fn unknown(&self, seq: Seq, reason: &str) -> Result<(), LedgerError> {
        let reason = self.masked(reason);
        self.journal.append(&Record::Unknown { seq, reason })
    }

    fn under_way(&self, attempt: LostAttempt) -> Result<(), LedgerError> {
        let own = self.created();
        let mut store = self.journal.store();
        let is_open = |seq: &Seq| store.state().entry(*seq).is_some_and(|e| e.state.is_undecided());
        let open: Vec<Seq> = own.into_iter().filter(is_open).collect();
        for seq in open {
            store.append(&Record::UnderWay { seq, attempt })?;
        }
        Ok(())
    }

    fn settled(&self, seq: Seq) -> Result<(), LedgerError> {
        self.journal.append(&Record::Removed { seq })?;
        self.tell(seq, Change::Removed);
        Ok(())
    }

    fn amend(&self, undo: Value) -> Result<(), LedgerError> {
        match self.undone {
            Some(seq) => self.journal.append(&Record::Amended { seq, undo }),
            None => Ok(()),
        }
    }

    fn open(&self, kind: &'static str) -> Vec<(Seq, Value)> {
        let store = self.journal.store();
        let entries = store.state().entries.iter().rev();
        entries
            .filter(|entry| entry.kind == kind && entry.state != EntryState::Closed)
            .map(|entry| (entry.seq, entry.undo.clone()))
            .collect()
    }

    fn held(&self) -> Vec<(String, Value)> {
        let store = self.journal.store();
        let held = |entry: &&Entry| !entry.keep && entry.state != EntryState::Closed;
        let entries = store.state().entries.iter().filter(held);
        entries.filter_map(|entry| Some((entry.kind.clone(), entry.ids.clone()?))).collect()
    }

    fn ids(&self, seq: Seq) -> Option<Value> {
        let store = self.journal.store();
        store.state().entries.iter().find(|entry| entry.seq == seq)?.ids.clone()
    }

    fn holds_secret(&self, text: &str) -> bool {
        self.holds_secret_inside(&Value::from(text))
    }
}
