//! `http`: a request to an API, a function's URL, or anything else that answers over HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::length::Length;
use crate::resources::scalar::Variable;
use engine::aws::http::{HttpError, HttpReply, HttpRequest, Trust};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `http`.
pub struct Http;

/// Sends an HTTP request, and returns what is answered.
///
/// A status of 400 or more fails the step, with the code `Http404` or the like for `expect_error` and `retry`, and the
/// answer beneath; `expect_status` says which statuses are wanted instead. A redirect is an answer like any other unless
/// `redirects` says how many are followed, and leads to no other host than those that the step names.
///
/// What the request brings about is not in the journal: what it makes stays, unless a later step takes it away.
///
/// Where the run goes against an AWS on this machine, URLs of APIs and functions (`….execute-api.REGION.amazonaws.com`,
/// `….lambda-url.REGION.on.aws`) are answered there.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Where to send it: `https://…` or `http://…`.
    url: String,
    /// `GET` when absent, or `POST` where there is a body.
    method: Option<String>,
    /// Headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, Variable>,
    /// Parameters to add to the URL's query, encoded. A list gives the same name several times.
    #[serde(default)]
    query: BTreeMap<String, Parameter>,
    /// What to send: text as it is, anything else as JSON.
    body: Option<Value>,
    /// The statuses that are wanted; any below 400 when absent.
    expect_status: Option<Statuses>,
    /// How long to wait for the whole answer at most; 60s when absent.
    timeout: Option<Length>,
    /// How many redirects to follow; none when absent.
    #[serde(default)]
    #[schemars(range(max = 20))]
    redirects: u32,
    /// Hosts that redirects may lead to beside the URL's own, such as `www.example.org` or `localhost:8080`.
    #[serde(default)]
    redirect_hosts: Vec<String>,
    /// A PEM file with the certificates of the authorities to believe, instead of those that this machine knows.
    #[schemars(extend("x-file" = true, "x-no-directory" = true))]
    ca: Option<String>,
    /// Whether to believe any certificate: for servers of your own, whose answers nobody could tell from anybody else's.
    #[serde(default)]
    insecure: bool,
}

/// The value of a parameter: one, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the value of a query parameter is text, a number, a boolean or a list of these"
)]
enum Parameter {
    /// One value.
    One(Variable),
    /// Several values of the same name.
    Many(Vec<Variable>),
}

/// One status, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`expect_status` is a status such as 404, or a list of them")]
enum Statuses {
    /// One status.
    One(#[schemars(range(min = 100, max = 599))] u16),
    /// Several, any of which is wanted.
    Many(Vec<u16>),
}

impl Statuses {
    fn all(&self) -> Vec<u16> {
        match self {
            Self::One(one) => vec![*one],
            Self::Many(many) => many.clone(),
        }
    }
}

/// What was answered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The status, such as 200.
    status: u16,
    /// The headers, by name in small letters; several of a name are joined by commas.
    headers: BTreeMap<String, String>,
    /// The body, if that is text.
    text: Option<String>,
    /// The body as data, if that is JSON; null otherwise.
    json: Value,
    /// The bytes of the body.
    size: usize,
    /// What answered: after redirects, another URL than the step's.
    url: String,
}

impl StepKind for Http {
    const NAME: &'static str = "http";
    const SHORTHAND: Option<&'static str> = Some("url");
    const CALLS: &'static [&'static str] = &[
        "http:GET",
        "http:HEAD",
        "http:POST",
        "http:PUT",
        "http:PATCH",
        "http:DELETE",
        "http:OPTIONS",
    ];
    const PERMISSIONS: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
- id: missing
  http:
    url: \"{{ steps.stack.outputs.ApiUrl }}/products/none\"
    headers: {accept: application/json}
    expect_status: 404
  assert: result.json.message == 'no such product'
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let request = request(&cx, &input).await?;
        let status = request.expected.first().copied().unwrap_or(200);
        let placeholder = || HttpReply { status, ..HttpReply::default() };
        let answer = cx.aws.http(&request, placeholder).await;
        let reply = answer.map_err(|error| failure(error, request.timeout))?;
        let is_wanted = match request.expected.as_slice() {
            [] => reply.status < 400,
            expected => expected.contains(&reply.status),
        };
        if let Some(number) = too_long(&reply.body) {
            return Err(StepError::Failed {
                code: "InexactNumber".to_owned(),
                message: format!(
                    "the answer holds {number}, which has more digits than can be kept"
                ),
                help: Some("have it answered as text".to_owned()),
                details: Vec::new(),
            });
        }
        let output = output(reply);
        if is_wanted { Ok(output) } else { Err(unwanted(&request, &output)) }
    }
}

const LONGEST: Duration = Duration::from_secs(60);

async fn request(cx: &Context, input: &Input) -> Result<HttpRequest, StepError> {
    let mut headers: Vec<(String, String)> =
        input.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
    let (body, content_type) = match &input.body {
        None => (None, ""),
        Some(Value::String(text)) => (Some(text.clone()), "text/plain; charset=utf-8"),
        Some(data) => (Some(data.to_string()), "application/json"),
    };
    let says_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if body.is_some() && !says_type {
        headers.push(("content-type".to_owned(), content_type.to_owned()));
    }
    let method = match &input.method {
        Some(method) => method.to_ascii_uppercase(),
        None if body.is_some() => "POST".to_owned(),
        None => "GET".to_owned(),
    };
    Ok(HttpRequest {
        method,
        url: with_query(&input.url, &input.query),
        headers,
        body: body.map(String::into_bytes).map(Into::into),
        shown_body: input.body.clone().unwrap_or_default(),
        timeout: input.timeout.map_or(LONGEST, |length| length.0),
        redirects: input.redirects,
        hosts: input.redirect_hosts.clone(),
        trust: trust(cx, input).await?,
        expected: input.expect_status.as_ref().map_or_else(Vec::new, Statuses::all),
    })
}

async fn trust(cx: &Context, input: &Input) -> Result<Trust, StepError> {
    let Some(file) = &input.ca else {
        return Ok(if input.insecure { Trust::Anybody } else { Trust::Machine });
    };
    if input.insecure {
        let help = "leave out one of them: `insecure` believes everybody";
        return Err(StepError::input("insecure", "`ca` and `insecure` exclude each other", help));
    }
    let help =
        "give the path of a PEM file, relative to the playbook, in the playbook's repository";
    let wrong = |message: String| StepError::input("ca", message, help);
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong(format!("there is no file `{file}`")),
        _ => wrong(format!("`{file}` cannot be read: {error}")),
    };
    let root = tokio::fs::canonicalize(&cx.root).await.map_err(unreadable)?;
    let path: PathBuf =
        tokio::fs::canonicalize(cx.directory.join(file)).await.map_err(unreadable)?;
    if !path.starts_with(&root) {
        return Err(wrong(format!("`{file}` leads out of the playbook's directory")));
    }
    Ok(Trust::Authorities(path))
}

/// What a query cannot hold as it is, in a name or a value.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>');

fn with_query(url: &str, query: &BTreeMap<String, Parameter>) -> String {
    let mut pairs = Vec::new();
    for (name, parameter) in query {
        let values = match parameter {
            Parameter::One(value) => std::slice::from_ref(value),
            Parameter::Many(values) => values.as_slice(),
        };
        pairs.extend(values.iter().map(|value| format!("{}={}", encoded(name), encoded(&value.0))));
    }
    if pairs.is_empty() {
        return url.to_owned();
    }
    let (before, fragment) = url.split_once('#').map_or((url, None), |(url, it)| (url, Some(it)));
    let between = if before.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|it| format!("#{it}")).unwrap_or_default();
    format!("{before}{between}{}{fragment}", pairs.join("&"))
}

/// What is not known yet, in a dry run, stays as it is.
fn encoded(text: &str) -> String {
    if text.contains('⟨') {
        return text.to_owned();
    }
    utf8_percent_encode(text, ENCODED).to_string()
}

fn output(reply: HttpReply) -> Output {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in reply.headers {
        headers
            .entry(name)
            .and_modify(|before| {
                before.push_str(", ");
                before.push_str(&value);
            })
            .or_insert(value);
    }
    Output {
        status: reply.status,
        headers,
        json: serde_json::from_slice(&reply.body).unwrap_or_default(),
        size: reply.body.len(),
        text: String::from_utf8(reply.body.to_vec()).ok(),
        url: reply.url,
    }
}

/// A number of a JSON answer that would be rounded.
fn too_long(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    engine::language::template::inexact_in_json(text).map(str::to_owned)
}

fn failure(error: HttpError, limit: Duration) -> StepError {
    let message = error.to_string();
    match &error {
        HttpError::Url { .. } => {
            StepError::input("url", message, "write one such as https://example.org/products")
        }
        HttpError::Method { .. } => StepError::input(
            "method",
            message,
            "write GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS",
        ),
        HttpError::Header { .. } => {
            StepError::input("headers", message, "leave it out, or write it on one line")
        }
        HttpError::Authorities { .. } => {
            StepError::input("ca", message, "give a PEM file with the authority's certificate")
        }
        HttpError::TimedOut { method, url } => {
            StepError::TimedOut { what: format!("{method} {url}"), limit }
        }
        _ => StepError::Failed {
            code: error.code().to_owned(),
            message,
            help: help(&error).map(str::to_owned),
            details: Vec::new(),
        },
    }
}

fn help(error: &HttpError) -> Option<&'static str> {
    match error {
        HttpError::Connect { .. } => Some(
            "look at the host and the port in `url`; where it takes a while to be there, write `retry: {on: \
             ConnectionFailed}`",
        ),
        HttpError::Tls { .. } => Some(
            "name the authority that has signed its certificate in `ca`; for a server of your own, `insecure: true` \
             believes any",
        ),
        HttpError::Elsewhere { .. } => Some(
            "look whether that is where the request should go; if so, name the host in `redirect_hosts`, or leave out \
             `redirects` to look at the answer itself",
        ),
        HttpError::Redirects { .. } => Some("raise `redirects`, or ask the last URL directly"),
        HttpError::TooLarge => Some("ask for less, such as one page at a time"),
        _ => None,
    }
}

/// How much of an unwanted answer is shown.
const SHOWN_LINES: usize = 20;
const SHOWN_CHARACTERS: usize = 400;

fn unwanted(request: &HttpRequest, output: &Output) -> StepError {
    let code = format!("Http{}", output.status);
    let text = output.text.as_deref().unwrap_or_default();
    let details = text.lines().take(SHOWN_LINES).map(|line| {
        let mut shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
        if shown.len() < line.len() {
            shown.push('…');
        }
        shown
    });
    let url = request.url.split('?').next().unwrap_or_default();
    StepError::Failed {
        message: format!("{} {url} was answered with {}", request.method, output.status),
        help: Some(format!(
            "where this answer is wanted, write `expect_status: {}` to go on with it, or `expect_error: {code}`",
            output.status
        )),
        code,
        details: details.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query(value: Value) -> BTreeMap<String, Parameter> {
        serde_json::from_value(value).expect("a query")
    }

    #[test]
    fn parameters_join_the_query_that_is_there() {
        for (url, parameters, expected) in [
            ("http://a/x", json!({}), "http://a/x"),
            ("http://a/x", json!({"n": 1, "ok": true}), "http://a/x?n=1&ok=true"),
            ("http://a/x?y=1", json!({"q": "a b&c=ü"}), "http://a/x?y=1&q=a%20b%26c%3D%C3%BC"),
            ("http://a/x#top", json!({"k": ["1", 2]}), "http://a/x?k=1&k=2#top"),
            ("⟨steps.api.url⟩", json!({"k": "⟨run.id⟩"}), "⟨steps.api.url⟩?k=⟨run.id⟩"),
        ] {
            assert_eq!(with_query(url, &query(parameters)), expected);
        }
    }

    #[test]
    fn an_answer_is_text_and_data() {
        let reply = |body: &'static [u8]| HttpReply {
            status: 200,
            headers: [("set-cookie", "a=1"), ("set-cookie", "b=2")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.into(),
            url: "http://a/".to_owned(),
        };
        let data = output(reply(br#"{"n": 1}"#));
        assert_eq!(data.json, json!({"n": 1}));
        assert_eq!(data.headers["set-cookie"], "a=1, b=2");
        let text = output(reply(b"<p>hello"));
        assert_eq!((text.text.as_deref(), text.json), (Some("<p>hello"), Value::Null));
        let bytes = output(reply(b"\xff\xfe"));
        assert_eq!((bytes.text, bytes.size), (None, 2));
    }

    #[test]
    fn an_unwanted_status_shows_the_answer_but_not_the_query() {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: "http://a/x?token=hunter22".to_owned(),
            ..HttpRequest::default()
        };
        let reply = HttpReply { status: 500, body: "a\nb".into(), ..HttpReply::default() };
        let error = unwanted(&request, &output(reply));
        assert_eq!(error.code(), "Http500");
        assert_eq!(error.to_string(), "GET http://a/x was answered with 500");
        assert_eq!(error.details(), ["a", "b"]);
    }
}
