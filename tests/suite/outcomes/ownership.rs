//! Whose it is: what ids, tags, tokens or content prove, and what remains where none of them does. Replies that come twice,
//! from somebody else, or from nobody at AWS.

use engine::event::UndoStatus;
use serde_json::{Value, json};

use super::scripted::{RUN, Reply, Run};
use super::{
    ends, log_group, no_log_group, none, own_pool, remains, role, table, tagged, unexpected,
};

type Script = Box<dyn Fn(&str, usize) -> Reply + Send + Sync>;

fn stack(tags: Value) -> String {
    let tag = tags.as_str().map_or(String::new(), |run| {
        format!("<member><Key>playbook:run</Key><Value>{run}</Value></member>")
    });
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>arn:stack/s/1</StackId><StackName>s</StackName>\
         <CreationTime>2026-11-23T10:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Tags>{tag}</Tags>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )
}

/// Each kind of which nobody knows whether it was made, and which shows no tag: name, kind, input, and the replies.
#[expect(clippy::too_many_lines, reason = "a kind a paragraph")]
fn untagged() -> Vec<(&'static str, &'static str, Value, Script)> {
    let trust = "lambda.amazonaws.com";
    vec![
        (
            "demo",
            "create-role",
            json!({"role_name": "demo", "trust_service": trust}),
            Box::new(|operation, _| match operation {
                "CreateRole" => Reply::Lost,
                "GetRole" => role(""),
                _ => unexpected(operation),
            }),
        ),
        (
            "demo",
            "create-bucket",
            json!({"bucket": "demo"}),
            Box::new(|operation, nth| match (operation, nth) {
                ("HEAD /demo", 1) => Reply::RefusedXml(404, "NotFound"),
                ("PUT /demo", _) => Reply::Lost,
                ("GET /demo?tagging", _) => Reply::RefusedXml(404, "NoSuchTagSet"),
                _ => unexpected(operation),
            }),
        ),
        (
            "/aws/lambda/adder",
            "create-log-group",
            json!({"log_group_name": "/aws/lambda/adder"}),
            Box::new(|operation, _| match operation {
                "CreateLogGroup" => Reply::Lost,
                "DescribeLogGroups" => log_group(1),
                "ListTagsForResource" => none(),
                _ => unexpected(operation),
            }),
        ),
        (
            "people",
            "create-table",
            json!({"table_name": "people", "key": {"id": "string"}}),
            Box::new(|operation, _| match operation {
                "CreateTable" => Reply::Lost,
                "DescribeTable" => table("1"),
                "ListTagsOfResource" => Reply::Json(json!({"Tags": []})),
                _ => unexpected(operation),
            }),
        ),
        (
            "p",
            "create-user-pool",
            json!({"pool_name": "p"}),
            Box::new(|operation, _| match operation {
                "CreateUserPool" => Reply::Lost,
                "ListUserPools" => Reply::Json(json!({"UserPools": [{"Id": "x_1", "Name": "p"}]})),
                "DescribeUserPool" => Reply::Json(json!({"UserPool": {"Id": "x_1", "Name": "p"}})),
                _ => unexpected(operation),
            }),
        ),
        (
            "ann of eu-central-1_a",
            "admin-create-user",
            json!({"user_pool_id": "eu-central-1_a", "username": "ann"}),
            Box::new(|operation, nth| match (operation, nth) {
                ("AdminGetUser", 1) => Reply::Refused(400, "UserNotFoundException"),
                ("AdminGetUser", _) => super::ann(),
                ("AdminCreateUser", _) => Reply::Lost,
                ("DescribeUserPool", _) => Reply::Json(json!({"UserPool": {"Id": "x"}})),
                _ => unexpected(operation),
            }),
        ),
        (
            "readers of eu-central-1_a",
            "create-group",
            json!({"user_pool_id": "eu-central-1_a", "group_name": "readers"}),
            Box::new(|operation, _| match operation {
                "CreateGroup" => Reply::Lost,
                "GetGroup" => Reply::Json(json!({"Group": {"GroupName": "readers"}})),
                "DescribeUserPool" => Reply::Json(json!({"UserPool": {"Id": "x"}})),
                _ => unexpected(operation),
            }),
        ),
        (
            "ann in readers of eu-central-1_a",
            "add-to-group",
            json!({"user_pool_id": "eu-central-1_a", "group_name": "readers", "username": "ann"}),
            Box::new(|operation, nth| match (operation, nth) {
                ("AdminGetUser", _) => super::ann(),
                ("AdminListGroupsForUser", 1) => Reply::Json(json!({"Groups": []})),
                ("AdminListGroupsForUser", _) => {
                    Reply::Json(json!({"Groups": [{"GroupName": "readers"}]}))
                }
                ("AdminAddUserToGroup", _) => Reply::Lost,
                ("DescribeUserPool", _) => Reply::Json(json!({"UserPool": {"Id": "x"}})),
                _ => unexpected(operation),
            }),
        ),
        (
            "nickname of ann of eu-central-1_a",
            "update-attributes",
            json!({
                "user_pool_id": "eu-central-1_a", "username": "ann", "attributes": {"nickname": "b"},
            }),
            Box::new(|operation, nth| match (operation, nth) {
                ("AdminGetUser", 1) => super::ann(),
                ("AdminGetUser", _) => Reply::Json(json!({
                    "Username": "ann",
                    "UserAttributes": [
                        {"Name": "sub", "Value": "1"}, {"Name": "nickname", "Value": "b"},
                    ],
                })),
                ("AdminUpdateUserAttributes", _) => Reply::Lost,
                ("DescribeUserPool", _) => Reply::Json(json!({"UserPool": {"Id": "x"}})),
                _ => unexpected(operation),
            }),
        ),
    ]
}

#[tokio::test]
async fn what_nothing_proves_remains_whatever_it_is() {
    for (name, kind, input, script) in untagged() {
        let run = Run::new(script);
        run.step(kind, input).await.expect_err("no reply");
        assert_eq!(run.pending(), [name], "{kind}");
        run.calls();
        remains(&run, name).await;
        let touched = |call: &&String| call.to_lowercase().contains("delete");
        assert_eq!(run.calls().iter().find(touched), None, "{kind}");
    }
}

#[tokio::test]
async fn a_stack_without_tags_remains() {
    let directory_template = r#"{"Resources": {"G": {"Type": "AWS::Logs::LogGroup"}}}"#;
    let run = Run::new(|operation, _| match operation {
        "CreateStack" => Reply::Lost,
        "DescribeStacks" => Reply::XmlText(stack(Value::Null)),
        _ => unexpected(operation),
    });
    std::fs::write(run.directory().join("t.json"), directory_template).unwrap();
    let input = json!({"stack_name": "s", "template": "t.json"});
    run.step("deploy-stack", input).await.expect_err("no reply");
    remains(&run, "s").await;
}

fn attached() -> Reply {
    Reply::Xml(
        "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><IsTruncated>false</IsTruncated><AttachedPolicies>\
         <member><PolicyArn>arn:aws:iam::aws:policy/P</PolicyArn><PolicyName>P</PolicyName></member></AttachedPolicies>\
         </ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>",
    )
}

const NOTHING_ATTACHED: &str = "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><IsTruncated>false</IsTruncated><AttachedPolicies/>\
     </ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>";

#[tokio::test]
async fn a_policy_on_somebody_elses_role_is_detached_by_whoever_is_known_to_have_attached_it() {
    let input = json!({"role_name": "demo", "policy_arn": "arn:aws:iam::aws:policy/P"});
    let own = "<member><Key>playbook:run</Key><Value>7f3a</Value></member>";
    for (tags, detached) in [("", false), (own, true)] {
        let run = Run::within("us-east-1", move |operation, nth| match (operation, nth) {
            ("ListAttachedRolePolicies", 1) => Reply::Xml(NOTHING_ATTACHED),
            ("ListAttachedRolePolicies", _) => attached(),
            ("AttachRolePolicy", _) => Reply::Lost,
            ("GetRole", _) => role(tags),
            ("DetachRolePolicy", _) => Reply::Xml("<DetachRolePolicyResponse/>"),
            _ => unexpected(operation),
        });
        run.step("attach-role-policy", input.clone()).await.expect_err("no reply");
        if detached {
            ends(&run, &[("P on demo", UndoStatus::Deleted)]).await;
        } else {
            remains(&run, "P on demo").await;
        }
        assert_eq!(run.calls().contains(&"DetachRolePolicy".to_owned()), detached);
    }
}

/// A request that arrives twice is answered twice: the second answer says that there is something already.
#[tokio::test]
async fn a_request_that_arrives_twice_has_made_what_it_finds() {
    let keys = json!({"Table": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}});
    let item = json!({"Item": {"id": {"S": "a"}, "run": {"S": RUN}}});
    let twice: Vec<(&str, &str, Value, Script)> = vec![
        (
            "/aws/lambda/adder",
            "create-log-group",
            json!({"log_group_name": "/aws/lambda/adder"}),
            Box::new(|operation, nth| match (operation, nth) {
                ("CreateLogGroup", _) => Reply::Refused(400, "ResourceAlreadyExistsException"),
                ("DescribeLogGroups", 1 | 2) => log_group(1),
                ("DescribeLogGroups", _) => no_log_group(),
                ("ListTagsForResource", _) => tagged(),
                ("DeleteLogGroup", _) => none(),
                _ => unexpected(operation),
            }),
        ),
        (
            "people",
            "create-table",
            json!({"table_name": "people", "key": {"id": "string"}}),
            Box::new(|operation, nth| match (operation, nth) {
                ("CreateTable", _) => Reply::Refused(400, "ResourceInUseException"),
                ("DescribeTable", 1..=3) => table("1"),
                ("DescribeTable", _) => Reply::Refused(400, "ResourceNotFoundException"),
                ("ListTagsOfResource", _) => {
                    Reply::Json(json!({"Tags": [{"Key": "playbook:run", "Value": RUN}]}))
                }
                ("DeleteTable", _) => none(),
                _ => unexpected(operation),
            }),
        ),
        (
            "id=a of people",
            "put-item",
            json!({"table_name": "people", "item": {"id": "a", "run": RUN}}),
            Box::new(move |operation, nth| match (operation, nth) {
                ("DescribeTable", _) => Reply::Json(keys.clone()),
                ("GetItem", 1) => none(),
                ("GetItem", _) => Reply::Json(item.clone()),
                ("PutItem", _) => Reply::Refused(400, "ConditionalCheckFailedException"),
                ("DeleteItem", _) => none(),
                _ => unexpected(operation),
            }),
        ),
    ];
    for (name, kind, input, script) in twice {
        let run = Run::new(script);
        run.step(kind, input).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        ends(&run, &[(name, UndoStatus::Deleted)]).await;
    }
}

#[tokio::test]
async fn an_item_that_somebody_else_may_have_written_remains() {
    let item = json!({"Item": {"id": {"S": "a"}}});
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("DescribeTable", _) => Reply::Json(json!({"Table": {
            "TableArn": "arn:aws:dynamodb:eu-central-1:000000000000:table/people",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }})),
        ("ListTagsOfResource", _) => Reply::Json(json!({"Tags": []})),
        ("GetItem", 1) => none(),
        ("GetItem", _) => Reply::Json(item.clone()),
        ("PutItem", _) => Reply::Lost,
        _ => unexpected(operation),
    });
    let input = json!({"table_name": "people", "item": {"id": "a"}});
    run.step("put-item", input).await.expect_err("no reply");
    remains(&run, "id=a of people").await;
}

#[tokio::test]
async fn a_page_of_a_proxy_is_neither_success_nor_refusal() {
    for status in [200, 403, 404, 409] {
        let run = Run::new(move |operation, _| match operation {
            "CreateLogGroup" => Reply::Page(status),
            "DescribeLogGroups" => no_log_group(),
            _ => unexpected(operation),
        });
        let input = json!({"log_group_name": "/aws/lambda/adder"});
        run.step("create-log-group", input).await.expect_err("no answer of AWS");
        assert_eq!(run.pending(), ["/aws/lambda/adder"], "{status}");
        ends(&run, &[("/aws/lambda/adder", UndoStatus::AlreadyGone)]).await;
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_deletes_nothing() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup", _) => none(),
        ("DescribeLogGroups", 1 | 2) => log_group(1),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", _) => tagged(),
        ("DeleteLogGroup", 1) => Reply::Page(200),
        ("DeleteLogGroup", _) => none(),
        ("GET /2015-03-31/functions/adder", _) => Reply::Refused(404, "ResourceNotFoundException"),
        _ => unexpected(operation),
    });
    run.step("create-log-group", json!({"log_group_name": "/aws/lambda/adder"}))
        .await
        .expect("made");
    ends(&run, &[("/aws/lambda/adder", UndoStatus::Deleted)]).await;
    assert!(run.calls().iter().filter(|call| *call == "DeleteLogGroup").count() > 1);
}

/// Throttled after the effect, then refused: neither of the two answers is the last word.
#[tokio::test]
async fn a_throttled_request_may_have_had_its_effect() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup", 1) => Reply::Refused(400, "ThrottlingException"),
        ("CreateLogGroup", _) => Reply::Refused(400, "AccessDeniedException"),
        ("DescribeLogGroups", 1) => log_group(1),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", _) => tagged(),
        ("DeleteLogGroup", _) => none(),
        _ => unexpected(operation),
    });
    let input = json!({"log_group_name": "/aws/lambda/adder"});
    run.step("create-log-group", input).await.expect_err("refused");
    ends(&run, &[("/aws/lambda/adder", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn a_pool_that_was_made_twice_goes_twice() {
    let deleted = std::sync::Mutex::new(0);
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateUserPool", _) => Reply::Json(json!({"UserPool": {"Id": "x_1", "Name": "p"}})),
        ("ListUserPools", _) => {
            let pools = ["x_1", "x_2"].map(|id| json!({"Id": id, "Name": "p"}));
            Reply::Json(json!({"UserPools": pools}))
        }
        ("DescribeUserPool", 1 | 2) => {
            let tags = json!({"playbook:run": RUN, "playbook:token": format!("{RUN}/it/0")});
            let id = format!("x_{nth}");
            Reply::Json(json!({"UserPool": {"Id": id, "Name": "p", "UserPoolTags": tags}}))
        }
        ("DescribeUserPool", _) => Reply::Refused(400, "ResourceNotFoundException"),
        ("DeleteUserPool", _) => {
            *deleted.lock().unwrap() += 1;
            none()
        }
        _ => unexpected(operation),
    });
    run.step("create-user-pool", json!({"pool_name": "p"})).await.expect("made");
    ends(&run, &[("p", UndoStatus::Deleted)]).await;
    let calls = run.calls();
    assert_eq!(calls.iter().filter(|call| *call == "DeleteUserPool").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn a_user_who_was_migrated_under_another_name_goes_by_that_name() {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let claims = json!({"iss": "https://x/eu-central-1_a", "username": "ann", "sub": "1"});
    let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("AdminGetUser", 3) => super::ann(),
        ("AdminGetUser", _) => Reply::Refused(400, "UserNotFoundException"),
        ("InitiateAuth", _) => Reply::Json(json!({"AuthenticationResult": {"AccessToken": token}})),
        ("AdminDeleteUser", _) => none(),
        _ => unexpected(operation),
    });
    let input = json!({
        "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "Ann@x.test", "password": "p",
    });
    let signed_in = run.step("sign-in", input).await.expect("signed in");
    assert_eq!(signed_in["migrated"], true);
    ends(&run, &[("Ann@x.test of eu-central-1_a", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn a_user_who_may_have_been_migrated_under_another_name_is_mentioned() {
    for (own, end) in [(false, UndoStatus::Failed), (true, UndoStatus::AlreadyGone)] {
        let run = Run::new(move |operation, _| match operation {
            "AdminGetUser" => Reply::Refused(400, "UserNotFoundException"),
            "InitiateAuth" => Reply::Refused(400, "PasswordResetRequiredException"),
            "ListUsers" => Reply::Json(json!({"Users": [{"Username": "ann"}]})),
            "DescribeUserPool" if own => own_pool(),
            "DescribeUserPool" => Reply::Json(json!({"UserPool": {"Id": "eu-central-1_a"}})),
            _ => unexpected(operation),
        });
        let input = json!({
            "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "ann@x.test", "password": "p",
        });
        run.step("sign-in", input).await.expect_err("refused");
        let (ends, remaining) = run.clean().await;
        assert_eq!(ends[0].1, end);
        assert_eq!(remaining.len(), usize::from(!own), "{remaining:?}");
    }
}

/// What the pool lists: nobody with what was typed in an attribute, and somebody who came since.
fn newcomer(nth: usize, nickname: &str) -> Reply {
    let users = json!([{
        "Username": "bob",
        "UserCreateDate": 4_102_444_800_i64,
        "Attributes": [{"Name": "nickname", "Value": nickname}],
    }]);
    Reply::Json(json!({"Users": if nth % 2 == 1 { json!([]) } else { users }}))
}

#[tokio::test]
async fn a_user_whom_a_trigger_calls_otherwise_is_removed_or_named() {
    for (nickname, end) in [("b", UndoStatus::Failed), (RUN, UndoStatus::Deleted)] {
        let run = Run::new(move |operation, nth| match operation {
            "AdminGetUser" => Reply::Refused(400, "UserNotFoundException"),
            "InitiateAuth" => Reply::Refused(400, "PasswordResetRequiredException"),
            "ListUsers" => newcomer(nth, nickname),
            "DescribeUserPool" => Reply::Json(json!({"UserPool": {"Id": "eu-central-1_a"}})),
            "AdminDeleteUser" => none(),
            _ => unexpected(operation),
        });
        let input = json!({
            "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "ann", "password": "p",
        });
        run.step("sign-in", input).await.expect_err("refused");
        let (ends, remaining) = run.clean().await;
        assert_eq!(ends[0].1, end);
        assert_eq!(remaining.len(), usize::from(nickname == "b"), "{remaining:?}");
        let deleted = run.calls().iter().any(|call| call == "AdminDeleteUser");
        assert_eq!(deleted, nickname == RUN);
    }
}

#[tokio::test]
async fn two_items_of_one_key_are_found_wherever_they_stand() {
    let run = Run::new(move |operation, _| match operation {
        "DescribeTable" => Reply::Json(
            json!({"Table": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}),
        ),
        _ => unexpected(operation),
    });
    let mut items: Vec<Value> = (0..30).map(|at| json!({"id": at, "v": at})).collect();
    items.push(json!({"id": 0, "v": 30}));
    let input = json!({"table_name": "people", "items": items});
    let error = run.step("batch-write-items", input).await.expect_err("refused");
    assert_eq!(error.to_string(), "items 0 and 30 have the same key, id=0");
    assert_eq!(run.calls(), ["DescribeTable"]);
    assert_eq!(run.pending(), [""; 0]);
}
