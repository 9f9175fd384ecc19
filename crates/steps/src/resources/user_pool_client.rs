//! App clients of Cognito user pools.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool_client::CreateUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::create_user_pool_client::builders::CreateUserPoolClientFluentBuilder;
use aws_sdk_cognitoidentityprovider::operation::delete_user_pool_client::DeleteUserPoolClientOutput;
use aws_sdk_cognitoidentityprovider::operation::list_user_pool_clients::ListUserPoolClientsOutput;
use aws_sdk_cognitoidentityprovider::types::{UserPoolClientDescription, UserPoolClientType};
use serde::{Deserialize, Serialize};

use super::planned::Planned;
use engine::aws::CallError;
use engine::step::{Context, Resource, StepError, Undone};

/// A client that the run made.
#[derive(Serialize, Deserialize)]
pub struct UserPoolClient {
    pub(crate) user_pool_id: String,
    pub(crate) client_name: String,
}

/// The client's id.
#[derive(Serialize, Deserialize)]
pub struct UserPoolClientIds {
    client_id: String,
}

/// Creates a client, as `request` says. The request is never repeated: each one would make another client.
pub(crate) async fn create(
    cx: &Context,
    made: &UserPoolClient,
    generate_secret: bool,
    request: CreateUserPoolClientFluentBuilder,
) -> Result<(String, Option<String>), StepError> {
    let entry = cx.intend(made)?;
    let once = Builder::new().retry_config(RetryConfig::disabled());
    let request = request
        .user_pool_id(&made.user_pool_id)
        .client_name(&made.client_name)
        .generate_secret(generate_secret)
        .customize()
        .config_override(once);
    let secret = generate_secret.then(|| cx.later("client_secret"));
    let placeholder = || {
        let client = UserPoolClientType::builder().client_id(cx.later("client_id"));
        let client = client.set_client_secret(secret).build();
        Ok(CreateUserPoolClientOutput::builder().user_pool_client(client).build())
    };
    let client = match cx.aws.call(request.send(), placeholder).await {
        Ok(output) => output.user_pool_client,
        Err(error) => return Err(entry.error(error)),
    };
    let Some(UserPoolClientType { client_id: Some(client_id), client_secret, .. }) = client else {
        let message = "CreateUserPoolClient returned no client";
        return Err(entry.error(StepError::failed("InvalidOutput", message)));
    };
    entry.done(&UserPoolClientIds { client_id: client_id.clone() })?;
    Ok((client_id, client_secret))
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
        // Nobody but Cognito chooses a client's id, and it is never given again. Where the request arrived twice, there is
        // another client of that name.
        let known = ids.map(|ids| ids.client_id);
        let telling = self.client_name.contains(cx.run.id.as_str());
        let mut candidates: Vec<String> = known.iter().cloned().collect();
        if known.is_none() || telling {
            let named = named(&cx, &self, Planned::There).await?;
            candidates.extend(named.into_iter().filter(|id| Some(id) != known.as_ref()));
        }
        if known.is_none() && !telling && !candidates.iter().all(|id| cx.is_unknown(id)) {
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
