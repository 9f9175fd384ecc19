//! `create-user-pool-client`: an app client of a user pool.

use aws_sdk_cognitoidentityprovider::types::ExplicitAuthFlowsType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::user_pool_client::{self, UserPoolClient};
use engine::step::{Context, StepError, StepKind};

/// `create-user-pool-client`.
pub struct CreateUserPoolClient;

/// Creates an app client of a user pool.
///
/// Several clients of a pool may have one name, and clients have no tags. Where nobody knows whether the client was made,
/// it is told by its name, if that holds the run's id, as it does by default; under another name, nothing is deleted, and
/// clean-up names the clients that may be meant.
///
/// The request is never repeated by itself: each one would make another client.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The pool's id.
    user_pool_id: String,
    /// The client's name; made from the run's id and the step's when absent.
    #[schemars(extend("x-stored" = true))]
    client_name: Option<String>,
    /// The ways in which users may sign in, such as `ALLOW_USER_PASSWORD_AUTH` and `ALLOW_REFRESH_TOKEN_AUTH`; Cognito's
    /// own choice, which is without passwords, when absent.
    #[serde(default)]
    explicit_auth_flows: Vec<String>,
    /// Whether the client has a secret, which every request must prove to know.
    #[serde(default)]
    generate_secret: bool,
}

/// What the client is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The pool's id.
    #[schemars(extend("x-known" = true))]
    user_pool_id: String,
    /// The client's name.
    #[schemars(extend("x-known" = true))]
    client_name: String,
    /// The client's id.
    #[schemars(extend("x-from" = "cognito-idp:CreateUserPoolClient UserPoolClient.ClientId"))]
    client_id: String,
    /// The client's secret; null where it has none.
    #[schemars(extend("x-secret" = true, "x-from" = "cognito-idp:CreateUserPoolClient UserPoolClient.ClientSecret"))]
    client_secret: Option<String>,
}

impl StepKind for CreateUserPoolClient {
    const NAME: &'static str = "create-user-pool-client";
    const CALLS: &'static [&'static str] = &["cognito-idp:CreateUserPoolClient"];
    const PERMISSIONS: &'static [&'static str] = &["cognito-idp:CreateUserPoolClient"];
    const EXAMPLE: &'static str = "\
- id: client
  create-user-pool-client:
    user_pool_id: \"{{ steps.pool.user_pool_id }}\"
    explicit_auth_flows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
";

    type Input = Input;
    type Output = Output;
    type Created = UserPoolClient;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let made = UserPoolClient {
            client_name: input.client_name.unwrap_or_else(|| cx.own_name(128)),
            user_pool_id: input.user_pool_id,
        };
        let flows = input.explicit_auth_flows.iter();
        let flows: Vec<_> = flows.map(|flow| ExplicitAuthFlowsType::from(flow.as_str())).collect();
        let request = cx
            .aws
            .cognito()
            .create_user_pool_client()
            .set_explicit_auth_flows(Some(flows).filter(|flows| !flows.is_empty()));
        let (client_id, client_secret) =
            user_pool_client::create(&cx, &made, input.generate_secret, request).await?;
        let UserPoolClient { user_pool_id, client_name } = made;
        Ok(Output { user_pool_id, client_name, client_id, client_secret })
    }
}
