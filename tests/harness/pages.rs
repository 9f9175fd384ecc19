//! What a kind's page says of its calls, held against the calls of a run.

use std::collections::BTreeSet;

use ::steps;
use engine::step::Spec;
use serde_json::Value;

/// The IAM action that a call takes; none where it takes none, because whoever calls proves who they are by other means.
pub fn action_of(call: &str) -> Option<&str> {
    match call {
        "cognito-idp:InitiateAuth"
        | "cognito-idp:RespondToAuthChallenge"
        | "cognito-idp:GetTokensFromRefreshToken"
        | "cognito-idp:SignUp"
        | "cognito-idp:ConfirmSignUp"
        | "cognito-idp:ForgotPassword"
        | "cognito-idp:ConfirmForgotPassword"
        | "cognito-idp:GetUser"
        | "cognito-idp:DeleteUser"
        | "sts:GetCallerIdentity" => None,
        "lambda:Invoke" => Some("lambda:InvokeFunction"),
        "s3:HeadObject" => Some("s3:GetObject"),
        "s3:HeadBucket" | "s3:ListObjectsV2" => Some("s3:ListBucket"),
        // No call of AWS's.
        call if call.starts_with("http:") => None,
        call => Some(call),
    }
}

/// Holds a run against the pages: whatever a step calls and makes stands on the page of its kind, and whatever the clean-up
/// calls on that of a kind that has made something.
#[track_caller]
pub fn hold(events: &[Value]) {
    let mut undo: BTreeSet<&str> = BTreeSet::new();
    let mut cleaning = false;
    for event in events {
        let owner = &event["owner"];
        let kind = owner["kind"].as_str();
        match event["event"].as_str().unwrap_or_default() {
            "run-started" => {
                (cleaning, undo) = (false, BTreeSet::new());
            }
            "cleanup-started" => cleaning = true,
            "undo-started" => {
                let made = owner["type"].as_str().unwrap_or_default();
                let maker = steps::maker_of(made).map(|kind| (kind.spec)());
                undo.extend(maker.into_iter().flat_map(|spec| &spec.undo_permissions));
            }
            "created" => {
                let made = event["resource"]["type"].as_str().unwrap_or_default();
                let spec = kind.and_then(spec);
                let told = |spec: &Spec| spec.makes.iter().any(|leaves| leaves.type_name == made);
                assert!(
                    spec.is_none_or(told),
                    "{kind:?} makes a {made}, which its page does not say"
                );
            }
            // An operation calls itself, and what looks and takes it back stands in AWS's model.
            "called" if owner["type"].as_str().is_some_and(is_operation) => {}
            "called" => {
                let text = |field: &str| event[field].as_str().unwrap_or_default();
                let call = format!("{}:{}", text("service"), text("operation"));
                if let Some(spec) = kind.and_then(spec) {
                    let listed = spec.calls.iter().chain(spec.calls_on_failure);
                    assert!(
                        listed.into_iter().any(|it| *it == call),
                        "{} calls {call}, which its page does not say",
                        spec.name
                    );
                } else if cleaning && let Some(action) = action_of(&call) {
                    assert!(
                        undo.contains(action),
                        "the clean-up calls {call}; the pages say {undo:?}"
                    );
                }
            }
            _ => {}
        }
    }
}

fn spec(kind: &str) -> Option<&'static Spec> {
    steps::kind(kind).filter(|found| found.name == kind).map(|kind| (kind.spec)())
}

fn is_operation(kind: &str) -> bool {
    kind.contains(':') && !kind.contains("::")
}
