//! Requests → operations.

use std::sync::Arc;

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::functions::{CreateFunction, UpdateFunctionCode};
use super::names::{Target, VALIDATION};
use super::{Lambda, State, asynchronous};
use crate::http::{Request, Response};
use crate::protocol::{AwsError, Constraints, rest};

impl Lambda {
    /// Answers a request.
    pub(super) async fn route(&self, request: &Request) -> Result<Response, AwsError> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (&request.method, path.as_slice()) {
            (&Method::POST, ["2015-03-31", "functions", name, "invocations"]) => {
                let target = self.target(request, name)?;
                self.invoke_request(request, &target).await
            }
            (method, ["2015-03-31", "functions"]) => self.functions(method, request).await,
            (&Method::PUT, ["2015-03-31", "functions", name, "code"]) => {
                self.update_code(&self.target(request, name)?, request).await
            }
            (&Method::DELETE, ["2015-03-31", "functions", name]) => {
                self.delete(&self.target(request, name)?)
            }
            (method, ["2015-03-31", "functions", name, rest @ ..]) => {
                let target = self.target(request, name)?;
                self.function(method, &target, rest, request)
            }
            (method, ["2017-03-31", "tags", resource @ ..]) if !resource.is_empty() => {
                // An ARN has no slash of its own, but clients may leave those of others unescaped.
                self.tags(method, &resource.join("/"), request)
            }
            (&Method::GET, ["2016-08-19", "account-settings"]) => {
                Ok(reply(&self.account.state::<State>().account_settings()))
            }
            (method, ["2017-10-31" | "2019-09-30", "functions", name, "concurrency"]) => {
                let target = self.target(request, name)?;
                self.concurrency(method, &target, request)
            }
            _ => Err(unknown(request)),
        }
    }

    fn target(&self, request: &Request, name: &str) -> Result<Target, AwsError> {
        Target::parse(name, request.query_value("Qualifier"), self.place())
    }

    async fn functions(&self, method: &Method, request: &Request) -> Result<Response, AwsError> {
        match *method {
            Method::GET => {
                let version = request.query_value("FunctionVersion");
                if let Some(version) = version {
                    Constraints::new()
                        .one_of("functionVersion", version, &["ALL"])
                        .check(VALIDATION)?;
                }
                let marker = request.query_value("Marker");
                let max_items = request.query_value("MaxItems");
                Ok(reply(&self.account.state::<State>().list_functions(
                    version.is_some(),
                    marker,
                    max_items,
                    self.context(),
                )?))
            }
            Method::POST => self.create(request).await,
            _ => Err(unknown(request)),
        }
    }

    async fn create(&self, request: &Request) -> Result<Response, AwsError> {
        let mut body: CreateFunction = body(request)?;
        self.fetch(body.code_mut(), request).await?;
        let can_assume = |role: &str| self.can_assume(role);
        let context = self.context();
        let created = self.account.state::<State>().create_function(body, context, &can_assume)?;
        if let Some(runtime) = created["Runtime"].as_str() {
            let (processes, runtime) = (Arc::clone(self.processes()), runtime.to_owned());
            self.account.spawn(async move { processes.prepare(&runtime).await });
        }
        Ok(rest::reply(201, &created))
    }

    async fn update_code(&self, target: &Target, request: &Request) -> Result<Response, AwsError> {
        let mut body: UpdateFunctionCode = body(request)?;
        self.fetch(Some(body.code_mut()), request).await?;
        let context = self.context();
        Ok(reply(&self.account.state::<State>().update_function_code(target, &body, context)?))
    }

    fn delete(&self, target: &Target) -> Result<Response, AwsError> {
        let context = self.context();
        let is_gone = self.account.state::<State>().delete_function(target, context)?;
        self.account
            .state::<asynchronous::State>()
            .forget(&target.name, target.qualifier.as_deref());
        if is_gone {
            self.processes().retire(&target.name);
        }
        Ok(Response::empty(204))
    }

    fn function(
        &self,
        method: &Method,
        target: &Target,
        rest: &[&str],
        request: &Request,
    ) -> Result<Response, AwsError> {
        let context = self.context();
        let mut lambda = self.account.state::<State>();
        match (method, rest) {
            (&Method::GET, []) => Ok(reply(&lambda.get_function(target, context)?)),
            (&Method::GET, ["configuration"]) => {
                Ok(reply(&lambda.get_function_configuration(target, context)?))
            }
            (&Method::PUT, ["configuration"]) => {
                let can_assume = |role: &str| self.can_assume(role);
                let body = body(request)?;
                Ok(reply(&lambda.update_function_configuration(
                    target,
                    body,
                    context,
                    &can_assume,
                )?))
            }
            (&Method::GET, ["policy"]) => Ok(reply(&lambda.get_policy(target)?)),
            (&Method::POST, ["policy"]) => {
                let added = lambda.add_permission(target, &body(request)?, context)?;
                Ok(rest::reply(201, &added))
            }
            (&Method::DELETE, ["policy", statement]) => {
                let revision = request.query_value("RevisionId");
                lambda.remove_permission(target, statement, revision, context)?;
                Ok(Response::empty(204))
            }
            (&Method::GET, ["versions"]) => {
                let marker = request.query_value("Marker");
                let max_items = request.query_value("MaxItems");
                Ok(reply(&lambda.list_versions(target, marker, max_items, context)?))
            }
            (&Method::POST, ["versions"]) => {
                let published = lambda.publish_version(target, body(request)?, context)?;
                Ok(rest::reply(201, &published))
            }
            _ => Err(unknown(request)),
        }
    }

    fn concurrency(
        &self,
        method: &Method,
        target: &Target,
        request: &Request,
    ) -> Result<Response, AwsError> {
        let context = self.context();
        let mut lambda = self.account.state::<State>();
        match *method {
            Method::GET => Ok(reply(&lambda.get_concurrency(target, context)?)),
            Method::PUT => Ok(reply(&lambda.put_concurrency(target, &body(request)?, context)?)),
            Method::DELETE => {
                lambda.delete_concurrency(target, context)?;
                Ok(Response::empty(204))
            }
            _ => Err(unknown(request)),
        }
    }

    fn tags(&self, method: &Method, arn: &str, request: &Request) -> Result<Response, AwsError> {
        let mut lambda = self.account.state::<State>();
        match *method {
            Method::GET => Ok(reply(&lambda.list_tags(arn, self.place())?)),
            Method::POST => {
                lambda.tag(arn, body(request)?, self.place())?;
                Ok(Response::empty(204))
            }
            Method::DELETE => {
                let keys = request.query.iter().filter(|(name, _)| name == "tagKeys");
                let keys: Vec<&str> = keys.map(|(_, key)| key.as_str()).collect();
                lambda.untag(arn, &keys, self.place())?;
                Ok(Response::empty(204))
            }
            _ => Err(unknown(request)),
        }
    }
}

/// The operation that a request asks for; the method and the path where it is none of these.
pub(super) fn operation(request: &Request) -> String {
    let method = request.method.as_str();
    let path: Vec<&str> = request.path.iter().skip(1).map(String::as_str).collect();
    let name = match (method, path.as_slice()) {
        ("GET", ["functions"]) => "ListFunctions",
        ("POST", ["functions"]) => "CreateFunction",
        ("GET", ["functions", _]) => "GetFunction",
        ("DELETE", ["functions", _]) => "DeleteFunction",
        ("POST", ["functions", _, "invocations"]) => "Invoke",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", ["functions", _, "code"]) => "UpdateFunctionCode",
        ("GET", ["functions", _, "policy"]) => "GetPolicy",
        ("POST", ["functions", _, "policy"]) => "AddPermission",
        ("DELETE", ["functions", _, "policy", _]) => "RemovePermission",
        ("GET", ["functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", ["functions", _, "versions"]) => "PublishVersion",
        ("GET", ["functions", _, "concurrency"]) => "GetFunctionConcurrency",
        ("PUT", ["functions", _, "concurrency"]) => "PutFunctionConcurrency",
        ("DELETE", ["functions", _, "concurrency"]) => "DeleteFunctionConcurrency",
        ("GET", ["account-settings"]) => "GetAccountSettings",
        ("POST", ["functions", _, "aliases"]) => "CreateAlias",
        ("GET", ["functions", _, "aliases"]) => "ListAliases",
        ("GET", ["functions", _, "aliases", _]) => "GetAlias",
        ("PUT", ["functions", _, "aliases", _]) => "UpdateAlias",
        ("DELETE", ["functions", _, "aliases", _]) => "DeleteAlias",
        ("POST", ["functions", _, "url"]) => "CreateFunctionUrlConfig",
        ("GET", ["functions", _, "url"]) => "GetFunctionUrlConfig",
        ("PUT", ["functions", _, "url"]) => "UpdateFunctionUrlConfig",
        ("DELETE", ["functions", _, "url"]) => "DeleteFunctionUrlConfig",
        ("GET", ["functions", _, "urls"]) => "ListFunctionUrlConfigs",
        ("POST", ["event-source-mappings"]) => "CreateEventSourceMapping",
        ("GET", ["event-source-mappings"]) => "ListEventSourceMappings",
        ("GET", ["event-source-mappings", _]) => "GetEventSourceMapping",
        ("PUT", ["event-source-mappings", _]) => "UpdateEventSourceMapping",
        ("DELETE", ["event-source-mappings", _]) => "DeleteEventSourceMapping",
        ("GET", ["functions", _, "event-invoke-config"]) => "GetFunctionEventInvokeConfig",
        ("GET", ["functions", _, "event-invoke-config", "list"]) => {
            "ListFunctionEventInvokeConfigs"
        }
        ("PUT", ["functions", _, "event-invoke-config"]) => "PutFunctionEventInvokeConfig",
        ("POST", ["functions", _, "event-invoke-config"]) => "UpdateFunctionEventInvokeConfig",
        ("DELETE", ["functions", _, "event-invoke-config"]) => "DeleteFunctionEventInvokeConfig",
        ("GET", ["tags", _]) => "ListTags",
        ("POST", ["tags", _]) => "TagResource",
        ("DELETE", ["tags", _]) => "UntagResource",
        _ => return format!("{method} /{}", request.path.join("/")),
    };
    name.to_owned()
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, AwsError> {
    rest::parse(&request.body)
}

fn reply<T: Serialize>(output: &T) -> Response {
    rest::reply(200, output)
}

fn unknown(request: &Request) -> AwsError {
    AwsError::new(
        404,
        "UnknownOperationException",
        format!(
            "The local AWS of playbook does not have this operation of Lambda: {} /{}",
            request.method,
            request.path.join("/")
        ),
    )
}
