//! The control plane, without HTTP and without processes.

use std::io::{Cursor, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::functions::{CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration};
use super::names::{Place, Target};
use super::permissions::{AddPermission, Caller};
use super::state::{Context, State};
use crate::account::latency::LatencyProfile;
use crate::protocol::AwsError;

const PLACE: Place<'static> = Place { account_id: "123456789012", region: "us-east-1" };
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/p";

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// So many milliseconds after the start, with the latencies of AWS.
fn at(millis: u64) -> Context<'static> {
    Context {
        place: PLACE,
        now: start() + Duration::from_millis(millis),
        latency: LatencyProfile::Real,
    }
}

fn zip(text: &str) -> String {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("m.py", SimpleFileOptions::default()).expect("an entry");
    writer.write_all(text.as_bytes()).expect("its content");
    STANDARD.encode(writer.finish().expect("a zip").into_inner())
}

fn request<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).expect("a body")
}

fn target(text: &str) -> Target {
    Target::parse(text, None, PLACE).expect("a target")
}

fn body(name: &str) -> Value {
    json!({
        "FunctionName": name,
        "Runtime": "python3.13",
        "Handler": "m.handler",
        "Role": ROLE,
        "Code": {"ZipFile": zip("one")},
    })
}

fn create(state: &mut State, body: Value, context: Context<'_>) -> Result<Value, AwsError> {
    state.create_function(request::<CreateFunction>(body), context, &|role| role == ROLE)
}

fn with_function(name: &str) -> State {
    let mut state = State::default();
    create(&mut state, body(name), at(0)).expect("created");
    state
}

fn configuration(state: &State, context: Context<'_>) -> Value {
    state.get_function_configuration(&target("f"), context).expect("there")
}

fn configure(state: &mut State, settings: Value, context: Context<'_>) -> Result<Value, AwsError> {
    let request = request::<UpdateFunctionConfiguration>(settings);
    state.update_function_configuration(&target("f"), request, context, &|role| role == ROLE)
}

fn replace_code(state: &mut State, body: Value, context: Context<'_>) -> Result<Value, AwsError> {
    state.update_function_code(&target("f"), &request::<UpdateFunctionCode>(body), context)
}

#[test]
fn a_function_is_pending_for_three_seconds() {
    let mut state = State::default();
    let created = create(&mut state, body("f"), at(0)).expect("created");
    assert_eq!(created["State"], "Pending");
    assert_eq!(created["LastUpdateStatus"], Value::Null);
    assert_eq!(created["LastModified"], "2023-11-14T22:13:20.000+0000");
    assert_eq!(configuration(&state, at(2_999))["State"], "Pending");
    let refused = state.deployment(&target("f"), at(2_999)).expect_err("pending");
    assert_eq!(refused.status, 409);
    assert!(refused.message.ends_with("in the following state: Pending"), "{}", refused.message);
    let active = configuration(&state, at(3_000));
    assert_eq!(active["State"], "Active");
    assert_eq!(active["LastUpdateStatus"], "Successful");
    assert_eq!(active["StateReason"], Value::Null);
    assert!(state.deployment(&target("f"), at(3_000)).is_ok());
}

#[test]
fn the_pace_scales_the_wait() {
    let mut state = State::default();
    let fast = |millis| Context { latency: LatencyProfile::Fast, ..at(millis) };
    create(&mut state, body("f"), fast(0)).expect("created");
    assert!(state.deployment(&target("f"), fast(29)).is_err());
    assert!(state.deployment(&target("f"), fast(30)).is_ok());
    let at_once = Context { latency: LatencyProfile::None, ..at(0) };
    create(&mut state, body("g"), at_once).expect("created");
    assert!(state.deployment(&target("g"), at_once).is_ok());
}

#[test]
fn the_old_code_serves_until_an_update_is_through() {
    let mut state = with_function("f");
    let before = state.deployment(&target("f"), at(3_000)).expect("active");
    let updated =
        replace_code(&mut state, json!({"ZipFile": zip("two")}), at(4_000)).expect("updated");
    assert_eq!(updated["LastUpdateStatus"], "InProgress");
    let during = state.deployment(&target("f"), at(5_999)).expect("serving");
    assert_eq!((during.generation, &during.code_sha256), (before.generation, &before.code_sha256));
    let after = state.deployment(&target("f"), at(6_000)).expect("serving");
    assert_eq!(after.code_sha256, updated["CodeSha256"]);
    assert!(after.generation > before.generation);
}

#[test]
fn one_update_at_a_time() {
    let mut state = with_function("f");
    let early = configure(&mut state, json!({"Timeout": 5}), at(1_000)).expect_err("pending");
    assert!(early.message.contains("Pending"), "{}", early.message);
    configure(&mut state, json!({"Timeout": 5}), at(3_000)).expect("updated");
    let refused =
        replace_code(&mut state, json!({"ZipFile": zip("two")}), at(4_000)).expect_err("busy");
    assert_eq!(
        refused.message,
        "The operation cannot be performed at this time. An update is in progress for resource: \
         arn:aws:lambda:us-east-1:123456789012:function:f"
    );
    replace_code(&mut state, json!({"ZipFile": zip("two")}), at(5_000)).expect("updated");
}

#[test]
fn what_an_update_omits_stays() {
    let mut state = State::default();
    let mut with_more = body("f");
    with_more["Description"] = json!("d");
    with_more["Environment"] = json!({"Variables": {"TABLE": "t"}});
    create(&mut state, with_more, at(0)).expect("created");
    configure(&mut state, json!({"Timeout": 5}), at(3_000)).expect("updated");
    let now = configuration(&state, at(9_000));
    assert_eq!(now["Timeout"], 5);
    assert_eq!(now["Description"], "d");
    assert_eq!(now["Environment"]["Variables"], json!({"TABLE": "t"}));
    configure(&mut state, json!({"Environment": {}}), at(9_000)).expect("updated");
    assert_eq!(configuration(&state, at(9_000))["Environment"]["Variables"], json!({}));
}

#[test]
fn a_dry_run_of_new_code_changes_nothing() {
    let mut state = with_function("f");
    let before = state.snapshot();
    let request = json!({"ZipFile": zip("two"), "DryRun": true});
    let imagined = replace_code(&mut state, request, at(3_000)).expect("imagined");
    assert_ne!(imagined["CodeSha256"], configuration(&state, at(3_000))["CodeSha256"]);
    assert_eq!(state.snapshot(), before);
}

#[test]
fn a_stale_revision_is_refused() {
    let mut state = with_function("f");
    let outdated = json!({"Timeout": 5, "RevisionId": "another"});
    assert_eq!(configure(&mut state, outdated, at(3_000)).expect_err("stale").status, 412);
    let revision = configuration(&state, at(3_000))["RevisionId"].clone();
    configure(&mut state, json!({"Timeout": 5, "RevisionId": revision}), at(3_000))
        .expect("current");
}

#[test]
fn creation_is_refused_in_awss_words() {
    let mut state = with_function("f");
    let mut refusal = |change: &dyn Fn(&mut Value)| {
        let mut body = body("g");
        change(&mut body);
        create(&mut state, body, at(0)).expect_err("refused").message
    };
    assert_eq!(refusal(&|body| body["FunctionName"] = json!("f")), "Function already exist: f");
    let role = "arn:aws:iam::123456789012:role/other";
    assert_eq!(
        refusal(&|body| body["Role"] = json!(role)),
        "The role defined for the function cannot be assumed by Lambda."
    );
    assert_eq!(
        refusal(&|body| body["Code"] = json!({"ZipFile": STANDARD.encode("no zip")})),
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    );
    assert_eq!(
        refusal(&|body| body["Handler"] = Value::Null),
        "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    );
    assert!(refusal(&|body| body["PackageType"] = json!("Image")).contains("container images"));
    assert!(
        refusal(&|body| body["FunctionName"] = json!("no spaces")).contains("regular expression")
    );
}

#[test]
fn lists_come_in_pages() {
    let mut state = State::default();
    for index in 0..55 {
        create(&mut state, body(&format!("f{index:02}")), at(0)).expect("created");
    }
    let list = |marker: Option<&str>, max_items: &str| {
        state.list_functions(false, marker, Some(max_items), at(0)).expect("a page")
    };
    let first = list(None, "10000");
    assert_eq!(first["Functions"].as_array().map(Vec::len), Some(50));
    assert_eq!(first["Functions"][0]["State"], Value::Null);
    let marker = first["NextMarker"].as_str().expect("there is more");
    let second = list(Some(marker), "50");
    assert_eq!(second["Functions"].as_array().map(Vec::len), Some(5));
    assert_eq!(second["Functions"][0]["FunctionName"], "f50");
    assert_eq!(second["NextMarker"], Value::Null);
    assert!(state.list_functions(false, Some("x"), None, at(0)).is_err());
    assert!(state.list_functions(false, None, Some("0"), at(0)).is_err());
}

#[test]
fn versions_are_published_once_for_each_change() {
    let mut state = with_function("f");
    let publish = |state: &mut State, millis| {
        let published = state.publish_version(&target("f"), request(json!({})), at(millis));
        published.expect("published")["Version"].clone()
    };
    assert_eq!(publish(&mut state, 3_000), "1");
    assert_eq!(publish(&mut state, 3_000), "1");
    replace_code(&mut state, json!({"ZipFile": zip("two")}), at(3_000)).expect("updated");
    assert_eq!(publish(&mut state, 6_000), "2");
    let first = state.deployment(&target("f:1"), at(6_000)).expect("version 1");
    let latest = state.deployment(&target("f"), at(6_000)).expect("latest");
    assert_ne!(first.code_sha256, latest.code_sha256);
    state.delete_function(&target("f:2"), at(6_000)).expect("deleted");
    assert!(state.deployment(&target("f:2"), at(6_000)).is_err());
    replace_code(&mut state, json!({"ZipFile": zip("three")}), at(6_000)).expect("updated");
    assert_eq!(publish(&mut state, 9_000), "3", "numbers are not given twice");
}

fn add_permission(state: &mut State, id: &str) -> Result<Value, AwsError> {
    let body = json!({
        "StatementId": id,
        "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": POOL,
    });
    state.add_permission(&target("f"), &request::<AddPermission>(body), at(0))
}

#[test]
fn a_permission_lets_one_pool_in() {
    let mut state = with_function("f");
    let pool = Caller {
        service: "cognito-idp.amazonaws.com",
        source_arn: POOL,
        source_account: "123456789012",
    };
    assert!(!state.allows(&target("f"), pool));
    add_permission(&mut state, "s").expect("added");
    assert!(state.allows(&target("f"), pool));
    assert!(state.allows(&target("f:$LATEST"), pool));
    assert!(
        !state.allows(&target("f"), Caller { source_arn: "arn:aws:cognito-idp:::other", ..pool })
    );
    let twice = add_permission(&mut state, "s").expect_err("twice");
    assert_eq!(twice.code, "ResourceConflictException");
    state.remove_permission(&target("f"), "s", None, at(0)).expect("removed");
    assert!(!state.allows(&target("f"), pool));
    assert_eq!(
        state.get_policy(&target("f")).expect_err("none").message,
        "The resource you requested does not exist."
    );
}

#[test]
fn a_snapshot_forgets_nothing_but_time() {
    let mut state = with_function("f");
    let before = state.snapshot();
    assert_eq!(with_function("f").snapshot(), before, "the same account, made again");
    add_permission(&mut state, "s").expect("added");
    assert_ne!(state.snapshot(), before);
    state.remove_permission(&target("f"), "s", None, at(0)).expect("removed");
    assert_eq!(state.snapshot(), before);
    let arn = target("f").arn(PLACE);
    state.tag(&arn, request(json!({"Tags": {"a": "b"}})), PLACE).expect("tagged");
    assert_ne!(state.snapshot(), before);
    state.untag(&arn, &["a"], PLACE).expect("untagged");
    assert_eq!(state.snapshot(), before);
    assert!(state.delete_function(&target("f"), at(0)).expect("deleted"));
    assert_eq!(state.snapshot(), json!({}));
    let gone = state.delete_function(&target("f"), at(0)).expect_err("gone");
    assert_eq!(
        gone.message,
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:f"
    );
}
