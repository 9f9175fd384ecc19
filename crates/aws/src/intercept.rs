//! What is seen of a call on its way out: for the record, for the dry run, and to tell a refusal from a lost reply.

use std::cell::RefCell;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use aws_model::parameters;

tokio::task_local! {
    /// The call that the current task is making.
    pub(super) static TRACE: RefCell<Trace>;
}

/// What is known of a call under way.
#[derive(Debug, Default, Clone)]
pub(super) struct Trace {
    /// Whether the body is wanted.
    pub(super) capture_body: bool,
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) parameters: Value,
    /// Whether the request is refused where there is something of that name already.
    pub(super) only_new: bool,
    pub(super) attempts: u32,
    /// Whether an attempt ended in something other than success or a modelled refusal.
    pub(super) lost: bool,
}

/// Sees every attempt; that of a dry run lets none pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    pub(super) dry_run: bool,
    /// Whether a reply that carries [`LAST_REPLY`] ends the program.
    pub(super) mortal: bool,
}

/// The header of a reply after which a program that `chaos` has started is no more: it has the reply, and its journal has
/// not.
pub const LAST_REPLY: &str = "x-playbook-last-reply";

/// The environment variable that lets such a reply end a run.
pub const MORTAL: &str = "PLAYBOOK_CHAOS_MORTAL";

/// Members of requests that prove that somebody knows a client's secret: as good as a password, for one user name.
const PROOFS: [&str; 2] = ["SecretHash", "SECRET_HASH"];

/// What in a dry run a [`Watch`] ends every attempt with.
#[derive(Debug, thiserror::Error)]
#[error("written down, not sent")]
struct NotSent;

/// What a [`Watch`] makes of a success that nobody at AWS has written.
#[derive(Debug, thiserror::Error)]
#[error("what answers is not AWS: perhaps a proxy")]
struct NotFromAws;

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "playbook"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let _ = TRACE.try_with(|trace| {
            let mut trace = trace.borrow_mut();
            if trace.attempts == 0 {
                if let Some(metadata) = cfg.load::<Metadata>() {
                    trace.service = service_name(metadata.service());
                    metadata.name().clone_into(&mut trace.operation);
                }
                let request = context.request();
                request.method().clone_into(&mut trace.method);
                trace.path = path_of(request.uri());
                trace.only_new = request.headers().get("if-none-match") == Some("*");
                if trace.capture_body {
                    trace.body = if parameters::takes_bytes(&trace.service, &trace.operation) {
                        content_of(request)
                    } else {
                        body_of(request)
                    };
                    trace.parameters = parameters_of(&trace, request);
                }
            }
            trace.attempts += 1;
        });
        if self.dry_run { Err(NotSent.into()) } else { Ok(()) }
    }

    /// A success that AWS cannot have given, such as a page of a proxy, is none: the SDK reads no body where it expects none.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reply = context.response();
        let Some(metadata) = cfg.load::<Metadata>().filter(|_| reply.status().is_success()) else {
            return Ok(());
        };
        let body = reply.body().bytes().unwrap_or_default();
        if is_from_aws(&service_name(metadata.service()), metadata.name(), body) {
            Ok(())
        } else {
            Err(NotFromAws.into())
        }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.mortal && context.response().is_some_and(is_last) {
            end();
        }
        let is_whole = context.output_or_error().is_some_and(|result| result.is_ok());
        let answered = context.response().is_some_and(|reply| {
            is_answer(reply.status().as_u16(), is_whole) && (is_whole || !is_throttled(reply))
        });
        if !answered {
            let _ = TRACE.try_with(|trace| trace.borrow_mut().lost = true);
        }
        Ok(())
    }
}

/// Whether a reply says how the call ended. A server error may come after the effect; so may a success of which no more
/// than the head arrives, or whose body nobody understands.
fn is_answer(status: u16, is_whole: bool) -> bool {
    match status {
        200..300 => is_whole,
        status => status < 500,
    }
}

/// Whether a refusal is for the number of requests. Whoever stands in between may say so after the effect.
fn is_throttled(reply: &HttpResponse) -> bool {
    let kind = reply.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = reply.body().bytes().unwrap_or_default();
    let names = |code: &&str| {
        kind.contains(*code) || body.windows(code.len()).any(|part| part == code.as_bytes())
    };
    reply.status().as_u16() == 429 || THROTTLING_ERRORS.iter().any(names)
}

/// Whether AWS may have written the body of a success: in the service's own protocol, or none.
fn is_from_aws(service: &str, operation: &str, body: &[u8]) -> bool {
    let body = body.trim_ascii();
    match (service, operation) {
        // Whatever a function or an object holds.
        ("lambda", "Invoke" | "InvokeWithResponseStream") | ("s3", "GetObject") => true,
        _ if body.is_empty() => true,
        ("s3" | "iam" | "sts" | "cloudformation", _) => {
            let start = body.get(..14).unwrap_or(body).to_ascii_lowercase();
            body.starts_with(b"<")
                && !start.starts_with(b"<html")
                && !start.starts_with(b"<!doctype html")
        }
        ("lambda" | "dynamodb" | "logs" | "cognito-idp", _) => {
            serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
        }
        _ => true,
    }
}

fn is_last(reply: &HttpResponse) -> bool {
    reply.headers().contains_key(LAST_REPLY)
}

/// The end of the program as `kill -9` brings it about: nothing is written any more, nothing is dropped.
fn end() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    #[cfg(not(unix))]
    std::process::abort();
}

const FORM: &str = "application/x-www-form-urlencoded";

fn parameters_of(trace: &Trace, request: &HttpRequest) -> Value {
    let Trace { service, operation, path, body, .. } = trace;
    let bucket = bucket_of(request.uri()).filter(|_| service == "s3");
    let path = &bucket.map_or_else(|| path.clone(), |bucket| format!("/{bucket}{path}"));
    let content_type = request.headers().get("content-type").unwrap_or_default();
    let is_form = content_type.starts_with(FORM);
    parameters::of(
        &parameters::Parts { service, operation, path, body, is_form },
        request.headers().iter(),
    )
}

/// The AWS CLI's name for a service that the SDK calls by its service id.
fn service_name(id: &str) -> String {
    match id {
        "CloudWatch Logs" => "logs".to_owned(),
        "Cognito Identity Provider" => "cognito-idp".to_owned(),
        other => other.to_lowercase().replace(' ', "-"),
    }
}

fn path_of(uri: &str) -> String {
    let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The bucket of an S3 request that has it in the host's name.
fn bucket_of(uri: &str) -> Option<&str> {
    let host = uri.split_once("://")?.1.split('/').next()?;
    let host = host.strip_suffix(".amazonaws.com").or(host.strip_suffix(".amazonaws.com.cn"))?;
    let end = host.rfind(".s3.").or_else(|| host.rfind(".s3-"));
    host.get(..end.or_else(|| host.strip_suffix(".s3").map(str::len))?)
}

/// A body that is bytes to AWS: the text that they are, or how many there are.
fn content_of(request: &HttpRequest) -> Value {
    let bytes = request.body().bytes().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => Value::from(format!("{} bytes", bytes.len())),
    }
}

/// A body as data: JSON as it is, a form as a map, anything else by its size.
fn body_of(request: &HttpRequest) -> Value {
    let Some(bytes) = request.body().bytes().filter(|bytes| !bytes.is_empty()) else {
        return Value::Null;
    };
    let content_type = request.headers().get("content-type").unwrap_or_default();
    if content_type.starts_with(FORM) {
        return form(bytes);
    }
    if content_type == "application/xml" {
        return Value::from(String::from_utf8_lossy(bytes));
    }
    match serde_json::from_slice(bytes) {
        Ok(body) => shown(body),
        Err(_) => Value::from(format!("{} bytes", bytes.len())),
    }
}

fn form(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let decode =
        |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let fields = text
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decode(name), Value::from(decode(value))))
        .filter(|(name, _)| name != "Action" && name != "Version")
        .collect::<serde_json::Map<_, _>>();
    if fields.is_empty() { Value::Null } else { Value::Object(fields) }
}

/// A body as it is shown. A deployment package by its size and digest: nobody reads base64, and those two identify it.
/// Maps that the SDK keeps unordered in order, so that the same call is shown the same way twice.
fn shown(mut body: Value) -> Value {
    settle(&mut body);
    body
}

fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "ZipFile" => {
                        let shown = super::captured::describe_base64(text);
                        *field = Value::from(shown);
                        continue;
                    }
                    // In a dry run a marker may stand in its place, which is no secret.
                    Value::String(text)
                        if PROOFS.contains(&name.as_str()) && !text.contains('⟨') =>
                    {
                        super::captured::MASK.clone_into(text);
                        continue;
                    }
                    Value::Object(map) if UNORDERED.contains(&name.as_str()) => map.sort_keys(),
                    _ => {}
                }
                settle(field);
            }
        }
        _ => {}
    }
}

/// Members of requests that are maps to the SDK, which keeps them in no order.
const UNORDERED: [&str; 14] = [
    "AuthParameters",
    "ChallengeResponses",
    "ClientMetadata",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "Item",
    "Key",
    "M",
    "RequestItems",
    "Tags",
    "UserPoolTags",
    "Variables",
    "tags",
    "LambdaConfig",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_an_answer_only_when_all_of_it_arrived() {
        for (status, is_whole, expected) in [
            (200, true, true),
            (204, true, true),
            (200, false, false),
            (400, false, true),
            (301, false, true),
            (500, false, false),
            (503, true, false),
        ] {
            assert_eq!(is_answer(status, is_whole), expected, "{status} {is_whole}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_is_no_success() {
        let page = b"<!DOCTYPE html><title>Sign in to the network</title>";
        for (service, operation) in [
            ("logs", "CreateLogGroup"),
            ("dynamodb", "PutItem"),
            ("lambda", "RemovePermission"),
            ("iam", "AttachRolePolicy"),
            ("s3", "CreateBucket"),
            ("cloudformation", "DeleteStack"),
        ] {
            assert!(!is_from_aws(service, operation, page), "{service}");
            assert!(!is_from_aws(service, operation, b"<html>"), "{service}");
            assert!(!is_from_aws(service, operation, b"\x00\xff garbage"), "{service}");
            assert!(is_from_aws(service, operation, b""), "{service}");
        }
        assert!(is_from_aws("lambda", "Invoke", page));
        assert!(is_from_aws("s3", "GetObject", page));
        assert!(is_from_aws("dynamodb", "PutItem", b" {} "));
        let xml = b"<AttachRolePolicyResponse><ResponseMetadata/></AttachRolePolicyResponse>";
        assert!(is_from_aws("iam", "AttachRolePolicy", xml));
        assert!(is_from_aws("s3", "CreateBucket", b"<?xml version='1.0'?><Nothing/>"));
    }

    #[test]
    fn a_bucket_may_stand_in_the_name_of_the_host() {
        for (uri, bucket) in [
            ("https://b.s3.eu-central-1.amazonaws.com/notes/a.txt", Some("b")),
            ("https://b.s3.amazonaws.com/", Some("b")),
            ("https://a.s3.b.s3.dualstack.eu-central-1.amazonaws.com/", Some("a.s3.b")),
            ("https://b.s3.cn-north-1.amazonaws.com.cn/?list-type=2", Some("b")),
            ("https://s3.eu-central-1.amazonaws.com/b/", None),
            ("http://127.0.0.1:1/b.s3.x/", None),
            ("", None),
        ] {
            assert_eq!(bucket_of(uri), bucket, "{uri}");
        }
    }
}
