//! Playbooks that several projects share.

use super::fakes::Disk;
use super::{assert_faults, disk_faults, read_disk};

const MAIN: &str = "name: a\nsteps:\n  - include: {file: shared:greet.yaml}\n";
const GREET: &str = "name: greet\nsteps: [{print: Hello}]\n";

#[test]
fn a_library_is_named_by_the_project_or_for_a_run() {
    let project = "[libraries]\nshared = \"../shared\"\n";
    let disk = Disk::with("main.yaml", MAIN)
        .and("../playbook.toml", project)
        .and("../../shared/greet.yaml", GREET);
    let playbook = read_disk(&disk).expect("a playbook");
    assert_eq!(playbook.steps.len(), 1);
    let disk =
        Disk::with("main.yaml", MAIN).library("shared", "/lib").and("/lib/greet.yaml", GREET);
    assert!(read_disk(&disk).is_ok());
}

#[test]
fn what_a_run_names_goes_before_the_project() {
    let project = "[libraries]\nshared = \"../nowhere\"\n";
    let disk = Disk::with("main.yaml", MAIN)
        .and("../playbook.toml", project)
        .library("shared", "/lib")
        .and("/lib/greet.yaml", GREET);
    assert!(read_disk(&disk).is_ok());
}

#[test]
fn a_library_is_a_project_of_its_own() {
    let disk = Disk::with(
        "main.yaml",
        "name: a
steps:
  - include: {file: shared:sub/inner.yaml}
  - include: {file: shared:none.yaml}
  - include: {file: shared:../outside.yaml}
  - include: {file: shard:inner.yaml}
  - include: {file: other:inner.yaml}
  - include: {file: shared:gret.yaml}
",
    )
    .library("shared", "/lib")
    .and("/lib/greet.yaml", GREET)
    .and("/lib/sub/inner.yaml", "name: b\nsteps:\n  - include: {file: ../greet.yaml}\n  - include: {file: ../../outside.yaml}\n  - include: {file: shared:greet.yaml}\n")
    .and("/outside.yaml", GREET);
    assert_faults(
        &disk_faults(&disk),
        &[
            "4:21 missing-file «shared:none.yaml» there is no `shared:none.yaml` | leads to no file | the library `shared` is `/lib`",
            "5:21 outside-root «shared:../outside.yaml» `shared:../outside.yaml` lies outside the library | not read from here | move the file under `/lib`",
            "6:21 unknown-library «shard:inner.yaml» there is no library `shard` | nothing says where it is | did you mean `shared:…`?",
            "7:21 unknown-library «other:inner.yaml» there is no library `other` | nothing says where it is | run with `--library other=DIR`, or write `other = \"DIR\"` below `[libraries]` in `playbook.toml` at the project's root",
            "8:21 missing-file «shared:gret.yaml» there is no `shared:gret.yaml` | leads to no file | did you mean `shared:greet.yaml`?",
            "inner.yaml:4:21 outside-root «../../outside.yaml» `../../outside.yaml` lies outside the project | not read from here | move the file under `/lib`",
        ],
    );
}

#[test]
fn a_project_file_that_cannot_be_read() {
    for (text, fault) in [
        (
            "[libraries]\nshared = 5\n",
            "playbook.toml:2:10 invalid-project «5» `playbook.toml`: invalid type: integer `5`, expected a string | cannot be read | write `[libraries]` and, below it, `shared = \"../shared-playbooks\"`",
        ),
        (
            "[libraries]\nshared = \"../none\"\n",
            "playbook.toml:2:10 missing-file «\"../none\"» there is no directory `../none` | leads to no directory | name one, or run with `--library shared=DIR`",
        ),
        (
            "[libraries]\nShared = \"..\"\n",
            "playbook.toml:2:1 invalid-name «Shared» `Shared` is no name for a library | names are made of a–z, 0–9, _ and -, and start with a letter | write another name, such as `shared`",
        ),
    ] {
        let main = "name: a\nsteps: [{print: Hello}]\n";
        let disk = Disk::with("main.yaml", main).and("../playbook.toml", text);
        assert_faults(&disk_faults(&disk), &[fault]);
    }
}
