//! What is asked of somebody who signs in: proofs of a password, second factors, questions of a pool's own functions.

use std::time::Duration;

use serde_json::{Value, json};

use super::tests::{ARN, PASSWORD, Theatre, refusal, text};
use super::totp::Secret;
use super::{State, keys, srp};

const PRIVATE: [u8; 32] = [9; 32];
const TIME: &str = "Tue Dec 1 00:00:00 UTC 2026";

impl Theatre {
    /// A confirmed user called ann.
    async fn ann(lambda_config: Value) -> Self {
        Self::ann_with(lambda_config, |_, event| Ok(event)).await
    }

    async fn ann_with(
        lambda_config: Value,
        play: impl Fn(&super::Cognito, Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        let theatre = Self::open(lambda_config, play).await;
        theatre.sign_up("ann").await.expect("signed up");
        let input = json!({"UserPoolId": theatre.pool, "Username": "ann"});
        theatre.call("AdminConfirmSignUp", input).await.expect("confirmed");
        theatre
    }

    async fn begin(&self, flow: &str, parameters: Value) -> super::Output {
        let input =
            json!({"ClientId": self.client, "AuthFlow": flow, "AuthParameters": parameters});
        self.call("InitiateAuth", input).await
    }

    async fn answer(&self, challenge: &Value, responses: Value) -> super::Output {
        let mut input = json!({
            "ClientId": self.client,
            "ChallengeName": challenge["ChallengeName"],
            "ChallengeResponses": responses,
        });
        if challenge["Session"].is_string() {
            input["Session"] = challenge["Session"].clone();
        }
        self.call("RespondToAuthChallenge", input).await
    }

    /// The claims of what was granted: ID token and access token.
    fn claims(output: &Value) -> (Value, Value) {
        let claims = |name: &str| {
            keys::verified(output["AuthenticationResult"][name].as_str().expect("a token"))
                .expect("our own")
        };
        (claims("IdToken"), claims("AccessToken"))
    }

    fn app_code(&self, secret: &str) -> String {
        Secret::code(secret, self.service.account.now())
    }

    async fn require(&self, mode: &str) {
        let input = json!({
            "UserPoolId": self.pool,
            "MfaConfiguration": mode,
            "SoftwareTokenMfaConfiguration": {"Enabled": true},
        });
        self.call("SetUserPoolMfaConfig", input).await.expect("configured");
    }

    async fn prove(&self, username: &str, password: &str) -> super::Output {
        let parameters = json!({"USERNAME": username, "SRP_A": srp::client::public(&PRIVATE)});
        let challenge = self.begin("USER_SRP_AUTH", parameters).await?;
        assert_eq!(challenge["ChallengeName"], "PASSWORD_VERIFIER");
        self.answer(&challenge, self.proof(&challenge, password)).await
    }

    fn proof(&self, challenge: &Value, password: &str) -> Value {
        let shown = |name: &str| challenge["ChallengeParameters"][name].as_str().expect("a text");
        let user = shown("USER_ID_FOR_SRP");
        let claim = srp::client::claim(
            &PRIVATE,
            (self.pool.split_once('_').expect("an id").1, user, password),
            (shown("SALT"), shown("SRP_B"), shown("SECRET_BLOCK")),
            TIME,
        );
        json!({
            "USERNAME": user,
            "TIMESTAMP": TIME,
            "PASSWORD_CLAIM_SECRET_BLOCK": shown("SECRET_BLOCK"),
            "PASSWORD_CLAIM_SIGNATURE": claim,
        })
    }
}

#[tokio::test]
async fn a_password_is_proved_without_being_sent() {
    let theatre = Theatre::ann(json!({"PreAuthentication": ARN, "PostAuthentication": ARN})).await;
    let output = theatre.prove("ann", PASSWORD).await.expect("signed in");
    assert_eq!(Theatre::claims(&output).1["username"], "ann");
    assert_eq!(
        theatre.sources(),
        ["PreAuthentication_Authentication", "PostAuthentication_Authentication"]
    );
    let wrong = "NotAuthorizedException: Incorrect username or password.";
    assert_eq!(refusal(theatre.prove("ann", "Secret-124").await), wrong);
    assert_eq!(
        refusal(theatre.prove("bob", PASSWORD).await),
        "UserNotFoundException: User does not exist."
    );
    let update = json!({
        "UserPoolId": theatre.pool,
        "ClientId": theatre.client,
        "PreventUserExistenceErrors": "ENABLED",
    });
    theatre.call("UpdateUserPoolClient", update).await.expect("updated");
    assert_eq!(refusal(theatre.prove("bob", PASSWORD).await), wrong);
    theatre.prove("ann", PASSWORD).await.expect("signed in");
}

#[tokio::test]
async fn a_proof_is_taken_once() {
    let theatre = Theatre::ann(json!({})).await;
    let parameters = json!({"USERNAME": "ann", "SRP_A": srp::client::public(&PRIVATE)});
    let challenge = theatre.begin("USER_SRP_AUTH", parameters).await.expect("a challenge");
    let proof = theatre.proof(&challenge, PASSWORD);
    theatre.answer(&challenge, proof.clone()).await.expect("signed in");
    assert_eq!(
        refusal(theatre.answer(&challenge, proof).await),
        "NotAuthorizedException: Invalid session for the user."
    );
}

#[tokio::test]
async fn an_app_is_set_up_verified_and_asked_for() {
    let theatre = Theatre::ann(json!({})).await;
    let access = async || {
        let output = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
        text(&output["AuthenticationResult"]["AccessToken"])
    };
    let token = access().await;
    let associate = json!({"AccessToken": token});
    assert_eq!(
        refusal(theatre.call("AssociateSoftwareToken", associate.clone()).await),
        "SoftwareTokenMFANotFoundException: Software Token MFA is not enabled for the userPool"
    );
    theatre.require("OPTIONAL").await;
    let associated = theatre.call("AssociateSoftwareToken", associate).await.expect("a secret");
    let secret = text(&associated["SecretCode"]);
    let prefer = json!({
        "AccessToken": token,
        "SoftwareTokenMfaSettings": {"Enabled": true, "PreferredMfa": true},
    });
    assert_eq!(
        refusal(theatre.call("SetUserMFAPreference", prefer.clone()).await),
        "InvalidParameterException: User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"
    );
    let verify = async |code: &str| {
        let input = json!({"AccessToken": token, "UserCode": code, "FriendlyDeviceName": "phone"});
        theatre.call("VerifySoftwareToken", input).await
    };
    assert_eq!(refusal(verify("000000").await), "EnableSoftwareTokenMFAException: Code mismatch");
    let code = theatre.app_code(&secret);
    assert_eq!(verify(&code).await.expect("verified"), json!({"Status": "SUCCESS"}));
    // Verified is not yet asked for.
    access().await;
    theatre.call("SetUserMFAPreference", prefer).await.expect("preferred");
    let user = theatre.call("GetUser", json!({"AccessToken": token})).await.expect("ann");
    assert_eq!(user["PreferredMfaSetting"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(user["UserMFASettingList"], json!(["SOFTWARE_TOKEN_MFA"]));
    let challenge = theatre.sign_in("ann", PASSWORD).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(challenge["ChallengeParameters"]["FRIENDLY_DEVICE_NAME"], "phone");
    let answer = async |code: &str| {
        let responses = json!({"USERNAME": "ann", "SOFTWARE_TOKEN_MFA_CODE": code});
        theatre.answer(&challenge, responses).await
    };
    assert_eq!(
        refusal(answer("12345").await),
        "CodeMismatchException: Invalid code received for user"
    );
    // The code that has verified the app is good for one sign-in.
    let output = answer(&code).await.expect("signed in");
    assert!(output["AuthenticationResult"]["IdToken"].is_string());
    let challenge = theatre.sign_in("ann", PASSWORD).await.expect("a challenge");
    let responses = |code: &str| json!({"USERNAME": "ann", "SOFTWARE_TOKEN_MFA_CODE": code});
    assert_eq!(
        refusal(theatre.answer(&challenge, responses(&code)).await),
        "ExpiredCodeException: Your software token has already been used once."
    );
    theatre.service.account.clock().advance(Duration::from_secs(30));
    let next = responses(&theatre.app_code(&secret));
    theatre.answer(&challenge, next).await.expect("signed in");
}

#[tokio::test]
async fn where_a_second_factor_is_required_it_is_set_up_on_the_way_in() {
    let theatre = Theatre::ann(json!({})).await;
    theatre.require("ON").await;
    let challenge = theatre.sign_in("ann", PASSWORD).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "MFA_SETUP");
    assert_eq!(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"], "[\"SOFTWARE_TOKEN_MFA\"]");
    let early = json!({"USERNAME": "ann"});
    let invalid = "NotAuthorizedException: Invalid session for the user.";
    assert_eq!(refusal(theatre.answer(&challenge, early.clone()).await), invalid);
    let input = json!({"Session": challenge["Session"]});
    let associated = theatre.call("AssociateSoftwareToken", input.clone()).await.expect("a secret");
    assert_eq!(refusal(theatre.call("AssociateSoftwareToken", input).await), invalid);
    let code = theatre.app_code(&text(&associated["SecretCode"]));
    let input = json!({"Session": associated["Session"], "UserCode": code});
    let verified = theatre.call("VerifySoftwareToken", input).await.expect("verified");
    let challenge = json!({"ChallengeName": "MFA_SETUP", "Session": verified["Session"]});
    theatre.answer(&challenge, early).await.expect("signed in");
    let again = theatre.sign_in("ann", PASSWORD).await.expect("a challenge");
    assert_eq!(again["ChallengeName"], "SOFTWARE_TOKEN_MFA");
}

#[tokio::test]
async fn who_has_two_factors_and_prefers_none_chooses() {
    let theatre = Theatre::ann(json!({"CustomMessage": ARN})).await;
    let input = json!({
        "UserPoolId": theatre.pool,
        "MfaConfiguration": "OPTIONAL",
        "SoftwareTokenMfaConfiguration": {"Enabled": true},
        "SmsMfaConfiguration": {"SmsConfiguration": {"SnsCallerArn": ARN}},
    });
    theatre.call("SetUserPoolMfaConfig", input).await.expect("configured");
    let output = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
    let token = text(&output["AuthenticationResult"]["AccessToken"]);
    let secret = theatre
        .call("AssociateSoftwareToken", json!({"AccessToken": token}))
        .await
        .expect("a secret");
    let code = theatre.app_code(&text(&secret["SecretCode"]));
    let verify = json!({"AccessToken": token, "UserCode": code});
    theatre.call("VerifySoftwareToken", verify).await.expect("verified");
    let both = json!({
        "UserPoolId": theatre.pool,
        "Username": "ann",
        "SMSMfaSettings": {"Enabled": true},
        "SoftwareTokenMfaSettings": {"Enabled": true},
    });
    assert_eq!(
        refusal(theatre.call("AdminSetUserMFAPreference", both.clone()).await),
        "InvalidParameterException: User does not have delivery config set to turn on SMS_MFA"
    );
    let number = json!({
        "UserPoolId": theatre.pool,
        "Username": "ann",
        "UserAttributes": [{"Name": "phone_number", "Value": "+12065550199"}],
    });
    theatre.call("AdminUpdateUserAttributes", number).await.expect("a number");
    theatre.call("AdminSetUserMFAPreference", both).await.expect("preferred");
    let challenge = theatre.sign_in("ann", PASSWORD).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "SELECT_MFA_TYPE");
    assert_eq!(
        challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"],
        "[\"SMS_MFA\",\"SOFTWARE_TOKEN_MFA\"]"
    );
    let chosen = json!({"USERNAME": "ann", "ANSWER": "SMS_MFA"});
    let challenge = theatre.answer(&challenge, chosen).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "SMS_MFA");
    assert_eq!(challenge["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"], "+*******0199");
    assert_eq!(theatre.sources().last().map(String::as_str), Some("CustomMessage_Authentication"));
    let code = theatre.service.account.state::<State>().inbox.last().expect("sent").code.clone();
    let responses = json!({"USERNAME": "ann", "SMS_MFA_CODE": code});
    theatre.answer(&challenge, responses).await.expect("signed in");
}

#[tokio::test]
async fn a_pool_has_second_factors_or_does_not() {
    let theatre = Theatre::ann(json!({})).await;
    let set = async |mut input: Value| {
        input["UserPoolId"] = json!(theatre.pool);
        theatre.call("SetUserPoolMfaConfig", input).await
    };
    assert_eq!(
        refusal(set(json!({"MfaConfiguration": "ON"})).await),
        "InvalidParameterException: Invalid MFA configuration given, can't disable all MFAs with a required or optional \
         configuration."
    );
    let both = json!({
        "MfaConfiguration": "OFF",
        "SoftwareTokenMfaConfiguration": {"Enabled": true},
    });
    assert_eq!(
        refusal(set(both).await),
        "InvalidParameterException: Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
    );
    let create = json!({"PoolName": "q", "MfaConfiguration": "OPTIONAL"});
    assert_eq!(
        refusal(theatre.call("CreateUserPool", create).await),
        "InvalidParameterException: SMS configuration and Auto verification for phone_number are required when MFA is \
         required/optional"
    );
    theatre.require("OPTIONAL").await;
    let input = json!({"UserPoolId": theatre.pool});
    let shown = theatre.call("GetUserPoolMfaConfig", input).await.expect("a configuration");
    assert_eq!(
        shown,
        json!({
            "MfaConfiguration": "OPTIONAL",
            "SoftwareTokenMfaConfiguration": {"Enabled": true},
        })
    );
    // Other settings are replaced; apps stay allowed.
    let update = json!({"UserPoolId": theatre.pool, "MfaConfiguration": "ON"});
    theatre.call("UpdateUserPool", update).await.expect("updated");
}

/// Asks for "4" twice, and gives up after a wrong answer.
fn ask_twice(mut event: Value) -> Value {
    let session = event["request"]["session"].as_array().cloned().unwrap_or_default();
    let wrong = session.iter().any(|round| round["challengeResult"] == false);
    match event["triggerSource"].as_str().unwrap_or_default() {
        "DefineAuthChallenge_Authentication" => {
            let custom =
                session.iter().filter(|round| round["challengeName"] == "CUSTOM_CHALLENGE").count();
            let next = match session.last().map(|round| round["challengeName"].clone()) {
                Some(name) if name == "SRP_A" => "PASSWORD_VERIFIER",
                _ => "CUSTOM_CHALLENGE",
            };
            event["response"] = json!({
                "challengeName": if custom < 2 { json!(next) } else { Value::Null },
                "issueTokens": custom == 2 && !wrong,
                "failAuthentication": wrong,
            });
        }
        "CreateAuthChallenge_Authentication" => {
            event["response"] = json!({
                "publicChallengeParameters": {"question": "2 + 2"},
                "privateChallengeParameters": {"answer": "4"},
                "challengeMetadata": format!("ROUND_{}", session.len()),
            });
        }
        "VerifyAuthChallengeResponse_Authentication" => {
            let request = &event["request"];
            let right =
                request["challengeAnswer"] == request["privateChallengeParameters"]["answer"];
            event["response"] = json!({"answerCorrect": right});
        }
        _ => {}
    }
    event
}

fn three() -> Value {
    json!({
        "DefineAuthChallenge": ARN,
        "CreateAuthChallenge": ARN,
        "VerifyAuthChallengeResponse": ARN,
    })
}

#[tokio::test]
async fn a_pools_own_functions_ask_until_they_are_content() {
    let theatre = Theatre::ann_with(three(), |_, event| Ok(ask_twice(event))).await;
    let begin = json!({"USERNAME": "ann"});
    let challenge = theatre.begin("CUSTOM_AUTH", begin.clone()).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "CUSTOM_CHALLENGE");
    assert_eq!(challenge["ChallengeParameters"], json!({"question": "2 + 2", "USERNAME": "ann"}));
    let answer = json!({"USERNAME": "ann", "ANSWER": "4"});
    let second = theatre.answer(&challenge, answer.clone()).await.expect("a challenge");
    assert_ne!(second["Session"], challenge["Session"]);
    let output = theatre.answer(&second, answer.clone()).await.expect("signed in");
    assert!(output["AuthenticationResult"]["RefreshToken"].is_string());
    let events = theatre.events();
    let names: Vec<String> = events.iter().map(|event| text(&event["triggerSource"])).collect();
    let (define, create, verify) = (
        "DefineAuthChallenge_Authentication",
        "CreateAuthChallenge_Authentication",
        "VerifyAuthChallengeResponse_Authentication",
    );
    assert_eq!(names, [define, create, verify, define, create, verify, define]);
    assert_eq!(events[0]["request"]["session"], json!([]));
    assert_eq!(
        events[3]["request"]["session"],
        json!([{
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": true,
            "challengeMetadata": "ROUND_0",
        }])
    );
    assert_eq!(events[1]["request"]["challengeName"], "CUSTOM_CHALLENGE");
    assert_eq!(events[2]["request"]["challengeAnswer"], "4");
    assert_eq!(events[2]["request"]["userAttributes"]["email"], "a@example.com");
    assert_eq!(events[2]["request"].get("userNotFound"), None);

    let challenge = theatre.begin("CUSTOM_AUTH", begin).await.expect("a challenge");
    let wrong = json!({"USERNAME": "ann", "ANSWER": "5"});
    assert_eq!(
        refusal(theatre.answer(&challenge, wrong).await),
        "NotAuthorizedException: Incorrect username or password."
    );
    assert_eq!(
        refusal(theatre.answer(&challenge, answer).await),
        "NotAuthorizedException: Invalid session for the user."
    );
}

#[tokio::test]
async fn a_custom_flow_may_begin_with_the_password() {
    let theatre = Theatre::ann_with(three(), |_, event| Ok(ask_twice(event))).await;
    let parameters = json!({
        "USERNAME": "ann",
        "CHALLENGE_NAME": "SRP_A",
        "SRP_A": srp::client::public(&PRIVATE),
    });
    let challenge = theatre.begin("CUSTOM_AUTH", parameters).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "PASSWORD_VERIFIER");
    let proof = theatre.proof(&challenge, PASSWORD);
    let challenge = theatre.answer(&challenge, proof).await.expect("a challenge");
    assert_eq!(challenge["ChallengeName"], "CUSTOM_CHALLENGE");
    let events = theatre.events();
    assert_eq!(events[0]["request"]["session"][0]["challengeName"], "SRP_A");
    assert_eq!(events[1]["request"]["session"][1]["challengeName"], "PASSWORD_VERIFIER");
    assert_eq!(events[1]["request"]["session"][1]["challengeResult"], true);
}

#[tokio::test]
async fn a_custom_flow_needs_its_functions() {
    let theatre = Theatre::ann(json!({})).await;
    assert_eq!(
        refusal(theatre.begin("CUSTOM_AUTH", json!({"USERNAME": "ann"})).await),
        "InvalidParameterException: Custom auth lambda trigger is not configured for the user pool."
    );
    let silent = Theatre::ann(three()).await;
    assert_eq!(
        refusal(silent.begin("CUSTOM_AUTH", json!({"USERNAME": "ann"})).await),
        "InvalidLambdaResponseException: Unrecognizable lambda output"
    );
}

#[tokio::test]
async fn tokens_tell_of_groups_and_of_the_role_that_goes_first() {
    let theatre = Theatre::ann(json!({"PreTokenGeneration": ARN})).await;
    let group = async |name: &str, precedence: i64, role: &str| {
        let input = json!({
            "UserPoolId": theatre.pool,
            "GroupName": name,
            "Precedence": precedence,
            "RoleArn": format!("arn:aws:iam::123456789012:role/{role}"),
        });
        theatre.call("CreateGroup", input).await.expect("a group");
        let member = json!({"UserPoolId": theatre.pool, "GroupName": name, "Username": "ann"});
        theatre.call("AdminAddUserToGroup", member).await.expect("a member");
    };
    group("readers", 5, "read").await;
    group("writers", 1, "write").await;
    let output = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
    let (id, access) = Theatre::claims(&output);
    assert_eq!(id["cognito:groups"], json!(["writers", "readers"]));
    assert_eq!(id["cognito:preferred_role"], "arn:aws:iam::123456789012:role/write");
    assert_eq!(
        id["cognito:roles"],
        json!(["arn:aws:iam::123456789012:role/write", "arn:aws:iam::123456789012:role/read"])
    );
    assert_eq!(access["cognito:groups"], json!(["writers", "readers"]));
    assert_eq!(access.get("cognito:roles"), None);
    let events = theatre.events();
    assert_eq!(
        events[0]["request"]["groupConfiguration"]["groupsToOverride"],
        json!(["writers", "readers"])
    );
    // Two roles of one precedence: neither is preferred.
    group("rivals", 1, "rival").await;
    let output = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
    assert_eq!(Theatre::claims(&output).0.get("cognito:preferred_role"), None);

    let input = json!({"UserPoolId": theatre.pool, "GroupName": "readers"});
    let users = theatre.call("ListUsersInGroup", input.clone()).await.expect("users");
    assert_eq!(users["Users"][0]["Username"], "ann");
    assert_eq!(
        refusal(theatre.call("CreateGroup", input.clone()).await),
        "GroupExistsException: A group with the name already exists."
    );
    theatre.call("DeleteGroup", input.clone()).await.expect("deleted");
    assert_eq!(
        refusal(theatre.call("GetGroup", input).await),
        "ResourceNotFoundException: Group not found."
    );
    let input = json!({"UserPoolId": theatre.pool, "Username": "ann"});
    let groups = theatre.call("AdminListGroupsForUser", input).await.expect("groups");
    let names: Vec<String> = groups["Groups"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|group| text(&group["GroupName"]))
        .collect();
    assert_eq!(names, ["rivals", "writers"]);
}

#[tokio::test]
async fn tokens_are_refreshed_until_they_are_revoked() {
    let theatre = Theatre::ann(json!({"PreTokenGeneration": ARN})).await;
    let output = theatre.sign_in("ann", PASSWORD).await.expect("signed in");
    let token = output["AuthenticationResult"]["RefreshToken"].clone();
    let input = json!({
        "ClientId": theatre.client,
        "RefreshToken": token,
        "ClientMetadata": {"from": "test"},
    });
    let fresh = theatre.call("GetTokensFromRefreshToken", input.clone()).await.expect("tokens");
    assert!(fresh["AuthenticationResult"]["AccessToken"].is_string());
    assert_eq!(fresh["AuthenticationResult"].get("RefreshToken"), None);
    assert_eq!(fresh.get("ChallengeParameters"), None);
    let event = theatre.events().pop().expect("an event");
    assert_eq!(event["triggerSource"], "TokenGeneration_RefreshTokens");
    assert_eq!(event["request"]["clientMetadata"], json!({"from": "test"}));
    let revoke = json!({"ClientId": theatre.client, "Token": token});
    theatre.call("RevokeToken", revoke).await.expect("revoked");
    assert_eq!(
        refusal(theatre.call("GetTokensFromRefreshToken", input).await),
        "NotAuthorizedException: Refresh Token has been revoked"
    );
}

#[tokio::test]
async fn a_pool_learns_attributes_later() {
    let theatre = Theatre::ann(json!({})).await;
    let add = async |attribute: Value| {
        let input = json!({"UserPoolId": theatre.pool, "CustomAttributes": [attribute]});
        theatre.call("AddCustomAttributes", input).await
    };
    let set = async |name: &str, value: &str| {
        let input = json!({
            "UserPoolId": theatre.pool,
            "Username": "ann",
            "UserAttributes": [{"Name": name, "Value": value}],
        });
        theatre.call("AdminUpdateUserAttributes", input).await
    };
    assert_eq!(
        refusal(set("custom:level", "3").await),
        "InvalidParameterException: Attributes did not conform to the schema: custom:level: Attribute does not exist in the \
         schema.\n"
    );
    let level = json!({
        "Name": "level",
        "AttributeDataType": "Number",
        "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "5"},
    });
    add(level.clone()).await.expect("added");
    set("custom:level", "3").await.expect("set");
    assert!(refusal(set("custom:level", "6").await).contains("custom:level"));
    assert_eq!(
        refusal(add(level).await),
        "InvalidParameterException: custom:level: Existing attribute already has name custom:level."
    );
    add(json!({"Name": "born", "AttributeDataType": "String", "Mutable": false}))
        .await
        .expect("added");
    assert!(refusal(set("custom:born", "1970").await).contains("Attribute cannot be updated."));
    set("email_verified", "True").await.expect("verified");
    let input = json!({"UserPoolId": theatre.pool, "Username": "ann"});
    let user = theatre.call("AdminGetUser", input).await.expect("ann");
    let attributes = user["UserAttributes"].as_array().expect("a list");
    assert!(attributes.contains(&json!({"Name": "email_verified", "Value": "true"})));
}
