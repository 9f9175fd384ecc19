//! Faults of the step keys, of kinds and of the steps that hold others.

use super::{assert_faults, step_faults};

#[test]
fn a_step_is_a_map() {
    assert_faults(
        &step_faults(
            "  - cleanup
  - Hello
  - [print: a]
  -
",
        ),
        &[
            "3:5 wrong-type «cleanup» a step must be a map, this is a string | must be a map | write `- cleanup:` with a colon",
            "4:5 wrong-type «Hello» a step must be a map, this is a string | must be a map | write a step as `- print: Hello`; `playbook steps` lists what there is",
            "5:5 wrong-type «[print: a]» a step must be a map, this is a list | must be a map | write a step as `- print: Hello`; `playbook steps` lists what there is",
            "6:4 wrong-type «» a step must be a map, this is empty | must be a map | write a step as `- print: Hello`; `playbook steps` lists what there is",
        ],
    );
}

#[test]
fn no_kind() {
    assert_faults(
        &step_faults(
            "  - id: a
    name: b
  - {}
",
        ),
        &[
            "3:5 no-kind «id» this step does nothing | no key says what the step does | add one, such as `print: Hello`; `playbook steps` lists them",
            "5:5 no-kind «{}» this step does nothing | no key says what the step does | add one, such as `print: Hello`; `playbook steps` lists them",
        ],
    );
}

#[test]
fn two_kinds() {
    assert_faults(
        &step_faults(
            "  - print: a
    create-role: {role_name: a}
",
        ),
        &[
            "4:5 two-kinds «create-role» a step does one thing, this one has `print` and `create-role` | second kind, after `print` | make it a step of its own: `- create-role: …`",
        ],
    );
}

#[test]
fn unknown_kinds() {
    assert_faults(
        &step_faults(
            "  - creat-role: {role_name: a}
  - frobnicate: {}
  - create_role: {role_name: a}
  - CreateFunction: {}
  - crate_role: {}
  - inclde: {file: a}
",
        ),
        &[
            "3:5 unknown-kind «creat-role» there is no step kind `creat-role` | unknown kind | did you mean `create-role`?",
            "4:5 unknown-kind «frobnicate» there is no step kind `frobnicate` | unknown kind | `playbook steps` lists the kinds there are",
            "5:5 unknown-kind «create_role» there is no step kind `create_role` | kinds are written in small letters, with hyphens | write `create-role`",
            "6:5 unknown-kind «CreateFunction» there is no step kind `CreateFunction` | kinds are written in small letters, with hyphens | write `create-function`",
            "6:5 missing-field «CreateFunction» `create-function` needs `function_name` and `role` | `function_name` and `role` are missing | add `function_name`: The function's name; `role`: The role's ARN",
            "7:5 unknown-kind «crate_role» there is no step kind `crate_role` | unknown kind | did you mean `create-role`?",
            "8:5 unknown-kind «inclde» there is no step kind `inclde` | unknown kind | did you mean `include`?",
        ],
    );
}

#[test]
fn unknown_keys() {
    assert_faults(
        &step_faults(
            "  - print: a
    nmae: b
  - print: a
    zzzzzz: b
  - whn: a
    print: a
  - timout: 5s
",
        ),
        &[
            "4:5 unknown-key «nmae» a step has no key `nmae` | unknown key | did you mean `name`?",
            "6:5 unknown-key «zzzzzz» a step has no key `zzzzzz` | unknown key | beside its kind, a step has `id`, `name`, `when`, `for_each`, `parallel`, `retry`, `poll`, `timeout`, `expect_error`, `allow_error`, `assert`, `outputs`, `keep`, `pages`, `wait`, `undo`",
            "7:5 unknown-key «whn» a step has no key `whn` | unknown key | did you mean `when`?",
            "9:5 unknown-key «timout» a step has no key `timout` | unknown key | did you mean `timeout`?",
        ],
    );
}

#[test]
fn words_of_other_tools() {
    assert_faults(
        &step_faults(
            "  - print: a
    if: true
    register: x
    continueOnError: true
    with_items: [a]
    depends_on: x
  - run: echo
  - uses: aws
    with: {a: b}
  - print: a
    until: x
    retries: 3
    delay: 5
  - sleep: 5
  - invoke: {function_name: a}
    env: {A: b}
    description: x
",
        ),
        &[
            "4:5 foreign-keyword «if» `if` is not a word of playbooks | another tool's word | write `when: <expression>`",
            "5:5 foreign-keyword «register» `register` is not a word of playbooks | another tool's word | give the step an `id`; later steps then read `steps.<id>.<field>`",
            "6:5 foreign-keyword «continueOnError» `continueOnError` is not a word of playbooks | another tool's word | name the errors that are as good as success: `allow_error: [<error code>]`",
            "7:5 foreign-keyword «with_items» `with_items` is not a word of playbooks | another tool's word | write `for_each: <list>`, or `repeat: {until: <expression>, steps: […]}`",
            "8:5 foreign-keyword «depends_on» `depends_on` is not a word of playbooks | another tool's word | leave it out: steps run in the order they are written",
            "9:5 foreign-keyword «run» `run` is not a word of playbooks | another tool's word | a playbook runs no shell; `playbook steps` lists what a step can do",
            "10:5 foreign-keyword «uses» `uses` is not a word of playbooks | another tool's word | the kind itself is the key: `- create-role: {…}`",
            "11:5 foreign-keyword «with» `with` is not a word of playbooks | another tool's word | put the fields under the kind itself: `create-role: {role_name: …}`",
            "13:5 foreign-keyword «until» `until` is not a word of playbooks | another tool's word | write `poll: {until: <expression>}` to look again, or `repeat: {until: <expression>, steps: […]}` to do again",
            "14:5 foreign-keyword «retries» `retries` is not a word of playbooks | another tool's word | write `retry: {on: <error code>, attempts: 5, every: 1s}`",
            "15:5 foreign-keyword «delay» `delay` is not a word of playbooks | another tool's word | write `retry: {on: <error code>, attempts: 5, every: 1s}`",
            "16:5 foreign-keyword «sleep» `sleep` is not a word of playbooks | another tool's word | there are no fixed waits: write `poll: {until: <expression>, every: 1s, timeout: 1m}` on the step that looks",
            "18:5 foreign-keyword «env» `env` is not a word of playbooks | another tool's word | write `vars:` at the top of the playbook; the environment is read as `env.NAME`",
            "19:5 foreign-keyword «description» `description` is not a word of playbooks | another tool's word | write `name: …`",
        ],
    );
}

#[test]
fn rescue_without_block() {
    assert_faults(
        &step_faults(
            "  - print: a
    rescue: [print: '{{ error.code }} {{ steps.x }}']
  - always: [print: b]
",
        ),
        &[
            "4:5 misplaced-key «rescue» `rescue` stands only beside `block` | there is no `block` in this step | write `- block: […]` and `rescue: […]` in one step",
            "4:48 unknown-reference «x» there is no step `x` | no step has this id | give the step that makes it `id: x`",
            "5:5 misplaced-key «always» `always` stands only beside `block` | there is no `block` in this step | write `- block: […]` and `always: […]` in one step",
        ],
    );
}

#[test]
fn steps_that_run_at_the_same_time_do_not_see_each_other() {
    assert_faults(
        &step_faults(
            "  - parallel:
      steps:
        - {id: a, create-role: {role_name: x}}
        - print: \"{{ steps.a.arn }}\"
        - block:
            - {id: b, create-role: {role_name: x}}
            - print: \"{{ steps.b.arn }}\"
        - print: \"{{ steps.b.arn }}\"
  - print: \"{{ steps.a.arn }} {{ steps.b.arn }}\"
",
        ),
        &[
            "6:28 later-reference «a» step `a` runs at the same time | not done yet | move this step behind the `parallel` that step `a` stands in",
            "10:28 later-reference «b» step `b` runs at the same time | not done yet | move this step behind the `parallel` that step `b` stands in",
        ],
    );
}

#[test]
fn parallel_is_a_kind_or_a_number_beside_for_each() {
    assert_faults(
        &step_faults(
            "  - parallel: [print: a]
  - {print: a, parallel: 2}
  - {for_each: [1], parallel: 0, print: \"{{ item }}\"}
  - {for_each: [1], parallel: 2, print: \"{{ item }}\"}
  - parallel: {max: 1}
  - parallel: {step: [], steps: [print: a]}
",
        ),
        &[
            "3:15 wrong-type «[print: a]» `parallel` must be a map, this is a list | must be a map | write `parallel: {max: 4, steps: […]}`",
            "4:16 misplaced-key «parallel» `parallel` with a number stands only beside `for_each` | there is no `for_each` in this step | to run steps at the same time, write `- parallel: {steps: […]}`",
            "5:31 out-of-range «0» `parallel` must be at least 1 | too small | write another number",
            "7:5 missing-key «parallel» `parallel` has no `steps` | `steps` is missing | add `steps: [{print: Hello}]`",
            "8:16 unknown-key «step» `parallel` has no key `step` | unknown key | did you mean `steps`?",
        ],
    );
}

#[test]
fn durations() {
    assert_faults(
        &step_faults(
            "  - print: a
    timeout: 5
  - print: a
    timeout: 1.5
  - print: a
    timeout: soon
  - print: a
    timeout: -5s
  - print: a
    timeout: 0s
  - print: a
    timeout: '30'
  - print: a
    timeout: [1s]
  - print: a
    timeout: 2 days
",
        ),
        &[
            "4:14 invalid-duration «5» `timeout` has no unit | no usable duration | write `5s` for seconds, or `5ms`",
            "6:14 invalid-duration «1.5» `timeout` has no unit | no usable duration | write `1.5s` for seconds, or `1.5ms`",
            "8:14 invalid-duration «soon» `timeout` is no duration | no usable duration | write it as `500ms`, `1s`, `2m` or `1m 30s`",
            "10:14 invalid-duration «-5s» `timeout` must be longer than nothing | no usable duration | write it as `500ms`, `1s`, `2m` or `1m 30s`",
            "12:14 invalid-duration «0s» `timeout` must be longer than nothing | no usable duration | write it as `500ms`, `1s`, `2m` or `1m 30s`",
            "14:14 invalid-duration «'30'» `timeout` has no unit | no usable duration | write `30s` for seconds, or `30ms`",
            "16:14 wrong-type «[1s]» `timeout` must be a duration, this is a list | must be a duration | write it as `500ms`, `1s`, `2m` or `1m 30s`",
            "18:14 invalid-duration «2 days» `timeout` is no duration | no usable duration | write it as `500ms`, `1s`, `2m` or `1m 30s`",
        ],
    );
}

#[test]
fn retry() {
    assert_faults(
        &step_faults(
            "  - print: a
    retry: 3
  - print: a
    retry: {time: 3, attempts: 0, every: 1, on: 5}
  - print: a
    retry: {attempts: many, ask: password}
",
        ),
        &[
            "4:12 wrong-type «3» `retry` must be a map, this is a whole number | must be a map | write `retry: {on: <error code>, attempts: 5, every: 1s}`",
            "6:13 unknown-key «time» `retry` has no key `time` | unknown key | its keys are `on`, `attempts`, `every`, `ask`",
            "6:32 out-of-range «0» `retry.attempts` must be at least 1 | too small | write another number",
            "6:42 invalid-duration «1» `retry.every` has no unit | no usable duration | write `1s` for seconds, or `1ms`",
            "8:23 wrong-type «many» `retry.attempts` must be a whole number, this is a string | must be a whole number | write a whole number, such as 5",
            "8:34 unknown-reference «password» there is no input `password` | not declared under `inputs` | declare it at the top: `inputs: {password: {prompt: …}}`",
        ],
    );
}

#[test]
fn poll() {
    assert_faults(
        &step_faults(
            "  - print: a
    poll: result.x
  - print: a
    poll: {every: 1s}
  - print: a
    poll: {until: '{{ true }}', untl: a}
",
        ),
        &[
            "4:11 wrong-type «result.x» `poll` must be a map, this is a string | must be a map | write `poll: {until: result.x, every: 1s, timeout: 1m}`",
            "6:11 missing-key «{every: 1s}» `poll` has no `until` | does not say what to wait for | add `until: <expression over result>`",
            "8:19 unneeded-braces «'{{ true }}'» an expression stands here without braces | - | write `true`",
            "8:33 unknown-key «untl» `poll` has no key `untl` | unknown key | did you mean `until`?",
        ],
    );
}

#[test]
fn expect_error_stands_alone() {
    assert_faults(
        &step_faults(
            "  - print: a
    expect_error: A
    retry: {}
    poll: {until: result is defined}
    allow_error: B
  - print: a
    expect_error: []
  - print: a
    allow_error: [A, 5]
",
        ),
        &[
            "5:5 conflicting-keys «retry» `retry` and `expect_error` cannot stand on one step | a step that must fail is tried once | leave out either `retry` or `expect_error`",
            "6:5 conflicting-keys «poll» `poll` and `expect_error` cannot stand on one step | a step that must fail is tried once | leave out either `poll` or `expect_error`",
            "7:5 conflicting-keys «allow_error» `allow_error` and `expect_error` cannot stand on one step | a step that must fail may not succeed | leave out either `allow_error` or `expect_error`",
            "9:19 empty-value «[]» `expect_error` is empty | nothing is written here | write at least one",
        ],
    );
}

#[test]
fn flags_and_expressions() {
    assert_faults(
        &step_faults(
            "  - print: a
    keep: maybe
  - print: a
    when: [a]
  - print: a
    assert: 5
  - print: a
    when: 1 +
  - print: a
    assert: ['true', {a: b}]
",
        ),
        &[
            "4:11 wrong-type «maybe» `keep` must be true or false, this is a string | must be true or false | write `true` or `false`",
            "6:11 wrong-type «[a]» `when` must be an expression, this is a list | must be an expression | write one expression: a",
            "8:13 wrong-type «5» `assert` must be an expression, this is a whole number | must be an expression | write it as text, such as `result.count > 0`",
            "10:13 template-syntax «+» a value is missing after this `+` | - | write one, or leave the `+` out",
            "12:22 wrong-type «{a: b}» `assert` must be an expression, this is a map | must be an expression | write it as text, such as `result.count > 0`",
        ],
    );
}

#[test]
fn for_each_goes_over_a_list() {
    assert_faults(
        &step_faults(
            "  - id: f
    create-function: {function_name: a, role: b}
  - print: a
    for_each: steps.f.function_name
  - print: a
    for_each: 5
  - print: a
    for_each: '{{ [1] }}'
",
        ),
        &[
            "6:15 wrong-type «steps.f.function_name» `for_each` must be a list, `steps.f.function_name` is a string | not a list | name a list, or write one: `for_each: [first, second]`",
            "8:15 wrong-type «5» `for_each` must be a list or an expression, this is a whole number | must be a list or an expression | write `for_each: [first, second]` or `for_each: steps.users.items`",
            "10:15 unneeded-braces «'{{ [1] }}'» an expression stands here without braces | - | write `[1]`",
        ],
    );
}

#[test]
fn ids() {
    assert_faults(
        &step_faults(
            "  - id: a
    print: a
  - id: a
    print: b
  - id: B-c
    print: a
  - id: item
    print: a
  - id: 5
    print: a
  - block: [{id: d, print: a}]
    rescue: [{id: d, print: a}]
",
        ),
        &[
            "5:9 duplicate-id «a» two steps have the id `a` | already taken | write another one, such as `a_2`",
            "7:9 invalid-name «B-c» `B-c` is no name for a step | names are made of a–z, 0–9 and _, and start with no digit | write `b_c`",
            "9:9 reserved-name «item» a step cannot be named `item` | this word means something itself | write another name, such as `item_1`",
            "11:9 invalid-name «5» `5` is no name for a step | names are made of a–z, 0–9 and _, and start with no digit | write `_5`",
            "14:19 duplicate-id «d» two steps have the id `d` | already taken | write another one, such as `d_2`",
        ],
    );
}

#[test]
fn outputs_do_not_hide_what_is_there() {
    assert_faults(
        &step_faults(
            "  - id: r
    create-role: {role_name: a}
    outputs: {arn: result.arn, skipped: result.arn, mine: result.arm}
",
        ),
        &[
            "5:15 duplicate-name «arn» there is an output `arn` already | the step has this output by itself | choose a name other than `arn`, `role_name`, `path`, `sessions`, `skipped`, `items`",
            "5:32 duplicate-name «skipped» there is an output `skipped` already | the step has this output by itself | choose a name other than `arn`, `role_name`, `path`, `sessions`, `skipped`, `items`",
            "5:66 unknown-reference «arm» this step has no output `arm` | no such output | did you mean `arn`?",
        ],
    );
}

#[test]
fn keys_that_mean_nothing_there() {
    assert_faults(
        &step_faults(
            "  - block: [print: a]
    poll: {until: result is defined}
    retry: {}
    expect_error: A
    allow_error: B
  - repeat: {until: 'true', steps: [print: a]}
    keep: true
  - cleanup:
    id: x
    timeout: 5s
",
        ),
        &[
            "4:5 misplaced-key «poll» `poll` means nothing on `block` | `block` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step inside",
            "5:5 misplaced-key «retry» `retry` means nothing on `block` | `block` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step inside",
            "6:5 misplaced-key «expect_error» `expect_error` means nothing on `block` | `block` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step inside",
            "7:5 misplaced-key «allow_error» `allow_error` means nothing on `block` | `block` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs`, `keep` | put it on a step inside",
            "9:5 misplaced-key «keep» `keep` means nothing on `repeat` | `repeat` takes `id`, `name`, `when`, `for_each`, `parallel`, `timeout`, `assert`, `outputs` | put it on a step inside",
            "11:5 misplaced-key «id» `id` means nothing on `cleanup` | `cleanup` takes `name`, `when` | leave it out",
            "12:5 misplaced-key «timeout» `timeout` means nothing on `cleanup` | `cleanup` takes `name`, `when` | leave it out",
        ],
    );
}

#[test]
fn repeat() {
    assert_faults(
        &step_faults(
            "  - repeat: [print: a]
  - repeat: {limit: 0, stps: [print: a]}
  - repeat: {until: 'true', steps: []}
",
        ),
        &[
            "3:13 wrong-type «[print: a]» `repeat` must be a map, this is a list | must be a map | write `repeat: {until: <expression>, steps: […]}`",
            "4:5 missing-key «repeat» `repeat` has no `until` | `until` is missing | add `until: <expression>`",
            "4:5 missing-key «repeat» `repeat` has no `steps` | `steps` is missing | add `steps: [{print: Hello}]`",
            "4:21 out-of-range «0» `repeat.limit` must be at least 1 | too small | write another number",
            "4:24 unknown-key «stps» `repeat` has no key `stps` | unknown key | did you mean `steps`?",
            "5:36 empty-value «[]» `repeat.steps` is empty | no step is written here | write a step, such as `- print: Hello`",
        ],
    );
}

#[test]
fn cleanup() {
    assert_faults(
        &step_faults(
            "  - block:
      - cleanup:
  - cleanup: {ask: a}
  - cleanup:
  - print: a
",
        ),
        &[
            "4:9 misplaced-cleanup «cleanup» `cleanup` stands only at the top level, not inside another step | cannot stand here | move it to the end of the main playbook's `steps`",
            "5:15 unknown-key «ask» `cleanup` has no key `ask` | unknown key | its only key is `confirm`",
            "6:5 misplaced-cleanup «cleanup» a playbook cleans up once | cleans up again | leave one of them out",
        ],
    );
}

#[test]
fn a_block_needs_steps() {
    assert_faults(
        &step_faults(
            "  - block: {print: a}
  - block: []
  - block: [print: a]
    rescue: a
",
        ),
        &[
            "3:12 wrong-type «{print: a}» `block` must be a list of steps, this is a map | must be a list of steps | start each step with a dash: `- print: Hello`",
            "4:12 empty-value «[]» `block` is empty | no step is written here | write a step, such as `- print: Hello`",
            "6:13 wrong-type «a» `rescue` must be a list of steps, this is a string | must be a list of steps | start each step with a dash: `- print: Hello`",
        ],
    );
}

#[test]
fn several_steps_several_faults() {
    assert_faults(
        &step_faults(
            "  - create-role: {name: a}
  - invoke: {}
    when: {a: b}
  - block:
      - prnt: a
    always:
      - print: '{{ x }}'
",
        ),
        &[
            "3:19 unknown-key «name» `create-role` has no field `name` | unknown field | did you mean `role_name`?",
            "4:5 missing-field «invoke» `invoke` needs `function_name` | `function_name` is missing | add `function_name`: The function's name",
            "5:11 wrong-type «{a: b}» `when` must be an expression, this is a map | must be an expression | write it as text, such as `result.count > 0`",
            "7:9 unknown-kind «prnt» there is no step kind `prnt` | unknown kind | did you mean `print`?",
            "9:20 unknown-name «x» `x` is no name that is known here | comes from nowhere | say where it comes from: `inputs.…`, `vars.…`, `steps.<id>.…`, `run.…` or `env.…`; text stands in quotes",
        ],
    );
}
