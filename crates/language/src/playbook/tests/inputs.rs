//! Faults of `inputs`.

use super::{assert_faults, faults};

#[test]
fn a_bare_value_shows_the_map_to_write() {
    assert_faults(
        &faults(
            "name: a
inputs:
  number: 41
  ratio: 0.5
  yes_no: true
  word: hello
  kind: integer
  many: [a, b]
  nothing:
steps: [print: a]
",
        ),
        &[
            "3:11 wrong-type «41» `inputs.number` must be a map, this is a whole number | must be a map | write `number: {type: integer, default: 41}`",
            "4:10 wrong-type «0.5» `inputs.ratio` must be a map, this is a number | must be a map | write `ratio: {type: number, default: 0.5}`",
            "5:11 wrong-type «true» `inputs.yes_no` must be a map, this is true or false | must be a map | write `yes_no: {type: boolean, default: true}`",
            r#"6:9 wrong-type «hello» `inputs.word` must be a map, this is a string | must be a map | write `word: {default: "hello"}`"#,
            "7:9 wrong-type «integer» `inputs.kind` must be a map, this is a string | must be a map | write `kind: {type: integer}`",
            "8:9 wrong-type «[a, b]» `inputs.many` must be a map, this is a list | must be a map | write `many: {type: choice, choices: […]}`",
            "9:10 wrong-type «» `inputs.nothing` must be a map, this is empty | must be a map | write `nothing: {prompt: …}`",
        ],
    );
}

#[test]
fn types() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: password}
  b: {type: intger}
  c: {type: tuple}
  d: {type: 5}
steps: [print: a]
",
        ),
        &[
            "3:13 unknown-type «password» there is no type `password` | unknown type | did you mean `secret`?",
            "4:13 unknown-type «intger» there is no type `intger` | unknown type | did you mean `integer`?",
            "5:13 unknown-type «tuple» there is no type `tuple` | unknown type | the types are `string`, `integer`, `number`, `boolean`, `choice`, `secret`, `list`, `map`",
            "6:13 unknown-type «5» there is no type `5` | unknown type | the types are `string`, `integer`, `number`, `boolean`, `choice`, `secret`, `list`, `map`",
        ],
    );
}

#[test]
fn names_of_inputs() {
    assert_faults(
        &faults(
            "name: a
inputs:
  userName: {}
  run: {}
  user-name: {}
steps: [print: a]
",
        ),
        &[
            "3:3 invalid-name «userName» `userName` is no name for an input | names are made of a–z, 0–9 and _, and start with no digit | write `user_name`",
            "4:3 reserved-name «run» an input cannot be named `run` | this word means something itself | write another name, such as `run_1`",
            "5:3 invalid-name «user-name» `user-name` is no name for an input | names are made of a–z, 0–9 and _, and start with no digit | write `user_name`",
        ],
    );
}

#[test]
fn unknown_options() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {promt: Hello, length: 3}
steps: [print: a]
",
        ),
        &[
            "3:7 unknown-key «promt» input `a` has no key `promt` | unknown key | did you mean `prompt`?",
            "3:21 unknown-key «length» input `a` has no key `length` | unknown key | did you mean `min_length`?",
        ],
    );
}

#[test]
fn options_that_do_not_fit() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {choices: [x]}
  b: {type: integer, pattern: x, min_length: 3, twice: true}
  c: {type: secret, min: 1}
  d: {type: boolean, max: 1}
steps: [print: a]
",
        ),
        &[
            "3:7 option-does-not-fit «choices» `choices` means nothing for an input of type `string` | goes with `choice` | write `type: choice`, or leave `choices` out",
            "4:22 option-does-not-fit «pattern» `pattern` means nothing for an input of type `integer` | goes with `string` and `secret` | write `type: string`, or leave `pattern` out",
            "4:34 option-does-not-fit «min_length» `min_length` means nothing for an input of type `integer` | goes with `string` and `secret` | write `type: string`, or leave `min_length` out",
            "4:49 option-does-not-fit «twice» `twice` means nothing for an input of type `integer` | goes with `secret` | write `type: secret`, or leave `twice` out",
            "5:21 option-does-not-fit «min» `min` means nothing for an input of type `secret` | goes with `integer` and `number` | write `min_length`, or leave `min` out",
            "6:22 option-does-not-fit «max» `max` means nothing for an input of type `boolean` | goes with `integer` and `number` | write `type: integer`, or leave `max` out",
        ],
    );
}

#[test]
fn options_of_the_wrong_type() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: integer, min: low}
  b: {min_length: -1}
  c: {type: secret, twice: 'true'}
  d: {pattern: 5}
  e: {prompt: 5}
steps: [print: a]
",
        ),
        &[
            "3:27 wrong-type «low» `min` must be a number, this is a string | must be a number | write a number, such as 2.5",
            "4:19 out-of-range «-1» `min_length` must be at least 0 | too small | write another number",
            "5:28 wrong-type «'true'» `twice` must be true or false, this is a string | must be true or false | write true without quotes",
        ],
    );
}

#[test]
fn choices() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: choice}
  b: {type: choice, choices: []}
  c: {type: choice, choices: [x, y, x]}
  d: {type: choice, choices: x}
  e: {type: choice, choices: [1, two]}
steps: [print: a]
",
        ),
        &[
            "3:3 missing-key «a» input `a` has no `choices` | nothing to choose from | add `choices: [first, second]`",
            "4:30 empty-value «[]» `choices` is empty | nothing is written here | write at least one",
            "5:37 duplicate-name «x» `x` stands twice in `choices` | already there | leave it out",
            "6:30 wrong-type «x» `choices` must be a list, this is a string | must be a list | write `choices: [first, second]`",
        ],
    );
}

#[test]
fn a_pattern_must_compile() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {pattern: '['}
steps: [print: a]
",
        ),
        &[
            "3:16 invalid-pattern «'['» `pattern` is no regular expression | non-empty character class has no closing bracket | write one such as `[a-z]+`; it must match the whole answer",
        ],
    );
}

#[test]
fn a_range_must_hold_something() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: integer, min: 5, max: 1}
steps: [print: a]
",
        ),
        &[
            "3:35 out-of-range «1» `max` is less than `min`, which is 5 | no number lies between | swap them",
        ],
    );
}

#[test]
fn defaults_must_be_answers() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: integer, default: many}
  b: {type: choice, choices: [x, y], default: z}
  c: {default: 5}
  d: {type: integer, max: 3, default: 4}
  e: {default: ~}
  f: {pattern: '[a-z]+', default: A}
  g: {type: boolean, default: 'yes'}
steps: [print: a]
",
        ),
        &[
            "3:31 invalid-default «many» the default of `a` must be a whole number, such as 41 | the input is of type `integer` | write another value, or leave `default` out to have it asked for",
            "4:47 invalid-default «z» the default of `b` must be one of x, y | the input is of type `choice` | write another value, or leave `default` out to have it asked for",
            "6:39 invalid-default «4» the default of `d` must be at most 3 | the input is of type `integer` | write another value, or leave `default` out to have it asked for",
            "7:16 invalid-default «~» the default of `e` is empty | nothing is written here | write a value, or leave `default` out to have it asked for",
            "8:35 invalid-default «A» the default of `f` must match the pattern [a-z]+ | the input is of type `string` | write another value, or leave `default` out to have it asked for",
            "9:31 invalid-default «'yes'» the default of `g` must be true or false | the input is of type `boolean` | write `default: true`",
        ],
    );
}

#[test]
fn secrets_are_not_written_down() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {type: secret, default: hunter2}
  b: {type: secret, default: '{{ env.PASSWORD }}'}
steps: [print: a]
",
        ),
        &[
            r#"3:30 secret-in-playbook «hunter2» a secret cannot be written in a playbook | everyone who reads the file sees this | leave it out: it is given by a file, the environment or at the terminal; or write `default: "{{ env.NAME }}"`"#,
        ],
    );
}

#[test]
fn defaults_see_what_is_above() {
    assert_faults(
        &faults(
            "name: a
inputs:
  a: {default: '{{ inputs.b }}'}
  b: {default: '{{ vars.x }}'}
  c: {default: '{{ steps.x.y }}'}
  d: {default: '{{ inputs.d }} {{ inputs.z }}'}
  e: {type: integer, default: '{{ inputs.a }}'}
  f: {default: '{{ run.number }}'}
steps: [print: a]
",
        ),
        &[
            "3:27 later-reference «b» input `b` has no value yet | declared further down | move `b` above the input that needs it",
            "4:20 misplaced-reference «vars» the default of an input cannot use `vars` | computed after the inputs are known | use `run`, `env` and the inputs above, or make it a variable",
            "5:20 misplaced-reference «steps» the default of an input cannot use `steps` | known before the first step runs | use the step's output where it is needed, or give that step `outputs:`",
            "6:27 later-reference «d» input `d` reads itself | has no value yet | write a value, or read another name",
            "6:42 unknown-reference «z» there is no input `z` | not declared under `inputs` | declare it at the top: `inputs: {z: {prompt: …}}`",
            "7:31 invalid-default «'{{ inputs.a }}'» the default of `e` must be a whole number, `inputs.a` is a string | this is a string | name something that is a whole number",
            "8:24 unknown-reference «number» there is no `run.number` | unknown | there are `id`, `started`, `region`, `account`, `local`, `inbox`",
        ],
    );
}
