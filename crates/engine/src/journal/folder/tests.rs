use std::fs;
use std::path::Path;

use serde_json::json;

use super::super::entry::{Record, Target};
use super::*;

fn opened(run: &str) -> Opened {
    Opened {
        run: run.into(),
        version: "0.1.0".into(),
        playbook: "hello".into(),
        file: "hello.yaml".into(),
        started: "2026-11-23T10:00:00Z".into(),
        target: Target::default(),
        profile: None,
        attempt_millis: 60_000,
    }
}

fn intent() -> Record {
    Record::Intent {
        seq: 1,
        kind: "AWS::IAM::Role".into(),
        name: "role".into(),
        step: "role".into(),
        number: String::new(),
        undo: json!({"role_name": "role"}),
        depends: vec![],
        keep: false,
        at: None,
        beside: None,
    }
}

fn finished_run(directory: &Path, run: &str) {
    let mut journal = JournalFile::create(directory, opened(run)).unwrap();
    journal.append(&intent()).unwrap();
    journal.append(&Record::Removed { seq: 1 }).unwrap();
    journal.append(&Record::Closed { exit_code: 1 }).unwrap();
    journal.file_away().unwrap();
}

#[test]
fn finished_runs_are_out_of_the_way_and_found_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    finished_run(directory, "a1");
    let mut open = JournalFile::create(directory, opened("b2")).unwrap();
    open.append(&intent()).unwrap();
    open.append(&Record::Closed { exit_code: 3 }).unwrap();
    open.file_away().unwrap();
    assert_eq!(unfinished(directory).unwrap(), ["b2"], "what has left something stays");
    assert_eq!(finished(directory).unwrap(), ["a1"]);
    let found = summary(directory, "a1").unwrap().expect("a finished run");
    assert_eq!((found.opened, found.exit_code), (opened("a1"), 1));
    assert!(JournalFile::look(directory, "a1").unwrap().is_finished());
}

#[test]
fn what_was_not_filed_away_is_swept() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut journal = JournalFile::create(directory, opened("a1")).unwrap();
    journal.append(&Record::Closed { exit_code: 0 }).unwrap();
    assert_eq!(sweep(directory).unwrap(), ["a1"], "its process lives");
    drop(journal);
    let left = JournalFile::create(directory, opened("b2")).unwrap();
    assert_eq!(sweep(directory).unwrap(), ["b2"]);
    assert_eq!(finished(directory).unwrap(), ["a1"]);
    drop(left);
}

#[test]
fn only_what_is_old_and_finished_is_pruned() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for run in ["a1", "b2"] {
        finished_run(directory, run);
    }
    drop(JournalFile::create(directory, opened("c3")).unwrap());
    let pruned = prune(directory, |found| found.opened.run == "a1").unwrap();
    assert_eq!((pruned, finished(directory).unwrap()), (1, vec!["b2".to_owned()]));
    assert_eq!(unfinished(directory).unwrap(), ["c3"]);
}

#[cfg(unix)]
mod distrust {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::super::super::trust::Distrust;
    use super::*;

    fn refused(directory: &Path, run: &str) -> Option<Distrust> {
        let resumed = JournalFile::resume(directory, run).map(|_| ());
        let peeked = JournalFile::peek(directory, run).map(|_| ());
        let reason = |result| match result {
            Err(JournalError::Untrusted { distrust, .. }) => Some(distrust),
            _ => None,
        };
        let (resumed, peeked) = (reason(resumed), reason(peeked));
        assert_eq!(resumed, peeked);
        resumed
    }

    #[test]
    fn a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let target = directory.join("diary.txt");
        fs::write(&target, "dear diary").unwrap();
        symlink(&target, directory.join("x.journal")).unwrap();
        assert_eq!(refused(directory, "x"), Some(Distrust::NotAFile));
        assert_eq!(fs::read_to_string(target).unwrap(), "dear diary");
    }

    #[test]
    fn what_is_no_journal_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let path = directory.join("x.journal");
        for text in ["one line\n", "no line", "{\"crc\":\"00000000\",\"entry\":{}}\n"] {
            fs::write(&path, text).unwrap();
            assert!(JournalFile::resume(directory, "x").is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        // What a power cut leaves of a journal's first moment.
        for text in ["", "{\"crc\":\"1234"] {
            fs::write(&path, text).unwrap();
            let state = JournalFile::resume(directory, "x").map(|journal| journal.state().clone());
            assert!(state.is_ok_and(|state| state.opened.is_none()), "{text}");
        }
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.journal");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_eq!(refused(directory.path(), "x"), Some(Distrust::NotAFile));
    }

    #[test]
    fn what_others_may_write_is_not_obeyed() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        drop(JournalFile::create(directory, opened("a1")).unwrap());
        let permit = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        permit(&directory.join("a1.journal"), 0o620);
        assert_eq!(refused(directory, "a1"), Some(Distrust::Writable));
        permit(&directory.join("a1.journal"), 0o600);
        assert_eq!(refused(directory, "a1"), None);
        permit(directory, 0o777);
        assert_eq!(refused(directory, "a1"), Some(Distrust::Writable));
        assert!(
            unfinished(directory).is_err() && JournalFile::create(directory, opened("b")).is_err()
        );
        permit(directory, 0o700);
    }

    #[test]
    fn a_journal_under_another_name_is_not_that_runs() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        drop(JournalFile::create(directory, opened("a1")).unwrap());
        fs::rename(directory.join("a1.journal"), directory.join("b2.journal")).unwrap();
        let error = JournalFile::resume(directory, "b2").unwrap_err().to_string();
        assert!(error.ends_with("it is the journal of run a1"), "{error}");
    }
}
