//! API Gateway: HTTP and REST APIs, which call functions for whoever asks them over HTTP.
//!
//! | module | what it is |
//! |---|---|
//! | [`http_apis`] | the operations on HTTP APIs, their routes, integrations, stages and authorizers |
//! | [`rest_apis`] | the operations on REST APIs, their resources, methods, deployments, stages and authorizers |
//! | [`front`] | what answers at `/_api/ID/…`, and under the names of APIs |
//! | [`resource_types`] | what stacks can have of it |

pub(crate) mod front;
mod http_apis;
mod resource_types;
mod rest_apis;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use self::front::grants::Grants;
use self::http_apis::Api;
use self::rest_apis::RestApi;
use crate::account::feed::{ChangeEvent, Outbox};
use crate::account::{self, Account};
use crate::cloudformation::ResourceType;
use crate::http::{BoxFuture, Request, Response};
use crate::protocol::{AwsError, Protocol};
use crate::server::modelled::{self, Model};
use crate::server::{self, Comparison, Interface};

const MODELS: &[Model] = &[http_apis::MODEL, rest_apis::MODEL];

/// APIs by id.
#[derive(Debug, Default)]
pub struct State {
    http: BTreeMap<String, Api>,
    rest: BTreeMap<String, RestApi>,
    /// The role that an account has for logs.
    log_role: Option<String>,
    /// What authorizers have said, for as long as they want it to be kept.
    verdicts: Grants<Value>,
    outbox: Outbox,
}

impl account::State for State {
    const SERVICE: &'static str = "apigateway";

    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        self.outbox.take()
    }
}

/// API Gateway, as the listener sees it.
#[derive(Debug)]
pub struct Service;

impl server::Service for Service {
    fn name(&self) -> &'static str {
        "apigateway"
    }

    fn interface(&self) -> Interface {
        Interface {
            protocol: Protocol::RestJson,
            target: "",
            version: "",
            paths: &["v2", "restapis"],
        }
    }

    fn operation(&self, request: &Request) -> String {
        modelled::operation(MODELS, request)
            .unwrap_or_else(|| format!("{} /{}", request.method, request.path.join("/")))
    }

    fn handle<'a>(&'a self, account: &'a Account, request: &'a Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            if let Some(response) = modelled::answer(MODELS, account, request).await {
                return response;
            }
            let message = format!(
                "The local AWS of playbook has no such operation of API Gateway: {} /{}",
                request.method,
                request.path.join("/")
            );
            let error = AwsError::new(404, "UnknownOperationException", message);
            Protocol::RestJson.error(&error, &request.request_id)
        })
    }

    fn is_open_to_all(&self, headers: &HeaderMap, path: &str) -> bool {
        front::address::is_for_an_api(headers, path)
    }

    fn page<'a>(
        &'a self,
        account: &'a Account,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Response>> {
        Box::pin(front::answer(account, request))
    }

    fn resource_types(&self) -> &'static [&'static ResourceType] {
        resource_types::ALL
    }

    fn tagged(&self, account: &Account) -> Vec<server::Tagged> {
        let state = account.state::<State>();
        let apis = state.http.iter().map(|(id, api)| server::Tagged {
            arn: format!("arn:aws:apigateway:{}::/apis/{id}", account.region),
            tags: api.tags(),
        });
        apis.collect()
    }

    fn snapshot(&self, account: &Account) -> Value {
        let state = account.state::<State>();
        let apis = state.http.iter().map(|(id, api)| (id.clone(), api.snapshot()));
        let rest = state.rest.iter().map(|(id, api)| (id.clone(), api.snapshot()));
        json!({
            "AWS::ApiGateway::RestApi": rest.collect::<Map<_, _>>(),
            "AWS::ApiGatewayV2::Api": apis.collect::<Map<_, _>>(),
        })
    }

    fn comparison(&self) -> Comparison {
        let volatile = &["LastUpdatedDate", "LastDeploymentStatusMessage", "lastUpdatedDate"];
        Comparison { has_types: true, volatile, ..Comparison::default() }
    }
}

/// Ten small letters and digits, as APIs are called.
fn api_id() -> String {
    id(10)
}

/// Small letters and digits, of which the first is a letter. They are not to be guessed: whoever knows an API's id may ask it.
fn id(length: usize) -> String {
    let text = crate::random::text(length * 4).to_ascii_lowercase();
    let starts = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or_default();
    text.chars().skip(starts).take(length).collect()
}
