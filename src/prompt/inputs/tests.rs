use super::*;
use serde_json::json;

fn questions() -> Vec<Question> {
    let question =
        |name: &str, answer| Question { name: name.to_owned(), answer, ..Question::default() };
    vec![
        Question { min: Some(1.0), ..question("number", QuestionType::Integer) },
        question("user_name", QuestionType::String),
        Question { min_length: Some(8), ..question("password", QuestionType::Secret) },
        question("send", QuestionType::Boolean),
    ]
}

fn wanted(questions: &[Question]) -> Vec<Wanted<'_>> {
    questions
        .iter()
        .map(|question| Wanted { question, asked: false, has_default: question.name == "send" })
        .collect()
}

fn collected(given: &Given) -> Result<BTreeMap<String, Value>, Vec<InputFault>> {
    collect(&wanted(&questions()), given)
}

fn by_flags(flags: &[(&str, &str)]) -> Given {
    let flags =
        flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Given { flags, ..Given::default() }
}

fn by_file(text: &str) -> Given {
    Given { file: Some((PathBuf::from("inputs.yaml"), text.to_owned())), ..Given::default() }
}

fn by_environment(name: &str, value: &str) -> Given {
    Given { environment: BTreeMap::from([(name.to_owned(), value.to_owned())]), ..Given::default() }
}

/// The faults as a person reads them.
fn faults(given: &Given) -> Vec<String> {
    let faults = collected(given).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{fault}; {}", fault.help())).collect()
}

#[test]
fn the_command_line_wins_over_the_file_over_the_environment() {
    let mut given = by_flags(&[("number", "3")]);
    given.file =
        Some((PathBuf::from("inputs.json"), r#"{"number": 2, "user_name": "file"}"#.to_owned()));
    for (name, value) in
        [("NUMBER", "1"), ("USER_NAME", "environment"), ("SEND", "yes"), ("OTHER", "x")]
    {
        given.environment.insert(format!("PLAYBOOK_INPUT_{name}"), value.to_owned());
    }
    let values = collected(&given).map(|values| json!(values));
    assert_eq!(values, Ok(json!({"number": 3, "user_name": "file", "send": true})));
}

#[test]
fn text_from_a_file_keeps_its_type() {
    for text in ["user_name: '41'", "user_name: 41"] {
        assert_eq!(
            collected(&by_file(text)).map(|values| json!(values)),
            Ok(json!({"user_name": "41"})),
            "{text}"
        );
    }
    assert_eq!(
        faults(&by_file("user_name: 41\nnumber: '41'\nsend: {a: [1]}")),
        [
            "the input `number`, given by inputs.yaml, must be a whole number, such as 41; \
             write `number: VALUE` in the file",
            "the input `send`, given by inputs.yaml, must be true or false; write `send: VALUE` in the file",
        ]
    );
    assert_eq!(collected(&by_file("# nothing yet\n")), Ok(BTreeMap::new()));
}

#[test]
fn all_faults_come_at_once_and_without_values() {
    let mut given = by_flags(&[
        ("numbr", "hunter2"),
        ("number", "hunter2"),
        ("number", "hunter2"),
        ("password", "hunter2"),
        ("quite_another", "hunter2"),
    ]);
    given.environment = by_environment("PLAYBOOK_INPUT_SEND", "hunter2").environment;
    let faults = faults(&given);
    assert_eq!(
        faults,
        [
            "there is no input `numbr`, which --input gives; did you mean `number`?",
            "the input `number`, given by --input, must be a whole number, such as 41; write `--input number=VALUE`",
            "the input `number` is given twice; leave one `--input number=VALUE` out",
            "the input `password` is a secret, and secrets are never given on the command line; \
             use PLAYBOOK_INPUT_PASSWORD, `--inputs FILE` or the terminal",
            "there is no input `quite_another`, which --input gives; \
             the inputs are number, user_name, password, send",
            "the input `send`, given by PLAYBOOK_INPUT_SEND, must be yes or no; \
             set PLAYBOOK_INPUT_SEND to another value",
        ]
    );
}

#[test]
fn a_file_that_is_no_map_says_where() {
    assert_eq!(
        faults(&by_file("- a\n- b\n")),
        [
            "inputs.yaml does not hold a map of inputs; write one `name: value` on a line, in YAML, or a JSON object"
        ]
    );
    assert_eq!(
        faults(&by_file("number: 1\npassword: [hunter2\n")),
        ["inputs.yaml:2:11: this bracket is never closed; \
          write one `name: value` on a line, in YAML, or a JSON object"]
    );
    assert_eq!(
        faults(&by_file("number: 1\nnumber: 2\n")),
        ["inputs.yaml:2:1: `number` stands twice in the same map; \
          write one `name: value` on a line, in YAML, or a JSON object"]
    );
}

#[test]
fn a_secret_comes_from_a_file_or_the_environment() {
    let expected = Ok(json!({"password": "hunter22"}));
    assert_eq!(collected(&by_file("password: hunter22")).map(|values| json!(values)), expected);
    let given = by_environment("PLAYBOOK_INPUT_PASSWORD", "hunter22");
    assert_eq!(collected(&given).map(|values| json!(values)), expected);
}

#[test]
fn what_has_no_value_is_asked_for_or_reported() {
    let questions = questions();
    let mut wanted = wanted(&questions);
    let values = BTreeMap::from([("user_name".to_owned(), json!("ada"))]);
    let names = |wanted: &[Wanted<'_>]| -> Vec<String> {
        to_ask(wanted, &values).iter().map(|question| question.name.clone()).collect()
    };
    assert_eq!(names(&wanted), ["number", "password"]);
    for input in &mut wanted {
        input.asked = true;
    }
    assert_eq!(names(&wanted), ["number", "password", "send"]);
    let missing: Vec<_> = missing(&wanted, &values)
        .iter()
        .map(|fault| format!("{fault}; {}", fault.help()))
        .collect();
    assert_eq!(
        missing,
        [
            "the input `number` has no value; write `--input number=VALUE`, set PLAYBOOK_INPUT_NUMBER, \
             write it to a file for `--inputs FILE`, or run at a terminal",
            "the input `password` has no value; set PLAYBOOK_INPUT_PASSWORD, \
             write it to a file for `--inputs FILE`, or run at a terminal",
        ]
    );
}

#[test]
fn arguments_are_assignments() {
    let arguments =
        |texts: &[&str]| flags(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let expected = vec![("a".to_owned(), "b=c".to_owned()), ("d".to_owned(), String::new())];
    assert_eq!(arguments(&["a=b=c", "d="]), Ok(expected));
    let refused = arguments(&["hunter2", "=x", "a=b"]).err().unwrap_or_default();
    assert_eq!(refused, [InputFault::NotAssigned, InputFault::NotAssigned]);
    assert_eq!(InputFault::NotAssigned.to_string(), "an `--input` is not of the form NAME=VALUE");
}
