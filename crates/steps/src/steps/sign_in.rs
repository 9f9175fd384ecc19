//! `sign-in`: a user who signs in with a password.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthOutput;
use aws_sdk_cognitoidentityprovider::operation::initiate_auth::InitiateAuthOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AuthFlowType, AuthenticationResultType, ChallengeNameType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user::User;
use crate::resources::user::claims::Claims;
use crate::resources::user::migration::Migration;
use crate::resources::user::secret_hash::secret_hash;
use crate::resources::user_pool_triggers::failure::Occasion;
use engine::aws::CallError;
use engine::step::{Context, StepError, StepKind};

/// `sign-in`.
pub struct SignIn;

/// Signs a user in with a password.
///
/// Cognito may answer with a challenge, such as `NEW_PASSWORD_REQUIRED`, in place of tokens: the step succeeds, `challenge`
/// names it, and the tokens are null.
///
/// A `UserMigration` trigger may bring the user into the pool, even where the sign-in then fails, such as with
/// `PasswordResetRequiredException`. With `user_pool_id`, a user who was not there before is deleted when the run is over.
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
    /// The user's password.
    #[schemars(extend("x-secret" = true))]
    password: String,
    /// As the user, or as an administrator; the app client must allow the way in its `explicit_auth_flows`.
    #[serde(default)]
    flow: Flow,
    /// The pool's id: for the flow `admin`, and where a trigger may bring the user into the pool.
    user_pool_id: Option<String>,
    /// What is handed on to the pool's triggers.
    client_metadata: Option<HashMap<String, String>>,
}

/// The way to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Flow {
    /// As the user: `ALLOW_USER_PASSWORD_AUTH`.
    #[default]
    UserPassword,
    /// As an administrator: `ALLOW_ADMIN_USER_PASSWORD_AUTH`.
    Admin,
}

impl Flow {
    fn of_sdk(self) -> AuthFlowType {
        match self {
            Self::UserPassword => AuthFlowType::UserPasswordAuth,
            Self::Admin => AuthFlowType::AdminUserPasswordAuth,
        }
    }

    fn allowance(self) -> &'static str {
        match self {
            Self::UserPassword => "ALLOW_USER_PASSWORD_AUTH",
            Self::Admin => "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        }
    }
}

/// What Cognito answered.
#[derive(Default, Serialize, JsonSchema)]
pub struct Output {
    /// The user's name.
    #[schemars(extend("x-known" = true))]
    username: String,
    /// The token that acts as the user.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:InitiateAuth AuthenticationResult.AccessToken"))]
    access_token: Option<String>,
    /// The token that says who the user is.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:InitiateAuth AuthenticationResult.IdToken"))]
    id_token: Option<String>,
    /// The token that gets new ones.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:InitiateAuth AuthenticationResult.RefreshToken"))]
    refresh_token: Option<String>,
    /// `Bearer`.
    #[schemars(extend("x-from" = "cognito-idp:InitiateAuth AuthenticationResult.TokenType"))]
    token_type: Option<String>,
    /// For how many seconds the tokens are good.
    #[schemars(extend("x-from" = "cognito-idp:InitiateAuth AuthenticationResult.ExpiresIn"))]
    expires_in: Option<i32>,
    /// The challenge that Cognito answered with in place of tokens, such as `NEW_PASSWORD_REQUIRED`; else null.
    #[schemars(extend("x-from" = "cognito-idp:InitiateAuth ChallengeName"))]
    challenge: Option<String>,
    /// What comes with the challenge.
    challenge_parameters: BTreeMap<String, String>,
    /// What continues the sign-in that the challenge interrupted.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:InitiateAuth Session"))]
    session: Option<String>,
    /// Whether a trigger has brought the user into the pool; false without `user_pool_id`.
    migrated: bool,
}

impl StepKind for SignIn {
    const NAME: &'static str = "sign-in";
    const CALLS: &'static [&'static str] =
        &["cognito-idp:AdminGetUser", "cognito-idp:InitiateAuth", "cognito-idp:AdminInitiateAuth"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminInitiateAuth",
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- id: signed_in
  sign-in:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    username: \"{{ steps.user.username }}\"
    password: \"{{ inputs.password }}\"
  assert: result.challenge is none
";

    type Input = Input;
    type Output = Output;
    type Created = User;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        if input.flow == Flow::Admin && input.user_pool_id.is_none() {
            return Err(StepError::input(
                "user_pool_id",
                "the flow `admin` needs `user_pool_id`",
                "write `user_pool_id: \"{{ steps.stack.outputs.UserPoolId }}\"`",
            ));
        }
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        occasion.through(sign_in(&cx, &input)).await
    }
}

async fn sign_in(cx: &Context, input: &Input) -> Result<Output, StepError> {
    let pool = input.user_pool_id.as_deref();
    let migration = Migration::ahead(cx, pool, &input.username).await?;
    let answer = initiate(cx, input).await;
    let migrated = match migration {
        Some(migration) => {
            let token = answer.as_ref().ok().and_then(|answer| answer.access_token.as_deref());
            migration.over(cx, &answer, token.and_then(Claims::of).as_ref()).await?
        }
        None => false,
    };
    match answer {
        Ok(answer) => Ok(Output { username: input.username.clone(), migrated, ..answer }),
        Err(error) => Err(explained(error, input.flow)),
    }
}

async fn initiate(cx: &Context, input: &Input) -> Result<Output, CallError> {
    let secret = input.client_secret.as_deref();
    let hash = secret_hash(secret, &input.client_id, &input.username);
    let parameters = [("USERNAME", &input.username), ("PASSWORD", &input.password)]
        .into_iter()
        .chain(hash.as_ref().map(|hash| ("SECRET_HASH", hash)))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let later = AuthenticationResultType::builder().access_token(cx.later("access_token")).build();
    let (tokens, challenge, parameters, session) = match (input.flow, &input.user_pool_id) {
        (Flow::Admin, Some(user_pool_id)) => {
            let request = cx
                .aws
                .cognito()
                .admin_initiate_auth()
                .user_pool_id(user_pool_id)
                .client_id(&input.client_id)
                .auth_flow(input.flow.of_sdk())
                .set_auth_parameters(Some(parameters))
                .set_client_metadata(input.client_metadata.clone());
            let placeholder =
                || Ok(AdminInitiateAuthOutput::builder().authentication_result(later).build());
            let it = cx.aws.call(request.send(), placeholder).await?;
            (it.authentication_result, it.challenge_name, it.challenge_parameters, it.session)
        }
        (Flow::Admin | Flow::UserPassword, _) => {
            let request = cx
                .aws
                .cognito()
                .initiate_auth()
                .client_id(&input.client_id)
                .auth_flow(input.flow.of_sdk())
                .set_auth_parameters(Some(parameters))
                .set_client_metadata(input.client_metadata.clone());
            let placeholder =
                || Ok(InitiateAuthOutput::builder().authentication_result(later).build());
            let it = cx.aws.call(request.send(), placeholder).await?;
            (it.authentication_result, it.challenge_name, it.challenge_parameters, it.session)
        }
    };
    Ok(output(tokens, challenge.as_ref(), parameters, session))
}

fn output(
    tokens: Option<AuthenticationResultType>,
    challenge: Option<&ChallengeNameType>,
    parameters: Option<HashMap<String, String>>,
    session: Option<String>,
) -> Output {
    let expires_in = tokens.as_ref().map(AuthenticationResultType::expires_in);
    let tokens = tokens.unwrap_or_else(|| AuthenticationResultType::builder().build());
    Output {
        access_token: tokens.access_token,
        id_token: tokens.id_token,
        refresh_token: tokens.refresh_token,
        token_type: tokens.token_type,
        expires_in,
        challenge: challenge.map(|name| name.as_str().to_owned()),
        challenge_parameters: parameters.unwrap_or_default().into_iter().collect(),
        session,
        ..Output::default()
    }
}

/// What to do about refusals that lie in how the app client is set up.
fn explained(error: CallError, flow: Flow) -> StepError {
    let help = if error.message.contains("SECRET_HASH") || error.message.contains("secret hash") {
        "the app client has a secret: give it as `client_secret`".to_owned()
    } else if error.message.contains("flow not enabled") {
        format!("add {} to the app client's `explicit_auth_flows`", flow.allowance())
    } else {
        return error.into();
    };
    StepError::Failed {
        code: error.code.unwrap_or_default(),
        message: error.message,
        help: Some(help),
        details: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::aws::Outcome;

    fn refusal(message: &str) -> CallError {
        CallError {
            service: "cognito-idp".to_owned(),
            operation: "InitiateAuth".to_owned(),
            code: Some("NotAuthorizedException".to_owned()),
            message: message.to_owned(),
            status: Some(400),
            request_id: None,
            outcome: Outcome::Refused,
        }
    }

    #[test]
    fn what_an_app_client_lacks_is_said() {
        let of = |message, flow| {
            let error = explained(refusal(message), flow);
            assert_eq!(error.code(), "NotAuthorizedException");
            error.help().unwrap_or_default().to_owned()
        };
        let secret = "Client 7 is configured with secret but SECRET_HASH was not received";
        assert!(of(secret, Flow::UserPassword).contains("client_secret"));
        let flow = "USER_PASSWORD_AUTH flow not enabled for this client";
        assert!(of(flow, Flow::UserPassword).contains(" ALLOW_USER_PASSWORD_AUTH "));
        assert!(of(flow, Flow::Admin).contains(" ALLOW_ADMIN_USER_PASSWORD_AUTH "));
        assert_eq!(of("Incorrect username or password.", Flow::UserPassword), "");
    }

    #[test]
    fn a_challenge_comes_without_tokens() {
        let challenge = ChallengeNameType::NewPasswordRequired;
        let answer = output(None, Some(&challenge), None, Some("session".to_owned()));
        assert_eq!(answer.challenge.as_deref(), Some("NEW_PASSWORD_REQUIRED"));
        assert_eq!((answer.access_token, answer.expires_in), (None, None));
        assert_eq!(answer.session.as_deref(), Some("session"));
    }
}
