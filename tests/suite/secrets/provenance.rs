//! What is made from a secret is masked by where it came from; what stands beside it is not.

use std::fs;

use serde_json::{Value, json};

use crate::harness::calls;
use crate::harness::sandbox::{Outcome, Sandbox, finish, repository};
use crate::harness::shipped::PASSWORD;

fn run(playbook: &str, arguments: &[&str]) -> (Sandbox, Outcome) {
    let sandbox = Sandbox::with_file("playbook.yaml", playbook);
    let mut command = sandbox.playbook(["run", "playbook.yaml", "--local", "--no-input"]);
    command.args(arguments).env("PLAYBOOK_INPUT_S", "hunter22x").env("PLAYBOOK_INPUT_PIN", "1234");
    let outcome = finish(&mut command, "").exited(0);
    (sandbox, outcome)
}

/// What a playbook prints.
#[track_caller]
fn prints(steps: &str, expected: &[&str]) {
    let inputs = "inputs: {s: {type: secret}, pin: {type: secret}}";
    let (_, outcome) = run(&format!("name: p\n{inputs}\nsteps:\n{steps}"), &[]);
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), expected, "{}", outcome.stderr);
}

#[test]
fn numbers_and_booleans_are_masked() {
    let playbook = r#"
name: p
inputs: {s: {type: secret}, pin: {type: secret}}
steps:
  - id: one
    set: {pin: "{{ inputs.pin | int }}", sure: "{{ inputs.pin == '12' ~ '34' }}", seven: 7, true_too: true}
  - create-log-group: {log_group_name: "/x/{{ run.id }}", retention_in_days: "{{ (inputs.pin | int) + 593 }}"}
outputs: {pin: steps.one.pin, all: steps.one}
"#;
    let (_, outcome) = run(playbook, &["--output", "json"]);
    let events = calls::events_of_lines(&outcome.stdout);
    let set = json!({"pin": "***", "sure": "***", "seven": 7, "true_too": true});
    assert_eq!(calls::of_kind(&events, "step-finished")[0]["outputs"], set);
    let ended = &calls::of_kind(&events, "run-finished")[0]["outputs"];
    assert_eq!(
        (&ended["pin"], &ended["all"]["pin"], &ended["all"]["seven"]),
        (&json!("***"), &json!("***"), &json!(7))
    );
    let mut plan = run(playbook, &["--dry-run", "--output", "json"]).1.stdout;
    plan.push_str(&outcome.stdout);
    assert!(!plan.contains("1827") && !plan.contains("1234"), "{plan}");
    assert!(plan.contains("\"retentionInDays\":\"***\""), "{plan}");
}

#[test]
fn what_is_derived_is_masked_beside_the_secret_itself() {
    prints(
        r#"
  - print: "{{ inputs.s }} / {{ inputs.s | upper }} / {{ inputs.s | reverse }}"
  - print: "{{ inputs.s ~ ' and ' ~ (inputs.s | replace('u', 'v')) }}"
  - print: "{{ inputs.pin | int }} and 5"
"#,
        &["*** / *** / ***", "***", "*** and 5"],
    );
}

#[test]
fn items_inputs_errors_and_outputs_keep_what_is_secret_of_them() {
    prints(
        r#"
  - for_each: ["{{ inputs.pin | int }}", plain, "{{ inputs.s[2:] }}"]
    print: "{{ item }}"
  - id: kept
    set: {map: {pin: "{{ inputs.pin }}", name: ann}}
  - for_each: ["{{ steps.kept.map }}"]
    print: "{{ item.name }} {{ item.pin }}"
  - block:
      - fail: "no {{ inputs.pin }} {{ inputs.s[1:] }}"
    rescue:
      - print: "{{ error.message }} {{ error.message | upper }}"
  - id: failed
    fail: {code: Oops, message: "{{ inputs.s }}"}
    allow_error: Oops
  - print: "{{ steps.failed.error.code }} {{ steps.failed.error.message | reverse }}"
    when: steps.failed.error is not none
"#,
        &["***", "plain", "***", "ann ***", "no *** *** NO *** ***", "Oops ***"],
    );
}

#[test]
fn what_stands_beside_a_secret_is_not_masked() {
    let playbook = r#"
name: p
steps:
  - id: pool
    create-user-pool: {pool_name: "om-{{ run.id }}"}
  - id: clients
    for_each: [web, app]
    create-user-pool-client: {user_pool_id: "{{ steps.pool.user_pool_id }}", client_name: "{{ item }}-client", generate_secret: true}
  - for_each: steps.clients.items
    print: "made {{ item.client_name }} {{ item.client_secret }}"
  - print: "{% for c in steps.clients.items %}{{ c.client_name }}:{{ c.client_secret }} {% endfor %}"
  - create-user-pool-client: {user_pool_id: "{{ steps.pool.user_pool_id }}"}
"#;
    let (_, outcome) = run(playbook, &[]);
    assert_eq!(
        outcome.stdout,
        "made web-client ***\nmade app-client ***\nweb-client:*** app-client:***\n"
    );
}

#[test]
fn a_short_secret_is_masked_where_it_went_and_nowhere_else() {
    prints(
        r#"
  - print: "1234 is {{ inputs.pin }}"
  - print: "1234 items"
"#,
        &["1234 is ***", "1234 items"],
    );
}

#[test]
fn a_journal_takes_no_name_that_was_made_from_a_short_secret() {
    let playbook = r#"
name: p
inputs: {pin: {type: secret}}
steps:
  - id: refused
    create-role: {role_name: "r-{{ inputs.pin }}", trust_service: lambda.amazonaws.com}
    allow_error: JournalUnwritable
  - print: "{{ steps.refused.error.code }}"
    when: steps.refused.error is not none
"#;
    let (_, outcome) = run(playbook, &[]);
    assert_eq!(outcome.stdout, "JournalUnwritable\n", "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("r-1234"), "{}", outcome.stderr);
}

/// Where a mask may stand in what the shipped playbooks tell: under these names, and nowhere else.
const SECRET_NAMES: [&str; 12] = [
    "password",
    "Password",
    "PASSWORD",
    "SECRET_HASH",
    "SecretHash",
    "AccessToken",
    "access_token",
    "id_token",
    "refresh_token",
    "client_secret",
    "ConfirmationCode",
    "answer",
];

fn masks(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains("***") && !SECRET_NAMES.contains(&name) => {
            found.push(format!("{name}: {text}"));
        }
        Value::Array(items) => items.iter().for_each(|item| masks(item, name, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| masks(field, name, found)),
        _ => {}
    }
}

#[test]
fn nothing_but_secrets_is_masked_in_the_shipped_playbooks() {
    let mut ran = 0;
    for directory in ["playbooks", "playbooks/examples", "playbooks/events"] {
        for entry in fs::read_dir(repository().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|it| it != "yaml") {
                continue;
            }
            let sandbox = Sandbox::new();
            let report = sandbox.root().join("report.json");
            // What needs a Rust handler is built nowhere here: its plan tells as much.
            let text = fs::read_to_string(&path).unwrap();
            let has_rust = ["event-function.yaml", "trigger-function.yaml", "{cargo: "]
                .iter()
                .any(|it| text.contains(it));
            let how = if has_rust { "--dry-run" } else { "--local" };
            let mut command = sandbox.playbook(["run", how, "--no-input"]);
            command.arg(&path).arg("--report").arg(format!("json={}", report.display()));
            command.current_dir(repository()).env("PLAYBOOK_INPUT_PASSWORD", PASSWORD);
            let outcome = finish(&mut command, "").exited(0);
            assert!(
                !outcome.stdout.contains("***") || has_rust,
                "{}:\n{}",
                path.display(),
                outcome.stdout
            );
            let mut found = Vec::new();
            for event in calls::events_of_report(&report) {
                masks(&event, "", &mut found);
            }
            // AWS's model says that the value of a parameter is a secret.
            found.retain(|mask| !(mask == "Value: ***" && text.contains("ssm:PutParameter")));
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            ran += 1;
        }
    }
    assert!(ran > 20, "{ran}");
}
