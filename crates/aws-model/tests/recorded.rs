//! Requests as boto3 sends them, byte for byte.
//!
//! They are read from the file that `AWS_RECORDED_REQUESTS` names; `pack/record-requests` records them.
#![expect(clippy::print_stdout, reason = "a test says what it skipped, and how much it did")]

use aws_model::find;
use aws_model::validate::{Measure, What, validate};
use aws_model::wire::{Call, Request, route};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Operations that boto3 writes otherwise than the model says, by code of its own.
const BY_HAND: &[(&str, &str)] = &[
    ("cloudsearchdomain:Search", "sent as POST, whatever its length"),
    ("docdb:CopyDBClusterSnapshot", "a second request is presigned into it"),
    ("docdb:CreateDBCluster", "as above"),
    ("neptune:CopyDBClusterSnapshot", "as above"),
    ("neptune:CreateDBCluster", "as above"),
    ("rds:CopyDB", "as above"),
    ("rds:CreateDBCluster", "as above"),
    ("rds:CreateDBInstanceReadReplica", "as above"),
    ("rds:StartDBInstanceAutomatedBackupsReplication", "as above"),
    ("s3:CopyObject", "customers' keys are hashed"),
    ("s3:CreateMultipartUpload", "as above"),
    ("s3:ListObjectVersions", "keys are asked for in percent-encoding"),
    ("sdb:", "signed in its body"),
];

#[test]
fn requests_are_those_that_boto3_sends() {
    let Some(file) = std::env::var_os("AWS_RECORDED_REQUESTS") else {
        println!(
            "skipped: AWS_RECORDED_REQUESTS does not say where requests are recorded (pack/record-requests records them)"
        );
        return;
    };
    let text = std::fs::read_to_string(file).expect("it is there");
    let (mut failed, mut passed, mut by_hand) = (Vec::new(), 0, 0);
    let mut services = std::collections::BTreeSet::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).expect("each line is JSON");
        let name = format!(
            "{}:{}",
            record["service"].as_str().unwrap_or_default(),
            record["operation"].as_str().unwrap_or_default()
        );
        if BY_HAND.iter().any(|(start, _)| name.starts_with(start)) {
            by_hand += 1;
            continue;
        }
        services.insert(record["service"].to_string());
        match check(&name, &record) {
            Ok(()) => passed += 1,
            Err(why) => failed.push(format!("{name}: {why}")),
        }
    }
    println!(
        "{passed} requests of {} services are those that boto3 sends, {by_hand} are made by code of its own",
        services.len()
    );
    assert!(
        failed.is_empty(),
        "{} differ:\n{}",
        failed.len(),
        failed[..failed.len().min(60)].join("\n")
    );
}

fn check(name: &str, record: &Value) -> Result<(), String> {
    let found = find(name).map_err(|unknown| unknown.to_string())?;
    // What is recorded is made of the shapes, but for their patterns and for how long lists may be.
    let problems = validate(found.service, found.operation, &record["input"]);
    if let Some(problem) = problems.iter().find(|problem| {
        !matches!(
            problem.what,
            What::Pattern { .. } | What::Range { measure: Measure::Entries, .. }
        )
    }) {
        return Err(format!("it is no input: {problem}"));
    }
    let call = Call::new(found.service, found.operation);
    let request = call.request(&record["input"]).map_err(|error| error.to_string())?;
    let url = record["url"].as_str().unwrap_or_default();
    let (host, target) = url.trim_start_matches("https://").split_once('/').unwrap_or((url, ""));
    if request.method != record["method"] {
        return Err(format!("its method is {}, not {}", request.method, record["method"]));
    }
    if request.target() != format!("/{target}") {
        return Err(format!("its target is {}, not /{target}", request.target()));
    }
    if request.host_prefix.as_deref().is_some_and(|prefix| !host.starts_with(prefix)) {
        return Err(format!("its host begins with {:?}, not as {host}", request.host_prefix));
    }
    let expected = record["headers"].as_object().cloned().unwrap_or_default();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut wanted: Vec<(String, String)> = expected
        .into_iter()
        .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
        .collect();
    headers.retain(|(name, _)| {
        name != "x-amz-sdk-checksum-algorithm"
            && name != "x-amz-content-sha256"
            && !name.starts_with("x-amz-checksum")
            && name != "content-md5"
    });
    headers.sort();
    wanted.sort();
    if headers != wanted {
        return Err(format!("its headers are {headers:?}, not {wanted:?}"));
    }
    let body = STANDARD
        .decode(record["body"].as_str().unwrap_or_default())
        .map_err(|error| error.to_string())?;
    if body != request.body {
        return Err(format!(
            "its body is {}, not {}",
            String::from_utf8_lossy(&request.body),
            String::from_utf8_lossy(&body)
        ));
    }
    read_again(&call, &request)
}

/// What a client writes, a server reads: the same request comes of it, its members in the model's order.
fn read_again(call: &Call<'_>, request: &Request) -> Result<(), String> {
    let routed = route(call.service, request).map_err(|error| error.to_string())?;
    // S3 has an old and a new operation of the same path: nothing tells them apart.
    let alike = routed.operation.uri == call.operation.uri && call.operation.deprecated;
    let same = routed.operation.name == call.operation.name && routed.protocol == call.protocol;
    if !(same || alike && call.protocol.is_rest()) {
        return Err(format!("a server takes it for {}", routed.operation.name));
    }
    let read =
        call.read_request(request).map_err(|error| format!("it is not read again: {error}"))?;
    let again = call.request(&read).map_err(|error| format!("it is not written again: {error}"))?;
    let sorted = |request: &Request| {
        let mut query: Vec<String> = request.query.split('&').map(str::to_owned).collect();
        let mut headers: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        query.sort();
        headers.sort();
        (request.path.clone(), query, headers, request.body.len())
    };
    if sorted(&again) != sorted(request) {
        return Err(format!("it is read as {read}"));
    }
    Ok(())
}
