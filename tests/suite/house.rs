//! What is made from one definition agrees with it: schema, pages, examples, completions, help.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use ::steps::KINDS;
use language::playbook::CONTROLS;
use regex_lite::Regex;
use serde_json::Value;

use crate::harness::sandbox::{Sandbox, repository};
use crate::harness::{difference, pages};

#[test]
fn the_committed_schema_is_the_one_that_the_program_prints() {
    let sandbox = Sandbox::new();
    let printed = sandbox.run(["schema"]).exited(0).stdout;
    let schema: Value = serde_json::from_str(&printed).unwrap();
    for kind in KINDS {
        assert!(
            schema.to_string().contains(&format!("\"{}\"", kind.name)),
            "{} is not in the schema",
            kind.name
        );
    }
    let committed = repository().join("playbooks/playbook.schema.json");
    if let Some(difference) = difference::with_file(&committed, &printed) {
        panic!("run `playbook schema > playbooks/playbook.schema.json`\n{difference}");
    }
    sandbox.nothing_left();
}

#[test]
fn every_kind_is_listed_and_has_a_page() {
    let sandbox = Sandbox::new();
    let list = sandbox.run(["steps"]).exited(0).stdout;
    for kind in KINDS {
        let spec = (kind.spec)();
        let summary = spec.summary.trim_end_matches('.');
        assert!(
            list.lines().any(|line| line.contains(kind.name) && line.ends_with(summary)),
            "{list}"
        );
        assert!(summary.len() <= 120, "{}: {summary}", kind.name);
        let page = sandbox.run(["steps", kind.name]).exited(0).stdout;
        let fields = spec.input["properties"].as_object().into_iter().flatten();
        let outputs = spec.output["properties"].as_object().into_iter().flatten();
        for (field, schema) in fields.chain(outputs) {
            assert!(
                page.contains(field.as_str()),
                "the page of {} lacks `{field}`:\n{page}",
                kind.name
            );
            assert!(
                schema["description"].is_string(),
                "`{field}` of {} says nothing of itself",
                kind.name
            );
        }
        let words = spec.calls.iter().chain(spec.calls_on_failure).chain(spec.permissions);
        for word in words.chain(&spec.undo_permissions) {
            assert!(page.contains(word), "the page of {} lacks {word}:\n{page}", kind.name);
        }
    }
    sandbox.nothing_left();
}

/// A playbook around an example: what the example refers to comes before it.
fn around(example: &str) -> String {
    let capture = |pattern: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for parts in Regex::new(pattern).unwrap().captures_iter(example) {
            let field = parts.get(2).map(|field| field.as_str().to_owned());
            found.entry(parts[1].to_owned()).or_default().extend(field);
        }
        found
    };
    let own = capture(r"(?m)^\s*-? ?id: (\w+)");
    let mut text = "name: example\n".to_owned();
    for (section, pattern) in [("inputs", r"\binputs\.(\w+)"), ("vars", r"\bvars\.(\w+)")] {
        let names = capture(pattern);
        if !names.is_empty() {
            writeln!(text, "{section}:").unwrap();
        }
        for name in names.keys() {
            let value = if section == "inputs" { "{default: x}" } else { "x" };
            writeln!(text, "  {name}: {value}").unwrap();
        }
    }
    text.push_str("steps:\n");
    for (step, fields) in capture(r"\bsteps\.(\w+)\.(\w+)") {
        if own.contains_key(&step) {
            continue;
        }
        // In a dry run, what nobody answers is not known, as what a step returns is not.
        let fields: Vec<String> = fields
            .iter()
            .filter(|field| *field != "answer")
            .map(|field| format!("{field}: result.answer"))
            .collect();
        writeln!(text, "  - id: {step}\n    ask: {{prompt: What?}}").unwrap();
        if !fields.is_empty() {
            writeln!(text, "    outputs: {{{}}}", fields.join(", ")).unwrap();
        }
    }
    for line in example.lines() {
        writeln!(text, "  {line}").unwrap();
    }
    text
}

/// Every kind with its example.
fn examples() -> Vec<(&'static str, &'static str)> {
    let kinds = KINDS.iter().map(|kind| (kind.name, (kind.spec)().example));
    kinds.chain(CONTROLS.iter().map(|control| (control.name, control.example))).collect()
}

/// Where playbooks lie in a repository, what they name lies beside them.
fn write_beside(sandbox: &Sandbox, kind: &str, example: &str) {
    sandbox.write("repository/.git/HEAD", "");
    sandbox.write(&format!("repository/playbooks/{kind}.yaml"), &around(example));
    let files = Regex::new(r"\b(?:code|template|file): ([\w./-]+\.\w+)").unwrap();
    let text = match kind {
        "include" => "name: included\ninputs: {name: {}}\nsteps:\n  - print: hello\n",
        "deploy-stack" => "Resources: {}\n",
        _ => "def lambda_handler(event, context):\n    return None\n",
    };
    for file in files.captures_iter(example) {
        sandbox.write(&format!("repository/playbooks/{}", &file[1]), text);
    }
}

#[test]
fn every_example_passes_check_and_can_be_planned() {
    let sandbox = Sandbox::new();
    let mut failures = Vec::new();
    for (kind, example) in examples() {
        assert!(
            example.contains(&format!("{kind}:")),
            "the example of {kind} is of another kind:\n{example}"
        );
        write_beside(&sandbox, kind, example);
        let file = format!("repository/playbooks/{kind}.yaml");
        let outcome = sandbox.run(["check", &file]);
        if outcome.exit != 0 {
            failures.push(format!("{kind}:\n{}", outcome.stderr));
            continue;
        }
        let outcome =
            sandbox.run(["run", &file, "--dry-run", "--no-input", "--region", "us-east-1"]);
        let calls = KINDS.iter().find(|it| it.name == kind).map_or(&[][..], |it| (it.spec)().calls);
        let planned = |call: &&str| outcome.stdout.contains(&call.replacen(':', " ", 1));
        if outcome.exit != 0 || (!calls.is_empty() && !calls.iter().any(planned)) {
            failures.push(format!("{kind}, planned:\n{}{}", outcome.stdout, outcome.stderr));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    sandbox.nothing_left();
}

#[test]
fn the_committed_page_of_the_language_is_the_one_that_the_program_shows() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(["explain", "language"]).exited(0).stdout;
    let committed = repository().join("docs/language.md");
    if let Some(difference) = difference::with_file(&committed, &shown) {
        panic!("run `playbook explain language > docs/language.md`\n{difference}");
    }
    sandbox.nothing_left();
}

#[test]
fn the_committed_reference_is_the_one_that_the_program_writes() {
    let sandbox = Sandbox::new();
    sandbox.run(["steps", "--markdown", "docs"]).exited(0);
    let directory = repository().join("docs/steps");
    let names = |path: &Path| -> BTreeSet<OsString> {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    };
    let written = names(&sandbox.work().join("docs"));
    for (kind, _) in examples() {
        assert!(written.contains(&OsString::from(format!("{kind}.md"))), "{kind} has no page");
    }
    let mut differences = Vec::new();
    if difference::accepting() {
        std::fs::create_dir_all(&directory).unwrap();
    }
    for name in names(&directory).difference(&written) {
        if difference::accepting() {
            std::fs::remove_file(directory.join(name)).unwrap();
        } else {
            differences.push(format!("{} is of no kind", directory.join(name).display()));
        }
    }
    for name in &written {
        let text = std::fs::read_to_string(sandbox.work().join("docs").join(name)).unwrap();
        differences.extend(difference::with_file(&directory.join(name), &text));
    }
    assert!(
        differences.is_empty(),
        "run `playbook steps --markdown docs/steps`\n{}",
        differences.join("\n")
    );
    sandbox.nothing_left();
}

#[test]
fn the_kind_that_contributors_are_shown_is_the_one_that_is_there() {
    let shown = std::fs::read_to_string(repository().join("CONTRIBUTING.md")).unwrap();
    let file = repository().join("crates/steps/src/steps/get_caller_identity.rs");
    let kind = std::fs::read_to_string(&file).unwrap();
    assert!(shown.contains(&format!("```rust\n{kind}```\n")), "{} is another", file.display());
}

#[test]
fn a_kind_says_what_its_calls_and_its_undoing_take() {
    for kind in KINDS {
        let spec = (kind.spec)();
        assert!(
            spec.makes.iter().all(|leaves| !leaves.undo.is_empty()),
            "{} says what it leaves behind, and not what undoing that takes",
            kind.name
        );
        let calls: Vec<&str> = spec.calls.iter().chain(spec.calls_on_failure).copied().collect();
        for (at, call) in calls.iter().enumerate() {
            assert!(!calls[..at].contains(call), "{} says {call} twice", kind.name);
            if let Some(action) = pages::action_of(call) {
                assert!(spec.permissions.contains(&action), "{} also takes {action}", kind.name);
            }
        }
    }
}

#[test]
fn names_of_products_are_no_code_to_whoever_reads_a_page() {
    let settings = std::fs::read_to_string(repository().join("clippy.toml")).unwrap();
    let names = settings.split("doc-valid-idents = [").nth(1).unwrap().split(']').next().unwrap();
    let names: Vec<&str> =
        names.split('"').filter(|it| it.starts_with(char::is_alphabetic)).collect();
    assert!(names.contains(&"DynamoDB"), "{names:?}");
    for entry in std::fs::read_dir(repository().join("docs/steps")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        for name in &names {
            let shown = page.contains(&format!("`{name}`"));
            assert!(!shown, "{} shows {name} as code", path.display());
        }
    }
}

#[test]
fn outputs_come_from_calls_that_are_made() {
    for kind in KINDS {
        let spec = (kind.spec)();
        for (field, schema) in spec.output["properties"].as_object().into_iter().flatten() {
            let Some(from) = schema["x-from"].as_str() else { continue };
            let (call, path) = from.split_once(' ').expect("a call and a path");
            assert!(spec.calls.contains(&call), "{}: `{field}` comes from {call}", kind.name);
            assert!(!path.is_empty());
        }
    }
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(["--help"]).exited(0).stdout;
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|it| !it.is_empty())
        .collect();
    for expected in
        ["run", "check", "steps", "schema", "new", "runs", "cleanup", "serve", "completions"]
    {
        assert!(commands.contains(&expected), "{help}");
    }
    for command in commands {
        let page = sandbox.run([command, "--help"]).exited(0).stdout;
        assert!(page.contains(&format!("Usage: playbook {command}")), "{page}");
    }
    sandbox.nothing_left();
}

#[test]
fn completions_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(["completions", shell]).exited(0).stdout;
        for word in ["cleanup", "dry-run", "local-pace"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        assert!(!script.contains("__handler"), "{shell} completes what is not for people");
    }
    sandbox.nothing_left();
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let sandbox = Sandbox::new();
    let page = sandbox.run(["manual"]).exited(0).stdout;
    assert!(page.contains(".TH playbook 1") && page.contains("Exit codes"), "{page}");
    sandbox.run(["manual", "--directory", "man1"]).exited(0);
    for name in ["playbook", "playbook-run", "playbook-cleanup", "playbook-manual"] {
        let path = sandbox.work().join("man1").join(format!("{name}.1"));
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page.contains(".SH DESCRIPTION") || page.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(!sandbox.work().join("man1/playbook-__handler.1").exists());
    sandbox.nothing_left();
}

#[test]
fn the_shipped_handlers_need_nothing_but_python() {
    let standard = ["json", "logging", "operator", "os", "re", "base64", "datetime", "urllib"];
    let import = Regex::new(r"(?m)^(?:import|from) (\w+)").unwrap();
    for entry in std::fs::read_dir(repository().join("handlers")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "py") {
            let text = std::fs::read_to_string(&path).unwrap();
            for module in import.captures_iter(&text) {
                assert!(
                    standard.contains(&&module[1]),
                    "{} imports {}",
                    path.display(),
                    &module[1]
                );
            }
        }
    }
}
