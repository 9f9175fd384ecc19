//! Servers that nobody here wrote, and where they are installed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::sandbox::{LONGEST, Sandbox, eventually, finish, repository};

/// A program of the environment.
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
pub fn peer(program: &str) -> Option<PathBuf> {
    let Some(environment) = std::env::var_os("PLAYBOOK_TEST_VENV") else {
        eprintln!("skipped: PLAYBOOK_TEST_VENV names no Python environment with {program}");
        return None;
    };
    let path = PathBuf::from(environment).join("bin").join(program);
    assert!(path.exists(), "{} is not there", path.display());
    Some(path)
}

/// A package of npm in the directory that a variable of the environment names, or where `.ci/run` installs it.
#[allow(clippy::print_stderr, reason = "a test that proves nothing says so")]
pub fn node_package(variable: &str, installed: &str, package: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let directory = named.clone().unwrap_or_else(|| repository().join(installed));
    let path = directory.join("node_modules").join(package);
    if path.exists() {
        return Some(path);
    }
    assert!(named.is_none(), "{} is not there", path.display());
    eprintln!("skipped: {variable} names no directory into which npm has installed {package}");
    None
}

/// Where a server says that it is. It goes on writing; somebody must read.
fn endpoint(written: impl Read + Send + 'static) -> String {
    const START: &str = "http://127.0.0.1:";
    let mut lines = BufReader::new(written).lines();
    let endpoint = lines
        .find_map(|line| {
            let line = line.unwrap();
            let port = line.rsplit_once(START)?.1.split(|c: char| !c.is_ascii_digit()).next()?;
            Some(format!("{START}{port}"))
        })
        .expect("the server says where it is");
    std::thread::spawn(move || lines.for_each(drop));
    endpoint
}

/// `moto_server`, with AWS's managed policies and without Docker.
pub struct Moto {
    child: Child,
    pub endpoint: String,
}

impl Moto {
    /// Starts it on a free port.
    pub fn start(python: &Path, sandbox: &Sandbox) -> Self {
        let script = repository().join("tests/conformance/moto_server.py");
        let mut command = sandbox.command(python, [script]);
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        command
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let endpoint = endpoint(child.stderr.take().unwrap());
        Self { child, endpoint }
    }

    /// Invocations are to echo their payload instead of starting containers.
    pub fn without_docker(&self, python: &Path, sandbox: &Sandbox) {
        let program = "import sys, urllib.request\nbody = b'{\"lambda\": {\"use_docker\": false}}'\nheaders = {'Content-Type': \
                       'application/json'}\nurllib.request.urlopen(urllib.request.Request(sys.argv[1] + '/moto-api/config', body, headers))\n";
        let set = eventually(LONGEST, || {
            let outcome = finish(&mut sandbox.command(python, ["-c", program, &self.endpoint]), "");
            (outcome.exit == 0).then_some(())
        });
        assert!(set.is_some(), "moto takes no configuration");
    }

    /// What the program needs to talk to it.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .args(["--endpoint-url", &self.endpoint, "--region", "us-east-1", "--no-input"])
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The triggers that `cognito-local` has.
const TRIGGERS: [&str; 6] = [
    "PreSignUp",
    "PostConfirmation",
    "PostAuthentication",
    "UserMigration",
    "PreTokenGeneration",
    "CustomMessage",
];

/// `cognito-local`, which fires triggers through any Lambda.
pub struct CognitoLocal {
    child: Child,
    pub endpoint: String,
}

impl CognitoLocal {
    /// Its triggers are one function of that name at that endpoint, for all its pools. Every code that it sends is 424242.
    pub fn start(sandbox: &Sandbox, lambda: Option<(&str, &str)>) -> Option<Self> {
        let program = node_package("PLAYBOOK_TEST_NODE", "target/test-node", "cognito-local")?
            .join("lib/bin/start.js");
        let mut configuration = json!({"UserPoolDefaults": {"UsernameAttributes": []}});
        if let Some((endpoint, function)) = lambda {
            configuration["LambdaClient"] = json!({
                "endpoint": endpoint,
                "region": "us-east-1",
                "credentials": {"accessKeyId": "local", "secretAccessKey": "local"},
            });
            let function = Value::from(function);
            let triggers = TRIGGERS.iter().map(|trigger| ((*trigger).to_owned(), function.clone()));
            configuration["TriggerFunctions"] = Value::Object(triggers.collect());
        }
        sandbox.write(".cognito/config.json", &configuration.to_string());
        let mut command = sandbox.command("node", [program]);
        command.env("CODE", "424242").env("HOST", "127.0.0.1").env("PORT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let endpoint = endpoint(child.stdout.take().unwrap());
        Some(Self { child, endpoint })
    }
}

impl Drop for CognitoLocal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
