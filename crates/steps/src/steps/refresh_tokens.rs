//! `refresh-tokens`: new tokens for a user who has signed in.

use aws_sdk_cognitoidentityprovider::operation::get_tokens_from_refresh_token::GetTokensFromRefreshTokenOutput;
use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user_pool_triggers::failure::Occasion;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `refresh-tokens`.
pub struct RefreshTokens;

/// Gets new tokens for a user who has signed in, from the refresh token.
///
/// One that was revoked, or has expired, is the error `NotAuthorizedException`. The app client must allow
/// `ALLOW_REFRESH_TOKEN_AUTH` in its `explicit_auth_flows`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The app client's id.
    client_id: String,
    /// The app client's secret, where it has one.
    #[schemars(extend("x-secret" = true))]
    client_secret: Option<String>,
    /// The refresh token that the sign-in returned.
    #[schemars(extend("x-secret" = true))]
    refresh_token: String,
    /// The pool's id, to look for the log of a function of its that fails. Without it, the pool is known where this run
    /// has made the client or set the pool's triggers.
    user_pool_id: Option<String>,
}

/// The new tokens.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The token that acts as the user.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:GetTokensFromRefreshToken AuthenticationResult.AccessToken"))]
    access_token: Option<String>,
    /// The token that says who the user is.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:GetTokensFromRefreshToken AuthenticationResult.IdToken"))]
    id_token: Option<String>,
    /// The refresh token to use from now on: another one where the app client changes them, else the same.
    #[schemars(extend("x-secret" = true))]
    refresh_token: String,
    /// `Bearer`.
    #[schemars(extend("x-from" = "cognito-idp:GetTokensFromRefreshToken AuthenticationResult.TokenType"))]
    token_type: Option<String>,
    /// For how many seconds the tokens are good.
    #[schemars(extend("x-from" = "cognito-idp:GetTokensFromRefreshToken AuthenticationResult.ExpiresIn"))]
    expires_in: Option<i32>,
}

impl StepKind for RefreshTokens {
    const NAME: &'static str = "refresh-tokens";
    const CALLS: &'static [&'static str] = &["cognito-idp:GetTokensFromRefreshToken"];
    const CALLS_ON_FAILURE: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const PERMISSIONS: &'static [&'static str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "logs:FilterLogEvents",
    ];
    const EXAMPLE: &'static str = "\
- id: refreshed
  refresh-tokens:
    client_id: \"{{ steps.stack.outputs.UserPoolClientId }}\"
    refresh_token: \"{{ steps.signed_in.refresh_token }}\"
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = cx
            .aws
            .cognito()
            .get_tokens_from_refresh_token()
            .client_id(&input.client_id)
            .set_client_secret(input.client_secret)
            .refresh_token(&input.refresh_token);
        let placeholder = || {
            let tokens = AuthenticationResultType::builder().access_token(cx.later("access_token"));
            let output = GetTokensFromRefreshTokenOutput::builder();
            Ok(output.authentication_result(tokens.build()).build())
        };
        let occasion = Occasion::new(&cx, input.user_pool_id.as_deref(), Some(&input.client_id));
        let refresh = async { Ok(cx.aws.call(request.send(), placeholder).await?) };
        let tokens = occasion.through(refresh).await?.authentication_result;
        let tokens = tokens.unwrap_or_else(|| AuthenticationResultType::builder().build());
        Ok(Output {
            expires_in: Some(tokens.expires_in()),
            access_token: tokens.access_token,
            id_token: tokens.id_token,
            refresh_token: tokens.refresh_token.unwrap_or(input.refresh_token),
            token_type: tokens.token_type,
        })
    }
}
