//! Playbooks without a fault, and what becomes of them.

use std::time::Duration;

use serde_json::json;

use super::fakes::Disk;
use super::{read, read_disk};
use crate::playbook::{Action, ForEach};
use crate::question::QuestionType;

pub(super) const WHOLE: &str = r#"
version: 1
name: whole
description: Everything at once.
tags: [lambda, test]
inputs:
  number: {type: integer, prompt: Enter a number, default: 41, min: 0, max: 100}
  region: {default: "{{ run.region }}-{{ env.STAGE }}"}
  again: {default: "{{ inputs.number }}", type: number}
  operation: {type: choice, choices: [plus, minus], default: plus}
  password: {type: secret, prompt: Enter a password, min_length: 8, twice: true, description: Long.}
  word: {pattern: "[a-z]+", default: abc}
vars:
  function_name: "playbook-{{ run.id }}"
  longer: {name: "{{ vars.function_name }}", number: "{{ inputs.number }}"}
steps:
  - print: Hello
  - list-functions:
  - id: role
    name: Create a role
    create-role:
      role_name: "{{ vars.function_name }}"
      max_session: "{{ inputs.number }}"
      if_exists: adopt
      tags: {owner: "{{ env.USER }}"}
      policy: {effect: Allow, action: ["*"]}
    retry: {on: [Throttling, LimitExceeded], attempts: 3, every: 500ms, ask: number}
    timeout: 1m 30s
    keep: true
  - id: function
    when: not steps.role.skipped
    create-function:
      function_name: "{{ vars.function_name }}"
      role: "{{ steps.role.arn }}"
      code: ../handlers/add.py
      timeout: 3
      weight: 1
    outputs: {memory: result.configuration.memory}
  - id: first
    invoke: {function_name: "{{ steps.function.function_name }}", payload: {n: "{{ inputs.number }}", deep: [1, {a: null}]}}
    poll: {until: result.log | length > 0, every: 1s, timeout: 60s}
    assert: [result.payload.result == inputs.number + 1, steps.function.memory > 0]
    allow_error: ResourceNotFound
  - id: refused
    invoke: {function_name: none}
    expect_error: ResourceNotFoundException
  - id: many
    for_each: [1, "{{ inputs.number }}"]
    invoke: {function_name: a, payload: "{{ item }} of {{ loop.length }}"}
    assert: result.payload == item
  - for_each: steps.many.items
    print: {message: "{{ item.log }} {{ steps.many.items[0].log }}"}
  - id: calculation
    repeat:
      until: steps.again.payload == "no"
      limit: 5
      steps:
        - id: again
          name: "Round {{ loop.index }}"
          invoke: {function_name: a}
    outputs: {last: steps.again.payload}
  - block:
      - id: inside
        invoke: {function_name: a}
    rescue:
      - print: "{{ error.code }}: {{ error.message }}"
    always:
      - print: "{{ steps.inside.log }}"
    for_each: "[1, 2]"
  - print: "{{ steps.calculation.last }} {{ steps.inside.skipped }}"
  - cleanup: {confirm: "Remove {{ vars.function_name }}?"}
  - print: done
outputs:
  arn: steps.role.arn
  all: steps.many.items | length
"#;

#[test]
fn everything_at_once() {
    let playbook = read(WHOLE).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    assert_eq!(playbook.name, "whole");
    assert_eq!(playbook.description.as_deref(), Some("Everything at once."));
    assert_eq!(playbook.tags, ["lambda", "test"]);
    assert_eq!(playbook.directory, std::path::Path::new("/project/books"));
    assert_eq!(playbook.root, std::path::Path::new("/project"));
    let names: Vec<_> = playbook.inputs.iter().map(|input| input.question.name.as_str()).collect();
    assert_eq!(names, ["number", "region", "again", "operation", "password", "word"]);
    let vars: Vec<_> = playbook.vars.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(vars, ["function_name", "longer"]);
    let outputs: Vec<_> =
        playbook.outputs.iter().map(|(name, it)| (name.as_str(), it.source())).collect();
    assert_eq!(outputs, [("arn", "steps.role.arn"), ("all", "steps.many.items | length")]);
    let mut kinds = Vec::new();
    playbook.walk(&mut |step| kinds.push(step.kind()));
    assert_eq!(
        kinds.join(" "),
        "print list-functions create-role create-function invoke invoke invoke print repeat invoke \
         block invoke print print print cleanup print"
    );
}

#[test]
fn inputs_become_questions() {
    let playbook = read(WHOLE).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let [number, region, _, operation, password, word] = &playbook.inputs[..] else {
        panic!("six inputs")
    };
    assert!(number.asked);
    assert_eq!(number.question.prompt, "Enter a number");
    assert_eq!(number.question.answer, QuestionType::Integer);
    assert_eq!((number.question.min, number.question.max), (Some(0.0), Some(100.0)));
    assert_eq!(
        number.default.as_ref().and_then(crate::template::Template::literal),
        Some(&json!(41))
    );
    assert_eq!(number.question.default, None);
    assert!(!region.asked);
    assert_eq!(region.question.prompt, "region");
    assert_eq!(region.question.answer, QuestionType::String);
    assert!(region.default.as_ref().is_some_and(|default| default.literal().is_none()));
    assert_eq!(operation.question.choices, ["plus", "minus"]);
    assert_eq!((password.question.min_length, password.question.twice), (Some(8), true));
    assert_eq!(password.description.as_deref(), Some("Long."));
    assert!(password.default.is_none());
    assert_eq!(word.question.pattern.as_deref(), Some("[a-z]+"));
}

#[test]
fn the_envelope_is_kept() {
    let playbook = read(WHOLE).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let [_, list, role, _, first, refused, many, over, calculation, ..] = &playbook.steps[..]
    else {
        panic!("too few steps")
    };
    assert!(
        matches!(&list.action, Action::Kind { input, .. } if input.literal() == Some(&json!({})))
    );
    let retry = role.retry.as_ref().expect("a retry");
    assert_eq!(retry.on, ["Throttling", "LimitExceeded"]);
    assert_eq!((retry.attempts, retry.every), (3, Duration::from_millis(500)));
    assert_eq!(retry.ask.as_deref(), Some("number"));
    assert_eq!(role.timeout, Some(Duration::from_secs(90)));
    assert!(role.keep);
    let poll = first.poll.as_ref().expect("a poll");
    assert_eq!((poll.every, poll.timeout), (Duration::from_secs(1), Duration::from_mins(1)));
    assert_eq!(first.asserts.len(), 2);
    assert_eq!(first.allow_error, ["ResourceNotFound"]);
    assert_eq!(refused.expect_error, ["ResourceNotFoundException"]);
    assert!(matches!(&many.for_each, Some(ForEach::List(_))));
    assert!(
        matches!(&over.for_each, Some(ForEach::Expression(it)) if it.source() == "steps.many.items")
    );
    assert!(
        matches!(&calculation.action, Action::Repeat { limit: 5, steps, .. } if steps.len() == 1)
    );
}

#[test]
fn defaults_of_the_envelope() {
    let playbook = read(
        "name: a\nsteps:\n  - invoke: {function_name: a}\n    retry: {}\n    poll: {until: result is defined}\n  - repeat: {until: 'true', steps: [print: a]}\n",
    )
    .unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let [invoke, repeat] = &playbook.steps[..] else { panic!("two steps") };
    let retry = invoke.retry.as_ref().expect("a retry");
    assert_eq!((retry.attempts, retry.every, retry.on.len()), (5, Duration::from_secs(1), 0));
    let poll = invoke.poll.as_ref().expect("a poll");
    assert_eq!((poll.every, poll.timeout), (Duration::from_secs(1), Duration::from_mins(1)));
    assert!(!invoke.keep);
    assert!(matches!(repeat.action, Action::Repeat { limit: 1000, .. }));
}

#[test]
fn a_scalar_stands_for_the_one_field() {
    let playbook = read("name: a\nsteps:\n  - print: '{{ run.id }}!'\n  - print: [1, 2]\n")
        .unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let Some(Action::Kind { input, spec }) = playbook.steps.first().map(|step| &step.action) else {
        panic!("a print step")
    };
    assert_eq!(spec.name, "print");
    assert!(input.get("message").is_some());
    let Some(Action::Kind { input, .. }) = playbook.steps.get(1).map(|step| &step.action) else {
        panic!("a print step")
    };
    assert_eq!(input.literal(), Some(&json!({"message": [1, 2]})));
}

#[test]
fn an_included_playbook_is_loaded_once() {
    let main = "name: a\nsteps:\n  - id: one\n    include: {file: lib/pool.yaml, inputs: {stack: x}}\n  \
                - include: {file: ./lib/pool.yaml, inputs: {stack: \"{{ steps.one.pool }}\", limit: 3}}\n";
    let pool = "name: pool\ninputs: {stack: {}, limit: {type: integer, default: 10}}\nsteps:\n  \
                - id: role\n    create-role: {role_name: '{{ inputs.stack }}'}\n  \
                - create-function: {function_name: f, role: r, code: ../../handlers/add.py}\noutputs: {pool: steps.role.arn}\n";
    let playbook = read_disk(&Disk::with("main.yaml", main).and("lib/pool.yaml", pool))
        .unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let included: Vec<_> = playbook
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Include { playbook, inputs } => Some((playbook, inputs)),
            _ => None,
        })
        .collect();
    let [(first, inputs), (second, _)] = &included[..] else { panic!("two includes") };
    assert!(std::sync::Arc::ptr_eq(first, second));
    assert_eq!(first.directory, std::path::Path::new("/project/books/lib"));
    assert_eq!(first.root, std::path::Path::new("/project"));
    assert_eq!(inputs.literal(), Some(&json!({"stack": "x"})));
    let mut kinds = Vec::new();
    playbook.walk(&mut |step| kinds.push(step.kind()));
    assert_eq!(
        kinds.join(" "),
        "include create-role create-function include create-role create-function"
    );
}

#[test]
fn functions_and_names_of_the_template_itself_are_no_references() {
    let playbook = read(
        "name: a\ninputs: {n: {type: integer}}\nsteps:\n  - for_each: range(inputs.n)\n    print: '{{ item }}'\n  \
         - print: '{% for x in range(3) %}{{ x }}{{ loop.index }}{% endfor %}{{ none }}{{ true }}'\n  \
         - print: '{% set y = inputs.n %}{{ y | default(env.Y) }}'\n    when: env.STAGE is defined\n",
    );
    assert_eq!(playbook.err(), None);
}
