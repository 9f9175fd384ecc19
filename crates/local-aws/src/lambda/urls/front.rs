//! What function URLs answer, at `/_url/ID/…` on this machine and under the names that they have on AWS.

use hyper::HeaderMap;
use hyper::header::HOST;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::super::invoke::Invocation;
use super::super::names::Target;
use super::super::permissions::Visitor;
use super::super::{Lambda, State};
use super::Url;
use crate::account::Account;
use crate::apigateway::front::event::{Seen, add_body, seen_2};
use crate::apigateway::front::{cors, reply};
use crate::http::{Request, Response};
use crate::protocol::AwsError;
use crate::server::is_loopback_host;
use crate::sts;

/// What the paths of URLs begin with.
const PREFIX: &str = "/_url/";
/// What their names end with.
const SUFFIXES: [&str; 2] = ["on.aws", "localhost"];
const ROUTE: &str = "$default";
const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// The address of a URL.
pub(super) fn url(account: &Account, id: &str) -> String {
    format!("{}{PREFIX}{id}/", account.endpoint_url())
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// The URL that a host's name is of: `ID.lambda-url.REGION.on.aws`.
fn id_of_host(host: &str) -> Option<String> {
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let mut labels = name.splitn(4, '.');
    let (id, service, _, suffix) = (labels.next()?, labels.next()?, labels.next()?, labels.next()?);
    let is_word = !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric());
    (is_word && service == "lambda-url" && SUFFIXES.contains(&suffix)).then(|| id.to_owned())
}

/// Whether a request is for a URL and signed by nobody: what is signed comes in by the door where signatures are checked.
pub(in crate::lambda) fn is_for_a_url(headers: &HeaderMap, path: &str) -> bool {
    let is_signed = headers
        .get("authorization")
        .is_some_and(|header| header.as_bytes().starts_with(b"AWS4-HMAC-SHA256"));
    let is_url = host(headers).is_some_and(|host| {
        id_of_host(host).is_some() || (path.starts_with(PREFIX) && is_loopback_host(host))
    });
    is_url && !is_signed
}

/// The id of the URL that a request is for, and the path, decoded.
fn place(request: &Request) -> Option<(String, String)> {
    let path = request.target.split('?').next().unwrap_or_default();
    let decoded = |path: &str| percent_decode_str(path).decode_utf8_lossy().into_owned();
    if let Some(id) = host(&request.headers).and_then(id_of_host) {
        return Some((id, decoded(path)));
    }
    let rest = path.strip_prefix(PREFIX)?;
    let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some((id.to_owned(), format!("/{}", decoded(path))))
}

/// Answers a request that nobody has signed.
pub(in crate::lambda) async fn page(account: &Account, request: &Request) -> Option<Response> {
    let path = request.target.split('?').next().unwrap_or_default();
    if !is_for_a_url(&request.headers, path) {
        return None;
    }
    Some(answer(account, request, None).await)
}

/// Answers a request whose signature has been checked; nothing where it is for no URL.
pub(in crate::lambda) async fn answer_signed(
    account: &Account,
    request: &Request,
) -> Option<Response> {
    let path = request.target.split('?').next().unwrap_or_default();
    if !path.starts_with(PREFIX) {
        return None;
    }
    let key = request.credential.as_ref().map_or("", |credential| &credential.access_key);
    let identity = {
        let iam = account.state::<crate::iam::State>();
        account.state::<sts::State>().identity(key, &account.id, &iam)
    };
    let caller = Signer { key: key.to_owned(), account: account.id.clone(), identity };
    Some(answer(account, request, Some(caller)).await)
}

/// Who has signed a request.
struct Signer {
    key: String,
    account: String,
    identity: sts::Identity,
}

/// A function that has a URL.
struct Found {
    account: Account,
    target: Target,
    url: Url,
}

fn find(account: &Account, id: &str) -> Option<Found> {
    account.everywhere().into_iter().find_map(|account| {
        let found = {
            let state = account.state::<State>();
            state.functions.iter().find_map(|(name, function)| {
                let (alias, url) = function.urls.iter().find(|(_, url)| url.id == id)?;
                let target = Target { name: name.clone(), qualifier: alias.clone() };
                Some((target, url.clone()))
            })
        };
        found.map(|(target, url)| Found { account, target, url })
    })
}

async fn answer(account: &Account, request: &Request, signer: Option<Signer>) -> Response {
    let (id, path) = place(request).unwrap_or_default();
    let Some(found) = find(account, &id) else { return forbidden() };
    let cors = found.url.cors.as_ref();
    if let Some(preflight) = cors.and_then(|cors| cors::preflight(cors, request)) {
        return preflight;
    }
    let response = respond(&found, request, &path, signer.as_ref()).await;
    cors::added(cors, request, response).with_header("x-amzn-requestid", &request.request_id)
}

/// Whether somebody may ask: of the same account, whoever has signed; others where the policy says so.
fn may(found: &Found, signer: Option<&Signer>) -> bool {
    let auth_type = found.url.auth_type.as_str();
    if auth_type == "AWS_IAM" {
        match signer {
            None => return false,
            Some(signer) if signer.account == found.account.id => return true,
            Some(_) => {}
        }
    }
    let account = signer.map(|signer| signer.account.as_str());
    let visitor = Visitor { account, auth_type };
    let state = found.account.state::<State>();
    state.allows_visitor(&found.target.name, found.target.qualifier.as_ref(), visitor)
}

async fn respond(
    found: &Found,
    request: &Request,
    path: &str,
    signer: Option<&Signer>,
) -> Response {
    if !may(found, signer) {
        return forbidden();
    }
    if request.body.len() > LARGEST_BODY {
        return message(413, "Request Entity Too Large");
    }
    let id = &found.url.id;
    let is_iam = found.url.auth_type == "AWS_IAM";
    let mut event = seen_2(&Seen {
        account: &found.account,
        request,
        account_id: signer.filter(|_| is_iam).map_or("anonymous", |it| &it.account),
        id,
        domain: &format!("{id}.lambda-url.{}.on.aws", found.account.region),
        route_key: ROUTE,
        stage: ROUTE,
        path,
        request_id: &request.request_id,
        at: found.account.now(),
        authorizer: signer.filter(|_| is_iam).map(authorizer),
    });
    add_body(&mut event, request);
    let payload = Value::Object(event).to_string();
    let lambda = Lambda::of(&found.account);
    let outcome =
        lambda.invoke_with(&found.target, request.request_id.clone(), payload.into()).await;
    match outcome {
        Ok(invocation) => of_result(&invocation),
        Err(error) => refused(&error),
    }
}

fn authorizer(signer: &Signer) -> Value {
    json!({"iam": {
        "accessKey": signer.key,
        "accountId": signer.account,
        "callerId": signer.identity.user_id,
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": signer.identity.arn,
        "userId": signer.identity.user_id,
    }})
}

fn of_result(invocation: &Invocation) -> Response {
    let failed = || Response::new(502, "application/json", "Internal Server Error");
    if invocation.function_error.is_some() {
        return failed();
    }
    let result = serde_json::from_slice(&invocation.payload).ok();
    result.and_then(|result: Value| reply::of(&result, false)).unwrap_or_else(failed)
}

fn refused(error: &AwsError) -> Response {
    match error.status {
        429 => message(429, "Rate Exceeded."),
        _ => Response::new(502, "application/json", "Internal Server Error"),
    }
}

fn message(status: u16, text: &str) -> Response {
    Response::new(status, "application/json", json!({ "Message": text }).to_string())
}

fn forbidden() -> Response {
    message(
        403,
        "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    )
    .with_header("x-amzn-errortype", "AccessDeniedException")
}
