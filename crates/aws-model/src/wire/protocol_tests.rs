//! botocore's own protocol tests, which the SDKs share: each request and response, and back again.
//!
//! They are read from the folder that `AWS_PROTOCOL_TESTS` names; `pack/fetch-protocol-tests` fetches them.

#![expect(clippy::print_stdout, reason = "a test says what it skipped, and how much it did")]

mod compare;
mod exceptions;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::scalar::{from_base64, to_base64};
use super::{Call, Failure, Reply, Request, Response, parse_timestamp, rfc3339};
use crate::service::Service;
use crate::shape::{Kind, Member};

use compare::{same_body, same_headers};
use exceptions::{BACK, Exception, INPUT, OUTPUT, OUTPUT_BACK};

/// Bodies of fewer bytes are not compressed.
const LEAST: usize = 10_240;

/// The cases of a direction, each with the suite that it is from.
fn cases(direction: &str) -> Option<Vec<(String, Value, Value)>> {
    let Some(folder) = std::env::var_os("AWS_PROTOCOL_TESTS") else {
        println!(
            "skipped: AWS_PROTOCOL_TESTS does not say where the protocol tests are (pack/fetch-protocol-tests fetches them)"
        );
        return None;
    };
    let folder = PathBuf::from(folder).join(direction);
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .expect("the folder is there")
        .map(|entry| entry.expect("it is read").path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "json")) {
        let text = std::fs::read_to_string(file).expect("it is a file");
        let suites: Vec<Value> = serde_json::from_str(&text).expect("it is JSON");
        for mut suite in suites {
            let Value::Array(list) = suite["cases"].take() else {
                panic!("{} has a suite without cases", file.display())
            };
            cases.extend(list.into_iter().map(|case| (stem(file), suite.clone(), case)));
        }
    }
    Some(cases)
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The service that a case is about: its suite, with its one operation.
fn service(suite: &Value, case: &Value) -> Service {
    let mut operation = case["given"].clone();
    let output = operation["output"]["shape"].as_str().map(str::to_owned);
    let has_members = output.is_some_and(|shape| {
        suite["shapes"][shape]["members"].as_object().is_some_and(|members| !members.is_empty())
    });
    if operation["output"].is_null() {
        operation.as_object_mut().expect("it is a map").remove("output");
    }
    let name = operation["name"].as_str().expect("it has a name").to_owned();
    if has_members && suite["metadata"]["protocol"] == "query" {
        operation["output"]["resultWrapper"] = json!(format!("{name}Result"));
    }
    let model = json!({"metadata": suite["metadata"], "shapes": suite["shapes"], "operations": {name: operation}});
    Service::from_json("test", model.to_string().leak()).expect("it is a model")
}

/// A value of the tests as values are here: bytes are text there, moments are seconds.
fn ours(service: &Service, member: &Member, value: &Value) -> Value {
    match (&service.shape_of(member).kind, value) {
        (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
            let entries = map.iter().filter(|(_, value)| !value.is_null());
            let ours = |(name, value): (&String, &Value)| {
                let value = structure
                    .member(name)
                    .map_or_else(|| value.clone(), |member| ours(service, member, value));
                (name.clone(), value)
            };
            Value::Object(entries.map(ours).collect())
        }
        (Kind::List(of), Value::Array(list)) => {
            list.iter().map(|item| ours(service, of, item)).collect()
        }
        (Kind::Map(parts), Value::Object(map)) => Value::Object(
            map.iter().map(|(key, item)| (key.clone(), ours(service, &parts.1, item))).collect(),
        ),
        (Kind::Blob, Value::String(text)) => Value::String(to_base64(text.as_bytes())),
        (Kind::Timestamp, Value::Null) => Value::Null,
        (Kind::Timestamp, value) => {
            Value::String(rfc3339(parse_timestamp(value).expect("it is a moment")))
        }
        (_, value) => value.clone(),
    }
}

fn excepted(list: &[Exception], file: &str, id: &str) -> bool {
    list.iter().any(|(in_file, name, _)| *in_file == file && *name == id)
}

/// Runs every case and says which failed; a case of the list of exceptions has to fail, or it is no exception.
fn run(
    direction: &str,
    exceptions: &[Exception],
    check: impl Fn(&str, &Value, &Value) -> Result<(), String>,
) {
    let Some(cases) = cases(direction) else { return };
    let (mut failed, mut passed) = (Vec::new(), 0);
    for (file, suite, case) in &cases {
        let id = case["id"].as_str().unwrap_or_default();
        match (check(file, suite, case), excepted(exceptions, file, id)) {
            (Ok(()), false) => passed += 1,
            (Err(_), true) => {}
            (Err(why), false) => failed.push(format!("{file} {id}: {why}")),
            (Ok(()), true) => failed.push(format!("{file} {id}: it passes, and is no exception")),
        }
    }
    println!(
        "{direction}: {passed} of {} cases pass, {} are excepted",
        cases.len(),
        cases.len() - passed - failed.len()
    );
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
    assert!(passed > 300, "only {passed} cases");
}

fn request(suite: &Value, case: &Value) -> (Service, Result<Request, String>) {
    let service = service(suite, case);
    let made = {
        let call = Call::new(&service, &service.operations[0]);
        let mut params = match &call.operation.input {
            Some(root) => ours(&service, root, &case["params"]),
            None => json!({}),
        };
        if let Value::Object(map) = &mut params {
            call.fill_tokens(map, || "00000000-0000-4000-8000-000000000000".to_owned());
        }
        let request = call.request(&params).map(|mut request| {
            call.compress(&mut request, LEAST);
            request
        });
        request.map_err(|error| error.to_string())
    };
    (service, made)
}

#[test]
fn requests_are_written_as_the_protocols_want_them() {
    run("input", INPUT, |_, suite, case| {
        let (service, request) = request(suite, case);
        let request = request?;
        let expected = &case["serialized"];
        let endpoint = suite["clientEndpoint"].as_str().unwrap_or("https://example.com");
        let url = request.url(&format!("https://{}", endpoint.trim_start_matches("https://")));
        let (host, target) = url.trim_start_matches("https://").split_once('/').unwrap_or_default();
        if expected["uri"].as_str().map(|uri| uri.trim_start_matches('/')) != Some(target) {
            return Err(format!("its target is /{target}, not {}", expected["uri"]));
        }
        if expected["method"].as_str().is_some_and(|method| method != request.method) {
            return Err(format!("its method is {}", request.method));
        }
        if expected["host"]
            .as_str()
            .is_some_and(|expected| expected.split('/').next() != Some(host))
        {
            return Err(format!("its host is {host}, not {}", expected["host"]));
        }
        same_headers(&request, expected, &service)?;
        same_body(service.metadata.protocol, &request.body, expected["body"].as_str())
    });
}

#[test]
fn requests_are_read_again_as_they_were_written() {
    run("input", BACK, |_, suite, case| {
        let (service, request) = request(suite, case);
        let request = request?;
        let call = Call::new(&service, &service.operations[0]);
        let input = call.read_request(&request).map_err(|error| error.to_string())?;
        let mut again = call.request(&input).map_err(|error| format!("{error} in {input}"))?;
        call.compress(&mut again, LEAST);
        if again.target() != request.target() || again.headers != request.headers {
            return Err(format!(
                "{} {:?} became {} {:?} by {input}",
                request.target(),
                request.headers,
                again.target(),
                again.headers
            ));
        }
        same_body(
            service.metadata.protocol,
            &again.body,
            Some(&compare::as_test(service.metadata.protocol, &request.body)),
        )
    });
}

fn response(service: &Service, case: &Value) -> Response {
    let given = &case["response"];
    let body = given["body"].as_str().unwrap_or_default();
    let cbor = service.metadata.protocol == crate::Protocol::RpcV2Cbor;
    let headers = given["headers"].as_object().cloned().unwrap_or_default();
    Response {
        status: given["status_code"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(200),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default()))
            .collect(),
        body: if cbor {
            from_base64(body).expect("it is base64")
        } else {
            body.as_bytes().to_vec()
        },
    }
}

/// What a case expects a response to say.
fn expected(service: &Service, case: &Value) -> Reply {
    let operation = &service.operations[0];
    let Some(members) = case.get("error") else {
        let output = operation
            .output
            .as_ref()
            .map_or_else(|| json!({}), |root| ours(service, root, &case["result"]));
        return Reply::Output(output);
    };
    let code = case["errorCode"].as_str().unwrap_or_default().to_owned();
    let mut failure = Failure {
        code,
        message: case["errorMessage"].as_str().unwrap_or_default().to_owned(),
        ..Failure::default()
    };
    if let Some((_, shape)) = service.error(operation, &failure.code) {
        let Kind::Structure(structure) = &shape.kind else { panic!("an error is a structure") };
        let members = members.as_object().cloned().unwrap_or_default();
        failure.members = members
            .iter()
            .filter_map(|(name, value)| {
                structure.member(name).map(|member| (name.clone(), ours(service, member, value)))
            })
            .collect::<Map<_, _>>();
    }
    Reply::Failure(failure)
}

/// Of an error, what the cases know.
fn compared(reply: Reply) -> Reply {
    match reply {
        Reply::Failure(failure) => {
            Reply::Failure(Failure { status: 0, request_id: None, modelled_code: None, ..failure })
        }
        output @ Reply::Output(_) => output,
    }
}

#[test]
fn responses_are_read_as_the_protocols_write_them() {
    run("output", OUTPUT, |_, suite, case| {
        let service = service(suite, case);
        let call = Call::new(&service, &service.operations[0]);
        let reply = compared(
            call.read_response(&response(&service, case)).map_err(|error| error.to_string())?,
        );
        let expected = expected(&service, case);
        if same_reply(&reply, &expected) {
            Ok(())
        } else {
            Err(format!("it says {reply:?}, not {expected:?}"))
        }
    });
}

fn same_reply(one: &Reply, other: &Reply) -> bool {
    match (one, other) {
        (Reply::Output(one), Reply::Output(other)) => compare::same_value(one, other),
        (Reply::Failure(one), Reply::Failure(other)) => {
            // The tests say a message only where the code that they were made from has none of its own.
            let message = other.message.is_empty() || one.message == other.message;
            message
                && one.code == other.code
                && compare::same_value(&json!(one.members), &json!(other.members))
        }
        _ => false,
    }
}

#[test]
fn responses_are_written_so_that_they_say_the_same() {
    run("output", OUTPUT_BACK, |_, suite, case| {
        let service = service(suite, case);
        let call = Call::new(&service, &service.operations[0]);
        let said =
            call.read_response(&response(&service, case)).map_err(|error| error.to_string())?;
        let written = match &said {
            Reply::Output(output) => {
                call.response(output, "request").map_err(|error| error.to_string())?
            }
            Reply::Failure(failure) => call.error_response(failure, "request"),
        };
        let again = compared(call.read_response(&written).map_err(|error| error.to_string())?);
        let said = compared(said);
        let expected = expected(&service, case);
        if !same_reply(&said, &expected) {
            return Err("it is not read as it should be".to_owned());
        }
        if same_reply(&again, &said) {
            Ok(())
        } else {
            Err(format!("{said:?} became {again:?} by {}", String::from_utf8_lossy(&written.body)))
        }
    });
}
