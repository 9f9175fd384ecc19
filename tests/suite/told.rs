//! What is told moves no cursor, hides nothing, and is no command to whoever reads along.

use std::process::Command;

use crate::harness::sandbox::{Outcome, Sandbox, finish};

const NAME: &str = r"a\e[31m\x9b31m\u202Eb\u200Bc";

fn sandbox(steps: &str) -> Sandbox {
    Sandbox::with_file("playbook.yaml", &format!("name: \"{NAME}\"\nsteps:\n{steps}"))
}

fn run(sandbox: &Sandbox, arguments: &[&str], change: fn(&mut Command) -> &mut Command) -> Outcome {
    let mut command = sandbox.playbook(arguments);
    finish(change(&mut command), "")
}

/// Fails where a text has what is not seen as it is.
#[track_caller]
fn tame(text: &str) {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(hostile), "{text:?}");
}

#[test]
fn names_are_escaped_wherever_they_are_told() {
    let sandbox = sandbox("  - print: \"c1 \\x9b31m, turned \\u202E, none \\u200B, del \\x7f\"\n");
    for arguments in [
        &["check", "playbook.yaml"][..],
        &["check", "playbook.yaml", "--output", "json"],
        &["check", "playbook.yaml", "--output", "sarif"],
        &["run", "playbook.yaml", "--local"],
        &["run", "playbook.yaml", "--local", "--output", "json"],
        &["run", "playbook.yaml", "--dry-run"],
        &["run", "playbook.yaml", "--dry-run", "--output", "json"],
        &["run", "playbook.yaml", "--dry-run", "--output", "shell"],
    ] {
        let outcome = run(&sandbox, arguments, |command| command).exited(0);
        tame(&outcome.stdout);
        tame(&outcome.stderr);
    }
    let fine = run(&sandbox, &["check", "playbook.yaml"], |command| command).stdout;
    assert_eq!(fine, "playbook.yaml: a\\u{1b}[31m\\u{9b}31m\\u{202e}b\\u{200b}c is fine\n");
    let lines =
        run(&sandbox, &["run", "playbook.yaml", "--local", "--output", "json"], |command| command);
    assert!(
        lines.stdout.contains(r"c1 \u009b31m, turned \u202e, none \u200b, del \u007f"),
        "{}",
        lines.stdout
    );
}

#[test]
fn diagnostics_escape_names() {
    let sandbox = Sandbox::with_file(
        "x.yaml",
        "name: x\nsteps:\n  - print: \"{{ vars['a\u{200b}b'] }}\"\n  - \"c\\e\\u200Bd\": {}\n",
    );
    for format in ["human", "json", "sarif"] {
        let outcome =
            run(&sandbox, &["check", "x.yaml", "--output", format], |command| command).exited(2);
        tame(&outcome.stdout);
        tame(&outcome.stderr);
    }
}

#[test]
fn no_line_is_a_command_to_githubs_runner() {
    let steps = "  - print: \"::error::one\\n  ::add-mask::two\\nsee ##[error]three, a::b\"\n  - fail: \"::warning::four\"\n    allow_error: Failed\n";
    let sandbox =
        Sandbox::with_file("playbook.yaml", &format!("name: \"::error::name\"\nsteps:\n{steps}"));
    let on_github: fn(&mut Command) -> &mut Command =
        |command| command.env("GITHUB_ACTIONS", "true");
    for arguments in [
        &["check", "playbook.yaml"][..],
        &["run", "playbook.yaml", "--local"],
        &["run", "playbook.yaml", "--local", "--output", "quiet"],
        &["run", "playbook.yaml", "--local", "--output", "json"],
        &["run", "playbook.yaml", "--dry-run"],
        &["run", "playbook.yaml", "--dry-run", "--output", "shell"],
    ] {
        let outcome = run(&sandbox, arguments, on_github).exited(0);
        for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
            let own = ["::group::", "::endgroup::"].iter().any(|own| line.starts_with(own));
            assert!(own || !line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
        }
    }
    let printed = run(&sandbox, &["run", "playbook.yaml", "--local"], on_github).stdout;
    assert_eq!(printed, "\\::error::one\n  \\::add-mask::two\nsee #\\#[error]three, a::b\n");
    let elsewhere = run(&sandbox, &["run", "playbook.yaml", "--local"], |command| {
        command.env_remove("GITHUB_ACTIONS")
    });
    assert_eq!(elsewhere.stdout, "::error::one\n  ::add-mask::two\nsee ##[error]three, a::b\n");
}
