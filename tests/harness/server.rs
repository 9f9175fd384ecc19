//! `playbook serve`, as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::process;
use super::sandbox::{Outcome, Sandbox, finish, program};

/// An embedded AWS that outlives the runs against it.
pub struct Server {
    child: Child,
    pub endpoint: String,
    /// Where it lives; the runs of a test have sandboxes of their own.
    sandbox: Sandbox,
    keys: (String, String),
}

impl Server {
    /// Starts it on a free port.
    pub fn start() -> Self {
        Self::with(Sandbox::new(), &[])
    }

    /// Starts one that takes nothing but what is signed with the key that it shows.
    pub fn requiring_credentials() -> Self {
        Self::with(Sandbox::new(), &["--require-credentials"])
    }

    /// Starts one that may have so many files and connections open.
    pub fn with_descriptors(most: usize) -> Self {
        let sandbox = Sandbox::new();
        let limited = format!("ulimit -n {most}; exec \"$0\" serve --port 0");
        let command = sandbox.command("sh", ["-c", limited.as_str(), program()]);
        Self::spawn(sandbox, command)
    }

    fn with(sandbox: Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.playbook(["serve", "--port", "0"]);
        command.args(arguments);
        Self::spawn(sandbox, command)
    }

    fn spawn(sandbox: Sandbox, mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = |name: &str| {
            let start = format!("export {name}=");
            let found = lines.find_map(|line| Some(line.unwrap().strip_prefix(&start)?.to_owned()));
            found.unwrap_or_else(|| panic!("the server says no {name}"))
        };
        let endpoint = told("AWS_ENDPOINT_URL");
        let keys = (told("AWS_ACCESS_KEY_ID"), told("AWS_SECRET_ACCESS_KEY"));
        Self { child, endpoint, sandbox, keys }
    }

    /// The access key and its secret.
    pub fn keys(&self) -> &(String, String) {
        &self.keys
    }

    /// What the AWS CLI, boto3 and the program's own clients need to talk to it.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.keys.0)
            .env("AWS_SECRET_ACCESS_KEY", &self.keys.1)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
    }

    /// A run against it.
    pub fn run_command(&self, sandbox: &Sandbox, file: &str, arguments: &[&str]) -> Command {
        let mut command = sandbox.playbook(["run", file, "--endpoint-url", &self.endpoint]);
        command.args(arguments);
        self.tell(&mut command);
        command
    }

    /// Runs a playbook against it.
    #[track_caller]
    pub fn run(&self, sandbox: &Sandbox, file: &str, arguments: &[&str]) -> Outcome {
        finish(&mut self.run_command(sandbox, file, arguments), "")
    }

    /// Runs another subcommand, with the credentials for it.
    #[track_caller]
    pub fn playbook(&self, sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
        finish(self.tell(&mut sandbox.playbook(arguments)), "")
    }

    /// Whether a role is there.
    #[track_caller]
    pub fn has_role(&self, name: &str) -> bool {
        let sandbox = Sandbox::with_file(
            "look.yaml",
            "name: look\ninputs: {name: {}}\nsteps:\n  - id: found\n    get-role: {role_name: \"{{ inputs.name }}\"}\n    \
             allow_error: NoSuchEntity\n",
        );
        let outcome = self
            .run(&sandbox, "look.yaml", &["--output", "json", "--input", &format!("name={name}")])
            .exited(0);
        let events = super::calls::events_of_lines(&outcome.stdout);
        let looked = super::calls::of_kind(&events, "called")
            .into_iter()
            .find(|call| call["operation"] == "GetRole")
            .expect("it looks");
        looked["outcome"]["error"] == Value::Null
    }

    /// Keeps it from answering; what is sent meanwhile is answered when it [goes on](Self::go_on).
    pub fn hold(&self) {
        process::signal(self.child.id(), Signal::STOP);
    }

    /// Lets it answer again.
    pub fn go_on(&self) {
        process::signal(self.child.id(), Signal::CONT);
    }

    /// Kills it; none of the processes it started may live on.
    #[track_caller]
    pub fn kill_and_look(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.sandbox.nothing_left();
    }

    /// Ends it as Ctrl-C does; it must leave nothing.
    #[track_caller]
    pub fn stop(mut self) {
        process::signal(self.child.id(), Signal::INT);
        let status =
            super::sandbox::eventually(super::sandbox::LONGEST, || self.child.try_wait().unwrap());
        assert_eq!(status.and_then(|status| status.code()), Some(0), "it ends");
        self.sandbox.nothing_left();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_on();
        // Nothing to end where the test has stopped it.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
