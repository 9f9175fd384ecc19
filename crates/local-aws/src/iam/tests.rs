//! The state machine and its operations, as callers use them.

use std::time::{Duration, SystemTime};

use super::*;
use crate::account::latency::LatencyProfile;
use crate::protocol::AwsError;
use crate::protocol::query::Params;

const ACCOUNT: &str = "123456789012";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

fn context() -> Context {
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    Context { account_id: ACCOUNT.to_owned(), now }
}

fn call(state: &mut State, pairs: &[(&str, &str)]) -> Result<String, AwsError> {
    let params: Params = pairs.iter().copied().collect();
    let (_, result) = operations::call(state, &params, &context())?;
    Ok(result.map(|result| result.to_document()).unwrap_or_default())
}

fn refusal(state: &mut State, pairs: &[(&str, &str)]) -> (u16, String) {
    let error = call(state, pairs).expect_err("a refusal");
    (error.status, error.to_string())
}

fn with_role(name: &str) -> State {
    let mut state = State::default();
    create(&mut state, name).expect("a valid role");
    state
}

fn create(state: &mut State, name: &str) -> Result<String, AwsError> {
    call(
        state,
        &[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", TRUST)],
    )
}

#[test]
fn a_role_comes_back_as_it_was_made() {
    let mut state = State::default();
    let made = call(
        &mut state,
        &[
            ("Action", "CreateRole"),
            ("RoleName", "r"),
            ("Path", "/team/"),
            ("AssumeRolePolicyDocument", TRUST),
            ("Description", "a <role> & more"),
            ("MaxSessionDuration", "7200"),
            ("Tags.member.1.Key", "playbook:run"),
            ("Tags.member.1.Value", "x"),
        ],
    )
    .expect("a valid role");
    let id = &state.role("r").expect("there").id;
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    for part in [
        "<Arn>arn:aws:iam::123456789012:role/team/r</Arn>",
        "<CreateDate>2027-01-15T08:00:00Z</CreateDate>",
        "<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C",
        "<Description>a &lt;role&gt; &amp; more</Description>",
        "<MaxSessionDuration>7200</MaxSessionDuration>",
        "<Tags><member><Key>playbook:run</Key><Value>x</Value></member></Tags>",
    ] {
        assert!(made.contains(part), "{part} in {made}");
    }
    let got = call(&mut state, &[("Action", "GetRole"), ("RoleName", "r")]).expect("there");
    assert!(got.contains("<RoleLastUsed/>"), "{got}");
}

#[test]
fn names_are_unique_whatever_their_case() {
    let mut state = with_role("Reader");
    let error = create(&mut state, "reader").expect_err("there already");
    assert_eq!(error.status, 409);
    assert_eq!(error.to_string(), "EntityAlreadyExists: Role with name reader already exists.");
}

#[test]
fn faulty_roles_are_refused() {
    let mut state = State::default();
    let long = "r".repeat(65);
    for (name, value, message) in [
        ("RoleName", long.as_str(), "Member must have length less than or equal to 64"),
        ("RoleName", "a b", "The specified value for roleName is invalid."),
        ("Path", "team", "The specified value for path is invalid."),
        ("MaxSessionDuration", "60", "Member must have value greater than or equal to 3600"),
        ("Description", "\u{2603}", "satisfy regular expression pattern"),
    ] {
        let mut pairs =
            vec![("Action", "CreateRole"), ("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)];
        pairs.retain(|(key, _)| *key != name);
        pairs.push((name, value));
        let (status, text) = refusal(&mut state, &pairs);
        assert_eq!(status, 400);
        assert!(text.starts_with("ValidationError: ") && text.contains(message), "{text}");
    }
    let missing = refusal(&mut state, &[("Action", "CreateRole"), ("RoleName", "r")]);
    assert_eq!(
        missing.1,
        "ValidationError: 1 validation error detected: Value null at 'assumeRolePolicyDocument' failed to satisfy \
         constraint: Member must not be null"
    );
    assert_eq!(state.snapshot(), State::default().snapshot());
}

#[test]
fn a_role_goes_only_when_nothing_hangs_on_it() {
    let mut state = with_role("r");
    let delete = [("Action", "DeleteRole"), ("RoleName", "r")];
    let policy = [("RoleName", "r"), ("PolicyArn", BASIC)];
    let inline = [("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", POLICY)];
    let with =
        |action, rest: &[(&'static str, &'static str)]| [&[("Action", action)], rest].concat();
    call(&mut state, &with("AttachRolePolicy", &policy)).expect("attached");
    call(&mut state, &with("AttachRolePolicy", &policy)).expect("twice is no error");
    call(&mut state, &with("PutRolePolicy", &inline)).expect("put");
    let expected = "DeleteConflict: Cannot delete entity, must detach all policies first.";
    assert_eq!(refusal(&mut state, &delete), (409, expected.to_owned()));
    call(&mut state, &with("DetachRolePolicy", &policy)).expect("detached");
    let expected = "DeleteConflict: Cannot delete entity, must delete policies first.";
    assert_eq!(refusal(&mut state, &delete), (409, expected.to_owned()));
    call(&mut state, &with("DeleteRolePolicy", &inline)).expect("deleted");
    call(&mut state, &delete).expect("deleted");
    let expected = "NoSuchEntity: The role with name r cannot be found.";
    assert_eq!(refusal(&mut state, &delete), (404, expected.to_owned()));
    assert_eq!(state.snapshot(), State::default().snapshot());
}

#[test]
fn only_policies_that_exist_can_be_attached() {
    let mut state = with_role("r");
    for arn in [
        "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::123456789012:policy/mine",
    ] {
        let attach = [("Action", "AttachRolePolicy"), ("RoleName", "r"), ("PolicyArn", arn)];
        let expected = format!("NoSuchEntity: Policy {arn} does not exist or is not attachable.");
        assert_eq!(refusal(&mut state, &attach), (404, expected));
    }
    let detach = [("Action", "DetachRolePolicy"), ("RoleName", "r"), ("PolicyArn", BASIC)];
    assert_eq!(
        refusal(&mut state, &detach).1,
        format!("NoSuchEntity: Policy {BASIC} was not found.")
    );
}

#[test]
fn a_policy_goes_only_when_it_is_attached_nowhere() {
    let mut state = with_role("r");
    let arn = "arn:aws:iam::123456789012:policy/p";
    let make = [("Action", "CreatePolicy"), ("PolicyName", "p"), ("PolicyDocument", POLICY)];
    call(&mut state, &make).expect("made");
    assert_eq!(refusal(&mut state, &make).0, 409);
    state.attach_role_policy("r", arn).expect("attached");
    let shown = call(&mut state, &[("Action", "GetPolicy"), ("PolicyArn", arn)]).expect("there");
    assert!(shown.contains("<AttachmentCount>1</AttachmentCount>"), "{shown}");
    let delete = [("Action", "DeletePolicy"), ("PolicyArn", arn)];
    let expected = "DeleteConflict: Cannot delete a policy attached to entities.";
    assert_eq!(refusal(&mut state, &delete), (409, expected.to_owned()));
    state.detach_role_policy("r", arn).expect("detached");
    call(&mut state, &delete).expect("deleted");
    assert_eq!(
        refusal(&mut state, &delete),
        (404, format!("NoSuchEntity: Policy {arn} was not found."))
    );
}

#[test]
fn a_new_role_cannot_be_assumed_at_once() {
    let mut state = with_role("r");
    let arn = "arn:aws:iam::123456789012:role/r";
    let lambda = "lambda.amazonaws.com";
    let now = context().now;
    let later = |millis| now + Duration::from_millis(millis);
    let assumable = |state: &State, at, latency| state.assumable(arn, lambda, at, latency);
    assert_eq!(assumable(&state, later(7_999), LatencyProfile::Real), Err(NotAssumable::TooNew));
    assert_eq!(assumable(&state, later(8_000), LatencyProfile::Real), Ok(()));
    assert_eq!(assumable(&state, later(79), LatencyProfile::Fast), Err(NotAssumable::TooNew));
    assert_eq!(assumable(&state, later(80), LatencyProfile::Fast), Ok(()));
    assert_eq!(assumable(&state, now, LatencyProfile::None), Ok(()));
    assert_eq!(
        state.assumable(arn, "events.amazonaws.com", now, LatencyProfile::None),
        Err(NotAssumable::NotTrusted)
    );
    let elsewhere = "arn:aws:iam::210987654321:role/r";
    assert_eq!(
        state.assumable(elsewhere, lambda, now, LatencyProfile::None),
        Err(NotAssumable::NoSuchRole)
    );

    state.update_trust("r", TRUST, &Context { now: later(10_000), ..context() }).expect("updated");
    assert_eq!(assumable(&state, later(17_000), LatencyProfile::Real), Err(NotAssumable::TooNew));
    assert_eq!(assumable(&state, later(18_000), LatencyProfile::Real), Ok(()));
}

#[test]
fn inline_policies_share_one_size_limit() {
    let mut state = with_role("r");
    let large = POLICY.replace("s3:*", &format!("s3:{}", "a".repeat(6000)));
    state.put_role_policy("r", "one", &large).expect("fits");
    state.put_role_policy("r", "one", &large).expect("replaces");
    let error = state.put_role_policy("r", "two", &large).expect_err("too much");
    assert_eq!(error.message, "Maximum policy size of 10240 bytes exceeded for role r");
}

#[test]
fn the_lists_come_in_pages() {
    let mut state = State::default();
    for name in ["c", "A", "b"] {
        create(&mut state, name).expect("made");
    }
    let page = state.roles("/", &PageRequest::first(2));
    let names: Vec<&str> = page.items.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["A", "b"]);
    let marker = page.marker.expect("there is one more");
    let rest = call(&mut state, &[("Action", "ListRoles"), ("Marker", &marker)]).expect("listed");
    assert!(
        rest.contains("<RoleName>c</RoleName>") && rest.contains("<IsTruncated>false<"),
        "{rest}"
    );
    assert!(!rest.contains("<RoleName>b</RoleName>"), "{rest}");
}

#[test]
fn policies_are_listed_by_scope_and_use() {
    let mut state = with_role("r");
    state.attach_role_policy("r", BASIC).expect("attached");
    let list = |pairs: &[(&str, &str)]| {
        let filter = PolicyFilter::of(&pairs.iter().copied().collect()).expect("valid");
        let page = state.list_policies(&filter, &PageRequest::default());
        page.items.into_iter().map(|view| view.policy.arn).collect::<Vec<_>>()
    };
    assert_eq!(list(&[("Scope", "Local")]), [""; 0]);
    assert_eq!(list(&[("OnlyAttached", "true")]), [BASIC]);
    assert!(list(&[("Scope", "AWS")]).len() > 20);
    assert!(
        list(&[("PathPrefix", "/service-role/")])
            .iter()
            .all(|arn| arn.contains(":policy/service-role/"))
    );
    let faulty: Params = [("Scope", "Mine")].into_iter().collect();
    assert_eq!(PolicyFilter::of(&faulty).expect_err("refused").code, "ValidationError");
}

#[test]
fn an_unknown_operation_is_named() {
    let mut state = State::default();
    let (status, text) =
        refusal(&mut state, &[("Action", "CreateUser"), ("Version", "2010-05-08")]);
    assert_eq!(status, 400);
    assert!(
        text.starts_with(
            "InvalidAction: Could not find operation CreateUser for version 2010-05-08"
        ),
        "{text}"
    );
}
