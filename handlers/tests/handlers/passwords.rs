//! The triggers' programs as Lambda runs them, with every log switched on.

use serde_json::{Value, json};

use crate::program::{Outcome, run};
use crate::server::Server;
use crate::stage::{USER_MIGRATION, changed, environment};

const PASSWORD: &str = "Tr0ub4dor&3-plain";

#[test]
fn no_log_line_holds_the_password_whatever_happens() {
    let item = json!({"UserEmail": {"S": "a@example.com"}, "UserName": {"S": "test_user_2"}});
    let refusal = json!({"__type": "x#ValidationException", "message": "One or more values"});
    let dynamodb = Server::scripted([
        (200, json!({"Items": [item]})),
        (200, json!({"Items": []})),
        (400, refusal),
        (200, json!({"Items": [{"UserName": {"S": "test_user_2"}}]})),
    ]);
    let documented: Value = serde_json::from_str(USER_MIGRATION).unwrap();
    let mut no_caller = documented.clone();
    no_caller.as_object_mut().unwrap().remove("callerContext");
    // Not looked up, so that the table is asked four times.
    let mut forgotten = changed(USER_MIGRATION, "/triggerSource", "UserMigration_ForgotPassword");
    let mut odd = forgotten.clone();
    odd["request"] = json!([PASSWORD]);
    forgotten["request"]["password"] = json!({"is": PASSWORD});
    let events = vec![
        documented.clone(),
        documented.clone(),
        documented.clone(),
        documented.clone(),
        forgotten,
        odd,
        changed(USER_MIGRATION, "/userName", json!(7)),
        no_caller,
    ];
    let count = events.len();
    let Outcome { answers, output } =
        run(env!("CARGO_BIN_EXE_migrate-user"), environment(&dynamodb), events);

    assert_eq!(answers.len(), count, "{output}");
    let ends: Vec<_> =
        answers.iter().map(|(path, _)| path.rsplit('/').next().unwrap_or_default()).collect();
    let (response, error) = ("response", "error");
    assert_eq!(
        ends,
        [response, response, error, error, response, response, error, error],
        "{output}"
    );
    assert_eq!(answers[0].1["response"]["finalUserStatus"], "RESET_REQUIRED");
    assert_eq!(answers[0].1["request"], documented["request"]);
    assert_eq!(answers[2].1["errorType"], "KnownUsers.Unavailable");

    assert!(output.contains("Received UserMigration_Authentication"), "{output}");
    assert!(output.contains("ValidationException: One or more values"), "{output}");
    assert!(!output.contains(PASSWORD), "{output}");
    assert!(!output.contains('\u{1b}'), "no colours: {output}");
    for (_, answer) in answers.iter().filter(|(path, _)| path.ends_with("/error")) {
        assert!(!answer.to_string().contains(PASSWORD), "{answer}");
    }
}

#[test]
fn every_program_answers_an_event_of_its_own() {
    for (program, event, answer) in [
        (
            env!("CARGO_BIN_EXE_auto-confirm"),
            crate::stage::PRE_SIGN_UP,
            json!({"Item": {"UserEmail": {"S": "e"}, "UserName": {"S": "test_user_1"}}}),
        ),
        (env!("CARGO_BIN_EXE_activity-log"), crate::stage::POST_AUTHENTICATION, json!({})),
    ] {
        let dynamodb = Server::scripted([(200, answer)]);
        let event = serde_json::from_str(event).unwrap();
        let Outcome { answers, output } = run(program, environment(&dynamodb), vec![event]);
        assert_eq!(answers.len(), 1, "{output}");
        assert!(answers[0].0.ends_with("/response"), "{output}");
        assert_eq!(answers[0].1["userPoolId"], "eu-central-1_EXAMPLE");
        assert_eq!(dynamodb.requests().len(), 1);
        assert!(output.starts_with(" INFO Received "), "{output}");
    }
}
