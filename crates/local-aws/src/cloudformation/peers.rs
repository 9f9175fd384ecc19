//! The other services of this account, called as clients call them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::http::{Request, Response};
use crate::iam;
use crate::protocol::AwsError;
use crate::server;
use crate::world::World;

/// However fast this AWS goes, others must have their turn between two looks at the same thing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);

/// The services that resources are made by.
#[derive(Clone)]
pub struct Peers {
    /// The account.
    pub world: Arc<World>,
    services: Vec<Arc<dyn server::Service>>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.services.iter().map(|service| service.name()).collect();
        formatter.debug_struct("Peers").field("services", &names).finish_non_exhaustive()
    }
}

impl Peers {
    /// Those services of that account.
    #[must_use]
    pub fn new(world: Arc<World>, services: Vec<Arc<dyn server::Service>>) -> Self {
        Self { world, services }
    }

    /// Calls an operation of a service that speaks JSON 1.0 or 1.1.
    pub async fn json(
        &self,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let target = format!("{service}.{operation}");
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&target) {
            headers.insert(HeaderName::from_static("x-amz-target"), value);
        }
        let request = request(Method::POST, &[], headers, Some(input));
        self.call(service, &request).await
    }

    /// Calls an operation of a service that goes by methods and paths.
    pub async fn rest(
        &self,
        service: &str,
        method: Method,
        path: &[&str],
        input: Option<&Value>,
    ) -> Result<Value, AwsError> {
        self.call(service, &request(method, path, HeaderMap::new(), input)).await
    }

    /// Changes roles and policies.
    pub fn iam<T>(
        &self,
        act: impl FnOnce(&mut iam::State, &iam::Context) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let context =
            iam::Context { account_id: self.world.account_id.clone(), now: self.world.now() };
        act(&mut self.world.state().iam, &context)
    }

    /// Waits for what AWS waits `real` for.
    pub async fn pause(&self, real: Duration) {
        tokio::time::sleep(self.world.pace.scale(real).max(SHORTEST_PAUSE)).await;
    }

    async fn call(&self, name: &str, request: &Request) -> Result<Value, AwsError> {
        let service = self.services.iter().find(|service| service.name() == name);
        let Some(service) = service else {
            let message = format!("The local AWS of playbook has no service named '{name}'.");
            return Err(AwsError::bad_request("UnsupportedService", message));
        };
        outcome(&service.handle(request).await)
    }
}

fn request(method: Method, path: &[&str], headers: HeaderMap, input: Option<&Value>) -> Request {
    Request {
        method,
        target: String::new(),
        path: path.iter().map(|segment| (*segment).to_owned()).collect(),
        trailing_slash: false,
        query: Vec::new(),
        headers,
        body: input.map_or_else(Bytes::new, |input| Bytes::from(input.to_string())),
        request_id: super::uuid(),
        credential: None,
    }
}

fn outcome(response: &Response) -> Result<Value, AwsError> {
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    if response.status < 300 {
        return Ok(body);
    }
    let member = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| body.get(name).and_then(Value::as_str));
        found.unwrap_or_default().to_owned()
    };
    let header =
        response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-errortype"));
    let code = header.map_or_else(|| member(["__type", "code"]), |(_, code)| code.clone());
    Err(AwsError::new(response.status, &code, member(["message", "Message"])))
}
