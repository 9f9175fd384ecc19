//! `delete-user`: a user who leaves.

use aws_sdk_cognitoidentityprovider::operation::delete_user::DeleteUserOutput;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sign_up::user::User;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `delete-user`.
pub struct DeleteUser;

/// Deletes the user whose access token is given, as the user does.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The user's access token, from `sign-in`.
    #[schemars(extend("x-secret" = true))]
    access_token: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The user's name, as the token has it.
    username: Option<String>,
}

impl StepKind for DeleteUser {
    const NAME: &'static str = "delete-user";
    const CALLS: &'static [&'static str] = &["cognito-idp:DeleteUser"];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- delete-user: {access_token: \"{{ steps.signed_in.access_token }}\"}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let claims = claims(&input.access_token);
        let request = cx.aws.cognito().delete_user().access_token(input.access_token);
        cx.aws.call(request.send(), || Ok(DeleteUserOutput::builder().build())).await?;
        if let Some(claims) = &claims {
            cx.settle::<User>(|user| {
                user.user_pool_id == claims.user_pool_id() && user.username == claims.username
            })?;
        }
        Ok(Output { username: claims.map(|claims| claims.username) })
    }
}

/// What an access token says of its user. Cognito has checked it; it is only read here.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Claims {
    iss: String,
    username: String,
}

impl Claims {
    /// The issuer's URL ends in the pool's id.
    fn user_pool_id(&self) -> &str {
        self.iss.rsplit('/').next().unwrap_or_default()
    }
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_user_and_pool() {
        let payload = r#"{"sub":"1","iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a","username":"ann"}"#;
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let claims = claims(&token).expect("claims");
        assert_eq!((claims.username.as_str(), claims.user_pool_id()), ("ann", "eu-central-1_a"));
    }

    #[test]
    fn what_is_no_token_says_nothing() {
        for text in ["", "⟨steps.signed_in.access_token⟩", "a.b", "e30.e30.", "..", "a.{}.c"] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}
