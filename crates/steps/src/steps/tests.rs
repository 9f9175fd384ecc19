//! Every kind through the client of a dry run: what it would call, and what undoing it would call.

mod buckets;
mod cognito;
pub(in crate::steps) mod dry_run;
mod tables;

use serde_json::{Value, json};

use super::KINDS;
use dry_run::DryRun;
use engine::step::{Answer, StepError, Undone};

fn function() -> Value {
    json!({
        "function_name": "adder", "runtime": "python3.13", "handler": "adder.add",
        "role": "⟨steps.role.arn⟩", "code": "adder.py", "environment": {"LEVEL": 7},
    })
}

#[tokio::test]
async fn a_function_comes_with_its_log_group_and_both_go() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let made = dry.run("create-function", function()).await.expect("made");
    assert_eq!(made["function_name"], "adder");
    assert_eq!(made["log_group"], "/aws/lambda/adder");
    assert_eq!(made["arn"], "⟨steps.it.arn⟩");
    let bodies = dry.bodies();
    assert_eq!(
        bodies[0],
        json!({"logGroupName": "/aws/lambda/adder", "tags": {"playbook:run": "7f3a"}})
    );
    assert_eq!(bodies[2]["Role"], "⟨steps.role.arn⟩");
    assert_eq!(bodies[2]["Environment"], json!({"Variables": {"LEVEL": "7"}}));
    assert_eq!(bodies[2]["Architectures"], json!(["x86_64"]));
    assert!(bodies[2]["Code"]["ZipFile"].as_str().is_some_and(|shown| shown.starts_with("zip, ")));
    dry.has_called_as_told("create-function");
    let ends = [
        ("AWS::Lambda::Function adder", Undone::Deleted),
        ("AWS::Logs::LogGroup /aws/lambda/adder", Undone::Deleted),
    ];
    assert_eq!(dry.undo().await, ends.map(|(what, end)| (what.to_owned(), end)));
    assert_eq!(
        dry.operations(),
        [
            "lambda:GetFunction",
            "lambda:DeleteFunction",
            "lambda:GetFunction",
            "logs:DescribeLogGroups",
            "logs:ListTagsForResource",
            "logs:DeleteLogGroup",
            "logs:DescribeLogGroups",
        ]
    );
}

#[tokio::test]
async fn nothing_is_called_or_intended_when_the_code_is_wrong() {
    let dry = DryRun::new(Answer::NotAsked).await;
    for (name, input) in [
        (
            "create-function",
            json!({"function_name": "f", "runtime": "r", "handler": "h", "role": "r", "code": "no.py"}),
        ),
        ("update-function-code", json!({"function_name": "f", "code": "../no.py"})),
    ] {
        let error = dry.run(name, input).await.expect_err("refused");
        assert!(matches!(&error, StepError::Input { field, .. } if *field == ["code"]), "{error}");
    }
    assert_eq!(dry.operations(), Vec::<String>::new());
    assert!(dry.is_journal_empty());
}

#[tokio::test]
async fn a_rust_handler_is_not_built_in_a_dry_run() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let manifest = dry.directory.path().join("Cargo.toml");
    let code = json!({"cargo": ".", "bin": "adder"});
    let mut input = function();
    input["code"] = code;
    let error = dry.run("create-function", input.clone()).await.expect_err("no manifest");
    assert_eq!(error.to_string(), "there is no Cargo.toml in `.`");
    std::fs::write(manifest, "[package]").expect("a file");
    dry.run("create-function", input).await.expect("planned");
    assert_eq!(dry.bodies()[2]["Code"]["ZipFile"], "⟨zip of cargo ., bin adder⟩");
    assert!(!dry.directory.path().join("target").exists());
}

#[tokio::test]
async fn kinds_call_what_they_say_they_call() {
    let inputs = [
        ("get-role", json!({"role_name": "r"})),
        (
            "put-role-policy",
            json!({"role_name": "r", "policy_name": "p", "policy_document": {"Statement": []}}),
        ),
        ("create-function", function()),
        ("get-function", json!({"function_name": "adder"})),
        ("list-functions", json!({})),
        ("invoke", json!({"function_name": "adder", "payload": {"number": 41}})),
        ("update-function-code", json!({"function_name": "adder", "code": "adder.py"})),
        ("update-function-configuration", json!({"function_name": "adder", "timeout": 9})),
        (
            "add-permission",
            json!({"function_name": "adder", "principal": "s3.amazonaws.com", "statement_id": "s"}),
        ),
        ("delete-function", json!({"function_name": "adder"})),
        ("create-log-group", json!({"log_group_name": "/mine", "retention_in_days": 1})),
        ("log-events", json!({"function_name": "adder"})),
    ];
    for (name, input) in inputs {
        let dry = DryRun::new(Answer::NotAsked).await;
        dry.run(name, input).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        dry.has_called_as_told(name);
    }
}

#[tokio::test]
async fn what_is_made_is_undone_by_the_kind_that_makes_it() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let policy =
        json!({"role_name": "r", "policy_name": "p", "policy_document": {"Statement": []}});
    dry.run("put-role-policy", policy).await.expect("planned");
    let permission =
        json!({"function_name": "adder", "principal": "s3.amazonaws.com", "source_arn": "⟨a⟩"});
    let added = dry.run("add-permission", permission).await.expect("planned");
    assert_eq!(added["statement_id"], "playbook-7f3a-it");
    dry.run("create-log-group", json!({"log_group_name": "/mine"})).await.expect("planned");
    let ends: Vec<_> = dry.undo().await;
    assert_eq!(
        ends.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>(),
        [
            "AWS::Logs::LogGroup /mine",
            "AWS::Lambda::Permission playbook-7f3a-it on adder",
            "AWS::IAM::RolePolicy p of r",
        ]
    );
    assert!(ends.iter().all(|(_, end)| *end == Undone::Deleted), "{ends:?}");
}

#[tokio::test]
async fn deleting_a_function_settles_its_entry() {
    let dry = DryRun::new(Answer::NotAsked).await;
    dry.run("create-function", function()).await.expect("planned");
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:adder";
    dry.run("delete-function", json!({"function_name": arn})).await.expect("planned");
    let left: Vec<_> = dry.undo().await.into_iter().map(|(what, _)| what).collect();
    assert_eq!(left, ["AWS::Logs::LogGroup /aws/lambda/adder"]);
}

#[tokio::test]
async fn payloads_are_sent_as_they_are_and_none_as_none() {
    let dry = DryRun::new(Answer::NotAsked).await;
    dry.run("invoke", json!({"function_name": "adder", "payload": {"b": 1, "a": [null]}}))
        .await
        .expect("planned");
    dry.run("invoke", json!({"function_name": "adder"})).await.expect("planned");
    assert_eq!(dry.bodies(), [json!({"b": 1, "a": [null]}), Value::Null]);
}

#[tokio::test]
async fn answers_are_given_taken_by_default_or_left_open() {
    let question = json!({"prompt": "How many?", "type": "integer", "default": 7, "min": 1});
    let choice = json!({"prompt": "Which?", "choices": ["plus", "minus"], "default": "minus"});
    let given = DryRun::new(Answer::Given(json!("minus"))).await;
    assert_eq!(
        given.run("choose", choice.clone()).await.expect("chosen"),
        json!({"answer": "minus", "index": 1})
    );
    let default = DryRun::new(Answer::Default(Value::Null)).await;
    assert_eq!(
        default.run("ask", question.clone()).await.expect("asked"),
        json!({"answer": 7, "default": true})
    );
    assert_eq!(
        default.run("confirm", json!({"prompt": "Sure?"})).await.expect("asked"),
        json!({"answer": false})
    );
    let mut too_small = question.clone();
    too_small["default"] = json!(0);
    let error = default.run("ask", too_small).await.expect_err("refused");
    assert_eq!(error.to_string(), "the default must be at least 1");
    let open = DryRun::new(Answer::NotAsked).await;
    let answer = open.run("ask", question).await.expect("planned");
    assert_eq!(answer, json!({"answer": "⟨steps.it.answer⟩", "default": false}));
    let chosen = open.run("choose", choice).await.expect("planned");
    assert_eq!(chosen, json!({"answer": "⟨steps.it.answer⟩", "index": "⟨steps.it.index⟩"}));
    let nothing =
        open.run("choose", json!({"prompt": "Which?", "choices": []})).await.expect_err("refused");
    assert_eq!(nothing.to_string(), "there is nothing to choose from");
}

#[tokio::test]
async fn what_needs_no_aws_talks_to_none() {
    let dry = DryRun::new(Answer::Default(Value::Null)).await;
    dry.run("print", json!({"message": {"a": 1}})).await.expect("shown");
    dry.run("pause", json!({"duration": "1h"})).await.expect("no wait");
    dry.run("pause", json!({"prompt": "Press return"})).await.expect("asked");
    let set = json!({"b": 1, "a": {"c": []}});
    assert_eq!(dry.run("set", set.clone()).await.expect("set"), set);
    let failed =
        dry.run("fail", json!({"message": "enough", "code": "Enough"})).await.expect_err("failed");
    assert_eq!((failed.code(), failed.to_string().as_str()), ("Enough", "enough"));
    assert_eq!(*dry.said.lock().expect("what was said"), ["a: 1"]);
    assert_eq!(dry.operations(), Vec::<String>::new());
}

/// A pool that is updated is given its tags again, or it loses them.
#[test]
fn whoever_updates_a_pool_may_tag_it() {
    let updating = KINDS.iter().map(|kind| (kind.spec)()).filter(|spec| {
        let all = [spec.permissions, &spec.undo_permissions].concat();
        all.contains(&"cognito-idp:UpdateUserPool")
    });
    let mut seen = 0;
    for spec in updating {
        let parts = [spec.permissions, &spec.undo_permissions];
        for part in parts.iter().filter(|it| it.contains(&"cognito-idp:UpdateUserPool")) {
            assert!(part.contains(&"cognito-idp:TagResource"), "{}: {part:?}", spec.name);
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn every_kind_has_a_page() {
    for kind in KINDS {
        let spec = (kind.spec)();
        assert!(
            spec.summary.ends_with('.') && !spec.summary.is_empty(),
            "{}: {}",
            kind.name,
            spec.summary
        );
        assert!(spec.example.contains(kind.name), "{}", kind.name);
        assert!(
            serde_yaml::from_str::<Value>(spec.example).is_ok_and(|steps| steps.is_array()),
            "{}",
            kind.name
        );
        if let Some(shorthand) = spec.shorthand {
            assert!(spec.input["properties"][shorthand].is_object(), "{}", kind.name);
        }
        for part in [&spec.input, &spec.output] {
            for (field, schema) in part["properties"].as_object().into_iter().flatten() {
                let described = schema["description"].is_string() || schema["$ref"].is_string();
                assert!(described, "{} {field}", kind.name);
            }
        }
    }
    let mut makes: Vec<_> =
        KINDS.iter().map(|kind| kind.makes).filter(|makes| !makes.is_empty()).collect();
    makes.sort_unstable();
    let mut shared: Vec<_> =
        makes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    shared.dedup();
    // Several kinds make users and items; each of them leaves the same struct behind.
    assert_eq!(shared, ["AWS::Cognito::UserPoolUser", "AWS::DynamoDB::Item"]);
}
