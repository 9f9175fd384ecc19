//! Faults of the top level.

use serde_json::Value;

use super::{assert_faults, faults};

#[test]
fn a_playbook_is_a_map() {
    assert_faults(
        &faults(
            "- print: a
",
        ),
        &[
            "1:1 wrong-type «- print: a» a playbook is a map, this is a list | steps go under `steps:` | start with `name: …` and `steps: [{print: Hello}]`",
        ],
    );
}

#[test]
fn an_empty_map_lacks_name_and_steps() {
    assert_faults(
        &faults(
            "{}
",
        ),
        &[
            "1:1 missing-key «{}» the playbook has no `name` | `name` is missing | add `name: create-a-function`",
            "1:1 missing-key «{}» the playbook has no `steps` | `steps` is missing | add `steps: [{print: Hello}]`",
        ],
    );
}

#[test]
fn name_and_steps_are_required() {
    assert_faults(
        &faults(
            "version: 1
description: a
",
        ),
        &[
            "1:1 missing-key «version» the playbook has no `name` | `name` is missing | add `name: create-a-function`",
            "1:1 missing-key «version» the playbook has no `steps` | `steps` is missing | add `steps: [{print: Hello}]`",
        ],
    );
}

#[test]
fn a_misspelt_key_is_not_missing_too() {
    assert_faults(
        &faults(
            "nmae: a
steps: [print: a]
",
        ),
        &[
            "1:1 unknown-key «nmae» a playbook has no key `nmae` | unknown key | did you mean `name`?",
        ],
    );
}

#[test]
fn empty_values() {
    assert_faults(
        &faults(
            "name: ''
steps: []
",
        ),
        &[
            "1:7 empty-value «''» `name` is empty | nothing is written here | write some text",
            "2:8 empty-value «[]» `steps` is empty | no step is written here | write a step, such as `- print: Hello`",
        ],
    );
}

#[test]
fn a_newer_version_is_refused_by_name() {
    assert_faults(
        &faults(
            "version: 2
name: [a]
steps: 1
",
        ),
        &[
            "1:10 newer-version «2» this playbook is written in version 2 of the language | this program reads version 1 | install a newer `playbook`",
        ],
    );
}

#[test]
fn a_version_that_never_was() {
    assert_faults(
        &faults(
            "version: one
name: a
steps: [print: a]
",
        ),
        &[
            "1:10 unknown-version «one» `version` must be 1 | there is no such version | write `version: 1`",
        ],
    );
}

#[test]
fn keys_of_other_tools() {
    assert_faults(
        &faults(
            "name: a
hosts: all
tasks: [print: a]
env: {A: b}
setup: []
",
        ),
        &[
            "2:1 foreign-keyword «hosts» `hosts` is not a word of playbooks | another tool's word | leave it out: region and profile are given on the command line",
            "3:1 foreign-keyword «tasks» `tasks` is not a word of playbooks | another tool's word | write `steps: […]`",
            "4:1 foreign-keyword «env» `env` is not a word of playbooks | another tool's word | write `vars: {…}`; the environment is read as `env.NAME`",
            "5:1 foreign-keyword «setup» `setup` is not a word of playbooks | another tool's word | write `steps: […]`",
        ],
    );
}

#[test]
fn a_kind_at_the_top() {
    assert_faults(
        &faults(
            "name: a
steps: [print: a]
create-role: {role_name: a}
",
        ),
        &[
            "3:1 unknown-key «create-role» a playbook has no key `create-role` | unknown key | steps stand in a list: `steps: [{create-role: …}]`",
        ],
    );
}

#[test]
fn wrong_types_at_the_top() {
    assert_faults(
        &faults(
            "name: 1
description: [a]
tags: lambda
inputs: []
vars: a
steps: {print: a}
outputs: []
",
        ),
        &[
            "2:14 wrong-type «[a]» `description` must be a string, this is a list | must be a string | write a without brackets",
            "3:7 wrong-type «lambda» `tags` must be a list, this is a string | must be a list | write `tags: [lambda]`",
            "4:9 wrong-type «[]» `inputs` must be a map, this is a list | must be a map | write `inputs: {number: {type: integer, prompt: Enter a number}}`",
            "5:7 wrong-type «a» `vars` must be a map, this is a string | must be a map | write `vars: {name: value}`",
            "6:8 wrong-type «{print: a}» `steps` must be a list of steps, this is a map | must be a list of steps | start each step with a dash: `- print: Hello`",
            "7:10 wrong-type «[]» `outputs` must be a map, this is a list | must be a map | write `outputs: {name: <expression>}`",
        ],
    );
}

#[test]
fn names_hold_no_templates() {
    assert_faults(
        &faults(
            "name: 'x {{ run.id }}'
tags: ['{{ run.id }}']
steps: [print: a]
",
        ),
        &[
            "1:7 misplaced-template «'x {{ run.id }}'» `name` cannot hold a template | this is read as it stands | write plain text",
            "2:8 misplaced-template «'{{ run.id }}'» `tags[0]` cannot hold a template | this is read as it stands | write plain text",
        ],
    );
}

#[test]
fn names_of_variables() {
    assert_faults(
        &faults(
            "name: a
vars: {roleName: 1, item: 2, 3rd: 3, ok_1: 4}
steps: [print: a]
",
        ),
        &[
            "2:8 invalid-name «roleName» `roleName` is no name for a variable | names are made of a–z, 0–9 and _, and start with no digit | write `role_name`",
            "2:21 reserved-name «item» a variable cannot be named `item` | this word means something itself | write another name, such as `item_1`",
            "2:30 invalid-name «3rd» `3rd` is no name for a variable | names are made of a–z, 0–9 and _, and start with no digit | write `_3rd`",
        ],
    );
}

#[test]
fn variables_see_only_what_is_known_before() {
    assert_faults(
        &faults(
            "name: a
vars:
  a: '{{ vars.b }}'
  b: '{{ steps.x.payload }}'
  c: '{{ vars.c }} {{ vars.d }}'
steps:
  - id: x
    invoke: {function_name: a}
",
        ),
        &[
            "3:15 later-reference «b» variable `b` has no value yet | computed further down | move `b` above the variable that needs it",
            "4:10 misplaced-reference «steps» a variable cannot use `steps` | known before the first step runs | use the step's output where it is needed, or give that step `outputs:`",
            "5:15 later-reference «c» variable `c` reads itself | has no value yet | write a value, or read another name",
            "5:28 unknown-reference «d» there is no variable `d` | not declared under `vars` | declare it at the top: `vars: {d: …}`",
        ],
    );
}

#[test]
fn outputs_of_the_playbook() {
    assert_faults(
        &faults(
            "name: a
steps: [print: a]
outputs: {Arn: steps.x.arn, ok: [1]}
",
        ),
        &[
            "3:11 invalid-name «Arn» `Arn` is no name for an output | names are made of a–z, 0–9 and _, and start with no digit | write `arn`",
            "3:22 unknown-reference «x» there is no step `x` | no step has this id | give the step that makes it `id: x`",
            "3:33 wrong-type «[1]» `outputs.ok` must be an expression, this is a list | must be an expression | write it as text, such as `result.count > 0`",
        ],
    );
}

#[test]
fn yaml_that_does_not_parse() {
    assert_faults(
        &faults(
            "name: a
steps: [
",
        ),
        &[
            "2:8 unclosed-bracket «[» this bracket is never closed | - | separate items with commas and close every bracket",
        ],
    );
}

#[test]
fn faults_of_all_sections_at_once() {
    assert_faults(
        &faults(
            "name: a
extra: 1
inputs:
  n: {type: int}
vars:
  v: '{{ inputs.m }}'
steps:
  - create-rol: {role_name: a}
  - create-role: {role_name: 5, polcy: a}
    when: vars.w
  - print: '{{ steps.x.y }}'
outputs: {o: vars.x}
",
        ),
        &[
            "2:1 unknown-key «extra» a playbook has no key `extra` | unknown key | its keys are `version`, `name`, `description`, `tags`, `public_env`, `inputs`, `matrix`, `vars`, `defaults`, `steps`, `outputs`",
            "4:13 unknown-type «int» there is no type `int` | unknown type | did you mean `integer`?",
            "6:17 unknown-reference «m» there is no input `m` | not declared under `inputs` | declare it at the top: `inputs: {m: {prompt: …}}`",
            "8:5 unknown-kind «create-rol» there is no step kind `create-rol` | unknown kind | did you mean `create-role`?",
            "9:33 unknown-key «polcy» `create-role` has no field `polcy` | unknown field | did you mean `policy`?",
            "10:16 unknown-reference «w» there is no variable `w` | not declared under `vars` | declare it at the top: `vars: {w: …}`",
            "11:22 unknown-reference «x» there is no step `x` | no step has this id | give the step that makes it `id: x`",
            "12:19 unknown-reference «x» there is no variable `x` | not declared under `vars` | declare it at the top: `vars: {x: …}`",
        ],
    );
}

#[test]
fn a_matrix_has_values_of_inputs_that_there_are() {
    let playbook = super::read(
        "name: a
inputs: {runtime: {}, number: {type: integer}}
matrix: {inputs: {runtime: [python3.13, 1.10], number: [1, 2]}, regions: [eu-west-1], profiles: [dev, test]}
steps: [{print: \"{{ inputs.runtime }} {{ inputs.number }}\"}]
",
    )
    .expect("it is right");
    let values = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
    assert_eq!(playbook.matrix.inputs[0], ("runtime".to_owned(), values(&["python3.13", "1.10"])));
    assert_eq!(playbook.matrix.inputs[1], ("number".to_owned(), vec![1.into(), 2.into()]));
    assert_eq!(playbook.matrix.regions, ["eu-west-1"]);
    assert_eq!(playbook.matrix.profiles, ["dev", "test"]);
}

#[test]
fn what_is_wrong_in_a_matrix_is_said_where_it_stands() {
    assert_faults(
        &faults(
            "name: a
inputs: {runtime: {}, number: {type: integer}, password: {type: secret}}
matrix:
  input: {runtime: [a]}
  inputs:
    runtme: [a]
    number: [1, two]
    password: [a]
    runtime: []
  regions: eu-west-1
  profiles: []
steps: [{print: \"{{ inputs.runtime }} {{ inputs.number }} {{ inputs.password }}\"}]
",
        ),
        &[
            "4:3 unknown-key «input» `matrix` has no key `input` | unknown key | did you mean `inputs`?",
            "6:5 unknown-name «runtme» the playbook has no input `runtme` | no such input | did you mean `runtime`?",
            "7:17 invalid-default «two» a value of `number` must be a whole number, such as 41 | not a value of this input | look at `inputs.number`",
            "8:5 invalid-default «password» `password` is a secret | a secret does not stand in a file | leave it out, and give it in PLAYBOOK_INPUT_PASSWORD",
            "9:14 empty-value «[]» `matrix.inputs.runtime` is empty | nothing is written here | write at least one",
            "10:12 wrong-type «eu-west-1» `matrix.regions` must be a list, this is a string | must be a list | write `regions: [eu-west-1]`",
            "11:13 empty-value «[]» `matrix.profiles` is empty | nothing is written here | write at least one",
        ],
    );
}
