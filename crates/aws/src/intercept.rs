//! What is seen of a call on its way out: for the record, for the dry run, and to tell a refusal from a lost reply.

use std::cell::RefCell;
use std::fmt;
use std::time::SystemTime;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::call::{OnUnanswered, Unanswered};
use super::captured::Effect;
use super::operation::Preset;
use super::reply;

use aws_model::parameters;

tokio::task_local! {
    /// The call that the current task is making.
    pub(super) static TRACE: RefCell<Trace>;
}

/// What is known of a call under way.
#[derive(Default, Clone)]
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
    /// Whether an attempt got no answer of AWS's, so that it may still be under way.
    pub(super) unanswered: bool,
    /// Who hears of those.
    pub(super) on_unanswered: Option<OnUnanswered>,
    /// When the attempt under way began.
    pub(super) began: Option<SystemTime>,
    /// Whether a successful reply is whatever somebody has stored or a function has said.
    pub(super) stores: bool,
    /// What is shown of the call in place of what its request tells.
    pub(super) preset: Option<Preset>,
    /// What the last reply was, where the SDK takes for success what AWS cannot have said.
    pub(super) foreign: Option<String>,
}

impl Trace {
    fn tell_unanswered(&self) {
        if let (Some(tell), Some(began)) = (&self.on_unanswered, self.began) {
            let effect = Effect::of(&self.operation);
            tell(Unanswered { effect, began, ended: SystemTime::now() });
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("service", &self.service)
            .field("operation", &self.operation)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
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
                if let Some(metadata) = cfg.load::<Metadata>().filter(|_| trace.service.is_empty())
                {
                    trace.service = service_name(metadata.service());
                    metadata.name().clone_into(&mut trace.operation);
                }
                let request = context.request();
                request.method().clone_into(&mut trace.method);
                trace.path = path_of(request.uri());
                trace.only_new = request.headers().get("if-none-match") == Some("*");
                if let Some(preset) = trace.preset.take() {
                    let Preset { path, body, parameters } = preset;
                    (trace.path, trace.body, trace.parameters) = (path, body, parameters);
                } else if trace.capture_body {
                    trace.body = if parameters::takes_bytes(&trace.service, &trace.operation) {
                        content_of(request)
                    } else {
                        body_of(request)
                    };
                    trace.parameters = parameters_of(&trace, request);
                }
            }
            trace.attempts += 1;
            trace.began = Some(SystemTime::now());
        });
        if self.dry_run { Err(NotSent.into()) } else { Ok(()) }
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
        let _ = TRACE.try_with(|trace| {
            let mut trace = trace.borrow_mut();
            let reply = context.response();
            let told = reply.filter(|_| !trace.stores);
            trace.foreign =
                told.and_then(|reply| reply::foreign(&trace.service, &trace.operation, reply));
            let answered = reply.is_some_and(|reply| reply::is_answer(reply, is_whole));
            trace.lost |= !answered || trace.foreign.is_some();
            if reply.is_none_or(reply::is_a_gateways) || trace.foreign.is_some() {
                trace.unanswered = true;
                trace.tell_unanswered();
            }
        });
        Ok(())
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

/// Our name for a service that the SDK calls by its service id.
fn service_name(id: &str) -> String {
    let mut services = aws_model::services().iter();
    match services.find(|entry| entry.service_id == id) {
        Some(entry) => entry.name.to_owned(),
        None => id.to_lowercase().replace(' ', "-"),
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
