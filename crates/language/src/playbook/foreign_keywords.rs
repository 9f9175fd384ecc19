//! Keywords of other tools, and what a playbook calls the same thing.

use crate::document::Node;

const STEP: &[(&[&str], &str)] = &[
    (&["if", "condition", "only_if", "unless"], "write `when: <expression>`"),
    (&["then"], "put the steps in a `block`, and `when: <expression>` beside it"),
    (
        &["else", "elif", "else_if", "otherwise"],
        "write a second step with the opposite condition: `when: not (…)`",
    ),
    (
        &["register", "result_var", "assign"],
        "give the step an `id`; later steps then read `steps.<id>.<field>`",
    ),
    (
        &["uses", "action", "module", "type", "kind", "task", "op", "operation", "step", "do"],
        "the kind itself is the key: `- create-role: {…}`",
    ),
    (
        &[
            "with",
            "args",
            "arguments",
            "params",
            "parameters",
            "input",
            "inputs",
            "options",
            "properties",
        ],
        "put the fields under the kind itself: `create-role: {role_name: …}`",
    ),
    (
        &[
            "loop",
            "with_items",
            "with_list",
            "with_dict",
            "with_sequence",
            "foreach",
            "each",
            "matrix",
            "range",
            "items",
            "while",
        ],
        "write `for_each: <list>`, or `repeat: {until: <expression>, steps: […]}`",
    ),
    (
        &["until"],
        "write `poll: {until: <expression>}` to look again, or `repeat: {until: <expression>, steps: […]}` to do again",
    ),
    (
        &["retries", "delay", "attempts", "max_attempts", "backoff", "retry_on"],
        "write `retry: {on: <error code>, attempts: 5, every: 1s}`",
    ),
    (
        &["wait", "sleep", "pause", "wait_for", "waitfor", "waits"],
        "there are no fixed waits: write `poll: {until: <expression>, every: 1s, timeout: 1m}` on the step that looks",
    ),
    (
        &["run", "script", "shell", "command", "cmd", "exec", "bash", "raw"],
        "a playbook runs no shell; `playbook steps` lists what a step can do",
    ),
    (
        &[
            "ignore_errors",
            "ignore_error",
            "continue_on_error",
            "skip_on_error",
            "allow_failure",
            "on_error_continue",
        ],
        "name the errors that are as good as success: `allow_error: [<error code>]`",
    ),
    (
        &[
            "failed_when",
            "fail_when",
            "check",
            "checks",
            "test",
            "tests",
            "asserts",
            "assertions",
            "verify",
            "validate",
        ],
        "write `assert: <expression over result>`",
    ),
    (
        &["expect", "expected", "expects"],
        "write `assert: <expression over result>` or `expect_error: <error code>`",
    ),
    (
        &["expect_failure", "should_fail", "expect_fail", "expected_error"],
        "write `expect_error: <error code>`",
    ),
    (
        &["changed_when", "notify", "handlers", "check_mode"],
        "leave it out: steps run in order, and each runs once",
    ),
    (
        &["catch", "except", "on_error", "on_failure", "failure", "try"],
        "write `block: […]` and, beside it, `rescue: […]`",
    ),
    (&["finally", "ensure"], "write `block: […]` and, beside it, `always: […]`"),
    (
        &["teardown", "defer", "destroy", "after_all"],
        "what a step makes is removed by itself; write `- cleanup:` to say when",
    ),
    (&["tasks", "steps", "jobs", "stages", "group", "sequence", "serial"], "write `block: […]`"),
    (
        &["env", "environment", "variables", "vars", "set", "set_fact", "let", "locals"],
        "write `vars:` at the top of the playbook; the environment is read as `env.NAME`",
    ),
    (
        &["needs", "depends_on", "after", "before", "dependencies"],
        "leave it out: steps run in the order they are written",
    ),
    (
        &[
            "delegate_to",
            "become",
            "become_user",
            "hosts",
            "connection",
            "remote_user",
            "runs_on",
            "container",
            "image",
        ],
        "leave it out: a step calls AWS from where `playbook` runs",
    ),
    (
        &[
            "include_tasks",
            "import_tasks",
            "include_role",
            "import",
            "import_playbook",
            "call",
            "template",
            "extends",
        ],
        "write `include: {file: …, inputs: {…}}`",
    ),
    (&["timeout_minutes", "timeout_seconds", "timeout_ms", "deadline"], "write `timeout: 30s`"),
    (&["title", "label", "description", "desc", "comment"], "write `name: …`"),
    (
        &["save", "export", "capture", "captures", "extract", "return", "returns", "set_output"],
        "write `outputs: {<name>: <expression over result>}`",
    ),
    (
        &["no_log", "sensitive"],
        "leave it out: inputs of `type: secret` are masked wherever they would appear",
    ),
    (&["skip", "disabled", "enabled"], "write `when: false`, or comment the step out"),
    (&["tags"], "tags belong to the whole playbook: write `tags: […]` at its top"),
];

const TOP: &[(&[&str], &str)] = &[
    (
        &[
            "tasks",
            "jobs",
            "stages",
            "stage",
            "plays",
            "scenario",
            "scenarios",
            "tests",
            "test",
            "actions",
            "pre_tasks",
            "post_tasks",
            "setup",
            "workflow",
            "runs",
            "try",
            "spec",
        ],
        "write `steps: […]`",
    ),
    (
        &["variables", "locals", "set_fact", "let", "env", "environment", "constants", "defaults"],
        "write `vars: {…}`; the environment is read as `env.NAME`",
    ),
    (
        &[
            "parameters",
            "params",
            "args",
            "arguments",
            "vars_prompt",
            "prompts",
            "questions",
            "variable",
        ],
        "write `inputs: {…}`",
    ),
    (
        &[
            "hosts",
            "become",
            "gather_facts",
            "connection",
            "remote_user",
            "runs_on",
            "container",
            "provider",
            "providers",
        ],
        "leave it out: region and profile are given on the command line",
    ),
    (
        &["on", "trigger", "triggers", "schedule", "permissions", "concurrency"],
        "leave it out: a playbook runs when somebody runs it",
    ),
    (
        &["teardown", "finally", "cleanup", "after", "handlers", "defer"],
        "what a step makes is removed by itself; write a step `- cleanup:` to say when",
    ),
    (&["resources", "resource"], "write a step for each: `steps: [{create-role: {…}}]`"),
    (
        &[
            "import",
            "imports",
            "include",
            "includes",
            "roles",
            "extends",
            "import_playbook",
            "modules",
        ],
        "write a step `include: {file: …, inputs: {…}}`",
    ),
    (&["title"], "write `name: …`"),
    (&["desc", "about", "summary"], "write `description: …`"),
    (&["labels", "keywords"], "write `tags: […]`"),
    (&["api_version", "schema_version", "syntax_version"], "write `version: 1`"),
    (&["output", "exports", "returns"], "write `outputs: {<name>: <expression>}`"),
];

/// Words that other tools write for `for_each`.
const LOOPS: &[&str] = &["loop", "with_items", "with_list", "foreach", "forEach", "each"];

/// Whether a step goes over a list, in words of ours or another tool's.
pub(super) fn is_loop(step: &Node) -> bool {
    step.get("for_each").is_some() || LOOPS.iter().any(|word| step.get(word).is_some())
}

/// What to write in a step instead of another tool's word.
pub(super) fn in_step(word: &str) -> Option<&'static str> {
    look_up(STEP, word)
}

/// What to write at the top of a playbook instead of another tool's word.
pub(super) fn at_top(word: &str) -> Option<&'static str> {
    look_up(TOP, word)
}

fn look_up(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    let word = snake_case(word);
    table.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, advice)| *advice)
}

/// `continueOnError` and `continue-on-error` are `continue_on_error`.
pub(super) fn snake_case(word: &str) -> String {
    let mut snake = String::with_capacity(word.len() + 4);
    let mut after_lower = false;
    for character in word.chars() {
        if character.is_ascii_uppercase() {
            if after_lower {
                snake.push('_');
            }
            snake.push(character.to_ascii_lowercase());
            after_lower = false;
        } else {
            snake.push(if character == '-' { '_' } else { character });
            after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        }
    }
    snake
}

/// The parts of `name in list`, as loops begin in other languages.
pub(super) fn after_in(text: &str) -> Option<(&str, &str)> {
    let (name, list) = text.trim().split_once(" in ")?;
    let is_name = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    is_name.then(|| (name, list.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(snake_case("continue-on-error"), "continue_on_error");
        assert_eq!(snake_case("forEach"), "for_each");
        assert_eq!(snake_case("CreateRole"), "create_role");
        assert_eq!(in_step("continue-on-error"), in_step("continueOnError"));
        assert!(
            in_step("continue_on_error").is_some_and(|advice| advice.contains("`allow_error: "))
        );
        assert_eq!(in_step("when"), None);
        assert_eq!(at_top("steps"), None);
    }

    #[test]
    fn no_word_of_the_language_is_foreign() {
        let step_keys = [
            "id", "name", "when", "for_each", "retry", "poll", "timeout", "assert", "outputs",
            "keep",
        ];
        assert!(step_keys.iter().all(|word| in_step(word).is_none()));
        let top = ["version", "name", "description", "tags", "inputs", "vars", "steps", "outputs"];
        assert!(top.iter().all(|word| at_top(word).is_none()));
    }

    #[test]
    fn a_word_has_one_meaning() {
        for table in [STEP, TOP] {
            let mut words: Vec<_> = table.iter().flat_map(|(words, _)| words.iter()).collect();
            let all = words.len();
            words.sort();
            words.dedup();
            assert_eq!(words.len(), all);
        }
    }
}
