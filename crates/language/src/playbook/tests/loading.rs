//! Files that cannot be read, and files that include too many others.

use std::path::Path;

use super::fakes::{Disk, FakeKinds};
use super::{assert_faults, disk_faults};
use crate::diagnostic::{Code, Diagnostic, Sources};
use crate::playbook::load;

fn load_faults(path: &str) -> Vec<Diagnostic> {
    let disk = Disk::with("main.yaml", "name: a\nsteps: [print: a]\n");
    load(Path::new(path), &disk, &FakeKinds, &mut Sources::new()).err().unwrap_or_default()
}

#[test]
fn a_file_that_cannot_be_read() {
    assert_eq!(
        load_faults("/project/books/none.yaml"),
        [Diagnostic::new(Code::UnreadableFile, "/project/books/none.yaml: no such file")
            .help("name a playbook file that can be read")]
    );
    assert_eq!(
        load_faults("/project/books"),
        [Diagnostic::new(Code::UnreadableFile, "/project/books: is a directory")
            .help("name a playbook file that can be read")]
    );
}

#[test]
fn a_chain_that_is_too_long() {
    let include =
        |number: usize| format!("name: a\nsteps:\n  - include: {{file: f{number}.yaml}}\n");
    let disk = (0..20).fold(Disk::with("main.yaml", &include(0)), |disk, number| {
        disk.and(&format!("f{number}.yaml"), &include(number + 1))
    });
    assert_faults(
        &disk_faults(&disk),
        &["f14.yaml:3:21 include-depth «f15.yaml» more than 16 playbooks include one another \
           | not read any more | include fewer from one another"],
    );
}
