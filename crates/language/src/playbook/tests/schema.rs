//! Faults of what a kind is given.

use super::{assert_faults, faults, step_faults};

#[test]
fn missing_fields() {
    assert_faults(
        &step_faults(
            "  - create-function: {}
  - create-role:
  - create-function: {function_name: a, rle: b}
",
        ),
        &[
            "3:5 missing-field «create-function» `create-function` needs `function_name` and `role` | `function_name` and `role` are missing | add `function_name`: The function's name; `role`: The role's ARN",
            "4:5 missing-field «create-role» `create-role` needs `role_name` | `role_name` is missing | add `role_name`: The role's name",
            "5:41 unknown-key «rle» `create-function` has no field `rle` | unknown field | did you mean `role`?",
        ],
    );
}

#[test]
fn unknown_fields() {
    assert_faults(
        &step_faults(
            "  - create-role: {role_name: a, Policy: b, zzz: c}
  - list-functions: {a: b}
",
        ),
        &[
            "3:33 unknown-key «Policy» `create-role` has no field `Policy` | unknown field | did you mean `policy`?",
            "3:44 unknown-key «zzz» `create-role` has no field `zzz` | unknown field | its fields are `role_name`, `trust_service`, `managed_policies`, `max_session`, `if_exists`, `tags`, `policy`",
            "4:22 unknown-key «a» `list-functions` has no field `a` | unknown field | its only field is `limit`",
        ],
    );
}

#[test]
fn wrong_types() {
    assert_faults(
        &step_faults("  - create-role: {role_name: 5, max_session: '60', managed_policies: a, tags: [a], trust_service: ~}
  - create-function: {function_name: true, role: 1.5, timeout: a, trace: 'true', weight: heavy, environment: {LEVEL: 5}}
  - create-role: {role_name: [a], managed_policies: [1, a]}
  - create-role: {role_name: }
"),
        &[
            "3:46 wrong-type «'60'» `max_session` must be a whole number, this is a string | must be a whole number | write 60 without quotes",
            "3:70 wrong-type «a» `managed_policies` must be a list, this is a string | must be a list | put it in brackets: [a]",
            "3:79 wrong-type «[a]» `tags` must be a map, this is a list | must be a map | write each as `name: value` on a line of its own, without dashes",
            "4:64 wrong-type «a» `timeout` must be a whole number, this is a string | must be a whole number | write a whole number, such as 5",
            "4:74 wrong-type «'true'» `trace` must be true or false, this is a string | must be true or false | write true without quotes",
            "4:90 wrong-type «heavy» `weight` must be a number, this is a string | must be a number | write a number, such as 2.5",
            "5:30 wrong-type «[a]» `role_name` must be a string, this is a list | must be a string | write a without brackets",
            "6:28 wrong-type «» `role_name` must be a string, this is empty | must be a string | write a value after the colon, or leave it out",
        ],
    );
}

#[test]
fn ranges() {
    assert_faults(
        &step_faults(
            "  - create-function: {function_name: a, role: b, timeout: 901}
  - create-function: {function_name: a, role: b, timeout: 0}
  - create-role: {role_name: a, max_session: -1}
  - create-role: {role_name: a, max_session: 4294967296}
  - create-role: {role_name: a, max_session: 1.5}
",
        ),
        &[
            "3:59 out-of-range «901» `timeout` must be at most 900 | too large | `playbook steps create-function` explains its fields",
            "4:59 out-of-range «0» `timeout` must be at least 1 | too small | `playbook steps create-function` explains its fields",
            "5:46 out-of-range «-1» `max_session` must be at least 0 | too small | `playbook steps create-role` explains its fields",
            "6:46 out-of-range «4294967296» `max_session` must be at most 4294967295 | too large | `playbook steps create-role` explains its fields",
            "7:46 wrong-type «1.5» `max_session` must be a whole number, this is a decimal number | must be a whole number | write a whole number, such as 5",
        ],
    );
}

#[test]
fn choices() {
    assert_faults(
        &step_faults(
            "  - create-role: {role_name: a, if_exists: adpt}
  - create-role: {role_name: a, if_exists: zzz}
  - create-role: {role_name: a, if_exists: 5}
",
        ),
        &[
            "3:44 not-a-choice «adpt» `if_exists` must be one of `fail`, `adopt` | none of them | did you mean `adopt`?",
            "4:44 not-a-choice «zzz» `if_exists` must be one of `fail`, `adopt` | none of them | write one of them, such as `fail`",
            "5:44 not-a-choice «5» `if_exists` must be one of `fail`, `adopt` | none of them | write one of them, such as `fail`",
        ],
    );
}

#[test]
fn the_variant_that_fits_best() {
    assert_faults(
        &step_faults(
            "  - create-role: {role_name: a, policy: {effect: Allow, action: x}}
  - create-role: {role_name: a, policy: 5}
  - create-role: {role_name: a, policy: {path: 5}}
  - create-role: {role_name: a, policy: {effect: a}}
",
        ),
        &[
            "3:65 wrong-type «x» `policy.action` must be a list, this is a string | must be a list | put it in brackets: [x]",
            "6:33 missing-field «policy» `policy` needs `action` | `action` is missing | add `action`",
        ],
    );
}

#[test]
fn a_scalar_for_a_kind_that_takes_a_map() {
    assert_faults(
        &step_faults(
            "  - create-role: admin
  - list-functions: 5
  - create-role: [a]
",
        ),
        &[
            "3:18 wrong-type «admin» `create-role` must be a map, this is a string | must be a map | write `create-role: {role_name: …}`",
            "4:21 wrong-type «5» `list-functions` must be a map, this is a whole number | must be a map | write `list-functions: {limit: …}`",
            "5:18 wrong-type «[a]» `create-role` must be a map, this is a list | must be a map | write `create-role: {role_name: …}`",
        ],
    );
}

#[test]
fn types_of_templates() {
    assert_faults(
        &step_faults("  - id: f
    create-function: {function_name: a, role: b}
  - id: r
    create-role: {role_name: '{{ steps.f.configuration }}', max_session: '{{ steps.f.function_name }}'}
  - create-role: {role_name: '{{ steps.r.sessions }}', managed_policies: '{{ steps.r.arn }}', max_session: 'a {{ run.id }}'}
  - create-role: {role_name: '{{ steps.f.configuration.memory }}', trust_service: '{{ run.local }}', max_session: '{{ steps.r.sessions }}'}
  - create-role: {role_name: '{{ steps.r.path }}', max_session: '{{ steps.r.sessions + 1 }}', managed_policies: ['{{ steps.r.sessions }}']}
"),
        &[
            r#"6:30 wrong-type «'{{ steps.f.configuration }}'» `role_name` must be a string, `steps.f.configuration` is a map | this is a map | name one of its fields: "{{ steps.f.configuration.<field> }}""#,
            r#"6:74 wrong-type «'{{ steps.f.function_name }}'» `max_session` must be a whole number, `steps.f.function_name` is a string | this is a string | write "{{ steps.f.function_name | int }}""#,
            r#"7:30 wrong-type «'{{ steps.r.sessions }}'» `role_name` must be a string, `steps.r.sessions` is a whole number | this is a whole number | write "{{ steps.r.sessions | string }}""#,
            r#"7:74 wrong-type «'{{ steps.r.arn }}'» `managed_policies` must be a list, `steps.r.arn` is a string | this is a string | write it in brackets: ["{{ steps.r.arn }}"]"#,
            r#"7:108 wrong-type «'a {{ run.id }}'» `max_session` must be a whole number, text around a template is a string | this is a string | write exactly one "{{ expression }}""#,
            r#"8:30 wrong-type «'{{ steps.f.configuration.memory }}'» `role_name` must be a string, `steps.f.configuration.memory` is a whole number | this is a whole number | write "{{ steps.f.configuration.memory | string }}""#,
            r#"8:83 wrong-type «'{{ run.local }}'» `trust_service` must be a string, `run.local` is true or false | this is true or false | write "{{ run.local | string }}""#,
            r#"9:114 wrong-type «'{{ steps.r.sessions }}'» `managed_policies[0]` must be a string, `steps.r.sessions` is a whole number | this is a whole number | write "{{ steps.r.sessions | string }}""#,
        ],
    );
}

#[test]
fn files() {
    assert_faults(
        &step_faults(
            "  - create-function: {function_name: a, role: b, code: ../handlers/sub.py}
  - create-function: {function_name: a, role: b, code: ../../etc/passwd}
  - create-function: {function_name: a, role: b, code: /etc/passwd}
  - create-function: {function_name: a, role: b, code: '{{ run.id }}.py'}
",
        ),
        &[
            "3:56 missing-file «../handlers/sub.py» there is no `../handlers/sub.py` | leads to no file | paths are relative to the playbook's directory, `/project/books`",
            "4:56 outside-root «../../etc/passwd» `../../etc/passwd` lies outside the project | not read from here | move the file under `/project`",
            "5:56 outside-root «/etc/passwd» `/etc/passwd` lies outside the project | not read from here | move the file under `/project`",
        ],
    );
}

#[test]
fn templates_that_do_not_compile_hide_nothing() {
    assert_faults(
        &step_faults("  - create-role: {role_name: '{{ 1 + }}', trust_service: '{{ steps.x.y }}', tags: {'{{ run.id }}': a}, max_session: a}
"),
        &[
            "3:36 template-syntax «+» a value is missing after this `+` | - | write one, or leave the `+` out",
            "3:68 unknown-reference «x» there is no step `x` | no step has this id | give the step that makes it `id: x`",
            "3:84 templated-key «'{{ run.id }}'» a key cannot be templated | - | write the key itself; only values can hold `{{ … }}`",
            "3:117 wrong-type «a» `max_session` must be a whole number, this is a string | must be a whole number | write a whole number, such as 5",
        ],
    );
}

#[test]
fn a_path_seen_from_the_root() {
    assert_faults(
        &step_faults(
            "  - create-function: {function_name: a, role: b, code: handlers/add.py}
",
        ),
        &[
            "3:56 missing-file «handlers/add.py» there is no `handlers/add.py` | leads to no file | did you mean `../handlers/add.py`? Paths are relative to the playbook",
        ],
    );
}

#[test]
fn types_of_inputs() {
    assert_faults(
        &faults("name: a
inputs: {n: {type: integer}, w: {}, p: {type: secret}}
steps:
  - create-role: {role_name: '{{ inputs.n }}', max_session: '{{ inputs.w }}', trust_service: '{{ inputs.p }}'}
"),
        &[
            r#"4:30 wrong-type «'{{ inputs.n }}'» `role_name` must be a string, `inputs.n` is a whole number | this is a whole number | write "{{ inputs.n | string }}""#,
            r#"4:61 wrong-type «'{{ inputs.w }}'» `max_session` must be a whole number, `inputs.w` is a string | this is a string | declare the input with `type: integer`, or write "{{ inputs.w | int }}""#,
        ],
    );
}

#[test]
fn lengths_and_formats() {
    assert_faults(
        &step_faults(
            "  - invoke: {function_name: a, qualifier: b}
  - invoke: {function_name: a, qualifier: abcdef}
  - invoke: {function_name: a, qualifier: ABC}
  - invoke: {function_name: a, wait: '5'}
  - invoke: {function_name: a, targets: []}
",
        ),
        &[
            "3:43 out-of-range «b» `qualifier` must have at least 2 characters | too short | `playbook steps invoke` explains its fields",
            "4:43 out-of-range «abcdef» `qualifier` must have at most 5 characters | too long | `playbook steps invoke` explains its fields",
            "5:43 out-of-range «ABC» `qualifier` must match the pattern ^[a-z]+$ | does not match | `playbook steps invoke` explains its fields",
            "6:38 invalid-duration «'5'» `wait` has no unit | no usable duration | write `5s` for seconds, or `5ms`",
            "7:41 out-of-range «[]» `targets` must have at least 1 item | too few | `playbook steps invoke` explains its fields",
        ],
    );
}

#[test]
fn tagged_variants() {
    assert_faults(
        &step_faults("  - invoke: {function_name: a, targets: [{type: function, nme: b}, {type: queue, url: a, size: 2147483648}]}
  - invoke: {function_name: a, targets: [{type: topic}]}
  - invoke: {function_name: a, targets: [{name: a}]}
  - invoke: {function_name: a, targets: [{type: queue, url: a, size: 2}]}
"),
        &[
            "3:59 unknown-key «nme» `targets[0]` has no field `nme` | unknown field | did you mean `name`?",
            "3:96 out-of-range «2147483648» `targets[1].size` must be at most 2147483647 | too large | `playbook steps invoke` explains its fields",
            "4:49 not-a-choice «topic» `targets[0].type` must be one of `function`, `queue` | none of them | write one of them, such as `function`",
            "5:42 missing-field «{name: a}» `targets[0]` needs `type` | `type` is missing | add `type`",
        ],
    );
}
