//! Questions at a real terminal, and interruptions from it.

use std::sync::Arc;
use std::time::Duration;

use local_aws::http::{BoxFuture, Request, Response};
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};

use crate::harness::account::Account;
use crate::harness::dialogue::{hang_up, hold, hold_at, signalled, vanish};
use crate::harness::sandbox::{Sandbox, repository};

const CTRL_C: &str = "\u{3}";
const CTRL_U: &str = "\u{15}";
const DOWN: &str = "\u{1b}[B";
const RETURN: &str = "\r";

/// The backspace key, pressed as often.
fn rub_out(times: usize) -> String {
    "\u{7f}".repeat(times)
}

#[test]
fn get_started_functions_asks_loops_and_cleans_up() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.playbook(["run", "playbooks/get-started-functions.yaml", "--local"]);
    command.current_dir(repository());
    let down_return = [DOWN, RETURN].concat();
    let dialogue = hold(
        &command,
        &[
            ("Enter a number to increment", "6"),
            ("6", RETURN),
            ("6 incremented is 7.", ""),
            ("What do you want to calculate?", &down_return),
            ("Enter x", "9\r"),
            ("Enter y", "4\r"),
            ("9 divided-by 4 is 2.25.", ""),
            ("9 divided-by 4 is 2.25", ""),
            ("Do you want to calculate again?", "y\r"),
            ("What do you want to calculate?", RETURN),
            ("Enter x", RETURN),
            ("Enter y", RETURN),
            ("6 times 7 is 42.", ""),
            ("Do you want to calculate again?", "n\r"),
            ("How many functions do you want to list?", "1\r"),
            ("(python3.13)", ""),
            ("Do you want to remove the function, its log group and its role?", "y\r"),
            ("Cleaning up 4 resources", ""),
        ],
    )
    .exited(0);
    assert!(dialogue.shown.contains("4 removed"), "{}", dialogue.shown);
    sandbox.nothing_left();
}

#[test]
fn a_dry_run_does_not_know_what_a_person_would_say() {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.playbook(["run", "playbooks/get-started-functions.yaml", "--dry-run", "--local"]);
    command.current_dir(repository());
    let shown = hold(&command, &[]).exited(0).shown;
    for expected in [
        "asks Do you want to calculate again? «answer»",
        "repeats until not steps.again.answer",
        "number: «steps.number.answer»",
        "calls lambda:ListFunctions with «steps.how_many.answer»",
    ] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    assert!(!shown.contains("the default"), "{shown}");
    command.arg("--no-input");
    let shown = hold(&command, &[]).exited(0).shown;
    let default = "asks Do you want to calculate again? no (the default: nobody would be asked)";
    assert!(shown.contains(default) && shown.contains("number: 41"), "{shown}");
    assert!(!shown.contains("repeats until"), "{shown}");
    let mut command = sandbox.playbook(["run", "playbooks/migrate-user.yaml", "--dry-run"]);
    let shown = hold(command.current_dir(repository()), &[]).exited(0).shown;
    let (_, with_code) = shown.split_once("only if steps.send_code.answer").expect("a condition");
    assert!(with_code.contains("cognito-idp ForgotPassword"), "{shown}");
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: x\ninputs: {colour: {prompt: Which?, default: red}}\nsteps:\n  - when: inputs.colour == 'red'\n    print: x\n",
    );
    let shown = hold(&sandbox.playbook(["run", "playbook.yaml", "--dry-run"]), &[]).exited(0).shown;
    assert!(shown.contains("only if inputs.colour == 'red'"), "{shown}");
}

#[test]
fn declining_the_clean_up_of_an_embedded_account_leaves_nothing_all_the_same() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: declined\nsteps:\n  - create-log-group: {log_group_name: /demo}\n  - cleanup: {confirm: Remove it?}\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let dialogue = hold(&command, &[("Remove it?", "n\r")]).exited(0);
    assert!(!dialogue.shown.contains("Cleaning up"), "{}", dialogue.shown);
    sandbox.nothing_left();
}

const PASSWORD: &str = "name: password\ninputs:\n  password: {type: secret, prompt: Choose a password, min_length: 8, twice: true}\nsteps:\n  \
                        - print: \"it is {{ inputs.password }}\"\n";

#[test]
fn a_secret_is_not_shown_while_typed_nor_afterwards() {
    let sandbox = Sandbox::with_file("playbook.yaml", PASSWORD);
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let lines = [
        ("Choose a password", "short\r"),
        ("must have at least 8 characters", "hunter22-correct\r"),
        ("Once more", "hunter22-correct\r"),
        ("***", ""),
    ];
    let dialogue = hold(&command, &lines).exited(0);
    for secret in ["hunter22", "short", "correct"] {
        assert!(!dialogue.raw.contains(secret), "{}", dialogue.shown);
    }
    sandbox.nothing_left();
}

#[test]
fn a_wrong_answer_is_asked_again_with_the_reason() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: wrong\ninputs:\n  count: {type: integer, prompt: How many?, min: 1, max: 5}\nsteps:\n  - print: \"{{ inputs.count * 2 }} in \
         all\"\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let lines = [
        ("How many?", "many\r"),
        ("must be a whole number", "7\r"),
        ("must be at most 5", &["92", &rub_out(1), CTRL_U, "4\r"].concat()),
        ("8 in all", ""),
    ];
    hold(&command, &lines).exited(0);
    sandbox.nothing_left();
}

#[test]
fn a_refused_secret_is_asked_for_again() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: refused\ninputs:\n  password: {type: secret, prompt: Choose a password}\nsteps:\n  - fail: {code: Refused, message: the pool \
         wants a digit}\n    retry: {on: Refused, ask: password, attempts: 2}\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let lines = [
        ("Choose a password", "first-secret\r"),
        ("the pool wants a digit", ""),
        ("Choose a password", "second-secret\r"),
        ("the pool wants a digit", ""),
    ];
    let dialogue = hold(&command, &lines).exited(1);
    assert!(
        !dialogue.raw.contains("first-secret") && !dialogue.raw.contains("second-secret"),
        "{}",
        dialogue.shown
    );
    sandbox.nothing_left();
}

#[test]
fn ctrl_c_at_a_question_cleans_up_and_leaves_a_terminal_that_works() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: asked\nsteps:\n  - create-log-group: {log_group_name: /demo}\n  - id: name\n    ask: {prompt: What is your name?}\n  - \
         print: never reached\n",
    );
    for typed in ["", "half a na"] {
        let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
        let dialogue = hold(
            &command,
            &[("What is your name?", typed), (typed, CTRL_C), ("Cleaning up 1 resource", "")],
        )
        .exited(130);
        assert!(!dialogue.shown.contains("never reached"), "{}", dialogue.shown);
        sandbox.nothing_left();
    }
}

#[test]
fn ctrl_c_at_the_first_question_calls_nothing() {
    let sandbox = Sandbox::with_file("playbook.yaml", PASSWORD);
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    let dialogue = hold(&command, &[("Choose a password", CTRL_C)]).exited(130);
    assert!(dialogue.shown.contains("Interrupted; nothing was called."), "{}", dialogue.shown);
    sandbox.nothing_left();
}

#[test]
fn ctrl_c_while_nothing_is_asked_cleans_up() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: waits\nsteps:\n  - create-log-group: {log_group_name: /demo}\n  - print: ready\n  - pause: 30s\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    hold(&command, &[("ready", CTRL_C), ("Cleaning up 1 resource", "")]).exited(130);
    sandbox.nothing_left();
}

/// Takes a while over one operation.
struct Slow {
    operation: &'static str,
    takes: Duration,
}

impl Middleware for Slow {
    fn before<'a>(
        &'a self,
        _service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        Box::pin(async move {
            let target = request.header("x-amz-target").unwrap_or_default();
            if target.ends_with(self.operation) {
                tokio::time::sleep(self.takes).await;
            }
            Before::Proceed
        })
    }

    fn after<'a>(
        &'a self,
        _service: &'a dyn Service,
        _request: &'a Request,
        _response: &'a Response,
    ) -> BoxFuture<'a, After> {
        Box::pin(std::future::ready(After::Deliver))
    }
}

fn slow(operation: &'static str, seconds: u64) -> Account {
    Account::disturbed_by(Arc::new(Slow { operation, takes: Duration::from_secs(seconds) }))
}

fn group_and(step: &str) -> Sandbox {
    Sandbox::with_file(
        "playbook.yaml",
        &format!(
            "name: interrupted\nsteps:\n  - create-log-group: {{log_group_name: /demo}}\n  - print: ready\n  - {step}\n  - print: never \
             reached\n"
        ),
    )
}

#[test]
fn ctrl_c_during_a_create_lets_it_end_and_cleans_up() {
    let (account, sandbox) = (slow(".CreateLogGroup", 2), group_and("pause: 60s"));
    let lines = [
        ("create-log-group", CTRL_C),
        ("stopping: create-log-group comes to its end, 1 resource to remove; once more stops", ""),
        ("Cleaning up 1 resource", ""),
    ];
    let dialogue = hold(&account.run_command(&sandbox, &[]), &lines).exited(130);
    assert!(dialogue.shown.contains("1 resource made, 1 removed"), "{}", dialogue.shown);
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn ctrl_c_during_the_clean_up_changes_nothing() {
    let (account, sandbox) = (slow(".DeleteLogGroup", 2), group_and("print: on"));
    let lines = [
        ("Cleaning up 1 resource", CTRL_C),
        ("stopping: the clean-up goes on, 1 resource to remove", ""),
        ("1 resource made, 1 removed", ""),
    ];
    // Every step has passed, and everything is cleaned up, as it would have been without.
    hold(&account.run_command(&sandbox, &[]), &lines).exited(0);
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn ctrl_c_twice_stops_at_once_wherever_it_is() {
    for (step, first) in [
        ("pause: 60s", "ready"),
        ("ask: {prompt: What is your name?}", "What is your name?"),
        ("print: on", "Cleaning up 1 resource"),
    ] {
        let (account, sandbox) = (slow(".DeleteLogGroup", 60), group_and(step));
        // Two that come at the same moment are one.
        let lines = [(first, CTRL_C), ("1s removing", CTRL_C), ("1 resource remains:", "")];
        let dialogue = hold(&account.run_command(&sandbox, &[]), &lines).exited(3);
        let command = format!(
            "To finish the clean-up: PLAYBOOK_STATE_DIR={} playbook cleanup ",
            sandbox.state().display()
        );
        assert!(dialogue.shown.contains(&command), "{step}\n{}", dialogue.shown);
        assert!(dialogue.shown.contains("log-group:/demo"), "{}", dialogue.shown);
    }
}

#[test]
fn a_terminal_that_is_closed_cleans_up() {
    for (step, wanted) in
        [("pause: 60s", "ready"), ("ask: {prompt: What is your name?}", "What is your name?")]
    {
        let (account, sandbox) = (Account::open(), group_and(step));
        let code = hang_up(&account.run_command(&sandbox, &[]), &[(wanted, "")]);
        assert_eq!(code, 129, "{step}");
        assert_eq!(account.resources(), Vec::<String>::new());
        let mut runs = sandbox.playbook(["runs"]);
        let listed = crate::harness::sandbox::finish(account.tell(&mut runs), "").exited(0);
        assert!(listed.stdout.contains("finished"), "{}", listed.stdout);
    }
}

/// A terminal that is gone reads as ready for ever, and sends nobody a signal whom it does not control.
#[test]
fn a_terminal_that_is_closed_without_a_signal_ends_every_kind_of_question() {
    for question in [
        "ask: {prompt: Which?}",
        "ask: {prompt: Which?, type: secret}",
        "ask: {prompt: Which?, type: choice, choices: [one, two]}",
        "confirm: Which?",
    ] {
        for close in [vanish, hang_up] {
            let (account, sandbox) = (Account::open(), group_and(question));
            let code = close(&account.run_command(&sandbox, &[]), &[("Which?", "")]);
            assert_eq!(code, 129, "{question}");
            assert_eq!(account.resources(), Vec::<String>::new(), "{question}");
        }
    }
    for asked in ["", "type: secret, ", "type: choice, choices: [a, b], "] {
        let asks = format!(
            "name: asks\ninputs: {{which: {{{asked}prompt: \"Which?\"}}}}\nsteps:\n  - print: never reached\n"
        );
        for close in [vanish, hang_up] {
            let sandbox = Sandbox::with_file("playbook.yaml", &asks);
            let command = sandbox.playbook(["run", "playbook.yaml", "--local"]);
            assert_eq!(close(&command, &[("Which?", "")]), 129, "{asked}");
        }
    }
}

#[test]
fn a_signal_ends_a_question_and_gives_the_terminal_back() {
    let asks =
        "name: asks\ninputs: {which: {prompt: \"Which?\"}}\nsteps:\n  - print: never reached\n";
    let first = Sandbox::with_file("playbook.yaml", asks);
    let (account, within) = (Account::open(), group_and("ask: {prompt: \"Which?\"}"));
    for (command, end) in [
        (first.playbook(["run", "playbook.yaml", "--local"]), "Interrupted; nothing was called."),
        (account.run_command(&within, &[]), "1 resource made, 1 removed"),
    ] {
        let dialogue =
            signalled(&command, &[("Which?", "half a"), ("half a", ""), (end, "")], 15).exited(143);
        // Nothing is drawn a row too low, as it is where lines end without going back to the first column.
        assert!(!dialogue.raw.replace("\r\n", "").contains('\n'), "{:?}", dialogue.raw);
    }
    assert_eq!(account.resources(), Vec::<String>::new());
}

#[test]
fn with_no_input_nothing_is_asked_even_at_a_terminal() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: unasked\ninputs: {name: {prompt: What is your name?, default: Ada}}\nsteps:\n  - print: \"Hello, {{ inputs.name }}\"\n",
    );
    let command = sandbox.playbook(["run", "playbook.yaml", "--local", "--no-input"]);
    let dialogue = hold(&command, &[("Hello, Ada", "")]).exited(0);
    assert!(!dialogue.shown.contains("What is your name?"), "{}", dialogue.shown);
    sandbox.nothing_left();
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: colours\nsteps: [{print: Hello}, {fail: red}]\n",
    );
    let coloured =
        |command: std::process::Command| hold(&command, &[]).exited(1).raw.contains("\u{1b}[31m");
    assert!(coloured(sandbox.playbook(["run", "playbook.yaml", "--local"])));
    assert!(!coloured(sandbox.playbook(["run", "playbook.yaml", "--local", "--color", "never"])));
    let mut plain = sandbox.playbook(["run", "playbook.yaml", "--local"]);
    plain.env("NO_COLOR", "1");
    assert!(!coloured(plain));
    sandbox.nothing_left();
}

#[test]
fn lines_fit_a_narrow_terminal() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: narrow\nsteps:\n  - name: Create a group whose events are deleted\n    create-log-group: {log_group_name: /demo/with/a/name}\n",
    );
    for columns in [40, 80] {
        let command = sandbox.playbook(["run", "playbook.yaml", "--local", "--color", "never"]);
        let dialogue = hold_at(&command, &[("1 removed", "")], columns).exited(0);
        for line in dialogue.shown.lines().map(|line| line.rsplit('\r').next().unwrap()) {
            let fits = line.chars().count() <= usize::from(columns);
            assert!(fits || !line.contains(' '), "{columns}: {line:?}\n{}", dialogue.shown);
        }
    }
    sandbox.nothing_left();
}

#[test]
fn ctrl_c_leaves_no_live_line_behind() {
    let (account, sandbox) = (Account::open(), group_and("pause: 60s"));
    let lines = [("2s pause", CTRL_C), ("1 resource made, 1 removed", "")];
    let dialogue =
        hold_at(&account.run_command(&sandbox, &["--color", "never"]), &lines, 80).exited(130);
    // The terminal writes `^C` behind the live line: where that filled its row, it would stand in the next one, and what is
    // cleared would not be the live line.
    let live = |part: &&str| part.contains("s pause");
    let before = dialogue.raw.split("^C").next().unwrap();
    let line = before.split("\u{1b}[2K").filter(live).last().unwrap();
    assert!(line.chars().count() + "^C".len() < 80, "{line:?} in {:?}", dialogue.raw);
    assert!(dialogue.raw.contains("^C\r\u{1b}[2K"), "{:?}", dialogue.raw);
}
