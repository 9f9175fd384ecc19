//! `invoke`: a call of a Lambda function.

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType as SdkInvocationType, LogType};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, Nothing, StepError, StepKind};

/// `invoke`.
pub struct Invoke;

/// Invokes a Lambda function.
///
/// A function that fails makes the step fail, with the function's own error type (such as `ValueError` or
/// `Sandbox.Timedout`) as the code for `expect_error`, and the end of its log beneath.
///
/// The call is not repeated when its reply is lost: the function may have run. It is repeated while Lambda refuses to
/// run the function yet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The function's name or ARN.
    function_name: String,
    /// What it is given: any data. Nothing when absent.
    payload: Option<Value>,
    /// A file of JSON that it is given as it stands, relative to the playbook, instead of `payload`.
    #[schemars(extend("x-file" = true, "x-no-directory" = true))]
    payload_file: Option<String>,
    /// A version or an alias.
    qualifier: Option<String>,
    /// Whether to wait for the result.
    #[serde(default)]
    invocation_type: InvocationType,
    /// Whether to fetch the end of the log, 4 KB of it. Only where the result is waited for.
    #[serde(default = "yes")]
    log: bool,
}

fn yes() -> bool {
    true
}

/// Whether to wait for the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum InvocationType {
    /// Wait for it.
    #[default]
    RequestResponse,
    /// Only queue the event.
    Event,
    /// Only check that it may be invoked.
    DryRun,
}

impl InvocationType {
    fn of_sdk(self) -> SdkInvocationType {
        match self {
            Self::RequestResponse => SdkInvocationType::RequestResponse,
            Self::Event => SdkInvocationType::Event,
            Self::DryRun => SdkInvocationType::DryRun,
        }
    }
}

/// What the function returned.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The HTTP status: 200 with a result, 202 for an event, 204 for a dry run.
    status_code: i32,
    /// What it returned, as data; as text where it is not JSON; null where there is nothing.
    payload: Value,
    /// The end of its log.
    log: String,
    /// The same as lines.
    log_lines: Vec<String>,
    /// The version that ran.
    executed_version: Option<String>,
    /// How long it ran, in milliseconds, as the log says.
    duration_ms: Option<f64>,
    /// What is charged for, in milliseconds, as the log says.
    billed_duration_ms: Option<u64>,
}

impl StepKind for Invoke {
    const NAME: &'static str = "invoke";
    const CALLS: &'static [&'static str] = &["lambda:Invoke"];
    const PERMISSIONS: &'static [&'static str] = &["lambda:InvokeFunction"];
    const EXAMPLE: &'static str = "\
- id: increment
  invoke:
    function_name: \"{{ steps.function.function_name }}\"
    payload: {action: increment, number: 41}
  assert: result.payload.result == 42
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let payload = payload(&cx, &input)?;
        let request = || call(&cx, &input, payload.as_deref());
        let answer = cx.while_refused(Backoff::seconds(60), not_yet, request).await?;
        let failed = answer.function_error.clone();
        if let Some(number) = answer.payload.as_ref().and_then(|payload| too_long(payload.as_ref()))
        {
            return Err(StepError::Failed {
                code: "InexactNumber".to_owned(),
                message: format!(
                    "the function has returned {number}, which has more digits than can be kept"
                ),
                help: Some("have the function return it as text".to_owned()),
                details: Vec::new(),
            });
        }
        let output = output(answer);
        match failed {
            Some(kind) => Err(failure(&input.function_name, &kind, &output)),
            None => Ok(output),
        }
    }
}

/// What the function is given.
fn payload(cx: &Context, input: &Input) -> Result<Option<String>, StepError> {
    let file = match (&input.payload, &input.payload_file) {
        (payload, None) => return Ok(payload.as_ref().map(ToString::to_string)),
        (None, Some(file)) => file,
        (Some(_), Some(_)) => {
            return Err(StepError::input(
                "payload_file",
                "`payload` and `payload_file` say what the function is given",
                "leave one of them out",
            ));
        }
    };
    let text = cx.text_of(file, LARGEST_PAYLOAD).map_err(|why| {
        StepError::input("payload_file", format!("`{file}` {why}"), "name a file of JSON")
    })?;
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(StepError::input(
            "payload_file",
            format!("`{file}` is no JSON: {error}"),
            "a function is given JSON",
        )),
    }
}

async fn call(
    cx: &Context,
    input: &Input,
    payload: Option<&str>,
) -> Result<InvokeOutput, CallError> {
    let waits = input.invocation_type == InvocationType::RequestResponse;
    let request = cx
        .aws
        .lambda_invocations()
        .invoke()
        .function_name(&input.function_name)
        .set_qualifier(input.qualifier.clone())
        .invocation_type(input.invocation_type.of_sdk())
        .set_log_type((waits && input.log).then_some(LogType::Tail))
        .set_payload(payload.map(Blob::new));
    let placeholder = || Ok(InvokeOutput::builder().status_code(200).build());
    cx.aws.call(request.send(), placeholder).await
}

/// The refusals after which the function has not run, and that pass.
fn not_yet(error: &CallError) -> bool {
    [
        "TooManyRequestsException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "EC2ThrottledException",
    ]
    .iter()
    .any(|code| error.is(code))
}

fn output(answer: InvokeOutput) -> Output {
    let log = answer.log_result.as_deref().map(decoded_log).unwrap_or_default();
    let report = log.lines().rev().find(|line| line.starts_with("REPORT ")).unwrap_or_default();
    Output {
        status_code: answer.status_code,
        payload: answer.payload.map(|payload| data(payload.as_ref())).unwrap_or_default(),
        log_lines: log.lines().map(str::to_owned).collect(),
        executed_version: answer.executed_version,
        duration_ms: reported(report, "Duration: "),
        billed_duration_ms: reported(report, "Billed Duration: "),
        log,
    }
}

/// A number of an answer that would be rounded.
fn too_long(payload: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(payload).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    engine::language::template::inexact_in_json(text).map(str::to_owned)
}

/// Bytes as data; as text where they are no JSON.
fn data(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes)))
}

/// The end of a log: base64, and cut anywhere, even within a character.
fn decoded_log(text: &str) -> String {
    match BASE64_STANDARD.decode(text) {
        Ok(bytes) => {
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains('\r') {
                text.retain(|c| c != '\r');
            }
            text.truncate(text.trim_end().len());
            text
        }
        Err(_) => text.to_owned(),
    }
}

/// A number of milliseconds in the last line that Lambda writes of an invocation.
fn reported<T: std::str::FromStr>(report: &str, name: &str) -> Option<T> {
    let value = report.split('\t').find_map(|field| field.strip_prefix(name))?;
    value.strip_suffix(" ms")?.parse().ok()
}

/// What Lambda takes in one request.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LARGEST_PAYLOAD: u64 = 6 * 1024 * 1024;

/// How many lines of the log are shown under a failure.
const LINES_SHOWN: usize = 20;

fn failure(function_name: &str, kind: &str, output: &Output) -> StepError {
    let text = |field: &str| {
        output.payload.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    };
    let error_type = text("errorType");
    let message = match (text("errorMessage"), error_type) {
        (Some(message), Some(error_type)) => format!("{error_type}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => format!("{kind}: {}", output.payload),
    };
    let code = error_type.unwrap_or("FunctionError").to_owned();
    let shown = output.log_lines.len().saturating_sub(LINES_SHOWN);
    StepError::Failed {
        help: Some(remedy(&code)),
        code,
        message: format!("the function {function_name} failed: {message}"),
        details: output.log_lines.iter().skip(shown).cloned().collect(),
    }
}

/// What to do about a function that failed with this code.
pub(crate) fn remedy(code: &str) -> String {
    match code {
        "Runtime.InterpreterNotFound" => {
            "install what its runtime needs on this machine, and run again; nothing is wrong with the handler"
                .to_owned()
        }
        _ => format!(
            "fix the handler; where the failure is wanted, write `expect_error: {code}` on this step"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LOG: &str = "START RequestId: 7\tVersion: $LATEST\nadding\nEND RequestId: 7\n\
        REPORT RequestId: 7\tDuration: 1.63 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\t\n";

    fn answer(payload: &str) -> InvokeOutput {
        InvokeOutput::builder()
            .status_code(200)
            .payload(Blob::new(payload))
            .log_result(BASE64_STANDARD.encode(LOG))
            .build()
    }

    #[test]
    fn an_answer_becomes_data_and_lines() {
        let output = output(answer(r#"{"result": 42}"#));
        assert_eq!(output.payload, json!({"result": 42}));
        assert_eq!(output.log_lines.len(), 4);
        assert_eq!(output.log_lines[1], "adding");
        assert_eq!((output.duration_ms, output.billed_duration_ms), (Some(1.63), Some(2)));
    }

    #[test]
    fn what_is_no_json_is_text_and_what_is_not_there_is_null() {
        assert_eq!(data(b"hello"), json!("hello"));
        assert_eq!(data(b"{\"a\":"), json!("{\"a\":"));
        assert_eq!(data(b"null"), Value::Null);
        assert_eq!(data(b""), Value::Null);
    }

    #[test]
    fn a_log_cut_within_a_character_is_still_shown() {
        assert_eq!(decoded_log(&BASE64_STANDARD.encode(b"\x9f\x98 ok\r\n")), "\u{fffd}\u{fffd} ok");
        assert_eq!(decoded_log("not base64!"), "not base64!");
    }

    #[test]
    fn a_failed_function_lends_its_error_type_to_the_step() {
        let mut failed =
            answer(r#"{"errorType": "ValueError", "errorMessage": "no number", "stackTrace": []}"#);
        failed.function_error = Some("Unhandled".to_owned());
        let output = output(failed);
        let error = failure("adder", "Unhandled", &output);
        assert_eq!(error.code(), "ValueError");
        assert_eq!(error.to_string(), "the function adder failed: ValueError: no number");
        assert_eq!(error.details().len(), 4);
        assert!(error.help().is_some_and(|help| help.contains("expect_error: ValueError")));
    }

    #[test]
    fn a_failure_without_a_type_has_a_code_all_the_same() {
        let output = output(answer(r#""boom""#));
        let error = failure("adder", "Handled", &output);
        assert_eq!(error.code(), "FunctionError");
        assert_eq!(error.to_string(), "the function adder failed: Handled: \"boom\"");
    }
}
