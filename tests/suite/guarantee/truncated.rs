//! The journal of a run, cut off at every byte: what it still says is enough to remove what was there when it said no
//! more, and nothing else is touched.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use engine::journal::{Journal, JournalFile};
use engine::redactor::Redactor;
use tokio::sync::Semaphore;

use super::account::{Account, Item, Items, SOMEBODY, Schedule};
use super::{AT_ONCE, Case};

/// Everything that leaves records of its own: things made, adopted, refused, changed, taken away, made again.
const PLAYBOOK: &str = "\
name: truncated
steps:
  - make-thing: {name: own-0}
  - make-thing: {name: own-1}
  - set-thing: {name: own-1, value: 31}
  - make-thing: {name: foreign-0, if_exists: adopt}
  - set-thing: {name: foreign-0, value: 32}
  - set-thing: {name: foreign-0, value: 33}
  - make-thing: {name: foreign-0}
    allow_error: AlreadyExists
  - remove-thing: {name: own-0}
  - cleanup: {}
  - make-thing: {name: own-0}
  - make-thing: {name: own-2}
  - set-thing: {name: own-2, value: 34}
";

/// What a journal on the disk says when it is cut off there, and what comes of cleaning up by it.
async fn cut(text: &[u8], at: usize, original: &Case) -> Result<(), String> {
    let run = format!("{}-cut-{at}", original.run);
    let prefix = text.get(..at).unwrap_or_default();
    let whole = prefix.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut items = original.account.when_journal_was(whole as u64);
    for item in items.values_mut().filter(|item| item.owner == original.run) {
        item.owner.clone_from(&run);
    }
    // Somebody else takes the names that the run has not taken yet, or no more.
    if at % 2 == 1 {
        for index in 0..4 {
            let item = Item { id: 9_000 + index, owner: SOMEBODY.to_owned(), value: 99 };
            items.entry(format!("own-{index}")).or_insert(item);
        }
    }
    let foreign = |(name, item): (&String, &Item)| {
        let before = original.before.get(name).filter(|before| before.id == item.id);
        (item.owner == SOMEBODY).then(|| (name.clone(), before.unwrap_or(item).clone()))
    };
    let before: Items = items.iter().filter_map(foreign).collect();
    let chance = fastrand::Rng::with_seed(at as u64);
    let account = Account::holding(&run, items, Schedule::denying(0..0), chance);
    let case = Case { run: run.clone(), text: String::new(), account, before };
    let recovered = recover(&case, &original.run, prefix).await;
    Account::close(&run);
    recovered.map_err(|problem| format!("cut at {at}: {problem}\n{}", case.account.told()))
}

/// A journal is obeyed only under the name of the run that wrote it.
async fn recover(case: &Case, written_by: &str, prefix: &[u8]) -> Result<(), String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = directory.path().join(format!("{written_by}.journal"));
    fs::write(path, prefix).map_err(|error| error.to_string())?;
    let journal =
        JournalFile::resume(directory.path(), written_by).map_err(|error| error.to_string())?;
    let journal = Journal::copy_of(journal.state(), Redactor::default());
    if case.clean(&journal).await != Some(Vec::new()) {
        return Err("something cannot be removed".to_owned());
    }
    case.look("after the clean-up")
}

/// Runs it with its journal on the disk, and says what that holds in the end.
async fn journalled(case: &Case, directory: &Path) -> Vec<u8> {
    let journal = JournalFile::create(directory, case.head()).unwrap();
    let path = journal.path().to_owned();
    case.account.watch(&path);
    let journal = Journal::on_disk(journal, Redactor::default());
    case.run(&journal).await.unwrap();
    let finished = directory.join("finished").join(path.file_name().unwrap());
    fs::read(if path.exists() { path } else { finished }).unwrap()
}

#[test]
fn a_journal_cut_off_at_any_byte_is_enough() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // One run that nothing disturbs, one in which something is denied, one that dies in the end.
        for (name, schedule) in [
            ("cut-calm", Schedule::denying(0..0)),
            ("cut-denied", Schedule::denying(16..20)),
            ("cut-dead", Schedule::dying_at(26)),
        ] {
            let somebodys = Item { id: 7, owner: SOMEBODY.to_owned(), value: 3 };
            let before = Items::from([("foreign-0".to_owned(), somebodys)]);
            let chance = fastrand::Rng::with_seed(1);
            let account = Account::holding(name, before.clone(), schedule, chance);
            let (run, text) = (name.to_owned(), PLAYBOOK.to_owned());
            let case = Arc::new(Case { run, text, account, before });
            let directory = tempfile::tempdir().unwrap();
            let text: Arc<[u8]> = journalled(&case, directory.path()).await.into();
            assert!(text.len() > 2_500, "{}", case.account.told());
            let gate = Arc::new(Semaphore::new(AT_ONCE));
            let mut cuts = tokio::task::JoinSet::new();
            for at in 0..=text.len() {
                let ticket = Arc::clone(&gate).acquire_owned().await.unwrap();
                let (text, case) = (Arc::clone(&text), Arc::clone(&case));
                cuts.spawn(async move {
                    let _ticket = ticket;
                    cut(&text, at, &case).await
                });
            }
            let mut problems = Vec::new();
            while let Some(ended) = cuts.join_next().await {
                problems.extend(ended.unwrap().err());
            }
            let first = problems.iter().min_by_key(|problem| problem.len());
            assert!(problems.is_empty(), "{name}: {} of {}: {first:?}", problems.len(), text.len());
            Account::close(name);
        }
    });
}
