//! Flows with functions that are played by closures: no listener, no processes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::users::{Fit, Purpose, Status, User};
use super::{Cognito, Output, Service, State};
use crate::account::latency::LatencyProfile;
use crate::account::{Account, AccountOptions};
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::{AwsError, Protocol, rest};
use crate::server::{self, Interface};

pub(super) const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
pub(super) const PASSWORD: &str = "Secret-123";

type Play = dyn Fn(&Cognito, Value) -> Result<Value, String> + Send + Sync;

/// A Lambda with one function that a closure plays; it may call Cognito itself, as handlers do.
struct Stage {
    play: Box<Play>,
    seen: Mutex<Vec<Value>>,
}

impl Stage {
    fn answer(&self, account: &Account, request: &Request) -> Response {
        assert_eq!(request.path, ["2015-03-31", "functions", ARN, "invocations"]);
        let caller = request.on_behalf_of.as_ref().expect("a service");
        assert_eq!(caller.principal, "cognito-idp.amazonaws.com");
        assert_eq!(caller.source_account, "123456789012");
        let event: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert!(caller.source_arn.ends_with(event["userPoolId"].as_str().expect("an id")));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        match (self.play)(&Cognito { account: account.clone() }, event) {
            Ok(answer) => rest::reply(200, &answer),
            Err(message) if message == "denied" => {
                rest::error(&AwsError::new(403, "AccessDeniedException", message))
            }
            Err(message) => rest::reply(200, &json!({"errorMessage": message}))
                .with_header("X-Amz-Function-Error", "Unhandled"),
        }
    }
}

impl server::Service for Stage {
    fn name(&self) -> &'static str {
        "lambda"
    }

    fn interface(&self) -> Interface {
        Interface { protocol: Protocol::RestJson, target: "", version: "", paths: &[] }
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(std::future::ready(self.answer(account, request)))
    }
}

pub(super) struct Theatre {
    pub(super) service: Cognito,
    stage: &'static Stage,
    pub(super) pool: String,
    pub(super) client: String,
}

impl Theatre {
    pub(super) async fn open(
        lambda_config: Value,
        play: impl Fn(&Cognito, Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        // Services live as long as the program.
        let stage: &'static Stage =
            Box::leak(Box::new(Stage { play: Box::new(play), seen: Mutex::default() }));
        let options = AccountOptions {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            latency: LatencyProfile::None,
            ..AccountOptions::default()
        };
        let service = Cognito { account: Account::open(options, vec![&Service, stage]) };
        let mut theatre = Self { service, stage, pool: String::new(), client: String::new() };
        let input = json!({
            "PoolName": "p",
            "LambdaConfig": lambda_config,
            "AutoVerifiedAttributes": ["email"],
        });
        let pool = theatre.call("CreateUserPool", input).await.expect("a pool");
        theatre.pool = text(&pool["UserPool"]["Id"]);
        let input = json!({
            "UserPoolId": theatre.pool,
            "ClientName": "c",
            "ExplicitAuthFlows": [
                "ALLOW_CUSTOM_AUTH",
                "ALLOW_REFRESH_TOKEN_AUTH",
                "ALLOW_USER_PASSWORD_AUTH",
                "ALLOW_USER_SRP_AUTH",
            ],
        });
        let client = theatre.call("CreateUserPoolClient", input).await.expect("a client");
        theatre.client = text(&client["UserPoolClient"]["ClientId"]);
        theatre
    }

    pub(super) async fn call(&self, operation: &str, input: Value) -> Output {
        self.service.call(operation, input.to_string().as_bytes()).await
    }

    pub(super) async fn sign_up(&self, username: &str) -> Output {
        let attributes = json!([{"Name": "email", "Value": "a@example.com"}]);
        let input = json!({
            "ClientId": self.client,
            "Username": username,
            "Password": PASSWORD,
            "UserAttributes": attributes,
        });
        self.call("SignUp", input).await
    }

    pub(super) async fn sign_in(&self, username: &str, password: &str) -> Output {
        let parameters = json!({"USERNAME": username, "PASSWORD": password});
        let input = json!({
            "ClientId": self.client,
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": parameters,
        });
        self.call("InitiateAuth", input).await
    }

    async fn status(&self, username: &str) -> Option<String> {
        let input = json!({"UserPoolId": self.pool, "Username": username});
        let user = self.call("AdminGetUser", input).await.ok()?;
        Some(text(&user["UserStatus"]))
    }

    /// The events that the function has been handed.
    pub(super) fn events(&self) -> Vec<Value> {
        self.stage.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn sources(&self) -> Vec<String> {
        let seen = self.stage.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|event| text(&event["triggerSource"])).collect()
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn refusal(output: Output) -> String {
    output.expect_err("a refusal").to_string()
}

#[tokio::test]
async fn a_function_confirms_whoever_signs_up() {
    let theatre =
        Theatre::open(json!({"PreSignUp": ARN, "PostConfirmation": ARN}), |_, mut event| {
            event["response"]["autoConfirmUser"] = json!(true);
            Ok(event)
        })
        .await;
    let output = theatre.sign_up("ann").await.expect("signed up");
    assert_eq!(output["UserConfirmed"], json!(true));
    assert_eq!(output.get("CodeDeliveryDetails"), None);
    assert_eq!(theatre.sources(), ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]);
    assert_eq!(theatre.status("ann").await.as_deref(), Some("CONFIRMED"));
}

#[tokio::test]
async fn nothing_is_locked_while_a_function_runs() {
    // The function signs the same person up, as somebody who is faster would.
    let theatre = Theatre::open(json!({"PreSignUp": ARN}), |service, event| {
        service.with(|state, context| {
            let pool = state.pool_mut(event["userPoolId"].as_str().unwrap_or_default());
            let user =
                User::new("pool", "ann".to_owned(), std::collections::BTreeMap::new(), context.now);
            pool.expect("the pool").users.insert("ann".to_owned(), user);
        });
        Ok(event)
    })
    .await;
    assert_eq!(
        refusal(theatre.sign_up("ann").await),
        "UsernameExistsException: User already exists"
    );
}

#[tokio::test]
async fn what_a_function_does_wrong_is_told_in_cognitos_words() {
    let answers: [(Result<Value, &str>, &str); 6] = [
        (Err("no"), "UserLambdaValidationException: PreSignUp failed with error no."),
        (
            Err("denied"),
            "UnexpectedLambdaException: PreSignUp invocation failed due to error AccessDeniedException.",
        ),
        (Ok(json!(null)), "InvalidLambdaResponseException: Unrecognizable lambda output"),
        (Ok(json!({})), "InvalidLambdaResponseException: Unrecognizable lambda output"),
        (
            Ok(json!({"response": {"autoConfirmUser": "yes"}})),
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
        (
            Ok(json!({"response": {"autoVerifyPhone": true}})),
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
    ];
    for (answer, expected) in answers {
        let theatre = Theatre::open(json!({"PreSignUp": ARN}), move |_, _| {
            answer.clone().map_err(str::to_owned)
        })
        .await;
        assert_eq!(refusal(theatre.sign_up("ann").await), expected);
        assert_eq!(theatre.status("ann").await, None);
    }
}

#[tokio::test]
async fn a_migrated_user_has_to_reset_their_password() {
    let theatre = Theatre::open(json!({"UserMigration": ARN}), |_, mut event| {
        if event["triggerSource"] == "UserMigration_Authentication" {
            event["response"] = json!({
                "userAttributes": {"email": "a@example.com", "email_verified": "true"},
                "finalUserStatus": "RESET_REQUIRED",
                "messageAction": "SUPPRESS",
            });
        }
        Ok(event)
    })
    .await;
    let lost =
        format!("UserNotFoundException: Exception migrating user in app client {}", theatre.client);
    let forgot = json!({"ClientId": theatre.client, "Username": "ann"});
    assert_eq!(refusal(theatre.call("ForgotPassword", forgot.clone()).await), lost);
    assert_eq!(
        refusal(theatre.sign_in("ann", "Throw-away1").await),
        "PasswordResetRequiredException: Password reset required for the user"
    );
    assert_eq!(theatre.status("ann").await.as_deref(), Some("RESET_REQUIRED"));
    let sent = theatre.call("ForgotPassword", forgot).await.expect("sent");
    assert_eq!(sent["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let code = theatre.service.account.state::<State>().inbox[0].code.clone();
    let confirm = json!({
        "ClientId": theatre.client,
        "Username": "ann",
        "ConfirmationCode": code,
        "Password": PASSWORD,
    });
    theatre.call("ConfirmForgotPassword", confirm).await.expect("confirmed");
    let tokens = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
    assert!(tokens["AuthenticationResult"]["RefreshToken"].is_string());
    assert_eq!(
        refusal(theatre.sign_in("ann", "Throw-away1").await),
        "NotAuthorizedException: Incorrect username or password."
    );
}

#[tokio::test]
async fn a_password_is_nowhere_in_the_clear() {
    let theatre = Theatre::open(json!({}), |_, event| Ok(event)).await;
    theatre.sign_up("ann").await.expect("signed up");
    let account = &theatre.service.account;
    let snapshot = account.state::<State>().snapshot();
    assert_eq!(snapshot, account.state::<State>().snapshot());
    assert_eq!(snapshot[&theatre.pool]["users"]["ann"]["status"], "UNCONFIRMED");
    assert!(!snapshot.to_string().contains(PASSWORD));
    assert!(!format!("{:?}", *account.state::<State>()).contains(PASSWORD));
}

#[tokio::test]
async fn an_update_resets_what_it_leaves_out() {
    let theatre = Theatre::open(json!({"PreSignUp": ARN}), |_, event| Ok(event)).await;
    let describe = json!({"UserPoolId": theatre.pool});
    let before = theatre.call("DescribeUserPool", describe.clone()).await.expect("a pool");
    assert_eq!(before["UserPool"]["LambdaConfig"], json!({"PreSignUp": ARN}));
    let update = json!({"UserPoolId": theatre.pool, "UserPoolTags": {"k": "v"}});
    theatre.call("UpdateUserPool", update).await.expect("updated");
    let after = theatre.call("DescribeUserPool", describe).await.expect("a pool");
    let pool = &after["UserPool"];
    assert_eq!(pool["LambdaConfig"], json!({}));
    assert_eq!(pool["UserPoolTags"], json!({"k": "v"}));
    assert_eq!(pool.get("AutoVerifiedAttributes"), None);
    assert_eq!(pool["Name"], "p");
    assert_eq!(pool["SchemaAttributes"], before["UserPool"]["SchemaAttributes"]);
}

#[tokio::test]
async fn two_homes_of_one_setting_may_not_disagree() {
    let theatre = Theatre::open(json!({}), |_, event| Ok(event)).await;
    let update = json!({
        "UserPoolId": theatre.pool,
        "Policies": {"PasswordPolicy": {"MinimumLength": 8, "TemporaryPasswordValidityDays": 5}},
        "AdminCreateUserConfig": {"UnusedAccountValidityDays": 7},
    });
    assert_eq!(
        refusal(theatre.call("UpdateUserPool", update).await),
        "InvalidParameterException: Please use TemporaryPasswordValidityDays in PasswordPolicy instead of \
         UnusedAccountValidityDays"
    );
}

#[tokio::test]
async fn input_of_the_wrong_shape_is_refused() {
    let theatre = Theatre::open(json!({}), |_, event| Ok(event)).await;
    for operation in
        ["SignUp", "InitiateAuth", "AdminCreateUser", "UpdateUserPool", "ListUsers", "GetUser"]
    {
        for body in [
            &b"[1]"[..],
            b"{\"Username\": 1, \"UserPoolId\": 1, \"ClientId\": 1, \"AccessToken\": 1}",
            b"{",
        ] {
            let output = theatre.service.call(operation, body).await;
            assert_eq!(output.expect_err(operation).code, "SerializationException");
        }
        let empty = theatre.service.call(operation, b"").await;
        assert_eq!(empty.expect_err(operation).code, "InvalidParameterException");
    }
}

#[tokio::test]
async fn an_invitation_goes_where_it_was_asked_to_go() {
    let theatre = Theatre::open(json!({"CustomMessage": ARN}), |_, event| Ok(event)).await;
    let attributes = json!([{"Name": "email", "Value": "a@example.com"}]);
    let invite = async |username: &str, mediums: Value| {
        let input = json!({
            "UserPoolId": theatre.pool,
            "Username": username,
            "UserAttributes": attributes,
            "DesiredDeliveryMediums": mediums,
        });
        theatre.call("AdminCreateUser", input).await
    };
    // Without a word about it, it is an SMS, and there is no number.
    invite("ann", json!([])).await.expect("made");
    assert_eq!(theatre.sources(), Vec::<String>::new());
    invite("bob", json!(["EMAIL"])).await.expect("made");
    assert_eq!(theatre.sources(), ["CustomMessage_AdminCreateUser"]);
    assert_eq!(
        refusal(invite("eve", json!(["EMAIL", "SMS"])).await),
        "InvalidParameterException: No phone number provided but desired delivery medium was SMS"
    );
    assert_eq!(theatre.status("eve").await, None);
}

fn someone() -> (User, SystemTime) {
    let now = UNIX_EPOCH + Duration::from_hours(500_000);
    (User::new("pool", "ann".to_owned(), std::collections::BTreeMap::new(), now), now)
}

#[test]
fn a_code_ends_with_time_and_with_guessing() {
    let (mut user, now) = someone();
    let end = now + Duration::from_mins(1);
    assert_eq!(user.try_code(&Purpose::SignUp, "1", now), Fit::Expired);
    let code = user.issue_code(Purpose::SignUp, "email", None, end);
    assert!(matches!(user.try_code(&Purpose::SignUp, &code, now), Fit::Right(_)));
    assert_eq!(user.try_code(&Purpose::ForgotPassword, &code, now), Fit::Expired);
    assert_eq!(user.try_code(&Purpose::SignUp, &code, end), Fit::Expired);
    for _ in 0..5 {
        assert_eq!(user.try_code(&Purpose::SignUp, "wrong", now), Fit::Wrong);
    }
    assert_eq!(user.try_code(&Purpose::SignUp, &code, now), Fit::TooOften);
}

#[test]
fn wrong_passwords_lock_a_user_out_for_ever_longer() {
    let (mut user, now) = someone();
    user.set_password(PASSWORD, now);
    user.status = Status::Confirmed;
    let second = Duration::from_secs(1);
    for _ in 0..4 {
        assert!(!user.password_fits("x", now));
        assert!(!user.is_locked(now));
    }
    assert!(!user.password_fits("x", now));
    assert!(user.is_locked(now) && !user.is_locked(now + second));
    assert!(!user.password_fits("x", now));
    assert!(user.is_locked(now + second) && !user.is_locked(now + 2 * second));
    assert!(user.password_fits(PASSWORD, now));
    assert!(!user.is_locked(now));
}
