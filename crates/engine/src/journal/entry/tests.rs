use super::*;
use crate::journal::encoding::{Broken, decode, encode};
use proptest::prelude::*;
use serde_json::json;

fn opened() -> Record {
    Record::Opened(Opened {
        run: "k3f9x2".into(),
        version: "0.1.0".into(),
        playbook: "hello".into(),
        file: "playbooks/hello.yaml".into(),
        started: "2026-11-23T10:00:00Z".into(),
        target: Target {
            account: "000000000000".into(),
            region: "us-east-1".into(),
            endpoint: None,
            local: false,
        },
        profile: None,
        attempt_millis: 60_000,
    })
}

fn intent(seq: u64) -> Record {
    Record::Intent {
        seq,
        kind: "AWS::IAM::Role".into(),
        name: format!("role-{seq}"),
        step: "role".into(),
        number: String::new(),
        undo: json!({"role_name": format!("role-{seq}")}),
        depends: vec![],
        keep: false,
        at: None,
        beside: None,
    }
}

fn sample() -> Vec<Record> {
    vec![
        opened(),
        intent(1),
        Record::Done { seq: 1, ids: json!({"role_id": "AROA1"}) },
        intent(2),
        Record::Failed { seq: 2, code: "EntityAlreadyExists".into() },
        intent(3),
        Record::UnderWay {
            seq: 3,
            attempt: LostAttempt {
                began: "2026-11-23T10:00:01Z".parse().expect("a time"),
                ended: "2026-11-23T10:01:01Z".parse().expect("a time"),
            },
        },
        Record::Unknown { seq: 3, reason: "it took too long".into() },
        Record::UndoStarted { seq: 3 },
        Record::UndoFailed { seq: 3, reason: "throttled".into() },
        Record::UndoStarted { seq: 1 },
        Record::Amended { seq: 1, undo: json!({"role_name": "role-1", "emptied": true}) },
        Record::UndoDone { seq: 1, how: "deleted".into() },
    ]
}

fn text(records: &[Record]) -> String {
    records.iter().map(encode).collect()
}

#[test]
fn what_is_written_is_read_back() {
    let text = text(&sample());
    let (state, covered) = decode(text.as_bytes()).unwrap();
    assert_eq!(covered, text.len());
    let pending: Vec<u64> = state.pending().map(|entry| entry.seq).collect();
    assert_eq!(pending, [3]);
    assert_eq!(state.entries[0].state, EntryState::Closed);
    assert_eq!(state.entries[0].undo["emptied"], true);
}

#[test]
fn cut_at_any_byte_it_reads_a_prefix() {
    let records = sample();
    let text = text(&records);
    for cut in 0..text.len() {
        let (state, covered) = decode(&text.as_bytes()[..cut]).unwrap();
        let whole = text[..cut].matches('\n').count();
        let mut expected = JournalState::default();
        for record in &records[..whole] {
            expected.apply(record).unwrap();
        }
        assert_eq!(state, expected, "cut at {cut}");
        assert!(covered <= cut);
    }
}

#[test]
fn a_flipped_bit_in_the_middle_is_an_error_that_names_the_line() {
    let text = text(&sample());
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    for position in 0..last {
        let mut bytes = text.clone().into_bytes();
        if bytes[position] == b'\n' {
            continue;
        }
        bytes[position] ^= 1;
        let line = text[..position].matches('\n').count() + 1;
        match decode(&bytes) {
            Err(Broken::Damaged { line: found }) => assert_eq!(found, line, "at {position}"),
            // The flip made a newline: the line falls into two, of which the first is damaged.
            other => panic!("at {position}: {other:?}"),
        }
    }
}

/// A record over several pages, of which a power cut let only some reach the disk.
#[test]
fn a_last_line_with_holes_in_it_is_passed_over() {
    let text = text(&sample());
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    let (expected, _) = decode(&text.as_bytes()[..last]).unwrap();
    for position in last..text.len() - 1 {
        for end in [position + 1, text.len() - 1, text.len()] {
            let mut bytes = text.clone().into_bytes();
            bytes[position..end].fill(0);
            assert_eq!(decode(&bytes), Ok((expected.clone(), last)), "{position}..{end}");
        }
    }
}

#[test]
fn a_step_may_take_away_what_a_clean_up_could_not() {
    let stuck = [
        opened(),
        intent(1),
        Record::Done { seq: 1, ids: json!(null) },
        Record::UndoStarted { seq: 1 },
        Record::UndoFailed { seq: 1, reason: "DeleteConflict".into() },
        Record::Removed { seq: 1 },
    ];
    let (state, _) = decode(text(&stuck).as_bytes()).unwrap();
    assert_eq!(state.entries[0].state, EntryState::Closed);
}

#[test]
fn illegal_transitions_are_refused_by_name() {
    let refuse = |records: &[Record]| decode(text(records).as_bytes()).unwrap_err().to_string();
    assert_eq!(
        refuse(&[intent(1)]),
        "line 1 may not come here: the head of a journal must be its first record, and only that"
    );
    assert_eq!(
        refuse(&[opened(), intent(2)]),
        "line 2 may not come here: intent 2 comes where 1 should"
    );
    assert_eq!(
        refuse(&[opened(), Record::Done { seq: 1, ids: json!(null) }]),
        "line 2 may not come here: the success of entry 1, which there is none of"
    );
    let twice = [
        opened(),
        intent(1),
        Record::Failed { seq: 1, code: "X".into() },
        Record::Done { seq: 1, ids: json!(null) },
    ];
    assert_eq!(refuse(&twice), "line 4 may not come here: the success of entry 1, which is closed");
    assert_eq!(
        refuse(&[opened(), Record::Closed { exit_code: 0 }, intent(1)]),
        "line 3 may not come here: a record after the end of the run"
    );
}

#[test]
fn what_is_kept_is_not_pending() {
    let mut record = intent(1);
    if let Record::Intent { keep, .. } = &mut record {
        *keep = true;
    }
    let (state, _) = decode(text(&[opened(), record]).as_bytes()).unwrap();
    assert_eq!(state.pending().count(), 0);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }
}
