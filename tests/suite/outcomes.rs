//! What the journal makes of replies that are lost, of tags that show up late, and of looks that fail: the outcome of the
//! call that changes something decides, never a look; and what the run is known to have made is never silently over.

mod ownership;
mod scripted;

use engine::event::{Reason, UndoStatus};
use engine::step::StepError;
use serde_json::{Value, json};

use scripted::{RUN, Reply, Run, THROTTLED};

fn none() -> Reply {
    Reply::Json(json!({}))
}

fn failed(code: &str, message: &str) -> Reason {
    Reason::Failed { code: code.to_owned(), message: message.to_owned() }
}

fn unexpected(operation: &str) -> ! {
    panic!("nobody expects {operation}")
}

/// That everything is gone: how each entry ended, and that nothing remains.
async fn ends(run: &Run, expected: &[(&str, UndoStatus)]) {
    let (ends, remaining) = run.clean().await;
    let ends: Vec<_> = ends.iter().map(|(name, status)| (name.as_str(), *status)).collect();
    assert_eq!(ends, expected);
    assert!(remaining.is_empty(), "{remaining:?}");
    assert_eq!(run.pending(), [""; 0]);
}

/// That an entry stays open, is listed and is not touched.
async fn remains(run: &Run, name: &str) {
    let (ends, remaining) = run.clean().await;
    assert_eq!(ends, [(name.to_owned(), UndoStatus::Failed)]);
    assert_eq!(remaining.len(), 1, "{remaining:?}");
    assert_eq!(run.pending(), [name]);
}

fn pool(trigger: &str) -> Reply {
    let config = if trigger.is_empty() { json!({}) } else { json!({"PreSignUp": trigger}) };
    Reply::Json(json!({"UserPool": {"Id": "eu-central-1_a", "Name": "p", "LambdaConfig": config}}))
}

#[tokio::test]
async fn triggers_are_changed_although_the_pool_cannot_be_described_afterwards() {
    const OURS: &str = "arn:aws:lambda:eu-central-1:000000000000:function:ours";
    let run = Run::new(|operation, nth| match (operation, nth) {
        ("DescribeUserPool", 1) => pool(""),
        ("DescribeUserPool", 2..=5) => Reply::Refused(400, "TooManyRequestsException"),
        ("DescribeUserPool", 6) => pool(OURS),
        ("DescribeUserPool", _) => pool(""),
        ("UpdateUserPool", _) => none(),
        _ => unexpected(operation),
    });
    let input = json!({"user_pool_id": "eu-central-1_a", "triggers": {"PreSignUp": OURS}});
    let error = run.step("update-triggers", input).await.expect_err("not described");
    assert_eq!(error.code(), "TooManyRequestsException");
    assert_eq!(run.pending(), ["PreSignUp of eu-central-1_a"]);
    run.calls();
    ends(&run, &[("PreSignUp of eu-central-1_a", UndoStatus::Restored)]).await;
    assert_eq!(run.calls(), ["DescribeUserPool", "UpdateUserPool", "DescribeUserPool"]);
}

fn table(id: &str) -> Reply {
    let arn = "arn:aws:dynamodb:eu-central-1:000000000000:table/people";
    Reply::Json(json!({"Table": {"TableId": id, "TableArn": arn, "TableStatus": "ACTIVE"}}))
}

fn people() -> Value {
    json!({"table_name": "people", "key": {"id": "string"}})
}

#[tokio::test]
async fn a_table_is_known_by_its_id_whatever_its_tags_say() {
    for (id, end) in [("1", UndoStatus::Deleted), ("2", UndoStatus::NotOurs)] {
        let run = Run::new(move |operation, nth| match (operation, nth) {
            ("CreateTable", _) => Reply::Json(json!({"TableDescription": {"TableId": "1"}})),
            ("DescribeTable", 1) => table("1"),
            ("DescribeTable", 2) => table(id),
            ("DescribeTable", _) => Reply::Refused(400, "ResourceNotFoundException"),
            ("ListTagsOfResource", _) => Reply::Json(json!({"Tags": []})),
            ("DeleteTable", _) => none(),
            _ => unexpected(operation),
        });
        run.step("create-table", people()).await.expect("made");
        ends(&run, &[("people", end)]).await;
        assert_eq!(run.calls().contains(&"DeleteTable".to_owned()), end == UndoStatus::Deleted);
    }
}

#[tokio::test]
async fn tags_that_are_not_seen_yet_are_looked_at_again() {
    let ours = json!({"Tags": [{"Key": "playbook:run", "Value": RUN}]});
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateTable", 1) => Reply::Lost,
        ("CreateTable", _) => Reply::Refused(400, "ResourceInUseException"),
        ("DescribeTable", 1..=4) => table("1"),
        ("DescribeTable", _) => Reply::Refused(400, "ResourceNotFoundException"),
        ("ListTagsOfResource", 1 | 2) => Reply::Json(json!({"Tags": []})),
        ("ListTagsOfResource", 3) => Reply::Refused(400, "ResourceNotFoundException"),
        ("ListTagsOfResource", _) => Reply::Json(ours.clone()),
        ("DeleteTable", _) => none(),
        _ => unexpected(operation),
    });
    let error = run.step("create-table", people()).await.expect_err("not seen to be its own");
    assert_eq!(error.code(), "ResourceInUseException");
    ends(&run, &[("people", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn what_nobody_knows_was_made_remains_without_a_tag() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateTable", 1) => Reply::Lost,
        ("CreateTable", _) => Reply::Refused(400, "ResourceInUseException"),
        ("DescribeTable", _) => table("1"),
        ("ListTagsOfResource", _) => Reply::Json(json!({"Tags": []})),
        _ => unexpected(operation),
    });
    run.step("create-table", people()).await.expect_err("not seen to be its own");
    remains(&run, "people").await;
    assert!(!run.calls().contains(&"DeleteTable".to_owned()));
}

const FUNCTION: &str = "GET /2015-03-31/functions/adder";

fn function(more: Value) -> Reply {
    let mut found = json!({"Configuration": {"FunctionName": "adder", "State": "Active"}});
    found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Reply::Json(found)
}

fn log_group(made: u64) -> Reply {
    let name = "/aws/lambda/adder";
    let arn = format!("arn:aws:logs:eu-central-1:000000000000:log-group:{name}");
    let group = json!({"logGroupName": name, "logGroupArn": arn, "creationTime": made});
    Reply::Json(json!({"logGroups": [group]}))
}

fn no_log_group() -> Reply {
    Reply::Json(json!({"logGroups": []}))
}

fn tagged() -> Reply {
    Reply::Json(json!({"tags": {"playbook:run": RUN}}))
}

async fn made_function(run: &Run) {
    create_function(run).await.expect("made");
}

async fn create_function(run: &Run) -> Result<Value, StepError> {
    std::fs::write(run.directory().join("adder.py"), "def add(event, context): return 1\n")
        .unwrap();
    let input = json!({
        "function_name": "adder", "runtime": "python3.13", "handler": "adder.add",
        "role": "arn:aws:iam::000000000000:role/r", "code": "adder.py",
    });
    run.step("create-function", input).await
}

/// A function that was made, and what each look at it finds afterwards.
fn function_then(look: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Run {
    Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup" | "PutRetentionPolicy" | "DeleteLogGroup", _) => none(),
        ("DescribeLogGroups", 1) => log_group(1),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", _) => tagged(),
        ("POST /2015-03-31/functions", _) => none(),
        (FUNCTION, 1) => function(json!({})),
        (FUNCTION, nth) => look(nth - 1),
        ("DELETE /2015-03-31/functions/adder", _) => none(),
        _ => unexpected(operation),
    })
}

#[tokio::test]
async fn a_function_whose_tags_cannot_be_read_remains_with_what_it_needs() {
    let denied =
        json!({"TagsError": {"ErrorCode": "AccessDeniedException", "Message": "no right"}});
    let run = function_then(move |nth| match nth {
        1 => function(denied.clone()),
        2 => function(json!({"Tags": {"playbook:run": RUN}})),
        _ => Reply::Refused(404, "ResourceNotFoundException"),
    });
    made_function(&run).await;
    let (ends, remaining) = run.clean().await;
    let statuses: Vec<_> = ends.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [UndoStatus::Failed, UndoStatus::Skipped]);
    let denied = failed("AccessDeniedException", "AccessDeniedException: no right");
    assert_eq!(remaining[0].reason, denied);
    // With the right to see them, the next clean-up ends it.
    let gone = [("adder", UndoStatus::Deleted), ("/aws/lambda/adder", UndoStatus::Deleted)];
    self::ends(&run, &gone).await;
}

#[tokio::test]
async fn a_function_whose_tags_are_throttled_is_looked_at_again() {
    let throttled =
        json!({"TagsError": {"ErrorCode": "ThrottlingException", "Message": "slow down"}});
    let run = function_then(move |nth| match nth {
        1 => function(throttled.clone()),
        2 => function(json!({})),
        3 => function(json!({"Tags": {"playbook:run": RUN}})),
        _ => Reply::Refused(404, "ResourceNotFoundException"),
    });
    made_function(&run).await;
    let gone = [("adder", UndoStatus::Deleted), ("/aws/lambda/adder", UndoStatus::Deleted)];
    ends(&run, &gone).await;
}

#[tokio::test]
async fn what_the_run_has_made_remains_where_nothing_proves_whose_it_is() {
    let run = function_then(|_| function(json!({"Tags": {"team": "a"}})));
    made_function(&run).await;
    let (_, remaining) = run.clean().await;
    assert_eq!(remaining.len(), 2, "{remaining:?}");
    let unproven = "it does not carry the tag playbook:run=7f3a, and nothing else tells whether it is what this run has made; delete it by hand if it is";
    assert_eq!(remaining[0].reason, failed("Unproven", unproven));
    assert!(
        !run.calls().iter().any(|call| call.starts_with("Delete") || call.starts_with("DELETE"))
    );
}

#[tokio::test]
async fn what_another_run_has_made_is_not_ours() {
    let run = function_then(|_| function(json!({"Tags": {"playbook:run": "other"}})));
    made_function(&run).await;
    let expected = [("adder", UndoStatus::NotOurs), ("/aws/lambda/adder", UndoStatus::Deleted)];
    ends(&run, &expected).await;
}

const TAGS_OF_BUCKET: &str = "GET /demo?tagging";
const OWN_TAG: &str =
    "<Tagging><TagSet><Tag><Key>playbook:run</Key><Value>7f3a</Value></Tag></TagSet></Tagging>";
const FOREIGN_TAG: &str =
    "<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>";

/// A bucket of no tags at first, then of those.
fn bucket(region: &'static str, untagged: usize, tags: &'static str) -> Run {
    Run::within(region, move |operation, nth| match (operation, nth) {
        ("HEAD /demo", _) => Reply::RefusedXml(404, "NotFound"),
        ("PUT /demo", _) => Reply::Xml(""),
        (TAGS_OF_BUCKET, nth) if nth <= untagged => Reply::RefusedXml(404, "NoSuchTagSet"),
        (TAGS_OF_BUCKET, _) => Reply::Xml(tags),
        ("DELETE /demo", _) => Reply::Xml(""),
        _ => unexpected(operation),
    })
}

#[tokio::test]
async fn a_bucket_is_made_once_s3_says_so() {
    let run = bucket("eu-central-1", 2, OWN_TAG);
    run.step("create-bucket", json!({"bucket": "demo"})).await.expect("made");
    assert_eq!(run.calls(), ["HEAD /demo", "PUT /demo"]);
    ends(&run, &[("demo", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn where_s3_says_so_of_any_own_bucket_its_tags_tell() {
    let run = bucket("us-east-1", 3, OWN_TAG);
    run.step("create-bucket", json!({"bucket": "demo"})).await.expect("made");
    ends(&run, &[("demo", UndoStatus::Deleted)]).await;
    let run = bucket("us-east-1", 1, FOREIGN_TAG);
    let error = run.step("create-bucket", json!({"bucket": "demo"})).await.expect_err("foreign");
    assert_eq!(error.code(), "BucketAlreadyExists");
    assert_eq!(run.pending(), [""; 0]);
}

#[tokio::test]
async fn a_bucket_whose_tags_cannot_be_read_is_left_to_the_clean_up() {
    let run = Run::within("us-east-1", move |operation, nth| match (operation, nth) {
        ("HEAD /demo", _) => Reply::RefusedXml(404, "NotFound"),
        ("PUT /demo" | "DELETE /demo", _) => Reply::Xml(""),
        (TAGS_OF_BUCKET, 1) => Reply::RefusedXml(403, "AccessDenied"),
        (TAGS_OF_BUCKET, _) => Reply::Xml(OWN_TAG),
        _ => unexpected(operation),
    });
    run.step("create-bucket", json!({"bucket": "demo"})).await.expect_err("not seen");
    ends(&run, &[("demo", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn a_log_group_whose_tags_cannot_be_read_is_left_to_the_clean_up() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup", 1) => Reply::Lost,
        ("CreateLogGroup", _) => Reply::Refused(400, "ResourceAlreadyExistsException"),
        ("DescribeLogGroups", 1 | 2) => log_group(1),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", 1..=4) => THROTTLED,
        ("ListTagsForResource", _) => tagged(),
        ("DeleteLogGroup", _) => none(),
        _ => unexpected(operation),
    });
    let input = json!({"log_group_name": "/aws/lambda/adder"});
    let error = run.step("create-log-group", input).await.expect_err("not seen to be its own");
    assert_eq!(error.code(), "ResourceAlreadyExistsException");
    ends(&run, &[("/aws/lambda/adder", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn an_item_that_cannot_be_looked_at_is_left_to_the_clean_up() {
    let ours = json!({"Item": {"id": {"S": "a"}, "run": {"S": RUN}}});
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("DescribeTable", _) => Reply::Json(
            json!({"Table": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}),
        ),
        ("GetItem", 1) => none(),
        ("GetItem", 2..=5) => THROTTLED,
        ("GetItem", _) => Reply::Json(ours.clone()),
        ("PutItem", 1) => Reply::Lost,
        ("PutItem", _) => Reply::Refused(400, "ConditionalCheckFailedException"),
        ("DeleteItem", _) => none(),
        _ => unexpected(operation),
    });
    let input = json!({"table_name": "people", "item": {"id": "a", "run": RUN}});
    run.step("put-item", input).await.expect_err("not seen to be its own");
    ends(&run, &[("id=a of people", UndoStatus::Deleted)]).await;
}

/// A log group that is there again after every deletion, and whether its function is.
fn coming_back(function_lives: bool) -> Run {
    Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup" | "DeleteLogGroup", _) => none(),
        ("DescribeLogGroups", 1) => log_group(1),
        ("DescribeLogGroups", 2) => log_group(2),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", 1) => tagged(),
        ("ListTagsForResource", _) => none(),
        (FUNCTION, _) if function_lives => function(json!({})),
        (FUNCTION, _) => Reply::Refused(404, "ResourceNotFoundException"),
        _ => unexpected(operation),
    })
}

#[tokio::test]
async fn a_log_group_that_comes_back_goes_again_unless_its_function_is_there() {
    for (function_lives, deletions) in [(true, 1), (false, 2)] {
        let run = coming_back(function_lives);
        let input = json!({"log_group_name": "/aws/lambda/adder"});
        run.step("create-log-group", input).await.expect("made");
        ends(&run, &[("/aws/lambda/adder", UndoStatus::Deleted)]).await;
        let deleted = run.calls().iter().filter(|call| *call == "DeleteLogGroup").count();
        assert_eq!(deleted, deletions);
    }
}

#[tokio::test]
async fn a_log_group_that_comes_back_while_nobody_looks_goes_in_the_next_clean_up() {
    let mut run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup" | "DeleteLogGroup", _) => none(),
        ("DescribeLogGroups", 1) => log_group(1),
        ("DescribeLogGroups", 2) => Reply::Never,
        ("DescribeLogGroups", 3 | 4) => log_group(2),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", 1) => tagged(),
        ("ListTagsForResource", _) => none(),
        (FUNCTION, _) => Reply::Refused(404, "ResourceNotFoundException"),
        _ => unexpected(operation),
    });
    let input = json!({"log_group_name": "/aws/lambda/adder"});
    run.step("create-log-group", input).await.expect("made");
    let killed = tokio::time::timeout(std::time::Duration::from_millis(500), run.clean()).await;
    assert!(killed.is_err(), "it waits for ever");
    assert_eq!(run.calls().last().map(String::as_str), Some("DescribeLogGroups"));
    run.recover();
    ends(&run, &[("/aws/lambda/adder", UndoStatus::Deleted)]).await;
    assert!(run.calls().contains(&"DeleteLogGroup".to_owned()));
}

fn own_pool() -> Reply {
    Reply::Json(
        json!({"UserPool": {"Id": "eu-central-1_a", "UserPoolTags": {"playbook:run": RUN}}}),
    )
}

fn ann() -> Reply {
    let sub = json!([{"Name": "sub", "Value": "1"}]);
    Reply::Json(json!({"Username": "ann", "UserAttributes": sub}))
}

#[tokio::test]
async fn a_user_who_must_be_there_is_looked_for_again() {
    for refusal in
        [None, Some("PasswordResetRequiredException"), Some("UserLambdaValidationException")]
    {
        let run = Run::new(move |operation, nth| match (operation, nth) {
            ("AdminGetUser", 1..=3) => Reply::Refused(400, "UserNotFoundException"),
            ("AdminGetUser", 4) => ann(),
            ("AdminGetUser", _) => Reply::Refused(400, "UserNotFoundException"),
            ("InitiateAuth", _) => match refusal {
                None => Reply::Json(json!({"AuthenticationResult": {"AccessToken": "t"}})),
                Some(refusal) => Reply::Refused(400, refusal),
            },
            ("AdminDeleteUser" | "DescribeUserPoolClient", _) => none(),
            ("ListUsers", _) => Reply::Json(json!({"Users": []})),
            ("DescribeUserPool", _) => own_pool(),
            _ => unexpected(operation),
        });
        let input = json!({
            "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "ann", "password": "p",
        });
        let signed_in = run.step("sign-in", input).await;
        assert_eq!(signed_in.is_ok(), refusal.is_none());
        ends(&run, &[("ann of eu-central-1_a", UndoStatus::Deleted)]).await;
    }
}

#[tokio::test]
async fn a_user_who_is_said_not_to_be_there_is_not_looked_for() {
    let run = Run::new(move |operation, _| match operation {
        "AdminGetUser" => Reply::Refused(400, "UserNotFoundException"),
        "InitiateAuth" => Reply::Refused(400, "NotAuthorizedException"),
        _ => unexpected(operation),
    });
    let input = json!({
        "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "ann", "password": "p",
    });
    run.step("sign-in", input).await.expect_err("refused");
    assert_eq!(run.pending(), [""; 0]);
}

fn role(tags: &str) -> Reply {
    Reply::XmlText(format!(
        "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>demo</RoleName><RoleId>AROA1</RoleId>\
         <Arn>arn:aws:iam::000000000000:role/demo</Arn><CreateDate>2026-11-23T10:00:00Z</CreateDate>\
         <Tags>{tags}</Tags></Role></GetRoleResult></GetRoleResponse>"
    ))
}

const OWN_MEMBER: &str = "<member><Key>playbook:run</Key><Value>7f3a</Value></member>";

#[tokio::test]
async fn a_role_whose_tags_are_not_seen_yet_is_left_to_the_clean_up() {
    let gone = || Reply::RefusedXml(404, "NoSuchEntity");
    for if_exists in ["fail", "adopt"] {
        let run = Run::within("us-east-1", move |operation, nth| match (operation, nth) {
            ("CreateRole", 1) => Reply::Lost,
            ("CreateRole", _) => Reply::RefusedXml(409, "EntityAlreadyExists"),
            ("GetRole", 1 | 2) => role(""),
            ("GetRole", 3) => role(OWN_MEMBER),
            ("GetRole", _) => gone(),
            (
                "ListAttachedRolePolicies" | "ListRolePolicies" | "ListInstanceProfilesForRole",
                _,
            ) => Reply::XmlText(format!(
                "<{operation}Response><{operation}Result><IsTruncated>false</IsTruncated>\
                     <AttachedPolicies/><PolicyNames/><InstanceProfiles/></{operation}Result></{operation}Response>"
            )),
            ("DeleteRole", _) => Reply::Xml("<DeleteRoleResponse/>"),
            _ => unexpected(operation),
        });
        let input = json!({
            "role_name": "demo", "trust_service": "lambda.amazonaws.com", "if_exists": if_exists,
        });
        assert_eq!(run.step("create-role", input).await.is_ok(), if_exists == "adopt");
        ends(&run, &[("demo", UndoStatus::Deleted)]).await;
    }
}

#[tokio::test]
async fn a_role_is_known_by_its_id_whatever_its_tags_say() {
    let run = Run::within("us-east-1", move |operation, nth| match (operation, nth) {
        ("CreateRole", _) => role(OWN_MEMBER).renamed("GetRole", "CreateRole"),
        ("GetRole", 1) => role(""),
        ("GetRole", _) => Reply::RefusedXml(404, "NoSuchEntity"),
        ("ListAttachedRolePolicies" | "ListRolePolicies" | "ListInstanceProfilesForRole", _) => {
            Reply::XmlText(format!(
                "<{operation}Response><{operation}Result><IsTruncated>false</IsTruncated>\
                 <AttachedPolicies/><PolicyNames/><InstanceProfiles/></{operation}Result></{operation}Response>"
            ))
        }
        ("DeleteRole", _) => Reply::Xml("<DeleteRoleResponse/>"),
        _ => unexpected(operation),
    });
    let input = json!({"role_name": "demo", "trust_service": "lambda.amazonaws.com"});
    run.step("create-role", input).await.expect("made");
    ends(&run, &[("demo", UndoStatus::Deleted)]).await;
}

#[tokio::test]
async fn a_function_whose_reply_is_lost_is_left_to_the_clean_up() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("CreateLogGroup" | "PutRetentionPolicy" | "DeleteLogGroup", _) => none(),
        ("DescribeLogGroups", 1) => log_group(1),
        ("DescribeLogGroups", _) => no_log_group(),
        ("ListTagsForResource", _) => tagged(),
        ("POST /2015-03-31/functions", 1) => Reply::Lost,
        ("POST /2015-03-31/functions", _) => Reply::Refused(409, "ResourceConflictException"),
        (FUNCTION, 1) => function(json!({
            "TagsError": {"ErrorCode": "ThrottlingException", "Message": "slow down"}
        })),
        (FUNCTION, 2) => function(json!({"Tags": {"playbook:run": RUN}})),
        (FUNCTION, _) => Reply::Refused(404, "ResourceNotFoundException"),
        ("DELETE /2015-03-31/functions/adder", _) => none(),
        _ => unexpected(operation),
    });
    let error = create_function(&run).await.expect_err("not seen to be its own");
    assert_eq!(error.code(), "ResourceConflictException");
    let gone = [("adder", UndoStatus::Deleted), ("/aws/lambda/adder", UndoStatus::Deleted)];
    ends(&run, &gone).await;
}

#[tokio::test]
async fn a_user_whose_code_could_not_be_delivered_is_looked_for_again() {
    let run = Run::new(move |operation, nth| match (operation, nth) {
        ("AdminGetUser", 3) => ann(),
        ("AdminGetUser", _) => Reply::Refused(400, "UserNotFoundException"),
        ("SignUp", _) => Reply::Refused(400, "CodeDeliveryFailureException"),
        ("AdminDeleteUser" | "DescribeUserPoolClient", _) => none(),
        ("ListUsers", _) => Reply::Json(json!({"Users": []})),
        ("DescribeUserPool", _) => own_pool(),
        _ => unexpected(operation),
    });
    let input = json!({
        "client_id": "c", "user_pool_id": "eu-central-1_a", "username": "ann", "password": "p",
    });
    let error = run.step("sign-up", input).await.expect_err("no code");
    assert_eq!(error.code(), "CodeDeliveryFailureException");
    ends(&run, &[("ann of eu-central-1_a", UndoStatus::Deleted)]).await;
}
