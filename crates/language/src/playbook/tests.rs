//! Playbooks, right and wrong, with a disk and step kinds of the tests' own.

mod editors;
mod fakes;
mod good;
mod growth;
mod hostile;
mod includes;
mod inputs;
mod libraries;
mod loading;
mod references;
mod schema;
mod steps;
mod top;

use std::path::Path;

use super::{Playbook, load};
use crate::diagnostic::{Diagnostic, Sources};
use fakes::{Disk, FakeKinds};

/// Reads `main.yaml` of a disk that has nothing else but what the fakes bring.
fn read(text: &str) -> Result<Playbook, Vec<String>> {
    read_disk(&Disk::with("main.yaml", text))
}

fn read_disk(disk: &Disk) -> Result<Playbook, Vec<String>> {
    let mut sources = Sources::new();
    load(Path::new("/project/books/main.yaml"), disk, &FakeKinds, &mut sources)
        .map_err(|faults| faults.iter().map(|fault| shown(fault, &sources)).collect())
}

/// `3:5 code «the words» message | label | help`
fn shown(fault: &Diagnostic, sources: &Sources) -> String {
    let place = fault.span.map_or_else(
        || "nowhere".to_owned(),
        |span| {
            let (line, column) = sources.line_column(span);
            let name = sources.name(span.source);
            let file = name.rsplit('/').next().unwrap_or_default();
            let file = if file == "main.yaml" { String::new() } else { format!("{file}:") };
            format!("{file}{line}:{column} {} «{}»", fault.code, sources.slice(span))
        },
    );
    let label = fault.label.as_deref().unwrap_or("-");
    let help = fault.help.as_deref().unwrap_or("-");
    format!("{place} {} | {label} | {help}", fault.message)
}

/// The faults of a playbook that must have some.
fn faults(text: &str) -> Vec<String> {
    faults_of(read(text))
}

/// The faults of a playbook of these steps alone; the first step is in line 3.
fn step_faults(steps: &str) -> Vec<String> {
    faults(&format!("name: test\nsteps:\n{steps}"))
}

/// The faults of a disk whose playbook must have some.
fn disk_faults(disk: &Disk) -> Vec<String> {
    faults_of(read_disk(disk))
}

fn faults_of(read: Result<Playbook, Vec<String>>) -> Vec<String> {
    match read {
        Ok(playbook) => panic!("no fault in {playbook:?}"),
        Err(faults) => faults,
    }
}

#[track_caller]
fn assert_faults(found: &[String], expected: &[&str]) {
    assert_eq!(found.join("\n"), expected.join("\n"));
}
