//! Any operation, as this client sends it, byte for byte as boto3 does: method, path, query, headers, body, and for what it is signed.
//!
//! `tests/requests/record.py` calls boto3 against a server that records; here the same inputs go to another. Some of each protocol are
//! compared by default; `AWS_REQUESTS=120x24` are so many services and operations of each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use aws::Aws;
use aws::operation::{OperationCall, unsupported};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Headers that are made anew for each request, or that are the affair of whoever carries it.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("accept", "any answer is taken, whether that is said or not"),
    ("accept-encoding", "boto3 says that answers are not to be compressed, this client nothing"),
    ("amz-sdk-invocation-id", "new for each call"),
    ("amz-sdk-request", "the number of the attempt"),
    ("authorization", "the signature is of a moment; what it is made for is compared"),
    ("connection", "of the connection"),
    ("date", "of the moment"),
    ("expect", "boto3 asks before it sends a body to S3, which saves a transfer that is refused"),
    ("transfer-encoding", "of the connection"),
    ("user-agent", "who calls"),
    ("x-amz-date", "of the moment"),
    ("x-amz-user-agent", "who calls"),
    ("x-amzn-trace-id", "of a function's environment"),
];

/// Operations that boto3 sends otherwise than is right here, and why.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "cloudsearchdomain:Search",
        "boto3 sends it as POST; GET, as the model says, does for what fits into an URL",
    ),
    (
        "dynamodb:DescribeEndpoints",
        "boto3 says the version of the API, for looking for endpoints, which this client does not do",
    ),
    (
        "timestream-query:DescribeEndpoints",
        "boto3 says the version of the API, for looking for endpoints, which this client does not do",
    ),
    (
        "timestream-write:DescribeEndpoints",
        "boto3 says the version of the API, for looking for endpoints, which this client does not do",
    ),
    (
        "ec2:CopySnapshot",
        "boto3 signs an URL for the other region, which EC2 wants for encrypted snapshots alone",
    ),
    (
        "glacier:UploadArchive",
        "boto3 adds the hash of a tree of the archive; here it is a member to be given",
    ),
    (
        "glacier:UploadMultipartPart",
        "boto3 adds the hash of a tree of the part; here it is a member to be given",
    ),
    (
        "machinelearning:Predict",
        "boto3 takes the host from the input; calls of a run go to one endpoint",
    ),
    (
        "s3:ListObject",
        "boto3 has keys encoded and decodes them again, for characters that XML cannot hold",
    ),
];

#[tokio::test]
async fn requests_are_those_that_boto3_sends() {
    let Some(python) = python() else { return };
    let size = std::env::var("AWS_REQUESTS").unwrap_or_else(|_| "24x12".to_owned());
    let (services, operations) = size.split_once('x').expect("AWS_REQUESTS is SERVICESxOPERATIONS");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/requests/record.py");
    let recorded = Command::new(python).arg(script).args([services, operations]).output().unwrap();
    let said = String::from_utf8_lossy(&recorded.stderr);
    if recorded.status.code() == Some(3) {
        eprintln!("skipped: {}", said.trim());
        return;
    }
    assert!(recorded.status.success(), "{said}");
    let client = Client::new();
    let (mut same, mut compared) = (0, BTreeSet::new());
    let (mut otherwise, mut differing) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for line in String::from_utf8(recorded.stdout).unwrap().lines() {
        let record: Value = serde_json::from_str(line).expect("each line is JSON");
        let name = record["name"].as_str().unwrap();
        let found = aws_model::find(name).expect("the models are of the same botocore");
        if let Some(reason) = unsupported(&found) {
            *otherwise.entry(reason).or_default() += 1;
            continue;
        }
        if let Some((_, why)) = OTHERWISE.iter().find(|(start, _)| name.starts_with(start)) {
            *otherwise.entry(why).or_default() += 1;
            continue;
        }
        let theirs = Sent::of(&record);
        let difference = match client.send(found, &record["input"]).await {
            Ok(ours) => difference(&ours, &theirs),
            Err(error) => Some(format!("it is not sent: {error}")),
        };
        match difference {
            None => {
                same += 1;
                compared.insert(found.service.name);
            }
            Some(what) => differing.push(format!("{name}: {what}")),
        }
    }
    println!("{same} requests of {} services are those that boto3 sends", compared.len());
    for (why, count) in &otherwise {
        println!("{count} are not: {why}");
    }
    println!(
        "boto3 sends {} not at all",
        said.lines().filter(|line| line.contains(" is not sent: ")).count()
    );
    let all = differing.join("\n");
    assert!(differing.is_empty(), "{} differ:\n{all}", differing.len());
    assert!(same > 100, "{same} are compared");
}

/// The environment that the tests have their Python packages in.
fn python() -> Option<PathBuf> {
    let Some(environment) = std::env::var_os("PLAYBOOK_TEST_VENV") else {
        eprintln!("skipped: PLAYBOOK_TEST_VENV names no Python environment with boto3");
        return None;
    };
    Some(PathBuf::from(environment).join("bin/python"))
}

/// A request as it was sent.
#[derive(Debug)]
struct Sent {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// Region and service that it is signed for.
    signed_for: Option<String>,
}

impl Sent {
    fn of(record: &Value) -> Self {
        let mut headers = BTreeMap::<String, String>::new();
        for pair in record["headers"].as_array().unwrap() {
            let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            headers
                .entry(name.to_owned())
                .and_modify(|all| *all = format!("{all},{value}"))
                .or_insert_with(|| value.to_owned());
        }
        let scope = headers.get("authorization").and_then(|all| all.split_once("Credential="));
        let signed_for =
            scope.map(|(_, scope)| scope.split('/').skip(2).take(2).collect::<Vec<_>>().join("/"));
        if let Some(host) = headers.get_mut("host") {
            // A port is as good as any other, and a host the same in capitals.
            *host =
                host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host).to_ascii_lowercase();
        }
        headers.retain(|name, _| !NOT_COMPARED.iter().any(|(not, _)| not == name));
        Self {
            method: record["method"].as_str().unwrap().to_owned(),
            target: record["target"].as_str().unwrap().to_owned(),
            headers,
            body: BASE64_STANDARD.decode(record["body"].as_str().unwrap()).unwrap(),
            signed_for,
        }
    }
}

/// What is not the same; nothing where all is.
fn difference(ours: &Sent, theirs: &Sent) -> Option<String> {
    let mut text = String::new();
    let mut differ = |what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            let _ = write!(text, "\n    {what}\n      ours   {ours}\n      theirs {theirs}");
        }
    };
    differ("method", &ours.method, &theirs.method);
    differ("target", &ours.target, &theirs.target);
    differ("body", &shown(&ours.body), &shown(&theirs.body));
    differ("signed for", &format!("{:?}", ours.signed_for), &format!("{:?}", theirs.signed_for));
    let names: BTreeSet<&String> = ours.headers.keys().chain(theirs.headers.keys()).collect();
    for name in names {
        let of =
            |sent: &Sent| sent.headers.get(name).cloned().unwrap_or_else(|| "(none)".to_owned());
        differ(name, &of(ours), &of(theirs));
    }
    (!text.is_empty()).then_some(text)
}

fn shown(body: &[u8]) -> String {
    String::from_utf8(body.to_vec())
        .unwrap_or_else(|_| format!("base64 {}", BASE64_STANDARD.encode(body)))
}

/// This client, before a server that records.
struct Client {
    aws: Aws,
    taken: Receiver<Sent>,
}

impl Client {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, taken) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                std::thread::spawn(move || record(&stream.unwrap(), &sender));
            }
        });
        let keys = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", None, None, "test");
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .region(Region::new("us-east-1"))
            .http_client(Builder::new().tls_provider(provider).build_with_resolver(Here))
            .endpoint_url(url)
            .build();
        Self { aws: Aws::new(config, false, false), taken }
    }

    async fn send(&self, found: aws_model::Found, input: &Value) -> Result<Sent, String> {
        let call = OperationCall { found, input, shown: None, once: true };
        let outcome = self.aws.operation(call, || json!({})).await;
        // All are refused, once they are there.
        let sent = self.taken.recv_timeout(Duration::from_millis(if outcome.is_err() {
            500
        } else {
            5_000
        }));
        sent.map_err(|_| outcome.err().map_or_else(String::new, |error| error.to_string()))
    }
}

/// Every host is this machine: some endpoints have the number of an account in front.
#[derive(Debug, Clone)]
struct Here;

impl ResolveDns for Here {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]))
    }
}

/// Notes what comes, and refuses it.
fn record(mut stream: &TcpStream, taken: &Sender<Sent>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut first = lines[0].split(' ');
        let (method, target) = (first.next().unwrap(), first.next().unwrap());
        let headers: Vec<(String, &str)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let record = json!({"method": method, "target": target, "headers": headers, "body": BASE64_STANDARD.encode(body)});
        if taken.send(Sent::of(&record)).is_err() {
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    }
}
