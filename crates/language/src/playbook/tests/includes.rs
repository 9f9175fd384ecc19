//! Faults of `include` and of what is included.

use super::fakes::Disk;
use super::{assert_faults, disk_faults};

#[test]
fn an_include_names_a_file() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: other.yaml
  - include: {inputs: {a: b}}
  - include: {file: 5}
  - include: {fle: a, file: '{{ run.id }}.yaml'}
  - include:
  - include: {file: s.yaml, inputs: [a]}
",
            )
            .and(
                "s.yaml",
                "name: s
steps: [print: a]
",
            ),
        ),
        &[
            "3:14 wrong-type «other.yaml» `include` must be a map, this is a string | must be a map | write `include: {file: other.yaml}`",
            "4:5 missing-key «include» `include` has no `file` | `file` is missing | write `include: {file: other.yaml, inputs: {…}}`",
            "5:21 missing-file «5» there is no `5` | leads to no file | paths are relative to the playbook's directory, `/project/books`",
            "6:15 unknown-key «fle» `include` has no key `fle` | unknown key | did you mean `file`?",
            "6:29 misplaced-template «'{{ run.id }}.yaml'» `include.file` cannot hold a template | this is read as it stands | write plain text",
            "7:12 wrong-type «» `include` must be a map, this is empty | must be a map | write `include: {file: other.yaml, inputs: {…}}`",
            "8:37 wrong-type «[a]» `include.inputs` must be a map, this is a list | must be a map | write `include: {file: other.yaml, inputs: {…}}`",
        ],
    );
}

#[test]
fn a_file_that_is_not_there() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: lib/none.yaml}
  - include: {file: ../../x.yaml}
  - include: {file: ../handlers}
  - include: {file: link.yaml}
",
            )
            .link("link.yaml", "/etc/passwd"),
        ),
        &[
            "3:21 missing-file «lib/none.yaml» there is no `lib/none.yaml` | leads to no file | paths are relative to the playbook's directory, `/project/books`",
            "4:21 outside-root «../../x.yaml» `../../x.yaml` lies outside the project | not read from here | move the file under `/project`",
            "5:21 unreadable-file «../handlers» `../handlers` cannot be read: is a directory | cannot be read | name a playbook file that can be read",
            "6:21 outside-root «link.yaml» `link.yaml` lies outside the project | not read from here | move the file under `/project`",
        ],
    );
}

#[test]
fn faults_stand_in_their_own_file() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: lib/sub.yaml}
  - include: {file: lib/sub.yaml}
  - prnt: a
",
            )
            .and(
                "lib/sub.yaml",
                "nam: sub
steps:
  - create-role: {}
  - create-function: {function_name: a, role: b, code: ../handlers/add.py}
  - print: '{{ steps.x }}'
",
            ),
        ),
        &[
            "5:5 unknown-kind «prnt» there is no step kind `prnt` | unknown kind | did you mean `print`?",
            "sub.yaml:1:1 unknown-key «nam» a playbook has no key `nam` | unknown key | did you mean `name`?",
            "sub.yaml:3:5 missing-field «create-role» `create-role` needs `role_name` | `role_name` is missing | add `role_name`: The role's name",
            "sub.yaml:4:56 missing-file «../handlers/add.py» there is no `../handlers/add.py` | leads to no file | paths are relative to the playbook's directory, `/project/books/lib`",
            "sub.yaml:5:22 unknown-reference «x» there is no step `x` | no step has this id | give the step that makes it `id: x`",
        ],
    );
}

#[test]
fn text_that_is_no_yaml() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: lib/sub.yaml}
",
            )
            .and(
                "lib/sub.yaml",
                "name: [
",
            ),
        ),
        &[
            "sub.yaml:1:7 unclosed-bracket «[» this bracket is never closed | - | separate items with commas and close every bracket",
        ],
    );
}

#[test]
fn a_playbook_that_includes_itself() {
    assert_faults(
        &disk_faults(&Disk::with(
            "main.yaml",
            "name: a
steps:
  - include: {file: main.yaml}
",
        )),
        &[
            "3:21 include-cycle «main.yaml» this playbook includes itself | is being read already | leave one of these out: books/main.yaml → books/main.yaml",
        ],
    );
}

#[test]
fn a_circle_of_playbooks() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: lib/one.yaml}
",
            )
            .and(
                "lib/one.yaml",
                "name: one
steps: [include: {file: two.yaml}]
",
            )
            .and(
                "lib/two.yaml",
                "name: two
steps: [include: {file: ../main.yaml}]
",
            ),
        ),
        &[
            "two.yaml:2:25 include-cycle «../main.yaml» this playbook includes itself | is being read already | leave one of these out: books/main.yaml → books/lib/one.yaml → books/lib/two.yaml → books/main.yaml",
        ],
    );
}

#[test]
fn inputs_are_checked() {
    assert_faults(
        &disk_faults(&Disk::with("main.yaml", "name: a
steps:
  - include: {file: sub.yaml, inputs: {stak: x, limit: many, password: hunter2}}
  - include: {file: sub.yaml, inputs: {stack: '{{ run.local }}', limit: '{{ inputs.none }}', other: 1}}
  - include: {file: sub.yaml}
").and("sub.yaml", "name: sub
inputs: {stack: {}, limit: {type: integer, default: 10}, password: {type: secret}}
steps: [print: a]
outputs: {pool: '1'}
")),
        &[
            "3:40 unknown-key «stak» `sub.yaml` has no input `stak` | not declared there | did you mean `stack`?",
            "3:56 invalid-input «many» `inputs.limit` must be a whole number, such as 41 | the input is of type `integer` | write another value",
            r#"3:72 secret-in-playbook «hunter2» a secret cannot be written in a playbook | everyone who reads the file sees this | declare a secret input here, and hand it on: "{{ inputs.password }}""#,
            "4:21 missing-input «sub.yaml» `sub.yaml` needs `password` | not all its inputs are given | add `inputs: {password: …}`",
            "4:47 wrong-type «'{{ run.local }}'» `inputs.stack` must be a string, `run.local` is true or false | this is true or false | hand on something that is a string",
            "4:84 unknown-reference «none» there is no input `none` | not declared under `inputs` | declare it at the top: `inputs: {none: {prompt: …}}`",
            "4:94 unknown-key «other» `sub.yaml` has no input `other` | not declared there | its inputs are `stack`, `limit`, `password`",
            "5:21 missing-input «sub.yaml» `sub.yaml` needs `stack`, `password` | not all its inputs are given | add `inputs: {stack: …, password: …}`",
        ],
    );
}

#[test]
fn outputs_are_those_it_names() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
inputs: {p: {type: secret}}
steps:
  - id: s
    include: {file: sub.yaml, inputs: {stack: x, password: '{{ inputs.p }}'}}
    assert: result.pol
  - print: '{{ steps.s.pool }} {{ steps.s.role }}'
",
            )
            .and(
                "sub.yaml",
                "name: sub
inputs: {stack: {}, limit: {type: integer, default: 10}, password: {type: secret}}
steps: [print: a]
outputs: {pool: '1'}
",
            ),
        ),
        &[
            "6:20 unknown-reference «pol» this step has no output `pol` | no such output | did you mean `pool`?",
            "7:43 unknown-reference «role» step `s` has no output `role` | no such output | its outputs are `pool`",
        ],
    );
}

#[test]
fn nothing_leaks_in_or_out() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
inputs: {p: {}}
steps:
  - id: s
    for_each: [1]
    include: {file: sub.yaml}
  - print: '{{ steps.inner.payload }}'
",
            )
            .and(
                "sub.yaml",
                "name: sub
steps:
  - id: inner
    invoke: {function_name: '{{ item }} {{ inputs.p }} {{ steps.s }}'}
",
            ),
        ),
        &[
            "7:22 unknown-reference «inner» there is no step `inner` | no step has this id | the steps before this one are `s`",
            "sub.yaml:4:33 misplaced-reference «item» `item` exists only inside `for_each` | no such loop around this | put `for_each: <list>` on this step or on the block around it",
            "sub.yaml:4:51 unknown-reference «p» there is no input `p` | not declared under `inputs` | declare it at the top: `inputs: {p: {prompt: …}}`",
            "sub.yaml:4:65 unknown-reference «s» there is no step `s` | no step has this id | give the step that makes it `id: s`",
        ],
    );
}

#[test]
fn only_the_main_playbook_cleans_up() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: sub.yaml}
",
            )
            .and(
                "sub.yaml",
                "name: sub
steps: [print: a, cleanup: ]
",
            ),
        ),
        &[
            "sub.yaml:2:19 misplaced-cleanup «cleanup» an included playbook cannot clean up: what it makes belongs to the one that includes it | cannot stand here | move it to the end of the main playbook's `steps`",
        ],
    );
}

#[test]
fn keys_that_do_not_go_with_include() {
    assert_faults(
        &disk_faults(
            &Disk::with(
                "main.yaml",
                "name: a
steps:
  - include: {file: sub.yaml}
    poll: {until: 'true'}
    retry: {}
",
            )
            .and(
                "sub.yaml",
                "name: sub
steps: [print: a]
",
            ),
        ),
        &[
            "4:5 misplaced-key «poll» `poll` means nothing on `include` | `include` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step of the included playbook",
            "5:5 misplaced-key «retry» `retry` means nothing on `include` | `include` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step of the included playbook",
        ],
    );
}
