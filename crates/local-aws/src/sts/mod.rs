//! STS: who is calling, and credentials of roles.

mod assume_role;
mod sessions;

pub use sessions::{Identity, SessionCredentials, State};

use super::account::Account;
use super::http::{BoxFuture, Request, Response};
use super::iam;
use super::protocol::query::{self, Params};
use super::protocol::xml::Element;
use super::protocol::{AwsError, Protocol};
use super::server::{self, Interface};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// STS, as the listener sees it.
#[derive(Debug)]
pub struct Service;

fn call(account: &Account, request: &Request) -> Result<(&'static str, Option<Element>), AwsError> {
    let params = Params::of(request);
    match params.action() {
        Some("AssumeRole") => {
            let result = assume_role::assume_role(account, request, &params)?;
            Ok(("AssumeRole", Some(result)))
        }
        Some("GetCallerIdentity") => {
            Ok(("GetCallerIdentity", Some(caller_identity(account, request))))
        }
        other => Err(query::unknown_action(other, &params, &["AssumeRole", "GetCallerIdentity"])),
    }
}

/// Who has signed a request.
fn caller(account: &Account, request: &Request) -> Identity {
    let access_key = request.credential.as_ref().map_or("", |credential| &credential.access_key);
    account.state::<State>().identity(access_key, &account.id, &account.state::<iam::State>())
}

fn caller_identity(account: &Account, request: &Request) -> Element {
    let identity = caller(account, request);
    Element::new("GetCallerIdentityResult")
        .text("Arn", identity.arn)
        .text("UserId", identity.user_id)
        .text("Account", &account.id)
}

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "sts"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::Query { namespace: NAMESPACE },
            target: "AWSSecurityTokenServiceV20110615",
            version: "2011-06-15",
            paths: &[],
        }
    }

    fn is_global(&self) -> bool {
        true
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        let response = match call(account, request) {
            Ok((action, result)) => query::reply(NAMESPACE, action, result, &request.request_id),
            Err(error) => query::error(NAMESPACE, &error, &request.request_id),
        };
        Box::pin(std::future::ready(response))
    }
}
