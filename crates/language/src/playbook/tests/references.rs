//! Faults of names.

use super::{assert_faults, faults, step_faults};

#[test]
fn names_from_nowhere() {
    assert_faults(
        &step_faults(
            "  - id: role
    create-role: {role_name: a}
  - print: '{{ role.arn }}'
  - print: '{{ step.role.arn }}'
  - print: '{{ rol.arn }}'
  - print: '{{ whatever }}'
  - print: a
    when: yes_please
",
        ),
        &[
            "5:16 unknown-name «role» `role` is no name that is known here | comes from nowhere | did you mean `steps.role.arn`?",
            "6:16 unknown-name «step» `step` is no name that is known here | comes from nowhere | did you mean `steps.role.arn`?",
            "7:16 unknown-name «rol» `rol` is no name that is known here | comes from nowhere | did you mean `steps.role.arn`?",
            "8:16 unknown-name «whatever» `whatever` is no name that is known here | comes from nowhere | say where it comes from: `inputs.…`, `vars.…`, `steps.<id>.…`, `run.…` or `env.…`; text stands in quotes",
            "10:11 unknown-name «yes_please» `yes_please` is no name that is known here | comes from nowhere | say where it comes from: `inputs.…`, `vars.…`, `steps.<id>.…`, `run.…` or `env.…`; text stands in quotes",
        ],
    );
}

#[test]
fn names_that_are_declared_elsewhere() {
    assert_faults(
        &faults(
            "name: a
inputs: {number: {type: integer}}
vars: {function_name: a}
steps:
  - print: '{{ number }} and {{ function_name }}'
  - print: '{{ numbr }}'
",
        ),
        &[
            "5:16 unknown-name «number» `number` is no name that is known here | comes from nowhere | did you mean `inputs.number`?",
            "5:33 unknown-name «function_name» `function_name` is no name that is known here | comes from nowhere | did you mean `vars.function_name`?",
            "6:16 unknown-name «numbr» `numbr` is no name that is known here | comes from nowhere | did you mean `inputs.number`?",
        ],
    );
}

#[test]
fn inputs_and_variables() {
    assert_faults(
        &faults(
            "name: a
inputs: {number: {type: integer}}
vars: {prefix: a}
steps:
  - print: '{{ inputs.numbr }} {{ inputs.zzz }}'
  - print: '{{ vars.prefx }} {{ vars.zzz }}'
  - print: '{{ run.identifier }} {{ run.locl }}'
",
        ),
        &[
            "5:23 unknown-reference «numbr» there is no input `numbr` | not declared under `inputs` | did you mean `inputs.number`?",
            "5:42 unknown-reference «zzz» there is no input `zzz` | not declared under `inputs` | declare it at the top: `inputs: {zzz: {prompt: …}}`",
            "6:21 unknown-reference «prefx» there is no variable `prefx` | not declared under `vars` | did you mean `vars.prefix`?",
            "6:38 unknown-reference «zzz» there is no variable `zzz` | not declared under `vars` | declare it at the top: `vars: {zzz: …}`",
            "7:20 unknown-reference «identifier» there is no `run.identifier` | unknown | there are `id`, `started`, `region`, `account`, `local`, `inbox`",
            "7:41 unknown-reference «locl» there is no `run.locl` | unknown | did you mean `run.local`?",
        ],
    );
}

#[test]
fn steps_that_do_not_exist_or_come_later() {
    assert_faults(
        &step_faults(
            "  - print: '{{ steps.first.payload }}'
  - id: first
    invoke: {function_name: '{{ steps.first.payload }}'}
  - print: '{{ steps.frst.payload }}'
  - print: '{{ steps.zzz.payload }}'
",
        ),
        &[
            "3:22 later-reference «first» step `first` comes later | not done yet | move step `first` above this one",
            "5:39 later-reference «first» step `first` is not done here | this is part of that step | its outputs exist when it is done",
            "6:22 unknown-reference «frst» there is no step `frst` | no step has this id | did you mean `steps.first`?",
            "7:22 unknown-reference «zzz» there is no step `zzz` | no step has this id | the steps before this one are `first`",
        ],
    );
}

#[test]
fn outputs_that_do_not_exist() {
    assert_faults(
        &step_faults(
            "  - id: r
    create-role: {role_name: a}
    outputs: {mine: result.arn}
  - print: '{{ steps.r.anr }} {{ steps.r.mine }} {{ steps.r.skipped }} {{ steps.r.zzz }}'
  - id: p
    print: a
  - print: '{{ steps.p.text }}'
",
        ),
        &[
            "6:24 unknown-reference «anr» step `r` has no output `anr` | no such output | did you mean `arn`?",
            "6:83 unknown-reference «zzz» step `r` has no output `zzz` | no such output | its outputs are `arn`, `role_name`, `path`, `sessions`, `mine`",
            "9:24 unknown-reference «text» step `p` has no output `text` | no such output | it has no outputs but `skipped`",
        ],
    );
}

#[test]
fn outputs_of_a_loop() {
    assert_faults(
        &step_faults(
            "  - id: many
    for_each: [a, b]
    create-role: {role_name: '{{ item }}'}
  - print: '{{ steps.many.arn }}'
  - print: '{{ steps.many.items[1].arn }} {{ steps.many.skipped }} {{ steps.many.items | length }}'
",
        ),
        &[
            r#"6:27 unknown-reference «arn» step `many` runs for each item, so it has no single `arn` | not an output of the whole step | write `steps.many.items[0].arn`, or `steps.many.items | map(attribute="arn")`"#,
        ],
    );
}

#[test]
fn result_has_its_place() {
    assert_faults(
        &step_faults(
            "  - id: r
    create-role: {role_name: '{{ result.arn }}'}
    when: result.arn
    assert: [result.anr == 'a', steps.r.arn]
    poll: {until: result.zzz}
  - block: [print: '{{ result.x }}']
    assert: result.x
",
        ),
        &[
            "4:34 misplaced-reference «result» `result` exists only in `assert`, `until` and `outputs` of a step that returns something | no result here | name the step: `steps.<id>.<field>`",
            "5:11 misplaced-reference «result» `result` exists only in `assert`, `until` and `outputs` of a step that returns something | no result here | name the step: `steps.<id>.<field>`",
            "6:21 unknown-reference «anr» this step has no output `anr` | no such output | did you mean `arn`?",
            "6:39 later-reference «r» step `r` is not done here | this is part of that step | write `result.arn`",
            "7:26 unknown-reference «zzz» this step has no output `zzz` | no such output | its outputs are `arn`, `role_name`, `path`, `sessions`",
            "8:24 misplaced-reference «result» `result` exists only in `assert`, `until` and `outputs` of a step that returns something | no result here | name the step: `steps.<id>.<field>`",
            "9:13 misplaced-reference «result» `result` exists only in `assert`, `until` and `outputs` of a step that returns something | no result here | name the step: `steps.<id>.<field>`",
        ],
    );
}

#[test]
fn item_has_its_place() {
    assert_faults(
        &step_faults(
            "  - print: '{{ item }} {{ loop.index }}'
  - print: '{{ item }} {{ loop.indx }}'
    for_each: [a]
    when: item > 1
  - repeat: {until: loop.last, steps: [print: '{{ item }} {{ loop.index }}']}
",
        ),
        &[
            "3:16 misplaced-reference «item» `item` exists only inside `for_each` | no such loop around this | put `for_each: <list>` on this step or on the block around it",
            "3:27 misplaced-reference «loop» `loop` exists only inside `for_each` and `repeat` | no such loop around this | put `for_each: <list>` on this step or on the block around it",
            "4:32 unknown-reference «indx» there is no `loop.indx` | unknown | did you mean `loop.index`?",
            "6:11 not-ordered «item > 1» a string and a number have no order | values of different kinds are not ordered | turn the text into a number: `item | int` or `item | float`",
            "7:26 unknown-reference «last» there is no `loop.last` | unknown | there are `index`, `index0`, `first`",
            "7:51 misplaced-reference «item» `item` exists only inside `for_each` | no such loop around this | put `for_each: <list>` on this step or on the block around it",
        ],
    );
}

#[test]
fn error_has_its_place() {
    assert_faults(
        &step_faults(
            "  - print: '{{ error.code }}'
  - block: [print: '{{ error.code }}']
    rescue: [print: '{{ error.code }}']
    always: [print: '{{ error.code }}']
",
        ),
        &[
            "3:16 misplaced-reference «error» `error` exists only inside `rescue`, and in `assert` and `outputs` beside `expect_error` or `allow_error` | no error to speak of here | move the step under `rescue:`, or name the error in `expect_error`",
            "4:24 misplaced-reference «error» `error` exists only inside `rescue`, and in `assert` and `outputs` beside `expect_error` or `allow_error` | no error to speak of here | move the step under `rescue:`, or name the error in `expect_error`",
            "6:25 misplaced-reference «error» `error` exists only inside `rescue`, and in `assert` and `outputs` beside `expect_error` or `allow_error` | no error to speak of here | move the step under `rescue:`, or name the error in `expect_error`",
        ],
    );
}

#[test]
fn a_block_is_not_done_inside_itself() {
    assert_faults(
        &step_faults(
            "  - id: b
    block:
      - print: '{{ steps.b.x }}'
  - print: '{{ steps.b.x }}'
",
        ),
        &[
            "5:26 later-reference «b» step `b` is not done here | this is part of that step | its outputs exist when it is done",
            "6:24 unknown-reference «x» step `b` has no output `x` | no such output | it has no outputs but `skipped`",
        ],
    );
}

#[test]
fn a_step_with_faults_has_whatever_outputs() {
    assert_faults(
        &step_faults(
            "  - id: a
    creat-role: {role_name: a}
  - print: '{{ steps.a.arn }}'
  - id: b
    create-role: {}
  - print: '{{ steps.b.arn }} {{ steps.b.zzz }}'
",
        ),
        &[
            "4:5 unknown-kind «creat-role» there is no step kind `creat-role` | unknown kind | did you mean `create-role`?",
            "7:5 missing-field «create-role» `create-role` needs `role_name` | `role_name` is missing | add `role_name`: The role's name",
            "8:42 unknown-reference «zzz» step `b` has no output `zzz` | no such output | its outputs are `arn`, `role_name`, `path`, `sessions`",
        ],
    );
}
