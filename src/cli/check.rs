//! `playbook check`.

use std::path::PathBuf;

use super::disk::Disk;
use super::exit::Exit;
use super::output::Output;
use crate::diagnostic::Sources;
use crate::playbook;
use crate::steps::Registry;

/// Parses, resolves and type-checks; calls nothing.
pub(super) fn check(files: &[PathBuf], output: Output) -> Exit {
    let mut sources = Sources::new();
    let mut faults = Vec::new();
    for file in files {
        match playbook::load(file, &Disk, &Registry, &mut sources) {
            Ok(playbook) => {
                output.result(&format!("{}: {} is fine\n", file.display(), playbook.name));
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        return Exit::FINE;
    }
    output.diagnostics(&faults, &sources);
    Exit::WRONG
}
