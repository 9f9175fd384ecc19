//! What an editor shows to somebody who writes a playbook, by the language server that editors use for YAML.
//!
//! It takes Node and the package of `tests/editor/package.json`, in a directory that `PLAYBOOK_TEST_EDITOR` names or where
//! `.ci/run` installs it; without it these tests say that they were skipped.

use std::fs;

use serde_json::{Value, json};

use crate::harness::peers::node_package;
use crate::harness::sandbox::{Sandbox, finish, repository};

/// A document, and what is asked about the place in it that `‸` marks.
fn question(file: &str, text: &str) -> Value {
    let Some((before, after)) = text.split_once('‸') else {
        return json!({"file": file, "text": text});
    };
    let line = before.matches('\n').count();
    let character = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let at = json!({"line": line, "character": character});
    json!({"file": file, "text": format!("{before}{after}"), "at": at})
}

/// What the language server says; none where it is not there.
fn ask(questions: &[Value]) -> Option<Vec<Value>> {
    let sandbox = Sandbox::new();
    let schema = sandbox.run(["schema"]).exited(0).stdout;
    sandbox.write("playbook.schema.json", &schema);
    ask_in(&sandbox, questions)
}

/// The same, about documents in a directory that has its schema already.
fn ask_in(sandbox: &Sandbox, questions: &[Value]) -> Option<Vec<Value>> {
    let package =
        node_package("PLAYBOOK_TEST_EDITOR", "target/test-editor", "yaml-language-server")?;
    let modules = package.parent()?.to_owned();
    let client = repository().join("tests/editor/language_server.mjs");
    let mut command = sandbox.command("node", [client, modules, sandbox.work()]);
    let answers = finish(&mut command, &Value::from(questions).to_string()).exited(0).stdout;
    sandbox.nothing_left();
    Some(serde_json::from_str(&answers).unwrap())
}

/// The same about steps: what stands around them is always the same.
fn ask_about_steps(steps: &[&str]) -> Option<Vec<Value>> {
    let questions: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(number, steps)| {
            let head = "# yaml-language-server: $schema=playbook.schema.json\nname: x\nsteps:\n";
            question(&format!("{number}.yaml"), &format!("{head}{steps}"))
        })
        .collect();
    ask(&questions)
}

fn labels(answer: &Value) -> Vec<&str> {
    let completions = answer["completions"].as_array().unwrap().iter();
    completions.map(|completion| completion["label"].as_str().unwrap()).collect()
}

fn problems(answer: &Value) -> Vec<(u64, &str)> {
    let problems = answer["problems"].as_array().unwrap().iter();
    problems.map(|it| (it["line"].as_u64().unwrap(), it["message"].as_str().unwrap())).collect()
}

#[test]
fn kinds_fields_and_values_are_completed() {
    let asked = ask_about_steps(&[
        "  - ‸\n",
        "  - create-role:\n      role_name: x\n      ‸\n",
        "  - create-role:\n      role_name: x\n      if_exists: ‸\n",
        "  - create-role: {role_name: x}\n    retry:\n      ‸\n",
    ]);
    let Some(answers) = asked else { return };
    let kinds = labels(&answers[0]);
    for kind in ::steps::KINDS {
        assert!(kinds.contains(&kind.name), "{} is not offered: {kinds:?}", kind.name);
    }
    for word in ["id", "when", "for_each", "block", "repeat", "include", "cleanup"] {
        assert!(kinds.contains(&word), "{word} is not offered: {kinds:?}");
    }
    let completions = answers[0]["completions"].as_array().unwrap();
    let role = completions.iter().find(|it| it["label"] == "create-role").unwrap();
    assert_eq!(role["text"], "create-role:\n    role_name: ", "what must be given is filled in");
    let documentation = role["documentation"].as_str().unwrap();
    assert!(documentation.contains("Creates an IAM role that a service can assume."), "{role}");
    let fields = labels(&answers[1]);
    assert!(fields.contains(&"trust_service") && fields.contains(&"if_exists"), "{fields:?}");
    assert!(!fields.contains(&"function_name") && !fields.contains(&"role_name"), "{fields:?}");
    assert_eq!(labels(&answers[2]), ["fail", "adopt"]);
    let retry = labels(&answers[3]);
    assert!(["on", "attempts", "every", "ask"].iter().all(|it| retry.contains(it)), "{retry:?}");
}

#[test]
fn what_is_pointed_at_is_explained() {
    let asked = ask_about_steps(&[
        "  - create-r‸ole: {role_name: x}\n",
        "  - create-role: {role_‸name: x}\n",
        "  - create-role: {role_name: x}\n    po‸ll: {until: true}\n",
        "  - rep‸eat: {until: true, steps: [{print: x}]}\n",
    ]);
    let Some(answers) = asked else { return };
    for (answer, expected) in answers.iter().zip([
        &[
            "Creates an IAM role that a service can assume",
            "```yaml",
            "trust_service: lambda.amazonaws.com",
        ][..],
        &["The role's name, unique in the account"],
        &["done again until its result is as expected"],
        &["Runs steps again and again until something is true", "confirm: Do you want"],
    ]) {
        let hover = answer["hover"].as_str().unwrap();
        for text in expected {
            assert!(hover.contains(text), "{text} is missing:\n{hover}");
        }
        assert_eq!(problems(answer), []);
    }
}

#[test]
fn mistakes_are_underlined_where_they_are() {
    let asked = ask_about_steps(&[
        "  - print: hello\n  - create-role:\n      role_name: x\n      rol_name: y\n",
        "  - print: hello\n  - creat-role:\n      role_name: x\n",
        "  - create-role: {}\n",
        "  - print: hello\n    wehn: true\n",
        "  - create-function:\n      function_name: f\n      runtime: r\n      handler: h\n      role: r\n      code: c\n      timeout: soon\n",
        "  - create-role: {role_name: x}\n    if: true\n",
    ]);
    let Some(answers) = asked else { return };
    let expected = [
        (7, "Property rol_name is not allowed."),
        (5, "Property creat-role is not allowed."),
        (4, "Missing property \"role_name\"."),
        (5, "Property wehn is not allowed."),
        (10, "Incorrect type."),
        (5, "Property if is not allowed."),
    ];
    for (answer, (line, message)) in answers.iter().zip(expected) {
        let found = problems(answer);
        assert!(
            found.iter().any(|(at, text)| *at == line && text.starts_with(message)),
            "line {line}: {message}: {found:?}"
        );
        assert!(found.iter().all(|(at, _)| *at == line), "only there: {found:?}");
    }
}

#[test]
fn operations_are_known_where_their_service_is_in_the_schema() {
    let sandbox = Sandbox::new();
    let schema = sandbox.run(["schema", "--service", "sqs,sns"]).exited(0).stdout;
    sandbox.write("playbook.schema.json", &schema);
    let questions: Vec<Value> = [
        "  - ‸\n",
        "  - sqs:CreateQueue:\n      QueueName: x\n      ‸\n",
        "  - sqs:CreateQueue: {QueueNam: x}\n",
        "  - print: x\n  - sqs:CreateQueu: {QueueName: x}\n",
        "  - sqs:Crea‸teQueue: {QueueName: \"jobs-{{ run.id }}\", Attributes: {VisibilityTimeout: \"30\"}}\n  - lambda:ListFunctions: {}\n",
    ]
    .iter()
    .enumerate()
    .map(|(number, steps)| {
        let head = "# yaml-language-server: $schema=playbook.schema.json\nname: x\nsteps:\n";
        question(&format!("operations-{number}.yaml"), &format!("{head}{steps}"))
    })
    .collect();
    let Some(answers) = ask_in(&sandbox, &questions) else { return };
    let kinds = labels(&answers[0]);
    assert!(kinds.contains(&"sqs:CreateQueue") && kinds.contains(&"sns:Publish"), "{kinds:?}");
    let members = labels(&answers[1]);
    assert!(members.contains(&"Attributes") && members.contains(&"tags"), "{members:?}");
    for (answer, line, message) in [
        (&answers[2], 4, "Property QueueNam is not allowed."),
        (&answers[3], 5, "Property sqs:CreateQueu is not allowed."),
    ] {
        let found = problems(answer);
        assert!(
            found.iter().any(|(at, text)| *at == line && text.starts_with(message)),
            "{message}: {found:?}"
        );
    }
    assert_eq!(problems(&answers[4]), []);
    let hover = answers[4]["hover"].as_str().unwrap();
    assert!(hover.contains("Calls `CreateQueue` of Amazon Simple Queue Service"), "{hover}");
}

#[test]
fn nothing_is_underlined_in_what_is_right() {
    let mut questions = Vec::new();
    for directory in ["playbooks", "playbooks/examples", "tests/dry_run"] {
        for entry in fs::read_dir(repository().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "yaml") {
                let text = fs::read_to_string(&path).unwrap();
                let body: Vec<&str> = text.lines().filter(|it| !it.contains("$schema=")).collect();
                let head = "# yaml-language-server: $schema=playbook.schema.json\n";
                let name = format!("{}-{}", questions.len(), path.file_name().unwrap().display());
                questions.push(question(&name, &format!("{head}{}\n", body.join("\n"))));
            }
        }
    }
    assert!(questions.len() > 10);
    let Some(answers) = ask(&questions) else { return };
    for (question, answer) in questions.iter().zip(&answers) {
        assert_eq!(problems(answer), [], "{}", question["file"]);
    }
}

#[test]
fn a_new_playbook_names_the_schema_that_lies_beside_it() {
    let sandbox = Sandbox::new();
    sandbox.run(["new", "first"]).exited(0);
    let text = fs::read_to_string(sandbox.work().join("first.yaml")).unwrap();
    let marked = text.replacen("create-role:", "create-r‸ole:", 1);
    assert_ne!(text, marked);
    let Some(answers) = ask_in(&sandbox, &[question("first.yaml", &marked)]) else { return };
    assert_eq!(problems(&answers[0]), []);
    assert!(answers[0]["hover"].as_str().unwrap().contains("Creates an IAM role"));
}
