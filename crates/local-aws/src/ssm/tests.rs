//! Parameters, without HTTP.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::*;

fn context() -> Context {
    Context {
        account_id: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        caller_arn: "arn:aws:iam::123456789012:user/playbook".to_owned(),
    }
}

fn call(state: &mut State, operation: &str, input: Value) -> Result<Value, AwsError> {
    let (_, found) = OPERATIONS.iter().find(|(name, _)| *name == operation).expect(operation);
    found(state, input.to_string().as_bytes(), &context())
}

fn put(state: &mut State, name: &str, value: &str) {
    let input = json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true});
    call(state, "PutParameter", input).expect(name);
}

fn refusal(state: &mut State, operation: &str, input: Value) -> String {
    call(state, operation, input).expect_err(operation).to_string()
}

fn names(output: &Value) -> Vec<&str> {
    let found = output["Parameters"].as_array().into_iter().flatten();
    found.filter_map(|parameter| parameter["Name"].as_str()).collect()
}

#[test]
fn versions_are_counted_and_selected() {
    let mut state = State::default();
    for value in ["one", "two", "three"] {
        put(&mut state, "/app/name", value);
    }
    let get = |state: &mut State, name: &str| {
        let found = call(state, "GetParameter", json!({"Name": name}));
        found.map(|found| found["Parameter"].clone())
    };
    let latest = get(&mut state, "/app/name").expect("found");
    assert_eq!((&latest["Value"], &latest["Version"]), (&json!("three"), &json!(3)));
    assert_eq!(latest["ARN"], "arn:aws:ssm:eu-west-1:123456789012:parameter/app/name");
    assert_eq!(latest["LastModifiedDate"], json!(1_800_000_000.0));
    assert_eq!(latest.get("Selector"), None);
    let second = get(&mut state, "/app/name:2").expect("found");
    assert_eq!((&second["Value"], &second["Selector"]), (&json!("two"), &json!(":2")));
    let by_arn = get(&mut state, "arn:aws:ssm:eu-west-1:123456789012:parameter/app/name:1");
    assert_eq!(by_arn.expect("found")["Value"], "one");
    let missing = get(&mut state, "/app/name:4").expect_err("no version").to_string();
    assert!(
        missing.starts_with("ParameterVersionNotFound: Systems Manager could not find version 4")
    );
    assert_eq!(get(&mut state, "/app/nome").expect_err("none").code, "ParameterNotFound");
    let history = call(&mut state, "GetParameterHistory", json!({"Name": "/app/name"}));
    assert_eq!(history.expect("versions")["Parameters"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_hundred_versions_are_kept() {
    let mut state = State::default();
    for number in 1..=102 {
        put(&mut state, "p", &number.to_string());
    }
    let oldest = refusal(&mut state, "GetParameter", json!({"Name": "p:2"}));
    assert!(oldest.starts_with("ParameterVersionNotFound"), "{oldest}");
    assert!(call(&mut state, "GetParameter", json!({"Name": "p:3"})).is_ok());
}

#[test]
fn what_is_there_is_overwritten_only_on_demand() {
    let mut state = State::default();
    let input =
        json!({"Name": "p", "Value": "v", "Type": "String", "Tags": [{"Key": "k", "Value": "1"}]});
    let created = call(&mut state, "PutParameter", input.clone()).expect("created");
    assert_eq!(created, json!({"Version": 1, "Tier": "Standard"}));
    assert!(
        refusal(&mut state, "PutParameter", input)
            .starts_with("ParameterAlreadyExists: The parameter")
    );
    let over = json!({"Name": "p", "Value": "w", "Overwrite": true, "Tags": [{"Key": "k"}]});
    assert!(
        refusal(&mut state, "PutParameter", over)
            .contains("tags and overwrite can't be used together")
    );
    let tags = json!({"ResourceType": "Parameter", "ResourceId": "p"});
    let listed = call(&mut state, "ListTagsForResource", tags).expect("tags");
    assert_eq!(listed["TagList"], json!([{"Key": "k", "Value": "1"}]));
}

#[test]
fn a_secret_is_shown_to_whoever_asks_for_it() {
    let mut state = State::default();
    let input = json!({"Name": "s", "Value": "hunter2", "Type": "SecureString"});
    call(&mut state, "PutParameter", input).expect("created");
    let hidden = call(&mut state, "GetParameter", json!({"Name": "s"})).expect("found");
    assert!(!hidden.to_string().contains("hunter2"), "{hidden}");
    let shown = call(&mut state, "GetParameter", json!({"Name": "s", "WithDecryption": true}));
    assert_eq!(shown.expect("found")["Parameter"]["Value"], "hunter2");
    assert!(!format!("{state:?}").contains("hunter2"));
    let own_key = json!({"Name": "t", "Value": "v", "Type": "SecureString", "KeyId": "alias/mine"});
    assert!(refusal(&mut state, "PutParameter", own_key).contains("KeyId"));
}

#[test]
fn names_and_values_are_held_to_aws_rules() {
    let mut state = State::default();
    let levels = "/a".repeat(16);
    let long = "x".repeat(4097);
    for (name, value, expected) in [
        ("a/b", "v", "ValidationException: Parameter name must be a fully qualified name."),
        ("/aws/x", "v", "AccessDeniedException: No access to reserved parameter name: /aws/x."),
        ("ssm-x", "v", "ValidationException: Parameter name: can't be prefixed with \"aws\" or"),
        ("/ssm/x", "v", "ValidationException: Parameter name: can't be prefixed with \"ssm\""),
        ("a b", "v", "ValidationException: Parameter name: can't be prefixed with"),
        (
            &levels,
            "v",
            "HierarchyLevelLimitExceededException: A hierarchy can have a maximum of 15",
        ),
        ("p", "", "ValidationException: 1 validation error detected: Value '' at 'value'"),
        ("p", &long, "ValidationException: Standard tier parameters support a maximum"),
        ("p", "{{ssm:q}}", "ValidationException: Parameter value can't nest another parameter."),
    ] {
        let input = json!({"Name": name, "Value": value, "Type": "String"});
        let refused = refusal(&mut state, "PutParameter", input);
        assert!(refused.starts_with(expected), "{refused}");
    }
    let digits = json!({"Name": "p", "Value": "x1", "Type": "String", "AllowedPattern": "^\\d+$"});
    assert_eq!(
        refusal(&mut state, "PutParameter", digits),
        "ParameterPatternMismatchException: Parameter value, cannot be validated against allowedPattern: ^\\d+$"
    );
    let broken = json!({"Name": "p", "Value": "x1", "Type": "String", "AllowedPattern": "("});
    assert!(refusal(&mut state, "PutParameter", broken).starts_with("InvalidAllowedPattern"));
    let untyped = json!({"Name": "p", "Value": "v"});
    assert!(refusal(&mut state, "PutParameter", untyped).contains("A parameter type is required"));
}

#[test]
fn an_advanced_parameter_stays_one() {
    let mut state = State::default();
    let put = |state: &mut State, value: &str, tier: &str| {
        let input =
            json!({"Name": "p", "Value": value, "Type": "String", "Tier": tier, "Overwrite": true});
        call(state, "PutParameter", input)
    };
    let long = "x".repeat(5000);
    let first = put(&mut state, &long, "Intelligent-Tiering").expect("created");
    assert_eq!(first["Tier"], "Advanced");
    let second = put(&mut state, "short", "Intelligent-Tiering").expect("overwritten");
    assert_eq!(second["Tier"], "Advanced");
    let refused = put(&mut state, "short", "Standard").expect_err("a downgrade").to_string();
    assert!(refused.contains("You can't downgrade a parameter"), "{refused}");
}

#[test]
fn paths_are_searched_by_level_and_page() {
    let mut state = State::default();
    for name in ["/a/1", "/a/2", "/a/b/3", "/ab/4", "bare"] {
        put(&mut state, name, "v");
    }
    let mut by_path = |input: Value| call(&mut state, "GetParametersByPath", input);
    let flat = by_path(json!({"Path": "/a"})).expect("found");
    assert_eq!(names(&flat), ["/a/1", "/a/2"]);
    let deep = by_path(json!({"Path": "/a/", "Recursive": true})).expect("found");
    assert_eq!(names(&deep), ["/a/1", "/a/2", "/a/b/3"]);
    let all = by_path(json!({"Path": "/", "Recursive": true})).expect("found");
    assert_eq!(names(&all), ["/a/1", "/a/2", "/a/b/3", "/ab/4"]);
    let first = by_path(json!({"Path": "/a", "MaxResults": 1})).expect("found");
    assert_eq!(names(&first), ["/a/1"]);
    let rest = by_path(json!({"Path": "/a", "MaxResults": 1, "NextToken": first["NextToken"]}));
    let rest = rest.expect("found");
    assert_eq!((names(&rest), rest.get("NextToken")), (vec!["/a/2"], None));
    let wrong = by_path(json!({"Path": "a"})).expect_err("no path").to_string();
    assert!(wrong.contains("must begin with a forward slash"), "{wrong}");
    let wrong = by_path(json!({"Path": "/a", "NextToken": "x"})).expect_err("no token");
    assert_eq!(wrong.code, "InvalidNextToken");
}

#[test]
fn descriptions_are_filtered() {
    let mut state = State::default();
    for name in ["/a/1", "/a/b/2", "c"] {
        put(&mut state, name, "v");
    }
    let tags = json!({"ResourceType": "Parameter", "ResourceId": "c", "Tags": [{"Key": "k", "Value": "1"}]});
    call(&mut state, "AddTagsToResource", tags).expect("tagged");
    let mut found = |filter: Value| {
        let input = json!({"ParameterFilters": [filter]});
        call(&mut state, "DescribeParameters", input)
    };
    let path = json!({"Key": "Path", "Option": "OneLevel", "Values": ["/a"]});
    assert_eq!(names(&found(path).expect("found")), ["/a/1"]);
    let begins = json!({"Key": "Name", "Option": "BeginsWith", "Values": ["a"]});
    assert_eq!(names(&found(begins).expect("found")), ["/a/1", "/a/b/2"]);
    let tag = json!({"Key": "tag:k", "Values": ["1"]});
    assert_eq!(names(&found(tag).expect("found")), ["c"]);
    let key = found(json!({"Key": "Colour", "Values": ["red"]})).expect_err("no key");
    assert_eq!(key.code, "InvalidFilterKey");
    let option = json!({"Key": "Tier", "Option": "Contains", "Values": ["Standard"]});
    assert_eq!(found(option).expect_err("no option").code, "InvalidFilterOption");
}

#[test]
fn what_is_deleted_is_gone() {
    let mut state = State::default();
    put(&mut state, "a", "v");
    put(&mut state, "b", "v");
    let ended = call(&mut state, "DeleteParameters", json!({"Names": ["a", "x"]})).expect("ended");
    assert_eq!(ended, json!({"DeletedParameters": ["a"], "InvalidParameters": ["x"]}));
    assert!(call(&mut state, "DeleteParameter", json!({"Name": "b"})).is_ok());
    assert_eq!(refusal(&mut state, "DeleteParameter", json!({"Name": "b"})), "ParameterNotFound: ");
    let eleven: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let many = refusal(&mut state, "GetParameters", json!({"Names": eleven}));
    assert!(many.contains("Member must have length less than or equal to 10"), "{many}");
    let tags = json!({"ResourceType": "Parameter", "ResourceId": "b"});
    assert!(refusal(&mut state, "ListTagsForResource", tags).starts_with("InvalidResourceId"));
}
