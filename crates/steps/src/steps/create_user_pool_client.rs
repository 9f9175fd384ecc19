//! `create-user-pool-client`: an app client of a user pool.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool_client::CreateUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::delete_user_pool_client::DeleteUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pool_clients::ListUserPoolClientsOutput;
use aws_sdk_cognitoidentityprovider::types::{
    ExplicitAuthFlowsType, UserPoolClientDescription, UserPoolClientType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::create_function::Planned;
use engine::aws::CallError;
use engine::step::{Context, Resource, StepError, StepKind, Undone};

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

/// A client that the run made.
#[derive(Serialize, Deserialize)]
pub struct UserPoolClient {
    pub(super) user_pool_id: String,
    client_name: String,
}

/// The client's id.
#[derive(Serialize, Deserialize)]
pub struct UserPoolClientIds {
    client_id: String,
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
            client_name: input.client_name.unwrap_or_else(|| name(&cx.run.id, &cx.step)),
            user_pool_id: input.user_pool_id,
        };
        let entry = cx.intend(&made)?;
        let flows: Vec<_> = input
            .explicit_auth_flows
            .iter()
            .map(|flow| ExplicitAuthFlowsType::from(flow.as_str()))
            .collect();
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = cx
            .aws
            .cognito()
            .create_user_pool_client()
            .user_pool_id(&made.user_pool_id)
            .client_name(&made.client_name)
            .set_explicit_auth_flows(Some(flows).filter(|flows| !flows.is_empty()))
            .generate_secret(input.generate_secret)
            .customize()
            .config_override(once);
        let secret = input.generate_secret.then(|| cx.later("client_secret"));
        let placeholder = || {
            let client = UserPoolClientType::builder().client_id(cx.later("client_id"));
            let client = client.set_client_secret(secret).build();
            Ok(CreateUserPoolClientOutput::builder().user_pool_client(client).build())
        };
        let client = match cx.aws.call(request.send(), placeholder).await {
            Ok(output) => output.user_pool_client,
            Err(error) => return Err(entry.error(error)),
        };
        let Some(UserPoolClientType { client_id: Some(client_id), client_secret, .. }) = client
        else {
            let message = "CreateUserPoolClient returned no client";
            return Err(entry.error(StepError::failed("InvalidOutput", message)));
        };
        entry.done(&UserPoolClientIds { client_id: client_id.clone() })?;
        let UserPoolClient { user_pool_id, client_name } = made;
        Ok(Output { user_pool_id, client_name, client_id, client_secret })
    }
}

/// A name that tells whose the client is.
fn name(run: &str, step: &str) -> String {
    let clean = |c: char| if c.is_alphanumeric() || "+=,.@-_ ".contains(c) { c } else { '-' };
    format!("playbook-{run}-{step}").chars().map(clean).take(128).collect()
}

/// The ids of the pool's clients of that name.
async fn named(
    cx: &Context,
    client: &UserPoolClient,
    planned: Planned,
) -> Result<Vec<String>, CallError> {
    let (mut ids, mut next_token) = (Vec::new(), None);
    loop {
        let request = cx
            .aws
            .cognito()
            .list_user_pool_clients()
            .user_pool_id(&client.user_pool_id)
            .max_results(60)
            .set_next_token(next_token);
        let placeholder = || {
            let found = UserPoolClientDescription::builder()
                .client_id(cx.later("client_id"))
                .client_name(&client.client_name)
                .build();
            let found = matches!(planned, Planned::There).then_some(vec![found]);
            Ok(ListUserPoolClientsOutput::builder().set_user_pool_clients(found).build())
        };
        let page = match cx.aws.call(request.send(), placeholder).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(ids),
            page => page?,
        };
        let clients = page.user_pool_clients.unwrap_or_default().into_iter();
        let of_that_name =
            clients.filter(|it| it.client_name() == Some(client.client_name.as_str()));
        ids.extend(of_that_name.filter_map(|it| it.client_id));
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(ids);
        }
    }
}

/// Deletes a client; whether it was there.
async fn delete(cx: &Context, user_pool_id: &str, client_id: &str) -> Result<bool, CallError> {
    let request =
        cx.aws.cognito().delete_user_pool_client().user_pool_id(user_pool_id).client_id(client_id);
    let placeholder = || Ok(DeleteUserPoolClientOutput::builder().build());
    match cx.aws.call(request.send(), placeholder).await {
        Ok(_) => Ok(true),
        Err(error) if error.is("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(error),
    }
}

impl Resource for UserPoolClient {
    const TYPE: &'static str = "AWS::Cognito::UserPoolClient";
    const UNDO: &'static [&'static str] =
        &["cognito-idp:ListUserPoolClients", "cognito-idp:DeleteUserPoolClient"];
    type Ids = UserPoolClientIds;

    fn label(&self) -> String {
        format!("{} of {}", self.client_name, self.user_pool_id)
    }

    async fn undo(self, cx: Context, ids: Option<UserPoolClientIds>) -> Result<Undone, StepError> {
        // Nobody but Cognito chooses a client's id, and it is never given again.
        let known = ids.is_some();
        let candidates = match ids {
            Some(ids) => vec![ids.client_id],
            None => named(&cx, &self, Planned::There).await?,
        };
        let planned = |id: &String| id.contains('⟨');
        let telling = self.client_name.contains(cx.run.id.as_str());
        if !known && !telling && !candidates.iter().all(planned) {
            let message = format!(
                "nobody knows whether the run made an app client {} of {}; delete it by hand if it did: {}",
                self.client_name,
                self.user_pool_id,
                candidates.join(", ")
            );
            return Err(StepError::failed("CannotTell", message));
        }
        let mut deleted = false;
        for client_id in &candidates {
            deleted |= delete(&cx, &self.user_pool_id, client_id).await?;
        }
        Ok(if deleted { Undone::Deleted } else { Undone::AlreadyGone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_the_run_and_only_what_cognito_allows() {
        assert_eq!(name("7f3a", "the/client"), "playbook-7f3a-the-client");
        assert_eq!(name("7f3a", &"x".repeat(200)).len(), 128);
    }
}
