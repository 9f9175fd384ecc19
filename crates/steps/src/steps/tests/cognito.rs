//! Kinds for user pools and stacks through the client of a dry run.

use serde_json::{Value, json};

use super::dry_run::DryRun;
use engine::step::{Answer, StepError, Undone};

const POOL: &str = "eu-central-1_a";

#[tokio::test]
async fn a_trigger_is_set_and_taken_away_again() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({
        "user_pool_id": POOL,
        "triggers": {"PreSignUp": "⟨steps.function.arn⟩", "UserMigration": null},
    });
    let output = dry.run("update-triggers", input).await.expect("planned");
    assert_eq!(output["triggers"], json!({"PreSignUp": "⟨steps.function.arn⟩"}));
    assert_eq!(output["previous"], json!({}));
    let update = &dry.bodies()[1];
    assert_eq!(update["UserPoolId"], POOL);
    assert_eq!(update["LambdaConfig"], json!({"PreSignUp": "⟨steps.function.arn⟩"}));
    dry.has_called_as_told("update-triggers");
    let label = format!("AWS::Cognito::UserPoolTriggers PreSignUp, UserMigration of {POOL}");
    assert_eq!(dry.undo().await, [(label, Undone::Restored)]);
    assert_eq!(dry.bodies()[1]["LambdaConfig"], json!({}));
}

#[tokio::test]
async fn no_trigger_at_all_is_a_fault() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({"user_pool_id": POOL, "triggers": {}});
    let error = dry.run("update-triggers", input).await.expect_err("refused");
    assert!(matches!(error, StepError::Input { field, .. } if field == ["triggers"]));
    let input = json!({"user_pool_id": POOL, "triggers": {"PreSignup": "arn"}});
    assert!(dry.run("update-triggers", input).await.is_err());
    assert!(dry.operations().is_empty() && dry.is_journal_empty());
}

#[tokio::test]
async fn a_user_who_signs_up_is_deleted_and_the_password_is_in_no_journal() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let input = json!({
        "user_pool_id": POOL, "client_id": "7client", "client_secret": "Jefe", "username": "ann",
        "password": "correct horse", "attributes": {"email": "ann@example.com", "email_verified": true},
    });
    let output = dry.run("sign-up", input).await.expect("planned");
    assert_eq!(
        (&output["username"], &output["user_sub"]),
        (&json!("ann"), &json!("⟨steps.it.user_sub⟩"))
    );
    let body = &dry.bodies()[1];
    assert!(body["SecretHash"].is_string());
    assert_eq!(body["UserAttributes"][1], json!({"Name": "email_verified", "Value": "true"}));
    dry.has_called_as_told("sign-up");
    assert!(!dry.journal().contains("correct horse"));
    let label = format!("AWS::Cognito::UserPoolUser ann of {POOL}");
    assert_eq!(dry.undo().await, [(label, Undone::Deleted)]);
    assert_eq!(
        dry.operations(),
        ["cognito-idp:AdminGetUser", "cognito-idp:AdminDeleteUser", "cognito-idp:AdminGetUser"]
    );
}

#[tokio::test]
async fn a_user_whom_a_trigger_may_bring_is_looked_for_before_and_after() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let mut input = json!({"client_id": "7client", "username": "ann", "password": "x"});
    dry.run("sign-in", input.clone()).await.expect("planned");
    assert_eq!(dry.operations(), ["cognito-idp:InitiateAuth"]);
    assert!(dry.is_journal_empty());
    input["user_pool_id"] = json!(POOL);
    let output = dry.run("sign-in", input.clone()).await.expect("planned");
    assert_eq!(output["migrated"], true);
    let around =
        ["cognito-idp:AdminGetUser", "cognito-idp:InitiateAuth", "cognito-idp:AdminGetUser"];
    assert_eq!(dry.operations(), around);
    let again = dry.run("sign-in", input).await.expect("planned");
    assert_eq!(again["migrated"], false);
    assert_eq!(dry.undo().await.len(), 1);
}

#[tokio::test]
async fn administrators_sign_in_by_another_door() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let mut input =
        json!({"client_id": "7client", "username": "ann", "password": "x", "flow": "admin"});
    let error = dry.run("sign-in", input.clone()).await.expect_err("refused");
    assert!(matches!(error, StepError::Input { field, .. } if field == ["user_pool_id"]));
    input["user_pool_id"] = json!(POOL);
    dry.run("sign-in", input).await.expect("planned");
    let body = &dry.bodies()[1];
    assert_eq!(body["AuthFlow"], "ADMIN_USER_PASSWORD_AUTH");
    assert_eq!(body["AuthParameters"], json!({"USERNAME": "ann", "PASSWORD": "x"}));
}

#[tokio::test]
async fn deleting_a_user_settles_its_entry() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let user = json!({"user_pool_id": POOL, "username": "ann"});
    let mut made = user.clone();
    made["message_action"] = json!("suppress");
    dry.run("admin-create-user", made).await.expect("planned");
    assert_eq!(dry.bodies()[1]["MessageAction"], "SUPPRESS");
    dry.run("admin-delete-user", json!({"user_pool_id": "other", "username": "ann"}))
        .await
        .expect("planned");
    assert!(!dry.journal().is_empty());
    dry.run("admin-delete-user", user).await.expect("planned");
    assert!(dry.undo().await.is_empty());
}

#[tokio::test]
async fn pools_and_their_clients_go_in_reverse() {
    let dry = DryRun::new(Answer::NotAsked).await;
    let pool = json!({
        "pool_name": "people", "password_policy": {"minimum_length": 6, "require_numbers": true},
        "auto_verified_attributes": ["email"], "deletion_protection": true,
    });
    let output = dry.run("create-user-pool", pool).await.expect("planned");
    assert_eq!(output["user_pool_id"], "⟨steps.it.user_pool_id⟩");
    let body = &dry.bodies()[0];
    assert_eq!(
        body["UserPoolTags"],
        json!({"playbook:run": "7f3a", "playbook:token": "7f3a/it/0"})
    );
    assert_eq!(body["Policies"]["PasswordPolicy"]["MinimumLength"], 6);
    let client = json!({"user_pool_id": output["user_pool_id"], "generate_secret": true,
        "explicit_auth_flows": ["ALLOW_USER_PASSWORD_AUTH"], "client_name": "mine"});
    let output = dry.run("create-user-pool-client", client).await.expect("planned");
    assert_eq!(output["client_secret"], "⟨steps.it.client_secret⟩");
    assert!(!dry.journal().contains("client_secret"));
    let ends: Vec<_> = dry.undo().await.into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, [Undone::Deleted, Undone::Deleted]);
}

#[tokio::test]
async fn a_stack_is_made_from_a_file_of_the_repository() {
    let dry = DryRun::new(Answer::NotAsked).await;
    std::fs::write(dry.directory.path().join("people.yaml"), "Resources: {}\n").expect("a file");
    let input = |template: &str| {
        json!({"stack_name": "people", "template": template, "parameters": {"Name": "x", "Days": 7},
            "capabilities": ["CAPABILITY_IAM"]})
    };
    for wrong in ["absent.yaml", "../people.yaml", "/etc/hostname"] {
        let error = dry.run("deploy-stack", input(wrong)).await.expect_err("refused");
        assert!(
            matches!(&error, StepError::Input { field, .. } if *field == ["template"]),
            "{error}"
        );
    }
    assert!(dry.is_journal_empty());
    let output = dry.run("deploy-stack", input("people.yaml")).await.expect("planned");
    assert_eq!(output["outputs"], json!({}));
    let body = &dry.bodies()[0];
    assert_eq!(body["TemplateBody"], "Resources: {}\n");
    assert_eq!(body["Tags.member.1.Key"], "playbook:run");
    assert_eq!(body["ClientRequestToken"], "playbook-7f3a-it-0");
    dry.has_called_as_told("deploy-stack");
    let end = ("AWS::CloudFormation::Stack people".to_owned(), Undone::Deleted);
    assert_eq!(dry.undo().await, [end]);
    let last = dry.bodies();
    assert_eq!(last[1], json!({"StackName": "⟨steps.it.stack_id⟩"}));
}

#[tokio::test]
async fn kinds_call_what_they_say_they_call() {
    let client = |fields: Value| {
        let mut input = json!({"client_id": "7client", "username": "ann"});
        for (name, value) in fields.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        input
    };
    let user = json!({"user_pool_id": POOL, "username": "ann"});
    let inputs = [
        ("stack-outputs", json!({"stack_name": "people"})),
        ("create-user-pool", json!({"pool_name": "people", "mfa_configuration": "ON"})),
        ("create-user-pool-client", json!({"user_pool_id": POOL})),
        ("confirm-sign-up", client(json!({"confirmation_code": "123456"}))),
        ("sign-in", client(json!({"password": "x"}))),
        ("forgot-password", client(json!({}))),
        ("confirm-forgot-password", client(json!({"confirmation_code": "1", "password": "x"}))),
        ("get-user", json!({"access_token": "e30.e30.c2ln"})),
        ("delete-user", json!({"access_token": "e30.e30.c2ln"})),
        ("admin-create-user", user.clone()),
        (
            "admin-set-user-password",
            json!({"user_pool_id": POOL, "username": "ann", "password": "x"}),
        ),
        ("admin-get-user", user.clone()),
        ("admin-delete-user", user),
        (
            "answer-challenge",
            client(json!({"challenge": "CUSTOM_CHALLENGE", "answers": {"ANSWER": 4}})),
        ),
        ("refresh-tokens", json!({"client_id": "7client", "refresh_token": "x"})),
        ("create-group", json!({"user_pool_id": POOL, "group_name": "readers"})),
        ("add-to-group", json!({"user_pool_id": POOL, "group_name": "readers", "username": "ann"})),
        (
            "update-attributes",
            json!({"user_pool_id": POOL, "username": "ann", "attributes": {"custom:level": 3}}),
        ),
    ];
    for (name, input) in inputs {
        let dry = DryRun::new(Answer::NotAsked).await;
        dry.run(name, input).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        dry.has_called_as_told(name);
    }
}
