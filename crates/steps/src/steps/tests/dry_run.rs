//! A dry run of single steps: a client of a dry run, a journal in memory, and one answer to all questions.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::steps::{kind, maker_of};
use engine::aws::{Connection, Credentials, Endpoint, connect};
use engine::step::{
    Answer, Context, Interrupt, Ledger, LedgerError, Progress, Prompter, Question, RunFacts, Seq,
    StepError, Undone,
};

/// A journal in memory.
#[derive(Default)]
struct Journal {
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    kind: &'static str,
    label: String,
    made: Value,
    ids: Option<Value>,
    open: bool,
}

impl Journal {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        change(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn close(&self, seq: Seq) {
        self.change(|entries| entries[usize::try_from(seq).expect("a place")].open = false);
    }
}

impl Ledger for Journal {
    fn intend(&self, kind: &'static str, label: &str, made: Value) -> Result<Seq, LedgerError> {
        Ok(self.change(|entries| {
            entries.push(Entry { kind, label: label.to_owned(), made, ids: None, open: true });
            entries.len() as Seq - 1
        }))
    }

    fn done(&self, seq: Seq, ids: Value) -> Result<(), LedgerError> {
        self.change(|entries| entries[usize::try_from(seq).expect("a place")].ids = Some(ids));
        Ok(())
    }

    fn failed(&self, seq: Seq, _code: &str) -> Result<(), LedgerError> {
        self.close(seq);
        Ok(())
    }

    fn unknown(&self, _seq: Seq, _reason: &str) -> Result<(), LedgerError> {
        Ok(())
    }

    fn settled(&self, seq: Seq) -> Result<(), LedgerError> {
        self.close(seq);
        Ok(())
    }

    fn amend(&self, _made: Value) -> Result<(), LedgerError> {
        Ok(())
    }

    fn open(&self, kind: &'static str) -> Vec<(Seq, Value)> {
        self.change(|entries| {
            let numbered = entries.iter().enumerate().rev();
            numbered
                .filter(|(_, entry)| entry.open && entry.kind == kind)
                .map(|(seq, entry)| (seq as Seq, entry.made.clone()))
                .collect()
        })
    }
}

/// Gives the same answer to every question, once it has been found fit.
struct Scripted(Answer);

impl Prompter for Scripted {
    fn ask(&self, question: &Question) -> Result<Answer, StepError> {
        match (&self.0, &question.default) {
            (Answer::Default(_), Some(default)) => Ok(Answer::Default(default.clone())),
            (answer, _) => Ok(answer.clone()),
        }
    }
}

/// A dry run with one file to package.
pub(in crate::steps) struct DryRun {
    pub(super) directory: TempDir,
    pub(super) said: Arc<Mutex<Vec<String>>>,
    journal: Arc<Journal>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    context: Context,
}

impl DryRun {
    pub(in crate::steps) async fn new(answer: Answer) -> Self {
        let directory = TempDir::new().expect("a directory");
        std::fs::write(directory.path().join("adder.py"), "def add(event, context): return 1\n")
            .expect("a file");
        let connection = Connection {
            endpoint: Endpoint::Nowhere,
            credentials: Credentials::Made,
            region: Some("eu-central-1".to_owned()),
            profile: None,
            capture_bodies: true,
            backoff: engine::aws::CallTimeouts::default(),
        };
        let aws = connect(&connection).await.expect("a client").aws;
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let aws = aws.observed_by(Arc::new(move |call| {
            let operation = format!("{}:{}", call.service, call.operation);
            seen.lock().expect("calls").push((operation, call.body));
        }));
        let journal = Arc::new(Journal::default());
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let context = Context {
            aws,
            run: Arc::new(RunFacts {
                id: "7f3a".to_owned(),
                started: "2026-11-23T08:00:00Z".to_owned(),
                region: "eu-central-1".to_owned(),
                account: None,
                local: false,
                on_this_machine: false,
                allow_admin: false,
            }),
            directory: Arc::from(directory.path()),
            root: Arc::from(directory.path()),
            ledger: Arc::clone(&journal) as Arc<dyn Ledger>,
            prompter: Arc::new(Scripted(answer)),
            progress: Arc::new(move |progress| {
                if let Progress::Said(text) = progress {
                    heard.lock().expect("what was said").push(text);
                }
            }),
            interrupt: Interrupt::new(watch::channel(0).1, 1),
            kind: Arc::from("test"),
            keys: None,
            step: Arc::from("it"),
            slug: Arc::from("it"),
            unread: false,
            longest_wait: None,
        };
        Self { directory, said, journal, calls, context }
    }

    pub(in crate::steps) async fn run(&self, name: &str, input: Value) -> Result<Value, StepError> {
        (kind(name).expect("a kind").run)(self.context.clone(), input).await
    }

    /// Undoes what is in the journal, latest first.
    pub(super) async fn undo(&self) -> Vec<(String, Undone)> {
        let mut undone = Vec::new();
        for entry in self
            .journal
            .change(|entries| entries.clone())
            .into_iter()
            .rev()
            .filter(|entry| entry.open)
        {
            let maker = maker_of(entry.kind).expect("a maker");
            let end =
                (maker.undo)(self.context.clone(), entry.made, entry.ids).await.expect("undone");
            undone.push((format!("{} {}", entry.kind, entry.label), end));
        }
        undone
    }

    /// Whether nothing was ever intended.
    pub(super) fn is_journal_empty(&self) -> bool {
        self.journal.change(|entries| entries.is_empty())
    }

    /// All that is in the journal, as text.
    pub(super) fn journal(&self) -> String {
        self.journal.change(|entries| format!("{entries:?}"))
    }

    /// The operations since the last look.
    pub(super) fn operations(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.calls.lock().expect("calls"));
        calls.into_iter().map(|(operation, _)| operation).collect()
    }

    /// That the operations since this was last asked are some of those that the kind names, in the order in which it does.
    #[track_caller]
    pub(super) fn has_called_as_told(&self, name: &str) {
        let operations = self.operations();
        let told = (kind(name).expect("a kind").spec)().calls;
        let place = |call: &String| told.iter().position(|it| it == call);
        let places: Vec<_> = operations.iter().map(place).collect();
        assert!(!places.is_empty() && places.iter().all(Option::is_some), "{name}: {operations:?}");
        let mut first: Vec<_> = Vec::new();
        for place in places {
            if !first.contains(&place) {
                first.push(place);
            }
        }
        assert!(first.is_sorted(), "{name}: {operations:?} is not in the order of {told:?}");
    }

    /// The bodies of the calls since operations were last looked at.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.calls.lock().expect("calls").iter().map(|(_, body)| body.clone()).collect()
    }
}
