//! No web page gets anything from `playbook serve`, whatever a browser sends for it; and who has no key gets nothing where
//! one is required. `tests/browser` has a real browser try.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::peers::peer;
use crate::harness::sandbox::{Sandbox, finish, repository};
use crate::harness::server::Server;
use crate::suite::servers::script;

/// A request and all that comes back for it.
fn exchange(port: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // What is refused before it is read in full may be reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn port(endpoint: &str) -> &str {
    endpoint.rsplit(':').next().unwrap()
}

const KEY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=local/20261130/us-east-1/SERVICE/aws4_request, \
     SignedHeaders=host, Signature=00\n";

/// What a page would plant: by a link that holds a key, by a form, with headers as only a program may send them.
fn plants(port: &str) -> Vec<(String, String)> {
    let trust = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.\
                 amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
    let role = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName=planted&AssumeRolePolicyDocument={trust}"
    );
    let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=local%2F20261130%2Fus-east-1%2Fiam%2Faws4_request&\
                     X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let host = format!("Host: 127.0.0.1:{port}\n");
    let form = "Content-Type: application/x-www-form-urlencoded\n";
    let length = |body: &str| format!("Content-Length: {}\n", body.len());
    let signed = KEY.replace("SERVICE", "iam");
    vec![
        (format!("GET /?{role}&{presigned} HTTP/1.1\n{host}"), String::new()),
        (format!("POST /?{presigned} HTTP/1.1\n{host}{form}{}", length(&role)), role.clone()),
        (format!("POST / HTTP/1.1\n{host}{form}{signed}{}", length(&role)), role.clone()),
        (format!("GET /?{role} HTTP/1.1\n{host}{signed}"), String::new()),
        (
            format!(
                "POST / HTTP/1.1\n{host}{}X-Amz-Target: Logs_20140328.CreateLogGroup\n{}",
                KEY.replace("SERVICE", "logs"),
                length("{\"logGroupName\":\"planted\"}")
            ),
            "{\"logGroupName\":\"planted\"}".to_owned(),
        ),
    ]
}

/// What browsers say of themselves, as a page makes them send it.
fn browsers(port: &str) -> Vec<String> {
    let fetch = |site: &str, mode: &str, destination: &str| {
        format!("Sec-Fetch-Site: {site}\nSec-Fetch-Mode: {mode}\nSec-Fetch-Dest: {destination}\n")
    };
    let mut all = vec![
        "Origin: https://evil.example\n".to_owned(),
        "Origin: null\n".to_owned(),
        format!("Origin: http://127.0.0.1:{port}\n"),
        "Referer: https://evil.example/page\n".to_owned(),
        "Sec-Fetch-Site: cross-site\n".to_owned(),
    ];
    for site in ["cross-site", "same-site", "same-origin"] {
        for (mode, destination) in [
            ("no-cors", "image"),
            ("no-cors", "script"),
            ("navigate", "iframe"),
            ("cors", "empty"),
            ("no-cors", "empty"),
            ("websocket", "websocket"),
        ] {
            all.push(fetch(site, mode, destination));
        }
    }
    all.push(fetch("cross-site", "navigate", "document"));
    all
}

/// Whether anything was planted.
fn is_planted(port: &str) -> bool {
    let body = "Action=ListRoles&Version=2010-05-08";
    let roles = exchange(
        port,
        &format!(
            "POST / HTTP/1.1\nHost: localhost\nConnection: close\n{}Content-Length: {}\n\n{body}",
            KEY.replace("SERVICE", "iam"),
            body.len()
        ),
    );
    assert!(roles.contains("ListRolesResult"), "{roles}");
    let groups = exchange(
        port,
        &format!(
            "POST / HTTP/1.1\nHost: localhost\nConnection: close\n{}X-Amz-Target: Logs_20140328.DescribeLogGroups\n\
             Content-Length: 2\n\n{{}}",
            KEY.replace("SERVICE", "logs")
        ),
    );
    assert!(groups.contains("logGroups"), "{groups}");
    roles.contains("planted") || groups.contains("planted")
}

#[test]
fn what_a_browser_sends_for_a_page_changes_nothing() {
    let server = Server::start();
    let port = port(&server.endpoint);
    for (head, body) in plants(port) {
        for browser in browsers(port) {
            let answer = exchange(port, &format!("{head}Connection: close\n{browser}\n{body}"));
            assert!(answer.starts_with("HTTP/1.1 403 "), "{head}{browser}\n{answer}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"] {
            let head = head.replace("127.0.0.1", host);
            let answer = exchange(port, &format!("{head}Connection: close\n\n{body}"));
            assert!(answer.starts_with("HTTP/1.1 403 "), "{head}\n{answer}");
        }
    }
    // Old browsers say nothing of themselves, but a page cannot have them send the headers of the others.
    for (head, body) in &plants(port)[..2] {
        let answer = exchange(port, &format!("{head}Connection: close\n\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{head}\n{answer}");
    }
    assert!(!is_planted(port));
    for (head, body) in &plants(port)[2..3] {
        let answer = exchange(port, &format!("{head}Connection: close\n\n{body}"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{head}\n{answer}");
    }
    assert!(is_planted(port));
    server.stop();
}

#[test]
fn a_person_may_open_the_inbox() {
    let server = Server::start();
    let port = port(&server.endpoint);
    let visit = |path: &str| {
        exchange(
            port,
            &format!(
                "GET {path} HTTP/1.1\nHost: localhost:{port}\nConnection: close\nSec-Fetch-Site: none\nSec-Fetch-Mode: \
                 navigate\nSec-Fetch-Dest: document\nUser-Agent: Mozilla/5.0\nAccept: text/html\n\n"
            ),
        )
    };
    let inbox = visit("/_playbook/inbox");
    assert!(inbox.starts_with("HTTP/1.1 200 ") && inbox.contains("<title>Inbox"), "{inbox}");
    server.stop();
}

/// A function whose result is where its Runtime API is.
fn with_a_function(server: &Server) -> (Sandbox, String) {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: api\nsteps:\n  - id: role\n    create-role: {role_name: api, trust_service: lambda.amazonaws.com}\n    \
         keep: true\n  - create-function:\n      function_name: api\n      runtime: python3.13\n      handler: api.handler\n      \
         code: api.py\n      role: \"{{ steps.role.arn }}\"\n    keep: true\n  - id: called\n    invoke: {function_name: api}\n    \
         keep: true\n  - print: \"api={{ steps.called.payload }}\"\n",
    );
    let handler = "import os\n\n\ndef handler(event, context):\n    return os.environ[\"AWS_LAMBDA_RUNTIME_API\"]\n";
    sandbox.write("api.py", handler);
    let outcome = server.run(&sandbox, "playbook.yaml", &["--cleanup", "never"]);
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    let api = said.split("api=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let port = api.and_then(|api| api.rsplit(':').next()).unwrap_or_else(|| panic!("{said}"));
    let port = port.trim_matches('"').to_owned();
    (sandbox, port)
}

#[test]
fn no_page_takes_a_functions_event() {
    let server = Server::start();
    let (_sandbox, api) = with_a_function(&server);
    let next = "/2018-06-01/runtime/invocation/next";
    let mut all = browsers(&api);
    all.push("User-Agent: Mozilla/5.0 (X11; Linux x86_64)\n".to_owned());
    all.push(
        "Sec-Fetch-Site: none\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document\n".to_owned(),
    );
    for browser in all {
        let request =
            format!("GET {next} HTTP/1.1\nHost: 127.0.0.1:{api}\nConnection: close\n{browser}\n");
        let answer = exchange(&api, &request);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{browser}\n{answer}");
    }
    let rebound = format!("GET {next} HTTP/1.1\nHost: evil.example:{api}\nConnection: close\n\n");
    assert!(exchange(&api, &rebound).starts_with("HTTP/1.1 403 "));
}

/// Runs one of AWS's clients against a server that wants its own key.
fn peer_with_credentials(mut command: Command, server: &Server, expected: &str) {
    let outcome = finish(server.tell(&mut command), "").exited(0);
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
}

#[test]
fn boto3_signs_as_is_required() {
    let Some(python) = peer("python") else { return };
    let server = Server::requiring_credentials();
    let sandbox = Sandbox::new();
    let python = |name: &str| sandbox.command(&python, [script(name)]);
    let all = "every operation answers as boto3 expects\n";
    peer_with_credentials(python("serve_boto3.py"), &server, all);
    peer_with_credentials(
        python("signatures_boto3.py"),
        &server,
        "signed requests are answered, others are not\n",
    );
    server.stop();
}

#[test]
fn the_aws_cli_signs_as_is_required() {
    let Some(aws) = peer("aws") else { return };
    let server = Server::requiring_credentials();
    let sandbox = Sandbox::new();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", aws.parent().unwrap().display());
    for (name, expected) in [
        ("serve_cli.sh", "every operation answers as the AWS CLI expects\n"),
        ("s3_cli.sh", "S3 answers as the AWS CLI expects\n"),
    ] {
        let mut command = sandbox.command("bash", [script(name)]);
        command.env("PATH", &path);
        peer_with_credentials(command, &server, expected);
    }
    server.stop();
}

#[test]
fn a_run_and_its_handlers_sign_as_is_required() {
    let server = Server::requiring_credentials();
    let sandbox = Sandbox::new();
    let playbook = repository().join("playbooks/get-started-functions.yaml");
    let run = server.run(&sandbox, playbook.to_str().unwrap(), &["--no-input"]);
    run.exited(0);
    let mut command = sandbox.playbook([
        "run",
        playbook.to_str().unwrap(),
        "--no-input",
        "--endpoint-url",
        &server.endpoint,
    ]);
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command.env("AWS_REGION", "us-east-1");
    let refused = finish(&mut command, "");
    assert_ne!(refused.exit, 0);
    assert!(refused.stderr.contains("InvalidClientTokenId"), "{}", refused.stderr);
    server.stop();
}

#[test]
fn the_key_is_another_each_time() {
    let (one, other) = (Server::requiring_credentials(), Server::requiring_credentials());
    assert_ne!(one.keys(), other.keys());
    let look = |server: &Server| {
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        exchange(
            port(&server.endpoint),
            &format!(
                "POST / HTTP/1.1\nHost: localhost\nConnection: close\n{}Content-Length: {}\n\n{body}",
                KEY.replace("SERVICE", "sts"),
                body.len()
            ),
        )
    };
    let answer = look(&one);
    assert!(answer.contains("InvalidClientTokenId"), "{answer}");
    let known = Value::from(one.keys().0.as_str());
    assert!(known.as_str().is_some_and(|key| key.starts_with("AKIA")));
    one.stop();
    other.stop();
}

/// What a stranger on this machine is, to a run: he knows the port, and no key.
const STRANGER: &str = r#"import os
import urllib.error
import urllib.request


def handler(event, context):
    scope = "20261130/us-east-1/iam/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders=host, Signature=00"
    body = b"Action=ListRoles&Version=2010-05-08"
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body, {"Authorization": signed})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
"#;

#[test]
fn a_local_run_takes_no_key_but_its_own() {
    let sandbox = Sandbox::with_file(
        "playbook.yaml",
        "name: stranger\nsteps:\n  - id: role\n    create-role: {role_name: \"demo-{{ run.id }}\", trust_service: \
         lambda.amazonaws.com}\n  - create-function: {function_name: \"demo-{{ run.id }}\", runtime: python3.13, handler: \
         stranger.handler, code: stranger.py, role: \"{{ steps.role.arn }}\"}\n  - invoke: {function_name: \"demo-{{ run.id \
         }}\"}\n    assert: result.payload == 403\n",
    );
    sandbox.write("stranger.py", STRANGER);
    sandbox.run(["run", "playbook.yaml", "--local"]).exited(0);
}
