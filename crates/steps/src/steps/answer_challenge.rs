//! `answer-challenge`: what Cognito has asked of somebody who signs in.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::operation::admin_respond_to_auth_challenge::AdminRespondToAuthChallengeOutput;
use aws_sdk_cognitoidentityprovider::operation::respond_to_auth_challenge::RespondToAuthChallengeOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AuthenticationResultType, ChallengeNameType as ChallengeName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::scalar::Variable;
use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::aws::CallError;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `answer-challenge`.
pub struct AnswerChallenge;

/// Answers what Cognito has asked of a user who signs in: a new password, a code, a question of the pool's own functions.
///
/// Cognito answers with tokens, or with another challenge: the step succeeds, `challenge` names it, and the tokens are
/// null. The user's name and the hash of the client's secret go along by themselves.
///
/// With `NEW_PASSWORD_REQUIRED` the user gets that password for good; the one before it cannot be put back: use this on
/// users that the run has made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The app client's id.
    client_id: String,
    /// The app client's secret, where it has one.
    #[schemars(extend("x-secret" = true))]
    client_secret: Option<String>,
    /// The user's name.
    username: String,
    /// What is answered, such as `NEW_PASSWORD_REQUIRED`, `SOFTWARE_TOKEN_MFA` or `CUSTOM_CHALLENGE`.
    challenge: String,
    /// The session that came with the challenge.
    #[schemars(extend("x-secret" = true))]
    session: Option<String>,
    /// The answers, by the names that Cognito gives them, such as `NEW_PASSWORD`, `SOFTWARE_TOKEN_MFA_CODE` or `ANSWER`.
    #[serde(default)]
    #[schemars(extend("x-secret" = true))]
    answers: BTreeMap<String, Variable>,
    /// As the user, or as an administrator.
    #[serde(default)]
    flow: Flow,
    /// The pool's id: for the flow `admin`, and to look for the log of a function of its that fails.
    user_pool_id: Option<String>,
    /// What is handed on to the pool's triggers.
    client_metadata: Option<HashMap<String, String>>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Flow {
    /// The user.
    #[default]
    User,
    /// An administrator, who began the sign-in.
    Admin,
}

/// What Cognito answered.
#[derive(Default, Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// The token that acts as the user.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:RespondToAuthChallenge AuthenticationResult.AccessToken"))]
    access_token: Option<String>,
    /// The token that says who the user is.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:RespondToAuthChallenge AuthenticationResult.IdToken"))]
    id_token: Option<String>,
    /// The token that gets new ones.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:RespondToAuthChallenge AuthenticationResult.RefreshToken"))]
    refresh_token: Option<String>,
    /// For how many seconds the tokens are good.
    #[schemars(extend("x-from" = "cognito-idp:RespondToAuthChallenge AuthenticationResult.ExpiresIn"))]
    expires_in: Option<i32>,
    /// The next challenge, in place of tokens; else null.
    #[schemars(extend("x-from" = "cognito-idp:RespondToAuthChallenge ChallengeName"))]
    challenge: Option<String>,
    /// What comes with the challenge.
    challenge_parameters: BTreeMap<String, String>,
    /// What continues the sign-in that the challenge interrupted.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:RespondToAuthChallenge Session"))]
    session: Option<String>,
}

impl StepKind for AnswerChallenge {
    const NAME: &'static str = "answer-challenge";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:RespondToAuthChallenge", "cognito-idp:AdminRespondToAuthChallenge"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:AdminRespondToAuthChallenge",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- id: new_password
  answer-challenge:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ steps.user.username }}\"
    challenge: \"{{ steps.signed_in.challenge }}\"
    session: \"{{ steps.signed_in.session }}\"
    answers: {NEW_PASSWORD: \"{{ inputs.password }}\"}
  assert: result.challenge is none
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.flow == Flow::Admin && input.user_pool_id.is_none() {
            return Err(StepError::input(
                "user_pool_id",
                "the flow `admin` needs `user_pool_id`",
                "write `user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"`",
            ));
        }
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        let answer = async { Ok(respond(&cx, &input).await?) };
        occasion.through(answer).await
    }
}

/// What was answered, and by whom.
fn answers(input: &Input) -> HashMap<String, String> {
    let secret = input.client_secret.as_deref();
    let hash = secret_hash(secret, &input.client_id, &input.username);
    let mut answers: HashMap<String, String> =
        input.answers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
    answers.entry("USERNAME".to_owned()).or_insert_with(|| input.username.clone());
    if let Some(hash) = hash {
        answers.insert("SECRET_HASH".to_owned(), hash);
    }
    answers
}

async fn respond(cx: &Context, input: &Input) -> Result<Output, CallError> {
    let answers = answers(input);
    let name = ChallengeName::from(input.challenge.as_str());
    let later = AuthenticationResultType::builder().access_token(cx.later("access_token")).build();
    let (tokens, challenge, parameters, session) = match (input.flow, &input.user_pool_id) {
        (Flow::Admin, Some(user_pool_id)) => {
            let request = cx
                .aws
                .cognito()
                .admin_respond_to_auth_challenge()
                .user_pool_id(user_pool_id)
                .client_id(&input.client_id)
                .challenge_name(name)
                .set_session(input.session.clone())
                .set_challenge_responses(Some(answers))
                .set_client_metadata(input.client_metadata.clone());
            let placeholder = || {
                let output = AdminRespondToAuthChallengeOutput::builder();
                Ok(output.authentication_result(later).build())
            };
            let it = cx.aws.call(request.send(), placeholder).await?;
            (it.authentication_result, it.challenge_name, it.challenge_parameters, it.session)
        }
        (Flow::Admin | Flow::User, _) => {
            let request = cx
                .aws
                .cognito()
                .respond_to_auth_challenge()
                .client_id(&input.client_id)
                .challenge_name(name)
                .set_session(input.session.clone())
                .set_challenge_responses(Some(answers))
                .set_client_metadata(input.client_metadata.clone());
            let placeholder = || {
                let output = RespondToAuthChallengeOutput::builder();
                Ok(output.authentication_result(later).build())
            };
            let it = cx.aws.call(request.send(), placeholder).await?;
            (it.authentication_result, it.challenge_name, it.challenge_parameters, it.session)
        }
    };
    let expires_in = tokens.as_ref().map(AuthenticationResultType::expires_in);
    let tokens = tokens.unwrap_or_else(|| AuthenticationResultType::builder().build());
    Ok(Output {
        username: input.username.clone(),
        access_token: tokens.access_token,
        id_token: tokens.id_token,
        refresh_token: tokens.refresh_token,
        expires_in,
        challenge: challenge.map(|name| name.as_str().to_owned()),
        challenge_parameters: parameters.unwrap_or_default().into_iter().collect(),
        session,
    })
}
