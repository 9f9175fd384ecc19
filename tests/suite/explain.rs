//! The examples of `playbook explain`: the wrong one gives its code, the right one nothing at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::steps::Registry;
use language::diagnostic::{Code, Diagnostic, Example, Sources};
use language::playbook::{FileKind, Files, check};

use crate::harness::sandbox::Sandbox;

/// Files in memory; the playbook lies beside those that it needs.
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        if self.0.contains_key(path) {
            return Some(FileKind::File);
        }
        self.0.keys().any(|file| file.starts_with(path)).then_some(FileKind::Directory)
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.kind(path).map(|_| path.to_owned())
    }
}

/// Codes that no file by itself gives, and where they are tested instead.
const WITHOUT_EXAMPLE: &[(Code, &str)] = &[
    (Code::InvalidProject, "it is found in `playbook.toml`"),
    (Code::UnreadableFile, "playbook/tests/loading.rs"),
    (Code::TooLarge, "document/tests.rs"),
    (Code::TooManyValues, "document/tests.rs"),
    (Code::IncludeDepth, "playbook/tests/includes.rs"),
    (Code::TemplateTooLong, "template/tests.rs"),
    (Code::ExpressionTooLong, "template/tests.rs"),
    (Code::Interrupted, "suite/signals.rs"),
    (Code::SkippedStep, "suite/resume.rs"),
    (Code::ChangedSince, "suite/resume.rs"),
];

/// Codes that a run gives, not a check.
const OF_A_RUN: &[Code] = &[
    Code::MissingVariable,
    Code::MissingAnswer,
    Code::LocalOnly,
    Code::AdministratorPolicy,
    Code::Template,
    Code::StepFailed,
    Code::AssertionFailed,
];

fn found(example: &Example, files: &[Example]) -> (Vec<Diagnostic>, String) {
    let file =
        |example: &Example| (Path::new("/project").join(example.name), example.text.to_owned());
    let memory = Memory(files.iter().chain([example]).map(file).collect());
    let mut sources = Sources::new();
    let path = Path::new("/project").join(example.name);
    let found = check(&path, &memory, &Registry, &mut sources).found;
    let drawn = language::diagnostic::render(&found, &sources, false);
    (found, drawn)
}

#[test]
fn wrong_examples_give_their_code_and_right_ones_nothing() {
    let mut failures = Vec::new();
    for code in Code::ALL {
        let page = code.page();
        let (Some(wrong), Some(right)) = (&page.wrong, &page.right) else {
            assert!(
                WITHOUT_EXAMPLE.iter().any(|(without, _)| without == code),
                "{code} has no example"
            );
            continue;
        };
        let (given, drawn) = found(right, &page.files);
        if !given.is_empty() {
            failures.push(format!("{code}, right:\n{drawn}"));
        }
        let (given, drawn) = found(wrong, &page.files);
        let told = given.iter().any(|diagnostic| diagnostic.code == *code);
        if told == OF_A_RUN.contains(code) {
            failures.push(format!("{code}, wrong:\n{drawn}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn examples_of_what_a_run_says_are_run() {
    for code in OF_A_RUN {
        let page = code.page();
        let (wrong, right) = (page.wrong.unwrap(), page.right.unwrap());
        let sandbox = Sandbox::new();
        sandbox.write("wrong.yaml", wrong.text);
        sandbox.write("right.yaml", right.text);
        let how = if *code == Code::LocalOnly { "--dry-run" } else { "--local" };
        let outcome = sandbox.run(["run", "wrong.yaml", how]);
        assert!(outcome.stderr.contains(&format!("error[{code}]: ")), "{code}: {}", outcome.stderr);
        let outcome = sandbox.run(["run", "right.yaml", how]).exited(0);
        assert!(!outcome.stderr.contains("error["), "{code}: {}", outcome.stderr);
        sandbox.nothing_left();
    }
}

#[test]
fn pages_are_written_in_full() {
    for code in Code::ALL {
        let page = code.page();
        assert!(
            page.summary.ends_with('.') && page.summary.len() <= 90,
            "{code}: {}",
            page.summary
        );
        assert_eq!(page.wrong.is_some(), page.right.is_some(), "{code}");
        assert!(page.wrong.is_some() || !page.details.is_empty(), "{code}");
    }
}
