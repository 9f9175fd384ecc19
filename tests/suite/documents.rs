//! What the documentation shows does what it says. `tests/documents/run.py` runs it, which takes any `playbook`: that of a
//! package too.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::sandbox::{program, repository};

/// `README.md` and the pages that people have written; those in `docs/steps` are made from the program.
fn documents() -> Vec<PathBuf> {
    let pages = fs::read_dir(repository().join("docs")).unwrap();
    let mut documents: Vec<_> = pages.map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|it| it == "md"));
    documents.sort();
    documents
}

#[test]
fn the_commands_of_the_documentation_run() {
    let running: Vec<_> = documents()
        .into_iter()
        .map(|document| {
            let mut command = Command::new("python3");
            command
                .arg(repository().join("tests/documents/run.py"))
                .arg("--playbook")
                .arg(program())
                .arg(&document)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            (document, command.spawn().expect("python3 is installed"))
        })
        .collect();
    let mut wrong = Vec::new();
    for (document, child) in running {
        let outcome = child.wait_with_output().unwrap();
        if !outcome.status.success() {
            let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
            wrong.push(format!("{}:\n{said}", document.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documentation_leads_nowhere_that_is_not_there() {
    let link = regex_lite::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let mut documents = documents();
    documents
        .extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|it| repository().join(it)));
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for found in link.captures_iter(&text) {
            let target = document.parent().unwrap().join(&found[1]);
            assert!(target.exists(), "{} leads to {}", document.display(), &found[1]);
        }
    }
}
