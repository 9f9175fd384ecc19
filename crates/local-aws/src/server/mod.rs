//! The listener, which service a request is for, and an injector of faults.

mod admission;
mod connections;
mod listener;
pub mod middleware;
pub mod modelled;
mod route;
mod service;
mod signature;
#[cfg(test)]
mod tests;
mod v2;
mod visitor;

pub(crate) use visitor::is_loopback_host;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use hyper::HeaderMap;
use serde_json::json;
use tokio::net::TcpListener;

pub use admission::KeyPair;
pub use listener::{Handler, Listening, serve};
pub use middleware::Middleware;
pub use route::operation;
pub use service::{Comparison, Interface, Service, Tagged};

use self::admission::Keys;
use self::middleware::{After, Before};
use super::SERVICES;
use super::account::latency::LatencyProfile;
use super::account::{Account, AccountOptions};
use super::http::{BoxFuture, Credential, Request, Response};
use super::protocol::{AwsError, Protocol};
use super::sts;

/// What an embedded AWS is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalOptions {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// How long things take.
    pub latency: LatencyProfile,
    /// The region of requests that name none, and of services that know none.
    pub region: String,
    /// The account of callers whose keys say nothing else; twelve digits.
    pub account_id: String,
    /// The command, and its first arguments, that handler processes are started with.
    pub launcher: Vec<OsString>,
    /// The one key pair that requests are taken from, beside those that this AWS issues; any, where there is none.
    pub required: Option<KeyPair>,
}

/// An embedded AWS that is running. Its background tasks end with it.
#[derive(Debug)]
pub struct LocalAws {
    account: Account,
    listening: Option<Listening>,
}

impl LocalAws {
    /// Starts an empty AWS on the current tokio runtime.
    pub async fn start(options: LocalOptions) -> io::Result<Self> {
        Self::launch(options, None).await
    }

    /// Starts an empty AWS whose every request passes through `middleware`.
    pub async fn start_with(
        options: LocalOptions,
        middleware: Arc<dyn Middleware>,
    ) -> io::Result<Self> {
        Self::launch(options, Some(middleware)).await
    }

    async fn launch(
        options: LocalOptions,
        middleware: Option<Arc<dyn Middleware>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let endpoint_url = format!("http://{}", listener.local_addr()?);
        let required = options.required;
        let options = AccountOptions {
            account_id: options.account_id,
            region: options.region,
            latency: options.latency,
            endpoint_url,
            launcher: options.launcher,
        };
        let account = Account::open(options, SERVICES.to_vec());
        if let Some(middleware) = &middleware {
            middleware.opened(&account);
        }
        let router: Arc<dyn Handler> =
            Arc::new(Router { account: account.clone(), middleware, required });
        Ok(Self { account, listening: Some(serve(listener, router)?) })
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        self.account.endpoint_url()
    }

    /// The account of callers whose keys say nothing else, in the region that it was started with.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Answers nothing more and ends every background task and every handler process.
    pub async fn shutdown(mut self) {
        if let Some(listening) = self.listening.take() {
            listening.close().await;
        }
        self.account.shutdown().await;
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        self.account.abort_tasks();
    }
}

struct Router {
    account: Account,
    middleware: Option<Arc<dyn Middleware>>,
    required: Option<KeyPair>,
}

impl fmt::Debug for Router {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Router").field("services", &self.names()).finish_non_exhaustive()
    }
}

impl Handler for Router {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            if let Some(service) = self.open_to_all(&request.headers, path_of(&request)) {
                return service.page(&self.account, &request).await;
            }
            if admission::is_closed(&request, self.required.as_ref()) {
                return Some(admission::ask_for_credentials());
            }
            if let Some(page) = self.internal_page(&request) {
                return Some(page);
            }
            for service in self.account.services() {
                if let Some(page) = service.page(&self.account, &request).await {
                    return Some(page);
                }
            }
            let response = match self.admit(&request) {
                Ok((service, account, credential)) => {
                    request.credential = Some(credential);
                    self.call(service, &account, &request).await?
                }
                Err((protocol, error)) => protocol.error(&error, &request.request_id),
            };
            Some(
                response
                    .with_header("x-amzn-requestid", &request.request_id)
                    .with_header("x-amz-request-id", &request.request_id),
            )
        })
    }

    fn has_pages(&self) -> bool {
        true
    }

    fn is_open_to_all(&self, headers: &HeaderMap, path: &str) -> bool {
        self.open_to_all(headers, path).is_some()
    }
}

/// The service of a request, the account and the region that it is about, and who has signed it.
type Admitted = (&'static dyn Service, Account, Credential);

/// The path of a request, as it was sent.
fn path_of(request: &Request) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

impl Router {
    /// The service that answers a request of anybody's.
    fn open_to_all(&self, headers: &HeaderMap, path: &str) -> Option<&'static dyn Service> {
        let mut services = self.account.services().iter().copied();
        services.find(|service| service.is_open_to_all(headers, path))
    }

    /// The pages of this program, which AWS does not have.
    fn internal_page(&self, request: &Request) -> Option<Response> {
        if request.method != hyper::Method::GET || request.header("authorization").is_some() {
            return None;
        }
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let page = match path.as_slice() {
            [] if request.query.is_empty() => json!({
                "what": "an AWS account inside `playbook`",
                "endpoint_url": self.account.endpoint_url(),
                "region": self.account.region,
                "account": self.account.id,
                "services": self.names(),
            }),
            ["_playbook", "health"] => json!({"status": "ok", "services": self.names()}),
            _ => return None,
        };
        Some(Response::new(200, "application/json", page.to_string()))
    }

    fn names(&self) -> Vec<&'static str> {
        self.account.services().iter().map(|service| service.name()).collect()
    }

    fn admit(&self, request: &Request) -> Result<Admitted, (Protocol, AwsError)> {
        let anonymous = route::anonymous(request, &self.account.region)
            .or_else(|| route::presigned_v2(request, &self.account.region))
            .map(Ok);
        let given = anonymous.unwrap_or_else(|| route::credential(request));
        let credential = given.map_err(|error| {
            if error.code == "MissingAuthenticationToken" && route::is_for_object(request) {
                return (Protocol::RestXml, AwsError::new(403, "AccessDenied", "Access Denied"));
            }
            let protocol = route::guess_service(request)
                .map_or_else(|| route::guess_protocol(request), Service::protocol);
            (protocol, route::in_dialect(error, protocol))
        })?;
        let Some(service) = self.account.service(&credential.service) else {
            let error = self.unsupported(&credential.service);
            return Err((route::guess_protocol(request), error));
        };
        let protocol = service.protocol();
        let in_dialect = |error| (protocol, route::in_dialect(error, protocol));
        let region = self.region(service, &credential).map_err(in_dialect)?;
        self.check_lifetime(&credential).map_err(in_dialect)?;
        admission::admit(request, &credential, protocol, &self.keys())
            .map_err(|error| (protocol, error))?;
        let owner = self.account.state::<sts::State>().account_of(&credential.access_key);
        let account = self.account.at(owner.as_deref().unwrap_or(&self.account.id), &region);
        Ok((service, account, credential))
    }

    /// The region that a request is about.
    fn region(&self, service: &dyn Service, credential: &Credential) -> Result<String, AwsError> {
        let region = if service.is_global() { &self.account.region } else { &credential.region };
        if route::is_region(region) || *region == self.account.region {
            return Ok(region.clone());
        }
        Err(wrong_region(region))
    }

    /// Refuses credentials of a role that have come to their end.
    fn check_lifetime(&self, credential: &Credential) -> Result<(), AwsError> {
        let (sts, now) = (self.account.state::<sts::State>(), self.account.now());
        if !sts.is_expired(&credential.access_key, now) {
            return Ok(());
        }
        let message = "The security token included in the request is expired";
        Err(AwsError::new(403, "ExpiredToken", message))
    }

    fn keys(&self) -> Keys<'_> {
        Keys { required: self.required.as_ref(), account: &self.account }
    }

    fn unsupported(&self, name: &str) -> AwsError {
        let message = format!(
            "The local AWS of playbook has no service named '{name}'. It has: {}. Call a real AWS for this one.",
            self.names().join(", ")
        );
        AwsError::bad_request("UnsupportedService", message)
    }

    /// `None` closes the connection.
    async fn call(
        &self,
        service: &dyn Service,
        account: &Account,
        request: &Request,
    ) -> Option<Response> {
        let Some(middleware) = &self.middleware else {
            return Some(service.handle(account, request).await);
        };
        match middleware.before(service, request).await {
            Before::Proceed => {}
            Before::Refuse(error) => {
                return Some(service.protocol().error(&error, &request.request_id));
            }
            Before::Respond(response) => return Some(response),
            Before::Drop => return None,
        }
        let response = service.handle(account, request).await;
        match middleware.after(service, request, &response).await {
            After::Deliver => Some(response),
            After::Replace(other) => Some(other),
            After::Cut => Some(response.cut()),
            After::Drop => None,
        }
    }
}

fn wrong_region(region: &str) -> AwsError {
    let message = format!(
        "Credential should be scoped to a valid region. The request was signed for {region}, which is none."
    );
    AwsError::new(403, "InvalidSignature", message)
}
