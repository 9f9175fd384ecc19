//! The listener, which service a request is for, and a seam for faults.

mod admission;
mod connections;
mod listener;
pub mod middleware;
mod route;
mod service;
mod signature;
#[cfg(test)]
mod tests;
mod visitor;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;

pub use admission::KeyPair;
pub use listener::{Handler, Listening, serve};
pub use middleware::Middleware;
pub use service::Service;

use self::admission::Keys;
use self::middleware::{After, Before};
use super::http::{BoxFuture, Request, Response};
use super::protocol::{AwsError, Protocol};
use super::world::{Pace, World};
use super::{cloudformation, cognito, dynamodb, iam, lambda, logs, s3, sts};

/// What an embedded AWS is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalOptions {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// How fast things happen.
    pub pace: Pace,
    /// The one region that there is.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// The command, and its first arguments, that handler processes are started with.
    pub launcher: Vec<OsString>,
    /// The one key pair that requests are taken from, beside those that this AWS issues; any, where there is none.
    pub required: Option<KeyPair>,
}

/// An embedded AWS that is running.
#[derive(Debug)]
pub struct LocalAws {
    world: Arc<World>,
    listening: Listening,
    router: Arc<Router>,
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
        let world =
            Arc::new(World::new(options.account_id, options.region, options.pace, endpoint_url));
        let lambda = lambda::Service::new(Arc::clone(&world), options.launcher);
        let cognito = cognito::Service::new(Arc::clone(&world), Arc::new(lambda.clone()));
        let makers: Vec<Arc<dyn Service>> = vec![
            Arc::new(logs::Service::new(Arc::clone(&world))),
            Arc::new(lambda.clone()),
            Arc::new(cognito.clone()),
            Arc::new(dynamodb::Service::new(Arc::clone(&world))),
        ];
        let services: Vec<Box<dyn Service>> = vec![
            Box::new(sts::Service::new(Arc::clone(&world))),
            Box::new(iam::Service::new(Arc::clone(&world))),
            Box::new(logs::Service::new(Arc::clone(&world))),
            // Before Lambda, so that nothing is being made any more when its processes end.
            Box::new(cloudformation::Service::new(Arc::clone(&world), makers)),
            Box::new(lambda),
            Box::new(cognito),
            Box::new(dynamodb::Service::new(Arc::clone(&world))),
            Box::new(s3::Service::new(Arc::clone(&world))),
        ];
        let required = options.required;
        let router = Arc::new(Router { world: Arc::clone(&world), services, middleware, required });
        let handler: Arc<dyn Handler> = Arc::<Router>::clone(&router);
        Ok(Self { world, listening: serve(listener, handler)?, router })
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.world.endpoint_url
    }

    /// The account.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Answers nothing more and ends every handler process.
    pub async fn shutdown(self) {
        self.listening.close().await;
        for service in &self.router.services {
            service.shutdown().await;
        }
    }
}

struct Router {
    world: Arc<World>,
    services: Vec<Box<dyn Service>>,
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
            if admission::is_closed(&request, self.required.as_ref()) {
                return Some(admission::ask_for_credentials());
            }
            if let Some(page) = self.internal_page(&request) {
                return Some(page);
            }
            if let Some(page) = cognito::page(&self.world, &request).await {
                return Some(page);
            }
            let response = match self.admit(&request) {
                Ok((service, credential)) => {
                    request.credential = Some(credential);
                    self.call(service, &request).await?
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
}

impl Router {
    /// The pages of this program, which AWS does not have.
    fn internal_page(&self, request: &Request) -> Option<Response> {
        if request.method != hyper::Method::GET || request.header("authorization").is_some() {
            return None;
        }
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let page = match path.as_slice() {
            [] if request.query.is_empty() => json!({
                "what": "an AWS account inside `playbook`",
                "endpoint_url": self.world.endpoint_url,
                "region": self.world.region,
                "account": self.world.account_id,
                "services": self.names(),
            }),
            ["_playbook", "health"] => json!({"status": "ok", "services": self.names()}),
            _ => return None,
        };
        Some(Response::new(200, "application/json", page.to_string()))
    }

    fn names(&self) -> Vec<&'static str> {
        self.services.iter().map(|service| service.name()).collect()
    }

    fn service(&self, name: &str) -> Option<&dyn Service> {
        self.services.iter().find(|service| service.name() == name).map(AsRef::as_ref)
    }

    fn admit(
        &self,
        request: &Request,
    ) -> Result<(&dyn Service, super::http::Credential), (Protocol, AwsError)> {
        let anonymous = route::anonymous(request, &self.world.region).map(Ok);
        let given = anonymous.unwrap_or_else(|| route::credential(request));
        let credential = given.map_err(|error| {
            let protocol = route::guess_service(request)
                .and_then(|name| self.service(name))
                .map_or_else(|| route::guess_protocol(request), Service::protocol);
            (protocol, route::in_dialect(error, protocol))
        })?;
        let Some(service) = self.service(&credential.service) else {
            let error = self.unsupported(&credential.service);
            return Err((route::guess_protocol(request), error));
        };
        if !service.is_global() && credential.region != self.world.region {
            let error = self.wrong_region(&credential.region);
            return Err((service.protocol(), route::in_dialect(error, service.protocol())));
        }
        admission::admit(request, &credential, service.protocol(), &self.keys())
            .map_err(|error| (service.protocol(), error))?;
        Ok((service, credential))
    }

    fn keys(&self) -> Keys<'_> {
        Keys { required: self.required.as_ref(), account: &self.world }
    }

    fn unsupported(&self, name: &str) -> AwsError {
        let message = format!(
            "The local AWS of playbook has no service named '{name}'. It has: {}. Call a real AWS for this one.",
            self.names().join(", ")
        );
        AwsError::bad_request("UnsupportedService", message)
    }

    fn wrong_region(&self, region: &str) -> AwsError {
        let message = format!(
            "Credential should be scoped to a valid region. This local AWS is in {}, the request was signed for {region}.",
            self.world.region
        );
        AwsError::new(403, "InvalidSignature", message)
    }

    /// `None` closes the connection.
    async fn call(&self, service: &dyn Service, request: &Request) -> Option<Response> {
        let Some(middleware) = &self.middleware else {
            return Some(service.handle(request).await);
        };
        match middleware.before(service, request).await {
            Before::Proceed => {}
            Before::Refuse(error) => {
                return Some(service.protocol().error(&error, &request.request_id));
            }
            Before::Respond(response) => return Some(response),
            Before::Drop => return None,
        }
        let response = service.handle(request).await;
        match middleware.after(service, request, &response).await {
            After::Deliver => Some(response),
            After::Replace(other) => Some(other),
            After::Cut => Some(response.cut()),
            After::Drop => None,
        }
    }
}
