//! Whatever stands in a file, reading it ends, and every fault points into the text.

use std::path::Path;

use proptest::prelude::*;

use super::fakes::{Disk, FakeKinds};
use crate::diagnostic::Sources;
use crate::playbook::load;

const PIECES: &[&str] = &[
    "name",
    "version",
    "inputs",
    "vars",
    "steps",
    "outputs",
    "tags",
    "id",
    "when",
    "for_each",
    "retry",
    "poll",
    "until",
    "every",
    "timeout",
    "expect_error",
    "assert",
    "keep",
    "block",
    "rescue",
    "always",
    "repeat",
    "include",
    "file",
    "cleanup",
    "confirm",
    "parallel",
    "print",
    "create-role",
    "create-function",
    "role_name",
    "policy",
    "code",
    "type",
    "default",
    "choices",
    "pattern",
    "min",
    "max",
    "secret",
    "integer",
    "choice",
    "\"{{ steps.a.arn }}\"",
    "'{{ inputs.n'",
    "steps.a.items[0]",
    "{{",
    "}}",
    "{%",
    "result.x",
    "item",
    "[",
    "]",
    "{",
    "}",
    ",",
    "-1",
    "1e400",
    "99999999999999999999",
    "0.5",
    "true",
    "~",
    "''",
    "main.yaml",
    "../handlers/add.py",
    "é",
    "\u{0}",
    "&a",
    "*a",
    "|",
    ">",
    "!tag",
    "#",
    "1s",
    "5m 3",
    "(((",
    "main",
];

const BETWEEN: &[&str] =
    &[": ", "\n", "\n  ", "\n    ", "\n  - ", "\n- ", " ", ", ", "", "\n      - ", ":\n  "];

fn pieces() -> impl Strategy<Value = String> {
    let pair = (prop::sample::select(PIECES), prop::sample::select(BETWEEN));
    prop::collection::vec(pair, 0..60)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(piece, between)| [piece, between]).collect())
}

/// A good playbook of which some words have been changed for others.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), prop::sample::select(PIECES), 0..12_usize);
    prop::collection::vec(change, 1..8).prop_map(|changes| {
        let mut characters: Vec<char> = super::good::WHOLE.chars().collect();
        for (at, piece, removed) in changes {
            let start = at.index(characters.len());
            let end = (start + removed).min(characters.len());
            characters.splice(start..end, piece.chars());
        }
        characters.into_iter().collect()
    })
}

fn read_to_the_end(text: &str) -> Result<(), TestCaseError> {
    let disk = Disk::with("main.yaml", text);
    let mut sources = Sources::new();
    let Err(faults) = load(Path::new("/project/books/main.yaml"), &disk, &FakeKinds, &mut sources)
    else {
        return Ok(());
    };
    prop_assert!(!faults.is_empty());
    for fault in faults {
        prop_assert!(!fault.message.is_empty());
        let span = fault.span.expect("a fault in a text has a place");
        prop_assert!(span.start <= span.end);
        prop_assert!(
            usize::try_from(span.end).is_ok_and(|end| end <= sources.text(span.source).len())
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn words_in_any_order(text in pieces()) {
        read_to_the_end(&text)?;
    }

    #[test]
    fn a_playbook_with_changes(text in mutated()) {
        read_to_the_end(&text)?;
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        read_to_the_end(&text)?;
    }
}
